using CsCheck;
using Diecast.Formats.Ext4;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Ext4;

/// <summary>What holds of the writer without a foreign tool.</summary>
public sealed class Ext4WriterTests
{
    private static readonly Ext4Format s_ext4 = new();

    /// <summary>The bytes are a contract: a change here is a change of every image that people build.</summary>
    [Theory]
    [InlineData("empty", null, "040517c92746085b6032404c1eae4fa643d8fae323c0ca368c45a057b7a36b5b")]
    [InlineData("empty", 32L << 20, "2273a7d24d58415d46e2e3cbcc0203a8bdd74ddf73909c1fe76b489572e5a60f")]
    [InlineData("everything", null, "3964769a5ecbdb01625cb8aef5542a59ab2b7b04a38818ea15f9cb0495c25bbc")]
    [InlineData("everything", 338497536L, "91a6eb0da4a02dd943001c3b717c80cb882a567d5fd3ecf95d37583b002af022")]
    [InlineData("everything", 3L << 30, "7b4d9ddf6de742fc070b2b2f3a81d255cb9ca761035730689e35375d92176863")]
    public void DigestsArePinned(string name, long? size, string digest)
    {
        var tree = name == "empty" ? new FileTree(new DirectoryNode(Ext4Samples.Directory, [])) : Ext4Samples.Everything();
        var image = s_ext4.Write(tree, Ext4Samples.Options with { Size = size });
        Assert.Equal(digest, Convert.ToHexStringLower(ImageFile.Hash(image)));
    }

    [Fact]
    public void TheOrderOfAddingDoesNotMatter()
    {
        string[] paths = ["a/x", "a/y", "b", "c/d/e", "c/f", "z"];
        string Digest(string[] order)
        {
            var builder = Ext4Samples.NewBuilder();
            var shared = new FileNode(Ext4Samples.File, new MemoryBlob(Ext4Samples.Bytes(100)));
            foreach (string path in order)
            {
                builder.AddFile(path, Ext4Samples.File.WithXattrs(("user.b", [1]), ("user.a", [2])), Posix.Bytes(path));
                builder.Add($"{path}.link", shared);
            }
            return Convert.ToHexString(ImageFile.Hash(s_ext4.Write(builder.Build(), Ext4Samples.Options)));
        }
        string expected = Digest(paths);
        Gen.Shuffle(paths).Sample(order => Digest(order) == expected, iter: 20);
    }

    [Fact]
    public void PiecewiseReadsEqualTheWhole()
    {
        var image = s_ext4.Write(Ext4Samples.Everything(100), Ext4Samples.Options with { Size = 24 << 20 });
        byte[] whole = image.ReadBytes(0, (int)image.Length);
        Gen.Select(Gen.Int[0, (1 << 20) - 1], Gen.Int[1, 3000]).Sample((offset, length) =>
            image.ReadBytes(offset, length).AsSpan().SequenceEqual(whole.AsSpan(offset, length)), iter: 500);
    }

    [Fact]
    public void MeasureIsTheLeastThatFits()
    {
        foreach (int files in new[] { 0, 50, 3000 })
        {
            var tree = Ext4Samples.Everything(files);
            long size = s_ext4.Measure(tree, Ext4Samples.Options);
            Assert.Empty(s_ext4.Check(tree, Ext4Samples.Options with { Size = size }));
            string error = Assert.Single(s_ext4.Check(tree, Ext4Samples.Options with { Size = size - 4096 }));
            Assert.Contains($"{size}", error, StringComparison.Ordinal);
            Assert.Equal(size, s_ext4.Write(tree, Ext4Samples.Options).Length);
        }
    }

