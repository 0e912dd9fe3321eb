using System.Buffers.Text;
using Diecast.Images;

namespace Diecast.Formats.Tar;

/// <summary>
/// Which ranges of a sparse file the archive stores, one after the other.
/// https://www.gnu.org/software/tar/manual/html_node/Sparse-Formats.html
/// </summary>
internal static class SparseMap
{
    /// <summary>Keeps a hostile map within 16 MiB of memory.</summary>
    public const int MaximumSegments = 1 << 20;

    /// <summary>Checks a map against the sizes of the file and of what is stored of it; empty segments are left out.</summary>
    public static List<ByteRange> Validate(IEnumerable<ByteRange> map, long realSize, long storedSize, long offset)
    {
        var segments = new List<ByteRange>();
        long end = 0;
        long stored = 0;
        foreach (var segment in map)
        {
            if (segment.Offset < end || segment.Length < 0 || segment.Length > realSize - segment.Offset)
            {
                throw new InvalidDataException($"tar: the sparse map of the entry at {offset} is not ascending or leaves the file");
            }
            end = segment.End;
            stored += segment.Length;
            if (segment.Length > 0)
            {
                segments.Add(segment);
            }
        }
        return stored == storedSize
            ? segments
            : throw new InvalidDataException($"tar: the sparse map of the entry at {offset} has {stored} bytes, the entry {storedSize}");
    }

    /// <summary>The pairs of <c>GNU.sparse.map</c> (version 0.1): "offset,length,offset,length".</summary>
    public static List<ByteRange> ParsePairs(ReadOnlySpan<byte> value)
    {
        var map = new List<ByteRange>();
        var numbers = new List<long>();
        foreach (var range in value.Split((byte)','))
        {
            if (numbers.Count >= 2 * MaximumSegments)
            {
                throw TooMany();
            }
            numbers.Add(PaxRecords.ParseNumber("GNU.sparse.map", value[range]));
        }
        if (numbers.Count % 2 != 0)
        {
            throw PaxRecords.Malformed("GNU.sparse.map", value);
        }
        for (int i = 0; i < numbers.Count; i += 2)
        {
            map.Add(new ByteRange(numbers[i], numbers[i + 1]));
        }
        return map;
    }

    /// <summary>
    /// The map before the data (version 1.0): decimal lines, the count first. <paramref name="nextBlock"/> gives one
    /// block after the other; what remains of the last one is padding.
    /// </summary>
    public static List<ByteRange> ParseLines(Func<byte[]> nextBlock, long offset)
    {
        byte[] block = [];
        int position = 0;
        long count = Number();
        if (count > MaximumSegments)
        {
            throw TooMany();
        }
        var map = new List<ByteRange>();
        for (long i = 0; i < count; i++)
        {
            map.Add(new ByteRange(Number(), Number()));
        }
        return map;

        long Number()
        {
            Span<byte> digits = stackalloc byte[20];
            int length = 0;
            while (true)
            {
                if (position == block.Length)
                {
                    (block, position) = (nextBlock(), 0);
                }
                byte value = block[position++];
                if (value == '\n')
                {
                    break;
                }
                if (length == digits.Length)
                {
                    throw Malformed(offset);
                }
                digits[length++] = value;
            }
            return Utf8Parser.TryParse(digits[..length], out long number, out int used) && used == length && number >= 0
                ? number
                : throw Malformed(offset);
        }
    }

    /// <summary>The segments of a header or extension block of GNU's own format; an empty field ends them.</summary>
    public static void ParseBlock(List<ByteRange> map, ReadOnlySpan<byte> entries, long offset)
    {
        for (; entries.Length >= 24 && entries[0] != 0; entries = entries[24..])
        {
            if (map.Count >= MaximumSegments)
            {
                throw TooMany();
            }
            map.Add(new ByteRange(
                TarNumber.Parse(entries[..12]) ?? throw Malformed(offset),
                TarNumber.Parse(entries[12..24]) ?? throw Malformed(offset)));
        }
    }

    private static InvalidDataException Malformed(long offset) => new($"tar: the sparse map of the entry at {offset} is malformed");

    private static InvalidDataException TooMany() => new($"tar: a sparse map has more than {MaximumSegments} segments");
}
