using System.Diagnostics;
using System.Text;
using Diecast.Packages;

namespace Diecast.Build;

/// <summary>
/// Runs the image's own programs in a staged root by bubblewrap: no network, no host files, devices or kernel
/// settings, and an environment that is the same everywhere.
/// </summary>
public sealed class Sandbox(string root, string workDirectory, IReadOnlyDictionary<string, string> environment)
{
    private const int OutputLimit = 64 * 1024;

    private static readonly Lock s_terminal = new();

    /// <summary>More mounts, as bubblewrap's options, over those that every script has.</summary>
    public IReadOnlyList<string> Mounts { get; init; } = [];

    /// <summary>Where scripts start.</summary>
    public string WorkingDirectory { get; init; } = "/";

    /// <summary>Another clock than the host's.</summary>
    public FakedClock? Clock { get; init; }

    /// <summary>
    /// Scripts run not in the staged root, which is then to be among the mounts, but with the host's programs, read-only, and
    /// none of its files: <c>/usr</c>, the links and directories beside it, and what <c>/etc</c> has only for their sake.
    /// </summary>
    public bool HasHostPrograms { get; init; }

    /// <inheritdoc cref="BuildRequest.DebugShell"/>
    public Action<string>? DebugShell { get; init; }

    private bool IsReadOnly { get; init; }

