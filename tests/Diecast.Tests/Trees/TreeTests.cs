using CsCheck;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Trees;

public sealed class TreeTests
{
    private static readonly Metadata s_meta = new(0x1ED, 0, 0, new Timestamp(1_700_000_000, 5));

    [Fact]
    public void NamesCompareAsBytes()
    {
        var utf16First = new FileName("\U0001F600");
        var bytesFirst = new FileName("\uFB01");
        Assert.True(bytesFirst < utf16First);
        Assert.True(string.CompareOrdinal("\U0001F600", "\uFB01") < 0);
    }

    [Fact]
    public void NameOrderIsTotal() => Gen.Byte.Array[0, 6].Select(static bytes => new FileName(bytes)).Array[3].Sample(names =>
    {
        var (a, b, c) = (names[0], names[1], names[2]);
        Assert.Equal(Math.Sign(a.CompareTo(b)), -Math.Sign(b.CompareTo(a)));
        Assert.Equal(a.CompareTo(b) == 0, a.Equals(b));
        Assert.False(a.CompareTo(b) < 0 && b.CompareTo(c) < 0 && a.CompareTo(c) >= 0);
    });

    [Fact]
    public void DisplayIsInjective() => Gen.Byte.Array[0, 8].Array[2].Sample(pair =>
        pair[0].AsSpan().SequenceEqual(pair[1]) == (FileName.Display(pair[0]) == FileName.Display(pair[1])));

    [Theory]
    [InlineData("a/../b")]
    [InlineData("a\0b")]
    public void BadPathsAreRefused(string path) =>
        Assert.Throws<InvalidDataException>(() => new TreeBuilder(s_meta).AddFile(path, s_meta, new byte[1]));

    [Fact]
    public void HostTreeKnowsLinksModesAndTimes()
    {
        using var directory = new TempDirectory();
        File.WriteAllText(directory["b"], "content");
        Posix.LinkAt(Posix.AT_FDCWD, Posix.Bytes(directory["b"]), Posix.AT_FDCWD, Posix.Bytes(directory["a"]));
        Posix.ChmodAt(Posix.AT_FDCWD, Posix.Bytes(directory["a"]), 0x9ED);
        Posix.SetTimes(Posix.AT_FDCWD, Posix.Bytes(directory["a"]), new Timestamp(-5, 7));
        Posix.SymlinkAt("nowhere"u8, Posix.AT_FDCWD, Posix.Bytes(directory["l"]));
        Posix.MkdirAt(Posix.AT_FDCWD, [.. Posix.Bytes(directory.Path), .. "/\xff\xfe"u8], 0x1FF);
        var tree = HostTree.Read(Posix.Bytes(directory.Path));
        Assert.Same(tree.Find("a"), tree.Find("b"));
        Assert.Equal(0x9ED, tree.Find("a")!.Metadata.Mode);
        Assert.Equal(new Timestamp(-5, 7), tree.Find("/a")!.Metadata.Mtime);
        Assert.Equal("nowhere"u8.ToArray(), ((SymlinkNode)tree.Find("l")!).Target.AsSpan().ToArray());
        Assert.Contains("/b link=/a", TreeText.Lines(tree));
    }

    [Fact]
    public void AChangedSourceIsNoticed()
    {
        using var directory = new TempDirectory();
        File.WriteAllText(directory["f"], "content");
        var tree = HostTree.Read(Posix.Bytes(directory.Path));
        File.AppendAllText(directory["f"], "more");
        var error = Assert.Throws<IOException>(() => TreeText.Format(tree));
        Assert.Contains(directory["f"], error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheTextFormDoesNotDependOnTheOrderOfAdding()
    {
        string[] sorted = ["b", "b2", "x/a", "x/y", "x/y2"];
        string expected = Text(sorted);
        Gen.Shuffle(sorted).Sample(paths => Text(paths) == expected);
    }

    private static string Text(string[] paths)
    {
        var builder = new TreeBuilder(s_meta);
        foreach (string path in paths)
        {
            builder.AddFile(path, s_meta, Posix.Bytes(path));
        }
        return TreeText.Format(builder.Build());
    }
}
