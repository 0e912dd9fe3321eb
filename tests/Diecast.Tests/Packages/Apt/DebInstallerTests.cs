using System.Text;
using Diecast.Packages;
using Diecast.Packages.Apt;
using Diecast.Trees;
using static Diecast.Tests.Packages.Apt.TestDebs;

namespace Diecast.Tests.Packages.Apt;

/// <summary>The order of things, with a dpkg that is only told of.</summary>
public sealed class DebInstallerTests
{
    private const string Preinst = "#!/bin/sh\nexit 0\n";

    private static readonly DebInstaller.Options s_options = new() { Architecture = "amd64" };

    /// <summary>Says what would run, and has what is unpacked be installed, as dpkg would.</summary>
    private sealed class Image(StagedRoot root)
    {
        public List<string> Calls { get; } = [];

        public Dictionary<string, ScriptResult> Results { get; } = new(StringComparer.Ordinal);

        public Action<string> During { get; set; } = static _ => { };

        public string Status => Encoding.UTF8.GetString(root.ReadFile("var/lib/dpkg/status"u8)!);

        public ScriptResult Run(Script script)
        {
            bool isDpkg = script.Command[0] == "/usr/bin/dpkg";
            string call = isDpkg ? $"dpkg {string.Join(' ', script.Command.SkipWhile(static word => word != "--configure"))}"
                : $"{script.Environment["DPKG_MAINTSCRIPT_PACKAGE"]} {script.Environment["DPKG_MAINTSCRIPT_NAME"]} {script.Command[1]}";
            Calls.Add(call);
            Assert.Equal("noninteractive", script.Environment["DEBIAN_FRONTEND"]);
            Assert.True(isDpkg || root.Exists(Posix.Bytes(script.Command[0])));
            During(call);
            if (isDpkg)
            {
                string[] names = [.. script.Command.SkipWhile(static word => word != "--configure").Skip(1)];
                bool all = names is ["--pending"];
                var paragraphs = Status.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(paragraph =>
                    all || names.Any(name => paragraph.StartsWith($"Package: {name}\n", StringComparison.Ordinal))
                        ? paragraph.Replace("install ok unpacked", "install ok installed", StringComparison.Ordinal) : paragraph);
                root.Write("var/lib/dpkg/status", string.Concat(paragraphs.Select(static paragraph => paragraph.TrimEnd('\n') + "\n\n")));
            }
            return Results.GetValueOrDefault(call, new ScriptResult(0, ""));
        }
    }

    [Fact]
    public void EssentialPackagesComeFirstAndScriptsInOrder()
    {
        using var debs = new TestDebs();
        Sample(debs);
        using var root = new StagedRoot(debs["root"], new Timestamp(1_500_000_000));
        var image = new Image(root);
        image.During = call =>
        {
            Assert.Equal("#!/bin/sh\nexit 101\n", Encoding.ASCII.GetString(root.ReadFile("usr/sbin/policy-rc.d"u8)!));
            if (call == "app preinst install")
            {
                Assert.Contains("Package: app\nStatus: install reinstreq half-installed\n", image.Status, StringComparison.Ordinal);
                Assert.Contains("Package: needed\nStatus: install ok installed\n", image.Status, StringComparison.Ordinal);
                Assert.True(root.Exists("var/lib/dpkg/tmp.ci/control"u8));
                Assert.False(root.Exists("usr/bin/app"u8));
            }
            if (call == "base-files preinst install")
            {
                Assert.True(root.Exists("usr/bin/sh"u8));
                Assert.DoesNotContain("Package: app\n", image.Status, StringComparison.Ordinal);
            }
        };
        var lines = new List<string>();
        new DebInstaller(root, image.Run, s_options, lines.Add).Install(debs.All);
        Assert.Equal(
            ["base-files preinst install", "dpkg --configure --pending", "early preinst install", "dpkg --configure lib needed",
                "app preinst install", "dpkg --configure --pending"], image.Calls);
        Assert.Equal(["base-files", "libessential", "shell", "lib", "needed", "other", "early", "app"],
            lines.Where(static line => line.StartsWith("unpacking", StringComparison.Ordinal)).Select(static line => line.Split(' ')[1]));
        Assert.False(root.Exists("usr/sbin/policy-rc.d"u8) || root.Exists("var/lib/dpkg/tmp.ci"u8));
        Assert.Equal(8, image.Status.Split("install ok installed").Length - 1);
        // In place at once with its digest, as programs may need it; that of a later package is dpkg's to install.
        Assert.Contains(" /etc/base.conf ce771bb33a2a445c8e616a88ec29c517\n", image.Status, StringComparison.Ordinal);
        Assert.Contains(" /etc/app.conf newconffile\n", image.Status, StringComparison.Ordinal);
        Assert.True(root.Exists("etc/base.conf"u8) && root.Exists("etc/app.conf.dpkg-new"u8) && !root.Exists("etc/app.conf"u8));
    }

