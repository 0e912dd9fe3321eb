using System.Text;
using Diecast.Packages;
using Diecast.Packages.Pacman;
using Diecast.Trees;

namespace Diecast.Tests.Packages.Pacman;

public sealed class PacmanInstallerTests
{
    private const long Epoch = 1_650_000_000;
    private const string NoExtract = "NoExtract = usr/share/doc/* !usr/share/doc/tool/keep";

    private static readonly PacmanInstaller.Options s_options = new() { InstallDate = Epoch, Architectures = ["x86_64"] };

    [Fact]
    public void InstallsAsPacmanDoes()
    {
        using var packages = new TestPackages();
        var database = Sample(packages);
        string[] targets = ["tool", "empty"];
        string theirs = packages["theirs"];
        Directory.CreateDirectory(theirs);
        Assert.Equal(0, packages.Pacman(theirs, "", "-Sy").ExitCode);
        var result = packages.Pacman(theirs, NoExtract, ["-S", .. targets]);
        Assert.True(result.ExitCode == 0, result.All);
        string ours = packages["ours"];
        var (root, messages) = Install(packages, database, ours, targets,
            s_options with { NoExtract = [Posix.Bytes("usr/share/doc/*"), Posix.Bytes("!usr/share/doc/tool/keep")] });
        root.Dispose();
        Assert.Equal(TestPackages.LocalDatabaseText(theirs), TestPackages.WithoutXdata(TestPackages.LocalDatabaseText(ours)));
        Assert.Equal(Files(theirs), Files(ours));
        Assert.Contains(messages, static message => message.Contains("lib-1:2.0-1: post_install cannot run: no shell", StringComparison.Ordinal));
        Assert.DoesNotContain(messages, static message => message.Contains("pre_install", StringComparison.Ordinal));
        var check = packages.Pacman(ours, NoExtract, "-Qkk");
        Assert.True(check.ExitCode == 0 && check.Output.Split(" 0 altered files").Length == 4, check.All);
        Assert.Equal(0, packages.Pacman(ours, "", "-Dk").ExitCode);
    }

    [Fact]
    public void TheOracleNoticesAFlippedByte()
    {
        using var packages = new TestPackages();
        string ours = packages["ours"];
        Install(packages, Sample(packages), ours, ["tool"], s_options).Root.Dispose();
        var check = packages.Pacman(ours, "", "-Qkk");
        Assert.True(check.ExitCode == 0, check.All);
        File.WriteAllText(Path.Join(ours, "usr/bin/tool"), "#!tooL\n");
        Assert.NotEqual(0, packages.Pacman(ours, "", "-Qkk").ExitCode);
        string before = TestPackages.LocalDatabaseText(ours);
        File.AppendAllText(Path.Join(ours, LocalDatabase.Path, "tool-3-1/desc"), "x");
        Assert.NotEqual(before, TestPackages.LocalDatabaseText(ours));
    }

    [Fact]
    public void ScriptsAndHooksRunInOrder()
    {
        using var packages = new TestPackages();
        packages.Add("sh", "1-1", "", ("usr/bin/sh", "shell"), ("usr/bin/ldconfig", "x"), ("etc/ld.so.conf", ""));
        packages.Add("app", "1-2", "depend = sh",
            (".INSTALL", "pre_install() {\n:\n}\npost_install() {\n:\n}\n# post_upgrade\n"),
            ("usr/share/libalpm/hooks/20-b.hook", Hook("usr/share/app/*", "needs", "NeedsTargets\n")),
            ("usr/share/libalpm/hooks/10-masked.hook", Hook("usr/share/app/*", "masked", "")),
            ("usr/share/libalpm/hooks/20.hook", Hook("usr/share/app/", "plain", "")),
            ("usr/share/libalpm/hooks/30-other.hook", Hook("opt/*", "other", "")),
            ("usr/share/libalpm/hooks/40-depends.hook", Hook("usr/share/app/*", "depends", "Depends = absent\n")),
            ("etc/pacman.d/hooks/10-masked.hook", "-> /dev/null"),
            ("usr/share/app/one", "1"), ("usr/share/app/two", "2"), ("usr/share/app/not", "3"));
        var scripts = new List<string>();
        using var root = new StagedRoot(packages["ours"], new Timestamp(Epoch));
        var messages = new List<string>();
        var installer = new PacmanInstaller(root, script =>
        {
            scripts.Add($"{string.Join(' ', script.Command)} < {Encoding.UTF8.GetString(script.Input.Span).ReplaceLineEndings(",")}");
            return new ScriptResult(script.Command[^1] == "plain" ? 1 : 0, "");
        }, s_options with { NoExtract = [Posix.Bytes("usr/share/app/not")] }, messages.Add);
        installer.Install(packages.ToInstall(packages.Index(), "app"));
        Assert.Equal(
        [
            "/usr/bin/sh -c . /tmp/alpm_install/.INSTALL; pre_install 1-2 < ",
            "/usr/bin/sh -c . /tmp/alpm_install/.INSTALL; post_install 1-2 < ",
            "/usr/bin/ldconfig < ",
            "/bin/run plain < ",
            "/bin/run needs < usr/share/app/,usr/share/app/one,usr/share/app/two,",
        ], scripts);
        Assert.Contains(messages, static message => message == "warning: hook 20.hook failed with 1");
        Assert.Contains(messages, static message => message.Contains("absent is not installed", StringComparison.Ordinal));
    }

