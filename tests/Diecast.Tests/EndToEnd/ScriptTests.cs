using System.Text.Json;
using Diecast.Formats.Tar;
using Diecast.Images;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.EndToEnd;

/// <summary>The user's scripts: where they run, what they see, and what becomes of what they do.</summary>
public sealed class ScriptTests : IDisposable
{
    private const string WriteSeen = """
        #!/bin/sh
        set -e
        to=$BUILDROOT/seen; mkdir -p "$to"
        name=$(basename "$SCRIPT")${container:+.chroot}
        { echo "$SCRIPT $*"; cd "$SRCDIR"; pwd; cat source; cat "$BUILDROOT/etc/machine-id" || echo none; ls "$BUILDROOT/etc/removed" 2>&1 || :; } > "$to/$name"
        tr '\0' '\n' < /proc/self/environ > "$to/$name.env"
        cp "$MKOSI_CONFIG" "$to/config.json"
        """;

    private readonly SmallBuild _build = new();

    [Fact]
    public void TheyRunAtTheirPlaceWithWhatMkosiGivesThem()
    {
        string[] kinds = ["postinst", "postinst.chroot", "finalize", "finalize.chroot"];
        _build.WriteFile("source", "a source\n");
        _build.WriteFile("mkosi.extra/etc/removed", "");
        foreach (string kind in kinds)
        {
            WriteScript("mkosi." + kind, WriteSeen);
        }
        var tree = Build("--remove-files=/etc/removed", "--image-id=img", "--source-date-epoch=1700000000");
        Assert.Equal(kinds.Order(StringComparer.Ordinal), tree.Find("seen") is DirectoryNode seen
            ? seen.Entries.Select(static e => e.Name.ToString()).Where(static name => !name.EndsWith(".env", StringComparison.Ordinal) && name != "config.json") : []);
        Assert.Equal("/work/postinst final\n/work/src\na source\nd1eca57d1eca57d1eca57d1eca57d1ec\n/buildroot/etc/removed\n", Text(tree, "seen/postinst"));
        Assert.Equal("/work/postinst final\n/work/src\na source\nd1eca57d1eca57d1eca57d1eca57d1ec\n//etc/removed\n", Text(tree, "seen/postinst.chroot"));
        Assert.StartsWith("/work/finalize \n/work/src\na source\nuninitialized\n", Text(tree, "seen/finalize"), StringComparison.Ordinal);
        Assert.Contains("etc/removed", Text(tree, "seen/finalize.chroot"), StringComparison.Ordinal);
        Assert.Contains("No such file", Text(tree, "seen/finalize.chroot"), StringComparison.Ordinal);
        // What scripts make has the epoch, and where they ran leaves nothing.
        Assert.All(tree.Walk().Where(static entry => entry.Path?.ToString().StartsWith("/seen", StringComparison.Ordinal) == true),
            static entry => Assert.Equal(new Timestamp(1700000000), entry.Node.Metadata.Mtime));
        Assert.Null(tree.Find("work"));
        CompareWithMkosi(tree);
        _build.AssertNothingIsLeft();
    }

