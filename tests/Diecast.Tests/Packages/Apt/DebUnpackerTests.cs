using System.Globalization;
using System.Text;
using Diecast.Packages;
using Diecast.Packages.Apt;
using Diecast.Tests.Support;
using Diecast.Trees;
using static Diecast.Tests.Packages.Apt.TestDebs;

namespace Diecast.Tests.Packages.Apt;

/// <summary>Unpacking, held against the dpkg of the host: the same files, owners and modes, and the same database.</summary>
public sealed class DebUnpackerTests
{
    private const long Epoch = 1_500_000_000;
    private const string Own = "/var/lib/dpkg/";

    [Fact]
    public void UnpacksAsDpkgDoes()
    {
        RequireRoot();
        using var debs = new TestDebs();
        debs.Add("first", "Multi-Arch: same\nHomepage: https://example.invalid/", [
                ("conffiles", "/etc/first.conf\nremove-on-upgrade /etc/gone.conf\n"), ("md5sums", "00000000000000000000000000000000  usr/x\n"),
                ("triggers", "# none\ninterest-noawait /usr/share/first\ninterest told\n"), ("postinst", "#!/bin/sh\nexit 0\n"), ("shlibs", "x\n")],
            File("etc/first.conf", "key = value\n", 0x180), File("usr/x", "x", 0x9ED), Symlink("usr/link", "x"), Directory("usr/share/first", 0x1FD),
            new Member("./usr/hard", '1', Link: "./usr/x", Mode: 0x9ED), File("usr/share/both", "of first\n"), File("usr/share/kept", "of first\n"),
            File("usr/divert", "of first\n"), File("usr/own", "owned\n"), new Member("./usr/fifo", '6'), new Member("./usr/null", '3'));
        debs.Add("second", "Replaces: first (<< 2)\nDepends: first, other | another (>= 1)", [("triggers", "activate told\n")],
            File("usr/share/both", "of second\n"), File("usr/share/first/new ü", "touches\n"), new Member("./usr/mail", '0', "m", Group: "mail", User: "unknown"), Directory("usr/link2"));
        debs.Add("third", "Section: misc\nPriority: optional\nInstalled-Size: 12", [("conffiles", "/etc/third.conf\n")],
            Directory("usr/share"), File("usr/alias/through", "t\n"), File("etc/third.conf", "3\n"), Symlink("usr/link2", "elsewhere"));
        debs.Add("replacer", "Replaces: late", [], File("usr/late", "of replacer\n"), File("usr/divert", "of replacer\n"));
        debs.Add("conf-a", "", [("conffiles", "/etc/a-then-b.conf\n/etc/a.conf\n")], File("etc/a-then-b.conf", "of a\n"), File("etc/a.conf", "of a\n"));
        debs.Add("conf-b", "Replaces: conf-a, conf-c", [("conffiles", "/etc/a-then-b.conf\n/etc/b.conf\n")], File("etc/a-then-b.conf", "of b\n"), File("etc/b.conf", "of b\n"));
        debs.Add("conf-c", "", [("conffiles", "/etc/b.conf\n")], File("etc/b.conf", "of c\n"), File("usr/c", "c"));
        debs.Add("late", "", [], File("usr/late", "of late\n"), File("usr/only", "of late\n"));

        string[] theirs = Theirs(debs, []);
        string[] ours = Ours(debs, [], out _);
        Assert.Equal(theirs, ours);
        Assert.Contains(ours, static line => line.StartsWith("/usr/real/through ", StringComparison.Ordinal));
        Assert.Contains(ours, static line => line.StartsWith("/usr/divert.away file 0644 0:0", StringComparison.Ordinal));
        Assert.Contains(ours, static line => line.StartsWith("/usr/own file 4755 0:8", StringComparison.Ordinal));
        Assert.Contains(ours, static line => line.StartsWith("/usr/mail file 0644 0:8", StringComparison.Ordinal));
    }

