using System.Globalization;
using System.Text;

namespace Diecast.Inspect.Differences;

/// <summary>Lines of a text for a terminal: escaped, and long ones cut to where they differ.</summary>
internal static class LineText
{
    // In characters.
    private const int LongLine = 200, WordContext = 24, LongWord = 120;
    private const int MaximumWordCount = 100_000;

    /// <summary>Writes lines and what is in their place: the ones after '-' and the others after '+'.</summary>
    public static void Write(ReadOnlySpan<ReadOnlyMemory<byte>> before, ReadOnlySpan<ReadOnlyMemory<byte>> after, DiffLines.Writer writer)
    {
        int done = 0;
        for (int i = 0; i < Math.Min(before.Length, after.Length) && !writer.IsFull; i++)
        {
            if (Math.Min(before[i].Length, after[i].Length) > LongLine)
            {
                WriteBlock(before[done..i], after[done..i], writer);
                WritePair(before[i], after[i], writer);
                done = i + 1;
            }
        }
        WriteBlock(before[done..], after[done..], writer);
    }

    /// <summary>Writes a line after a sign.</summary>
    public static void Write(char sign, ReadOnlyMemory<byte> line, DiffLines.Writer writer)
    {
        if (writer.IsFull)
        {
            writer.Omit(sign == ' ' ? 0 : 1);
            return;
        }
        bool isTerminated = line.Span is [.., (byte)'\n'];
        writer.Add(sign + Shorten(Decode(line), LongLine));
        if (!isTerminated)
        {
            writer.Add("\\ No newline at end of file");
        }
    }

    /// <summary>Control and format characters made visible; all others as they are.</summary>
    public static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value is < 0x20 or 0x7f)
            {
                escaped.Append(rune.Value == 0x7f ? '\u2421' : (char)(0x2400 + rune.Value));
            }
            else if (Rune.IsControl(rune) || Rune.GetUnicodeCategory(rune)
                is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
            {
                escaped.Append(CultureInfo.InvariantCulture, $"<U+{rune.Value:X4}>");
            }
            else
            {
                escaped.Append(rune);
            }
        }
        return escaped.ToString();
    }

    private static void WriteBlock(ReadOnlySpan<ReadOnlyMemory<byte>> before, ReadOnlySpan<ReadOnlyMemory<byte>> after, DiffLines.Writer writer)
    {
        foreach (var line in before)
        {
            Write('-', line, writer);
        }
        foreach (var line in after)
        {
            Write('+', line, writer);
        }
    }

    private static void WritePair(ReadOnlyMemory<byte> before, ReadOnlyMemory<byte> after, DiffLines.Writer writer)
    {
        if (before.Span is [.., (byte)'\n'] == after.Span is [.., (byte)'\n'])
        {
            WriteWords(Decode(before), Decode(after), writer);
            return;
        }
        Write('-', before, writer);
        Write('+', after, writer);
    }

    /// <summary>The words in which two long lines differ, each with what is around it.</summary>
    private static void WriteWords(string before, string after, DiffLines.Writer writer)
    {
        int prefix = before.AsSpan().CommonPrefixLength(after);
        while (prefix > 0 && !IsBreak(before[prefix - 1]))
        {
            prefix--;
        }
        int most = Math.Min(before.Length, after.Length) - prefix;
        int suffix = 0;
        while (suffix < most && before[^(suffix + 1)] == after[^(suffix + 1)])
        {
            suffix++;
        }
        while (suffix > 0 && !IsBreak(before[^suffix]))
        {
            suffix--;
        }
        var (left, right) = (before[prefix..^suffix], after[prefix..^suffix]);
        var (leftWords, rightWords) = (Words(left), Words(right));
        var (leftNumbers, rightNumbers) = TextLines.Number(leftWords, rightWords, StringComparer.Ordinal);
        int x = prefix, y = prefix, word = 0, wordAfter = 0;
        foreach (var edit in SequenceDiff.Compare(leftNumbers, rightNumbers))
        {
            x += Length(leftWords, word, edit.Before);
            y += Length(rightWords, wordAfter, edit.After);
            int length = Length(leftWords, edit.Before, edit.Before + edit.BeforeCount);
            int lengthAfter = Length(rightWords, edit.After, edit.After + edit.AfterCount);
            writer.Add('-' + Surround(before, x, length));
            writer.Add('+' + Surround(after, y, lengthAfter));
            (word, wordAfter) = (edit.Before + edit.BeforeCount, edit.After + edit.AfterCount);
            (x, y) = (x + length, y + lengthAfter);
        }
    }

    private static string Surround(string line, int start, int length)
    {
        int from = Math.Max(0, start - WordContext), to = Math.Min(line.Length, start + length + WordContext);
        return (from > 0 ? "\u2026" : "") + Escape(line[from..start]) + Shorten(line.Substring(start, length), LongWord)
            + Escape(line[(start + length)..to]) + (to < line.Length ? "\u2026" : "");
    }

    private static string Shorten(string text, int maximum) => text.Length <= maximum
        ? Escape(text)
        : string.Create(CultureInfo.InvariantCulture, $"{Escape(text[..maximum])}\u2026 ({text.Length - maximum} more characters)");

    private static int Length(string[] words, int start, int end)
    {
        int length = 0;
        for (int i = start; i < end; i++)
        {
            length += words[i].Length;
        }
        return length;
    }

    private static string[] Words(string text)
    {
        var words = new List<string>();
        for (int start = 0; start < text.Length;)
        {
            if (words.Count == MaximumWordCount)
            {
                return [text];
            }
            int end = start + 1;
            while (end < text.Length && !IsBreak(text[end - 1]) && !IsBreak(text[end]))
            {
                end++;
            }
            words.Add(text[start..end]);
            start = end;
        }
        return [.. words];
    }

    private static bool IsBreak(char c) => c <= ' ' || c is ',' or ';' or '"' or '{' or '}' or '[' or ']' or '<' or '>' or '(' or ')' or '&';

    private static string Decode(ReadOnlyMemory<byte> line) => Encoding.UTF8.GetString(line.Span is [.., (byte)'\n'] ? line.Span[..^1] : line.Span);
}
