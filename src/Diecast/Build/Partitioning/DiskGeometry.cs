namespace Diecast.Build.Partitioning;

/// <summary>What all partitions of a disk have in common.</summary>
public sealed record DiskGeometry
{
    private readonly int? _sectorSize;

    /// <summary>The disk's length in bytes; null for the least that holds the partitions.</summary>
    public long? Size { get; init; }

    /// <summary>The disk's sector size in bytes, 512 or 4096. If it is set, it is that of the file systems too.</summary>
    public int SectorSize
    {
        get => _sectorSize ?? 512;
        init => _sectorSize = value is 512 or 4096 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "512 or 4096");
    }

    /// <summary>The least unit of sizes and places, in bytes.</summary>
    public long Grain => Math.Max(4096, SectorSize);

    /// <summary>
    /// The logical sector size of a partition's file system, in bytes. 4096 where nobody says otherwise, on disks with
    /// sectors of 512 bytes too, so that the image can be written to either kind of disk.
    /// </summary>
    public int FileSystemSectorSize(PartitionDefinition definition) =>
        Math.Max(definition.FileSystemSectorSize ?? _sectorSize ?? 4096, SectorSize);
}
