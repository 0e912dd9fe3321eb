using System.CommandLine;
using Diecast.Config;

namespace Diecast.Cli;

/// <summary>What the command line asks of a build beyond its configuration.</summary>
/// <param name="Force">Replace outputs that exist.</param>
/// <param name="Locked">Fail rather than resolve packages.</param>
/// <param name="Debug">Say more.</param>
/// <param name="LockOnly">Resolve and write the lock file, and build nothing.</param>
internal sealed record BuildOptions(bool Force, bool Locked, bool Debug, bool LockOnly);

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
        new BuildOptions(result.GetValue(options.Force), result.GetValue(options.Locked), result.GetValue(options.Debug), LockOnly: false),
        terminal);

    /// <summary>Builds, or only locks; where the verbs meet the library.</summary>
    internal static int Start(BuildConfig config, BuildOptions options, Terminal terminal)
    {
        terminal.Output.Write(Summary.Text(config));
        terminal.Error(options.LockOnly ? "not locked yet" : "not built yet");
        return 1;
    }
}
