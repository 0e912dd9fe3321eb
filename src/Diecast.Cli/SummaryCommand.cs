using System.CommandLine;
using Diecast.Config;

namespace Diecast.Cli;

/// <summary><c>summary</c>: prints the resolved configuration.</summary>
internal sealed class SummaryCommand(SettingOptions options, Terminal terminal)
{
    public Command Create()
    {
        var command = options.AddTo(new Command("summary", "print the resolved configuration"));
        command.SetAction(result =>
        {
            var config = options.Load(result, terminal);
            terminal.Output.Write(result.GetValue(options.Json) ? Summary.Json(config) : Summary.Text(config));
            return 0;
        });
        return command;
    }
}
