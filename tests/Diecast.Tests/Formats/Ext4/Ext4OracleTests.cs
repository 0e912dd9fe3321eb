using System.Globalization;
using CsCheck;
using Diecast.Formats.Ext4;
using Diecast.Images;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Ext4;

/// <summary>What e2fsprogs says of what the writer made.</summary>
public sealed class Ext4OracleTests
{
    private static readonly Ext4Format s_ext4 = new();

    [Theory]
    [InlineData(null)]
    [InlineData(32L << 20)]
    [InlineData(338497536L)]
    [InlineData(3L << 30)]
    [InlineData(70L << 30)]
    public void E2fsckFindsNothing(long? size)
    {
        using var directory = new TempDirectory();
        var options = Ext4Samples.Options with { Size = size };
        Assert.Empty(s_ext4.Check(Ext4Samples.Everything(), options));
        ImageFile.Write(s_ext4.Write(Ext4Samples.Everything(), options), directory["image"]);
        E2fsck.Clean(directory["image"]);
    }

    /// <summary>An empty tree at the sizes around which the journal, the groups and the tables change.</summary>
    [Theory]
    [InlineData(64)]
    [InlineData(2047)]
    [InlineData(2048)]
    [InlineData(32767)]
    [InlineData(32768)]
    [InlineData(32769)]
    [InlineData(33000)]
    [InlineData(33400)]
    [InlineData(262143)]
    [InlineData(262144)]
    [InlineData(16 * 32768 + 100)]
    [InlineData(17 * 32768)]
    [InlineData(64 * 32768 + 32768)]
    public void EverySizeIsClean(long blocks)
    {
        using var directory = new TempDirectory();
        var tree = Ext4Samples.NewBuilder().Build();
        ImageFile.Write(s_ext4.Write(tree, Ext4Samples.Options with { Size = blocks * 4096 }), directory["image"]);
        E2fsck.Clean(directory["image"]);
    }

    [Theory]
    [InlineData(1024 + 0x20)] // superblock
    [InlineData(4096 + 70)] // group descriptors
    public void E2fsckNoticesAFlippedByteAt(long offset)
    {
        using var directory = new TempDirectory();
        ImageFile.Write(s_ext4.Write(Ext4Samples.Everything(), Ext4Samples.Options with { Size = 300 << 20 }), directory["image"]);
        Flip(directory["image"], offset);
        Assert.NotEqual(0, Tool.Run("e2fsck", "-fn", directory["image"]).ExitCode);
    }

    [Theory]
    [InlineData("ext4 group 0 inode table", 2 * 256 + 300)]
    [InlineData("ext4 group 0 block bitmap", 5)]
    [InlineData("ext4 group 0 inode bitmap", 5)]
    [InlineData("directory /many", 4096 + 20)]
    [InlineData("directory /many", 50)]
    [InlineData("xattrs of /attributes", 100)]
    [InlineData("extents of /fragmented", 100)]
    [InlineData("ext4 resize inode", 5)]
    [InlineData("ext4 journal", 1)]
    public void E2fsckNoticesAFlippedByteIn(string label, int offset)
    {
        using var directory = new TempDirectory();
        var builder = Ext4Samples.NewBuilder();
        builder.AddTree(Ext4Samples.Everything());
        builder.AddFile("fragmented", Ext4Samples.File, Fragments(20));
        var image = s_ext4.Write(builder.Build(), Ext4Samples.Options with { Size = 300 << 20 });
        ImageFile.Write(image, directory["image"]);
        Flip(directory["image"], image.Extents.First(extent => extent.Label.ToString() == label).Offset + offset);
        Assert.NotEqual(0, Tool.Run("e2fsck", "-fn", directory["image"]).ExitCode);
    }

