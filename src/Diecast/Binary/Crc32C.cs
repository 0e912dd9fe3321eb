using System.Numerics;
using System.Runtime.InteropServices;

namespace Diecast.Binary;

/// <summary>CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), as ext4, btrfs, xfs and erofs use it.</summary>
public static class Crc32C
{
    /// <summary>
    /// The checksum register after <paramref name="data"/>, without inversion before or after: what the kernel's
    /// <c>crc32c_le(crc, data)</c> gives. Start with <c>~0u</c> where a format says so.
    /// </summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> data)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(data);
        foreach (ulong word in words)
        {
            crc = BitOperations.Crc32C(crc, BitConverter.IsLittleEndian ? word : Endian.Reverse(word));
        }
        foreach (byte rest in data[(words.Length * sizeof(ulong))..])
        {
            crc = BitOperations.Crc32C(crc, rest);
        }
        return crc;
    }

    /// <inheritdoc cref="Append(uint, ReadOnlySpan{byte})"/>
    public static uint Append(uint crc, uint littleEndianValue) =>
        BitOperations.Crc32C(crc, littleEndianValue);

    /// <summary>The checksum of <paramref name="data"/> with the usual inversions (RFC 3720, appendix B.4).</summary>
    public static uint Compute(ReadOnlySpan<byte> data) => ~Append(~0u, data);
}
