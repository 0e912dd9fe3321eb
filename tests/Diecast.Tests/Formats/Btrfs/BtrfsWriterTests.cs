using CsCheck;
using Diecast.Binary;
using Diecast.Formats;
using Diecast.Formats.Btrfs;
using Diecast.Images;
using Diecast.Tests.Formats.Ext4;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Btrfs;

/// <summary>What holds of the writer without a foreign tool.</summary>
public sealed class BtrfsWriterTests
{
    private static readonly BtrfsFormat s_btrfs = new();

    /// <summary>The bytes are a contract: a change here is a change of every image that people build.</summary>
    [Theory]
    [InlineData("empty", null, "37068f3e9dfec42db4ad2cf9603a046d13bb4af76ce06b67060ab77635e28556")]
    [InlineData("everything", null, "f64bada6f01dcbed1b489df775e9a2cc46caf04d6b10095b5129ffcc0b17a744")]
    [InlineData("everything", 338497536L, "19aab9aa3cb690468876cd0af845b24b793e9eed6f1c1687a5fb5a49e7052e41")]
    [InlineData("links", 300L << 30, "5c7764baab9ae3c78256668cce38dd9f97583d9b726c4dae3bc1393e834a8a73")]
    [InlineData("zstd", null, "52f9db82773f2ff0304799820b0fad5446313c7da778267e907cb663241933d8")]
    [InlineData("lzo", null, "af41667362555100b519a15bf1dc0681dd4a4d2927afe8e1d85743f51ebc0b8b")]
    [InlineData("zlib", null, "a5a3cc0f1051a7d9faf10d1a05e696da5dc1e2d9d226501e749c6bdd78ba1fff")]
    public void DigestsArePinned(string name, long? size, string digest)
    {
        var tree = name switch
        {
            "empty" => new FileTree(new DirectoryNode(BtrfsTrees.Directory, [])),
            "links" => BtrfsTrees.ManyLinks(),
            "zstd" or "zlib" or "lzo" => BtrfsTrees.Compressible(),
            _ => BtrfsTrees.Everything(),
        };
        var compression = name switch { "zstd" => FileCompression.Zstd, "zlib" => FileCompression.Zlib, "lzo" => FileCompression.Lzo, _ => FileCompression.None };
        var image = s_btrfs.Write(tree, BtrfsTrees.Options with { Size = size, Compression = compression });
        // Of a large one what is not zero, or the test would take a minute.
        Blob hashed = size > 1L << 30 ? image.Slice(0, 1 << 30) : image;
        Assert.Equal(digest, Convert.ToHexStringLower(ImageFile.Hash(hashed)));
    }

    [Fact]
    public void TheOrderOfAddingDoesNotMatter()
    {
        string[] paths = ["a/x", "a/y", "b", "c/d/e", "c/f", "z"];
        string Digest(string[] order)
        {
            var builder = BtrfsTrees.NewBuilder();
            var shared = new FileNode(BtrfsTrees.File, new MemoryBlob(Ext4Samples.Bytes(5000)));
            foreach (string path in order)
            {
                builder.AddFile(path, BtrfsTrees.File.WithXattrs(("user.b", [1]), ("user.a", [2])), Posix.Bytes(path));
                builder.Add($"{path}.link", shared);
            }
            return Convert.ToHexString(ImageFile.Hash(s_btrfs.Write(builder.Build(), BtrfsTrees.Options)));
        }
        string expected = Digest(paths);
        Gen.Shuffle(paths).Sample(order => Digest(order) == expected, iter: 6, threads: 1);
    }

    [Fact]
    public void ThreadsDoNotMatter()
    {
        var digests = new string[6];
        Parallel.For(0, digests.Length, i =>
        {
            var builder = BtrfsTrees.NewBuilder();
            for (int file = 0; file < 40; file++)
            {
                builder.AddFile($"f{file}", BtrfsTrees.File, Ext4Samples.Sparse(500_000 + file, 0, file + 1, 90));
            }
            digests[i] = Convert.ToHexString(ImageFile.Hash(s_btrfs.Write(builder.Build(), BtrfsTrees.Options)));
        });
        Assert.Single(digests.Distinct(StringComparer.Ordinal));
    }

