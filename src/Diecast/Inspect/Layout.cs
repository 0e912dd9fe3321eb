using Diecast.Images;

namespace Diecast.Inspect;

/// <summary>A container's labelled extents, to be asked what stands at a place.</summary>
internal sealed class Layout
{
    /// <summary>A run of bytes with one meaning.</summary>
    public readonly record struct Stretch(long Offset, long End, Label Label);

    private readonly Stretch[] _stretches;

    private Layout(Stretch[] stretches) => _stretches = stretches;

    /// <summary>Null where the reader gives none, or the structures that it is made from are damaged.</summary>
    public static Layout? Of(Container container)
    {
        try
        {
            return container.Layout?.Invoke() is { } image
                ? new Layout([.. image.Leaves().Select(static extent => new Stretch(extent.Offset, extent.End, extent.Label))])
                : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>What stands there; between the extents a stretch without a label's kind of its own.</summary>
    public Stretch At(long position)
    {
        int low = 0;
        int high = _stretches.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _stretches[middle].End <= position ? (middle + 1, high) : (low, middle);
        }
        if (low == _stretches.Length)
        {
            return new Stretch(position, long.MaxValue, "unused");
        }
        return _stretches[low].Offset <= position ? _stretches[low] : new Stretch(position, _stretches[low].Offset, "unused");
    }
}

/// <summary>Where two containers have a part at the same place: what differs there has been told with the part.</summary>
internal sealed class PartPlaces
{
    private readonly List<ByteRange> _places;

    public PartPlaces(IReadOnlyList<Part> before, IReadOnlyList<Part> after)
    {
        var others = after.Where(static part => part.Offset is not null).Select(static part => (part.Offset, part.Content.Length)).ToHashSet();
        _places = [.. before.Where(part => part.Offset is not null && others.Contains((part.Offset, part.Content.Length)))
            .Select(static part => new ByteRange(part.Offset!.Value, part.Content.Length)).OrderBy(static place => place.Offset, Comparer<long>.Default)];
    }

    /// <summary>The end of the part at a position, or the position.</summary>
    public long EndOfPartAt(long position)
    {
        int low = 0;
        int high = _places.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _places[middle].End <= position ? (middle + 1, high) : (low, middle);
        }
        return low < _places.Count && _places[low].Offset <= position ? _places[low].End : position;
    }
}
