using Diecast.Images;

namespace Diecast.Inspect.Differences;

/// <summary>
/// Collects ascending ranges in bounded memory: those that are closer than a gap become one, and where there are too many the
/// gap grows until there are few enough.
/// </summary>
internal sealed class RangeMerger(long gap, int maximum)
{
    private readonly List<ByteRange> _ranges = [];

    /// <summary>Ranges with fewer bytes than this between them become one.</summary>
    public long Gap { get; private set; } = gap;

    /// <summary>The sum of all that was added.</summary>
    public long DifferingBytes { get; private set; }

    /// <summary>Adds a range, not before the one that was added last, in which so many bytes differ.</summary>
    public void Add(long offset, long length, long differing)
    {
        DifferingBytes += differing;
        Join(new ByteRange(offset, length));
    }

    /// <summary>Adds all of another's ranges, which come after these.</summary>
    public void Append(RangeMerger later)
    {
        DifferingBytes += later.DifferingBytes;
        foreach (var range in later._ranges)
        {
            Join(range);
        }
    }

    /// <summary>The ranges, at most the maximum.</summary>
    public IReadOnlyList<ByteRange> Finish()
    {
        Shrink();
        return _ranges;
    }

    private void Join(ByteRange range)
    {
        if (_ranges.Count > 0 && range.Offset - _ranges[^1].End < Gap)
        {
            _ranges[^1] = _ranges[^1] with { Length = range.End - _ranges[^1].Offset };
            return;
        }
        _ranges.Add(range);
        if (_ranges.Count >= 2L * maximum)
        {
            Shrink();
        }
    }

    private void Shrink()
    {
        if (_ranges.Count <= maximum)
        {
            return;
        }
        var gaps = new long[_ranges.Count - 1];
        for (int i = 0; i < gaps.Length; i++)
        {
            gaps[i] = _ranges[i + 1].Offset - _ranges[i].End;
        }
        Array.Sort(gaps);
        // As many gaps may remain as there may be ranges but one, and of equal ones all go.
        Gap = gaps[^maximum] + 1;
        ByteRange[] ranges = [.. _ranges];
        _ranges.Clear();
        foreach (var range in ranges)
        {
            Join(range);
        }
    }
}
