using System.Diagnostics;
using CsCheck;
using Diecast.Images;
using Diecast.Inspect.Differences;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Inspect.Differences;

public sealed class DifferingRangesTests
{
    private static readonly Gen<(byte[] Before, byte[] After)> s_pairs =
        from length in Gen.Int[0, 3000]
        from later in Gen.Int[-70, 70]
        from edits in Gen.Select(Gen.Int[0, 3000], Gen.Int[1, 200], Gen.Byte).Array[0, 12]
        select Edit(length, Math.Max(0, length + later), edits);

    [Fact]
    public void RangesAreThoseThatAByteByByteComparisonFinds() =>
        Gen.Select(s_pairs, Gen.Int[1, 100]).Sample((pair, gap) =>
        {
            var (before, after) = pair;
            var found = DifferingRanges.Find(new MemoryBlob(before), new MemoryBlob(after), gap);
            Assert.Equal(Naive(before, after, gap), found.Ranges);
            Assert.Equal(Enumerable.Range(0, (int)found.CommonLength).Count(i => before[i] != after[i]), found.DifferingBytes);
            Assert.Equal(before.AsSpan().SequenceEqual(after), DifferingRanges.AreEqual(new MemoryBlob(before), new MemoryBlob(after)));
        });

    [Fact]
    public void TooManyRangesBecomeFewerThatCoverTheSame() =>
        Gen.Select(s_pairs, Gen.Int[1, 5]).Sample((pair, maximum) =>
        {
            var exact = DifferingRanges.Find(new MemoryBlob(pair.Before), new MemoryBlob(pair.After));
            var few = DifferingRanges.Find(new MemoryBlob(pair.Before), new MemoryBlob(pair.After), 1, maximum);
            Assert.InRange(few.Ranges.Count, Math.Min(1, exact.Ranges.Count), maximum);
            Assert.All(exact.Ranges, range => Assert.Contains(few.Ranges, wide => wide.Offset <= range.Offset && wide.End >= range.End));
            Assert.Equal(exact.DifferingBytes, few.DifferingBytes);
        });

    [Fact]
    public void TheClosestRangesAreJoinedFirst()
    {
        var after = new byte[1000];
        foreach (int at in (int[])[10, 12, 500, 510, 900])
        {
            after[at] = 1;
        }
        var found = DifferingRanges.Find(new MemoryBlob(new byte[1000]), new MemoryBlob(after), 1, 3);
        Assert.Equal([new ByteRange(10, 3), new ByteRange(500, 11), new ByteRange(900, 1)], found.Ranges);
    }

    [Fact]
    public void RangesGoOnAcrossBlocksAndStripes()
    {
        const int length = 40 << 20;
        var after = new byte[length];
        after.AsSpan(100, (33 << 20) - 100).Fill(7);
        after[^1] = 1;
        var found = DifferingRanges.Find(new MemoryBlob(new byte[length]), new MemoryBlob(after));
        Assert.Equal([new ByteRange(100, (33 << 20) - 100), new ByteRange(length - 1, 1)], found.Ranges);
        Assert.Equal((33 << 20) - 99, found.DifferingBytes);
    }

    [Fact]
    public void AlternatingBytesStayBounded()
    {
        var after = new byte[20 << 20];
        for (int i = 0; i < after.Length; i += 2)
        {
            after[i] = 1;
        }
        var found = DifferingRanges.Find(new MemoryBlob(new byte[after.Length]), new MemoryBlob(after), 1, 100);
        Assert.InRange(found.Ranges.Count, 1, 100);
        Assert.Equal(after.Length / 2, found.DifferingBytes);
    }

    [Fact]
    public void HolesOfSparseFilesAreSkippedAndDataInOneOfThemIsFound()
    {
        using var directory = new TempDirectory("/var/tmp");
        const long size = 8L << 30;
        foreach (var (name, value) in ((string, byte)[])[("a", 1), ("b", 2)])
        {
            using var file = File.OpenHandle(directory[name], FileMode.CreateNew, FileAccess.Write);
            RandomAccess.SetLength(file, size);
            RandomAccess.Write(file, [1, 1, 1], 4096);
            RandomAccess.Write(file, [value], (5L << 30) + 7);
            if (value == 2)
            {
                RandomAccess.Write(file, [0, 9], size - 2);
            }
        }
        var (before, after) = (HostFile(directory["a"]), HostFile(directory["b"]));
        var clock = Stopwatch.StartNew();
        var found = DifferingRanges.Find(before, after);
        Assert.Equal([new ByteRange((5L << 30) + 7, 1), new ByteRange(size - 1, 1)], found.Ranges);
        Assert.True(DifferingRanges.AreEqual(before, HostFile(directory["a"])));
        Assert.False(DifferingRanges.AreEqual(before, after));
        // Reading what is not there would take several seconds.
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(2), clock.Elapsed.ToString());
    }

    [Fact]
    public void KnownHolesOfImagesAndSlicesAreWhereTheyAre()
    {
        var inner = new ImageBuilder();
        inner.Place(50, new byte[] { 1 }, "x");
        var outer = new ImageBuilder();
        outer.Place(1000, inner.Build(100), "inner");
        outer.Place(2000, new byte[] { 2 }, "y");
        Blob image = outer.Build(5000);
        Assert.Equal([1050, 1050, 2000, 2000, 5000], new long[] { 0, 1050, 1051, 2000, 2001 }.Select(image.NextData));
        var slice = image.Slice(1010, 500);
        Assert.Equal([40, 40, 500, 500], new long[] { 0, 40, 41, 500 }.Select(slice.NextData));
    }

    [Fact]
    public void AFailureOfASourceIsThrownAsItIs() =>
        Assert.Throws<InvalidDataException>(() => DifferingRanges.Find(
            new ComputedBlob(100 << 20, static (_, _) => throw new InvalidDataException("broken")), new MemoryBlob(new byte[100 << 20])));

    private static HostFileBlob HostFile(string path) => new(Posix.Bytes(path), Posix.Stat(Posix.AT_FDCWD, Posix.Bytes(path)));

    private static (byte[], byte[]) Edit(int length, int laterLength, (int At, int Count, byte Value)[] edits)
    {
        var (before, after) = (new byte[length], new byte[laterLength]);
        foreach (var (at, count, value) in edits)
        {
            for (int i = at; i < Math.Min(at + count, laterLength); i++)
            {
                after[i] ^= (byte)(value >> (i % 3));
            }
        }
        return (before, after);
    }

    private static List<ByteRange> Naive(byte[] before, byte[] after, int gap)
    {
        var ranges = new List<ByteRange>();
        for (int i = 0; i < Math.Min(before.Length, after.Length); i++)
        {
            if (before[i] == after[i])
            {
                continue;
            }
            if (ranges.Count > 0 && i - ranges[^1].End < gap)
            {
                ranges[^1] = ranges[^1] with { Length = i + 1 - ranges[^1].Offset };
            }
            else
            {
                ranges.Add(new ByteRange(i, 1));
            }
        }
        return ranges;
    }
}
