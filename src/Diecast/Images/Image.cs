namespace Diecast.Images;

/// <summary>
/// What an extent holds, for people: "ext4 group 3 inode table", "file /usr/bin/bash". The detail is formatted only
/// when somebody asks.
/// </summary>
public readonly record struct Label(string Kind, object? Detail = null)
{
    public static implicit operator Label(string kind) => new(kind);

    public override string ToString() => Detail is null ? Kind : $"{Kind} {Detail}";
}

/// <summary>A run of bytes with one meaning, at an offset in an image; both in bytes.</summary>
public readonly record struct Extent(long Offset, Blob Content, Label Label)
{
    public long Length => Content.Length;

    /// <summary>The first byte after the extent.</summary>
    public long End => Offset + Content.Length;
}

/// <summary>An ordered list of labelled extents with zeros between them. Made by <see cref="ImageBuilder"/>.</summary>
public sealed class Image : Blob
{
    private readonly Extent[] _extents;

    internal Image(long length, Extent[] extents)
    {
        Length = length;
        _extents = extents;
    }

    public override long Length { get; }

    /// <summary>Ascending, without overlap. An extent's content may be an image itself.</summary>
    public IReadOnlyList<Extent> Extents => _extents;

    /// <summary>The extents with those of nested images in their place, ascending.</summary>
    public IEnumerable<Extent> Leaves() => Leaves(0);

    private IEnumerable<Extent> Leaves(long origin)
    {
        foreach (var extent in _extents)
        {
            if (extent.Content is Image nested)
            {
                foreach (var leaf in nested.Leaves(origin + extent.Offset))
                {
                    yield return leaf;
                }
            }
            else
            {
                yield return extent with { Offset = origin + extent.Offset };
            }
        }
    }

    public override long NextData(long offset)
    {
        for (int i = FirstEndingAfter(offset); i < _extents.Length; i++)
        {
            var extent = _extents[i];
            long data = extent.Offset + extent.Content.NextData(Math.Max(0, offset - extent.Offset));
            if (data < extent.End)
            {
                return data;
            }
        }
        return Length;
    }

    public override string Describe() => "the image";

    protected override void ReadCore(long offset, Span<byte> destination)
    {
        destination.Clear();
        long end = offset + destination.Length;
        for (int i = FirstEndingAfter(offset); i < _extents.Length && _extents[i].Offset < end; i++)
        {
            var extent = _extents[i];
            long from = Math.Max(offset, extent.Offset);
            long to = Math.Min(end, extent.End);
            ReadCore(extent.Content, from - extent.Offset, destination[(int)(from - offset)..(int)(to - offset)]);
        }
    }

    private int FirstEndingAfter(long offset)
    {
        int low = 0;
        int high = _extents.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_extents[middle].End <= offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return low;
    }
}

/// <summary>Collects extents in any order and makes an <see cref="Image"/> of them.</summary>
public sealed class ImageBuilder
{
    private readonly List<Extent> _extents = [];

    /// <summary>Places a blob at a byte offset. Empty blobs are left out.</summary>
    public void Place(long offset, Blob content, Label label)
    {
        if (content.Length > 0)
        {
            _extents.Add(new Extent(offset, content, label));
        }
    }

    /// <summary>Places bytes, which must not be changed any more.</summary>
    public void Place(long offset, ReadOnlyMemory<byte> content, Label label) =>
        Place(offset, new MemoryBlob(content), label);

    /// <summary>The image of that length in bytes.</summary>
    /// <exception cref="InvalidOperationException">Extents overlap or reach past the end: a bug of the caller.</exception>
    public Image Build(long length)
    {
        var extents = _extents.ToArray();
        Array.Sort(extents, static (a, b) => a.Offset.CompareTo(b.Offset));
        long end = 0;
        for (int i = 0; i < extents.Length; i++)
        {
            if (extents[i].Offset < end)
            {
                string before = i == 0 ? "the start" : extents[i - 1].Label.ToString();
                throw new InvalidOperationException($"{extents[i].Label} at {extents[i].Offset} overlaps {before}");
            }
            end = extents[i].End;
        }
        return end <= length
            ? new Image(length, extents)
            : throw new InvalidOperationException($"{extents[^1].Label} ends at {end}, past the image's {length} bytes");
    }
}
