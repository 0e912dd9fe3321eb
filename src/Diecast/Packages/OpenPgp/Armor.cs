using System.Buffers.Text;

namespace Diecast.Packages.OpenPgp;

/// <summary>
/// Undoes ASCII armor (RFC 4880 section 6). A keyring file may be several armored blocks one after the other: all are
/// read, and what stands between them is comment.
/// </summary>
internal static class Armor
{
    /// <summary>The binary form of data that is binary already, or one or more armored blocks.</summary>
    /// <exception cref="InvalidDataException">Neither; the message names the line.</exception>
    public static ReadOnlyMemory<byte> Decode(ReadOnlyMemory<byte> data)
    {
        // Every packet header has the top bit set, and no armored text begins with such a byte.
        if (data.IsEmpty || data.Span[0] >= 0x80)
        {
            return data;
        }
        var output = new MemoryStream(data.Length * 3 / 4);
        // For one block at a time; none is longer than the whole.
        byte[] base64 = new byte[data.Length];
        var text = data.Span;
        int line = 0;
        bool found = false;
        while (NextLine(ref text, ref line, out var content))
        {
            if (content.StartsWith("-----BEGIN PGP "u8))
            {
                DecodeBlock(ref text, ref line, base64, output);
                found = true;
            }
        }
        return found
            ? output.GetBuffer().AsMemory(0, (int)output.Length)
            : throw new InvalidDataException("neither binary nor armored OpenPGP data");
    }

    private static void DecodeBlock(ref ReadOnlySpan<byte> text, ref int line, byte[] base64, MemoryStream output)
    {
        int begin = line;
        while (NextLine(ref text, ref line, out var header) && !header.IsEmpty)
        {
            if (header.IndexOf(": "u8) < 0)
            {
                throw new InvalidDataException($"line {line}: no armor header");
            }
        }
        int start = (int)output.Length;
        int length = 0;
        uint? checksum = null;
        while (NextLine(ref text, ref line, out var content))
        {
            if (content.StartsWith("-----END PGP "u8))
            {
                Append(base64.AsSpan(0, length), output, begin);
                if (checksum is { } expected && expected != Crc24(output.GetBuffer().AsSpan(start, (int)output.Length - start)))
                {
                    throw new InvalidDataException($"line {line}: the armor's checksum is wrong");
                }
                return;
            }
            if (content.StartsWith("="u8) && content.Length == 5)
            {
                checksum = Checksum(content[1..], line);
                continue;
            }
            content.CopyTo(base64.AsSpan(length));
            length += content.Length;
        }
        throw new InvalidDataException($"line {begin}: the armored block has no end");
    }

    private static void Append(Span<byte> base64, MemoryStream output, int line)
    {
        if (Base64.DecodeFromUtf8InPlace(base64, out int written) != System.Buffers.OperationStatus.Done)
        {
            throw new InvalidDataException($"line {line}: the armored block is not base64");
        }
        output.Write(base64[..written]);
    }

    private static uint Checksum(ReadOnlySpan<byte> base64, int line)
    {
        Span<byte> bytes = stackalloc byte[3];
        return Base64.DecodeFromUtf8(base64, bytes, out _, out int written) == System.Buffers.OperationStatus.Done && written == 3
            ? (uint)(bytes[0] << 16 | bytes[1] << 8 | bytes[2])
            : throw new InvalidDataException($"line {line}: the armor's checksum is not base64");
    }

    /// <summary>Section 6.1.</summary>
    private static uint Crc24(ReadOnlySpan<byte> data)
    {
        uint crc = 0xb704ce;
        foreach (byte b in data)
        {
            crc = (crc << 8 ^ s_crc[(crc >> 16 ^ b) & 0xff]) & 0xffffff;
        }
        return crc;
    }

    private static readonly uint[] s_crc = CrcTable();

    private static uint[] CrcTable()
    {
        var table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            uint value = i << 16;
            for (int bit = 0; bit < 8; bit++)
            {
                value = (value & 0x800000) != 0 ? value << 1 ^ 0x1864cfb : value << 1;
            }
            table[i] = value;
        }
        return table;
    }

    private static bool NextLine(ref ReadOnlySpan<byte> text, ref int line, out ReadOnlySpan<byte> content)
    {
        if (text.IsEmpty)
        {
            content = default;
            return false;
        }
        int end = text.IndexOf((byte)'\n');
        content = (end < 0 ? text : text[..end]).TrimEnd(" \t\r"u8);
        text = end < 0 ? default : text[(end + 1)..];
        line++;
        return true;
    }
}
