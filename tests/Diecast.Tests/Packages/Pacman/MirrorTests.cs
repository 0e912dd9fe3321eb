using Diecast.Packages;
using Diecast.Packages.Pacman;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Packages.Pacman;

/// <summary>Real packages, from the test mirror.</summary>
public sealed class MirrorTests
{
    private static readonly string[] s_targets = ["systemd", "linux", "base", "virtual-consumer", "odd-names"];

    [Fact]
    public void InstallsAsPacmanDoes()
    {
        string mirror = Fixture.Mirror;
        string parent = Environment.GetEnvironmentVariable("DIECAST_TEST_DIRECTORY") ?? Path.GetTempPath();
        using var directory = new TempDirectory(parent);
        string[] repositories = [.. ((string[])["core", "extra"]).Where(name => File.Exists(Path.Join(mirror, name, "os/x86_64", name + ".db")))];
        var databases = repositories.Select(name =>
        {
            using var stream = File.OpenRead(Path.Join(mirror, name, "os/x86_64", name + ".db"));
            return SyncDatabase.Read(name, stream);
        }).ToList();
        string[] targets = [.. s_targets.Where(target => databases.Any(database => database.Find(target) is not null))];
        var resolution = Resolver.Resolve(databases, targets, ["initramfs"], ["x86_64"]);
        Assert.True(resolution.Packages.Length > 50);
        string ours = directory["ours"];
        using (var root = new StagedRoot(ours, new Timestamp(1_800_000_000)))
        {
            var watch = System.Diagnostics.Stopwatch.StartNew();
            new PacmanInstaller(root, static _ => new ScriptResult(0, ""), new PacmanInstaller.Options { InstallDate = 1_800_000_000 }, static _ => { })
                .Install([.. resolution.Packages.Select(item => new PackageToInstall(
                    new PackageIdentity(item.Package.Name, item.Package.Version), item.Reason, PackageValidation.Sha256,
                    () => File.OpenRead(Path.Join(mirror, item.Package.Repository, "os/x86_64", item.Package.FileName))))]);
            TestContext.Current.TestOutputHelper?.WriteLine($"{resolution.Packages.Length} packages in {watch.Elapsed}");
        }
        // Hooks and scripts are not run in either root.
        Directory.CreateDirectory(directory["no-hooks"]);
        foreach (string hook in Directory.GetFiles(Path.Join(ours, HookSet.SystemDirectory)))
        {
            File.CreateSymbolicLink(Path.Join(directory["no-hooks"], Path.GetFileName(hook)), "/dev/null");
        }
        string theirs = Theirs(directory, mirror, repositories, targets);
        // pacman prefers a signature that stands in the database to the digest, and says "none" when it is not to be checked.
        Assert.Equal(
            TestPackages.LocalDatabaseText(theirs).Replace("%VALIDATION%\nnone", "%VALIDATION%\nsha256", StringComparison.Ordinal),
            TestPackages.WithoutXdata(TestPackages.LocalDatabaseText(ours)));
        foreach (string option in (string[])["-Qkk", "-Dk"])
        {
            var check = Tool.Run("pacman", "--root", ours, "--dbpath", Path.Join(ours, "var/lib/pacman"), "--config", directory["pacman.conf"], option);
            Assert.True(check.ExitCode == 0, string.Join('\n', check.All.Split('\n').Where(static line => !line.EndsWith(" 0 altered files", StringComparison.Ordinal))));
        }
        var (expected, actual) = (Packaged(theirs), Packaged(ours));
        Assert.True(expected.Count > 5000);
        Assert.Equal("", string.Join('\n', expected.Except(actual).Select(static line => "theirs " + line).Concat(actual.Except(expected).Select(static line => "ours " + line))));
    }

    private static string Theirs(TempDirectory directory, string mirror, string[] repositories, string[] targets)
    {
        string root = directory["theirs"];
        string database = Directory.CreateDirectory(Path.Join(root, "var/lib/pacman")).FullName;
        Directory.CreateDirectory(directory["cache"]);
        File.WriteAllText(directory["pacman.conf"], "[options]\nArchitecture = x86_64\nSigLevel = Never\nNoProgressBar\n"
            + string.Concat(repositories.Select(name => $"[{name}]\nServer = file://{mirror}/{name}/os/x86_64\n")));
        string[] common =
        [
            "--config", directory["pacman.conf"], "--root", root, "--dbpath", database, "--cachedir", directory["cache"], "--logfile", "/dev/null",
            "--hookdir", directory["no-hooks"], "--noconfirm", "--assume-installed", "initramfs", "--noscriptlet",
        ];
        Tool.RunOk("pacman", [.. common, "-Sy"]);
        Tool.RunOk("pacman", [.. common, "-S", .. targets]);
        return root;
    }

    // Without what ldconfig made, and the times of directories.
    private static HashSet<string> Packaged(string root)
    {
        var listed = new HashSet<string>(StringComparer.Ordinal);
        string database = Path.Join(root, LocalDatabase.Path);
        foreach (string file in Directory.GetFiles(database, "files", SearchOption.AllDirectories))
        {
            listed.UnionWith(File.ReadLines(file).TakeWhile(static line => line != "%BACKUP%").Select(static line => "/" + line.TrimEnd('/')));
        }
        return TreeText.Lines(HostTree.Read(Posix.Bytes(root)))
            .Select(static line => line.Split(' '))
            .Where(words => listed.Contains(words[0].Replace("\\x20", " ", StringComparison.Ordinal)))
            .Select(static words => words.Length > 4 && words[1] == "dir" ? string.Join(' ', words[..4]) : string.Join(' ', words))
            .ToHashSet(StringComparer.Ordinal);
    }
}