    [Fact]
    public void TheOrderOfThePackagesDoesNotMatter()
    {
        using var debs = new TestDebs();
        Sample(debs);
        Assert.Equal(Calls(debs, "one", debs.All), Calls(debs, "two", [.. Enumerable.Reverse(debs.All)]));
    }

    private static List<string> Calls(TestDebs debs, string name, List<DebToInstall> packages)
    {
        using var root = new StagedRoot(debs[name], new Timestamp(1_500_000_000));
        var image = new Image(root);
        var lines = new List<string>();
        new DebInstaller(root, image.Run, s_options, lines.Add).Install(packages);
        return [.. lines, .. image.Calls, image.Status];
    }

    [Fact]
    public void WhatAPreinstOfTheFirstDivertsIsPutWhereItBelongs()
    {
        using var debs = new TestDebs();
        debs.Add("base-files", "Essential: yes", [], Symlink("bin", "usr/bin"), File("usr/bin/sh", "base"), File("usr/bin/other", "base"));
        debs.Add("zsh", "Essential: yes\nReplaces: base-files", [("preinst", Preinst)], File("usr/bin/sh", "zsh"));
        using var root = new StagedRoot(debs["root"], new Timestamp(1_500_000_000));
        var image = new Image(root);
        // Without Replaces it would be a conflict before the script could divert.
        image.During = call =>
        {
            if (call == "zsh preinst install")
            {
                root.Write("var/lib/dpkg/diversions", "/usr/bin/sh\n/usr/bin/sh.distrib\nzsh\n/usr/bin/other\n/usr/bin/other.away\n:\n");
            }
        };
        new DebInstaller(root, image.Run, s_options, static _ => { }).Install(debs.All);
        Assert.Equal("zsh", Encoding.ASCII.GetString(root.ReadFile("usr/bin/sh"u8)!));
        Assert.Equal("base", Encoding.ASCII.GetString(root.ReadFile("usr/bin/other.away"u8)!));
    }

    [Fact]
    public void LinksIntoUsrAreMadeWhereNoPackageBringsThem()
    {
        using var debs = new TestDebs();
        debs.Add("base-files", "Essential: yes", [], File("bin/sh", "shell"), Directory("lib/x"));
        using var root = new StagedRoot(debs["root"], new Timestamp(1_500_000_000));
        new DebInstaller(root, new Image(root).Run, s_options, static _ => { }).Install(debs.All);
        Assert.True(root.Exists("usr/bin/sh"u8) && root.IsDirectory("usr/lib/x"u8));
        Assert.Equal(["bin", "lib", "lib32", "lib64", "libx32", "sbin", "usr", "var"], root.List(""u8).Select(static name => name.ToString()));
    }

    [Fact]
    public void AScriptThatFailsIsNamedWithItsOutput()
    {
        const string output = """
            Setting up lib (1.0-1) ...
            Setting up app (1.0-1) ...
            cannot reach the moon
            dpkg: error processing package app (--configure):
             installed app package post-installation script subprocess returned error exit status 7
            dpkg: too many errors, stopping
            Errors were encountered while processing:
             app
            """;
        Assert.Equal("package app: its postinst failed with 7 (--debug-shell opens a shell where it ran): \n  cannot reach the moon",
            Failure("dpkg --configure --pending", new ScriptResult(1, output)));
        Assert.Equal("package app: its postinst failed with signal 9 (--debug-shell opens a shell where it ran): it printed nothing", Failure("dpkg --configure --pending", new ScriptResult(1,
            "dpkg: error processing package app (--configure):\n installed app package post-installation script subprocess was killed by signal (Killed)\n")).Replace("(Killed)", "signal 9", StringComparison.Ordinal));
        Assert.Equal("package base-files 1.0-1: its preinst failed with 3 (--debug-shell opens a shell where it ran): \n  no\n  way", Failure("base-files preinst install", new ScriptResult(3, "no\nway\n")));
        Assert.Equal("dpkg --configure failed in the image with 2: \n  dpkg: error: database is locked", Failure("dpkg --configure --pending", new ScriptResult(2, "dpkg: error: database is locked")));
    }

