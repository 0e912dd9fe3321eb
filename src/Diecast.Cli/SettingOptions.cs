using System.Collections;
using System.CommandLine;
using System.CommandLine.Parsing;
using Diecast.Build;
using Diecast.Config;
using Diecast.Inspect.Verification;

namespace Diecast.Cli;

/// <summary>The command line of the verbs that load a configuration: an option for each row of the table, and our own.</summary>
internal sealed class SettingOptions
{
    private readonly List<(Setting Setting, Option<string[]> Option)> _settings = [.. SettingTable.All.Select(Create)];

    public Option<string> Directory { get; } = new("--directory", "-C")
    {
        Description = "the directory of the configuration, and of relative paths", HelpName = "PATH",
    };

    public Option<bool> Force { get; } = Flag("replace outputs that exist", "--force", "-f");

    public Option<bool> Locked { get; } = Flag("fail rather than resolve packages anew", "--locked");

    public Option<bool> Debug { get; } = Flag("say more of what is done", "--debug");

    public Option<bool> DebugShell { get; } = Flag("open a shell in the sandbox of a script that fails", "--debug-shell");

    public Option<bool> Json { get; } = Flag("print the summary as JSON", "--json");

    // mkosi's, for scripts that pass it: there is no pager here.
    private Option<bool> NoPager { get; } = Flag("", "--no-pager");

    /// <summary>Our own options, in the order of the help.</summary>
    public IEnumerable<Option> Own => [Directory, Force, Locked, Debug, DebugShell, Json];

    /// <summary>Adds all options to a verb. The same ones are on the root, so they may stand before the verb or after it.</summary>
    public Command AddTo(Command command)
    {
        foreach (var option in Own.Append(NoPager).Concat(_settings.Select(static pair => pair.Option)))
        {
            command.Add(option);
        }
        return command;
    }

    /// <summary><c>--name=</c> resets a setting. The parser would take the next word for the value, unless an empty one is there.</summary>
    public static IEnumerable<string> SplitEmpty(IEnumerable<string> arguments) => arguments.SelectMany(static argument =>
        argument.StartsWith("--", StringComparison.Ordinal) && argument.IndexOf('=', StringComparison.Ordinal) == argument.Length - 1
            ? (string[])[argument[..^1], ""]
            : [argument]);

    /// <summary>What is wrong with the command line as such, in one line each.</summary>
    public List<string> Errors(ParseResult result)
    {
        var unmatched = result.UnmatchedTokens;
        string[] names = [.. result.CommandResult.Command.Options.Where(static option => !option.Hidden).Select(static option => option.Name)];
        var root = result.RootCommandResult.Command;
        string[] verbs = [.. root.Subcommands.Where(static verb => !verb.Hidden).Select(static verb => verb.Name)];
        return
        [
            .. unmatched.Select(token => token.StartsWith('-')
                ? $"{token}: there is no such option{Spelling.Suggest(token.Split('=')[0], names)}"
                : result.CommandResult.Command == root ? $"{token}: there is no such verb{Spelling.Suggest(token, verbs)}"
                : $"{token}: {result.CommandResult.Command.Name} takes no such argument"),
            .. result.Errors.Select(static error => error.Message)
                .Where(message => !unmatched.Any(token => message.Contains($"'{token}'", StringComparison.Ordinal))),
            .. _settings.Where(pair => IsAmbiguous(result.GetResult(pair.Option)))
                .Select(static pair => $"{pair.Setting.LongOption} is given with a value and without"),
        ];
    }

    /// <summary>Loads the configuration that a command line asks for, and prints what should be written otherwise in it.</summary>
    /// <exception cref="ConfigException">With everything that is wrong.</exception>
    public BuildConfig Load(ParseResult result, Terminal terminal)
    {
        var environment = CallersEnvironment();
        // Who rebuilds starts in the directory, by whatever path it goes there.
        string directory = RebuildOrder.Read(environment) is null ? result.GetValue(Directory) ?? "" : "";
        if (directory.Length > 0 && !System.IO.Directory.Exists(directory))
        {
            throw new ConfigException(new Location("--directory"), $"'{directory}' is no directory");
        }
        var config = ConfigLoader.Load(new ConfigSource
        {
            Directory = Path.GetFullPath(directory.Length > 0 ? directory : "."),
            DisplayDirectory = directory,
            CommandLine = [.. CommandLine(result)],
            Environment = RebuildOrder.CallersEnvironment(environment),
        });
        // The program that runs inside of the namespace would say it a second time.
        foreach (var warning in UserNamespace.IsInside ? [] : config.Warnings)
        {
            terminal.Warning(warning.ToString());
        }
        return config;
    }

    /// <summary>The settings on the command line; within one setting in the order given.</summary>
    internal IEnumerable<CommandLineValue> CommandLine(ParseResult result)
    {
        foreach (var (setting, option) in _settings)
        {
            if (result.GetResult(option) is not { Implicit: false } given)
            {
                continue;
            }
            string written = given.IdentifierToken?.Value ?? setting.LongOption;
            IEnumerable<string> values = given.Tokens.Count > 0 ? given.Tokens.Select(static token => token.Value) : ["yes"];
            foreach (string value in values)
            {
                yield return new CommandLineValue(setting, value, written);
            }
        }
    }

    private static (Setting, Option<string[]>) Create(Setting setting)
    {
        string name = setting.LongOption;
        var option = new Option<string[]>(name, [.. setting.Options.Where(other => other != name)])
        {
            Description = setting.Help,
            HelpName = setting.Syntax.Placeholder,
            // Options may repeat: lists grow, and of scalars the last one holds. Each takes one value, a truth value perhaps none.
            Arity = setting.Syntax.IsBoolean ? ArgumentArity.ZeroOrMore : ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
            Hidden = setting.Group != SettingGroup.Acts,
        };
        return (setting, option);
    }

    private static Option<bool> Flag(string description, string name, params string[] aliases) =>
        new(name, aliases) { Description = description, Arity = ArgumentArity.Zero, Hidden = description.Length == 0 };

    // The parser does not tell which came last.
    private static bool IsAmbiguous(OptionResult? given) =>
        given is { Implicit: false, Tokens.Count: > 0 } && given.IdentifierTokenCount > given.Tokens.Count;

    internal static Dictionary<string, string> CallersEnvironment() => Environment.GetEnvironmentVariables()
        .Cast<DictionaryEntry>()
        .ToDictionary(static entry => (string)entry.Key, static entry => (string?)entry.Value ?? "", StringComparer.Ordinal);
}