    [Fact]
    public void LeavesOutWhatDpkgLeavesOut()
    {
        RequireRoot();
        using var debs = new TestDebs();
        debs.Add("documented", "", [], File("usr/share/doc/documented/copyright", "free\n"), File("usr/share/doc/documented/readme", "long\n"),
            File("usr/share/doc/documented/examples/a", "a\n"), Symlink("usr/share/doc/link", "documented"), File("usr/share/man/man1/x.1", "x\n"),
            File("usr/share/info/x.info", "x\n"), Directory("usr/share/gtk-doc"), File("usr/share/documents", "kept\n"));
        string[] options = [.. PathFilter.NoDocumentation.Select(static rule => $"--path-{(rule.IsInclude ? "include" : "exclude")}={rule.Pattern}")];
        Assert.Equal(Theirs(debs, options), Ours(debs, PathFilter.NoDocumentation, out _));
    }

    [Fact]
    public void TheOracleNoticesAFlippedByte()
    {
        RequireRoot();
        using var debs = new TestDebs();
        debs.Add("one", "", [], File("usr/x", "content"));
        string[] before = Ours(debs, [], out string root);
        System.IO.File.WriteAllText(root + "/usr/x", "kontent");
        Assert.NotEqual(before, Tree(root));
    }

    [Fact]
    public void FilesInConflictAreNamed()
    {
        using var debs = new TestDebs();
        debs.Add("one", "", [], File("usr/x", "1"));
        debs.Add("two", "", [], File("usr/x", "2"));
        var error = Assert.Throws<PackageException>(() => Ours(debs, [], out _));
        Assert.Equal("/usr/x is in both one 1.0-1 and two 1.0-1, and neither replaces the other", error.Message);
    }

    /// <summary>Each is either refused, or lands inside of the root.</summary>
    [Theory]
    [InlineData("../../escape", '0', "")]
    [InlineData("usr/../../../escape", '0', "")]
    [InlineData("/escape", '0', "")]
    [InlineData("way/escape", '0', "")]
    [InlineData("relative/escape", '0', "")]
    [InlineData("way/escape", '1', "usr/x")]
    [InlineData("stolen", '1', "way/secret")]
    [InlineData("stolen", '1', "../secret")]
    [InlineData("way/secret", '0', "")]
    [InlineData("loop/x", '0', "")]
    [InlineData("usr/x/below", '0', "")]
    [InlineData("new\nline", '0', "")]
    [InlineData("way", '5', "")]
    [InlineData("empty", '2', "")]
    public void NothingLeavesTheRoot(string path, char type, string link)
    {
        using var debs = new TestDebs();
        System.IO.Directory.CreateDirectory(debs["outside"]);
        System.IO.File.WriteAllText(debs["outside/secret"], "secret");
        System.IO.File.WriteAllText(debs["secret"], "secret");
        debs.Add("ways", "", [], Symlink("way", debs["outside"]), Symlink("relative", "../outside"), Symlink("loop", "loop"));
        debs.Add("evil", "", [], File("usr/x", "x"), new Member(path, type, type == '0' ? "evil" : "", link, Mode: 0x1ED));
        try
        {
            Ours(debs, [], out string root);
            Assert.False(System.IO.File.Exists(root + "/stolen"));
        }
        catch (PackageException e)
        {
            Assert.Contains("in both ways 1.0-1 and evil", e.Message, StringComparison.Ordinal);
        }
        catch (InvalidDataException e)
        {
            Assert.StartsWith("package evil 1.0-1: ", e.Message, StringComparison.Ordinal);
        }
        Assert.Equal(["secret"], System.IO.Directory.GetFileSystemEntries(debs["outside"]).Select(static entry => Path.GetFileName(entry)));
        Assert.Equal("secret", System.IO.File.ReadAllText(debs["outside/secret"]));
        Assert.False(System.IO.File.Exists(debs["escape"]) || System.IO.File.Exists("/escape"));
    }

    private static void RequireRoot()
    {
        if (Tool.RunOk("id", "-u").Trim() != "0")
        {
            Tool.Missing("dpkg needs root to set owners");
        }
    }

