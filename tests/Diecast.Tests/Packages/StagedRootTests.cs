using Diecast.Packages;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Packages;

public sealed class StagedRootTests : IDisposable
{
    private static readonly Timestamp s_packageTime = new(1_600_000_000, 123_456_789);
    private static readonly Timestamp s_epoch = new(1_700_000_000);
    private readonly TempDirectory _directory = new("/var/tmp");
    private readonly StagedRoot _root;

    public StagedRootTests()
    {
        if (Environment.UserName != "root")
        {
            Tool.Missing("owners cannot be set without root");
        }
        _root = new StagedRoot(_directory["root"], s_epoch);
    }

    public void Dispose()
    {
        _root.Dispose();
        _directory.Dispose();
    }

    private static Metadata Meta(ushort mode, uint uid = 0, uint gid = 0) => new(mode, uid, gid, s_packageTime);

    private string Host(string path) => Path.Join(_root.HostPath, path);

    private void Install()
    {
        _root.AddDirectory("usr/"u8, Meta(0x1ED));
        _root.AddDirectory("usr/bin/"u8, Meta(0x1ED));
        _root.AddSymlink("bin"u8, Meta(0x1FF), "usr/bin"u8);
        _root.AddFile("usr/bin/su"u8, Meta(0x9ED, 0, 5), "su"u8);
        _root.AddFile("usr/bin/ping"u8, Meta(0x1ED) with { Xattrs = [Xattr.Create("security.capability"u8, Convert.FromHexString("0100000200200000000000000000000000000000")), Xattr.Create("trusted.t"u8, "v"u8)] }, "ping"u8);
        _root.AddHardLink("usr/bin/ping6"u8, "usr/bin/ping"u8);
        _root.AddSpecial("usr/null"u8, Meta(0x1B6), FileType.CharacterDevice, 1, 3);
        _root.AddSpecial("usr/fifo"u8, Meta(0x1B6), FileType.Fifo, 0, 0);
        _root.AddFile("implied/file"u8, Meta(0x1A4, 70_000, 70_000), "x"u8);
        _root.AddFile("usr/\xff\xfe"u8, Meta(0x1A4), "bytes"u8);
        _root.EndPackage();
    }

    [Fact]
    public void PackagesKeepWhatTheyCameWith()
    {
        Install();
        string text = TreeText.Format(_root.Freeze());
        foreach (string line in (string[])[
            "/ dir 0755 0:0 1700000000.000000000\n",
            "/bin symlink 0777 0:0 1600000000.123456789 usr/bin\n",
            "/implied dir 0755 0:0 1700000000.000000000\n",
            "/implied/file file 0644 70000:70000 1600000000.123456789 1 sha256=",
            "/usr dir 0755 0:0 1600000000.123456789\n",
            "/usr/bin dir 0755 0:0 1600000000.123456789\n",
            "/usr/bin/ping6 link=/usr/bin/ping\n",
            "/usr/fifo fifo 0666 0:0 1600000000.123456789\n",
            "/usr/null char 0666 0:0 1600000000.123456789 1:3\n"])
        {
            Assert.Contains(line, text, StringComparison.Ordinal);
        }
        var ping = _root.Freeze().Find("/usr/bin/ping")!.Metadata;
        Assert.Equal(2, ping.Xattrs.Length);
        Assert.Equal(0x9ED, _root.Freeze().Find("/usr/bin/su")!.Metadata.Mode);
        var device = Assert.IsType<DeviceNode>(_root.Freeze().Find("/usr/null"));
        Assert.Equal((1u, 3u, FileType.CharacterDevice), (device.Major, device.Minor, device.Type));
    }

    [Fact]
    public void ScriptsChangeOnlyWhatTheyTouch()
    {
        Install();
        Tool.RunOk("chmod", "0700", Host("usr/bin/su"));
        Tool.RunOk("chown", "7:8", Host("implied/file"));
        File.WriteAllText(Host("usr/bin/new"), "made by a script");
        File.AppendAllText(Host("usr/bin/ping"), "!");
        var tree = _root.Freeze();
        Assert.Equal(new Metadata(0x1C0, 0, 5, s_packageTime), tree.Find("usr/bin/su")!.Metadata);
        Assert.Equal((7u, 8u, s_packageTime), (tree.Find("implied/file")!.Metadata.Uid, tree.Find("implied/file")!.Metadata.Gid, tree.Find("implied/file")!.Metadata.Mtime));
        Assert.Equal(s_epoch, tree.Find("usr/bin/new")!.Metadata.Mtime);
        Assert.Equal(s_epoch, tree.Find("usr/bin")!.Metadata.Mtime);
        Assert.Equal(s_packageTime, tree.Find("usr")!.Metadata.Mtime);
        Assert.Equal(s_epoch, tree.Find("usr/bin/ping")!.Metadata.Mtime);
        // What the host could not hold, or a script did not take away, stays.
        Assert.Contains("trusted.t", TreeText.Format(tree), StringComparison.Ordinal);
    }

