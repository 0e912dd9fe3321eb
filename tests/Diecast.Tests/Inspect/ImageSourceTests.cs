using Diecast.Formats.Cpio;
using Diecast.Images;
using Diecast.Inspect;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Inspect;

public sealed class ImageSourceTests : IDisposable
{
    private readonly TempDirectory _directory = new("/var/tmp");

    public void Dispose() => _directory.Dispose();

    private string Pack(string program, Blob content)
    {
        ImageFile.Write(content, _directory["x.raw"]);
        Tool.RunOk("sh", "-c", $"{Tool.Require(program)} -c '{_directory["x.raw"]}' > '{_directory["x.packed"]}'");
        return _directory["x.packed"];
    }

    [Theory]
    [InlineData("gzip", Compression.Gzip)]
    [InlineData("xz", Compression.Xz)]
    [InlineData("zstd", Compression.Zstd)]
    public void CompressedImagesAreReadAsTheyAre(string program, Compression compression)
    {
        var disk = ImageSamples.Disk();
        var source = ImageSource.Open(Pack(program, disk));
        Assert.Equal(compression, source.Compression);
        Assert.Equal(ImageFile.Hash(disk), ImageFile.Hash(source.Content!));
        // The holes of the disk are holes of the temporary file: from the kernel's copy of the table on there is nothing.
        Assert.True(source.Content!.NextData(10 << 20) > 15 << 20);
        Assert.Equal("ID=inner\n", ImageSamples.Text(new Reach().Find(source.Path + ":esp:/EFI/Linux/x.efi:.initrd:/usr/lib/os-release").Content!));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("xz")]
    [InlineData("zstd")]
    public void TheLimitHoldsAndATruncatedImageIsRefused(string program)
    {
        string bomb = Pack(program, new ComputedBlob(100 << 20, static (_, _) => { }));
        Assert.True(new FileInfo(bomb).Length < 200_000);
        var error = Assert.Throws<InvalidDataException>(() => ImageSource.Open(bomb, 10 << 20));
        Assert.Contains($"{bomb}: unpacks to more than the limit of {10 << 20} bytes", error.Message, StringComparison.Ordinal);
        Assert.Equal(100 << 20, ImageSource.Open(bomb, 100 << 20).Content!.Length);

        using (var file = new FileStream(bomb, FileMode.Open))
        {
            file.SetLength(file.Length - 5);
        }
        Assert.Throws<InvalidDataException>(() => ImageSource.Open(bomb));
    }

    [Fact]
    public void UnpackingCanBeInterrupted()
    {
        string packed = Pack("gzip", ImageSamples.Disk());
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.Throws<OperationCanceledException>(() => ImageSource.Open(packed, cancellation: stop.Token));
    }

    [Theory]
    [InlineData("QFI\xfb", "qcow2")]
    [InlineData("KDMV", "VMDK")]
    [InlineData("vhdxfile", "VHDX")]
    public void OtherDiskFormatsAreRefusedByName(string magic, string name)
    {
        File.WriteAllBytes(_directory["x"], [.. System.Text.Encoding.Latin1.GetBytes(magic), .. new byte[1000]]);
        var error = Assert.Throws<InvalidDataException>(() => ImageSource.Open(_directory["x"]));
        Assert.Contains($"x: a {name} image; only raw ones are read", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OtherThingsAreRefused()
    {
        Assert.Throws<PosixException>(() => ImageSource.Open(_directory["missing"]));
        Posix.MknodAt(Posix.AT_FDCWD, Posix.Bytes(_directory["fifo"]), Posix.S_IFIFO | 0x180, 0, 0);
        Assert.Contains("neither", Assert.Throws<IOException>(() => ImageSource.Open(_directory["fifo"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ABlockDeviceIsAsLongAsItIs()
    {
        if (!Environment.IsPrivilegedProcess || Tool.Run("losetup", "-f").ExitCode != 0)
        {
            Tool.Missing("a loop device needs root");
        }
        ImageFile.Write(ImageSamples.Disk(), _directory["x.raw"]);
        string device = Tool.RunOk("losetup", "-f", "--show", "-r", _directory["x.raw"]).Trim();
        try
        {
            Assert.Equal(16 << 20, ImageSource.Open(device).Content!.Length);
            Assert.Equal("colon", ImageSamples.Text(new Reach().Find(device + ":2:/etc/a:b").Content!));
        }
        finally
        {
            Tool.RunOk("losetup", "-d", device);
        }
    }

    /// <summary>What follows a compressed part is found where the decoder ends, whatever the compression.</summary>
    [Theory]
    [InlineData("gzip")]
    [InlineData("xz")]
    [InlineData("zstd")]
    public void APlainArchiveMayFollowACompressedOne(string program)
    {
        string packed = Pack(program, ImageSamples.Cpio(("a", "first"), ("b", new string('b', 100_000))));
        var initrd = ImageSamples.Join(ImageSamples.Cpio(("micro", "code")), new MemoryBlob(File.ReadAllBytes(packed)), new MemoryBlob(new byte[5]),
            ImageSamples.Cpio(("a", "second"), ("c", "third")), new MemoryBlob(File.ReadAllBytes(packed)), new MemoryBlob(new byte[700]));
        var tree = CpioReader.Read(initrd);
        Assert.Equal("code", Content(tree, "micro"));
        Assert.Equal("first", Content(tree, "a"));
        Assert.Equal("third", Content(tree, "c"));
        Assert.Throws<InvalidDataException>(() => CpioReader.Read(initrd, 150_000));

        // Without the plain one at the start it is what it is compressed by, and all of it is in the data.
        long start = ImageSamples.Cpio(("micro", "code")).Length;
        var container = ContainerTable.Open(initrd.Slice(start, initrd.Length - start))!;
        Assert.Equal(program, container.Kind);
        tree = ContainerTable.Open(Assert.Single(container.Parts).Content)!.Tree!;
        Assert.Equal("first", Content(tree, "a"));
        Assert.Equal("third", Content(tree, "c"));
        Assert.Equal(new string('b', 100_000), Content(tree, "b"));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("xz")]
    [InlineData("zstd")]
    public void AFlippedByteAndATailAreNoticed(string program)
    {
        byte[] packed = File.ReadAllBytes(Pack(program, ImageSamples.Cpio(("a", new string('x', 5000)), ("b", "other"))));
        for (int i = 20; i < packed.Length; i += 7)
        {
            byte[] flipped = [.. packed];
            flipped[i] ^= 0x10;
            Assert.ThrowsAny<InvalidDataException>(() => CpioReader.Read(new MemoryBlob(flipped)));
        }
        var tail = ContainerTable.Open(new MemoryBlob((byte[])[.. packed, 1, 2, 3]))!.Parts[0].Content;
        Assert.Contains("something else follows", Assert.Throws<InvalidDataException>(() => tail.Length).Message, StringComparison.Ordinal);
    }

    private static string Content(FileTree tree, string path) => ImageSamples.Text(((FileNode)tree.Find(path)!).Content);
}
