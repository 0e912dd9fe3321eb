using System.Diagnostics;

namespace Diecast.Bench;

/// <summary>A whole Arch image, by the same command line from the same mirror: diecast here, mkosi in the Debian root.</summary>
internal sealed class ImageBench(string diecast, string directory, int rounds)
{
    private const string Port = "8767";

    private static readonly string[] s_arguments = [
        "-d", "arch", "-p", "systemd", "-p", "linux", "--seed", "0e9a6fe0-68f6-408c-bbeb-136054d20445",
        "--source-date-epoch", "1662046009", "-m", $"http://127.0.0.1:{Port}/", "--force", "-o", "foo", "--env-file", "env",
        "--remove-files", "var/cache/ldconfig/aux-cache", "--environment=SYSTEMD_LOG_LEVEL=debug", "--debug"];

    /// <summary>Of packages, only those downloaded before are kept; no tree, no initrd and no image is.</summary>
    public string Run()
    {
        string mirror = Path.GetFullPath(Environment.GetEnvironmentVariable("DIECAST_MIRROR") ?? "build/mirror/full");
        string root = Path.GetFullPath(Environment.GetEnvironmentVariable("DIECAST_TRIXIE") ?? "build/trixie");
        string ours = Configuration("diecast", mirror);
        string theirs = Configuration("mkosi", mirror);
        var environment = new Dictionary<string, string> { ["XDG_CACHE_HOME"] = Path.Join(ours, "cache"), ["TMPDIR"] = Path.Join(ours, "tmp") };
        using var server = Process.Start(new ProcessStartInfo("python3", ["-m", "http.server", "-b", "127.0.0.1", "-d", mirror, Port])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        server.ErrorDataReceived += static (_, _) => { };
        server.BeginErrorReadLine();
        try
        {
            var contest = new Contest("the whole command", rounds, directory);
            return contest.Table(contest.Run(
                new Contender("diecast", ["env", "-C", ours, diecast, .. s_arguments], Path.Join(ours, "foo.raw")) { Environment = environment },
                new Contender("mkosi", ["tests/setup/mkosi.sh", root, theirs, .. s_arguments], Path.Join(theirs, "foo.raw"))));
        }
        finally
        {
            server.Kill();
            server.WaitForExit();
        }
    }

    /// <summary>A directory with the mirror's keyring and the environment file.</summary>
    private string Configuration(string name, string mirror)
    {
        string configuration = Directory.CreateDirectory(Path.Join(directory, name)).FullName;
        string keyrings = Directory.CreateDirectory(Path.Join(configuration, "mkosi.sandbox/usr/share/pacman/keyrings")).FullName;
        Directory.CreateDirectory(Path.Join(configuration, "tmp"));
        foreach (string file in Directory.GetFiles(Path.Join(mirror, "keyring")))
        {
            File.Copy(file, Path.Join(keyrings, Path.GetFileName(file)), overwrite: true);
        }
        File.WriteAllText(Path.Join(configuration, "env"),
            "SYSTEMD_REPART_MKFS_OPTIONS_EXT4=-E hash_seed=a24031c1-fc68-453d-80fa-00ad057a5780 -U 6de632fe-7638-44c4-917c-ecf4170af3b4\n");
        return configuration;
    }
}