    private static readonly (string Path, string Content)[] s_before =
    [
        ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"), ("etc/group", "root:x:0:\nmail:x:8:\n"),
        ("var/lib/dpkg/diversions", "/usr/divert\n/usr/divert.away\nreplacer\n"), ("var/lib/dpkg/statoverride", "root mail 4755 /usr/own\n"),
        ("usr/real/x", "a directory\n"), ("etc/third.conf", "the user's\n"),
    ];

    private static string[] Ours(TestDebs debs, IReadOnlyList<PathFilter.Rule> rules, out string path)
    {
        path = debs["ours"];
        using var root = new StagedRoot(path, new Timestamp(Epoch));
        foreach (var (file, content) in s_before)
        {
            root.Write(file, content);
        }
        root.Link("usr/alias", "real");
        var files = new InstalledFiles();
        var triggers = new DpkgTriggers();
        var database = new DpkgDatabase(root, files, triggers);
        database.Create("amd64");
        var unpacker = new DebUnpacker(root, files, triggers, database, new PathFilter(rules));
        foreach (var source in debs.All)
        {
            var package = DebPackage.Read(source, "amd64");
            try
            {
                using var data = DebArchive.OpenData(source.Open());
                unpacker.Unpack(package, data, isFirst: false);
            }
            catch (InvalidDataException e)
            {
                throw DebPackage.Named(source, e);
            }
        }
        database.Flush();
        return Tree(path);
    }

    private static string[] Theirs(TestDebs debs, string[] options)
    {
        string root = debs["theirs"];
        foreach (var (file, content) in s_before.Append(("var/lib/dpkg/status", "")))
        {
            System.IO.Directory.CreateDirectory(Path.GetDirectoryName(Path.Join(root, file))!);
            System.IO.File.WriteAllText(Path.Join(root, file), content);
            System.IO.File.SetLastWriteTimeUtc(Path.Join(root, file), DateTimeOffset.FromUnixTimeSeconds(Epoch).UtcDateTime);
        }
        System.IO.Directory.CreateDirectory(root + "/var/lib/dpkg/updates");
        System.IO.Directory.CreateDirectory(root + "/var/lib/dpkg/info");
        System.IO.File.CreateSymbolicLink(root + "/usr/alias", "real");
        Tool.RunOk("dpkg", ["--root=" + root, "--force-depends", "--log=/dev/null", .. options, "--unpack", .. debs.All.Select(debs.PathOf)]);
        return Tree(root);
    }

    /// <summary>The tree as text; of dpkg's own files those whose content matters.</summary>
    private static string[] Tree(string root)
    {
        var text = new List<string>();
        foreach (var entry in HostTree.Read(Posix.Bytes(root), new HostTree.Options()).Walk().Skip(1))
        {
            string path = FileName.Display(entry.Path!.ToBytes());
            if (path.StartsWith(Own, StringComparison.Ordinal) && !path.StartsWith(Own + "info/", StringComparison.Ordinal)
                && path is not (Own + "status" or Own + "triggers/File" or Own + "triggers/told"))
            {
                continue;
            }
            var metadata = entry.Node.Metadata;
            string what = entry.Node switch
            {
                FileNode file => Encoding.Latin1.GetString(file.Content.ReadBytes(0, (int)file.Content.Length)),
                SymlinkNode link => FileName.Display(link.Target.AsSpan()),
                _ => "",
            };
            bool isDevice = entry.Node is DeviceNode || path == "/usr/null";
            // A package's file keeps its time; that of directories is settled when the root is frozen.
            long time = path.StartsWith("/usr/", StringComparison.Ordinal) && entry.Node is FileNode && !isDevice ? metadata.Mtime.Seconds : 0;
            text.Add(string.Create(CultureInfo.InvariantCulture,
                $"{path} {(isDevice ? "device" : entry.Node.Type.ToName())} {Convert.ToString(metadata.Mode, 8).PadLeft(4, '0')} {metadata.Uid}:{metadata.Gid} {time} {what}"));
        }
        return [.. text];
    }
}
