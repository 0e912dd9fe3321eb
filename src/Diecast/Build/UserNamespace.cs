using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Diecast.Build;

/// <summary>
/// Runs the tool once more inside a user namespace with ids 0 to 65535, so that owners are right without root and the
/// scripts of a root build and of any other see the same world. (A .NET process has threads and cannot unshare itself.)
/// </summary>
public static partial class UserNamespace
{
    private const string Marker = "DIECAST_IN_NAMESPACE";
    private const uint Count = 65536;

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUserId();

    [LibraryImport("libc", EntryPoint = "getegid")]
    private static partial uint GetEffectiveGroupId();

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Prctl(int option, nuint argument);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);

    /// <summary>Whether this process is the one inside.</summary>
    public static bool IsInside => Environment.GetEnvironmentVariable(Marker) == "1";

    /// <summary>
    /// Has the kernel end the process inside when the one outside ends, however it does, and hand it the processes that lose
    /// their parent inside.
    /// </summary>
    public static void EndWithParent()
    {
        const int setParentDeathSignal = 1;
        const int setChildSubreaper = 36;
        const int sigterm = 15;
        _ = Prctl(setParentDeathSignal, sigterm);
        _ = Prctl(setChildSubreaper, 1);
    }

    /// <summary>Ends the children of this process that have the text in their command line.</summary>
    internal static void KillOrphans(string text)
    {
        const int sigkill = 9;
        foreach (string task in Directory.GetDirectories("/proc/self/task"))
        {
            foreach (string id in ReadProcess(Path.Join(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                if (ReadProcess($"/proc/{id}/cmdline").Contains(text, StringComparison.Ordinal))
                {
                    _ = Kill(int.Parse(id, CultureInfo.InvariantCulture), sigkill);
                }
            }
        }
    }

    private static string ReadProcess(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            // It has ended.
            return "";
        }
    }

    /// <summary>The path of this program.</summary>
    /// <exception cref="IOException">It cannot be found out.</exception>
    public static string OwnProgram => Environment.ProcessPath
        ?? throw new IOException("the path of this program cannot be found out: this user cannot enter the directories above it");

    /// <summary>Runs this program with these arguments inside, on this terminal, and returns its exit code.</summary>
    /// <exception cref="IOException">No namespace can be made: the message says what to set up.</exception>
    public static int Run(IReadOnlyList<string> arguments) => Run(new InnerProcess { Program = OwnProgram, Arguments = arguments });

    /// <inheritdoc cref="Run(IReadOnlyList{string})"/>
    public static int Run(InnerProcess inner)
    {
        // The ids must be mapped before the tool is executed: without a mapping it would lose its capabilities there.
        const string waitForMap = "while ! read -r _ < /proc/self/uid_map; do sleep 0.01; done\n";
        string[] command = [
            "unshare", "--user", "--mount", .. inner.HasOwnHostName ? ["--uts"] : (string[])[], "--", "/bin/sh", "-c",
            $"{waitForMap}{inner.Prologue}exec \"$0\" \"$@\"", inner.Program, .. inner.Arguments];
        if (inner.IdShift != 0 && ShiftsRoot)
        {
            // Who is not root of the namespace before cannot become it there.
            string id = inner.IdShift.ToString(CultureInfo.InvariantCulture);
            command = ["setpriv", "--reuid", id, "--regid", id, "--clear-groups", "--", .. command];
        }
        var start = new ProcessStartInfo(command[0], command[1..]);
        start.Environment[Marker] = "1";
        foreach (var (name, value) in inner.Variables)
        {
            start.Environment[name] = value;
        }
        start.RedirectStandardOutput = start.RedirectStandardError = inner.Output is not null;
        using var child = Start(start);
        if (inner.Output is { } output)
        {
            child.OutputDataReceived += (_, line) => output(line.Data, false);
            child.ErrorDataReceived += (_, line) => output(line.Data, true);
            child.BeginOutputReadLine();
            child.BeginErrorReadLine();
        }
        Console.CancelKeyPress += static (_, e) => e.Cancel = true;
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, PassOn);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, PassOn);
        try
        {
            WaitUntilUnshared(child);
            Map(child.Id, inner.IdShift);
        }
        catch
        {
            child.Kill(entireProcessTree: true);
            throw;
        }
        child.WaitForExit();
        return child.ExitCode;

        void PassOn(PosixSignalContext signal)
        {
            const int sigterm = 15;
            signal.Cancel = true;
            _ = Kill(child.Id, sigterm);
        }
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start) ?? throw new UnreachableException();
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new IOException($"{start.FileName} cannot be started ({e.Message}): install the package util-linux", e);
        }
    }

    private static void WaitUntilUnshared(Process child)
    {
        string own = File.ResolveLinkTarget("/proc/self/ns/user", returnFinalTarget: false)!.Name;
        while (true)
        {
            if (child.HasExited)
            {
                throw new IOException(
                    "no user namespace can be made here (see above). In a plain chroot the kernel forbids it: enter the directory "
                    + "with unshare -m and pivot_root. Else look at the sysctls user.max_user_namespaces and kernel.unprivileged_userns_clone");
            }
            string? now = null;
            try
            {
                now = File.ResolveLinkTarget($"/proc/{child.Id}/ns/user", returnFinalTarget: false)?.Name;
            }
            catch (IOException)
            {
                // It ended between the two looks.
            }
            if (now is not null && now != own)
            {
                return;
            }
            Thread.Sleep(1);
        }
    }

    private static void Map(int process, uint shift)
    {
        if (GetEffectiveUserId() == 0)
        {
            try
            {
                File.WriteAllText($"/proc/{process}/uid_map", $"0 {shift} {Count}\n");
                File.WriteAllText($"/proc/{process}/gid_map", $"0 {shift} {Count}\n");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new IOException($"root cannot map the ids {shift} to {shift + Count - 1} into a user namespace here: {e.Message}", e);
            }
            return;
        }
        RunMapper("newuidmap", process, GetEffectiveUserId(), SubordinateRange("/etc/subuid", GetEffectiveUserId()).Start + shift);
        RunMapper("newgidmap", process, GetEffectiveGroupId(), SubordinateRange("/etc/subgid", GetEffectiveUserId()).Start + shift);
    }

    /// <summary>
    /// How far the ids can be moved to others that the caller may use: as root anywhere, else as far as the subordinate ranges
    /// are longer than needed. 0 where they are not.
    /// </summary>
    /// <exception cref="IOException">The caller has no ranges.</exception>
    public static uint LargestShift()
    {
        // Away from the ids of a system and from where its own subordinate ranges usually begin.
        const uint rootsShift = 1_000_000;
        if (GetEffectiveUserId() == 0)
        {
            return rootsShift;
        }
        uint user = GetEffectiveUserId();
        return Math.Min(SubordinateRange("/etc/subuid", user).Length, SubordinateRange("/etc/subgid", user).Length) - (Count - 1);
    }

    /// <summary>Whether ids of the namespace are ids of the host's that differ from the caller's own by the shift, root's too.</summary>
    public static bool ShiftsRoot => GetEffectiveUserId() == 0;

    private static void RunMapper(string program, int process, uint own, uint first)
    {
        try
        {
            string[] arguments = [.. new uint[] { (uint)process, 0, own, 1, 1, first, Count - 1 }.Select(static n => n.ToString(CultureInfo.InvariantCulture))];
            using var mapper = Process.Start(program, arguments);
            mapper.WaitForExit();
            if (mapper.ExitCode != 0)
            {
                throw new IOException($"{program} {string.Join(' ', arguments)} failed: is it set-uid root (package uidmap)?");
            }
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new IOException($"{program} cannot be started ({e.Message}): install the package uidmap", e);
        }
    }

    /// <summary>A range of at least 65535 that the user may map.</summary>
    private static (uint Start, uint Length) SubordinateRange(string file, uint uid)
    {
        string user = UserName(uid);
        string id = uid.ToString(CultureInfo.InvariantCulture);
        string[] lines = File.Exists(file) ? File.ReadAllLines(file) : [];
        foreach (string line in lines)
        {
            if (line.Split(':') is [var owner, var first, var count] && (owner == user || owner == id)
                && uint.TryParse(first, CultureInfo.InvariantCulture, out uint start)
                && uint.TryParse(count, CultureInfo.InvariantCulture, out uint length) && length >= Count - 1)
            {
                return (start, length);
            }
        }
        throw new IOException(
            $"{user} has no range of {Count - 1} subordinate ids in {file}. As root: "
            + $"usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user} (and install the package uidmap)");
    }

    private static string UserName(uint uid)
    {
        string id = uid.ToString(CultureInfo.InvariantCulture);
        foreach (string line in File.ReadLines("/etc/passwd"))
        {
            if (line.Split(':') is [var name, _, var own, ..] && own == id)
            {
                return name;
            }
        }
        return id;
    }
}
