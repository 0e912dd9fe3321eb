using System.Buffers.Binary;
using Diecast.Formats;
using Diecast.Images;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Btrfs;

/// <summary>What a mount shows is what is read; what differs between two images has a name.</summary>
public sealed class BtrfsReaderTests
{
    private const int NodeSize = 16384;

    private static string MountedTree(TempDirectory directory, string image)
    {
        using var mount = new BtrfsMount(directory, image, "ro");
        return TreeText.Format(HostTree.Read(Posix.Bytes(mount.Path)));
    }

    [Theory]
    [InlineData("zlib")]
    [InlineData("lzo")]
    [InlineData("zstd")]
    [InlineData("zstd:15")]
    [InlineData("no")]
    public void TheTreeIsThatOfTheKernel(string compression)
    {
        using var directory = new TempDirectory();
        string image = BtrfsSamples.Make(directory, "image", null, 256 << 20);
        string source = BtrfsSamples.Source(directory);
        using (var mount = new BtrfsMount(directory, image, compression == "no" ? "rw" : $"rw,compress-force={compression}"))
        {
            mount.Run($"""
                btrfs subvolume create sub; btrfs subvolume create sub/inner; cp -a {source}/. sub
                mknod sub/null c 1 3; mknod sub/big b 4095 1048575; touch -d '1969-12-31 23:59:58.25' sub/old
                for i in $(seq 400); do ln sub/etc/hello sub/many/$(printf 'n%.0s' $(seq 200))-$i; done
                fallocate -l 3M sub/prealloc; fallocate -o 1M -l 100000 sub/data/random; fallocate -p -o 4096 -l 8192 sub/data/random
                yes diecast | head -c 5000000 > sub/repeated; printf x | dd of=sub/repeated bs=1 seek=1000000 conv=notrunc status=none
                cp --reflink sub/repeated sub/clone; cat sub/etc/hello | head -c 3 > sub/tiny; yes inline | head -c 2000 > sub/inline
                setfacl -m u:1000:r sub/etc/hello
                sync
                btrfs subvolume snapshot sub snap; rm -r sub/many; echo more >> sub/data/text
                """);
        }
        // In the place of a subvolume that the snapshot does not have the kernel shows a directory with the present time.
        string expected = MountedTree(directory, image);
        string actual = TreeText.Format(BtrfsSamples.Read(image).Tree);
        Assert.Equal(ExceptTimeOf("/snap/inner dir", expected), ExceptTimeOf("/snap/inner dir", actual));
        CoversEverything(image);
        Assert.Empty(BtrfsSamples.Read(image).Check());
    }

    [Theory]
    [InlineData("--csum xxhash -m single")]
    [InlineData("--mixed -n 4096 -d dup -m dup")]
    [InlineData("-O block-group-tree -L label -d dup")]
    public void TheTreeOfMkfsIsThatOfTheKernel(string options)
    {
        using var directory = new TempDirectory();
        if (options.Contains("block-group-tree", StringComparison.Ordinal)
            && !Tool.Run("mkfs.btrfs", "-O", "list-all").All.Contains("block-group-tree", StringComparison.Ordinal))
        {
            options = options.Replace("-O block-group-tree ", "", StringComparison.Ordinal);
        }
        string image = BtrfsSamples.Make(directory, "image", BtrfsSamples.Source(directory), 256 << 20, options.Split(' '));
        Assert.Equal(MountedTree(directory, image), TreeText.Format(BtrfsSamples.Read(image).Tree));
        CoversEverything(image);
    }

    private static string ExceptTimeOf(string entry, string tree)
    {
        int start = tree.IndexOf(entry, StringComparison.Ordinal) + entry.Length;
        int end = tree.IndexOf('\n', start);
        Assert.StartsWith(" 0755 0:0 ", tree[start..end], StringComparison.Ordinal);
        return tree[..start] + tree[end..];
    }

    private static void CoversEverything(string image)
    {
        var layout = BtrfsSamples.Read(image).Layout();
        long end = 0;
        foreach (var extent in layout.Extents)
        {
            Assert.Equal(end, extent.Offset);
            end = extent.End;
        }
        Assert.Equal(new FileInfo(image).Length, end);
        var labels = layout.Extents.Select(static extent => extent.Label.ToString()).ToHashSet();
        Assert.Superset(new HashSet<string>(["btrfs superblock", "btrfs superblock mirror 1", "btrfs unused"]), labels);
        Assert.Contains(labels, static label => label.StartsWith("btrfs ROOT_TREE leaf ", StringComparison.Ordinal));
        Assert.Contains(labels, static label => label.StartsWith("file /", StringComparison.Ordinal) && label.EndsWith("/data/random", StringComparison.Ordinal));
    }