    /// <summary>Variables and the settings' JSON are held against mkosi 25.3's own.</summary>
    private static void CompareWithMkosi(FileTree tree)
    {
        using var scene = new TempDirectory("/var/tmp");
        File.Copy(Repository.File("tests", "Diecast.Tests", "EndToEnd", "mkosi-environment.py"), scene["e.py"]);
        File.WriteAllText(scene["s"], "");
        using var mkosi = JsonDocument.Parse(Tool.RunOk("/bin/sh", "-c",
            $"cd '{scene.Path}' && '{Repository.File("tests", "setup", "in-root.sh")}' '{Fixture.Trixie}' '{scene.Path}' -- "
            + "env TERM=dumb python3 e.py -d arch --postinst-script s --finalize-script s --image-id img --source-date-epoch 1700000000 -p bash -t tar"));
        // HOME, PATH, LANG and the like come with the sandbox; the rest is of mkosi's own hand.
        string[] ours = ["HOME", "LANG", "LC_ALL", "PATH", "TZ", "PWD", "container"];
        foreach (var (kind, script) in ((string[])["postinst", "finalize"]).Zip(mkosi.RootElement.GetProperty("Ran").EnumerateArray()))
        {
            var expected = script.GetProperty("Environment").EnumerateObject().Select(static p => $"{p.Name}={p.Value.GetString()}").Order(StringComparer.Ordinal);
            Assert.Equal(expected, Environment(tree, kind).Where(line => !ours.Contains(line.Split('=')[0])));
            Assert.Equal(
                expected.Select(static line => line == "BUILDROOT=/buildroot" ? "BUILDROOT=/" : line),
                Environment(tree, kind + ".chroot").Where(line => !ours.Contains(line.Split('=')[0])));
        }
        using var config = JsonDocument.Parse(Text(tree, "seen/config.json"));
        var theirs = mkosi.RootElement.GetProperty("Config");
        foreach (var setting in config.RootElement.EnumerateObject().Where(static p => p.Name is not "Snapshot"))
        {
            var value = theirs.GetProperty(setting.Name);
            Assert.True(setting.Value.ValueKind == value.ValueKind || setting.Value.ValueKind == JsonValueKind.Null || value.ValueKind == JsonValueKind.Null,
                $"{setting.Name}: {setting.Value} and {value}");
        }
    }

    [Fact]
    public void TheHostsProgramsTheImagesAndTheHelpers()
    {
        WriteScript("mkosi.postinst", """
            #!/bin/sh
            set -e
            mkosi-chroot sh -c 'pwd; echo $BUILDROOT $container $SRCDIR; test ! -e /buildroot; echo made > /made' > $BUILDROOT/chroot
            mkosi-as-caller sh -c 'echo caller' >> $BUILDROOT/chroot
            touch $SRCDIR/new 2>> $BUILDROOT/refused || :
            touch /usr/new 2>> $BUILDROOT/refused || :
            mkosi-install bash 2>> $BUILDROOT/refused || :
            ls /sys/class/net /etc >> $BUILDROOT/refused 2>&1 || :
            groupadd --gid 777 helpers
            echo beside > $OUTPUTDIR/beside.txt; mkdir $OUTPUTDIR/dir; echo in > $OUTPUTDIR/dir/in
            echo of the artifacts > $ARTIFACTDIR/a
            """);
        WriteScript("mkosi.finalize.chroot", "#!/bin/sh\ncat $ARTIFACTDIR/a > /artifacts; cut -d: -f1 /proc/net/dev > /networks\n");
        var tree = Build("--checksum");
        Assert.Equal("/work/src\n/ mkosi /work/src\ncaller\n", Text(tree, "chroot"));
        Assert.Equal("made\n", Text(tree, "made"));
        string refused = Text(tree, "refused");
        Assert.Contains("'/work/src/new': Read-only file system", refused, StringComparison.Ordinal);
        Assert.Contains("'/usr/new': Read-only file system", refused, StringComparison.Ordinal);
        Assert.Contains("mkosi-install: packages are those of diecast.lock", refused, StringComparison.Ordinal);
        Assert.DoesNotContain("passwd", refused, StringComparison.Ordinal);
        Assert.Contains("\nhelpers:x:777:", Text(tree, "etc/group"), StringComparison.Ordinal);
        Assert.Equal("of the artifacts\n", Text(tree, "artifacts"));
        Assert.Equal(["lo"], Text(tree, "networks").Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(static line => !line.Contains('|', StringComparison.Ordinal)).Select(static line => line.Trim()));
        Assert.Equal("beside\n", File.ReadAllText(_build["beside.txt"]));
        Assert.Equal("in\n", File.ReadAllText(_build["dir/in"]));
        Assert.Contains(" *beside.txt\n", File.ReadAllText(_build["foo.SHA256SUMS"]), StringComparison.Ordinal);
        Assert.False(File.Exists(_build["new"]));
        _build.AssertNothingIsLeft();
    }