    /// <summary>A file system of another id shares no id with it: a machine may have both.</summary>
    [Fact]
    public void AllIdsFollowFromTheFileSystems()
    {
        var ids = new DerivedIds(BtrfsTrees.Options.Uuid);
        var others = new DerivedIds(Guid.Parse("a24031c1-fc68-453d-80fa-00ad057a5780"));
        Guid[] all = [ids.FileSystem, ids.Device, ids.ChunkTree, ids.Subvolume("/"u8), ids.Subvolume("/home"u8),
            others.FileSystem, others.Device, others.ChunkTree, others.Subvolume("/"u8), others.Subvolume("/home"u8)];
        Assert.Equal(all.Length, all.Distinct().Count());
        Assert.All(all.Where(id => id != ids.FileSystem && id != others.FileSystem), static id => Assert.Equal((4, 8), (id.Version, id.Variant & 0xC)));
    }

    [Fact]
    public void PiecewiseReadsEqualTheWhole()
    {
        var image = s_btrfs.Write(BtrfsTrees.Everything(100), BtrfsTrees.Options);
        byte[] whole = image.ReadBytes(0, (int)image.Length);
        Gen.Select(Gen.Int[0, whole.Length - 3001], Gen.Int[1, 3000]).Sample((offset, length) =>
            image.ReadBytes(offset, length).AsSpan().SequenceEqual(whole.AsSpan(offset, length)), iter: 500);
    }

    [Fact]
    public void MeasureIsTheLeastThatFits()
    {
        foreach (int files in new[] { 0, 3000 })
        {
            var tree = BtrfsTrees.Everything(files);
            long size = s_btrfs.Measure(tree, BtrfsTrees.Options);
            Assert.Empty(s_btrfs.Check(tree, BtrfsTrees.Options with { Size = size }));
            string error = Assert.Single(s_btrfs.Check(tree, BtrfsTrees.Options with { Size = size - 1 }));
            Assert.Contains($"{size}", error, StringComparison.Ordinal);
            Assert.Equal(size, s_btrfs.Write(tree, BtrfsTrees.Options).Length);
            Assert.InRange(s_btrfs.MeasureGuess(tree, BtrfsTrees.Options), BtrfsFormat.MinimumGuess, BtrfsFormat.MinimumGuess);
        }
        Assert.Equal(0, s_btrfs.Write(BtrfsTrees.Everything(0), BtrfsTrees.Options with { Size = (300 << 20) + 4095 }).Length % 4096);
    }

    /// <summary>The size changes nothing but the size.</summary>
    [Fact]
    public void GuessLeavesRoom()
    {
        var builder = BtrfsTrees.NewBuilder();
        builder.AddFile("data", BtrfsTrees.File, new ComputedBlob(1L << 30, static (_, span) => span.Fill(1)));
        long guess = s_btrfs.MeasureGuess(builder.Build(), BtrfsTrees.Options);
        Assert.InRange(guess, 3L << 29, (3L << 29) + (8 << 20));
    }

