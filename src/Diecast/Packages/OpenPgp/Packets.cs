using System.Buffers.Binary;
using System.Numerics;

namespace Diecast.Packages.OpenPgp;

/// <summary>RFC 4880 section 4.3; the kinds that occur in keyrings and detached signatures.</summary>
internal enum PacketTag
{
    Signature = 2,
    PublicKey = 6,
    Trust = 12,
    UserId = 13,
    PublicSubkey = 14,
    UserAttribute = 17,
}

/// <summary>A packet's body, and the place of its header in the binary (not armored) data, for errors.</summary>
internal readonly record struct Packet(PacketTag Tag, ReadOnlyMemory<byte> Body, int Offset);

/// <summary>Splits binary OpenPGP data into packets: RFC 4880 section 4.2, old and new headers.</summary>
internal static class Packets
{
    /// <exception cref="InvalidDataException">A header is malformed, or a packet reaches past the end.</exception>
    public static List<Packet> Split(ReadOnlyMemory<byte> data)
    {
        var packets = new List<Packet>();
        var bytes = data.Span;
        int offset = 0;
        while (offset < bytes.Length)
        {
            int start = offset;
            byte header = bytes[offset++];
            if ((header & 0x80) == 0)
            {
                throw new InvalidDataException($"OpenPGP packet at {start}: {header:x2} is no packet header");
            }
            bool isNew = (header & 0x40) != 0;
            long length = isNew
                ? NewLength(bytes, ref offset, start)
                : OldLength(bytes, ref offset, start, header & 3);
            if (length > bytes.Length - offset)
            {
                throw new InvalidDataException($"OpenPGP packet at {start}: {length} bytes, but {bytes.Length - offset} are left");
            }
            int tag = isNew ? header & 0x3f : (header >> 2) & 0x0f;
            packets.Add(new Packet((PacketTag)tag, data.Slice(offset, (int)length), start));
            offset += (int)length;
        }
        return packets;
    }

    private static long NewLength(ReadOnlySpan<byte> bytes, ref int offset, int start)
    {
        long first = Number(bytes, ref offset, 1, start);
        return first switch
        {
            < 192 => first,
            < 224 => ((first - 192) << 8) + Number(bytes, ref offset, 1, start) + 192,
            255 => Number(bytes, ref offset, 4, start),
            _ => throw new InvalidDataException($"OpenPGP packet at {start}: a partial length, which is for message data only"),
        };
    }

    private static long OldLength(ReadOnlySpan<byte> bytes, ref int offset, int start, int type) => type == 3
        ? throw new InvalidDataException($"OpenPGP packet at {start}: an indeterminate length, which is for message data only")
        : Number(bytes, ref offset, 1 << type, start);

    private static long Number(ReadOnlySpan<byte> bytes, ref int offset, int size, int start)
    {
        if (size > bytes.Length - offset)
        {
            throw new InvalidDataException($"OpenPGP packet at {start}: ends in its header");
        }
        long value = 0;
        foreach (byte b in bytes.Slice(offset, size))
        {
            value = value << 8 | b;
        }
        offset += size;
        return value;
    }
}

/// <summary>Reads the fields of a packet's body in order; past its end is an <see cref="InvalidDataException"/>.</summary>
internal ref struct PacketReader(ReadOnlyMemory<byte> body, string structure)
{
    private int _position;

    public readonly int Left => body.Length - _position;

    public ReadOnlyMemory<byte> Take(int count)
    {
        if (count > Left)
        {
            throw new InvalidDataException($"OpenPGP {structure}: {count} bytes at {_position} are past its end at {body.Length}");
        }
        _position += count;
        return body.Slice(_position - count, count);
    }

    public byte Byte() => Take(1).Span[0];

    public ushort UInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2).Span);

    public uint UInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4).Span);

    /// <summary>A multiprecision integer (section 3.2), big-endian and without leading zeros.</summary>
    public ReadOnlyMemory<byte> Integer()
    {
        var bytes = Take((UInt16() + 7) / 8);
        int zeros = bytes.Span.IndexOfAnyExcept((byte)0);
        return zeros < 0 ? default : bytes[zeros..];
    }

    /// <summary>The length of a signature subpacket, section 5.2.3.1.</summary>
    public int SubpacketLength()
    {
        int first = Byte();
        uint length = first switch
        {
            < 192 => (uint)first,
            < 255 => (uint)(((first - 192) << 8) + Byte() + 192),
            _ => UInt32(),
        };
        return length is > 0 and <= int.MaxValue
            ? (int)length
            : throw new InvalidDataException($"OpenPGP {structure}: a subpacket of {length} bytes");
    }

    public static int Bits(ReadOnlyMemory<byte> integer) =>
        integer.IsEmpty ? 0 : integer.Length * 8 - BitOperations.LeadingZeroCount(integer.Span[0]) + 24;
}
