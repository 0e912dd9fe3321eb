using Diecast.Formats.Ext4;
using Diecast.Images;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Ext4;

/// <summary>The kernel's view: what it reads, and whether it can go on from what the writer left.</summary>
public sealed class Ext4MountTests
{
    private static readonly Ext4Format s_ext4 = new();

    [Fact]
    public void TheMountedTreeIsTheOneWritten()
    {
        using var directory = new TempDirectory();
        var tree = Ext4Samples.Everything(3000);
        ImageFile.Write(s_ext4.Write(tree, Ext4Samples.Options), directory["image"]);
        using var mount = new LoopMount(directory, "image", "ro");
        Assert.Equal(TreeText.Format(tree), TreeText.Format(mount.Tree()));
        foreach (var entry in tree.Walk())
        {
            byte[] path = [.. Posix.Bytes(mount.Path), .. entry.Path?.ToBytes() ?? []];
            Assert.Equal(LinksOf(tree, entry.Node), Posix.Stat(Posix.AT_FDCWD, path).Nlink);
        }
    }

    private static uint LinksOf(FileTree tree, Node node) => node is DirectoryNode directory
        ? 2 + (uint)directory.Entries.Count(static entry => entry.Node is DirectoryNode)
        : ReferenceEquals(node, tree.Find("hard")) ? 3u : 1u;

    /// <summary>The kernel finds a name in an indexed directory by its hash, for which characters are unsigned.</summary>
    [Fact]
    public void NamesThatAreNotAsciiAreFound()
    {
        using var directory = new TempDirectory();
        var builder = Ext4Samples.NewBuilder();
        var names = Enumerable.Range(0, 500).Select(static i => (byte[])[(byte)(128 + i % 128), 0xFF, .. Posix.Bytes($"{i}-\u00e9")]).ToList();
        foreach (byte[] name in names)
        {
            builder.Add([.. "d/"u8, .. name], new FileNode(Ext4Samples.File, Blob.Empty));
        }
        ImageFile.Write(s_ext4.Write(builder.Build(), Ext4Samples.Options), directory["image"]);
        E2fsck.Clean(directory["image"]);
        using var mount = new LoopMount(directory, "image", "ro");
        foreach (byte[] name in names)
        {
            Assert.NotNull(Posix.TryStat(Posix.AT_FDCWD, [.. Posix.Bytes($"{mount.Path}/d/"), .. name]));
        }
    }

    /// <summary>A file that reaches over the superblock copies at the start of groups, in a file system without a free block.</summary>
    [Fact]
    public void FilesReachOverGroups()
    {
        using var directory = new TempDirectory();
        var builder = Ext4Samples.NewBuilder();
        builder.AddFile("data", Ext4Samples.File, new ComputedBlob((150 << 20) + 77, static (offset, span) =>
        {
            for (int i = 0; i < span.Length; i++)
            {
                span[i] = (byte)((offset + i) / 4093 % 255 + 1);
            }
        }));
        var tree = builder.Build();
        ImageFile.Write(s_ext4.Write(tree, Ext4Samples.Options), directory["image"]);
        E2fsck.Clean(directory["image"]);
        Assert.Contains("Free blocks:              0\n", Tool.RunOk("dumpe2fs", "-h", directory["image"]), StringComparison.Ordinal);
        using var mount = new LoopMount(directory, "image", "ro");
        Assert.Equal(TreeText.Format(tree), TreeText.Format(mount.Tree()));
    }

    [Fact]
    public void AFilePastFourGibibytesReadsBack()
    {
        using var directory = new TempDirectory();
        var builder = Ext4Samples.NewBuilder();
        long size = (5L << 30) + 5;
        var content = Ext4Samples.Sparse(size, 0, 1 << 20, size / 4096);
        builder.AddFile("past4g", Ext4Samples.File, content);
        ImageFile.Write(s_ext4.Write(builder.Build(), Ext4Samples.Options), directory["image"]);
        E2fsck.Clean(directory["image"]);
        using var mount = new LoopMount(directory, "image", "ro");
        using var file = File.OpenHandle($"{mount.Path}/past4g");
        Assert.Equal(size, RandomAccess.GetLength(file));
        foreach (long offset in new[] { 0, 1L << 32, size - 5, size - 4101 })
        {
            var read = new byte[Math.Min(4096, size - offset)];
            Assert.Equal(read.Length, RandomAccess.Read(file, read, offset));
            Assert.Equal(content.ReadBytes(offset, read.Length), read);
        }
    }

    [Fact]
    public void TheKernelGoesOnFromIt()
    {
        using var directory = new TempDirectory();
        var tree = Ext4Samples.Everything(3000);
        ImageFile.Write(s_ext4.Write(tree, Ext4Samples.Options with { Size = 256 << 20 }), directory["image"]);
        using (var mount = new LoopMount(directory, "image", "rw"))
        {
            for (int i = 0; i < 3000; i += 2)
            {
                File.Delete($"{mount.Path}/many/file-{i:D6}");
            }
            for (int i = 0; i < 5000; i++)
            {
                File.WriteAllText($"{mount.Path}/many/new-{i}", "new");
            }
            File.WriteAllBytes($"{mount.Path}/large", new byte[20 << 20]);
            File.Delete($"{mount.Path}/sparse");
            Directory.CreateDirectory($"{mount.Path}/a/b/c");
            Assert.Equal(1500 + 5000, Directory.GetFiles($"{mount.Path}/many").Length);
        }
        E2fsck.Clean(directory["image"]);
    }
}

/// <summary>An image mounted by loop device until disposal. Without the right to mount: a skip, in CI a failure.</summary>
internal sealed class LoopMount : IDisposable
{
    public LoopMount(TempDirectory directory, string image, string options)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Tool.Missing("mounting needs root");
        }
        Path = directory["mount"];
        Directory.CreateDirectory(Path);
        Tool.RunOk("mount", "-t", "ext4", "-o", $"loop,{options}", directory[image], Path);
    }

    public string Path { get; }

    public FileTree Tree() => HostTree.Read(Posix.Bytes(Path));

    /// <summary>Lazily: the tree's blobs may still hold a file open. What was written is in the image all the same.</summary>
    public void Dispose()
    {
        Tool.RunOk("sync", "-f", Path);
        Tool.RunOk("umount", "--lazy", Path);
    }
}
