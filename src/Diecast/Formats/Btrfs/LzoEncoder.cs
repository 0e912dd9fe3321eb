using System.Buffers.Binary;
using System.Numerics;

namespace Diecast.Formats.Btrfs;

/// <summary>
/// Encodes what <see cref="Lzo"/> decodes. It is greedy, and of all places where four bytes stood before it remembers the last
/// one of the same hash, as LZO1X-1 does. A segment is a sector, so that no match is as far away as the instructions for
/// distances from 16 KiB on are for.
/// </summary>
internal static class LzoEncoder
{
    private const int SectorSize = Layout.SectorSize;
    private const int LengthSize = sizeof(uint);
    private const int LeastMatch = sizeof(uint);
    private const int HashBits = 12;

    /// <summary>2^32 divided by the golden ratio: the product's high bits depend on all of a number's.</summary>
    private const uint Multiplier = 0x9E3779B1;

    /// <summary>After so many bytes (as a power of two) without a match one more byte is passed over from place to place.</summary>
    private const int PatienceBits = 5;

    /// <summary>In bytes, of a segment that has no match.</summary>
    private const int LongestSegment = SectorSize + SectorSize / 255 + 16;

    /// <summary>
    /// Encodes all data, each sector as a segment behind its length. Returns how many bytes that takes, 0 where the destination
    /// does not hold them.
    /// </summary>
    public static int EncodeSegments(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        Span<byte> segment = stackalloc byte[LongestSegment];
        Span<ushort> places = stackalloc ushort[1 << HashBits];
        int end = LengthSize;
        for (int at = 0; at < source.Length; at += SectorSize)
        {
            int length = Encode(source[at..Math.Min(at + SectorSize, source.Length)], segment, places);
            int rest = SectorSize - end % SectorSize;
            int padding = rest < LengthSize ? rest : 0;
            if (destination.Length - end < padding + LengthSize + length)
            {
                return 0;
            }
            destination.Slice(end, padding).Clear();
            end += padding;
            BinaryPrimitives.WriteUInt32LittleEndian(destination[end..], (uint)length);
            segment[..length].CopyTo(destination[(end + LengthSize)..]);
            end += LengthSize + length;
        }
        BinaryPrimitives.WriteUInt32LittleEndian(destination, (uint)end);
        return end;
    }

    /// <summary>Encodes one stream. Returns how many bytes it takes.</summary>
    /// <param name="source">At most a sector.</param>
    /// <param name="destination">Of <see cref="LongestSegment"/>.</param>
    /// <param name="places">Where each hash was last.</param>
    private static int Encode(ReadOnlySpan<byte> source, Span<byte> destination, Span<ushort> places)
    {
        places.Clear();
        var output = new Output(destination);
        int done = 0;
        for (int at = 1; at <= source.Length - LeastMatch;)
        {
            uint value = BinaryPrimitives.ReadUInt32LittleEndian(source[at..]);
            ref ushort place = ref places[(int)(value * Multiplier >> (32 - HashBits))];
            int before = place;
            place = (ushort)at;
            if (BinaryPrimitives.ReadUInt32LittleEndian(source[before..]) != value)
            {
                at += 1 + ((at - done) >> PatienceBits);
                continue;
            }
            int length = MatchLength(source, before, at);
            output.Literals(source[done..at]);
            output.Match(at - before, length);
            at += length;
            done = at;
        }
        output.Literals(source[done..]);
        output.End();
        return output.Length;
    }

    /// <summary>How many bytes are the same, of which the first four are.</summary>
    private static int MatchLength(ReadOnlySpan<byte> source, int before, int at)
    {
        int end = at + LeastMatch;
        int distance = at - before;
        for (; end <= source.Length - sizeof(ulong); end += sizeof(ulong))
        {
            ulong different = BinaryPrimitives.ReadUInt64LittleEndian(source[end..])
                ^ BinaryPrimitives.ReadUInt64LittleEndian(source[(end - distance)..]);
            if (different != 0)
            {
                return end + BitOperations.TrailingZeroCount(different) / 8 - at;
            }
        }
        while (end < source.Length && source[end] == source[end - distance])
        {
            end++;
        }
        return end - at;
    }

    /// <summary>The instructions, which https://docs.kernel.org/staging/lzo.html describes.</summary>
    private ref struct Output(Span<byte> destination)
    {
        private readonly Span<byte> _destination = destination;

        public int Length { get; private set; }

        /// <summary>Up to three stand in the low bits of the match before them: of the last byte but one.</summary>
        public void Literals(ReadOnlySpan<byte> bytes)
        {
            if (Length == 0 && bytes.Length is > 0 and <= 255 - 17)
            {
                Add(17 + bytes.Length);
            }
            else if (bytes.Length is > 0 and < 4)
            {
                _destination[Length - 2] |= (byte)bytes.Length;
            }
            else if (bytes.Length > 0)
            {
                AddCode(0, bytes.Length - 3, 15);
            }
            bytes.CopyTo(_destination[Length..]);
            Length += bytes.Length;
        }

        public void Match(int distance, int length)
        {
            if (length <= 8 && distance <= 0x800)
            {
                Add((length - 1) << 5 | ((distance - 1) & 7) << 2);
                Add((distance - 1) >> 3);
            }
            else
            {
                AddCode(32, length - 2, 31);
                AddWord((distance - 1) << 2);
            }
        }

        /// <summary>A match of distance 0 among those that are far away.</summary>
        public void End()
        {
            Add(16 | 1);
            AddWord(0);
        }

        /// <summary>A number within a code, or behind it what is more, by zeros for 255 each and a byte that is none.</summary>
        private void AddCode(int code, int number, int most)
        {
            if (number <= most)
            {
                Add(code | number);
                return;
            }
            Add(code);
            for (number -= most; number > 255; number -= 255)
            {
                Add(0);
            }
            Add(number);
        }

        private void AddWord(int value)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(_destination[Length..], (ushort)value);
            Length += sizeof(ushort);
        }

        private void Add(int value) => _destination[Length++] = (byte)value;
    }
}