    private static string Failure(string call, ScriptResult result)
    {
        using var debs = new TestDebs();
        Sample(debs);
        using var root = new StagedRoot(debs["root"], new Timestamp(1_500_000_000));
        var image = new Image(root);
        image.Results[call] = result;
        return Assert.Throws<PackageException>(() => new DebInstaller(root, image.Run, s_options, static _ => { }).Install(debs.All)).Message;
    }

    [Fact]
    public void AnotherPackageThanIsExpectedIsRefused()
    {
        using var debs = new TestDebs();
        var package = debs.Add("one", "", []);
        byte[] whole = System.IO.File.ReadAllBytes(debs.PathOf(package));
        (DebToInstall Package, string Message)[] cases =
        [
            (package with { Name = "two" }, "package two 1.0-1: the file is of one 1.0-1"),
            (package with { Version = "2" }, "package one 2: the file is of one 1.0-1"),
            (package with { Open = () => new MemoryStream(whole[..^700]) }, "package one 1.0-1: ar: the archive is cut off"),
            (package with { Open = static () => new MemoryStream() }, "package one 1.0-1: ar: the file is no archive"),
        ];
        foreach (var (wrong, message) in cases)
        {
            using var root = new StagedRoot(debs[$"root-{Array.FindIndex(cases, item => item.Message == message)}"], new Timestamp(1_500_000_000));
            var error = Assert.Throws<InvalidDataException>(() => new DebInstaller(root, new Image(root).Run, s_options, static _ => { }).Install([wrong]));
            Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
        }
        using var last = new StagedRoot(debs["last"], new Timestamp(1_500_000_000));
        Assert.Throws<InvalidDataException>(() => new DebInstaller(last, new Image(last).Run, s_options, static _ => { }).Install([package, package]));
    }

    [Fact]
    public void DaysInShadowAreTheEpochs()
    {
        using var debs = new TestDebs();
        debs.Add("base-files", "Essential: yes", [], Symlink("bin", "usr/bin"), File("var/lib/apt/x", ""));
        using var root = new StagedRoot(debs["root"], new Timestamp(1_500_000_000));
        root.Write("etc/shadow", "mine:!:12:0:99999:7:::\n", 0x1A0);
        var image = new Image(root) { During = _ => root.Edit("etc/shadow", static text => text + "root:*:20000:0:99999:7:::\nnever:*::0:::::\n") };
        new DebInstaller(root, image.Run, s_options, static _ => { }).Install([debs.All[0] with { IsAutomatic = true }]);
        string[] lines = Encoding.ASCII.GetString(root.ReadFile("etc/shadow"u8)!).Split('\n');
        Assert.Equal(["mine:!:12:0:99999:7:::", "root:*:17361:0:99999:7:::", "never:*::0:::::"], lines[..3]);
        Assert.Equal("Package: base-files\nArchitecture: amd64\nAuto-Installed: 1\n\n", Encoding.ASCII.GetString(root.ReadFile("var/lib/apt/extended_states"u8)!));
    }

    private static void Sample(TestDebs debs)
    {
        debs.Add("app", "Pre-Depends: needed\nDepends: other | missing", [("preinst", Preinst), ("conffiles", "/etc/app.conf\n")], File("usr/bin/app", "a"), File("etc/app.conf", "x\n"));
        debs.Add("needed", "Depends: lib", [], File("usr/lib/needed", "n"));
        debs.Add("lib", "", [], File("usr/lib/lib", "l"));
        debs.Add("early", "Pre-Depends: shell", [("preinst", Preinst)], File("usr/bin/early", "e"));
        debs.Add("other", "Depends: app", [], File("usr/bin/other", "o"));
        debs.Add("base-files", "Essential: yes", [("preinst", Preinst), ("conffiles", "/etc/base.conf\n")], Symlink("bin", "usr/bin"), File("etc/base.conf", "base\n"));
        debs.Add("shell", "Essential: yes\nProvides: sh (= 2)\nDepends: libessential", [], File("usr/bin/sh", "s"));
        debs.Add("libessential", "", [], File("usr/lib/essential", "s"));
    }
}
