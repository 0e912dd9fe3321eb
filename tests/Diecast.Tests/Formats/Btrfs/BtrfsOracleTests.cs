using CsCheck;
using Diecast.Formats;
using Diecast.Images;
using Diecast.Tests.Formats.Ext4;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Btrfs;

/// <summary>What btrfs-progs and the kernel say of what was written.</summary>
public sealed class BtrfsOracleTests
{
    private static FileTree Empty => new(new DirectoryNode(BtrfsTrees.Directory, []));

    [Theory]
    [InlineData(null)]
    [InlineData(300L << 20)]
    [InlineData(300L << 30)]
    public void AnEmptyTreeIsAccepted(long? size)
    {
        using var directory = new TempDirectory();
        string image = BtrfsTrees.Write(directory, Empty, BtrfsTrees.Options with { Size = size });
        BtrfsCheck.Clean(image);
        Assert.Equal(TreeText.Format(Empty), TreeText.Format(BtrfsSamples.Read(image).Tree));
        Assert.Empty(BtrfsSamples.Read(image).Check());
    }

    [Fact]
    public void EverythingIsAccepted()
    {
        using var directory = new TempDirectory();
        var tree = BtrfsTrees.Everything(3000);
        string image = BtrfsTrees.Write(directory, tree);
        BtrfsCheck.Clean(image);
        var view = BtrfsSamples.Read(image);
        Assert.Equal(TreeText.Format(tree), TreeText.Format(view.Tree));
        Assert.Empty(view.Check());
        Assert.Equal(new FileInfo(image).Length, view.Layout().Length);
    }

    [Theory]
    [InlineData(FileCompression.None, null)]
    [InlineData(FileCompression.Zstd, null)]
    [InlineData(FileCompression.Zstd, 15)]
    [InlineData(FileCompression.Zlib, null)]
    [InlineData(FileCompression.Zlib, 9)]
    [InlineData(FileCompression.Lzo, null)]
    public void CompressedTreesAreAccepted(FileCompression compression, int? level)
    {
        using var directory = new TempDirectory();
        var tree = BtrfsTrees.Compressible();
        string image = BtrfsTrees.Write(directory, tree, BtrfsTrees.Options with { Compression = compression, CompressionLevel = level });
        BtrfsCheck.Clean(image);
        string expected = TreeText.Format(tree);
        Assert.Equal(expected, TreeText.Format(BtrfsSamples.Read(image).Tree));
        using var mount = new BtrfsMount(directory, image, "rw");
        Assert.Equal(expected, TreeText.Format(HostTree.Read(Posix.Bytes(mount.Path))));
        string dump = Tool.RunOk("btrfs", "inspect-internal", "dump-tree", "-t", "5", image);
        string name = compression.ToString().ToLowerInvariant();
        Assert.Equal(compression != FileCompression.None, dump.Contains($"extent compression {compression switch { FileCompression.Zlib => 1, FileCompression.Lzo => 2, _ => 3 }} ({name})", StringComparison.Ordinal));
        Assert.Equal(compression != FileCompression.None, System.Text.RegularExpressions.Regex.IsMatch(dump, $@"inline extent data size \d+ ram_bytes 4096 compression \d \({name}\)"));
        mount.Run("btrfs scrub start -B -R . | tee /dev/stderr | grep -q 'csum_errors: 0'; echo more >> mixed; btrfs balance start --full-balance . || true");
    }

