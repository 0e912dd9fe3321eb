using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Diecast.Cli;

/// <summary>A number of bytes, or null for "auto".</summary>
internal readonly record struct SizeOption(long? Bytes)
{
    public static SizeOption? Parse(string text) =>
        text == "auto" ? new SizeOption(null) : Verbs.ParseSize(text) is { } bytes ? new SizeOption(bytes) : null;
}

/// <summary>Options of the verbs that have their own, with an error of one line for a value that is none.</summary>
internal static class ParsedOption
{
    /// <param name="problem">What is said behind the value: "is no UUID".</param>
    /// <param name="parse">Null for what is no value.</param>
    public static Option<T> Create<T>(string name, string helpName, string problem, string description, Func<string, T> parse) =>
        new(name)
        {
            HelpName = helpName,
            Description = description,
            CustomParser = result => Parse(result, name, problem, parse),
        };

    public static Option<Guid?> Uuid(string name, string description) => Create(name, "UUID", "is no UUID", description, Verbs.ParseUuid);

    public static long? ParseSeconds(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long seconds) ? seconds : null;

    /// <summary>A value, or an error where <paramref name="parse"/> gives none.</summary>
    public static T? Parse<T>(ArgumentResult result, string name, string problem, Func<string, T?> parse)
    {
        if (result.Tokens is not [{ Value: var text }, ..])
        {
            // A required option that is missing: its absence is the error.
            return default;
        }
        var value = parse(text);
        if (value is null)
        {
            result.AddError($"{name}: \"{text}\" {problem}");
        }
        return value;
    }
}