    /// <summary>The experiment: the same command twice, a second apart.</summary>
    [Fact]
    public void EachByteThatDiffersHasAName()
    {
        using var directory = new TempDirectory();
        string source = BtrfsSamples.Source(directory);
        // mkfs.btrfs refuses an id that any block device of the host has at the time.
        string id = $"{Guid.NewGuid()}";
        string before = BtrfsSamples.Make(directory, "a", source, 128 << 20, "-U", id);
        Thread.Sleep(1100);
        string after = BtrfsSamples.Make(directory, "b", source, 128 << 20, "-U", id);
        var (left, right) = (File.ReadAllBytes(before), File.ReadAllBytes(after));
        var find = BtrfsSamples.Read(before).FieldFinder();
        var layout = BtrfsSamples.Read(before).Layout();
        var names = new Dictionary<string, int>(StringComparer.Ordinal);
        int unnamed = 0;
        for (int i = 0; i < left.Length; i++)
        {
            if (left[i] == right[i])
            {
                continue;
            }
            if (find(i) is { } span)
            {
                string structure = span.Structure.Split(' ')[0];
                string type = span.Structure.Contains('(', StringComparison.Ordinal) ? span.Structure.Split(' ')[^2] + "." : "";
                names[$"{structure} {type}{span.Name}"] = names.GetValueOrDefault($"{structure} {type}{span.Name}") + 1;
            }
            else
            {
                string label = layout.Extents.Last(extent => extent.Offset <= i).Label.ToString();
                Assert.True(label == "btrfs unused" || label.StartsWith("btrfs free space in ", StringComparison.Ordinal), $"{i}: {label}");
                unnamed++;
            }
        }
        Assert.Superset(new HashSet<string>(
            ["superblock csum", "superblock dev_item.uuid", "ROOT_TREE csum", "FS_TREE chunk_tree_uuid", "CHUNK_TREE DEV_ITEM.uuid",
                "CHUNK_TREE CHUNK_ITEM.stripe[0].dev_uuid", "DEV_TREE DEV_EXTENT.chunk_tree_uuid", "ROOT_TREE ROOT_ITEM.uuid",
                "ROOT_TREE ROOT_ITEM.ctime", "ROOT_TREE ROOT_ITEM.otime", "FS_TREE INODE_ITEM.atime"]), names.Keys.ToHashSet());
        // What mkfs.btrfs leaves of the trees that it began with.
        Assert.Contains(names.Keys, static name => name == "stale chunk_tree_uuid");
        Assert.DoesNotContain(names.Keys, static name => name.EndsWith("data", StringComparison.Ordinal) || name.EndsWith("INODE_ITEM.size", StringComparison.Ordinal));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{unnamed} bytes of free space\n{string.Join('\n', names.OrderBy(static n => n.Key, StringComparer.Ordinal).Select(static n => $"{n.Value} {n.Key}"))}");
    }

    [Fact]
    public void FieldsOfFilesHavePaths()
    {
        using var directory = new TempDirectory();
        string image = BtrfsSamples.Make(directory, "image", null, 256 << 20);
        using (var mount = new BtrfsMount(directory, image, "rw"))
        {
            mount.Run("btrfs subvolume create a; mkdir -p a/b/c; btrfs subvolume create a/b/s; echo x > a/b/s/file");
        }
        var view = BtrfsSamples.Read(image);
        var find = view.FieldFinder();
        var paths = new HashSet<string?>();
        foreach (var extent in view.Layout().Extents.Where(static extent => extent.Label.Kind is "btrfs FS_TREE leaf" || extent.Label.ToString().Contains("leaf", StringComparison.Ordinal)))
        {
            for (long at = extent.Offset; at < extent.End && find(at) is { } span; at = span.Offset + span.Length)
            {
                paths.Add(span.Path);
            }
        }
        Assert.Superset(new HashSet<string?>(["/", "/a", "/a/b", "/a/b/c", "/a/b/s", "/a/b/s/file"]), paths);
        Assert.Null(find(0));
        Assert.Null(find(-1));
        Assert.Null(find(long.MaxValue));
    }

    [Fact]
    public void SeveralDevicesAreRefused()
    {
        using var directory = new TempDirectory();
        BtrfsSamples.Make(directory, "first", null, 128 << 20);
        File.Copy(directory["first"], directory["second"]);
        Tool.RunOk("mkfs.btrfs", "-q", "-f", "-m", "raid1", "-d", "raid0", directory["first"], directory["second"]);
        var exception = Assert.Throws<InvalidDataException>(() => BtrfsSamples.Read(directory["first"]));
        Assert.Contains("2 devices", exception.Message, StringComparison.Ordinal);
    }

