namespace Diecast.Tests.Support;

/// <summary>
/// The real pacman, installing from a test mirror into a root of its own with every signature checked: what Diecast's own
/// installation is compared with. Owners and device nodes need root. It trusts whatever path a package names, so the
/// escapes in the repository `bad` are not for it.
/// </summary>
internal sealed class PacmanRoot : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly string[] _options;

    public PacmanRoot(string mirror, params string[] repositories)
    {
        if (Tool.RunOk("id", "-u").Trim() != "0")
        {
            Tool.Missing("pacman needs root to set owners");
        }
        string servers = string.Concat(repositories.Select(name => $"[{name}]\nServer = file://{mirror}/{name}/os/x86_64\n"));
        File.WriteAllText(_directory["pacman.conf"],
            $"[options]\nArchitecture = x86_64\nSigLevel = Required DatabaseOptional\n{servers}");
        Trust(System.IO.Path.Join(mirror, "keyring"));
        string database = Path + "/var/lib/pacman";
        Directory.CreateDirectory(database);
        Directory.CreateDirectory(_directory["cache"]);
        _options =
        [
            "--config", _directory["pacman.conf"], "--root", Path, "--dbpath", database, "--cachedir", _directory["cache"],
            "--gpgdir", _directory["gnupg"], "--hookdir", Path + "/etc/pacman.d/hooks", "--logfile", "/dev/null",
            "--noconfirm",
        ];
        RunOk("-Sy");
    }

    /// <summary>The root that packages are installed in.</summary>
    public string Path => _directory["root"];

    public Tool.Result Run(params string[] arguments) => Tool.Run("pacman", [.. _options, .. arguments]);

    public string RunOk(params string[] arguments) => Tool.RunOk("pacman", [.. _options, .. arguments]);

    /// <summary>
    /// Installs with scriptlets and hooks, which see the kernel's file systems as a chroot has them, and the environment of
    /// Diecast's own sandbox.
    /// </summary>
    public string RunInside(params string[] arguments)
    {
        // The base packages bring the directories.
        const string mounts = "if [ -d \"$0/proc\" ]; then mount -t proc proc \"$0/proc\"; mount -t tmpfs tmpfs \"$0/run\"; "
            + "mount --bind /dev \"$0/dev\"; fi; exec \"$@\"";
        var environment = Diecast.Build.Sandbox.FixedEnvironment(0).Where(static pair => pair.Key != "SOURCE_DATE_EPOCH").Select(static pair => $"{pair.Key}={pair.Value}");
        return Tool.RunOk("unshare", ["--mount", "--uts", "--ipc", "--net", "sh", "-c", mounts, Path, "env", "-i", .. environment, "pacman", .. _options, .. arguments]);
    }

    public void Dispose()
    {
        // gpg starts an agent for the directory that is about to go.
        Tool.Run("gpgconf", "--homedir", _directory["gnupg"], "--kill", "all");
        _directory.Dispose();
    }

    /// <summary>pacman-key's own way, but for the directory of keyrings, which it has no option for.</summary>
    private void Trust(string keyring)
    {
        string script = File.ReadAllText(Tool.Require("pacman-key"));
        Assert.Contains("/usr/share/keyrings", script, StringComparison.Ordinal);
        File.WriteAllText(_directory["pacman-key"], script.Replace("/usr/share/keyrings", keyring, StringComparison.Ordinal));
        Tool.RunOk("mkdir", "-m", "700", _directory["gnupg"]);
        foreach (string[] step in new[] { new[] { "--init" }, ["--populate", "diecast"] })
        {
            Tool.RunOk("bash", [_directory["pacman-key"], "--gpgdir", _directory["gnupg"], "--config", _directory["pacman.conf"], .. step]);
        }
    }
}
