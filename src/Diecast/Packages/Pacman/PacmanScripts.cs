using System.Collections.Immutable;
using Diecast.Trees;

namespace Diecast.Packages.Pacman;

/// <summary>Runs what packages bring to be run: the functions of their scripts, hooks, and ldconfig.</summary>
/// <param name="hookDirectories">In the root, besides the system's, each with more precedence than those before it.</param>
/// <param name="report">Gets a line for each step, and each warning.</param>
internal sealed class PacmanScripts(StagedRoot root, ScriptRunner run, ImmutableArray<string> hookDirectories, Action<string> report)
{
    // A fixed name: a script may leave it in what it writes.
    private const string ScriptPath = "/tmp/alpm_install/.INSTALL";

    private static readonly string[] s_shells = ["usr/bin/bash", "usr/bin/sh", "bin/sh"];
    private static readonly string[] s_ldconfigs = ["usr/bin/ldconfig", "usr/sbin/ldconfig", "sbin/ldconfig"];

    /// <summary>Calls a function of a package's script, if it has it. A failure is a warning, as in pacman.</summary>
    public void RunFunction(PackageIdentity identity, byte[]? script, string function)
    {
        if (script is null || !InstallScript.Contains(script, Posix.Bytes(function)))
        {
            return;
        }
        if (s_shells.FirstOrDefault(path => root.Exists(Posix.Bytes(path))) is not { } shell)
        {
            report($"warning: {identity}: {function} cannot run: no shell is installed yet");
            return;
        }
        Report(run(new Script
        {
            Name = $"{identity}: {function}",
            Command = ["/" + shell, "-c", $". {ScriptPath}; {function} {identity.Version}"],
            Attachment = (ScriptPath, script),
        }), $"{identity}: {function}");
    }

    public void RunLdconfig()
    {
        if (root.Exists("etc/ld.so.conf"u8) && s_ldconfigs.FirstOrDefault(path => root.Exists(Posix.Bytes(path))) is { } ldconfig)
        {
            Report(run(new Script { Name = "ldconfig", Command = ["/" + ldconfig] }), "ldconfig");
        }
    }

    /// <summary>Runs the hooks that a transaction sets off, as the root is now.</summary>
    /// <exception cref="PackageException">An early hook ends the transaction.</exception>
    public void RunHooks(HookTime when, HookTransaction transaction, IReadOnlyCollection<PackageInfo> installed)
    {
        foreach (var (hook, input) in ReadHooks().Triggered(when, transaction))
        {
            string name = $"hook {hook.Name}";
            if (hook.Depends.FirstOrDefault(dependency => !IsInstalled(dependency, installed)) is { } missing)
            {
                report($"warning: {name} does not run: {missing} is not installed");
                continue;
            }
            report($"running {name}");
            bool good = Report(run(new Script { Name = name, Command = hook.Command, Input = input }), name);
            if (!good && when == HookTime.PreTransaction && hook.AbortOnFail)
            {
                throw new PackageException([$"{name} ended the transaction"]);
            }
        }
    }

    private HookSet ReadHooks() => HookSet.Read(((string[])[HookSet.SystemDirectory, .. hookDirectories]).Select(directory =>
        (directory, (IReadOnlyList<(FileName, byte[])>)[.. root.List(Posix.Bytes(directory))
            .Select(name => (Name: name, Path: (byte[])[.. Posix.Bytes(directory), (byte)'/', .. name.Bytes]))
            .Where(file => root.Status(file.Path) is not { Type: FileType.Directory })
            // A link to /dev/null, which is not there, is how a hook is masked.
            .Select(file => (file.Name, root.ReadFile(file.Path) ?? []))])));

    private static bool IsInstalled(Dependency dependency, IReadOnlyCollection<PackageInfo> installed) => installed.Any(package =>
        dependency.Accepts(package.Identity.Name, package.Identity.Version) || package.Provides.Any(dependency.Accepts));

    private bool Report(ScriptResult result, string name)
    {
        if (result.Output.Length > 0)
        {
            report($"{name}: {result.Output}");
        }
        if (result.ExitCode != 0)
        {
            report($"warning: {name} failed with {result.ExitCode}");
        }
        return result.ExitCode == 0;
    }
}
