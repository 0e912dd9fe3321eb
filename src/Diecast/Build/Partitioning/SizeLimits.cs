using Diecast.Binary;

namespace Diecast.Build.Partitioning;

/// <summary>How large a partition and the gap after it may be, in bytes; null for no limit.</summary>
internal readonly record struct SizeLimits(long Min, long? Max, long PaddingMin, long? PaddingMax)
{
    private const long MiB = 1 << 20;
    private const long DefaultMin = 10 * MiB;
    private const long HardMin = 4096;
    private const long VeritySignatureSize = 16384;

    /// <param name="definition">What the user wants.</param>
    /// <param name="contentSize">What the partition is known to hold, or null where only the file system is.</param>
    /// <param name="fileSystemSectorSize">In bytes.</param>
    /// <param name="grain">What sizes are rounded to.</param>
    public static SizeLimits Of(PartitionDefinition definition, long? contentSize, int fileSystemSectorSize, long grain)
    {
        if (definition.KnownType?.Designator is "root-verity-sig" or "usr-verity-sig")
        {
            return new SizeLimits(VeritySignatureSize, VeritySignatureSize, definition.PaddingMin ?? 0, definition.PaddingMax);
        }
        long content = contentSize?.AlignUp(grain)
            ?? (definition.Format is null ? 0 : FileSystemMinimum(definition, fileSystemSectorSize).AlignUp(grain));
        long wanted = definition.SizeMin ?? (definition.Format is "erofs" or "squashfs" ? 1 : DefaultMin);
        long min = Math.Max(wanted.AlignUp(grain), Math.Max(content, HardMin));
        long? max = definition.SizeMax is { } limit ? Math.Max(min, limit.AlignDown(grain)) : null;
        return new SizeLimits(min, max, definition.PaddingMin ?? 0, definition.PaddingMax);
    }

    private static long FileSystemMinimum(PartitionDefinition definition, int sectorSize) =>
        (definition.Format, definition.KnownType?.Designator) switch
        {
            // FAT32 has at least 65525 clusters, and firmware refuses smaller ones: 260 MiB for clusters of 4096 bytes.
            ("vfat", "esp" or "xbootldr") => sectorSize >= 4096 ? 260 * MiB : 100 * MiB,
            ("ext4", _) => 32 * MiB,
            ("btrfs", _) => 256 * MiB,
            ("xfs", _) => 300 * MiB,
            _ => 0,
        };
}
