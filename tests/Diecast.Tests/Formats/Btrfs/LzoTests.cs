using System.Buffers.Binary;
using CsCheck;
using Diecast.Formats.Btrfs;
using Diecast.Tests.Formats.Ext4;

namespace Diecast.Tests.Formats.Btrfs;

/// <summary>What the encoder makes, the decoder takes; how the segments are framed.</summary>
public sealed class LzoTests
{
    private const int SectorSize = Layout.SectorSize;

    private static byte[] Encode(byte[] source)
    {
        var output = new byte[source.Length * 2 + 100];
        int length = LzoEncoder.EncodeSegments(source, output);
        Assert.InRange(length, 1, output.Length);
        return output[..length];
    }

    private static byte[] Decode(byte[] encoded, int length)
    {
        var decoded = new byte[length];
        Assert.Equal(length, Lzo.DecodeSegments(encoded, decoded, SectorSize));
        return decoded;
    }

    private static void RoundTrips(byte[] source)
    {
        byte[] encoded = Encode(source);
        Assert.Equal(source, Decode(encoded, source.Length));
        Assert.Equal((uint)encoded.Length, BinaryPrimitives.ReadUInt32LittleEndian(encoded));
        // At most a length for each sector, and in each the numbers of its literals.
        Assert.InRange(encoded.Length, 1, source.Length + source.Length / 255 + (source.Length / SectorSize + 1) * 24);
    }

    /// <summary>Literals up to and beyond what an instruction holds, then a match that is as long.</summary>
    [Fact]
    public void LengthsOfAllForms()
    {
        int[] lengths = [1, 2, 3, 4, 5, 8, 9, 17, 18, 19, 33, 34, 238, 239, 255 + 18, 255 + 19, 255 + 33, 255 + 34, 510 + 33, 510 + 34, 1500];
        byte[] random = Ext4Samples.Bytes(SectorSize);
        foreach (int literals in lengths)
        {
            RoundTrips(random[..literals]);
            foreach (int match in lengths)
            {
                // A run of one byte is a match at the distance 1.
                byte[] run = [.. random[..literals], .. new byte[match], .. random[^literals..]];
                RoundTrips(run);
                RoundTrips([.. run[..Math.Min(run.Length, SectorSize)], .. run]);
            }
        }
    }

    /// <summary>Matches at each distance: up to 2048 short ones take two bytes, all others three.</summary>
    [Theory]
    [InlineData(8, 2)]
    [InlineData(9, 3)]
    public void DistancesOfAllForms(int length, int size)
    {
        byte[] random = Ext4Samples.Bytes(SectorSize, 5);
        foreach (int distance in new[] { 9, 100, 2047, 2048, 2049, 3000, 4000 })
        {
            byte[] source = [.. random[..distance], .. random[..length], (byte)~random[length]];
            RoundTrips(source);
            int without = Encode([.. random[..distance], (byte)~random[length]]).Length;
            // The bytes are not looked at one by one where nothing has been found for long, and so a match may be found late.
            if (distance < 40)
            {
                Assert.Equal(without + size, Encode(source).Length);
            }
        }
    }

    /// <summary>What a decoder of the format has to take though this encoder makes none of it: of the specification's table by hand.</summary>
    [Fact]
    public void InstructionsThatAreNotWritten()
    {
        byte[] random = Ext4Samples.Bytes(238, 2);
        // After four literals and more a match of three bytes 2049 to 3072 back; after fewer one of two bytes up to 1024 back.
        byte[] history = [.. Enumerable.Range(0, 9).SelectMany(_ => random), .. "abcd"u8];
        byte[] literals = [.. LongLiterals(history)];
        var decoded = new byte[40_000];
        int length = Lzo.Decode([.. literals, 0b0101, 3, (byte)'x', 0b0100, 1, 17, 0, 0], decoded);
        byte[] expected = [.. history, .. history.AsSpan(history.Length - 2049 - 12 - 1, 3), (byte)'x'];
        expected = [.. expected, .. expected.AsSpan(expected.Length - 6, 2)];
        Assert.Equal(expected, decoded[..length]);
        // A match from 16 KiB back on.
        byte[] far = [.. Enumerable.Range(0, 70).SelectMany(_ => random), .. "abcdefgh"u8];
        length = Lzo.Decode([.. LongLiterals(far), 16 | 3, 5 << 2, 0, 17, 0, 0], decoded);
        Assert.Equal((byte[])[.. far, .. far.AsSpan(far.Length - 0x4005, 5)], decoded[..length]);
    }

    private static byte[] LongLiterals(byte[] bytes) =>
        [0, .. new byte[(bytes.Length - 19) / 255], (byte)((bytes.Length - 19) % 255 + 1), .. bytes];

    /// <summary>Where only some bytes of a sector are left, the next length stands in the next one.</summary>
    [Fact]
    public void LengthsDoNotCrossSectors()
    {
        var rests = new HashSet<int>();
        byte[] random = Ext4Samples.Bytes(SectorSize);
        for (int literals = 3900; literals <= SectorSize; literals++)
        {
            byte[] source = [.. new byte[SectorSize - literals], .. random[..literals], .. random, .. new byte[100]];
            byte[] encoded = Encode(source);
            int at = 4;
            for (int sectors = 3; sectors > 0; sectors--)
            {
                int rest = SectorSize - at % SectorSize;
                if (rest < 4)
                {
                    Assert.All(encoded[at..(at + rest)], static b => Assert.Equal(0, b));
                    at += rest;
                    rests.Add(rest);
                }
                at += 4 + BinaryPrimitives.ReadInt32LittleEndian(encoded.AsSpan(at));
            }
            Assert.Equal(encoded.Length, at);
            RoundTrips(source);
        }
        Assert.Superset(new HashSet<int>([1, 2, 3]), rests);
    }

    [Fact]
    public void RandomDataRoundTrips() =>
        Gen.OneOf(
            Gen.Byte.Array[1, 3 * SectorSize],
            Gen.Byte[0, 2].Array[1, 3 * SectorSize],
            Gen.Select(Gen.Byte.Array[1, 60], Gen.Int[1, 300]).Array[1, 40]
                .Select(static parts => parts.SelectMany(static part => Enumerable.Repeat(part.Item1, part.Item2 % 20 + 1).SelectMany(static b => b)).ToArray()))
        .Sample(RoundTrips, iter: 1000);

    /// <summary>It returns nothing where there is no room, and never writes beyond it.</summary>
    [Fact]
    public void WhatDoesNotFitIsGivenUp()
    {
        byte[] source = [.. Ext4Samples.Bytes(5000), .. new byte[9000]];
        int length = Encode(source).Length;
        Assert.Equal(length, LzoEncoder.EncodeSegments(source, new byte[length]));
        for (int room = 4; room < length; room += 7)
        {
            Assert.Equal(0, LzoEncoder.EncodeSegments(source, new byte[room]));
        }
    }

    [Fact]
    public void ZerosBecomeSmall() => Assert.InRange(Encode(new byte[128 << 10]).Length, 32 * 20, 32 * 35);
}