    [Fact]
    public void AScriptsNameInADirectoryIsRememberedOverLaterPackages()
    {
        Install();
        File.WriteAllText(Host("usr/bin/new"), "");
        _root.AddFile("usr/bin/other"u8, Meta(0x1ED), ""u8);
        _root.EndPackage();
        Assert.Equal(s_epoch, _root.Freeze().Find("usr/bin")!.Metadata.Mtime);
    }

    [Fact]
    public void LaterTimesAreClamped()
    {
        _root.AddFile("f"u8, new Metadata(0x1A4, 0, 0, new Timestamp(1_800_000_000)), ""u8);
        Assert.Equal(s_epoch, _root.Freeze().Find("f")!.Metadata.Mtime);
    }

    [Theory]
    [InlineData("../evil")]
    [InlineData("usr/../../evil")]
    [InlineData("out/evil")]
    [InlineData("bin/evil")]
    public void NothingIsWrittenOutsideOrThroughLinks(string path)
    {
        Install();
        _root.AddSymlink("out"u8, Meta(0x1FF), Posix.Bytes(_directory.Path));
        Assert.Throws<InvalidDataException>(() => _root.AddFile(Posix.Bytes(path), Meta(0x1A4), "evil"u8));
        Assert.False(File.Exists(_directory["evil"]));
        Assert.False(File.Exists(Host("usr/bin/evil")));
    }

    [Fact]
    public void AUsersTreeFollowsLinksWithinTheRoot()
    {
        Install();
        _root.AddSymlink("out"u8, Meta(0x1FF), Posix.Bytes(_directory.Path));
        var builder = new TreeBuilder(Meta(0x1C0));
        builder.AddFile("bin/tool", Meta(0x1ED), "tool"u8.ToArray());
        builder.AddDirectory("usr", Meta(0x1C0));
        _root.AddTree(builder.Build());
        builder.AddFile("out/tool", Meta(0x1ED), "tool"u8.ToArray());
        Assert.Throws<InvalidDataException>(() => _root.AddTree(builder.Build()));
        var tree = _root.Freeze();
        Assert.NotNull(tree.Find("usr/bin/tool"));
        Assert.Equal(0x1ED, tree.Find("usr")!.Metadata.Mode);
        Assert.False(File.Exists(_directory["tool"]));
    }

    [Fact]
    public void EditKeepsOwnerAndMode()
    {
        _root.AddFile("shadow"u8, Meta(0x180, 0, 42), "root:*:1:::::\n"u8);
        _root.Edit("shadow", static text => text.Replace('*', '!'));
        _root.Edit("missing", static _ => "x");
        var node = (FileNode)_root.Freeze().Find("shadow")!;
        Assert.Equal(new Metadata(0x180, 0, 42, s_epoch), node.Metadata);
        Assert.Equal("root:!:1:::::\n"u8.ToArray(), node.Content.ReadBytes(0, (int)node.Content.Length));
        Assert.False(_root.Exists("missing"u8));
    }

    [Fact]
    public void TheWorkDirectorysInheritanceDoesNotReachTheImage()
    {
        Tool.RunOk("chmod", "2775", _directory.Path);
        Tool.RunOk("chgrp", "42", _directory.Path);
        Tool.RunOk("setfacl", "-d", "-m", "u:7:rwx", _directory.Path);
        using var root = new StagedRoot(_directory["inherits"], s_epoch);
        root.AddFile("d/f"u8, Meta(0x1A4), ""u8);
        root.EndPackage();
        foreach (string line in TreeText.Lines(root.Freeze()))
        {
            Assert.Contains(" 0:0 ", line, StringComparison.Ordinal);
            Assert.DoesNotContain("posix_acl", line, StringComparison.Ordinal);
            Assert.DoesNotContain("dir 2", line, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void RemoveTakesEverythingBelow()
    {
        Install();
        _root.Remove("usr"u8);
        _root.Remove("nothing/here"u8);
        Assert.Equal(["/", "/bin", "/implied", "/implied/file"], _root.Freeze().Walk().Select(static e => e.ToString()));
    }
}