    [Fact]
    public void GuessLeavesRoom()
    {
        var small = Ext4Samples.NewBuilder().Build();
        Assert.Equal(Ext4Format.MinimumGuess, s_ext4.MeasureGuess(small, Ext4Samples.Options));
        var builder = Ext4Samples.NewBuilder();
        builder.AddFile("data", Ext4Samples.File, new ComputedBlob(1L << 30, static (_, span) => span.Fill(1)));
        long guess = s_ext4.MeasureGuess(builder.Build(), Ext4Samples.Options);
        Assert.InRange(guess, (3L << 29) + 24_600_000, (3L << 29) + 24_700_000);
        var view = s_ext4.Read(s_ext4.Write(builder.Build(), Ext4Samples.Options with { Size = guess }));
        long free = long.Parse(view.Fields.Single(static field => field.Name == "s_free_blocks_count").Value, System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(free * 4096 > guess / 4, $"{free} blocks free");
    }

    [Fact]
    public void GuessLeavesInodes()
    {
        var builder = Ext4Samples.NewBuilder();
        for (int i = 0; i < 20_000; i++)
        {
            builder.AddFile($"f{i}", Ext4Samples.File, Array.Empty<byte>());
        }
        var tree = builder.Build();
        long guess = s_ext4.MeasureGuess(tree, Ext4Samples.Options);
        var view = s_ext4.Read(s_ext4.Write(tree, Ext4Samples.Options with { Size = guess }));
        Assert.True(int.Parse(view.Fields.Single(static field => field.Name == "s_free_inodes_count").Value, System.Globalization.CultureInfo.InvariantCulture) >= 10_000);
    }

    [Fact]
    public void AllErrorsComeAtOnceWithTheirPaths()
    {
        var builder = Ext4Samples.NewBuilder();
        builder.AddFile("xattr", Ext4Samples.File.WithXattrs(("user.big", new byte[5000])), Ext4Samples.Bytes(1));
        builder.AddFile("name", Ext4Samples.File.WithXattrs(("os2.x", [1])), Ext4Samples.Bytes(1));
        builder.AddFile("acl", Ext4Samples.File.WithXattrs(("system.posix_acl_access", [1])), Ext4Samples.Bytes(1));
        builder.AddFile("time", Ext4Samples.File with { Mtime = new Timestamp(1L << 34) }, Ext4Samples.Bytes(1));
        builder.AddFile("before", Ext4Samples.File with { Mtime = new Timestamp(int.MinValue - 1L) }, Ext4Samples.Bytes(1));
        builder.AddSymlink("target", Ext4Samples.File, new string('x', 4096));
        builder.AddSymlink("nothing", Ext4Samples.File, "");
        builder.Add("device", new DeviceNode(Ext4Samples.File, FileType.BlockDevice, 4096, 0));
        builder.AddFile("huge", Ext4Samples.File, new ComputedBlob(1L << 45, static (_, _) => { }));
        var errors = s_ext4.Check(builder.Build(), Ext4Samples.Options with { Label = "seventeen letters" });
        string[] starts = ["the label", "/acl: ", "/before: ", "/device: ", "/huge: ", "/name: ", "/nothing: ", "/target: ", "/time: ", "/xattr: "];
        Assert.Equal(starts.Length, errors.Count);
        foreach (string start in starts)
        {
            Assert.Contains(errors, error => error.StartsWith(start, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void AFileHas65000NamesAtMost()
    {
        var node = new FileNode(Ext4Samples.File, Blob.Empty);
        FileTree Linked(int names) => new(new DirectoryNode(Ext4Samples.Directory, Enumerable.Range(0, names)
            .Select(i => new Diecast.Trees.DirectoryEntry(new FileName($"{i}"), node))));
        Assert.Empty(s_ext4.Check(Linked(65_000), Ext4Samples.Options));
        Assert.StartsWith("/0: has 65001 hard links", Assert.Single(s_ext4.Check(Linked(65_001), Ext4Samples.Options)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4040, 0)]
    [InlineData(4041, 1)]
    public void AnAttributeHasABlockAtMost(int length, int errors)
    {
        var builder = Ext4Samples.NewBuilder();
        builder.AddFile("f", Ext4Samples.File.WithXattrs(("user.n", Ext4Samples.Bytes(length))), Ext4Samples.Bytes(1));
        Assert.Equal(errors, s_ext4.Check(builder.Build(), Ext4Samples.Options).Count);
    }

    [Fact]
    public void ThreadsDoNotMatter()
    {
        var digests = new string[6];
        Parallel.For(0, digests.Length, i =>
        {
            var builder = Ext4Samples.NewBuilder();
            for (int file = 0; file < 40; file++)
            {
                builder.AddFile($"f{file}", Ext4Samples.File, Ext4Samples.Sparse(500_000 + file, 0, file + 1, 90));
            }
            digests[i] = Convert.ToHexString(ImageFile.Hash(s_ext4.Write(builder.Build(), Ext4Samples.Options)));
        });
        Assert.Single(digests.Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public void LostAndFoundMustBeADirectory()
    {
        var builder = new TreeBuilder(Ext4Samples.Directory);
        builder.AddFile("lost+found", Ext4Samples.File, Ext4Samples.Bytes(1));
        Assert.StartsWith("/lost+found: ", Assert.Single(s_ext4.Check(builder.Build(), Ext4Samples.Options)), StringComparison.Ordinal);
    }

    [Fact]
    public void SizesThatAreNoneAreRefused()
    {
        var tree = Ext4Samples.NewBuilder().Build();
        foreach (long size in new[] { 0, 4096, Ext4Format.MinimumSize - 1, 1L << 60 })
        {
            Assert.Single(s_ext4.Check(tree, Ext4Samples.Options with { Size = size }));
        }
        Assert.Equal(0, s_ext4.Write(tree, Ext4Samples.Options with { Size = (10 << 20) + 4095 }).Length % 4096);
    }
}
