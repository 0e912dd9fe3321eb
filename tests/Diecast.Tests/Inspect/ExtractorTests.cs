using Diecast.Images;
using Diecast.Inspect;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Inspect;

public sealed class ExtractorTests : IDisposable
{
    private readonly TempDirectory _directory = new("/var/tmp");

    public void Dispose() => _directory.Dispose();

    private IReadOnlyList<string> Extract(FileTree tree, bool keepsOwners = true)
    {
        using var extractor = new Extractor(_directory["out"], keepsOwners);
        extractor.Write(tree);
        return extractor.Warnings;
    }

    private FileTree Extracted => HostTree.Read(Posix.Bytes(_directory["out"]));

    [Fact]
    public void RootGetsTheTreeAsItIs()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Tool.Missing("extracting owners and devices needs root");
        }
        var tree = SampleTrees.Everything();
        Assert.Empty(Extract(tree));
        Assert.Equal(TreeText.Lines(tree), TreeText.Lines(Extracted));
    }

    [Fact]
    public void OwnersThatAreLeftTakeTheirPrivilegesAlong()
    {
        var builder = new TreeBuilder(ImageSamples.Plain with { Mode = 0x1ED });
        builder.AddFile("su", new Metadata(0x9ED, 12345, 0, new Timestamp(5)), "x"u8.ToArray());
        builder.AddFile("plain", new Metadata(0x1A4, 12345, 0, new Timestamp(5)), "x"u8.ToArray());
        Assert.Equal([$"{_directory["out"]}: 1 file is not set-user-ID or set-group-ID, since its owner is another"], Extract(builder.Build(), keepsOwners: false));
        Assert.Equal(0x1ED, Extracted.Find("/su")!.Metadata.Mode);
        Assert.Equal(Posix.Stat(Posix.AT_FDCWD, Posix.Bytes(_directory.Path)).Uid, Extracted.Find("/plain")!.Metadata.Uid);
        Assert.Equal(new Timestamp(5), Extracted.Find("/plain")!.Metadata.Mtime);
    }

    [Fact]
    public void HolesStayHoles()
    {
        var builder = new TreeBuilder(ImageSamples.Plain with { Mode = 0x1ED });
        builder.Add("large"u8, new FileNode(ImageSamples.Plain, new ComputedBlob(200 << 20, static (offset, destination) =>
        {
            if (offset <= 100 << 20 && 100 << 20 < offset + destination.Length)
            {
                destination[(int)((100 << 20) - offset)] = 1;
            }
        })));
        Extract(builder.Build());
        Assert.Equal(200 << 20, new FileInfo(_directory["out/large"]).Length);
        Assert.True(long.Parse(Tool.RunOk("stat", "-c", "%b", _directory["out/large"]), System.Globalization.CultureInfo.InvariantCulture) < 100);
        Assert.Equal(1, ((FileNode)Extracted.Find("/large")!).Content.ReadBytes(100 << 20, 1)[0]);
    }

    [Fact]
    public void NothingThatExistsIsTouched()
    {
        Directory.CreateDirectory(_directory["out"]);
        Extract(ImageSamples.Tree(("a", "b")));
        Assert.Contains("is not empty", Assert.Throws<IOException>(() => Extract(ImageSamples.Tree(("a", "c")))).Message, StringComparison.Ordinal);
        Assert.Equal("b", File.ReadAllText(_directory["out/a"]));
    }

    /// <summary>A tree cannot hold such names; a link that comes to be there while the files are written is not followed either.</summary>
    [Fact]
    public void NoLinkLeadsOut()
    {
        Directory.CreateDirectory(_directory["outside"]);
        Assert.Throws<InvalidDataException>(() => new DirectoryNode(ImageSamples.Plain,
            [new DirectoryEntry(new FileName(".."), new FileNode(ImageSamples.Plain, Blob.Empty))]));
        Assert.Throws<InvalidDataException>(() => new DirectoryNode(ImageSamples.Plain,
            [new DirectoryEntry(new FileName("a/b"), new FileNode(ImageSamples.Plain, Blob.Empty))]));
        var attack = new DirectoryNode(ImageSamples.Plain with { Mode = 0x1ED }, () =>
        {
            Directory.Delete(_directory["out/d"]);
            Posix.SymlinkAt(Posix.Bytes(_directory["outside"]), Posix.AT_FDCWD, Posix.Bytes(_directory["out/d"]));
            return [new DirectoryEntry(new FileName("evil"), new FileNode(ImageSamples.Plain, new MemoryBlob("x"u8.ToArray())))];
        });
        var root = new DirectoryNode(ImageSamples.Plain with { Mode = 0x1ED }, [new DirectoryEntry(new FileName("d"), attack)]);
        Assert.Throws<PosixException>(() => Extract(new FileTree(root)));
        Assert.Empty(Directory.GetFileSystemEntries(_directory["outside"]));
    }
}
