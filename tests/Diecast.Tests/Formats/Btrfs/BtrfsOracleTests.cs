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
            Assert.Equal(entry.Node is DirectoryNode ? 1u : LinksOf(tree, entry.Node), Posix.Stat(Posix.AT_FDCWD, path).Nlink);
        }
    }

    private static uint LinksOf(FileTree tree, Node node) =>
        ReferenceEquals(node, tree.Find("hard")) ? 3u : ReferenceEquals(node, tree.Find("another/name")) ? 301u : 1u;
}
