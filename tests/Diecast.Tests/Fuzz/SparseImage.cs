using Diecast.Images;

namespace Diecast.Tests.Fuzz;

/// <summary>An image of which only the pages that are not zero are kept, so that a changed copy costs next to nothing.</summary>
internal sealed class SparseImage : Blob
{
    private const int PageSize = 4096;

    private readonly Dictionary<long, byte[]> _pages;
    private readonly HashSet<long> _own = [];
    private long _length;

    private SparseImage(Dictionary<long, byte[]> pages, long length)
    {
        _pages = pages;
        _length = length;
    }

    public override long Length => _length;

    /// <summary>The bytes that are kept.</summary>
    public long Stored => _pages.Count * (long)PageSize;

    public static SparseImage Load(Blob source)
    {
        var pages = new Dictionary<long, byte[]>();
        for (long at = source.NextData(0); at < source.Length; at = source.NextData(at + PageSize - at % PageSize))
        {
            long start = at - at % PageSize;
            var page = new byte[PageSize];
            source.Read(start, page.AsSpan(0, (int)Math.Min(PageSize, source.Length - start)));
            if (page.AsSpan().ContainsAnyExcept((byte)0))
            {
                pages.Add(start, page);
            }
        }
        return new SparseImage(pages, source.Length);
    }

    /// <summary>A copy that can be changed.</summary>
    public SparseImage Fork() => new(new Dictionary<long, byte[]>(_pages), _length);

    public void Truncate(long length) => _length = length;

    /// <summary>Writes bytes; what is past the end is left out.</summary>
    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        for (int i = 0; i < bytes.Length && offset + i < _length; i++)
        {
            long start = (offset + i) / PageSize * PageSize;
            if (_own.Add(start))
            {
                _pages[start] = _pages.TryGetValue(start, out byte[]? shared) ? [.. shared] : new byte[PageSize];
            }
            _pages[start][offset + i - start] = bytes[i];
        }
    }

    /// <summary>Reads bytes; what is past the end are zeros.</summary>
    public byte[] Peek(long offset, int length)
    {
        var bytes = new byte[length];
        int available = (int)Math.Clamp(_length - offset, 0, length);
        Read(Math.Min(offset, _length), bytes.AsSpan(0, available));
        return bytes;
    }

    protected override void ReadCore(long offset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            long start = offset / PageSize * PageSize;
            int within = (int)(offset - start);
            int count = Math.Min(PageSize - within, destination.Length);
            if (_pages.TryGetValue(start, out byte[]? page))
            {
                page.AsSpan(within, count).CopyTo(destination);
            }
            else
            {
                destination[..count].Clear();
            }
            destination = destination[count..];
            offset += count;
        }
    }
}