    /// <summary>
    /// What every script sees: no host name, locale or time zone of the host; systemd's tools know that they run in a
    /// directory and not on a system, and its hwdb is not built more than once.
    /// </summary>
    public static IReadOnlyDictionary<string, string> FixedEnvironment(long epoch) => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["HOME"] = "/",
        ["LANG"] = "C.UTF-8",
        ["LC_ALL"] = "C.UTF-8",
        ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
        ["SOURCE_DATE_EPOCH"] = epoch.ToString(System.Globalization.CultureInfo.InvariantCulture),
        ["SYSTEMD_HWDB_UPDATE_BYPASS"] = "1",
        ["SYSTEMD_IN_CHROOT"] = "1",
        ["KERNEL_INSTALL_BYPASS"] = "1",
        ["TZ"] = "UTC",
        ["TERM"] = "dumb",
    };

    /// <summary>
    /// Tries the sandbox on the host's own root, read-only: what forbids it would otherwise look like the failure of a
    /// script, and that of many scripts is but a warning.
    /// </summary>
    /// <exception cref="IOException">bubblewrap is missing or cannot set up the sandbox here.</exception>
    public static void RequireWorking(string workDirectory, CancellationToken cancellation)
    {
        var sandbox = new Sandbox("/", workDirectory, FixedEnvironment(0)) { IsReadOnly = true };
        var result = sandbox.Run(new Script { Name = "trial", Command = ["/bin/true"] }, cancellation);
        if (result.ExitCode != 0)
        {
            throw new IOException($"the sandbox does not work here: {result.Output}");
        }
    }

    /// <summary>Runs a script and waits. Must be called on a thread that lives as long: its end would end the sandbox.</summary>
    /// <exception cref="IOException">bubblewrap is missing or could not set up the sandbox.</exception>
    public ScriptResult Run(Script script, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo("bwrap")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        string? attachment = null;
        List<string> arguments = [.. Arguments(), .. Mounts, .. Clock?.Mounts ?? [], .. Variables(script.Environment), "--chdir", WorkingDirectory];
        if (script.Attachment is { } attached)
        {
            attachment = Path.Join(workDirectory, "attachment");
            File.WriteAllBytes(attachment, attached.Content.ToArray());
            arguments.AddRange(["--ro-bind", attachment, attached.Path]);
        }
        foreach (string argument in arguments.Append("--new-session"))
        {
            start.ArgumentList.Add(argument);
        }
        using var filter = SyncFilter.Open();
        if (filter is not null)
        {
            start.ArgumentList.Add("--seccomp");
            start.ArgumentList.Add(filter.DangerousGetHandle().ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
        start.ArgumentList.Add("--");
        foreach (string argument in script.Command)
        {
            start.ArgumentList.Add(argument);
        }
        try
        {
            var result = Wait(start, script.Input, cancellation);
            if (DebugShell is not null && !script.SuccessCodes.Contains(result.ExitCode))
            {
                OpenShell(script, result, arguments);
            }
            return result;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new IOException($"bwrap cannot be started ({e.Message}): install the package bubblewrap", e);
        }
        finally
        {
            if (attachment is not null)
            {
                File.Delete(attachment);
            }
        }
    }

    /// <summary>On the terminal, wherever standard output goes. What is changed there is of no use: the build fails after it.</summary>
    private void OpenShell(Script script, ScriptResult result, List<string> arguments)
    {
        // Image and initrd are made beside each other.
        lock (s_terminal)
        {
            DebugShell!($"{result.Output}\n{script.Name} failed with {result.ExitCode}: a shell where it ran; exit ends it\ncommand: {string.Join(' ', script.Command)}");
            string[] command = [
                "-c", "exec \"$@\" < /dev/tty > /dev/tty 2>&1", "sh", "bwrap", .. arguments,
                "--setenv", "TERM", Environment.GetEnvironmentVariable("TERM") ?? "dumb", "--", "/bin/sh", "-i"];
            using var process = Process.Start(new ProcessStartInfo("/bin/sh", command)) ?? throw new UnreachableException();
            process.WaitForExit();
        }
    }

    private string[] Arguments() => [
        .. HasHostPrograms ? HostPrograms() : [IsReadOnly ? "--ro-bind" : "--bind", root, "/"],
        "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/run", "--perms", "1777", "--tmpfs", "/tmp", "--perms", "1777", "--tmpfs", "/var/tmp",
        "--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--hostname", "localhost",
        "--die-with-parent", "--cap-add", "ALL", "--clearenv"];

    private IEnumerable<string> Variables(IReadOnlyDictionary<string, string> own) =>
        environment.Concat(own).Concat(Clock is null ? [] : Clock.Variables).SelectMany(static pair => (string[])["--setenv", pair.Key, pair.Value]);

    private static IEnumerable<string> HostPrograms()
    {
        List<string> mounts = ["--ro-bind", "/usr", "/usr"];
        foreach (string directory in (string[])["/bin", "/sbin", "/lib", "/lib32", "/lib64"])
        {
            if (new FileInfo(directory).LinkTarget is { } target)
            {
                mounts.AddRange(["--symlink", target, directory]);
            }
            else if (Directory.Exists(directory))
            {
                mounts.AddRange(["--ro-bind", directory, directory]);
            }
        }
        return mounts.Concat(["--ro-bind-try", "/etc/alternatives", "/etc/alternatives", "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]);
    }

    private ScriptResult Wait(ProcessStartInfo start, ReadOnlyMemory<byte> input, CancellationToken cancellation)
    {
        using var process = Process.Start(start) ?? throw new UnreachableException();
        bool ended = false;
        using var registration = cancellation.Register(() =>
        {
            process.Kill(entireProcessTree: true);
            // The kernel ends a sandbox with its bwrap, but not one that had only just been begun.
            while (!Volatile.Read(ref ended))
            {
                UserNamespace.KillOrphans(root);
                Thread.Sleep(10);
            }
        });
        var output = new StringBuilder();
        void Collect(object _, DataReceivedEventArgs line)
        {
            lock (output)
            {
                output.AppendLine(line.Data);
                if (output.Length > OutputLimit)
                {
                    output.Remove(0, output.Length - OutputLimit / 2);
                }
            }
        }
        process.OutputDataReceived += Collect;
        process.ErrorDataReceived += Collect;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            process.StandardInput.BaseStream.Write(input.Span);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The program ended without reading its input: its exit code says whether that was right.
        }
        finally
        {
            process.WaitForExit();
            Volatile.Write(ref ended, true);
        }
        cancellation.ThrowIfCancellationRequested();
        lock (output)
        {
            return new ScriptResult(process.ExitCode, output.ToString().Trim());
        }
    }
}
