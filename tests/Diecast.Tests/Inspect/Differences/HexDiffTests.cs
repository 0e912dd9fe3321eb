using Diecast.Images;
using Diecast.Inspect.Differences;

namespace Diecast.Tests.Inspect.Differences;

public sealed class HexDiffTests
{
    private static readonly byte[] s_bytes = [.. Enumerable.Range(0, 4096).Select(static i => (byte)(i * 7 + i / 256))];

    [Fact]
    public void RowsHaveOffsetsBytesAndCharacters()
    {
        byte[] before = [.. "0123456789abcdefABCDEFGHIJKLMNOPqrstuvwxyz"u8];
        byte[] after = [.. before];
        after[17] = 0xff;
        var difference = Compare(before, after);
        Assert.Equal(
            [
                "@@ 0x11, 1 byte @@",
                "-00000010  41 42 43 44 45 46 47 48  49 4a 4b 4c 4d 4e 4f 50  |ABCDEFGHIJKLMNOP|",
                "+00000010  41 ff 43 44 45 46 47 48  49 4a 4b 4c 4d 4e 4f 50  |A.CDEFGHIJKLMNOP|",
            ], difference.Diff.Lines);
        Assert.Equal(1, difference.DifferingBytes);
        Assert.Equal([new ByteRange(17, 1)], difference.Ranges);
        Assert.Empty(difference.Notes);
    }

    [Fact]
    public void ALastRowMayBeShortAndOffsetsAreThoseOfTheImage()
    {
        var lines = HexDiff.Lines(new MemoryBlob(new byte[] { 1, 2, 3 }), new MemoryBlob(new byte[] { 1, 2, 4 }), [new ByteRange(2, 1)], 0x1000);
        Assert.Equal(["@@ 0x1002, 1 byte @@", "-00001000  01 02 03" + new string(' ', 42) + "|...|", "+00001000  01 02 04" + new string(' ', 42) + "|...|"],
            lines.Lines);
    }

    [Fact]
    public void RowsThatAreTheSameWithinARangeAreGivenOnce()
    {
        byte[] after = [.. s_bytes];
        after[15]++;
        after[33]++;
        Assert.Equal("@-+ -+", string.Concat(Compare(s_bytes, after).Diff.Lines.Select(static line => line[0])));
    }

    [Fact]
    public void LongRangesAreCutAndTheRestIsCounted()
    {
        byte[] after = [.. s_bytes.Select(static b => (byte)~b)];
        var difference = Compare(s_bytes, after);
        Assert.Equal(4096, difference.DifferingBytes);
        Assert.Equal(17, difference.Diff.Lines.Count);
        Assert.Equal(512 - 16, difference.Diff.Omitted);
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(1000, 3)]
    [InlineData(4000, 40)]
    public void WhatWasPutInIsShownAndTheRestIsSaidToBeShifted(int at, int count)
    {
        byte[] after = [.. s_bytes[..at], .. Enumerable.Repeat((byte)0xee, count), .. s_bytes[at..]];
        var put = Compare(s_bytes, after);
        Assert.Equal(count, put.DifferingBytes);
        Assert.Equal([$"from 0x{at:x} on the same bytes are {count} bytes later"], put.Notes);
        Assert.All(put.Diff.Lines.Skip(1), static line => Assert.StartsWith("+", line, StringComparison.Ordinal));
        var taken = Compare(after, s_bytes);
        Assert.Equal([$"from 0x{at + count:x} on the same bytes are {count} bytes earlier"], taken.Notes);
        Assert.All(taken.Diff.Lines.Skip(1), static line => Assert.StartsWith("-", line, StringComparison.Ordinal));
    }

    [Fact]
    public void WhatIsOnlyLongerIsSaidSo()
    {
        Assert.Equal(["10 bytes more at the end"], Compare(s_bytes, [.. s_bytes, .. new byte[10]]).Notes);
        byte[] other = [.. s_bytes.Select(static b => (byte)~b), 1, 2, 3];
        var difference = Compare(s_bytes, other);
        Assert.Equal(["3 bytes longer"], difference.Notes);
        Assert.Equal(4099, difference.DifferingBytes);
        Assert.Equal(["3 bytes shorter"], Compare(other, s_bytes).Notes);
        Assert.Equal(["10 bytes longer"], Compare([], new byte[10]).Notes);
    }

    private static HexDifference Compare(byte[] before, byte[] after) => HexDiff.Compare(new MemoryBlob(before), new MemoryBlob(after));
}
