using CsCheck;
using Diecast.Binary;
using Diecast.Formats;
using Diecast.Formats.Btrfs;
using Diecast.Images;
using Diecast.Tests.Formats.Ext4;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Btrfs;

/// <summary>What is just as large as something holds, and what is one more.</summary>
public sealed class BtrfsThresholdTests
{
    private static readonly BtrfsFormat s_btrfs = new();

    private static TreeShape Files(FileTree tree) => Plan.For(tree, BtrfsTrees.Options).Layout.Trees[ObjectId.FsTree].Shape;

    private static FileTree Tree(Action<TreeBuilder> fill)
    {
        var builder = BtrfsTrees.NewBuilder();
        fill(builder);
        return builder.Build();
    }

    /// <summary>The greatest number that the condition holds for; it holds for 0, and not from some number on.</summary>
    private static int Last(int below, Func<int, bool> condition)
    {
        int low = 0;
        while (below - low > 1)
        {
            int middle = (low + below) / 2;
            (low, below) = condition(middle) ? (middle, below) : (low, middle);
        }
        return low;
    }

    private static FileSystemView Accepted(TempDirectory directory, FileTree tree, FileSystemOptions? options = null, string modes = "original lowmem")
    {
        string image = BtrfsTrees.Write(directory, tree, options);
        BtrfsCheck.Clean(image, modes);
        var view = BtrfsSamples.Read(image);
        Assert.Equal(TreeText.Format(tree), TreeText.Format(view.Tree));
        Assert.Empty(view.Check());
        return view;
    }

