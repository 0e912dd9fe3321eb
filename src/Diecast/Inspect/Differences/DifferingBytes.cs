using Diecast.Images;

namespace Diecast.Inspect.Differences;

/// <summary>The bytes that differ between two blobs, one after the other, inside of ranges that may hold equal ones too.</summary>
internal sealed class DifferingBytes(Blob before, Blob after, IReadOnlyList<ByteRange> ranges)
{
    private const int WindowSize = 64 << 10;

    private readonly byte[] _left = new byte[WindowSize];
    private readonly byte[] _right = new byte[WindowSize];
    private long _start;
    private int _length;
    private int _range;

    /// <summary>The first that differs from an offset on, or -1. Offsets ascend from call to call.</summary>
    public long Next(long offset)
    {
        while (_range < ranges.Count)
        {
            if (ranges[_range].End <= offset)
            {
                _range++;
                continue;
            }
            offset = Math.Max(offset, ranges[_range].Offset);
            Load(offset);
            int at = (int)(offset - _start);
            int limit = (int)Math.Min(_length, ranges[_range].End - _start);
            int equal = _left.AsSpan(at, limit - at).CommonPrefixLength(_right.AsSpan(at, limit - at));
            if (at + equal < limit)
            {
                return offset + equal;
            }
            offset = _start + limit;
        }
        return -1;
    }

    /// <summary>How many differ from a place on, that <see cref="Next"/> gave, up to an end.</summary>
    public long Count(long position, long end)
    {
        long count = 0;
        for (long at = position; at >= 0 && at < end; at = Next(at + 1))
        {
            count++;
            // Whole runs at once: contents differ in nearly every byte.
            while (at + 1 < end && at + 1 - _start < _length && at + 1 < ranges[_range].End
                && _left[at + 1 - _start] != _right[at + 1 - _start])
            {
                at++;
                count++;
            }
        }
        return count;
    }

    /// <summary>A range in both that differs, for people; of a long one what there is from the first byte that differs on.</summary>
    public (string Before, string After) Hexadecimal(long offset, long length)
    {
        const int most = 32;
        if (length <= most)
        {
            return (Hexadecimal(before, offset, length), Hexadecimal(after, offset, length));
        }
        var (left, right) = (before.Slice(offset, length), after.Slice(offset, length));
        long first = DifferingRanges.Find(left, right, maximum: 1).Ranges is [var range, ..] ? range.Offset : 0;
        long shown = Math.Min(length - first, most);
        string more = first + shown < length ? "…" : "";
        return ($"+{first}: {Hexadecimal(left, first, shown)}{more}", $"+{first}: {Hexadecimal(right, first, shown)}{more}");
    }

    private static string Hexadecimal(Blob blob, long offset, long length) => Convert.ToHexStringLower(blob.ReadBytes(offset, (int)length));

    private void Load(long offset)
    {
        if (offset >= _start && offset < _start + _length)
        {
            return;
        }
        _start = offset;
        _length = (int)Math.Min(WindowSize, Math.Min(before.Length, after.Length) - offset);
        before.Read(offset, _left.AsSpan(0, _length));
        after.Read(offset, _right.AsSpan(0, _length));
    }
}