    [Fact]
    public void TheDefaultInitrdHasNoneOfThem()
    {
        using var scene = new Scene();
        File.WriteAllText(scene["p"], "#!/bin/sh\necho of the script > $BUILDROOT/of-the-script\n");
        Tool.RunOk("chmod", "+x", scene["p"]);
        var result = scene.Run("", ["-d", "arch", "-p", "systemd", "-p", "linux", "-m", Scene.MirrorUrl, "-o", "foo", "--postinst-script=p", "--split-artifacts=initrd"]);
        Assert.True(result.ExitCode == 0, result.All);
        string names = Tool.RunOk("/bin/sh", "-c", $"zstd -dc '{scene["foo.initrd"]}' | cpio -t");
        Assert.Contains("usr/lib/systemd/systemd\n", names, StringComparison.Ordinal);
        Assert.DoesNotContain("of-the-script", names, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("exit 3", "mkosi.postinst: failed with exit code 3: first last")]
    [InlineData("kill -TERM $$", "mkosi.postinst: failed with exit code 143: first last")]
    [InlineData("mkdir $ARTIFACTDIR/io.mkosi.initrd", "mkosi.postinst: wrote io.mkosi.initrd into $ARTIFACTDIR, which is not supported yet")]
    [InlineData("echo x > $OUTPUTDIR/foo.tar", "foo.tar: a script wrote an output of this name, which is one of the build's own")]
    [InlineData("ln -s usr $BUILDROOT/work", "mkosi.postinst.chroot: cannot run: the image's /work, where a script sees the sources, is no directory")]
    public void AFailureIsOneErrorAndLeavesNothing(string commands, string expected)
    {
        WriteScript("mkosi.postinst", $"#!/bin/sh\necho first; echo last; {commands}\n");
        WriteScript("mkosi.postinst.chroot", "#!/bin/sh\n");
        File.WriteAllText(_build["foo.tar"], "before");
        var result = _build.Run(SmallBuild.Command("--force", "--compress-output=none"));
        Assert.Equal(1, result.ExitCode);
        Assert.Equal($"error: {expected}", Assert.Single(result.Errors.Split('\n'), static line => line.StartsWith("error", StringComparison.Ordinal)));
        Assert.Equal("before", File.ReadAllText(_build["foo.tar"]));
        _build.AssertNothingIsLeft();
    }

    [Fact]
    public void TheOtherKindsAreRefusedByName()
    {
        foreach (string kind in (string[])["build", "prepare", "sync", "postoutput", "configure", "clean"])
        {
            var result = _build.Run(SmallBuild.Command($"--{kind}-script=x"));
            Assert.Equal((1, $"error: --{kind}-script: is not supported yet\n"), (result.ExitCode, result.Errors));
        }
    }

    public void Dispose() => _build.Dispose();

    private void WriteScript(string name, string text)
    {
        _build.WriteFile(name, text);
        Tool.RunOk("chmod", "+x", _build[name]);
    }

    private FileTree Build(params string[] more)
    {
        _build.Build(SmallBuild.Command(["-p", "coreutils", "--force", "--compress-output=none", .. more]));
        return TarTree.Read(new MemoryBlob(File.ReadAllBytes(_build["foo.tar"])));
    }

    private static string Text(FileTree tree, string path) => tree.Find(path) is FileNode file
        ? System.Text.Encoding.UTF8.GetString(file.Content.ReadBytes(0, (int)file.Content.Length)) : throw new InvalidOperationException($"no file {path}");

    private static List<string> Environment(FileTree tree, string kind) =>
        [.. Text(tree, $"seen/{kind}.env").Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
}
