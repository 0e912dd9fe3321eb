using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Globalization;
using System.Text;
using Diecast.Config;

namespace Diecast.Cli;

/// <summary><c>--help</c> of the verbs that load a configuration: the settings that act, by section. Other verbs have their own.</summary>
internal sealed class HelpText(SettingOptions options, Terminal terminal, HelpAction standard) : SynchronousCommandLineAction
{
    private const int Column = 44;

    /// <summary><c>help [VERB]</c>: the same as <c>[VERB] --help</c>.</summary>
    public static Command CreateVerb(Terminal terminal)
    {
        var verb = new Argument<string?>("VERB") { Description = "the verb to read about", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("help", "print this help, or that of a verb") { verb };
        command.SetAction(result =>
        {
            var root = result.RootCommandResult.Command;
            string? name = result.GetValue(verb);
            if (name is not null && !root.Subcommands.Any(known => known.Name == name))
            {
                throw new ConfigException(new Location("help"), $"no verb is called {name}");
            }
            return root.Parse(name is null ? ["--help"] : [name, "--help"]).Invoke(new InvocationConfiguration { Output = terminal.Output, Error = terminal.Errors });
        });
        return command;
    }

    // A verb's required arguments are not required to read about them.
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var command = parseResult.CommandResult.Command;
        if (!command.Options.Contains(options.Force))
        {
            return standard.Invoke(parseResult);
        }
        terminal.Output.Write(Text(parseResult.RootCommandResult.Command, command));
        return 0;
    }

    private string Text(Command root, Command command)
    {
        var text = new StringBuilder();
        text.Append("Usage: diecast [options] [verb]\n\n").Append(root.Description).Append('\n');
        var own = command.Options.Except(root.Options).Where(static option => !option.Hidden && option is not HelpOption).ToList();
        if (command != root && own.Count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n{command.Name}: {command.Description}\n");
            foreach (var argument in command.Arguments)
            {
                Row(text, argument.Name, argument.Description ?? "");
            }
            foreach (var option in own)
            {
                Row(text, Names(option.Aliases.Append(option.Name), option.Arity.MaximumNumberOfValues == 0 ? null : option.HelpName), option.Description ?? "");
            }
        }
        text.Append("\nVerbs:\n");
        foreach (var verb in root.Subcommands.Where(static verb => !verb.Hidden))
        {
            Row(text, verb.Name, verb.Description ?? "");
        }
        text.Append("\nOptions:\n");
        foreach (var option in options.Own)
        {
            Row(text, Names(option.Aliases.Append(option.Name), option.HelpName), option.Description ?? "");
        }
        Row(text, "-h --help", "print this help");
        Row(text, "--version", "print the version");
        foreach (var section in SettingTable.All.Where(static row => row.Group == SettingGroup.Acts)
            .GroupBy(static row => row.Section, StringComparer.Ordinal))
        {
            text.Append("\n[").Append(section.Key).Append("]\n");
            foreach (var setting in section)
            {
                string suffix = setting.Default.Length > 0 ? $" (default: {setting.Default})" : "";
                Row(text, Names(setting.Options, setting.Syntax.Placeholder), $"{setting.Help}{suffix}");
            }
        }
        text.Append("\nSettings go into mkosi.conf or on the command line; docs/settings.md lists all of mkosi's.\n");
        return text.ToString();
    }

    private static string Names(IEnumerable<string> names, string? placeholder)
    {
        // mkosi's earlier spellings work, but are nothing to learn.
        string? letter = names.FirstOrDefault(static name => !name.StartsWith("--", StringComparison.Ordinal));
        string word = names.First(static name => name.StartsWith("--", StringComparison.Ordinal));
        return $"{(letter is null ? "" : letter + " ")}{word}{(placeholder is null ? "" : "=" + placeholder)}";
    }

    private static void Row(StringBuilder text, string left, string right)
    {
        bool fits = left.Length + 4 <= Column;
        text.Append("  ").Append(left).Append(fits ? new string(' ', Column - left.Length - 2) : "\n" + new string(' ', Column));
        text.Append(right).Append('\n');
    }
}