    private static void Flip(string path, long offset)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        var one = new byte[1];
        RandomAccess.Read(file, one, offset);
        one[0] ^= 0x10;
        RandomAccess.Write(file, one, offset);
    }

    /// <summary>A file of that many extents.</summary>
    private static Blob Fragments(int count) =>
        Ext4Samples.Sparse(count * 17L * 4096, [.. Enumerable.Range(0, count).Select(static i => i * 17L)]);

    /// <summary>Extent trees of depth 0, 1 and 2, at the edges; read back by the kernel's view of debugfs.</summary>
    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(340)]
    [InlineData(341)]
    [InlineData(1360)]
    [InlineData(1361)]
    [InlineData(2000)]
    public void ExtentTreesAreClean(int extents)
    {
        using var directory = new TempDirectory();
        var builder = Ext4Samples.NewBuilder();
        builder.AddFile("fragmented", Ext4Samples.File, Fragments(extents));
        var tree = builder.Build();
        var image = s_ext4.Write(tree, Ext4Samples.Options);
        ImageFile.Write(image, directory["image"]);
        E2fsck.Clean(directory["image"]);
        Tool.RunOk("debugfs", "-R", $"dump /fragmented {directory["out"]}", directory["image"]);
        Assert.Equal(ImageFile.Hash(Fragments(extents)), System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(directory["out"])));
        Assert.Equal(TreeText.Format(tree), TreeText.Format(s_ext4.Read(image).Tree));
    }

    /// <summary>Directories of one block, of one index level, of two; the numbers are the edges for these names.</summary>
    [Theory]
    [InlineData(203)]
    [InlineData(204)]
    [InlineData(408)]
    [InlineData(9000)]
    [InlineData(100_000)]
    public void DirectoriesAreClean(int names)
    {
        using var directory = new TempDirectory();
        var builder = Ext4Samples.NewBuilder();
        var shared = new FileNode(Ext4Samples.File, new MemoryBlob(Ext4Samples.Bytes(1)));
        for (int i = 0; i < names; i++)
        {
            // A third of the names long, so that there are enough leaves for a second level.
            string name = $"name-{i:D6}" + (names > 50_000 && i % 3 == 0 ? new string('x', 100) : "");
            builder.Add($"d/{name}", i % 60_000 == 0 ? shared : new FileNode(Ext4Samples.File, Blob.Empty));
        }
        var tree = builder.Build();
        ImageFile.Write(s_ext4.Write(tree, Ext4Samples.Options), directory["image"]);
        E2fsck.Clean(directory["image"]);
        string dump = Tool.Run("debugfs", "-R", "htree_dump /d", directory["image"]).All;
        Assert.Equal(names > 203, dump.Contains("Root node dump", StringComparison.Ordinal));
        if (names > 203)
        {
            Assert.Contains(names >= 100_000 ? "Indirect levels: 1" : "Indirect levels: 0", dump, StringComparison.Ordinal);
            Assert.DoesNotContain("***", dump, StringComparison.Ordinal);
        }
        Assert.Equal(names, ((DirectoryNode)s_ext4.Read(s_ext4.Write(tree, Ext4Samples.Options)).Tree.Find("/d")!).Entries.Length);
    }

    [Theory]
    [InlineData(64_998)]
    [InlineData(64_999)]
    public void DirectoriesOfMoreThan65000LinksAreClean(int subdirectories)
    {
        using var directory = new TempDirectory();
        var entries = Enumerable.Range(0, subdirectories).Select(static i => new Diecast.Trees.DirectoryEntry(
            new FileName($"{i}"), new DirectoryNode(Ext4Samples.Directory, [])));
        var top = new DirectoryNode(Ext4Samples.Directory, entries);
        var tree = new FileTree(new DirectoryNode(Ext4Samples.Directory, [new Diecast.Trees.DirectoryEntry(new FileName("d"), top)]));
        ImageFile.Write(s_ext4.Write(tree, Ext4Samples.Options), directory["image"]);
        E2fsck.Clean(directory["image"]);
        string stat = Tool.RunOk("debugfs", "-R", "stat /d", directory["image"]);
        Assert.Contains(subdirectories == 64_998 ? "Links: 65000 " : "Links: 1 ", stat, StringComparison.Ordinal);
    }

    /// <summary>68 bytes are the most beside a name of one letter in the inode, 4040 in the block.</summary>
    [Theory]
    [InlineData(0, false)]
    [InlineData(68, false)]
    [InlineData(69, true)]
    [InlineData(4040, true)]
    public void AttributesAreClean(int length, bool inBlock)
    {
        using var directory = new TempDirectory();
        var builder = Ext4Samples.NewBuilder();
        builder.AddFile("f", Ext4Samples.File.WithXattrs(("user.n", Ext4Samples.Bytes(length))), Ext4Samples.Bytes(1));
        var tree = builder.Build();
        var image = s_ext4.Write(tree, Ext4Samples.Options);
        ImageFile.Write(image, directory["image"]);
        E2fsck.Clean(directory["image"]);
        Assert.Equal(inBlock, image.Extents.Any(static extent => extent.Label.ToString() == "xattrs of /f"));
        Assert.Equal(TreeText.Format(tree), TreeText.Format(s_ext4.Read(image).Tree));
        Tool.RunOk("debugfs", "-R", $"ea_get -f {directory["value"]} /f user.n", directory["image"]);
        Assert.Equal(Ext4Samples.Bytes(length), File.ReadAllBytes(directory["value"]));
    }

    /// <summary>The tree may have a lost+found of its own, with more in it than the four blocks that it gets hold.</summary>
    [Fact]
    public void AFullLostAndFoundIsClean()
    {
        using var directory = new TempDirectory();
        var builder = Ext4Samples.NewBuilder();
        for (int i = 0; i < 1000; i++)
        {
            builder.AddFile($"lost+found/#{i:D12}", Ext4Samples.File, Array.Empty<byte>());
        }
        builder.AddDirectory("lost+found/d/e", Ext4Samples.Directory);
        var tree = builder.Build();
        var image = s_ext4.Write(tree, Ext4Samples.Options);
        ImageFile.Write(image, directory["image"]);
        E2fsck.Clean(directory["image"]);
        Assert.Equal(TreeText.Format(tree), TreeText.Format(s_ext4.Read(image).Tree));
    }

    /// <summary>Inode tables that are full to the last inode, in one group and in two.</summary>
    [Theory]
    [InlineData(2005)]
    [InlineData(2006)]
    [InlineData(65_000)]
    public void FullInodeTablesAreClean(int files)
    {
        using var directory = new TempDirectory();
        var entries = Enumerable.Range(0, files).Select(static i => new Diecast.Trees.DirectoryEntry(
            new FileName($"{i}"), new SpecialNode(Ext4Samples.File, FileType.Fifo)));
        var tree = new FileTree(new DirectoryNode(Ext4Samples.Directory, entries));
        ImageFile.Write(s_ext4.Write(tree, Ext4Samples.Options), directory["image"]);
        E2fsck.Clean(directory["image"]);
        string fields = Tool.RunOk("dumpe2fs", "-h", directory["image"]);
        long free = long.Parse(fields.Split('\n').First(static line => line.StartsWith("Free inodes:", StringComparison.Ordinal))[12..], CultureInfo.InvariantCulture);
        Assert.InRange(free, 0, 31);
    }

    [Fact]
    public void HashesAreThoseOfE2fsprogs()
    {
        var seed = Ext4Samples.Options.HashSeed!.Value;
        var hash = new DirectoryHash(seed.ToByteArray(bigEndian: true));
        string[] names = ["a", "abcd", new('x', 31), new('y', 32), new('z', 33), new('w', 64), new('v', 255), "name-000001"];
        string commands = string.Join('\n', names.Select(name => $"dx_hash -h half_md4 -s {seed} {name}"));
        var result = Tool.Run("debugfs", ["-f", "-"], null, Posix.Bytes(commands + "\n"));
        foreach (string name in names)
        {
            Assert.Contains($"Hash of {name} is 0x{hash.Of(Posix.Bytes(name)):x8}", result.All, StringComparison.Ordinal);
        }
    }

    /// <summary>Names of one hash across the edge of a leaf: the index entry of the second leaf has its lowest bit set.</summary>
    [Fact]
    public void CollisionsGoOnInTheNextLeaf()
    {
        var hash = new DirectoryHash(Ext4Samples.Options.HashSeed!.Value.ToByteArray(bigEndian: true));
        var (first, second) = FindCollision(hash);
        Assert.Equal(hash.Of(Posix.Bytes(first)), hash.Of(Posix.Bytes(second)));
        // As many names with lesser hashes as make the colliding two fall on both sides of an edge.
        bool found = false;
        var smaller = Enumerable.Range(0, 100_000).Select(static i => $"f{i:D11}")
            .Where(name => hash.Of(Posix.Bytes(name)) < hash.Of(Posix.Bytes(first))).Take(500).ToList();
        Assert.Equal(500, smaller.Count);
        using var directory = new TempDirectory();
        for (int count = 203; count <= 500 && !found; count++)
        {
            var builder = Ext4Samples.NewBuilder();
            foreach (string name in smaller.Take(count).Append(first).Append(second))
            {
                builder.AddFile($"d/{name}", Ext4Samples.File, Array.Empty<byte>());
            }
            var image = s_ext4.Write(builder.Build(), Ext4Samples.Options);
            var root = image.Extents.First(static extent => extent.Label.ToString() == "directory /d");
            // The last index entry's hash.
            int entries = BitConverter.ToUInt16(root.Content.ReadBytes(34, 2));
            uint last = BitConverter.ToUInt32(root.Content.ReadBytes(32 + 8 * (entries - 1), 4));
            found = entries > 1 && last == (hash.Of(Posix.Bytes(first)) | 1);
            if (found)
            {
                ImageFile.Write(image, directory["image"]);
                E2fsck.Clean(directory["image"]);
                using var mount = new LoopMount(directory, "image", "ro");
                Assert.True(File.Exists($"{mount.Path}/d/{first}"));
                Assert.True(File.Exists($"{mount.Path}/d/{second}"));
            }
        }
        Assert.True(found);
    }

    private static (string First, string Second) FindCollision(DirectoryHash hash)
    {
        var seen = new Dictionary<uint, string>();
        for (int i = 0; ; i++)
        {
            string name = $"c{i:D11}";
            if (!seen.TryAdd(hash.Of(Posix.Bytes(name)), name))
            {
                return (seen[hash.Of(Posix.Bytes(name))], name);
            }
        }
    }

    [Fact]
    public void RandomTreesAreClean()
    {
        using var directory = new TempDirectory();
        Generators.Tree.Sample(tree =>
        {
            var image = s_ext4.Write(tree, Ext4Samples.Options);
            Assert.Equal(TreeText.Format(tree), TreeText.Format(s_ext4.Read(image).Tree));
            ImageFile.Write(image, directory["image"]);
            E2fsck.Clean(directory["image"]);
        }, iter: 40, threads: 1);
    }

    internal static class Generators
    {
        private static readonly Gen<Metadata> s_metadata = Gen.Select(
            Gen.Int[0, 0xFFF], Gen.UInt, Gen.UInt, Gen.Long[int.MinValue, int.MaxValue + (3L << 32)], Gen.UInt[0, 999_999_999],
            Gen.Select(Gen.Int[1, 60], Gen.Int[0, 120], Gen.Bool).Array[0, 6],
            static (mode, uid, gid, seconds, nanoseconds, xattrs) =>
                new Metadata((ushort)mode, uid, gid, new Timestamp(seconds, nanoseconds)).WithXattrs(
                    [.. xattrs.DistinctBy(static x => x.Item1).Select(static x =>
                        ((x.Item3 ? "user." : "trusted.") + new string('n', x.Item1), Ext4Samples.Bytes(x.Item2, x.Item1)))]));

        private static readonly Gen<Blob> s_content = Gen.OneOf(
            Gen.Int[0, 9000].Select(static length => (Blob)new MemoryBlob(Ext4Samples.Bytes(length))),
            Gen.Select(Gen.Int[1, 12], Gen.Int[0, 4096]).Select(static (count, more) => Ext4Samples.Sparse(
                count * 17L * 4096 + more, [.. Enumerable.Range(0, count).Select(static i => i * 17L)])));

        private static readonly Gen<(string Path, Node Node)> s_node = Gen.Select(
            Gen.Int[0, 30], Gen.Int[0, 9], Gen.Int[1, 100], s_metadata, Gen.Int[0, 5], s_content, Gen.Int[1, 200])
            .Select(static (directory, subdirectory, name, metadata, kind, content, length) =>
            {
                string path = $"d{directory}/s{subdirectory}/{name}" + (name % 2 == 0 ? new string('m', length) : "");
                Node node = kind switch
                {
                    0 => new SymlinkNode(metadata, [.. Posix.Bytes(new string('t', length))]),
                    1 => new DeviceNode(metadata, FileType.CharacterDevice, (uint)length * 20 % 4096, (uint)length * 5000 % 1_048_576),
                    2 => new SpecialNode(metadata, FileType.Fifo),
                    _ => new FileNode(metadata, content),
                };
                return (path, node);
            });

        public static readonly Gen<FileTree> Tree = Gen.Select(s_node.Array[0, 60], s_metadata, Gen.Int[0, 500])
            .Select(static (nodes, root, flat) =>
            {
                var builder = Ext4Samples.NewBuilder();
                builder.AddDirectory("d1", root);
                foreach (var (path, node) in nodes)
                {
                    builder.Add(path, node);
                    if (path.EndsWith('3'))
                    {
                        builder.Add($"links/{path.Replace('/', '-')}", node);
                    }
                }
                for (int i = 0; i < flat; i++)
                {
                    builder.AddFile(string.Create(CultureInfo.InvariantCulture, $"flat/{i * 7919}"), Ext4Samples.File, Array.Empty<byte>());
                }
                return builder.Build();
            });
    }
}

internal static class E2fsck
{
    /// <summary>Nothing to say: neither the installed e2fsck, nor that of a trixie root which DIECAST_TRIXIE names.</summary>
    public static void Clean(string image)
    {
        var result = Tool.Run("e2fsck", "-fn", image);
        Assert.True(result.ExitCode == 0, result.All);
        // The newer e2fsck of a Debian trixie root, where there is one.
        if (Environment.GetEnvironmentVariable("DIECAST_TRIXIE") is { } root)
        {
            using var inside = new TempDirectory(Path.Join(root, "tmp"));
            Tool.RunOk("cp", "--sparse=always", image, inside["image"]);
            result = Tool.Run("chroot", root, "e2fsck", "-fn", "/" + Path.GetRelativePath(root, inside["image"]));
            Assert.True(result.ExitCode == 0, result.All);
        }
    }
}
