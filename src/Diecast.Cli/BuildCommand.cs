using System.CommandLine;
using Diecast.Build;
using Diecast.Config;
using Diecast.Packages;

namespace Diecast.Cli;

/// <summary>What the command line asks of a build beyond its configuration.</summary>
/// <param name="Force">Replace outputs that exist.</param>
/// <param name="Locked">Fail rather than resolve packages.</param>
/// <param name="Debug">Say more.</param>
/// <param name="LockOnly">Resolve and write the lock file, and build nothing.</param>
/// <param name="DebugShell">Open a shell where a script fails.</param>
internal sealed record BuildOptions(bool Force, bool Locked, bool Debug, bool LockOnly, bool DebugShell = false);

/// <summary><c>build</c>, the default verb: makes the image.</summary>
internal sealed class BuildCommand(SettingOptions options, Terminal terminal)
{
    public Command Create()
    {
        var command = options.AddTo(new Command("build", "build the image (the default)"));
        command.SetAction(Run);
        return command;
    }

    public int Run(ParseResult result) => Start(
        options.Load(result, terminal),
        new BuildOptions(result.GetValue(options.Force), result.GetValue(options.Locked), result.GetValue(options.Debug), LockOnly: false, result.GetValue(options.DebugShell)),
        terminal);

    /// <summary>Builds, or only locks; where the verbs meet the library.</summary>
    internal static int Start(BuildConfig config, BuildOptions options, Terminal terminal)
    {
        if (options.DebugShell)
        {
            if (Console.IsInputRedirected)
            {
                throw new ConfigException(new Location("--debug-shell"), "standard input is no terminal");
            }
            // Bars would be drawn over the shell.
            terminal = terminal with { IsInteractive = false };
        }
        if (!options.LockOnly && !UserNamespace.IsInside)
        {
            return UserNamespace.Run([.. Environment.GetCommandLineArgs().Skip(1)]);
        }
        return Verbs.Run(terminal, cancellation => Progress.Run(terminal, progress =>
            Run(CreateRequest(config, options, terminal, progress, cancellation), options.LockOnly, terminal)));
    }

    internal static BuildRequest CreateRequest(
        BuildConfig config, BuildOptions options, Terminal terminal, Progress progress, CancellationToken cancellation) => new()
    {
        Config = config,
        Force = options.Force,
        Locked = options.Locked,
        Store = PackageStore.DefaultDirectory(Environment.GetEnvironmentVariable)
            ?? throw new IOException("neither HOME nor XDG_CACHE_HOME is set: there is no place for the package store"),
        Now = DateTimeOffset.UtcNow.ToUnixTimeSeconds(),
        ToolVersion = Program.Version,
        Report = new BuildReport
        {
            Stage = progress.Stage,
            Download = downloaded => progress.Download(downloaded.BytesDone, downloaded.Bytes),
            Detail = options.Debug ? terminal.Detail : static _ => { },
            Warning = terminal.Warning,
        },
        DebugShell = options.DebugShell ? terminal.Detail : null,
        Cancellation = cancellation,
    };

    internal static int Run(BuildRequest request, bool lockOnly, Terminal terminal)
    {
        if (lockOnly)
        {
            terminal.Output.WriteLine(Builder.Lock(request));
            return 0;
        }
        UserNamespace.EndWithParent();
        var result = Builder.Build(request);
        terminal.Errors.WriteLine(result.Times);
        terminal.Output.WriteLine(result.Sha256 is null ? result.Path : $"{result.Sha256}  {result.Path}");
        return 0;
    }
}
