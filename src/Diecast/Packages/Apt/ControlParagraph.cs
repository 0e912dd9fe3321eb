using System.Globalization;
using System.Text;

namespace Diecast.Packages.Apt;

/// <summary>A field as it stands in a paragraph.</summary>
/// <param name="Name">As written; names are compared without regard to case.</param>
/// <param name="Value">
/// Without white space at its ends; the further lines of a folded or multi-line value as they are, each with the space that
/// it begins with.
/// </param>
public readonly record struct ControlField(string Name, ReadOnlyMemory<byte> Value)
{
    public string Text => Encoding.UTF8.GetString(Value.Span);
}

/// <summary>
/// A paragraph of a control file, deb822(5). It keeps the bytes and looks a field up when it is asked for: of most packages
/// in an index no more than the name is ever read.
/// </summary>
public sealed class ControlParagraph
{
    private readonly string _file;

    /// <param name="bytes">Checked by <see cref="ControlFile"/>: every line is a field or goes on with one.</param>
    internal ControlParagraph(string file, int line, ReadOnlyMemory<byte> bytes) => (_file, Line, Bytes) = (file, line, bytes);

    /// <summary>The number of its first line in the file, from 1 on.</summary>
    public int Line { get; }

    /// <summary>As it stands in the file, up to and with the line feed of its last line.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>The value of a field as text; null where it is not there.</summary>
    public string? this[string name] => Find(name, out var value, out _) ? Encoding.UTF8.GetString(value.Span) : null;

    /// <summary>In their order.</summary>
    public IEnumerable<ControlField> Fields
    {
        get
        {
            for (int at = 0; Next(ref at, out var name, out var value);)
            {
                yield return new ControlField(Encoding.ASCII.GetString(name.Span), value);
            }
        }
    }

    /// <summary>The value of a field as it stands there; empty where it is not there.</summary>
    public ReadOnlyMemory<byte> BytesOf(string name) => Find(name, out var value, out _) ? value : default;

    /// <exception cref="InvalidDataException">The field is not there, or is empty.</exception>
    public string Required(string name) => this[name] is { Length: > 0 } value ? value : throw Error($"the paragraph has no {name}");

    /// <summary>The value of a field that is a number from 0 on; null where the field is not there.</summary>
    /// <exception cref="InvalidDataException">The field is something else.</exception>
    public long? Number(string name) => this[name] is not { } text ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number
        : throw Error(name, "is no number");

    /// <summary>The words of a field, separated by white space; none where it is not there.</summary>
    public string[] Words(string name) => this[name]?.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>An error about the paragraph: <c>file:line: message</c>.</summary>
    public InvalidDataException Error(string message) => new($"{_file}:{Line}: {message}");

    /// <summary>An error about a field at the line where it stands: <c>file:line: field message</c>.</summary>
    public InvalidDataException Error(string field, string message)
    {
        int line = Find(field, out var value, out int end)
            ? Line + Bytes.Span[..end].TrimEnd((byte)'\n').Count((byte)'\n') - value.Span.Count((byte)'\n')
            : Line;
        return new InvalidDataException($"{_file}:{line}: {field} {message}");
    }

    /// <param name="end">Where the field ends in <see cref="Bytes"/>.</param>
    private bool Find(string wanted, out ReadOnlyMemory<byte> value, out int end)
    {
        end = 0;
        while (Next(ref end, out var name, out value))
        {
            if (name.Length == wanted.Length && Ascii.EqualsIgnoreCase(name.Span, wanted))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>The field that begins at an offset of <see cref="Bytes"/>, which is moved to the next; false at the end.</summary>
    internal bool Next(ref int at, out ReadOnlyMemory<byte> name, out ReadOnlyMemory<byte> value)
    {
        var text = Bytes.Span;
        if (at >= text.Length)
        {
            (name, value) = (default, default);
            return false;
        }
        int colon = at + text[at..].IndexOf((byte)':');
        int end = ControlFile.EndOfLine(text, at);
        while (end < text.Length && text[end] is (byte)' ' or (byte)'\t')
        {
            end = ControlFile.EndOfLine(text, end);
        }
        name = Bytes[at..colon];
        value = Bytes[(colon + 1)..end].Trim(" \t\r\n"u8);
        at = end;
        return true;
    }
}
