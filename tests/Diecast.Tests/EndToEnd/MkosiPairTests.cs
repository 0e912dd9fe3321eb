using System.Diagnostics;
using Diecast.Tests.Support;

namespace Diecast.Tests.EndToEnd;

/// <summary>
/// Two images that mkosi makes of one command, one after the other, without any of the work-arounds that make it
/// reproducible (a seed, an epoch, options for mkfs): all that differs is named, with its cause.
/// </summary>
public sealed class MkosiPairTests
{
    [Fact]
    public void AllThatDiffersIsNamed()
    {
        using var directory = new TempDirectory("/var/tmp");
        using (var mirror = Mirror())
        {
            foreach (string name in (string[])["a", "b"])
            {
                Make(Path.Join(directory.Path, name), mirror.Address);
            }
        }
        var diff = DiffRun.Of(Path.Join(directory.Path, "a", "foo.raw"), Path.Join(directory.Path, "b", "foo.raw"));
        Assert.True(!diff.Causes.ContainsKey("unknown"), $"without a cause:\n{diff.Unknown}");
        string[] expected =
        [
            "disk-id", "partition-id", "file-system-id", "fat-volume-id", "ext4-hash-seed", "superblock-times", "inode-times", "fat-times",
            "file-time", "aux-cache", "follows-checksum",
        ];
        Assert.Equal([], expected.Except(diff.Causes.Keys));
    }

    private static void Make(string directory, string mirror)
    {
        string keyrings = Directory.CreateDirectory(Path.Join(directory, "mkosi.sandbox/usr/share/pacman/keyrings")).FullName;
        foreach (string file in Directory.GetFiles(Path.Join(Fixture.Mirror, "keyring")))
        {
            File.Copy(file, Path.Join(keyrings, Path.GetFileName(file)));
        }
        Tool.RunOk(Repository.File("tests", "setup", "mkosi.sh"), Fixture.Trixie, directory,
            "-d", "arch", "-p", "systemd", "-p", "linux", "-m", mirror, "--force", "-o", "foo");
    }

    private static Server Mirror() => new(Fixture.Mirror);

    /// <summary>Python's file server on a port of loopback that it chooses.</summary>
    private sealed class Server : IDisposable
    {
        private readonly Process _process;

        public Server(string directory)
        {
            _process = Process.Start(new ProcessStartInfo(Tool.Require("python3"), ["-u", "-m", "http.server", "-b", "127.0.0.1", "-d", directory, "0"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            _process.ErrorDataReceived += static (_, _) => { };
            _process.BeginErrorReadLine();
            // "Serving HTTP on 127.0.0.1 port 41537 (http://127.0.0.1:41537/) ..."
            string line = _process.StandardOutput.ReadLine() ?? "";
            Address = line.Split('(', ')') is [_, var address, ..] ? address : throw new InvalidOperationException($"the file server said \"{line}\"");
        }

        public string Address { get; }

        public void Dispose()
        {
            _process.Kill();
            _process.WaitForExit();
            _process.Dispose();
        }
    }
}
