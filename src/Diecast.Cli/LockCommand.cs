using System.CommandLine;

namespace Diecast.Cli;

/// <summary><c>lock</c>: resolves the packages and writes diecast.lock.</summary>
internal sealed class LockCommand(SettingOptions options, Terminal terminal)
{
    public Command Create()
    {
        var command = options.AddTo(new Command("lock", "resolve the packages and write diecast.lock"));
        command.SetAction(result => BuildCommand.Start(
            options.Load(result, terminal),
            new BuildOptions(result.GetValue(options.Force), Locked: false, result.GetValue(options.Debug), LockOnly: true),
            terminal));
        return command;
    }
}
