using System.Buffers.Binary;
using Diecast.Images;

namespace Diecast.Formats.Fat;

/// <summary>What the allocation table says is free: FSInfo only repeats it, and FAT12 and FAT16 have no such sector.</summary>
public static class FreeSpace
{
    /// <summary>The bytes of the clusters and of those among them that are free.</summary>
    /// <exception cref="InvalidDataException">The boot sector is damaged.</exception>
    public static (long Total, long Free) Of(Blob blob)
    {
        var boot = new BootRecord(blob);
        // Two entries of FAT12 are three bytes; a multiple of three and four holds whole entries of all types.
        var window = new byte[3 << 16];
        int perUnit = boot.Bits == 12 ? 2 : 1;
        int unit = boot.Bits * perUnit / 8;
        long entry = 0;
        long free = 0;
        for (long offset = 0; offset < boot.FatLength && entry < boot.Clusters + 2; offset += window.Length)
        {
            var part = window.AsSpan(0, (int)Math.Min(window.Length, boot.FatLength - offset));
            blob.Read(boot.FatOffset(boot.ActiveFat) + offset, part);
            for (; part.Length >= unit; part = part[unit..])
            {
                for (int i = 0; i < perUnit; i++, entry++)
                {
                    free += entry >= 2 && entry < boot.Clusters + 2 && Value(part, i, boot.Bits) == 0 ? 1 : 0;
                }
            }
        }
        return (boot.Clusters * boot.ClusterSize, free * boot.ClusterSize);
    }

    private static uint Value(ReadOnlySpan<byte> unit, int index, int bits) => bits switch
    {
        12 => index == 0 ? unit[0] | (unit[1] & 0xFu) << 8 : (uint)unit[1] >> 4 | (uint)unit[2] << 4,
        16 => BinaryPrimitives.ReadUInt16LittleEndian(unit),
        _ => BinaryPrimitives.ReadUInt32LittleEndian(unit) & 0x0FFF_FFFF,
    };
}
