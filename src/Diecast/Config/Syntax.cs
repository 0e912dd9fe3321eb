using System.Globalization;
using System.Text.RegularExpressions;

namespace Diecast.Config;

/// <summary>How the text of a setting names files.</summary>
public enum PathUse
{
    None,

    /// <summary>The value is a path, relative to the configuration directory.</summary>
    Path,

    /// <summary>The value is a path and perhaps, after a colon, where in the image its contents go.</summary>
    Tree,
}

/// <summary>
/// The syntax of a setting's value. <see cref="Check"/> gives the value in its one canonical spelling and throws
/// <see cref="FormatException"/> with a message for the user.
/// </summary>
public sealed record Syntax(string Placeholder, Func<string, string> Check)
{
    /// <summary>Splits one line of a list into its items; null for a scalar.</summary>
    public Func<string, IEnumerable<string>>? Split { get; init; }

    /// <summary>Items are NAME=VALUE, and a later one replaces an earlier one of the same name.</summary>
    public bool IsDictionary { get; init; }

    /// <summary>On the command line the value may be left out, and is then "yes".</summary>
    public bool IsBoolean { get; init; }

    public PathUse Paths { get; init; }

    public bool IsList => Split is not null;

    public static Syntax Text { get; } = new("TEXT", static text => text);

    public static Syntax Boolean { get; } = new("yes|no", static text => ParseBoolean(text) ? "yes" : "no") { IsBoolean = true };

    public static Syntax Feature { get; } = new("yes|no|auto", CheckFeature) { IsBoolean = true };

    /// <summary>Items between commas and white space.</summary>
    public static Syntax List(string placeholder) => new(placeholder, static text => text) { Split = SplitList };

    /// <summary>Items between blanks only, as the words of a kernel command line have commas in them.</summary>
    public static Syntax Words(string placeholder) =>
        new(placeholder, static text => text) { Split = static text => text.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries) };

    /// <summary>NAME=VALUE between blanks, with the quotes and backslashes of a shell.</summary>
    public static Syntax Variables { get; } =
        new("NAME=VALUE", static text => text) { Split = ShellWords.Split, IsDictionary = true };

    public static Syntax Path { get; } = new("PATH", static text => text) { Paths = PathUse.Path };

    public static Syntax PathList { get; } = List("PATH") with { Paths = PathUse.Path };

    public static Syntax TreeList { get; } = List("PATH[:TARGET]") with { Paths = PathUse.Tree };

    /// <summary>A word that becomes, or becomes part of, a file's name.</summary>
    public static Syntax FileName { get; } = new("NAME", static text =>
        text is "." or ".." || text.Any(static c => c == '/' || char.IsWhiteSpace(c) || char.IsControl(c))
            ? throw new FormatException($"'{text}' must be a file name, without directory or blanks")
            : text);

    /// <summary>Shell patterns of files in the image.</summary>
    public static Syntax Globs { get; } = List("GLOB") with
    {
        Check = static text => text.Split('/').Contains("..", StringComparer.Ordinal)
            ? throw new FormatException($"'{text}' must not have '..' in it")
            : text,
    };

    /// <summary>Text that goes into a file of the image as it stands, and so must be of the characters that belong there.</summary>
    public static Syntax Matching(Regex pattern, string what) => new("TEXT", text =>
        pattern.IsMatch(text) ? text : throw new FormatException($"'{text}' is no {what}"));

    public static Syntax Uuid(string random) => new("UUID", text => text == "random"
        ? throw new FormatException(random)
        : Guid.TryParseExact(text, "D", out var id) || Guid.TryParseExact(text, "N", out id)
            ? id.ToString("D")
            : throw new FormatException($"'{text}' is no UUID"));

    /// <summary>A whole number that is not negative.</summary>
    public static Syntax Number(string placeholder) => new(placeholder, static text =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number.ToString(CultureInfo.InvariantCulture)
            : throw new FormatException($"'{text}' is no whole number from 0 up"));

    /// <summary>One of the enumeration's names; <paramref name="notYet"/> are mkosi's that are not acted on.</summary>
    public static Syntax Choice<T>(params string[] notYet)
        where T : struct, Enum
    {
        string[] names = [.. Names.All<T>()];
        return new Syntax(string.Join('|', names), text => CheckChoice(text, names, notYet));
    }

    /// <summary>A list of choices.</summary>
    public static Syntax Choices<T>(string placeholder, params string[] notYet)
        where T : struct, Enum => Choice<T>(notYet) with { Placeholder = placeholder, Split = SplitList };

    /// <summary>mkosi's spellings of a truth value.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static bool ParseBoolean(string text) => TryBoolean(text)
        ?? throw new FormatException($"'{text}' is neither yes nor no");

    internal static bool? TryBoolean(string text) => text.ToLowerInvariant() switch
    {
        "1" or "true" or "yes" or "t" or "y" or "on" or "always" => true,
        "0" or "false" or "no" or "f" or "n" or "off" or "never" => false,
        _ => null,
    };

    internal static IEnumerable<string> SplitList(string text) =>
        text.Split([',', ' ', '\t'], StringSplitOptions.RemoveEmptyEntries);

    internal static string CheckChoice(string text, string[] names, string[] notYet)
    {
        if (names.Contains(text, StringComparer.Ordinal))
        {
            return text;
        }
        string known = $"possible now: {string.Join(", ", names)}";
        throw new FormatException(notYet.Contains(text, StringComparer.Ordinal)
            ? $"'{text}' is not supported yet ({known})"
            : $"'{text}' is unknown{Spelling.Suggest(text, [.. names, .. notYet])} ({known})");
    }

    private static string CheckFeature(string text) => text switch
    {
        "auto" => "auto",
        "enabled" => "yes",
        "disabled" => "no",
        _ => ParseBoolean(text) ? "yes" : "no",
    };
}
