using System.Collections.Immutable;
using System.Text;
using Diecast.Trees;

namespace Diecast.Packages.Pacman;

[Flags]
public enum HookOperations
{
    None = 0,
    Install = 1,
    Upgrade = 2,
    Remove = 4,
}

public enum HookTime
{
    PreTransaction,
    PostTransaction,
}

/// <summary>What sets a hook off: operations on paths, or on packages by name, that match the targets.</summary>
public sealed record HookTrigger(HookOperations Operations, bool IsPath, ImmutableArray<byte[]> Targets);

/// <summary>A program that is run once in a transaction; alpm-hooks(5).</summary>
public sealed record AlpmHook
{
    public const string Suffix = ".hook";

    /// <summary>The file's name, with its suffix.</summary>
    public required FileName Name { get; init; }

    public required HookTime When { get; init; }

    /// <summary>Any of them is enough; none is a hook that only masks another.</summary>
    public required ImmutableArray<HookTrigger> Triggers { get; init; }

    /// <summary>The program and its arguments; no shell is used.</summary>
    public required ImmutableArray<string> Command { get; init; }

    public string? Description { get; init; }

    /// <summary>What must be installed for the hook to run.</summary>
    public ImmutableArray<Dependency> Depends { get; init; } = [];

    /// <summary>Whether a failure before the transaction ends it.</summary>
    public bool AbortOnFail { get; init; }

    /// <summary>Whether the program gets what set it off, on its standard input.</summary>
    public bool NeedsTargets { get; init; }

    /// <param name="file">The hook's path, for errors.</param>
    /// <param name="name">The last name in it.</param>
    /// <exception cref="InvalidDataException">All errors, each <c>file:line: message</c>.</exception>
    public static AlpmHook Parse(string file, FileName name, byte[] content) => new Parser(file).Parse(name, content);

    private sealed class Parser(string file)
    {
        private readonly List<string> _errors = [];
        private readonly List<(int Line, HookOperations Operations, bool? IsPath, List<byte[]> Targets)> _triggers = [];
        private readonly List<Dependency> _depends = [];
        private HookTime? _when;
        private ImmutableArray<string>? _command;
        private string? _description;
        private bool _abortOnFail;
        private bool _needsTargets;

        public AlpmHook Parse(FileName name, byte[] content)
        {
            foreach (var line in IniFile.Read(content))
            {
                ParseLine(line);
            }
            foreach (var trigger in _triggers)
            {
                CheckTrigger(trigger.Line, trigger.Operations, trigger.IsPath, trigger.Targets);
            }
            if (_triggers.Count > 0 && (_command is null || _when is null))
            {
                _errors.Add($"{file}: [Action] needs {(_command is null ? "Exec" : "When")}");
            }
            return _errors.Count > 0 ? throw new InvalidDataException(string.Join('\n', _errors)) : new AlpmHook
            {
                Name = name,
                When = _when ?? HookTime.PostTransaction,
                Triggers = [.. _triggers.Select(static trigger => new HookTrigger(trigger.Operations, trigger.IsPath == true, [.. trigger.Targets]))],
                Command = _command ?? [],
                Description = _description,
                Depends = [.. _depends],
                AbortOnFail = _abortOnFail,
                NeedsTargets = _needsTargets,
            };
        }

        private void CheckTrigger(int line, HookOperations operations, bool? isPath, List<byte[]> targets)
        {
            if (operations == HookOperations.None)
            {
                Error(line, "this trigger has no Operation");
            }
            if (isPath is null)
            {
                Error(line, "this trigger has no Type");
            }
            if (targets.Count == 0)
            {
                Error(line, "this trigger has no Target");
            }
        }

        private void ParseLine(IniLine line)
        {
            switch (line.Section, line.Key)
            {
                case ("Trigger", null):
                    _triggers.Add((line.Number, HookOperations.None, null, []));
                    break;
                case ("Action", null):
                    break;
                case (_, null):
                    Error(line.Number, $"there is no section [{line.Section}]");
                    break;
                case ("Action", "AbortOnFail"):
                    _abortOnFail = true;
                    break;
                case ("Action", "NeedsTargets"):
                    _needsTargets = true;
                    break;
                case (_, _) when line.Value is null:
                    Error(line.Number, $"{line.Key} has no value");
                    break;
                case ("Trigger", _):
                    ParseTrigger(line, line.Value);
                    break;
                case ("Action", _):
                    ParseAction(line);
                    break;
                default:
                    Error(line.Number, $"{line.Key} stands in no section");
                    break;
            }
        }

        private void ParseTrigger(IniLine line, byte[] value)
        {
            var trigger = _triggers[^1];
            switch (line.Key, line.Text)
            {
                case ("Operation", "Install" or "Upgrade" or "Remove"):
                    trigger.Operations |= Enum.Parse<HookOperations>(line.Text);
                    break;
                case ("Type", "Path" or "File"):
                    trigger.IsPath = true;
                    break;
                case ("Type", "Package"):
                    trigger.IsPath = false;
                    break;
                case ("Target", _):
                    trigger.Targets.Add(value);
                    break;
                case ("Operation" or "Type", _):
                    Error(line.Number, $"{line.Key} cannot be {line.Text}");
                    break;
                default:
                    Error(line.Number, $"there is no setting {line.Key} in [Trigger]");
                    break;
            }
            _triggers[^1] = trigger;
        }

        private void ParseAction(IniLine line)
        {
            switch (line.Key, line.Text)
            {
                case ("When", "PreTransaction"):
                    _when = HookTime.PreTransaction;
                    break;
                case ("When", "PostTransaction"):
                    _when = HookTime.PostTransaction;
                    break;
                case ("Exec", { } text):
                    _command = WordSplit(text) is [_, ..] words ? words : null;
                    if (_command is null)
                    {
                        Error(line.Number, "Exec is empty or has a quote that does not end");
                    }
                    break;
                case ("Description", { } text):
                    _description = text;
                    break;
                case ("Depends", { } text):
                    _depends.Add(Dependency.Parse(text));
                    break;
                case ("When", _):
                    Error(line.Number, $"When cannot be {line.Text}");
                    break;
                default:
                    Error(line.Number, $"there is no setting {line.Key} in [Action]");
                    break;
            }
        }

        private void Error(int line, string message) =>
            _errors.Add($"{file}:{line}: {FileName.Display(Encoding.UTF8.GetBytes(message))}");
    }

    /// <summary>
    /// Splits at blanks, outside of single and double quotes; a backslash only escapes a quote: inside of quotes the one
    /// that they are made of. Null where a quote does not end.
    /// </summary>
    internal static ImmutableArray<string>? WordSplit(string text)
    {
        var words = ImmutableArray.CreateBuilder<string>();
        StringBuilder? word = null;
        char quote = '\0';
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            char next = i + 1 < text.Length ? text[i + 1] : '\0';
            bool blank = c is ' ' or (>= '\t' and <= '\r');
            if (quote == '\0' && blank)
            {
                if (word is not null)
                {
                    words.Add(word.ToString());
                    word = null;
                }
                continue;
            }
            word ??= new StringBuilder();
            if (c == '\\' && (quote == '\0' ? next is '\'' or '"' : next == quote))
            {
                word.Append(next);
                i++;
            }
            else if (quote == '\0' ? c is '\'' or '"' : c == quote)
            {
                quote = quote == '\0' ? c : '\0';
            }
            else
            {
                word.Append(c);
            }
        }
        if (word is not null)
        {
            words.Add(word.ToString());
        }
        return quote == '\0' ? words.ToImmutable() : null;
    }
}
