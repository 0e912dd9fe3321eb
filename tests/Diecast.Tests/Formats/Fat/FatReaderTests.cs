using CsCheck;
using Diecast.Formats;
using Diecast.Images;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Fat;

public sealed class FatReaderTests
{
    private const int MiB = 1 << 20;

    private static readonly FileSystemOptions s_small = FatSamples.Options with { FatBits = 12, Size = MiB };

    /// <summary>File systems of mkfs.vfat, filled by mtools in pieces, so that chains are not contiguous.</summary>
    [Theory]
    [InlineData("-F 12", 4)]
    [InlineData("-F 16", 16)]
    [InlineData("-F 32", 40)]
    [InlineData("-F 32 -S 4096", 270)]
    [InlineData("-F 16 -S 2048 -s 4", 64)]
    [InlineData("-F 12 -f 1 -r 64", 4)]
    public void FileSystemsOfOtherOriginAreRead(string arguments, int mebibytes)
    {
        using var directory = new TempDirectory();
        using (var file = File.Create(directory["fat"]))
        {
            file.SetLength(mebibytes * MiB);
        }
        Tool.RunOk("mkfs.vfat", [.. arguments.Split(' '), "-n", "OTHER", directory["fat"]]);
        var options = new Dictionary<string, string> { ["MTOOLS_SKIP_CHECK"] = "1" };
        Mtools("mmd", "-i", directory["fat"], "::/Dir", "::/Dir/inner directory");
        for (int round = 0; round < 3; round++)
        {
            for (int i = 0; i < 8; i++)
            {
                File.WriteAllBytes(directory["content"], FatSamples.Content(9_000 * (round + 1) + i, i));
                Mtools("mcopy", "-o", "-i", directory["fat"], directory["content"], $"::/Dir/inner directory/a fragmented file {i}.bin");
            }
        }
        Mtools("mdel", "-i", directory["fat"], "::/Dir/inner directory/a fragmented file 3.bin");
        File.WriteAllBytes(directory["lower.txt"], FatSamples.Content(100_000, 77));
        Mtools("mcopy", "-i", directory["fat"], directory["lower.txt"], "::/Dir");
        Mtools("mattrib", "-i", directory["fat"], "+r", "::/Dir/lower.txt");

        using var handle = File.OpenHandle(directory["fat"]);
        var image = new FatLayoutTests.FileBlob(handle);
        Assert.True(FatSamples.Format.Recognizes(image));
        var view = FatSamples.Format.Read(image);
        Assert.Equal("OTHER", FatSamples.Field(view, "BS_VolLab"));
        for (int i = 0; i < 8; i++)
        {
            var file = (FileNode?)view.Tree.Find($"Dir/inner directory/a fragmented file {i}.bin");
            Assert.Equal(i == 3, file is null);
            Assert.Equal(i == 3 ? null : FatSamples.Content(27_000 + i, i), file?.Content.ReadBytes(0, 27_000 + i));
        }
        Assert.Equal(0x124, view.Tree.Find("Dir/lower.txt")!.Metadata.Mode);
        Assert.Equal(FatSamples.Content(100_000, 77), ((FileNode)view.Tree.Find("Dir/lower.txt")!).Content.ReadBytes(0, 100_000));
        AssertSameBytes(image, view.Layout());

        void Mtools(string program, params string[] given)
        {
            var result = Tool.Run(program, given, options, null);
            Assert.True(result.ExitCode == 0, result.All);
        }
    }

    [Theory]
    [InlineData(12, 512)]
    [InlineData(16, 4096)]
    [InlineData(32, 512)]
    public void TheLayoutHasTheWritersLabelsAndAllBytes(int bits, int sectorSize)
    {
        var image = FatSamples.Write(FatSamples.Esp(), FatSamples.Options with { FatBits = bits, SectorSize = sectorSize });
        var layout = FatSamples.Format.Read(image).Layout();
        Assert.Equal(Lines(image), Lines(layout));
        AssertSameBytes(image, layout);

        static IEnumerable<string> Lines(Image image) => image.Extents
            .Select(static extent => $"{extent.Offset} {extent.Length} {extent.Label}")
            .Where(static line => !line.EndsWith("fat unused", StringComparison.Ordinal));
    }

