namespace Diecast.Packages.Apt;

/// <summary>
/// Splits control files into paragraphs: deb822(5), and section 5.1 of the Debian Policy Manual. Release and Packages files,
/// dpkg's status, the control file of a package and apt's <c>.sources</c> have this form.
/// </summary>
public static class ControlFile
{
    /// <summary>The paragraphs one after the other, each checked when it is reached.</summary>
    /// <param name="bytes">Must not change as long as the paragraphs are used, which refer to them.</param>
    /// <param name="name">The file's, for messages.</param>
    /// <param name="comments">Whether a line that begins with # is a comment, as in files that people write.</param>
    /// <exception cref="InvalidDataException">It is malformed: <c>name:line: message</c>.</exception>
    public static IEnumerable<ControlParagraph> Parse(ReadOnlyMemory<byte> bytes, string name, bool comments = false)
    {
        if (comments)
        {
            bytes = bytes.ToArray();
        }
        int line = 1;
        for (int at = 0; SkipBlank(bytes.Span, comments, ref at, ref line);)
        {
            (int start, int firstLine) = (at, line);
            ReadParagraph(bytes, name, comments, ref at, ref line);
            yield return new ControlParagraph(name, firstLine, bytes[start..at]);
        }
    }

    /// <summary>The paragraph of a file that must have exactly one.</summary>
    /// <inheritdoc cref="Parse"/>
    public static ControlParagraph ParseSingle(ReadOnlyMemory<byte> bytes, string name, bool comments = false)
    {
        ControlParagraph? single = null;
        foreach (var paragraph in Parse(bytes, name, comments))
        {
            single = single is null ? paragraph : throw paragraph.Error("a second paragraph, where there must be one alone");
        }
        return single ?? throw new InvalidDataException($"{name}: is empty");
    }

    /// <summary>The start of the next line.</summary>
    internal static int EndOfLine(ReadOnlySpan<byte> text, int at)
    {
        int length = text[at..].IndexOf((byte)'\n');
        return length < 0 ? text.Length : at + length + 1;
    }

    private static bool SkipBlank(ReadOnlySpan<byte> text, bool comments, ref int at, ref int line)
    {
        while (at < text.Length && (text[at] == '\n' || (comments && text[at] == '#')))
        {
            at = EndOfLine(text, at);
            line++;
        }
        return at < text.Length;
    }

    private static void ReadParagraph(ReadOnlyMemory<byte> bytes, string name, bool comments, ref int at, ref int line)
    {
        var text = bytes.Span;
        int start = at;
        // A bit for each field seen, by its length and first letter: only where the bit is set, the names are compared.
        ulong seen = 0;
        for (; at < text.Length && text[at] != '\n'; at = EndOfLine(text, at), line++)
        {
            if (text[at] is (byte)' ' or (byte)'\t')
            {
                RequireContinuation(text[at..EndOfLine(text, at)], at > start, name, line);
                continue;
            }
            if (comments && text[at] == '#')
            {
                Erase(bytes[at..EndOfLine(text, at)]);
                continue;
            }
            int length = NameLength(text[at..]);
            if (length == 0)
            {
                throw new InvalidDataException($"{name}:{line}: neither a field (NAME: VALUE) nor the continuation of one");
            }
            ulong bit = 1UL << (((text[at] | 0x20) + 11 * length) & 63);
            if ((seen & bit) != 0 && HasField(text[start..at], text.Slice(at, length)))
            {
                throw new InvalidDataException($"{name}:{line}: {System.Text.Encoding.ASCII.GetString(text.Slice(at, length))} stands in the paragraph twice");
            }
            seen |= bit;
        }
    }

    private static void RequireContinuation(ReadOnlySpan<byte> content, bool isInField, string name, int line)
    {
        if (!isInField)
        {
            throw new InvalidDataException($"{name}:{line}: the continuation of no field");
        }
        // dpkg refuses it too: to some readers it would end the paragraph, to others not.
        if (content.Trim(" \t\r\n"u8).IsEmpty)
        {
            throw new InvalidDataException($"{name}:{line}: a line with nothing but white space");
        }
    }

    /// <summary>A comment inside a value becomes white space there, so that the numbers of lines stay right.</summary>
    private static void Erase(ReadOnlyMemory<byte> comment)
    {
        var bytes = System.Runtime.InteropServices.MemoryMarshal.AsMemory(comment).Span;
        bytes[..(bytes.EndsWith("\n"u8) ? ^1 : ^0)].Fill((byte)' ');
    }

    /// <summary>Of printable ASCII characters but the colon that ends it, not beginning with - or #; 0 where there is none.</summary>
    private static int NameLength(ReadOnlySpan<byte> text)
    {
        int length = text.IndexOfAnyExceptInRange((byte)'!', (byte)'~');
        var word = length < 0 ? text : text[..length];
        length = word.IndexOf((byte)':');
        return length <= 0 || text[0] is (byte)'-' or (byte)'#' ? 0 : length;
    }

    private static bool HasField(ReadOnlySpan<byte> paragraph, ReadOnlySpan<byte> name)
    {
        for (int at = 0; at < paragraph.Length; at = EndOfLine(paragraph, at))
        {
            if (paragraph[at..] is var field && field.Length > name.Length && field[name.Length] == ':'
                && System.Text.Ascii.EqualsIgnoreCase(field[..name.Length], name))
            {
                return true;
            }
        }
        return false;
    }
}
