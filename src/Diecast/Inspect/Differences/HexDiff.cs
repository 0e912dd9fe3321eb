using System.Globalization;
using System.Text;
using Diecast.Images;

namespace Diecast.Inspect.Differences;

/// <summary>The difference of two blobs that are not understood any better.</summary>
/// <param name="DifferingBytes">
/// How many bytes differ, counted exactly, with those that only the longer one has; where bytes are shifted, how many were
/// put in and taken out.
/// </param>
/// <param name="Ranges">Where, in the first blob; at most a few.</param>
/// <param name="Diff">The first of them in hexadecimal.</param>
/// <param name="Notes">"112 bytes longer", "from 0x40 on the same bytes are 3 bytes later".</param>
public sealed record HexDifference(long DifferingBytes, IReadOnlyList<ByteRange> Ranges, DiffLines Diff, IReadOnlyList<string> Notes);

/// <summary>The difference of two blobs in hexadecimal.</summary>
public static class HexDiff
{
    private const int RowSize = 16;

    // Rows of one range that are shown; of a longer one the rest is counted.
    private const int RowsOfRange = 8;

    // Closer ranges are shown as one.
    private const int Gap = 2 * RowSize;

    /// <summary>Compares the whole of two blobs, which are read in blocks.</summary>
    /// <param name="before">A blob.</param>
    /// <param name="after">Another.</param>
    /// <param name="maximum">The most lines of the result.</param>
    /// <exception cref="InvalidDataException">A blob cannot be read.</exception>
    public static HexDifference Compare(Blob before, Blob after, int maximum = 32)
    {
        if (before.Length == after.Length)
        {
            var found = DifferingRanges.Find(before, after, Gap, Math.Max(1, maximum));
            return new HexDifference(found.DifferingBytes, found.Ranges, Lines(before, after, found.Ranges, 0, maximum), []);
        }
        long prefix = CommonPrefix(before, after);
        long shorter = Math.Min(before.Length, after.Length);
        long suffix = CommonSuffix(before, after, shorter - prefix);
        return IsShift(prefix, suffix, shorter)
            ? Shifted(before, after, prefix, suffix, maximum)
            : Longer(before, after, maximum);
    }

    /// <summary>
    /// Ranges of two blobs as lines: a header with place and length, then rows of 16 bytes with the offset before and the
    /// characters behind.
    /// </summary>
    /// <param name="before">A blob.</param>
    /// <param name="after">Another, as long; of a longer one the rest is not looked at.</param>
    /// <param name="ranges">Within both.</param>
    /// <param name="origin">What is added to offsets when they are shown: the place of the blobs in an image.</param>
    /// <param name="maximum">The most lines.</param>
    /// <exception cref="InvalidDataException">A blob cannot be read.</exception>
    public static DiffLines Lines(Blob before, Blob after, IEnumerable<ByteRange> ranges, long origin = 0, int maximum = 32)
    {
        var writer = new DiffLines.Writer(maximum);
        foreach (var range in ranges)
        {
            WriteRange(before, after, range, origin, writer);
        }
        return writer.Finish();
    }

    private static HexDifference Longer(Blob before, Blob after, int maximum)
    {
        var found = DifferingRanges.Find(before, after, Gap, Math.Max(1, maximum));
        long common = found.CommonLength;
        var writer = new DiffLines.Writer(maximum);
        foreach (var range in found.Ranges)
        {
            WriteRange(before, after, range, 0, writer);
        }
        long more = Math.Abs(after.Length - before.Length);
        WriteOneSided(before, common, before.Length - common, '-', writer);
        WriteOneSided(after, common, after.Length - common, '+', writer);
        string note = string.Create(CultureInfo.InvariantCulture, $"{more} bytes {(after.Length > before.Length ? "longer" : "shorter")}");
        return new HexDifference(found.DifferingBytes + more, found.Ranges, writer.Finish(), [note]);
    }

    private static HexDifference Shifted(Blob before, Blob after, long prefix, long suffix, int maximum)
    {
        var (taken, put) = (before.Length - suffix - prefix, after.Length - suffix - prefix);
        var writer = new DiffLines.Writer(maximum);
        WriteOneSided(before, prefix, taken, '-', writer);
        WriteOneSided(after, prefix, put, '+', writer);
        long shift = after.Length - before.Length;
        string note = suffix == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{Math.Abs(shift)} bytes {(shift > 0 ? "more" : "fewer")} at the end")
            : string.Create(CultureInfo.InvariantCulture,
                $"from 0x{prefix + taken:x} on the same bytes are {Math.Abs(shift)} bytes {(shift > 0 ? "later" : "earlier")}");
        return new HexDifference(taken + put, [new ByteRange(prefix, taken)], writer.Finish(), [note]);
    }

