namespace Diecast.Images;

/// <summary>A range of bytes.</summary>
public readonly record struct ByteRange(long Offset, long Length)
{
    public long End => Offset + Length;
}

/// <summary>
/// Finds holes by content, never by asking the host's file system where it has holes: that answer depends on the file
/// system and even changes over time. A hole is a run of at least <see cref="MinimumHole"/> zero bytes, aligned
/// to <see cref="Grain"/>; shorter ones stay data, so that small files and programs are never scanned or cut up.
/// </summary>
public static class DataRuns
{
    /// <summary>64 KiB.</summary>
    public const int MinimumHole = 64 * 1024;

    /// <summary>4 KiB, the block size of every file system here.</summary>
    public const int Grain = 4096;

    // Any hole of MinimumHole bytes wholly contains one of the blocks at multiples of this distance, so that one block
    // in fifteen has to be read of a file without holes.
    private const int ProbeDistance = MinimumHole - Grain;

    /// <summary>The ranges that are not holes, ascending. Each starts at a multiple of the grain.</summary>
    public static IReadOnlyList<ByteRange> Find(Blob blob)
    {
        if (blob.Length == 0)
        {
            return [];
        }
        if (blob.Length < MinimumHole)
        {
            return [new ByteRange(0, blob.Length)];
        }
        var runs = new List<ByteRange>();
        long dataStart = 0;
        for (long probe = 0; probe < blob.Length; probe += ProbeDistance)
        {
            if (!IsZero(blob, probe))
            {
                continue;
            }
            long holeStart = probe;
            while (holeStart > dataStart && IsZero(blob, holeStart - Grain))
            {
                holeStart -= Grain;
            }
            long holeEnd = ZeroEnd(blob, probe);
            if (holeEnd - holeStart >= MinimumHole)
            {
                if (holeStart > dataStart)
                {
                    runs.Add(new ByteRange(dataStart, holeStart - dataStart));
                }
                dataStart = holeEnd;
            }
            // The next probe is the first one that the known zeros do not cover.
            probe = Math.Max(probe, (holeEnd - 1) / ProbeDistance * ProbeDistance);
        }
        if (dataStart < blob.Length)
        {
            runs.Add(new ByteRange(dataStart, blob.Length - dataStart));
        }
        return runs;
    }

    private static long ZeroEnd(Blob blob, long start)
    {
        var window = new byte[256 * 1024];
        long offset = start;
        while (offset < blob.Length)
        {
            int length = (int)Math.Min(window.Length, blob.Length - offset);
            blob.Read(offset, window.AsSpan(0, length));
            int first = window.AsSpan(0, length).IndexOfAnyExcept((byte)0);
            if (first >= 0)
            {
                return offset + first / Grain * Grain;
            }
            offset += length;
        }
        return blob.Length;
    }

    private static bool IsZero(Blob blob, long offset)
    {
        Span<byte> block = stackalloc byte[Grain];
        block = block[..(int)Math.Min(Grain, blob.Length - offset)];
        blob.Read(offset, block);
        return !block.ContainsAnyExcept((byte)0);
    }
}