    [Theory]
    [InlineData(FileSystemChecksum.XxHash64, "xxhash64")]
    [InlineData(FileSystemChecksum.Sha256, "sha256")]
    [InlineData(FileSystemChecksum.Blake2b, "blake2")]
    public void TheChecksumsAreAccepted(FileSystemChecksum checksum, string name)
    {
        using var directory = new TempDirectory();
        var tree = BtrfsTrees.Everything(500);
        string image = BtrfsTrees.Write(directory, tree, BtrfsTrees.Options with { Checksum = checksum });
        BtrfsCheck.Clean(image);
        Assert.Matches($@"csum_type\s+\d \({name}\)", Tool.RunOk("btrfs", "inspect-internal", "dump-super", image));
        Assert.Equal(TreeText.Format(tree), TreeText.Format(BtrfsSamples.Read(image).Tree));
        using var mount = new BtrfsMount(directory, image, "rw");
        Assert.Equal(TreeText.Format(tree), TreeText.Format(HostTree.Read(Posix.Bytes(mount.Path))));
        mount.Run("btrfs scrub start -B -R . | tee /dev/stderr | grep -q 'csum_errors: 0'");
    }

    [Fact]
    public void SubvolumesAreAccepted()
    {
        using var directory = new TempDirectory();
        var tree = BtrfsTrees.Everything(300);
        var options = BtrfsTrees.Options with
        {
            Subvolumes = [new Subvolume("/many"), new Subvolume("/bin", IsReadOnly: true), new Subvolume("/a", IsReadOnly: true), new Subvolume("/tmp")],
            Size = 300 << 20,
        };
        // What is linked must not be in several.
        tree = BtrfsTrees.Without(tree, "a/hard");
        string image = BtrfsTrees.Write(directory, tree, options);
        BtrfsCheck.Clean(image);
        string expected = TreeText.Format(tree);
        Assert.Equal(expected, TreeText.Format(BtrfsSamples.Read(image).Tree));
        using (var mount = new BtrfsMount(directory, image, "rw"))
        {
            Assert.Equal(expected, TreeText.Format(HostTree.Read(Posix.Bytes(mount.Path))));
            string list = Tool.RunOk("btrfs", "subvolume", "list", "-u", mount.Path);
            Assert.Equal(["a", "bin", "many", "tmp"], list.Trim().Split('\n').Select(static line => line.Split(' ')[^1]));
            Assert.Equal(256u, Posix.Stat(Posix.AT_FDCWD, Posix.Bytes($"{mount.Path}/bin")).Inode);
            mount.Run("""
                if touch bin/x 2> /dev/null; then exit 1; fi; btrfs property get -ts bin ro | grep -qx ro=true; touch many/x tmp/x; btrfs subvolume snapshot many tmp/snapshot
                btrfs subvolume delete many; btrfs subvolume sync .; btrfs property set a ro false; touch a/x
                """);
        }
        BtrfsCheck.Clean(image, "original");
    }

