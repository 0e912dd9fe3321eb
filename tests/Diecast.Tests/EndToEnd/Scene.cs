using System.Security.Cryptography;
using Diecast.Tests.Support;

namespace Diecast.Tests.EndToEnd;

/// <summary>A directory with what the mission's command expects beside it: the env file and the mirror's keyring.</summary>
public sealed class Scene : IDisposable
{
    /// <summary>The mission's own command, to the letter but for the mirror and the kernel command line of the boot tests.</summary>
    public static string[] Command(string mirror) => [
        "-d", "arch", "-p", "systemd", "-p", "linux", "--seed", "0e9a6fe0-68f6-408c-bbeb-136054d20445",
        "--source-date-epoch", "1662046009", "-m", mirror, "--force", "-o", "foo", "--env-file", "env",
        "--remove-files", "var/cache/ldconfig/aux-cache", "--environment=SYSTEMD_LOG_LEVEL=debug", "--debug",
        "--kernel-command-line=console=ttyS0 systemd.firstboot=no"];

    /// <summary>A package store that all tests share, but for those that want a cold one.</summary>
    public static string Cache => Path.Join(Path.GetTempPath(), "diecast-test-cache");

    public static string MirrorUrl => "file://" + Fixture.Mirror;

    private readonly TempDirectory _directory;

    /// <param name="mirror">Whose keyring it is; the full one by default.</param>
    public Scene(string? mirror = null)
        : this(new TempDirectory("/var/tmp"))
    {
        string keyrings = Directory.CreateDirectory(this["mkosi.sandbox/usr/share/pacman/keyrings"]).FullName;
        foreach (string file in Directory.GetFiles(Path.Join(mirror ?? Fixture.Mirror, "keyring")))
        {
            File.Copy(file, Path.Join(keyrings, Path.GetFileName(file)));
        }
        File.WriteAllText(this["env"],
            "SYSTEMD_REPART_MKFS_OPTIONS_EXT4=-E hash_seed=a24031c1-fc68-453d-80fa-00ad057a5780 -U 6de632fe-7638-44c4-917c-ecf4170af3b4\n");
    }

    private Scene(TempDirectory directory) => _directory = directory;

    /// <summary>With nothing in it.</summary>
    public static Scene Empty() => new(new TempDirectory("/var/tmp"));

    public string Root => _directory.Path;

    public string this[string name] => Path.Join(_directory.Path, name);

    /// <summary>Runs the tool in the directory, through a shell prefix that makes the variation.</summary>
    internal Tool.Result Run(string prefix, params string[] arguments) => Run(prefix, Cache, arguments);

    internal Tool.Result Run(string prefix, string cache, params string[] arguments)
    {
        string quoted = string.Join(' ', arguments.Prepend(Fixture.Executable).Select(static a => $"'{a.Replace("'", "'\\''", StringComparison.Ordinal)}'"));
        return Tool.Run("/bin/sh", ["-c", $"cd '{Root}' && {prefix} {quoted}"],
            new Dictionary<string, string>(StringComparer.Ordinal) { ["XDG_CACHE_HOME"] = cache }, null);
    }

    public static string Sha256(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    public void Dispose() => _directory.Dispose();
}