    /// <summary>Whether what both start and end with is most of the shorter one.</summary>
    private static bool IsShift(long prefix, long suffix, long shorter) => shorter > 0 && prefix + suffix >= shorter - shorter / 4;

    private static void WriteRange(Blob before, Blob after, ByteRange range, long origin, DiffLines.Writer writer)
    {
        long first = range.Offset - (origin + range.Offset) % RowSize;
        if (first < 0)
        {
            first = range.Offset;
        }
        long rows = (range.End - first + RowSize - 1) / RowSize;
        if (writer.IsFull)
        {
            writer.Omit(2 * rows);
            return;
        }
        writer.Add(Header(origin + range.Offset, range.Length));
        long end = Math.Min(Math.Min(before.Length, after.Length), first + Math.Min(rows, RowsOfRange) * RowSize);
        var (left, right) = (before.ReadBytes(first, (int)(end - first)), after.ReadBytes(first, (int)(end - first)));
        for (int row = 0; row < left.Length;)
        {
            int stop = row;
            while (stop < left.Length && !Row(left, stop).SequenceEqual(Row(right, stop)))
            {
                stop += RowSize;
            }
            for (int pair = row; pair < stop; pair += RowSize)
            {
                WriteRows(left, pair, pair + RowSize, '-', origin + first, writer);
                WriteRows(right, pair, pair + RowSize, '+', origin + first, writer);
            }
            if (stop < left.Length)
            {
                WriteRows(left, stop, stop + RowSize, ' ', origin + first, writer);
            }
            row = stop + RowSize;
        }
        writer.Omit(2 * Math.Max(0, rows - RowsOfRange));
    }

    private static void WriteOneSided(Blob blob, long offset, long length, char sign, DiffLines.Writer writer)
    {
        if (length == 0)
        {
            return;
        }
        writer.Add(Header(offset, length));
        var bytes = blob.ReadBytes(offset, (int)Math.Min(length, RowsOfRange * RowSize));
        WriteRows(bytes, 0, bytes.Length, sign, offset, writer);
        writer.Omit((length - bytes.Length + RowSize - 1) / RowSize);
    }

    private static string Header(long offset, long length) => string.Create(CultureInfo.InvariantCulture,
        $"@@ 0x{offset:x}, {length} byte{(length == 1 ? "" : "s")} @@");

    private static void WriteRows(ReadOnlySpan<byte> bytes, int start, int end, char sign, long origin, DiffLines.Writer writer)
    {
        for (int row = start; row < end; row += RowSize)
        {
            writer.Add(Format(sign, origin + row, Row(bytes, row)));
        }
    }

    private static string Format(char sign, long offset, ReadOnlySpan<byte> row)
    {
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"{sign}{offset:x8} ");
        for (int i = 0; i < RowSize; i++)
        {
            line.Append(i == RowSize / 2 ? "  " : " ");
            line.Append(i < row.Length ? row[i].ToString("x2", CultureInfo.InvariantCulture) : "  ");
        }
        line.Append("  |");
        foreach (byte b in row)
        {
            line.Append(b is >= 0x20 and < 0x7f ? (char)b : '.');
        }
        return line.Append('|').ToString();
    }

    private static ReadOnlySpan<byte> Row(ReadOnlySpan<byte> bytes, int start) => bytes[start..Math.Min(start + RowSize, bytes.Length)];

    private static long CommonPrefix(Blob before, Blob after)
    {
        long shorter = Math.Min(before.Length, after.Length);
        var (left, right) = (new byte[1 << 16], new byte[1 << 16]);
        for (long offset = 0; offset < shorter;)
        {
            int count = (int)Math.Min(left.Length, shorter - offset);
            before.Read(offset, left.AsSpan(0, count));
            after.Read(offset, right.AsSpan(0, count));
            int same = left.AsSpan(0, count).CommonPrefixLength(right.AsSpan(0, count));
            offset += same;
            if (same < count)
            {
                return offset;
            }
        }
        return shorter;
    }

    private static long CommonSuffix(Blob before, Blob after, long most)
    {
        var (left, right) = (new byte[1 << 16], new byte[1 << 16]);
        long length = 0;
        while (length < most)
        {
            int count = (int)Math.Min(left.Length, most - length);
            before.Read(before.Length - length - count, left.AsSpan(0, count));
            after.Read(after.Length - length - count, right.AsSpan(0, count));
            if (left.AsSpan(0, count).SequenceEqual(right.AsSpan(0, count)))
            {
                length += count;
                continue;
            }
            while (left[count - 1] == right[count - 1])
            {
                (count, length) = (count - 1, length + 1);
            }
            break;
        }
        return length;
    }
}