    /// <summary>What is in them has the flags that it would have inherited, and neither checksums nor compression; what stands in them has not.</summary>
    [Fact]
    public void SubvolumesWithoutCopyOnWriteAreAccepted()
    {
        using var directory = new TempDirectory();
        var builder = BtrfsTrees.NewBuilder();
        byte[] text = [.. Enumerable.Range(0, 300_000).Select(static i => (byte)(i / 5 % 251))];
        foreach (string path in new[] { "a", "nocow/b", "nocow/c/d", "nocow/inner/e", "f" })
        {
            builder.AddFile($"{path}.text", BtrfsTrees.File, text);
            builder.AddFile($"{path}.random", BtrfsTrees.File, Ext4Samples.Bytes(50_000));
            builder.AddFile($"{path}.tiny", BtrfsTrees.File, text.AsSpan(0, 100).ToArray());
        }
        builder.AddSymlink("nocow/link", BtrfsTrees.File, "b.text");
        var tree = builder.Build();
        string image = BtrfsTrees.Write(directory, tree, BtrfsTrees.Options with
        {
            Subvolumes = [new Subvolume("/nocow", IsNoDataCow: true), new Subvolume("/nocow/inner")],
            Compression = FileCompression.Zstd,
            Size = 300 << 20,
        });
        BtrfsCheck.Clean(image);
        Assert.Equal(TreeText.Format(tree), TreeText.Format(BtrfsSamples.Read(image).Tree));
        using (var mount = new BtrfsMount(directory, image, "rw"))
        {
            Assert.Equal(TreeText.Format(tree), TreeText.Format(HostTree.Read(Posix.Bytes(mount.Path))));
            string flagged = Tool.RunOk("bash", "-ec", "cd \"$1\"; lsattr -d . a.text nocow nocow/* nocow/*/* | awk '$1 ~ /C/ { print $2 }'", "-", mount.Path);
            Assert.Equal(
                ["nocow", "nocow/b.random", "nocow/b.text", "nocow/b.tiny", "nocow/c", "nocow/c/d.random", "nocow/c/d.text", "nocow/c/d.tiny"],
                flagged.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
            mount.Run("btrfs scrub start -B -R . | tee /dev/stderr | grep -q 'csum_errors: 0'; printf x | dd of=nocow/b.text conv=notrunc seek=9000 bs=1; rm nocow/c/d.random; echo new > nocow/c/new");
        }
        BtrfsCheck.Clean(image, "original");
    }

    [Fact]
    public void SubvolumesStandInEachOther()
    {
        using var directory = new TempDirectory();
        var builder = BtrfsTrees.NewBuilder();
        builder.AddFile("root/etc/name", BtrfsTrees.File, Ext4Samples.Bytes(10_000));
        builder.AddFile("root/var/lib/machines/m/file", BtrfsTrees.File, Ext4Samples.Bytes(100));
        builder.AddFile("home/user/file", BtrfsTrees.File, Ext4Samples.Bytes(5000));
        var tree = builder.Build();
        string image = BtrfsTrees.Write(directory, tree, BtrfsTrees.Options with
        {
            Subvolumes = [new Subvolume("/root/var/lib/machines/m"), new Subvolume("/home"), new Subvolume("/root"), new Subvolume("/root/var/lib/machines")],
            DefaultSubvolume = "/root",
        });
        BtrfsCheck.Clean(image);
        Assert.Equal(TreeText.Format(tree), TreeText.Format(BtrfsSamples.Read(image).Tree));
        var root = new FileTree((DirectoryNode)tree.Find("root")!);
        using (var mount = new BtrfsMount(directory, image, "ro"))
        {
            Assert.Equal(TreeText.Format(root), TreeText.Format(HostTree.Read(Posix.Bytes(mount.Path))));
        }
        using (var top = new BtrfsMount(directory, image, "rw,subvol=/"))
        {
            Assert.Equal(TreeText.Format(tree), TreeText.Format(HostTree.Read(Posix.Bytes(top.Path))));
            string list = Tool.RunOk("btrfs", "subvolume", "list", top.Path);
            Assert.Equal(["home", "root", "root/var/lib/machines", "root/var/lib/machines/m"], list.Trim().Split('\n').Select(static line => line.Split(' ')[^1]));
        }
    }

    [Fact]
    public void ManyLinksAreAccepted()
    {
        using var directory = new TempDirectory();
        var tree = BtrfsTrees.ManyLinks();
        string image = BtrfsTrees.Write(directory, tree);
        BtrfsCheck.Clean(image, "original");
        Assert.Contains("INODE_EXTREF", Tool.RunOk("btrfs", "inspect-internal", "dump-tree", "-t", "5", image), StringComparison.Ordinal);
        Assert.Equal(TreeText.Format(tree), TreeText.Format(BtrfsSamples.Read(image).Tree));
        using var mount = new BtrfsMount(directory, image, "rw");
        Assert.Equal(TreeText.Format(tree), TreeText.Format(HostTree.Read(Posix.Bytes(mount.Path))));
        Assert.Equal(602u, Posix.Stat(Posix.AT_FDCWD, Posix.Bytes($"{mount.Path}/zzz")).Nlink);
        mount.Run("rm -r links more/2*; ln another/name new");
        Assert.Equal(602u - 300 - 111 + 1, Posix.Stat(Posix.AT_FDCWD, Posix.Bytes($"{mount.Path}/zzz")).Nlink);
    }

    [Fact]
    public void TheMountedTreeIsTheOneWritten()
    {
        using var directory = new TempDirectory();
        var tree = BtrfsTrees.Everything(3000);
        string image = BtrfsTrees.Write(directory, tree);
        using var mount = new BtrfsMount(directory, image, "ro");
        Assert.Equal(TreeText.Format(tree), TreeText.Format(HostTree.Read(Posix.Bytes(mount.Path))));
        foreach (var entry in tree.Walk())
        {
            byte[] path = [.. Posix.Bytes(mount.Path), .. entry.Path?.ToBytes() ?? []];
            Assert.Equal(ReferenceEquals(entry.Node, tree.Find("hard")) ? 3u : 1u, Posix.Stat(Posix.AT_FDCWD, path).Nlink);
        }
    }

    /// <summary>What the kernel finds when it reads all, and whether it can go on from what was written.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData(400L << 20)]
    public void TheKernelGoesOnFromIt(long? size)
    {
        using var directory = new TempDirectory();
        string image = BtrfsTrees.Write(directory, BtrfsTrees.Everything(3000), BtrfsTrees.Options with { Size = size });
        using (var mount = new BtrfsMount(directory, image, "rw"))
        {
            mount.Run("""
                btrfs scrub start -B -R . | tee /dev/stderr | grep -q "csum_errors: 0"
                echo new > new; mkdir -p one/two; mv many/file-000010 one/two; rm holes sparse; ln new one/link
                setfattr -n user.x -v y new; chmod 700 one; sync
                """);
            if (size is not null)
            {
                mount.Run("""
                    btrfs subvolume snapshot . snapshot; rm -r many; seq 1000000 > large; sync
                    btrfs balance start --full-balance .; btrfs scrub start -B .
                    """);
            }
        }
        BtrfsCheck.Clean(image, "original");
        using var again = new BtrfsMount(directory, image, "ro");
        Assert.Equal("new\n", File.ReadAllText($"{again.Path}/one/link"));
    }

    /// <summary>On its first boot a system grows the file system to its partition.</summary>
    [Fact]
    public void ItGrowsWithoutRoomToSpare()
    {
        using var directory = new TempDirectory();
        var tree = BtrfsTrees.Everything(100);
        string image = BtrfsTrees.Write(directory, tree);
        using (var file = File.OpenHandle(image, FileMode.Open, FileAccess.ReadWrite))
        {
            RandomAccess.SetLength(file, 3L << 30);
        }
        using (var mount = new BtrfsMount(directory, image, "rw"))
        {
            mount.Run("btrfs filesystem resize max .; head -c 600M /dev/urandom > large; sync");
            Assert.Equal(TreeText.Format(tree).Length, TreeText.Format(HostTree.Read(Posix.Bytes(mount.Path))).Length - TextOf(mount.Path, "large").Length);
        }
        BtrfsCheck.Clean(image, "original");
    }

    /// <summary>Nodes over nodes, a directory that takes hundreds of leaves.</summary>
    [Fact]
    public void AHundredThousandNamesAreAccepted()
    {
        using var directory = new TempDirectory();
        var tree = new FileTree(new DirectoryNode(BtrfsTrees.Directory, Enumerable.Range(0, 100_000)
            .Select(static i => new Diecast.Trees.DirectoryEntry(new FileName($"{i * 7919}"), new FileNode(BtrfsTrees.File, Blob.Empty)))));
        string image = BtrfsTrees.Write(directory, tree);
        BtrfsCheck.Clean(image, "original");
        using var mount = new BtrfsMount(directory, image, "ro");
        Assert.Equal(100_000, Directory.GetFiles(mount.Path).Length);
        Assert.All(Enumerable.Range(0, 1000), i => Assert.True(File.Exists($"{mount.Path}/{i * 7919 * 99}")));
    }

    /// <summary>Over the extents' and the chunks' limits, over a superblock's copy, and past 4 GiB with holes.</summary>
    [Fact]
    public void LargeFilesAreAccepted()
    {
        using var directory = new TempDirectory();
        var builder = BtrfsTrees.NewBuilder();
        var large = new ComputedBlob((1200L << 20) + 77, static (offset, span) =>
        {
            for (int i = 0, run; i < span.Length; i += run)
            {
                run = (int)Math.Min(4093 - (offset + i) % 4093, span.Length - i);
                span.Slice(i, run).Fill((byte)((offset + i) / 4093 % 255 + 1));
            }
        });
        builder.AddFile("before", BtrfsTrees.File, Ext4Samples.Bytes(5000));
        builder.AddFile("data", BtrfsTrees.File, large);
        var sparse = Ext4Samples.Sparse((5L << 30) + 5, 0, 1 << 20, (5L << 30) / 4096);
        builder.AddFile("past4g", BtrfsTrees.File, sparse);
        string image = BtrfsTrees.Write(directory, builder.Build());
        BtrfsCheck.Clean(image);
        using var mount = new BtrfsMount(directory, image, "ro");
        SameBytes(large, $"{mount.Path}/data");
        foreach (long offset in new[] { 0, 1L << 32, sparse.Length - 5, sparse.Length - 4101 })
        {
            using var file = File.OpenHandle($"{mount.Path}/past4g");
            Assert.Equal(sparse.Length, RandomAccess.GetLength(file));
            var read = new byte[Math.Min(4096, sparse.Length - offset)];
            Assert.Equal(read.Length, RandomAccess.Read(file, read, offset));
            Assert.Equal(sparse.ReadBytes(offset, read.Length), read);
        }
    }

    private static void SameBytes(Blob expected, string path)
    {
        using var file = File.OpenHandle(path);
        Assert.Equal(expected.Length, RandomAccess.GetLength(file));
        var (left, right) = (new byte[1 << 20], new byte[1 << 20]);
        for (long offset = 0; offset < expected.Length; offset += left.Length)
        {
            int length = (int)Math.Min(left.Length, expected.Length - offset);
            expected.Read(offset, left.AsSpan(0, length));
            Assert.Equal(length, RandomAccess.Read(file, right.AsSpan(0, length), offset));
            Assert.True(left.AsSpan(0, length).SequenceEqual(right.AsSpan(0, length)), $"{path} at {offset}");
        }
    }

    [Fact]
    public void RandomTreesAreAccepted()
    {
        using var directory = new TempDirectory();
        Ext4OracleTests.Generators.Tree.Sample(
            tree => BtrfsCheck.Clean(BtrfsTrees.Write(directory, tree)), iter: 15, threads: 1);
    }

    private static string TextOf(string root, string name) =>
        TreeText.Format(HostTree.Read(Posix.Bytes(root))).Split('\n').Single(line => line.StartsWith($"/{name} ", StringComparison.Ordinal)) + "\n";

    /// <summary>A byte that differs anywhere in what is used is noticed.</summary>
    [Fact]
    public void AFlippedByteIsNoticed()
    {
        using var directory = new TempDirectory();
        var builder = BtrfsTrees.NewBuilder();
        builder.AddFile("file", BtrfsTrees.File, new byte[10_000].Select(static (_, i) => (byte)(i % 251)).ToArray());
        string image = BtrfsTrees.Write(directory, builder.Build());
        Assert.True(BtrfsCheck.IsClean(image));
        var layout = BtrfsSamples.Read(image).Layout();
        byte[] whole = File.ReadAllBytes(image);
        foreach (string start in new[] { "file ", "btrfs superblock", "btrfs FS_TREE leaf", "btrfs EXTENT_TREE leaf", "btrfs CSUM_TREE leaf" })
        {
            byte[] bytes = [.. whole];
            // Of a block that is there twice both copies, else the other one is taken.
            foreach (var extent in layout.Extents.Where(extent => extent.Label.ToString().StartsWith(start, StringComparison.Ordinal)))
            {
                bytes[extent.End - 10] ^= 1;
            }
            File.WriteAllBytes(image, bytes);
            Assert.False(BtrfsCheck.IsClean(image), start);
        }
    }
}