    /// <summary>A block is read from its other copy, which the check tells.</summary>
    [Fact]
    public void ADamagedCopyIsNoticed()
    {
        using var directory = new TempDirectory();
        string image = BtrfsSamples.Make(directory, "image", BtrfsSamples.Source(directory), 128 << 20);
        var leaf = BtrfsSamples.Read(image).Layout().Extents.First(static extent => extent.Label.Kind.StartsWith("btrfs FS_TREE", StringComparison.Ordinal));
        byte[] bytes = File.ReadAllBytes(image);
        bytes[leaf.Offset + 60] ^= 4;
        var view = Diecast.Formats.Btrfs.BtrfsReader.Read(new MemoryBlob(bytes));
        Assert.Equal(TreeText.Format(BtrfsSamples.Read(image).Tree), TreeText.Format(view.Tree));
        Assert.Contains("copy 1: wrong checksum", Assert.Single(view.Check()), StringComparison.Ordinal);
    }

    [Fact]
    public void ANameThatStandsTwiceIsRefused()
    {
        var builder = BtrfsTrees.NewBuilder();
        builder.AddFile("etc/twin-a", BtrfsTrees.File, Posix.Bytes("a"));
        builder.AddFile("etc/twin-b", BtrfsTrees.File, Posix.Bytes("b"));
        var image = new Diecast.Formats.Btrfs.BtrfsFormat().Write(builder.Build(), BtrfsTrees.Options);
        byte[] bytes = image.ReadBytes(0, (int)image.Length);
        foreach (var extent in image.Extents.Where(static extent => extent.Label.Kind == "btrfs FS_TREE leaf"))
        {
            var part = bytes.AsSpan((int)extent.Offset, (int)extent.Length);
            for (int at; (at = part.IndexOf("twin-b"u8)) >= 0;)
            {
                part[at + 5] = (byte)'a';
            }
        }
        foreach (var extent in image.Extents.Where(static extent => extent.Label.Kind == "btrfs FS_TREE leaf" && extent.Offset % NodeSize == 0))
        {
            var block = bytes.AsSpan((int)extent.Offset, NodeSize);
            BinaryPrimitives.WriteUInt32LittleEndian(block, Diecast.Binary.Crc32C.Compute(block[32..]));
        }
        var view = Diecast.Formats.Btrfs.BtrfsReader.Read(new MemoryBlob(bytes));
        var exception = Assert.Throws<InvalidDataException>(() => view.Tree.Find("etc/twin-a"));
        Assert.Matches(@"^btrfs FS_TREE leaf at \d+, item \d+ \(257 DIR_INDEX 3\): ""twin-a"" stands twice in the directory$", exception.Message);
    }

    /// <summary>The chunk tree is found by the superblock's chunks, but its own do not hold it.</summary>
    [Fact]
    public void AChunkTreeOutsideOfItsChunksIsNoticed()
    {
        using var directory = new TempDirectory();
        string image = BtrfsSamples.Make(directory, "image", null, 128 << 20, "-m", "single");
        var view = BtrfsSamples.Read(image);
        var find = view.FieldFinder();
        var leaf = view.Layout().Extents.First(static extent => extent.Label.Kind == "btrfs CHUNK_TREE leaf");
        byte[] bytes = File.ReadAllBytes(image);
        FieldSpan? length = null;
        for (long at = leaf.Offset + NodeSize - 1; length is null; at--)
        {
            var span = find(at);
            length = span?.Name == "type" && span.Value == "SYSTEM|single" ? find(span.Offset - 24) : null;
        }
        Assert.Equal(("length", "4194304"), (length.Name, length.Value));
        bytes.AsSpan((int)length.Offset, 8).Clear();
        bytes[length.Offset + 1] = 16;
        var block = bytes.AsSpan((int)leaf.Offset, NodeSize);
        BinaryPrimitives.WriteUInt32LittleEndian(block, Diecast.Binary.Crc32C.Compute(block[32..]));
        view = Diecast.Formats.Btrfs.BtrfsReader.Read(new MemoryBlob(bytes));
        Assert.Throws<InvalidDataException>(view.Layout);
        Assert.Throws<InvalidDataException>(view.FieldFinder);
        Assert.Contains("no chunk has a block", Assert.Single(view.Check()), StringComparison.Ordinal);
    }
}