    [Fact]
    public void AllErrorsComeAtOnceWithTheirPaths()
    {
        var builder = BtrfsTrees.NewBuilder();
        builder.AddFile("xattr", BtrfsTrees.File.WithXattrs(("user.big", new byte[16221])), Ext4Samples.Bytes(1));
        builder.AddFile("fits", BtrfsTrees.File.WithXattrs(("user.big", new byte[16220])), Ext4Samples.Bytes(1));
        builder.AddFile("kind", BtrfsTrees.File.WithXattrs(("os2.x", [1])), Ext4Samples.Bytes(1));
        builder.AddFile("name", BtrfsTrees.File.WithXattrs(("user." + new string('n', 251), [1])), Ext4Samples.Bytes(1));
        builder.AddFile("acl", BtrfsTrees.File.WithXattrs(("system.posix_acl_access", [1])), Ext4Samples.Bytes(1));
        builder.AddSymlink("target", BtrfsTrees.File, new string('x', 4096));
        builder.AddSymlink("nothing", BtrfsTrees.File, "");
        builder.Add("device", new DeviceNode(BtrfsTrees.File, FileType.BlockDevice, 4096, 0));
        var node = new FileNode(BtrfsTrees.File, Blob.Empty);
        for (int i = 0; i < 65_536; i++)
        {
            builder.Add($"links/{i}", node);
        }
        var errors = s_btrfs.Check(builder.Build(), BtrfsTrees.Options with { Label = new string('l', 256) });
        string[] starts = ["the label", "/acl: ", "/device: ", "/kind: ", "/links/0: has 65536 hard links", "/name: ", "/nothing: ", "/target: ", "/xattr: "];
        Assert.Equal(starts.Length, errors.Count);
        foreach (string start in starts)
        {
            Assert.Contains(errors, error => error.StartsWith(start, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData(FileCompression.None, 1, "a compression level without a compression")]
    [InlineData(FileCompression.Zstd, 16, "Zstd has the levels 1 to 15 in btrfs, not 16")]
    [InlineData(FileCompression.Lzo, 1, "Lzo has no levels")]
    [InlineData(FileCompression.Zlib, 0, "Zlib has the levels 1 to 9 in btrfs, not 0")]
    public void LevelsThatAreNoneAreRefused(FileCompression compression, int level, string error) => Assert.Equal(error, Assert.Single(
        s_btrfs.Check(BtrfsTrees.NewBuilder().Build(), BtrfsTrees.Options with { Compression = compression, CompressionLevel = level })));

    [Fact]
    public void SubvolumesThatCannotBeAreRefused()
    {
        var builder = BtrfsTrees.NewBuilder();
        var linked = new FileNode(BtrfsTrees.File, new MemoryBlob(Ext4Samples.Bytes(10)));
        builder.Add("a/file", linked);
        builder.Add("b/file", linked);
        builder.Add("b/again", linked);
        var errors = s_btrfs.Check(builder.Build(), BtrfsTrees.Options with
        {
            Subvolumes = [new Subvolume("/b"), new Subvolume("/b/"), new Subvolume("/"), new Subvolume("/a/file"), new Subvolume("/c")],
            DefaultSubvolume = "/a",
        });
        Assert.Equal(
            [
                "/b/: is a subvolume already", "/: is a subvolume already", "/a/file: is to be a subvolume, but there is no directory",
                "/c: is to be a subvolume, but there is no directory", "/b/again: is a hard link of /a/file, which is in another subvolume",
                "/b/file: is a hard link of /a/file, which is in another subvolume", "/a: is to be the default subvolume, but is none",
            ], errors);
    }

    /// <summary>Neither the number of threads nor what an encoder did before.</summary>
    [Theory]
    [InlineData(FileCompression.Zstd)]
    [InlineData(FileCompression.Zlib)]
    [InlineData(FileCompression.Lzo)]
    public void CompressionIsRepeatable(FileCompression compression)
    {
        var digests = new string[3];
        Parallel.For(0, digests.Length, i => digests[i] = Convert.ToHexString(ImageFile.Hash(
            s_btrfs.Write(BtrfsTrees.Compressible(), BtrfsTrees.Options with { Compression = compression }))));
        Assert.Single(digests.Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public void TooMuchDataIsRefused()
    {
        var builder = BtrfsTrees.NewBuilder();
        builder.AddFile("small", BtrfsTrees.File, Ext4Samples.Bytes(3000));
        Assert.Empty(s_btrfs.Check(builder.Build(), BtrfsTrees.Options));
        for (int i = 0; i < 40; i++)
        {
            builder.AddFile($"{i}", BtrfsTrees.File, new ComputedBlob(1L << 35, static (_, span) => span.Fill(1)));
        }
        Assert.Contains("more than", Assert.Single(s_btrfs.Check(builder.Build(), BtrfsTrees.Options)), StringComparison.Ordinal);
    }

    /// <summary>Leaves and nodes are full before there is another one.</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(63, 1)]
    [InlineData(64, 3)]
    [InlineData(63 * 493, 493 + 1)]
    [InlineData(63 * 493 + 1, 494 + 2 + 1)]
    public void TreesAreCutWhereBlocksAreFull(int count, int blocks)
    {
        // 63 items of 258 bytes with their headers are 16254 of 16283.
        var shape = TreeShape.Measure(5, Enumerable.Range(0, count).Select(static i => new LeafItem(new Key((ulong)i, ItemType.InodeItem, 0), new byte[233])));
        Assert.Equal(blocks, shape.Blocks);
        Assert.Equal(count, shape.Levels[0].Sum(static leaf => leaf.Count));
        Assert.Single(shape.Levels[^1]);
        Assert.All(shape.Levels.SelectMany(static level => level), static block => Assert.InRange(block.Count, 0, 493));
    }

    [Fact]
    public void AnItemFillsALeaf()
    {
        LeafItem[] items = [new(new Key(1, ItemType.InodeItem, 0), new byte[TreeShape.LargestItem]), new(new Key(2, ItemType.InodeItem, 0), [])];
        Assert.Equal([1, 1], TreeShape.Measure(5, items).Levels[0].Select(static leaf => leaf.Count));
    }

    /// <summary>Nothing comes to lie on the superblock's copies, whichever copy of a chunk they are in.</summary>
    [Fact]
    public void ChunksKeepOffTheSuperblocks()
    {
        long mirror = Volume.SuperblockOffsets[1];
        var fill = new ChunkFill(new Chunk(40 << 20, 30 << 20, ChunkType.Metadata | ChunkType.Dup, [40 << 20, mirror - 65536]));
        var taken = new List<ByteRange>();
        while (fill.Take(100 * 16384, 16384) is { } range)
        {
            taken.Add(range);
        }
        Assert.Equal((30L << 20) - 2 * 65536, taken.Sum(static range => range.Length));
        foreach (long forbidden in new[] { mirror, (40 << 20) + 65536 })
        {
            Assert.DoesNotContain(taken, range => range.Offset < forbidden + 65536 && range.End > forbidden);
        }
        Assert.Equal([new ByteRange((40 << 20) + 65536, 65536), new ByteRange(mirror, 65536)], fill.Free());
        Assert.Equal((30L << 20) - 2 * 65536, fill.Used);
    }

    /// <summary>Who writes and who reads call the bytes the same. A sector's end behind a file is the file's to who reads.</summary>
    [Fact]
    public void TheLabelsAreThoseOfTheReader()
    {
        var builder = BtrfsTrees.NewBuilder();
        Ext4Samples.AddEverything(builder, 1000);
        var linked = new FileNode(BtrfsTrees.File, new MemoryBlob(Ext4Samples.Bytes(5000)));
        foreach (string path in new[] { "linked/below/first", "linked/first", "linked/second" })
        {
            builder.Add(path, linked);
        }
        builder.AddFile("home/user\u00e9/of a subvolume", BtrfsTrees.File, Ext4Samples.Bytes(300_000));
        builder.Add(Posix.Bytes("home/\n").Append((byte)0xFF).ToArray(), new FileNode(BtrfsTrees.File, new MemoryBlob(Ext4Samples.Bytes(9000))));
        var image = s_btrfs.Write(builder.Build(), BtrfsTrees.Options with { Subvolumes = [new Subvolume("/home")], Size = 200 << 20 });
        var read = s_btrfs.Read(image).Layout().Extents.Where(static extent => extent.Label.Kind != LayoutLabels.Unused);
        Assert.Equal(
            image.Extents.Select(static extent => $"{extent.Label} {extent.Offset} {(extent.Label.Kind == LayoutLabels.File ? extent.Length.AlignUp(Layout.SectorSize) : extent.Length)}"),
            read.Select(static extent => $"{extent.Label} {extent.Offset} {extent.Length}"));
        Assert.Contains(image.Extents, static extent => extent.Label.ToString() == "file /linked/first");
        Assert.Contains(image.Extents, static extent => extent.Label.ToString().StartsWith("btrfs free space in FS_TREE node of level 1 ", StringComparison.Ordinal));
    }

    [Fact]
    public void RandomTreesReadBack()
    {
        Ext4OracleTests.Generators.Tree.Sample(tree =>
        {
            var view = s_btrfs.Read(s_btrfs.Write(tree, BtrfsTrees.Options));
            Assert.Equal(TreeText.Format(tree), TreeText.Format(view.Tree));
            Assert.Empty(view.Check());
        }, iter: 60, threads: 1);
    }

    /// <summary>What an encoder has encoded before shows in nothing.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public void AnEncoderForgets(int level)
    {
        var block = Gen.Int[1, 300].SelectMany(static kinds => Gen.Int[0, kinds].Select(static value => (byte)value).Array[1, ExtentDecoder.LargestExtent]);
        using var used = new BlockEncoder(ExtentCompression.Zstd, level);
        block.Sample(bytes =>
        {
            using var fresh = new BlockEncoder(ExtentCompression.Zstd, level);
            return fresh.Encode(new MemoryBlob(bytes)).SequenceEqual(used.Encode(new MemoryBlob(bytes)));
        }, iter: 100, threads: 1);
    }
}