    private static void AssertSameBytes(Blob expected, Blob actual) => Assert.Equal(ImageFile.Hash(expected), ImageFile.Hash(actual));

    [Fact]
    public void OtherFormatsAreNotRecognized()
    {
        Assert.False(FatSamples.Format.Recognizes(Blob.Empty));
        Assert.False(FatSamples.Format.Recognizes(new MemoryBlob(new byte[MiB])));
        var image = FatSamples.Write(FatSamples.Esp(), s_small);
        Assert.True(FatSamples.Format.Recognizes(image));
        Assert.False(FatSamples.Format.Recognizes(FatSamples.Patch(image, 510, 0)));
        Assert.Throws<InvalidDataException>(() => FatSamples.Format.Read(FatSamples.Patch(image, 510, 0)));
    }

    /// <summary>A volume whose directories and chains are then bent.</summary>
    private static (Image Image, Dictionary<string, Extent> Parts) Victim()
    {
        var builder = new TreeBuilder(FatSamples.Meta());
        builder.AddFile("A/FILE", FatSamples.Meta(), FatSamples.Content(2000, 1));
        builder.AddFile("A/B/FILE", FatSamples.Meta(), FatSamples.Content(2000, 2));
        var image = FatSamples.Write(builder.Build(), FatSamples.Options with { FatBits = 16, Label = "" });
        return (image, image.Extents.ToDictionary(static extent => extent.Label.ToString(), StringComparer.Ordinal));
    }

    [Fact]
    public void ALoopInAChainIsAnError()
    {
        var (image, parts) = Victim();
        // A's own cluster is 2, /A/FILE's chain 4, 5, 6, 7 (after A/B's 3).
        var looped = FatSamples.Patch(image, parts["fat table 1"].Offset + 7 * 2, 4, 0);
        var tree = FatSamples.Format.Read(looped).Tree;
        Expect("has a loop in its chain", () => ((FileNode)tree.Find("A/FILE")!).Content.ReadBytes(0, 2000));
        Expect("has a loop in its chain", () => FatSamples.Format.Read(looped).Layout());
    }

    [Theory]
    [InlineData(new byte[] { 0xF7, 0xFF }, "has a bad cluster after cluster 4")]
    [InlineData(new byte[] { 0x00, 0x00 }, "has cluster 0 in its chain")]
    [InlineData(new byte[] { 0x01, 0x00 }, "has cluster 1 in its chain")]
    [InlineData(new byte[] { 0x00, 0xFF }, "has cluster 65280 in its chain")]
    [InlineData(new byte[] { 0xFF, 0xFF }, "has 512 of its 2000 bytes")]
    public void ABadLinkIsAnError(byte[] entry, string message)
    {
        var (image, parts) = Victim();
        var tree = FatSamples.Format.Read(FatSamples.Patch(image, parts["fat table 1"].Offset + 4 * 2, entry)).Tree;
        var file = (FileNode)tree.Find("A/FILE")!;
        Assert.Equal(2000, file.Content.Length);
        Expect(message, () => file.Content.ReadBytes(0, 1));
    }

    [Fact]
    public void ADirectoryThatContainsItselfIsAnError()
    {
        var (image, parts) = Victim();
        var directory = parts["directory /A"];
        // After the two dots: B, whose first cluster becomes A's own.
        var tree = FatSamples.Format.Read(FatSamples.Patch(image, directory.Offset + 2 * 32 + 26, 2)).Tree;
        Expect("belongs to something else too", () => tree.Walk().Count());
    }