    [Fact]
    public void ConfigurationFilesThatAreThereStay()
    {
        using var packages = new TestPackages();
        packages.Add("conf", "1-1", "backup = etc/same\nbackup = etc/changed\nbackup = etc/absent\nbackup = etc/kept", ("etc/same", "same\n"), ("etc/kept", "same\n"), ("etc/changed", "new\n"), ("etc/untouched", "new\n"));
        var database = packages.Index();
        string theirs = packages["theirs"];
        string ours = packages["ours"];
        using var root = new StagedRoot(ours, new Timestamp(Epoch));
        root.Write("/etc/same", "same\n");
        root.Write("/etc/changed", "mine\n");
        root.Write("/etc/kept", "same\n");
        Directory.CreateDirectory(Path.Join(theirs, "etc"));
        File.WriteAllText(Path.Join(theirs, "etc/same"), "same\n");
        File.WriteAllText(Path.Join(theirs, "etc/changed"), "mine\n");
        File.WriteAllText(Path.Join(theirs, "etc/kept"), "same\n");
        packages.Pacman(theirs, "", "-Sy");
        var result = packages.Pacman(theirs, "NoUpgrade = etc/kept", "-S", "conf");
        Assert.True(result.ExitCode == 0, result.All);
        var messages = new List<string>();
        new PacmanInstaller(root, NoScripts, s_options with { NoUpgrade = [Posix.Bytes("etc/kept")] }, messages.Add)
            .Install(packages.ToInstall(database, "conf"));
        Assert.Equal(TestPackages.LocalDatabaseText(theirs), TestPackages.LocalDatabaseText(ours));
        foreach (string file in (string[])["same", "changed", "changed.pacnew", "kept", "kept.pacnew", "untouched"])
        {
            Assert.Equal(File.ReadAllText(Path.Join(theirs, "etc", file)), File.ReadAllText(Path.Join(ours, "etc", file)));
        }
        Assert.Equal(6, Directory.GetFiles(Path.Join(ours, "etc")).Length);
        Assert.Equal(6, Directory.GetFiles(Path.Join(theirs, "etc")).Length);
        Assert.Contains(messages, static message => message.Contains("/etc/changed.pacnew", StringComparison.Ordinal));
    }

    [Fact]
    public void FilesInConflictAreNamed()
    {
        using var packages = new TestPackages();
        packages.Add("one", "1-1", "", ("usr/bin/x", "1"), ("usr/lib/y", "1"), ("lib", "-> usr/lib"));
        packages.Add("two", "1-1", "", ("usr/bin/x", "2"), ("lib/z", "2"), ("etc/own", "x"));
        var database = packages.Index();
        using var root = new StagedRoot(packages["ours"], new Timestamp(Epoch));
        root.Write("/etc/own", "of the user");
        var installer = new PacmanInstaller(root, NoScripts, s_options, static _ => { });
        var error = Assert.Throws<PackageException>(() => installer.Install(packages.ToInstall(database, "one", "two")));
        Assert.Equal(
            ["/lib is in both one and two", "/usr/bin/x is in both one and two", "/etc/own of two is in the root already"], error.Errors);
    }

    private static SyncDatabase Sample(TestPackages packages)
    {
        packages.Add("lib", "1:2.0-1", "provides = libfoo.so=2-64\ngroup = stuff\nconflict = oldlib\nreplaces = oldlib<1\nbackup = etc/lib.conf\nbackup = etc/absent.conf",
            (".INSTALL", "post_install() {\n  true\n}\n# pre_install is not here\n"), (".CHANGELOG", "changes\n"),
            ("etc/lib.conf", "key = value\n"), ("usr/lib/libfoo.so.2", "elf"), ("usr/lib/libfoo.so", "-> libfoo.so.2"),
            ("usr/lib/hard", "== usr/lib/libfoo.so.2"), ("usr/share/ümlaut with blank", "x"), ("var/empty/", ""));
        packages.Add("tool", "3-1", "depend = libfoo.so=2-64\noptdepend = python: for scripts\nxdata = pkgtype=pkg\nunknown = ignored",
            ("usr/bin/tool", "#!tool\n"), ("usr/share/doc/tool/readme", "long"), ("usr/share/doc/tool/keep", "short"));
        packages.Add("empty", "1-1", "depend = tool>=2");
        return packages.Index();
    }

    private static (StagedRoot Root, List<string> Messages) Install(
        TestPackages packages, SyncDatabase database, string path, string[] targets, PacmanInstaller.Options options)
    {
        var root = new StagedRoot(path, new Timestamp(Epoch));
        var messages = new List<string>();
        new PacmanInstaller(root, NoScripts, options, messages.Add).Install(packages.ToInstall(database, targets));
        return (root, messages);
    }

    private static ScriptResult NoScripts(Script script) => throw new InvalidOperationException($"{script.Name} was not expected");

    // Directories' times change with what is put into them; the databases' own files are compared by their content.
    private static IEnumerable<string> Files(string root) => HostTree.Read(Posix.Bytes(root)).Walk()
        .Where(static entry => entry.Path is not null && !entry.ToString().StartsWith("/var/lib/pacman", StringComparison.Ordinal) && entry.ToString() != "/tmp")
        .Select(static entry => $"{entry} {entry.Node.Type} {Convert.ToString(entry.Node.Metadata.Mode, 8)} "
            + (entry.Node is DirectoryNode ? "" : entry.Node.Metadata.Mtime)
            + (entry.Node is FileNode file ? Convert.ToHexString(file.Content.ReadBytes(0, (int)file.Content.Length)) : ""));

    private static string Hook(string target, string argument, string more) =>
        $"[Trigger]\nOperation = Install\nType = Path\nTarget = {target}\n[Action]\nWhen = PostTransaction\nExec = /bin/run {argument}\n{more}";
}
