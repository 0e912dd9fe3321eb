using System.Buffers;
using System.Globalization;
using System.Text;
using Diecast.Images;

namespace Diecast.Inspect.Differences;

/// <summary>The difference of two texts, by lines.</summary>
public static class TextDiff
{
    /// <summary>In bytes; larger files are not read as text.</summary>
    public const long MaximumSize = 16 << 20;

    // Between the first and the last difference.
    private const int MaximumLineCount = 500_000;

    /// <summary>Whether the bytes are a text: UTF-8 without NUL, and not larger than <see cref="MaximumSize"/>.</summary>
    /// <exception cref="InvalidDataException">They cannot be read.</exception>
    public static bool IsText(Blob blob)
    {
        if (blob.Length > MaximumSize)
        {
            return false;
        }
        var buffer = new byte[Math.Min(blob.Length, 64 << 10)];
        for (long offset = 0; offset < blob.Length;)
        {
            var window = buffer.AsSpan(0, (int)Math.Min(buffer.Length, blob.Length - offset));
            blob.Read(offset, window);
            bool isLast = offset + window.Length == blob.Length;
            int whole = isLast ? window.Length : WholeCharacters(window);
            if (whole == 0 || window.Contains((byte)0) || !System.Text.Unicode.Utf8.IsValid(window[..whole]))
            {
                return false;
            }
            offset += whole;
        }
        return true;
    }

    /// <summary>The lines that differ, or null where one of the two is no text or they differ in too many lines.</summary>
    /// <param name="before">A text.</param>
    /// <param name="after">Another.</param>
    /// <param name="maximum">The most lines of the result.</param>
    /// <param name="context">How many lines that are the same are given around those that differ.</param>
    /// <exception cref="InvalidDataException">A blob cannot be read.</exception>
    public static DiffLines? Compare(Blob before, Blob after, int maximum = 100, int context = 3)
    {
        if (!IsText(before) || !IsText(after))
        {
            return null;
        }
        return Compare(before.ReadBytes(0, (int)before.Length), after.ReadBytes(0, (int)after.Length), maximum, context);
    }

    private static DiffLines? Compare(byte[] before, byte[] after, int maximum, int context)
    {
        int same = before.AsSpan().CommonPrefixLength(after);
        if (same == before.Length && same == after.Length)
        {
            return new DiffLines([], 0);
        }
        int start = LinesBack(before, before.AsSpan(0, same).LastIndexOf((byte)'\n') + 1, context);
        int firstLine = before.AsSpan(0, start).Count((byte)'\n') + 1;
        int tail = LinesKept(before, CommonSuffix(before, after, same), context);
        var left = TextLines.Split(before.AsMemory(start..(before.Length - tail)), MaximumLineCount);
        var right = TextLines.Split(after.AsMemory(start..(after.Length - tail)), MaximumLineCount);
        if (left is null || right is null)
        {
            return null;
        }
        var (leftNumbers, rightNumbers) = TextLines.Number(left, right);
        var writer = new DiffLines.Writer(maximum);
        foreach (var hunk in Hunks(SequenceDiff.Compare(leftNumbers, rightNumbers), context))
        {
            Write(hunk, left, right, firstLine, context, writer);
        }
        return writer.Finish();
    }

    /// <summary>Edits that are so close that their contexts touch.</summary>
    private static IEnumerable<List<Edit>> Hunks(List<Edit> edits, int context)
    {
        var hunk = new List<Edit>();
        foreach (var edit in edits)
        {
            if (hunk.Count > 0 && edit.Before - (hunk[^1].Before + hunk[^1].BeforeCount) > 2 * context)
            {
                yield return hunk;
                hunk = [];
            }
            hunk.Add(edit);
        }
        if (hunk.Count > 0)
        {
            yield return hunk;
        }
    }

    private static void Write(
        List<Edit> hunk, ReadOnlyMemory<byte>[] before, ReadOnlyMemory<byte>[] after, int firstLine, int context, DiffLines.Writer writer)
    {
        var (first, last) = (hunk[0], hunk[^1]);
        if (writer.IsFull)
        {
            writer.Omit(hunk.Sum(static edit => (long)edit.BeforeCount + edit.AfterCount));
            return;
        }
        int lead = Math.Min(context, first.Before);
        int end = Math.Min(last.Before + last.BeforeCount + context, before.Length);
        int endAfter = last.After + last.AfterCount + (end - last.Before - last.BeforeCount);
        writer.Add(string.Create(CultureInfo.InvariantCulture,
            $"@@ -{Range(firstLine, first.Before - lead, end)} +{Range(firstLine, first.After - lead, endAfter)} @@"));
        int position = first.Before - lead;
        foreach (var edit in hunk)
        {
            Context(before, position, edit.Before, writer);
            LineText.Write(before.AsSpan(edit.Before, edit.BeforeCount), after.AsSpan(edit.After, edit.AfterCount), writer);
            position = edit.Before + edit.BeforeCount;
        }
        Context(before, position, end, writer);
    }

    private static void Context(ReadOnlyMemory<byte>[] lines, int start, int end, DiffLines.Writer writer)
    {
        for (int i = start; i < end && !writer.IsFull; i++)
        {
            LineText.Write(' ', lines[i], writer);
        }
    }

    /// <summary>As diff -u says it: an empty range is said by the line before it.</summary>
    private static string Range(int firstLine, int start, int end) => string.Create(CultureInfo.InvariantCulture,
        $"{firstLine + start - (end == start ? 1 : 0)},{end - start}");

    /// <summary>Less an UTF-8 sequence that is cut off at the end.</summary>
    private static int WholeCharacters(ReadOnlySpan<byte> window)
    {
        for (int back = 1; back <= Math.Min(3, window.Length); back++)
        {
            byte b = window[^back];
            if (b >= 0xc0)
            {
                return Rune.DecodeFromUtf8(window[^back..], out _, out _) == OperationStatus.NeedMoreData ? window.Length - back : window.Length;
            }
            if (b < 0x80)
            {
                break;
            }
        }
        return window.Length;
    }

    /// <summary>The start of the line so many lines before the line that starts there.</summary>
    private static int LinesBack(ReadOnlySpan<byte> text, int start, int count)
    {
        for (; count > 0 && start > 0; count--)
        {
            start = text[..(start - 1)].LastIndexOf((byte)'\n') + 1;
        }
        return start;
    }

    private static int CommonSuffix(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, int prefix)
    {
        int most = Math.Min(before.Length, after.Length) - prefix;
        int length = 0;
        while (length < most && before[^(length + 1)] == after[^(length + 1)])
        {
            length++;
        }
        return length;
    }

    /// <summary>How much of the common end is left out: all but the rest of the line it starts in, and the context.</summary>
    private static int LinesKept(ReadOnlySpan<byte> text, int suffix, int context)
    {
        for (int i = 0; i <= context; i++)
        {
            int newline = text[^suffix..].IndexOf((byte)'\n');
            if (newline < 0)
            {
                return 0;
            }
            suffix -= newline + 1;
        }
        return suffix;
    }
}
