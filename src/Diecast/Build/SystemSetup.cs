using Diecast.Packages;
using Diecast.Trees;

namespace Diecast.Build;

/// <summary>
/// What mkosi has systemd's tools do to every image: users, volatile directories, presets, the hardware database and
/// the modules' index. They are the image's own tools, run in the sandbox; one that the image lacks is passed over.
/// </summary>
public sealed class SystemSetup(StagedRoot root, ScriptRunner run)
{
    private static readonly string[] s_volatile = ["/tmp", "/var/tmp", "/run", "/proc", "/sys", "/dev"];
    private static readonly string[] s_toolDirectories = ["usr/bin/", "usr/sbin/"];

    public void Run()
    {
        RunTool("systemd-sysusers", "--root=/");
        RunTmpfiles();
        RunTool("systemctl", "--root=/", "preset-all");
        RunTool("systemctl", "--root=/", "--global", "preset-all");
        RunDepmod();
        RunHwdb();
    }

    private void RunTmpfiles()
    {
        // Data that is wrong or cannot be made is no failure for systemd-tmpfiles-setup.service either (EX_DATAERR, EX_CANTCREAT).
        RunTool("systemd-tmpfiles", [
            "--root=/", "--boot", "--create", "--remove", .. s_volatile.Select(static path => $"--exclude-prefix={path}")],
            [0, 65, 73], new Dictionary<string, string>(StringComparer.Ordinal) { ["SYSTEMD_TMPFILES_FORCE_SUBVOL"] = "0" });
    }

    private void RunHwdb()
    {
        if (root.List("usr/lib/udev/hwdb.d"u8).Count == 0)
        {
            return;
        }
        RunTool("systemd-hwdb", ["--usr", "--strict", "update"], [0],
            new Dictionary<string, string>(StringComparer.Ordinal) { ["SYSTEMD_HWDB_UPDATE_BYPASS"] = "0" });
        // The one in /usr takes its place.
        root.Remove("etc/udev/hwdb.bin"u8);
    }

    private void RunDepmod()
    {
        foreach (var version in root.List("usr/lib/modules"u8))
        {
            byte[] directory = [.. "usr/lib/modules/"u8, .. version.Bytes];
            if (root.Exists([.. directory, .. "/vmlinuz"u8]) && !root.Exists([.. directory, .. "/modules.dep.bin"u8]))
            {
                RunTool("depmod", "--all", version.ToString());
            }
        }
    }

    private void RunTool(string tool, params string[] arguments) =>
        RunTool(tool, arguments, [0], new Dictionary<string, string>(StringComparer.Ordinal));

    private void RunTool(string tool, string[] arguments, int[] success, Dictionary<string, string> environment)
    {
        string? path = s_toolDirectories.Select(directory => directory + tool)
            .FirstOrDefault(path => root.Exists(root.Resolve(Posix.Bytes(path))));
        if (path is null)
        {
            return;
        }
        var result = run(new Script { Name = tool, Command = ["/" + path, .. arguments], Environment = environment, SuccessCodes = success });
        if (!success.Contains(result.ExitCode))
        {
            throw new InvalidDataException($"{tool} failed in the image with exit code {result.ExitCode}: {result.Output}");
        }
    }
}