    [Fact]
    public void AFileInAnotherFilesClustersIsAnErrorOfTheLayout()
    {
        var (image, parts) = Victim();
        var crossed = FatSamples.Patch(image, parts["directory /A"].Offset + 3 * 32 + 26, (byte)8);
        Assert.NotEmpty(TreeText.Format(FatSamples.Format.Read(crossed).Tree));
        Expect("belongs to something else too", () => FatSamples.Format.Read(crossed).Layout());
    }

    [Fact]
    public void ANameThatIsNoneIsAnError()
    {
        var (image, parts) = Victim();
        var tree = FatSamples.Format.Read(FatSamples.Patch(image, parts["directory /A"].Offset + 2 * 32, (byte)'/')).Tree;
        Expect("directory /A, entry 2: \"/\" is no file name", () => tree.Walk().Count());
    }

    private static void Expect(string message, Func<object> read) =>
        Assert.Contains(message, Assert.Throws<InvalidDataException>(read).Message, StringComparison.Ordinal);

    [Fact]
    public void LowerCaseBitsOfWindowsAreObeyed()
    {
        var (image, parts) = Victim();
        var tree = FatSamples.Format.Read(FatSamples.Patch(image, parts["directory /A"].Offset + 3 * 32 + 12, 0x08)).Tree;
        Assert.NotNull(tree.Find("A/file"));
        Assert.Null(tree.Find("A/FILE"));
    }

    /// <summary>Bytes of the structures changed at random: a tree, or <see cref="InvalidDataException"/>, and nothing else.</summary>
    [Fact]
    public void MutatedImagesGiveNothingButInvalidData()
    {
        var images = new[] { 12, 16, 32 }.Select(static bits =>
            FatSamples.Write(FatSamples.Esp(), FatSamples.Options with { FatBits = bits })).Select(static image =>
            (Bytes: image.ReadBytes(0, (int)image.Length), Extents: image.Extents.Where(static extent =>
                !extent.Label.ToString().StartsWith("file", StringComparison.Ordinal)).ToArray())).ToArray();
        int damaged = 0;
        Gen.Select(Gen.Int[0, 2], Gen.Select(Gen.Int[0, 1000], Gen.Int[0, 511], Gen.Byte).Array[1, 6]).Sample((which, changes) =>
        {
            var (original, extents) = images[which];
            var undo = new List<(long, byte)>();
            byte[] bytes = original;
            foreach (var (extent, at, value) in changes)
            {
                long offset = extents[extent % extents.Length].Offset + at;
                undo.Add((offset, bytes[offset]));
                bytes[offset] = value;
            }
            try
            {
                ReadAll(new MemoryBlob(bytes));
            }
            catch (InvalidDataException)
            {
                damaged++;
            }
            foreach (var (offset, value) in Enumerable.Reverse(undo))
            {
                bytes[offset] = value;
            }
        }, iter: 3000, threads: 1);
        Assert.InRange(damaged, 100, 2900);
    }

    [Fact]
    public void ATruncatedImageIsAnError()
    {
        var image = FatSamples.Write(FatSamples.Esp(), s_small);
        foreach (int length in new[] { 0, 511, 512, 600, MiB - 512 })
        {
            Assert.Throws<InvalidDataException>(() => FatSamples.Format.Read(image.Slice(0, length)));
        }
    }

    private static void ReadAll(Blob blob)
    {
        if (!FatSamples.Format.Recognizes(blob))
        {
            return;
        }
        var view = FatSamples.Format.Read(blob);
        var buffer = new byte[64];
        foreach (var entry in view.Tree.Walk())
        {
            if (entry.Node is FileNode { Content.Length: > 0 } file)
            {
                file.Content.Read(0, buffer.AsSpan(0, (int)Math.Min(buffer.Length, file.Content.Length)));
            }
        }
        Assert.Equal(blob.Length, view.Layout().Length);
    }
}
