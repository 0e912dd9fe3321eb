using System.Text;
using Diecast.Packages.Pacman;

namespace Diecast.Tests.Packages.Pacman;

public sealed class FileConflictsTests
{
    [Fact]
    public void LinksToDirectoriesAreFollowed()
    {
        var conflicts = FileConflicts.Check(
        [
            ("filesystem", [Link("bin", "usr/bin"), Link("sbin", "/bin"), Link("usr/lib64", "../usr/./lib"), Directory("usr"), Directory("usr/bin"), Directory("usr/lib")]),
            ("one", [Directory("usr"), File("bin/sh"), File("usr/lib64/a"), File("usr/share/x")]),
            ("two", [File("sbin/sh"), File("usr/lib/a"), Directory("usr/share/x"), File("usr/lib/b")]),
        ]);
        Assert.Equal(
            ["/sbin/sh is in both one and two", "/usr/lib/a is in both one and two", "/usr/share/x is in both one and two"], conflicts);
    }

    [Fact]
    public void LinksThatLeadNowhereEnd()
    {
        Assert.Throws<InvalidDataException>(() => FileConflicts.Check([("loop", [Link("a", "b"), Link("b", "a"), File("a/x")])]));
        Assert.Equal(["/x is in both up and other"], FileConflicts.Check([("up", [Link("l", "../../.."), File("l/x")]), ("other", [File("x")])]).Select(static line => line.Replace("/l/x", "/x", StringComparison.Ordinal)));
    }

    private static PackagePath File(string path) => new(Encoding.UTF8.GetBytes(path), false);

    private static PackagePath Directory(string path) => new(Encoding.UTF8.GetBytes(path), true);

    private static PackagePath Link(string path, string target) => new(Encoding.UTF8.GetBytes(path), false, Encoding.UTF8.GetBytes(target));
}
