using System.Security.Cryptography;
using CsCheck;
using Diecast.Formats;
using Diecast.Images;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Fat;

public sealed class FatWriterTests
{
    private const long MiB = 1 << 20;

    /// <summary>Type, sector size and size of images in which every structure differs.</summary>
    public static TheoryData<int, int, long> Shapes => new()
    {
        { 12, 512, 1 * MiB }, { 12, 512, 20 * MiB }, { 12, 4096, 8 * MiB },
        { 16, 512, 8 * MiB }, { 16, 512, 100 * MiB }, { 16, 4096, 30 * MiB }, { 16, 4096, 400 * MiB },
        { 32, 512, 40 * MiB }, { 32, 512, 260 * MiB }, { 32, 512, 261 * MiB }, { 32, 512, 9000 * MiB },
        { 32, 4096, 260 * MiB }, { 32, 4096, 512 * MiB }, { 32, 4096, 20_000 * MiB },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void EveryShapeIsClean(int bits, int sectorSize, long size)
    {
        using var directory = new TempDirectory();
        var options = FatSamples.Options with { FatBits = bits, SectorSize = sectorSize, Size = size };
        var tree = FatSamples.Esp();
        var image = FatSamples.Write(tree, options);
        Assert.Equal(size, image.Length);
        FatSamples.Verify(tree, image, directory["fat"]);
        Assert.Equal($"FAT{bits}", FatSamples.Field(FatSamples.Format.Read(image), "BS_FilSysType"));
    }

    [Theory]
    [InlineData(12, 512)]
    [InlineData(16, 512)]
    [InlineData(32, 512)]
    [InlineData(32, 4096)]
    public void MtoolsExtractTheSameTree(int bits, int sectorSize)
    {
        var tree = FatSamples.Esp();
        var image = FatSamples.Write(tree, FatSamples.Options with { FatBits = bits, SectorSize = sectorSize });
        // mcopy keeps the times of files, not those of directories, and knows no character beyond U+FFFF.
        string[] expected = [.. TextWithoutDirectories(FatSamples.AsFatKeepsIt(tree)).Select(static line => line.Replace("😀", "__", StringComparison.Ordinal))];
        Assert.Equal(expected, ExtractByMtools(image));
        var file = image.Extents.First(static extent => extent.Label.Kind == "file");
        Assert.NotEqual(expected, ExtractByMtools(FatSamples.Patch(image, file.Offset, 0xFF)));
    }

    private static string[] ExtractByMtools(Blob image)
    {
        using var directory = new TempDirectory();
        ImageFile.Write(image, directory["fat"]);
        Directory.CreateDirectory(directory["out"]);
        Tool.RunOk("mcopy", "-s", "-p", "-m", "-n", "-i", directory["fat"], "::", directory["out"]);
        var tree = HostTree.Read(Posix.Bytes(directory["out"]), new HostTree.Options
        {
            Metadata = static (path, status, _) => new Metadata(
                (ushort)(status.Type == FileType.Directory ? 0x1ED : 0x1A4), 0, 0, path is null ? new Timestamp(0) : status.Mtime),
        });
        return TextWithoutDirectories(tree);
    }

    private static string[] TextWithoutDirectories(FileTree tree) =>
        [.. TreeText.Lines(tree).Select(static line => line.Contains(" dir ", StringComparison.Ordinal) ? line.Split(' ')[0] : line)];

    [Fact]
    public void MinfoAndMdirAgree()
    {
        using var directory = new TempDirectory();
        ImageFile.Write(FatSamples.Write(FatSamples.Esp(), FatSamples.Options with { FatBits = 32 }), directory["fat"]);
        string info = Tool.RunOk("minfo", "-i", directory["fat"], "::");
        Assert.Contains("serial number: E7B87C0D", info, StringComparison.Ordinal);
        Assert.Contains("disk label=\"ESP        \"", info, StringComparison.Ordinal);
        Assert.Contains("disk type=\"FAT32   \"", info, StringComparison.Ordinal);
        string listing = Tool.RunOk("mdir", "-i", directory["fat"], "::");
        Assert.Contains("Volume in drive : is ESP", listing, StringComparison.Ordinal);
        Assert.Contains("LONGFI~2 TXT", listing, StringComparison.Ordinal);
        Assert.Contains("日本語のファイル名", listing, StringComparison.Ordinal);
    }

    [Fact]
    public void TheOracleNoticesAFlippedByte()
    {
        using var directory = new TempDirectory();
        var image = FatSamples.Write(FatSamples.Esp(), FatSamples.Options with { FatBits = 32 });
        foreach (string label in new[] { "fat boot sector", "fat FSInfo sector", "fat table 1", "fat table 2", "directory /EFI" })
        {
            var extent = image.Extents.Single(extent => extent.Label.ToString() == label);
            int at = label switch { "fat boot sector" => 0x20, "fat FSInfo sector" => 488, "directory /EFI" => 26, _ => 12 };
            byte old = image.ReadBytes(extent.Offset + at, 1)[0];
            ImageFile.Write(FatSamples.Patch(image, extent.Offset + at, (byte)(old ^ 0x55)), directory["fat"]);
            Assert.ThrowsAny<Exception>(() => FatSamples.Fsck(directory["fat"]));
        }
    }

    [Theory]
    [InlineData(16, 512)]
    [InlineData(32, 512)]
    [InlineData(null, 4096)]
    public void ADirectoryOfThousandsOfLongNames(int? bits, int sectorSize)
    {
        using var directory = new TempDirectory();
        var builder = new TreeBuilder(FatSamples.Meta());
        for (int i = 0; i < 4_000; i++)
        {
            builder.AddFile($"many/a rather long name with number {i}.conf", FatSamples.Meta(), new byte[i % 3]);
            if (i < 1_500)
            {
                builder.AddFile($"a long name in the root {i}", FatSamples.Meta(), new byte[i % 3]);
            }
        }
        var tree = builder.Build();
        var options = FatSamples.Options with { FatBits = bits, SectorSize = sectorSize };
        FatSamples.Verify(tree, FatSamples.Write(tree, options), directory["fat"]);
    }

    [Fact]
    public void TheFullestDirectoryIsWrittenAndOneMoreNameRefused()
    {
        var builder = new TreeBuilder(FatSamples.Meta());
        for (int i = 0; i < 65_534; i++)
        {
            builder.AddFile($"D/{i:X8}", FatSamples.Meta(), Blob.Empty);
        }
        var full = builder.Build();
        // fsck.fat compares each name with each other one: too slow here.
        var read = FatSamples.Format.Read(FatSamples.Write(full, FatSamples.Options)).Tree;
        Assert.Equal(TreeText.Format(FatSamples.AsFatKeepsIt(full)), TreeText.Format(read));
        builder.AddFile("D/MORE", FatSamples.Meta(), Blob.Empty);
        Assert.Equal(["/D: its names need 65537 entries; vfat has 65536 in a directory"], FatSamples.Format.Check(builder.Build(), FatSamples.Options));
    }

    [Fact]
    public void ARootThatIsTooFullForFat16IsOneForFat32()
    {
        var builder = new TreeBuilder(FatSamples.Meta());
        for (int i = 0; i < 65_530; i++)
        {
            builder.AddFile($"{i:X8}", FatSamples.Meta(), Blob.Empty);
        }
        var tree = builder.Build();
        Assert.Equal(
            ["/: its names need 65536 entries; the root of FAT16 has 65535"],
            FatSamples.Format.Check(tree, FatSamples.Options with { FatBits = 16 }));
        var view = FatSamples.Format.Read(FatSamples.Write(tree, FatSamples.Options));
        Assert.Equal("FAT32", FatSamples.Field(view, "BS_FilSysType"));
        Assert.Equal(65_530, view.Tree.Root.Entries.Length);
    }

    [Fact]
    public void RandomTreesAreReadBackAndClean()
    {
        using var directory = new TempDirectory();
        Gen.Select(FatSamples.Trees, FatSamples.OneOf(512, 4096), FatSamples.OneOf<int?>(null, 12, 16, 32)).Sample((tree, sectorSize, bits) =>
        {
            var options = FatSamples.Options with { SectorSize = sectorSize, FatBits = bits };
            long size = FatSamples.Format.Measure(tree, options);
            foreach (var sized in new[] { options, options with { Size = size + 4096 }, options with { Size = size + 70_001 } })
            {
                FatSamples.Verify(tree, FatSamples.Write(tree, sized), directory["fat"]);
            }
            // A floor that no type gets below says nothing about the tree.
            if (bits == 12 && sectorSize == 512)
            {
                Assert.NotEmpty(FatSamples.Format.Check(tree, options with { Size = size - 4096 }));
            }
        }, iter: 25, threads: 1);
    }

    [Fact]
    public void TheOrderOfAddingDoesNotMatter()
    {
        string[] sorted = [.. Enumerable.Range(0, 30).Select(static i => $"{(i % 3 == 0 ? "d/" : "")}a long file name {i}")];
        string expected = Digest(Build(sorted), FatSamples.Options);
        Gen.Shuffle(sorted).Sample(paths => Digest(Build(paths), FatSamples.Options) == expected, iter: 20);

        static FileTree Build(string[] paths)
        {
            var builder = new TreeBuilder(FatSamples.Meta());
            foreach (string path in paths)
            {
                builder.AddFile(path, FatSamples.Meta(), Posix.Bytes(path));
            }
            return builder.Build();
        }
    }

    [Fact]
    public void PiecewiseReadsEqualTheWhole()
    {
        var tree = FatSamples.Esp();
        foreach (int bits in new[] { 12, 16, 32 })
        {
            var image = FatSamples.Write(tree, FatSamples.Options with { FatBits = bits });
            byte[] whole = image.ReadBytes(0, (int)image.Length);
            Gen.Select(Gen.Int[0, 600_000], Gen.Int[0, 5_000]).Sample((offset, length) =>
            {
                length = Math.Min(length, whole.Length - Math.Min(offset, whole.Length));
                return length <= 0 || image.ReadBytes(offset, length).AsSpan().SequenceEqual(whole.AsSpan(offset, length));
            }, iter: 300);
        }
    }

    /// <summary>The bytes are a contract: a change of these digests is a change of every image, to be argued for.</summary>
    [Theory]
    [InlineData(12, 512, "0fbcc32250f136a8f49827efb086deb336c0fc7aa5418be929cc7649d5f6fd3f")]
    [InlineData(16, 512, "6c0814cd973ca40949e307a2891c76d6fb0cc62825205fa15a1782841dff70b3")]
    [InlineData(16, 4096, "80edcdff1ba16ab424f118ff27d9deb8f6d63143650aff8970240e3a3b656e84")]
    [InlineData(32, 512, "03f7f70e4be31670b49c2efe20851b776691b1c7165763268a38ff7e23bb98cf")]
    [InlineData(32, 4096, "fd459e1e62e1515ebe3cf98cff5679a2d7383deef93f423e6d0e9854cf4be20c")]
    public void DigestsArePinned(int bits, int sectorSize, string digest)
    {
        string actual = Digest(FatSamples.Esp(), FatSamples.Options with { FatBits = bits, SectorSize = sectorSize });
        Assert.True(digest == actual, $"FAT{bits}, {sectorSize}: {actual}");
    }

    private static string Digest(FileTree tree, FileSystemOptions options) =>
        Convert.ToHexStringLower(ImageFile.Hash(FatSamples.Write(tree, options)));

    [Fact]
    public void AFileOfTheLargestSizeIsWritten()
    {
        var builder = new TreeBuilder(FatSamples.Meta());
        var content = new ComputedBlob(uint.MaxValue, static (offset, span) => span[0] = (byte)offset);
        builder.AddFile("largest", FatSamples.Meta(), content);
        var image = FatSamples.Write(builder.Build(), FatSamples.Options);
        var file = (FileNode)FatSamples.Format.Read(image).Tree.Find("largest")!;
        Assert.Equal(uint.MaxValue, file.Content.Length);
        Assert.Equal(content.ReadBytes(uint.MaxValue - 10L, 10), file.Content.ReadBytes(uint.MaxValue - 10L, 10));
        builder.AddFile("larger", FatSamples.Meta(), new ComputedBlob(1L << 32, static (_, _) => { }));
        Assert.Equal(["/larger: 4294967296 bytes; vfat files end below 4 GiB"], FatSamples.Format.Check(builder.Build(), FatSamples.Options));
    }

    [Fact]
    public void LabelsNameEveryPart()
    {
        var image = FatSamples.Write(FatSamples.Esp(), FatSamples.Options with { FatBits = 32 });
        string[] labels = [.. image.Extents.Select(static extent => extent.Label.ToString())];
        Assert.Equal(
            ["fat boot sector", "fat FSInfo sector", "fat backup boot sector", "fat backup FSInfo sector", "fat table 1", "fat table 2", "directory /"],
            labels[..7]);
        Assert.Contains("file /EFI/Linux/arch-6.0.efi", labels);
        Assert.Contains("directory /EFI", labels);
    }

    [Fact]
    public void WhatFatCannotHoldCanBeDropped()
    {
        var builder = new TreeBuilder(FatSamples.Meta());
        builder.AddFile("EFI/x", FatSamples.Meta(), Posix.Bytes("x"));
        builder.AddSymlink("EFI/link", FatSamples.Meta(), "x");
        builder.Add("pipe", new SpecialNode(FatSamples.Meta(), FileType.Fifo));
        builder.Add("null", new DeviceNode(FatSamples.Meta(), FileType.CharacterDevice, 1, 3));
        var tree = builder.Build();
        Assert.Equal(
            ["/EFI/link: vfat has no symbolic links", "/null: vfat has no device nodes", "/pipe: vfat has no fifos"],
            FatSamples.Format.Check(tree, FatSamples.Options));
        var dropped = Diecast.Formats.Fat.FatFormat.DropUnstorable(tree);
        Assert.Equal(["/", "/EFI", "/EFI/x"], dropped.Walk().Select(static entry => entry.ToString()));
        Assert.Empty(FatSamples.Format.Check(dropped, FatSamples.Options));
    }

    [Fact]
    public void HardLinksBecomeCopies()
    {
        var builder = new TreeBuilder(FatSamples.Meta());
        var node = new FileNode(FatSamples.Meta(), new MemoryBlob(SHA256.HashData([])));
        builder.Add("a", node);
        builder.Add("b", node);
        var read = FatSamples.Format.Read(FatSamples.Write(builder.Build(), FatSamples.Options)).Tree;
        Assert.NotSame(read.Find("a"), read.Find("b"));
        Assert.Equal(SHA256.HashData([]), ((FileNode)read.Find("b")!).Content.ReadBytes(0, 32));
    }
}
