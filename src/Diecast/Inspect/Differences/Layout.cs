using Diecast.Images;

namespace Diecast.Inspect.Differences;

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

/// <summary>Where the parts of a container stand.</summary>
internal sealed class PartPlaces(IReadOnlyList<Part> parts)
{
    private readonly List<ByteRange> _places = [.. parts.Where(static part => part.Offset is not null && part.Content.Length > 0)
        .Select(static part => new ByteRange(part.Offset!.Value, part.Content.Length)).OrderBy(static place => place.Offset, Comparer<long>.Default)];

    public bool AreEmpty => _places.Count == 0;

    /// <summary>The part at a position, or null.</summary>
    public ByteRange? At(long position)
    {
        int low = 0;
        int high = _places.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _places[middle].End <= position ? (middle + 1, high) : (low, middle);
        }
        return low < _places.Count && _places[low].Offset <= position ? _places[low] : null;
    }
}
