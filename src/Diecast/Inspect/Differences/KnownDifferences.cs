using Diecast.Images;

namespace Diecast.Inspect.Differences;

/// <summary>Where two blobs differ, found once and asked for parts of them.</summary>
internal sealed class KnownDifferences
{
    private readonly IReadOnlyList<ByteRange> _ranges;
    private readonly bool _isExact;

    private KnownDifferences(IReadOnlyList<ByteRange> ranges, bool isExact, long differingBytes, bool sameLength)
    {
        _ranges = ranges;
        _isExact = isExact;
        DifferingBytes = differingBytes;
        AreSame = sameLength && ranges.Count == 0;
    }

    /// <summary>Ascending; where there are very many, with equal bytes in them.</summary>
    public IReadOnlyList<ByteRange> Ranges => _ranges;

    /// <summary>Over the length that both have.</summary>
    public long DifferingBytes { get; }

    public bool AreSame { get; }

    public static KnownDifferences Find(Blob before, Blob after)
    {
        var found = DifferingRanges.Find(before, after);
        bool isExact = found.Ranges.Sum(static range => range.Length) == found.DifferingBytes;
        return new KnownDifferences(found.Ranges, isExact, found.DifferingBytes, before.Length == after.Length);
    }

    /// <summary>Whether any byte there differs, or may.</summary>
    public bool Touch(long offset, long length)
    {
        int first = FirstEndingAfter(offset);
        return first < _ranges.Count && _ranges[first].Offset < offset + length;
    }

    /// <summary>
    /// Of a part that stands at the same place in both, relative to it. Null where it has to be looked at again to be exact.
    /// </summary>
    public KnownDifferences? Slice(long offset, long length)
    {
        var part = new List<ByteRange>();
        for (int i = FirstEndingAfter(offset); i < _ranges.Count && _ranges[i].Offset < offset + length; i++)
        {
            long from = Math.Max(_ranges[i].Offset, offset);
            long to = Math.Min(_ranges[i].End, offset + length);
            part.Add(new ByteRange(from - offset, to - from));
        }
        return _isExact || part.Count == 0
            ? new KnownDifferences(part, isExact: true, part.Sum(static range => range.Length), sameLength: true)
            : null;
    }

    private int FirstEndingAfter(long offset)
    {
        int low = 0;
        int high = _ranges.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _ranges[middle].End <= offset ? (middle + 1, high) : (low, middle);
        }
        return low;
    }
}
