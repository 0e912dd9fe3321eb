using System.Text;
using Diecast.Config;

namespace Diecast.Build.Partitioning;

/// <summary>One assignment of a definition file.</summary>
internal readonly record struct Assignment(string Section, string Key, string Value, Location Location);

/// <summary>
/// The syntax of systemd's configuration files (systemd.syntax(7)): sections in brackets, one assignment a line, a
/// backslash at the end of a line becomes a blank and the next line goes on; lines whose first character is # or ; are
/// comments, also in the middle of a continued line.
/// </summary>
internal static class DefinitionSyntax
{
    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The assignments in their order. What is wrong is added to <paramref name="errors"/>.</summary>
    public static List<Assignment> Parse(byte[] content, string file, List<Diagnostic> errors)
    {
        var assignments = new List<Assignment>();
        string section = "";
        foreach (var (number, line) in LogicalLines(content, file, errors))
        {
            var location = new Location(file, number);
            string text = line.Trim();
            if (text.Length == 0)
            {
                continue;
            }
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            if (text[0] == '[')
            {
                if (text[^1] != ']')
                {
                    errors.Add(new Diagnostic(location, $"the section header {text} has no closing bracket"));
                }
                section = text.Trim('[', ']');
            }
            else if (equals <= 0)
            {
                errors.Add(new Diagnostic(location, $"\"{text}\" is no assignment"));
            }
            else
            {
                assignments.Add(new Assignment(section, text[..equals].TrimEnd(), text[(equals + 1)..].TrimStart(), location));
            }
        }
        return assignments;
    }

    private static IEnumerable<(int Number, string Line)> LogicalLines(byte[] content, string file, List<Diagnostic> errors)
    {
        var pending = new StringBuilder();
        int first = 0;
        int number = 0;
        foreach (string line in Decode(content, file, errors).Split('\n'))
        {
            number++;
            string start = line.TrimStart();
            if (start.Length > 0 && start[0] is '#' or ';')
            {
                continue;
            }
            if (pending.Length == 0)
            {
                first = number;
            }
            string text = line.TrimEnd('\r');
            if (EndsInBackslash(text))
            {
                pending.Append(text.AsSpan(0, text.Length - 1)).Append(' ');
                continue;
            }
            yield return (first, pending.Append(text).ToString());
            pending.Clear();
        }
        if (pending.Length > 0)
        {
            yield return (first, pending.ToString());
        }
    }

    /// <summary>Whether the line ends in a backslash that no other backslash escapes.</summary>
    private static bool EndsInBackslash(string line) =>
        (line.Length - line.AsSpan().TrimEnd('\\').Length) % 2 == 1;

    private static string Decode(byte[] content, string file, List<Diagnostic> errors)
    {
        try
        {
            return s_strict.GetString(content).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException error)
        {
            int line = content.AsSpan(0, error.Index).Count((byte)'\n') + 1;
            errors.Add(new Diagnostic(new Location(file, line), "the text is not UTF-8"));
            return "";
        }
    }
}
