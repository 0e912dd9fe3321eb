using CsCheck;
using Diecast.Images;
using Diecast.Inspect.Differences;
using Diecast.Trees;

namespace Diecast.Tests.Inspect.Differences;

public sealed class ImageDifferTests
{
    private static readonly DiffOptions s_options = new();
    private static readonly byte[] s_disk = ImageSamples.Bytes(ImageSamples.Disk());

    private static Difference? Compare(Blob before, Blob after) => ImageDiffer.Compare(before, after, s_options);

    /// <summary>Everything from the root to each thing that has nothing in it.</summary>
    private static IEnumerable<Difference> All(Difference difference) => difference.Children.SelectMany(All).Prepend(difference);

    private static Difference Find(Difference root, params string[] names)
    {
        foreach (string name in names)
        {
            root = Assert.Single(root.Children, child => child.Name.StartsWith(name, StringComparison.Ordinal));
        }
        return root;
    }

    private static byte[] Flipped(params IEnumerable<int> places)
    {
        byte[] bytes = [.. s_disk];
        foreach (int place in places)
        {
            bytes[place] ^= 0x10;
        }
        return bytes;
    }

    [Fact]
    public void TheSameIsNoDifference() => Assert.Null(Compare(ImageSamples.Disk(), new MemoryBlob(s_disk)));

    /// <summary>Wherever a byte differs, somebody is told to have it: by a field, a line or a label.</summary>
    [Fact]
    public void NoByteIsLeftUnexplained() =>
        Gen.Int[0, s_disk.Length - 1].HashSet[1, 20].Sample(
            places =>
            {
                var found = Compare(new MemoryBlob(s_disk), new MemoryBlob(Flipped(places)));
                Assert.NotNull(found);
                Assert.Equal(places.Count, found.DifferingBytes);
                Assert.All(All(found).Where(static d => d.Children.Count == 0), static d => Assert.True(
                    d.Fields.Count > 0 || d.Lines.Count > 0 || d.Notes.Count > 0 || d.Change != Change.Changed || d.DifferingBytes > 0, d.Name));
                // What a file system is said to differ in is all of it, where it could be read.
                Assert.All(All(found).Where(static d => d.Format is "ext4" or "vfat" && !d.Notes.Any(static n => n.StartsWith("damaged", StringComparison.Ordinal))),
                    static d => Assert.Equal(d.DifferingBytes, d.Children.Sum(static child => child.DifferingBytes)));
            }, iter: 150, threads: 2);

    [Fact]
    public void AFileIsNamedWithItsLines()
    {
        var root = ImageSamples.Root();
        var changed = new TreeBuilder(root.Root.Metadata);
        changed.AddTree(root);
        changed.AddFile("etc/passwd", ImageSamples.Plain with { Uid = 5 }, "root:x:0:0::/root:/bin/sx\n"u8.ToArray());
        changed.AddFile("etc/new", ImageSamples.Plain, "new"u8.ToArray());
        changed.Remove("etc/a:b"u8);
        var found = Compare(ImageSamples.Disk(), ImageSamples.Disk(changed.Build()))!;
        var partition = Find(found, "2 (first: root)");
        Assert.Equal(("partition", "ext4"), (partition.Kind, partition.Format));
        var passwd = Find(partition, "/etc/passwd");
        Assert.Contains(passwd.Fields, static f => f is { Name: "uid", Before: "0", After: "5" });
        Assert.Equal(Change.Added, Find(partition, "/etc/new").Change);
        Assert.Equal(Change.Removed, Find(partition, "/etc/a:b").Change);
        Assert.DoesNotContain(partition.Children, static c => c.Name == "/usr/lib/os-release" && c.Fields.Any(static f => f.Cause is null));
    }

    [Fact]
    public void WhatMovesWithAFileThatGrewIsToldAsFollowing()
    {
        var changed = new TreeBuilder(ImageSamples.Root().Root.Metadata);
        changed.AddTree(ImageSamples.Root());
        changed.AddFile("etc/aaa", ImageSamples.Plain, new byte[100_000].Select(static (_, i) => (byte)(i % 251)).ToArray());
        var partition = Find(Compare(ImageSamples.Disk(), ImageSamples.Disk(changed.Build()))!, "2 (first: root)");
        Assert.Equal("/etc/aaa", Assert.Single(partition.Children, static child => child.IsFile && !child.IsFollowing).Name);
        Assert.Contains(partition.Children, static child => child is { Name: "contents at other places", Cause.Id: "follows-files" });
        Assert.DoesNotContain(All(partition), static d => d.Fields.Any(static f => f.Cause?.Id == "directory-order"));
    }

