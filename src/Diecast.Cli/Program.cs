using System.CommandLine;
using System.CommandLine.Help;
using System.Reflection;
using Diecast.Config;
using Diecast.Packages;

namespace Diecast.Cli;

internal static class Program
{
    public static string Version { get; } = typeof(Program).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    private static int Main(string[] arguments) => Run(arguments, Terminal.Standard);

    /// <summary>The whole program; exit status 1 and one line on stderr for each thing that the user or the input got wrong.</summary>
    internal static int Run(IReadOnlyList<string> arguments, Terminal terminal)
    {
        var options = new SettingOptions();
        var result = CreateCommand(options, terminal).Parse([.. SettingOptions.SplitEmpty(arguments)], Parsing);
        var errors = options.Errors(result);
        int trouble = result.CommandResult.Command.Name is "diff" or "verify" ? DiffCommand.Trouble : 1;
        if (errors.Count > 0)
        {
            errors.ForEach(terminal.Error);
            return trouble;
        }
        try
        {
            return result.Invoke(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                Output = terminal.Output,
                Error = terminal.Errors,
            });
        }
        catch (ConfigException error)
        {
            foreach (var diagnostic in error.Diagnostics)
            {
                terminal.Error(diagnostic.ToString());
            }
        }
        catch (PackageException error)
        {
            foreach (string line in error.Errors)
            {
                terminal.Error(line);
            }
        }
        catch (Exception error) when (error is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            terminal.Error(error.Message);
        }
        return trouble;
    }

    // A value may begin with @, which is no response file here.
    internal static ParserConfiguration Parsing => new() { ResponseFileTokenReplacer = null };

    /// <summary>The verbs. Without one, it is build.</summary>
    internal static Command CreateCommand(SettingOptions options, Terminal terminal)
    {
        var build = new BuildCommand(options, terminal);
        var root = options.AddTo(new Command("diecast", "Builds bootable Linux disk images that are identical to the last bit."));
        root.SetAction(build.Run);
        root.Add(build.Create());
        root.Add(new LockCommand(options, terminal).Create());
        root.Add(new SummaryCommand(options, terminal).Create());
        root.Add(new CleanCommand(options, terminal).Create());
        root.Add(new MkfsCommand(terminal).Create());
        root.Add(new RepartCommand(terminal).Create());
        root.Add(new DiffCommand(terminal).Create());
        root.Add(new InspectCommand(terminal).Create());
        root.Add(new LsCommand(terminal).Create());
        root.Add(new CatCommand(terminal).Create());
        root.Add(new ExtractCommand(terminal).Create());
        root.Add(new VerifyCommand(options, terminal).Create());
        root.Add(HelpText.CreateVerb(terminal));
        root.Add(SettingsDocument.CreateVerb(terminal));

        var help = new HelpOption("--help", "-h") { Recursive = true };
        help.Action = new HelpText(options, terminal, (HelpAction)help.Action!);
        root.Add(help);
        root.Add(new Option<bool>("--version") { Description = "print the version", Action = new VersionAction(terminal) });
        return root;
    }

    private sealed class VersionAction(Terminal terminal) : System.CommandLine.Invocation.SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            terminal.Output.WriteLine($"diecast {Version}");
            return 0;
        }
    }
}
