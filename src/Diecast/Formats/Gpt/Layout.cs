using System.Runtime.CompilerServices;
using Diecast.Binary;

namespace Diecast.Formats.Gpt;

/// <summary>Where the parts of a partition table lie on a disk of a given size. LBAs count sectors.</summary>
public sealed record GptLayout
{
    /// <summary>The number of entries in every table that is written.</summary>
    public const int EntryCount = 128;

    /// <summary>The least number of bytes that the entries and headers take at both ends, with the protective MBR.</summary>
    public static long MinimumLength(int sectorSize) =>
        (3 + 2 * EntrySectorCount(sectorSize)) * (long)sectorSize;

    /// <param name="length">The disk's length in bytes, a multiple of the sector size.</param>
    /// <param name="sectorSize">In bytes, a power of two from 512 on.</param>
    public GptLayout(long length, int sectorSize)
    {
        if (sectorSize < 512 || !System.Numerics.BitOperations.IsPow2(sectorSize))
        {
            throw new ArgumentOutOfRangeException(nameof(sectorSize), sectorSize, "A sector has 512 bytes, or a larger power of two");
        }
        if (length % sectorSize != 0 || length < MinimumLength(sectorSize))
        {
            throw new ArgumentOutOfRangeException(nameof(length), length, "A disk is a number of sectors that holds the table");
        }
        SectorSize = sectorSize;
        SectorCount = length / sectorSize;
        int entrySectors = EntrySectorCount(sectorSize);
        BackupEntriesLba = SectorCount - 1 - entrySectors;
        LastUsableLba = BackupEntriesLba - 1;
        // Partitions begin at 1 MiB, as with every current tool, but for disks too small to give that away.
        FirstUsableLba = length > SmallDisk ? Alignment / sectorSize : PrimaryEntriesLba + entrySectors;
    }

    private const long Alignment = 1 << 20;
    private const long SmallDisk = 4 * Alignment;

    public int SectorSize { get; }

    public long SectorCount { get; }

    public static long PrimaryHeaderLba => 1;

    public static long PrimaryEntriesLba => 2;

    public long BackupHeaderLba => SectorCount - 1;

    public long BackupEntriesLba { get; }

    public long FirstUsableLba { get; }

    public long LastUsableLba { get; }

    private static int EntrySectorCount(int sectorSize) =>
        (int)((long)EntryCount * Unsafe.SizeOf<GptEntry>()).DivideUp(sectorSize);
}