    [Fact]
    public void AFileThatWasRenamedIsRecognised()
    {
        var renamed = new TreeBuilder(ImageSamples.Root().Root.Metadata);
        renamed.AddTree(ImageSamples.Root());
        renamed.AddFile("etc/passwd2", ImageSamples.Plain, ImageSamples.Root().Walk().Where(static e => e.Path?.ToString() == "/etc/passwd")
            .Select(static e => ((FileNode)e.Node).Content).Single());
        renamed.Remove("etc/passwd"u8);
        var found = ImageDiffer.Compare(ImageSamples.Root(), renamed.Build(), new DiffOptions())!;
        Assert.Contains("the content of /etc/passwd, which is gone", found.Children.Single(static child => child.Change == Change.Added).Notes);
        Assert.DoesNotContain(found.Children.Single(static child => child.Change == Change.Removed).Notes, static note => note.Contains("gone", StringComparison.Ordinal));
    }

    [Fact]
    public void AFileInAPackedInitrdInAKernelInAFatIsReached()
    {
        var found = Compare(ImageSamples.Disk(), ImageSamples.Disk(kernel: ImageSamples.Kernel("#?")))!;
        var file = Find(found, "1 (system)", "/EFI/Linux/x.efi", ".initrd", "/init");
        Assert.Equal(["-#!", "\\ No newline at end of file", "+#?", "\\ No newline at end of file"], file.Lines.Where(static l => l[0] is '-' or '+' or '\\'));
    }

    [Fact]
    public void APartitionIsRecognisedUnderAnotherNumber()
    {
        var found = Compare(ImageSamples.Disk(), ImageSamples.Disk(rootNumber: 3))!;
        Assert.DoesNotContain(found.Children, static child => child.Kind == "partition");
        Assert.NotEmpty(found.Children);
    }

    [Fact]
    public void WhatIsDamagedOnOneSideIsToldByItsBytes()
    {
        byte[] damaged = [.. s_disk];
        // The superblock's count of blocks.
        damaged[(5 << 20) + 1024 + 4] ^= 0xff;
        var found = Find(Compare(new MemoryBlob(s_disk), new MemoryBlob(damaged))!, "2 (first: root)");
        Assert.Contains(found.Notes, static note => note.StartsWith("after: damaged: ext4", StringComparison.Ordinal));
        Assert.NotEmpty(found.Lines);
    }

    [Fact]
    public void ArchivesOfTheSameFilesAreComparedAcrossTheirKinds()
    {
        var tree = ImageSamples.Tree(("a", "one"), ("b", "two"));
        var tar = Diecast.Formats.Tar.TarWriter.Write(tree);
        var cpio = Diecast.Formats.Cpio.CpioWriter.Write(ImageSamples.Tree(("a", "one"), ("b", "twO")));
        var found = Compare(tar, cpio)!;
        Assert.Contains(found.Fields, static f => f is { Name: "kind", Before: "tar", After: "cpio" });
        Assert.Equal("/b", Assert.Single(found.Children).Name);
    }

    [Fact]
    public void TreesAreCompared()
    {
        var before = ImageSamples.Tree(("a", "one"), ("dir/x", "1"), ("dir/y", "2"), ("gone/z", "3"));
        var builder = new TreeBuilder(before.Root.Metadata);
        builder.AddTree(before);
        builder.Remove("gone"u8);
        builder.Remove("a"u8);
        builder.AddSymlink("a", ImageSamples.Plain, "dir");
        builder.AddFile("dir/x", ImageSamples.Plain with { Xattrs = [Xattr.Create("user.k"u8, "v"u8)] }, "1"u8.ToArray());
        var found = ImageDiffer.Compare(before, builder.Build(), s_options)!;
        Assert.Equal(["/a", "/dir/x", "/gone"], found.Children.Select(static c => c.Name));
        Assert.Contains(Find(found, "/a").Fields, static f => f is { Name: "type", Before: "file", After: "symlink" });
        Assert.Contains(Find(found, "/dir/x").Fields, static f => f is { Name: "xattr user.k", Before: null, After: "v" });
        Assert.Equal((Change.Removed, "directory"), (Find(found, "/gone").Change, Find(found, "/gone").Kind));
        Assert.Null(ImageDiffer.Compare(before, before, s_options));
    }

    /// <summary>More differences than are told one by one are counted, and the answer stays the same.</summary>
    [Fact]
    public void DetailsAreBounded()
    {
        var before = ImageSamples.Tree([.. Enumerable.Range(0, 50).Select(static i => ($"f{i}", "1"))]);
        var after = ImageSamples.Tree([.. Enumerable.Range(0, 50).Select(static i => ($"f{i}", "2"))]);
        var found = ImageDiffer.Compare(before, after, new DiffOptions { MaximumDetails = 10 })!;
        Assert.Equal(10, found.Children.Count);
        Assert.Contains(found.Notes, static note => note.StartsWith("40 more", StringComparison.Ordinal));
    }
}
