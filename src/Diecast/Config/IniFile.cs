using System.Collections.Immutable;
using System.Text;

namespace Diecast.Config;

/// <summary>One line of a value, and where it stands in its file.</summary>
public readonly record struct ValueLine(string Text, int Line);

/// <summary>One <c>Key=Value</c>. A value goes on over the indented lines below it.</summary>
public sealed record Assignment(string Section, string Key, string File, ImmutableArray<ValueLine> Lines)
{
    public Location Location => new(File, Lines[0].Line);

    /// <summary>An empty assignment resets the setting. A value that only begins on the next line is not empty.</summary>
    public bool IsEmpty => Lines.All(static line => line.Text.Length == 0);
}

/// <summary>
/// mkosi's own INI dialect: keys may repeat, <c>#</c> begins a comment anywhere on a line, indented lines continue the
/// value above them (also over blank and comment lines), and there are no quotes and no escapes at this level.
/// </summary>
public sealed class IniFile
{
    private readonly ImmutableArray<Assignment>.Builder _assignments = ImmutableArray.CreateBuilder<Assignment>();
    private readonly ImmutableArray<(string Name, Location Location)>.Builder _sections =
        ImmutableArray.CreateBuilder<(string, Location)>();
    private readonly List<Diagnostic> _diagnostics;
    private readonly string _file;

    private IniFile(string file, List<Diagnostic> diagnostics) => (_file, _diagnostics) = (file, diagnostics);

    public IReadOnlyList<Assignment> Assignments => _assignments;

    /// <summary>Every section header, in order, also of sections that repeat or are empty.</summary>
    public IReadOnlyList<(string Name, Location Location)> Sections => _sections;

    /// <summary>Parses a file; what is wrong in it is added to <paramref name="diagnostics"/> and left out of the result.</summary>
    public static IniFile Parse(ReadOnlySpan<byte> bytes, string file, List<Diagnostic> diagnostics)
    {
        var ini = new IniFile(file, diagnostics);
        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            diagnostics.Add(new Diagnostic(new Location(file), "is not UTF-8 text"));
            return ini;
        }
        ini.Read(text.TrimStart('\uFEFF').Split('\n'));
        return ini;
    }

    private void Read(string[] lines)
    {
        int indentation = CommonIndentation(lines);
        string? section = null;
        string? key = null;
        var value = new List<ValueLine>();
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].Split('#', 2)[0].TrimEnd();
            if (line.Length == 0)
            {
                continue;
            }
            string content = line.TrimStart();
            bool indented = line.Length - content.Length > indentation;
            if (key is not null && indented)
            {
                value.Add(new ValueLine(content, i + 1));
                continue;
            }
            Finish(section, key, value);
            key = null;
            var place = new Location(_file, i + 1);
            if (content[0] == '[')
            {
                section = ReadSection(content, place);
            }
            else
            {
                key = ReadKey(content, section, place, value);
            }
        }
        Finish(section, key, value);
    }

    private string? ReadSection(string content, Location place)
    {
        string name = content[^1] == ']' ? content[1..^1].Trim() : "";
        if (name.Length == 0)
        {
            _diagnostics.Add(new Diagnostic(place, $"'{content}' is no section: write [Name]"));
            return null;
        }
        _sections.Add((name, place));
        return name;
    }

    private string? ReadKey(string content, string? section, Location place, List<ValueLine> value)
    {
        int equals = content.IndexOf('=', StringComparison.Ordinal);
        string key = equals < 0 ? "" : content[..equals].TrimEnd();
        if (key.Length == 0)
        {
            _diagnostics.Add(new Diagnostic(place, $"'{content}' is no setting: write Name=value"));
            return null;
        }
        if (section is null)
        {
            _diagnostics.Add(new Diagnostic(place, $"{key}= stands outside of a section"));
            return null;
        }
        value.Add(new ValueLine(content[(equals + 1)..].TrimStart(), place.Line));
        return key;
    }

    private void Finish(string? section, string? key, List<ValueLine> value)
    {
        if (section is not null && key is not null)
        {
            _assignments.Add(new Assignment(section, key, _file, [.. value]));
        }
        value.Clear();
    }

    // A file may be indented as a whole; only what goes beyond that continues a value.
    private static int CommonIndentation(string[] lines) => lines
        .Select(static line => line.Split('#', 2)[0].TrimEnd())
        .Where(static line => line.Length > 0)
        .Select(static line => line.Length - line.TrimStart().Length)
        .DefaultIfEmpty(0)
        .Min();
}
