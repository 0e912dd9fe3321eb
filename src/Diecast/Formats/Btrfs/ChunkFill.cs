using Diecast.Binary;
using Diecast.Images;

namespace Diecast.Formats.Btrfs;

/// <summary>
/// A chunk that is filled from its start on. What would come to lie on a copy of the superblock stays free: the kernel
/// keeps off the 64 KiB there, as it does in the chunks that it makes.
/// </summary>
internal sealed class ChunkFill(Chunk chunk)
{
    /// <summary>BTRFS_STRIPE_LEN, in bytes.</summary>
    public const int StripeLength = 64 << 10;

    private readonly List<ByteRange> _runs = [];
    private readonly List<ByteRange> _reserved = Reserved(chunk);
    private long _next = chunk.Logical;

    public Chunk Chunk { get; private set; } = chunk;

    /// <summary>What is in use, as logical addresses; ascending, with free space between any two.</summary>
    public IReadOnlyList<ByteRange> Runs => _runs;

    /// <summary>In bytes.</summary>
    public long Used => _runs.Sum(static run => run.Length);

    /// <summary>Where on the device the chunk with its copies ends.</summary>
    public long PhysicalEnd => Chunk.Stripes[^1] + Chunk.Length;

    /// <summary>What is not in use, as logical addresses; ascending.</summary>
    public IEnumerable<ByteRange> Free()
    {
        long at = Chunk.Logical;
        foreach (var run in _runs)
        {
            if (run.Offset > at)
            {
                yield return new ByteRange(at, run.Offset - at);
            }
            at = run.End;
        }
        if (at < Chunk.End)
        {
            yield return new ByteRange(at, Chunk.End - at);
        }
    }

    /// <summary>The next free bytes that are in one piece; null where the chunk is full.</summary>
    /// <param name="most">In bytes.</param>
    /// <param name="least">In bytes; a smaller piece before one of the superblock's copies stays free.</param>
    public ByteRange? Take(long most, long least)
    {
        long end = Chunk.End;
        foreach (var reserved in _reserved)
        {
            if (_next < reserved.End && reserved.Offset - _next < least)
            {
                _next = reserved.End;
            }
            else if (reserved.Offset > _next)
            {
                end = Math.Min(end, reserved.Offset);
            }
        }
        if (end - _next < least)
        {
            return null;
        }
        var range = new ByteRange(_next, Math.Min(most, end - _next));
        if (_runs.Count > 0 && _runs[^1].End == range.Offset)
        {
            _runs[^1] = new ByteRange(_runs[^1].Offset, _runs[^1].Length + range.Length);
        }
        else
        {
            _runs.Add(range);
        }
        _next = range.End;
        return range;
    }

    /// <summary>Gives back what has not been used of a chunk without copies, but for a least length in bytes.</summary>
    public void Trim(long least, long unit) =>
        Chunk = Chunk with { Length = Math.Min(Chunk.Length, Math.Max(least, (_next - Chunk.Logical).AlignUp(unit))) };

    private static List<ByteRange> Reserved(Chunk chunk)
    {
        var reserved = new SortedSet<long>();
        foreach (long superblock in Volume.SuperblockOffsets)
        {
            foreach (long stripe in chunk.Stripes)
            {
                if (superblock >= stripe && superblock < stripe + chunk.Length)
                {
                    reserved.Add(chunk.Logical + (superblock - stripe).AlignDown(StripeLength));
                }
            }
        }
        return [.. reserved.Select(static start => new ByteRange(start, StripeLength))];
    }
}