    [Fact]
    public void ALeafIsFullToTheByte()
    {
        static FileTree WithInline(int length) => Tree(builder =>
        {
            for (int i = 0; i < 7; i++)
            {
                builder.AddFile($"{i}", BtrfsTrees.File, Ext4Samples.Bytes(i < 6 ? 2048 : length));
            }
        });
        int most = Last(2048, static length => Files(WithInline(length)).Blocks == 1);
        Assert.InRange(most, 1, 2046);
        using var directory = new TempDirectory();
        foreach (int length in new[] { most - 1, most, most + 1 })
        {
            string[] labels = [.. Accepted(directory, WithInline(length)).Layout().Extents.Select(static extent => extent.Label.ToString())];
            Assert.Equal(length <= most, !labels.Any(static label => label.StartsWith("btrfs FS_TREE node", StringComparison.Ordinal)));
            Assert.Equal(length == most, !labels.Any(static label => label.StartsWith("btrfs free space in FS_TREE leaf", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void ANodeIsFull()
    {
        static FileTree WithFiles(int count) => new(new DirectoryNode(BtrfsTrees.Directory, Enumerable.Range(0, count)
            .Select(static i => new Diecast.Trees.DirectoryEntry(new FileName($"{i}"), new FileNode(BtrfsTrees.File, new MemoryBlob(new byte[2048]))))));
        int most = Last(5000, static count => Files(WithFiles(count)).RootLevel < 2);
        Assert.Equal(493, Files(WithFiles(most)).Levels[0].Length);
        using var directory = new TempDirectory();
        Accepted(directory, WithFiles(most));
        Accepted(directory, WithFiles(most + 1));
    }

    [Theory]
    [InlineData(-1, new[] { -1L })]
    [InlineData(0, new[] { 0L })]
    [InlineData(1, new[] { 0L, 1 })]
    [InlineData(Layout.LargestExtent, new[] { 0L, 0 })]
    public void AnExtentIsFull(long more, long[] lengths)
    {
        var content = new ComputedBlob(Layout.LargestExtent + more, static (_, span) => span.Fill(1));
        var layout = Plan.For(Tree(builder =>
        {
            // No copy of the superblock is in the way behind it.
            builder.AddFile("before", BtrfsTrees.File, new ComputedBlob(60 << 20, static (_, span) => span.Fill(1)));
            builder.AddFile("data", BtrfsTrees.File, content);
        }), BtrfsTrees.Options).Layout;
        Assert.Equal(
            lengths.Select(static (length, i) => i == 0 || length == 0 ? Layout.LargestExtent + length : length),
            layout.Extents.Where(static extent => extent.Inode.Path!.ToString() == "/data").Select(static extent => extent.Data.Content.Length));
        Assert.All(layout.Extents, static extent => Assert.InRange(extent.Length, 1, Layout.LargestExtent));
    }

    /// <summary>Files of random contents whose sizes are at the limits of inline data, sectors and compressed extents.</summary>
    [Theory]
    [InlineData(FileCompression.None)]
    [InlineData(FileCompression.Lzo)]
    [InlineData(FileCompression.Zstd)]
    public void FilesAtTheLimitsAreAccepted(FileCompression compression)
    {
        var content = Gen.Select(Gen.Int[0, 3], Gen.OneOf(new[] { 0, 2048, 4096, 8192, 65536, 131072, 262144 }.Select(Gen.Const).ToArray()), Gen.Int[-2, 2], Gen.Int[1, 1000])
            .Select(static (kind, limit, more, seed) => (Kind: kind, Length: Math.Max(0, limit + more), Seed: seed)).Array[1, 40];
        using var directory = new TempDirectory();
        content.Sample(files => Accepted(directory, Tree(builder =>
        {
            for (int i = 0; i < files.Length; i++)
            {
                var (kind, length, seed) = files[i];
                byte[] random = Ext4Samples.Bytes(length, seed);
                builder.AddFile($"{i}", BtrfsTrees.File, kind switch
                {
                    0 => random,
                    1 => new byte[length],
                    2 => random.Select((b, at) => (byte)(at / seed % 7 == 0 ? b : at / 5)).ToArray(),
                    // Data that does not begin where a block does.
                    _ => random.Select((b, at) => at / 70_000 % 2 == 0 ? (byte)0 : (byte)(b % 4)).ToArray(),
                });
            }
        }), BtrfsTrees.Options with { Compression = compression }), iter: 4, threads: 1);
    }

    /// <summary>A DIR_ITEM and what refers to it, filled by names of one hash.</summary>
    [Fact]
    public void NamesOfOneHashFillAnItem()
    {
        const int longest = 255;
        int most = TreeShape.LargestItem / (DirItem.Size + longest);
        FileTree WithNames(int count) => Tree(builder =>
        {
            foreach (byte[] name in NamesOfHash(~1u, 0xDEADBEEF, count))
            {
                Assert.Equal(0xDEADBEEF, DirectoryItems.NameHash(name));
                builder.Add([.. "names/"u8, .. name], new FileNode(BtrfsTrees.File, Blob.Empty));
            }
        });
        using var directory = new TempDirectory();
        var tree = WithNames(most);
        Accepted(directory, tree);
        using var mount = new BtrfsMount(directory, directory["image"], "ro");
        Assert.Equal(TreeText.Format(tree), TreeText.Format(HostTree.Read(Posix.Bytes(mount.Path))));
        Assert.Contains("the hash of more names", Assert.Single(s_btrfs.Check(WithNames(most + 1), BtrfsTrees.Options)), StringComparison.Ordinal);
    }

    /// <summary>An INODE_EXTREF has the names of all directories.</summary>
    [Fact]
    public void HardLinksOfOneHashFillAnItem()
    {
        FileTree WithLinks(int count) => Tree(builder =>
        {
            var linked = new FileNode(BtrfsTrees.File, Blob.Empty);
            for (uint i = 0; i < 2; i++)
            {
                // What the INODE_REF holds comes first. The inodes are the root's, the first directory's, the file's, the other directory's.
                for (int filler = 0; filler < 61; filler++)
                {
                    builder.Add($"{i}/!{filler:d2}{new string('x', 252)}", linked);
                }
                foreach (byte[] name in NamesOfHash((uint)ObjectId.FirstFree + (i == 0 ? 1u : 3u), 0xDEADBEEF, (count + (int)i) / 2))
                {
                    builder.Add([.. Posix.Bytes($"{i}/"), .. name], linked);
                }
            }
        });
        int most = TreeShape.LargestItem / (InodeExtref.Size + 255);
        using var directory = new TempDirectory();
        Accepted(directory, WithLinks(most), modes: "original");
        Assert.Contains($"have the hash {0xDEADBEEF}", Assert.Single(s_btrfs.Check(WithLinks(most + 1), BtrfsTrees.Options)), StringComparison.Ordinal);
    }

    /// <summary>Names of 255 bytes: the last four make the checksum what is wanted.</summary>
    private static IEnumerable<byte[]> NamesOfHash(uint seed, uint hash, int count)
    {
        for (int i = 0; count > 0; i++)
        {
            byte[] name = Posix.Bytes($"{i:d251}....");
            uint end = hash;
            for (int step = 0; step < 4; step++)
            {
                // The byte that a table of the checksum is asked for follows from the highest byte of what it gives.
                uint index = (uint)Enumerable.Range(0, 256).Single(b => Crc32C.Append(0, [(byte)b]) >> 24 == end >> 24);
                end = (end ^ Crc32C.Append(0, [(byte)index])) << 8 | index;
            }
            BitConverter.TryWriteBytes(name.AsSpan(251), Crc32C.Append(seed, name.AsSpan(0, 251)) ^ end);
            if (new FileName(name).IsValid)
            {
                count--;
                yield return name;
            }
        }
    }

    [Fact]
    public void AsManyHardLinksAsThereCanBe()
    {
        using var directory = new TempDirectory();
        var linked = new FileNode(BtrfsTrees.File, new MemoryBlob(Ext4Samples.Bytes(10)));
        var tree = new FileTree(new DirectoryNode(BtrfsTrees.Directory, Enumerable.Range(0, Plan.MaximumLinks)
            .Select(i => new Diecast.Trees.DirectoryEntry(new FileName($"a name {i}"), linked))));
        string image = BtrfsTrees.Write(directory, tree);
        var entries = BtrfsSamples.Read(image).Tree.Root.Entries;
        Assert.Equal(Plan.MaximumLinks, entries.Length);
        Assert.Single(entries.Select(static entry => entry.Node).Distinct(ReferenceEqualityComparer.Instance));
        using var mount = new BtrfsMount(directory, image, "rw");
        Assert.Equal((uint)Plan.MaximumLinks, Posix.Stat(Posix.AT_FDCWD, Posix.Bytes($"{mount.Path}/a name 65534")).Nlink);
        mount.Run("! ln 'a name 1' more; for i in 1 777 65534; do rm \"a name $i\"; done; ln 'a name 2' more; sync");
        Assert.Equal((uint)Plan.MaximumLinks - 2, Posix.Stat(Posix.AT_FDCWD, Posix.Bytes($"{mount.Path}/more")).Nlink);
    }

    [Fact]
    public void HundredsOfSubvolumesAreAccepted()
    {
        string[] paths = [.. Enumerable.Range(0, 400).Select(static i => i % 4 == 0 ? $"/{i:d3}" : $"/{i / 4 * 4:d3}/within/{i:d3}")];
        var tree = Tree(builder =>
        {
            foreach (string path in paths)
            {
                builder.AddFile($"{path[1..]}/file", BtrfsTrees.File, Posix.Bytes(path));
            }
        });
        using var directory = new TempDirectory();
        Accepted(directory, tree, BtrfsTrees.Options with
        {
            Subvolumes = [.. paths.Select(static (path, i) => new Subvolume(path, i % 3 == 0, i % 5 == 0))],
            DefaultSubvolume = "/004",
        });
        using var mount = new BtrfsMount(directory, directory["image"], "ro,subvol=/");
        Assert.Equal(TreeText.Format(tree), TreeText.Format(HostTree.Read(Posix.Bytes(mount.Path))));
        Assert.Equal(paths.Length, Tool.RunOk("btrfs", "subvolume", "list", mount.Path).Trim().Split('\n').Length);
    }
}
