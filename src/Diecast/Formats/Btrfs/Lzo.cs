using System.Buffers.Binary;

namespace Diecast.Formats.Btrfs;

/// <summary>
/// LZO1X as btrfs stores it: https://docs.kernel.org/staging/lzo.html for a segment, and around the segments the total
/// length and each one's length, which does not cross the end of a sector.
/// </summary>
internal static class Lzo
{
    private const int LengthSize = 4;
    private const int ManyLiterals = 4;
    private const int FarDistance = 0x4000;
    private const int MiddleDistance = 0x800;

    /// <summary>Decodes all segments; each holds a sector of data. Returns how many bytes there were.</summary>
    /// <exception cref="InvalidDataException">The data is damaged or cut off.</exception>
    public static int DecodeSegments(ReadOnlySpan<byte> source, Span<byte> destination, int sectorSize)
    {
        long total = source.Length < LengthSize ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(source);
        if (total < LengthSize || total > source.Length)
        {
            throw new InvalidDataException($"lzo: {total} bytes of {source.Length}");
        }
        source = source[..(int)total];
        int written = 0;
        for (int at = LengthSize; at < source.Length && written < destination.Length;)
        {
            if (sectorSize - at % sectorSize < LengthSize)
            {
                at += sectorSize - at % sectorSize;
            }
            if (source.Length - at < LengthSize)
            {
                break;
            }
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(source[at..]);
            at += LengthSize;
            if (length > source.Length - at)
            {
                throw new InvalidDataException($"lzo: a segment of {length} bytes at {at}");
            }
            var sector = destination.Slice(written, Math.Min(sectorSize, destination.Length - written));
            written += Decode(source.Slice(at, (int)length), sector);
            at += (int)length;
        }
        return written;
    }

    /// <summary>Decodes one stream. Returns how many bytes it held.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or longer than the destination.</exception>
    public static int Decode(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        var output = new Output(destination);
        var input = new Input(source);
        // How many literals the last instruction copied: it decides what a small number means.
        int state = 0;
        if (source.Length > 0 && source[0] > 17)
        {
            int count = input.Byte() - 17;
            output.Literals(ref input, count);
            state = Math.Min(count, ManyLiterals);
        }
        while (true)
        {
            int code = input.Byte();
            int length;
            int distance;
            int literals;
            if (code < 16 && state == 0)
            {
                output.Literals(ref input, code == 0 ? input.Long(18) : code + 3);
                state = ManyLiterals;
                continue;
            }
            if (code < 16)
            {
                bool isShort = state != ManyLiterals;
                literals = code & 3;
                distance = (input.Byte() << 2) + (code >> 2) + 1 + (isShort ? 0 : MiddleDistance);
                length = isShort ? 2 : 3;
            }
            else if (code >= 64)
            {
                literals = code & 3;
                distance = (input.Byte() << 3) + (code >> 2 & 7) + 1;
                length = (code >> 5) + 1;
            }
            else if (code >= 32)
            {
                length = (code & 31) == 0 ? input.Long(33) : (code & 31) + 2;
                int word = input.Word();
                literals = word & 3;
                distance = (word >> 2) + 1;
            }
            else
            {
                length = (code & 7) == 0 ? input.Long(9) : (code & 7) + 2;
                int word = input.Word();
                literals = word & 3;
                distance = ((code & 8) << 11) + (word >> 2);
                if (distance == 0)
                {
                    return output.Length;
                }
                distance += FarDistance;
            }
            output.Match(distance, length);
            output.Literals(ref input, literals);
            state = literals;
        }
    }

    private ref struct Input(ReadOnlySpan<byte> source)
    {
        private ReadOnlySpan<byte> _rest = source;

        public int Byte() => Take(1)[0];

        public int Word() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

        public ReadOnlySpan<byte> Take(int count)
        {
            if (count > _rest.Length)
            {
                throw new InvalidDataException("lzo: the data is cut off");
            }
            var taken = _rest[..count];
            _rest = _rest[count..];
            return taken;
        }

        /// <summary>A length that zeros add 255 to each, until a byte that is none.</summary>
        public int Long(int start)
        {
            int value = start;
            int next;
            while ((next = Byte()) == 0)
            {
                value += 255;
            }
            return value + next;
        }
    }

    private ref struct Output(Span<byte> destination)
    {
        private readonly Span<byte> _destination = destination;

        public int Length { get; private set; }

        public void Literals(ref Input input, int count)
        {
            RequireRoom(count);
            input.Take(count).CopyTo(_destination[Length..]);
            Length += count;
        }

        /// <summary>Copies what lies some bytes back; byte by byte, since the two may overlap.</summary>
        public void Match(int distance, int count)
        {
            RequireRoom(count);
            if (distance > Length)
            {
                throw new InvalidDataException($"lzo: a match {distance} bytes back after {Length}");
            }
            for (int i = 0; i < count; i++, Length++)
            {
                _destination[Length] = _destination[Length - distance];
            }
        }

        private readonly void RequireRoom(int count)
        {
            if (count > _destination.Length - Length)
            {
                throw new InvalidDataException($"lzo: more than {_destination.Length} bytes");
            }
        }
    }
}
