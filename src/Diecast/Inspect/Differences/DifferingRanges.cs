using System.Numerics;
using System.Runtime.Intrinsics;
using Diecast.Images;

namespace Diecast.Inspect.Differences;

/// <summary>
/// Where two blobs differ, over the length that both have; what the longer one has beyond it is not in here. The same for
/// the same bytes, however many threads compare and wherever the files have holes.
/// </summary>
public sealed class DifferingRanges
{
    // A stripe is one thread's work; a block is small enough for two of them to stay in the cache while they are compared.
    private const int StripeSize = 16 << 20, BlockSize = 256 << 10;
    private const int StripesInFlight = 16;

    private readonly RangeMerger _merger;

    private DifferingRanges(long commonLength, RangeMerger merger)
    {
        CommonLength = commonLength;
        _merger = merger;
        Ranges = merger.Finish();
    }

    /// <summary>In bytes: the shorter of the two lengths.</summary>
    public long CommonLength { get; }

    /// <summary>
    /// Ascending, each starting and ending with a byte that differs; those that are close are one, with the equal bytes
    /// between them.
    /// </summary>
    public IReadOnlyList<ByteRange> Ranges { get; }

    /// <summary>How many bytes differ, exactly.</summary>
    public long DifferingBytes => _merger.DifferingBytes;

    /// <summary>Compares two blobs. Holes that both are known to have are not read.</summary>
    /// <param name="before">A blob.</param>
    /// <param name="after">Another.</param>
    /// <param name="gap">Ranges with fewer equal bytes than this between them become one.</param>
    /// <param name="maximum">
    /// The most ranges there are: above it the closest ones become one, for which the gap may come to exceed
    /// <paramref name="gap"/>.
    /// </param>
    /// <exception cref="InvalidDataException">A blob cannot be read.</exception>
    public static DifferingRanges Find(Blob before, Blob after, int gap = 1, int maximum = 1 << 16)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(gap, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maximum, 1);
        long common = Math.Min(before.Length, after.Length);
        var all = new RangeMerger(gap, maximum);
        foreach (long[] stripes in Stripes(before, after, common).Chunk(StripesInFlight))
        {
            var results = new RangeMerger[stripes.Length];
            AllProcessors.For(stripes.Length, i =>
                results[i] = CompareStripe(before, after, stripes[i], Math.Min(StripeSize, common - stripes[i]), gap, maximum));
            foreach (var result in results)
            {
                all.Append(result);
            }
        }
        return new DifferingRanges(common, all);
    }

    /// <summary>Whether two blobs have the same bytes; stops at the first that differs.</summary>
    /// <exception cref="InvalidDataException">A blob cannot be read.</exception>
    public static bool AreEqual(Blob before, Blob after)
    {
        if (before.Length != after.Length)
        {
            return false;
        }
        var (left, right) = (new byte[BufferSize(before.Length)], new byte[BufferSize(before.Length)]);
        for (long offset = NextData(before, after, 0); offset < before.Length; offset = NextData(before, after, offset))
        {
            int length = (int)Math.Min(left.Length, before.Length - offset);
            before.Read(offset, left.AsSpan(0, length));
            after.Read(offset, right.AsSpan(0, length));
            if (!left.AsSpan(0, length).SequenceEqual(right.AsSpan(0, length)))
            {
                return false;
            }
            offset += length;
        }
        return true;
    }

    /// <summary>The offsets of the stripes in which there is anything to read.</summary>
    private static IEnumerable<long> Stripes(Blob before, Blob after, long common)
    {
        for (long stripe = 0; stripe < common; stripe += StripeSize)
        {
            long data = NextData(before, after, stripe);
            if (data >= common)
            {
                yield break;
            }
            stripe = data / StripeSize * StripeSize;
            yield return stripe;
        }
    }

    private static long NextData(Blob before, Blob after, long offset)
    {
        long data = before.NextData(offset);
        return data == offset ? offset : Math.Min(data, after.NextData(offset));
    }

    private static RangeMerger CompareStripe(Blob before, Blob after, long start, long length, int gap, int maximum)
    {
        var merger = new RangeMerger(gap, maximum);
        var (left, right) = (new byte[BufferSize(length)], new byte[BufferSize(length)]);
        long end = start + length;
        for (long offset = NextData(before, after, start); offset < end; offset = NextData(before, after, offset))
        {
            int count = (int)Math.Min(left.Length, end - offset);
            before.Read(offset, left.AsSpan(0, count));
            after.Read(offset, right.AsSpan(0, count));
            CompareBlock(left.AsSpan(0, count), right.AsSpan(0, count), offset, merger);
            offset += count;
        }
        return merger;
    }

    private static int BufferSize(long length) => (int)Math.Min(BlockSize, length);

    /// <summary>Adds the ranges in which two spans of the same length differ.</summary>
    /// <param name="left">Bytes.</param>
    /// <param name="right">As many.</param>
    /// <param name="offset">Of the spans' first byte.</param>
    /// <param name="merger">Gets the ranges.</param>
    internal static void CompareBlock(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, long offset, RangeMerger merger)
    {
        int position = 0;
        while (true)
        {
            position += left[position..].CommonPrefixLength(right[position..]);
            if (position == left.Length)
            {
                return;
            }
            // Where bytes differ more often do: word by word until one is the same.
            while (left.Length - position >= 64)
            {
                ulong mask = DifferenceMask(left.Slice(position, 64), right.Slice(position, 64));
                if (mask == 0)
                {
                    break;
                }
                AddMask(mask, offset + position, merger);
                position += 64;
            }
            for (; left.Length - position < 64 && position < left.Length; position++)
            {
                if (left[position] != right[position])
                {
                    merger.Add(offset + position, 1, 1);
                }
            }
        }
    }

    private static void AddMask(ulong mask, long offset, RangeMerger merger)
    {
        if (merger.Gap >= 64)
        {
            int first = BitOperations.TrailingZeroCount(mask);
            merger.Add(offset + first, 64 - BitOperations.LeadingZeroCount(mask) - first, BitOperations.PopCount(mask));
            return;
        }
        int bit = 0;
        while (mask != 0)
        {
            int equal = BitOperations.TrailingZeroCount(mask);
            mask >>= equal;
            int run = BitOperations.TrailingZeroCount(~mask);
            merger.Add(offset + bit + equal, run, run);
            bit += equal + run;
            mask = run == 64 ? 0 : mask >> run;
        }
    }

    /// <summary>A bit for each of the 64 bytes that differs, the first byte's the lowest.</summary>
    private static ulong DifferenceMask(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        ulong equal = 0;
        for (int i = 0; i < 64; i += Vector128<byte>.Count)
        {
            var same = Vector128.Equals(Vector128.Create(left.Slice(i, 16)), Vector128.Create(right.Slice(i, 16)));
            equal |= (ulong)same.ExtractMostSignificantBits() << i;
        }
        return ~equal;
    }
}
