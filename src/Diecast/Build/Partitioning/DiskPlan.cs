using Diecast.Binary;
using Diecast.Config;
using Diecast.Formats.Gpt;
using Diecast.Images;

namespace Diecast.Build.Partitioning;

/// <summary>A partition with its place; offset, length and the gap after it are in bytes.</summary>
public sealed record PlannedPartition(PartitionIdentity Identity, int Number, long Offset, long Length, long Padding)
{
    public PartitionDefinition Definition => Identity.Definition;

    internal PartitionEntry Entry => new()
    {
        Number = Number,
        Type = Definition.Type,
        Id = Identity.Id,
        Offset = Offset,
        Length = Length,
        Attributes = Definition.Attributes,
        Name = Identity.Label,
    };
}

/// <summary>Where the partitions of a disk lie. Made of definitions and sizes alone, without any content.</summary>
public sealed record DiskPlan
{
    private const int MaximumPartitions = GptLayout.EntryCount;
    private const long LargestDisk = 1L << 60;

    // What systemd-repart reserves at both ends together, but for one sector.
    private const long TableSize = (1 << 20) + (16 << 10);

    private readonly record struct Sized(PartitionIdentity Identity, SizeLimits Limits, long Required);

    public required Guid DiskId { get; init; }

    public required DiskGeometry Geometry { get; init; }

    /// <summary>The disk's length in bytes.</summary>
    public required long Length { get; init; }

    /// <summary>In the order of their places, which is that of the definitions.</summary>
    public required IReadOnlyList<PlannedPartition> Partitions { get; init; }

    /// <summary>Those whose priority let them be left out, because the disk is too small.</summary>
    public required IReadOnlyList<PartitionIdentity> LeftOut { get; init; }

    /// <summary>Places the partitions: as systemd-repart does for the same definitions.</summary>
    /// <param name="identities">All of the disk's partitions.</param>
    /// <param name="diskId">The disk's own id.</param>
    /// <param name="geometry">Size and sectors.</param>
    /// <param name="contentSize">The bytes that a partition must hold, or null where its definition says all.</param>
    /// <exception cref="ConfigException">The partitions do not fit.</exception>
    public static DiskPlan Create(
        IReadOnlyList<PartitionIdentity> identities, Guid diskId, DiskGeometry geometry, Func<PartitionIdentity, long?> contentSize)
    {
        var all = identities.Select(identity => SizeOf(identity, geometry, contentSize(identity))).ToList();
        long length = geometry.Size?.AlignUp(geometry.Grain) ?? MinimumLength(all, geometry);
        CheckLength(length, geometry);
        var layout = new GptLayout(length, geometry.SectorSize);
        long start = (layout.FirstUsableLba * geometry.SectorSize).AlignUp(geometry.Grain);
        long end = ((layout.LastUsableLba + 1) * geometry.SectorSize).AlignDown(geometry.Grain);
        var kept = Fit(all, Math.Max(0, end - start), length);
        if (kept.Count > MaximumPartitions)
        {
            throw new ConfigException(new Location(kept[MaximumPartitions].Identity.Definition.Source),
                $"a disk has at most {MaximumPartitions} partitions");
        }
        return new DiskPlan
        {
            DiskId = diskId,
            Geometry = geometry,
            Length = length,
            Partitions = Lay(kept, start, end, geometry.Grain),
            LeftOut = [.. identities.Except(kept.Select(static sized => sized.Identity))],
        };
    }

    /// <summary>The disk with its contents.</summary>
    /// <param name="content">What a partition holds; null leaves it empty. Asked once for each partition.</param>
    public Image Assemble(Func<PlannedPartition, Blob?> content) =>
        GptWriter.Write(Table, entry => content(Partitions[entry.Number - 1]));

    /// <summary>The partition table.</summary>
    public PartitionTable Table => new()
    {
        DiskId = DiskId,
        SectorSize = Geometry.SectorSize,
        Length = Length,
        Partitions = [.. Partitions.Select(static partition => partition.Entry)],
    };

    private static Sized SizeOf(PartitionIdentity identity, DiskGeometry geometry, long? contentSize)
    {
        int sectorSize = geometry.FileSystemSectorSize(identity.Definition);
        var limits = SizeLimits.Of(identity.Definition, contentSize, sectorSize, geometry.Grain);
        return limits.Min <= LargestDisk && limits.PaddingMin <= LargestDisk
            ? new Sized(identity, limits, (limits.Min + limits.PaddingMin).AlignUp(geometry.Grain))
            : throw new ConfigException(
                identity.Definition.Place("SizeMinBytes"), $"no disk has {Math.Max(limits.Min, limits.PaddingMin)} bytes");
    }

    private static long MinimumLength(List<Sized> partitions, DiskGeometry geometry)
    {
        var length = partitions.Aggregate((Int128)(TableSize + geometry.SectorSize), static (sum, sized) => sum + sized.Required);
        return length <= LargestDisk
            ? ((long)length).AlignUp(4096)
            : throw new ConfigException(
                partitions[^1].Identity.Definition.Place("SizeMinBytes"), "the partitions together are too large for any disk");
    }

    private static void CheckLength(long length, DiskGeometry geometry)
    {
        if (length < GptLayout.MinimumLength(geometry.SectorSize) || length > LargestDisk)
        {
            throw new ConfigException(new Location("size of the disk"), $"{length} bytes cannot be partitioned");
        }
    }

    /// <summary>The partitions that fit; of those with the greatest priority above 0 all go at once.</summary>
    private static List<Sized> Fit(List<Sized> all, long space, long length)
    {
        var kept = all;
        while (true)
        {
            long left = space;
            int fitting = kept.TakeWhile(sized => (left -= sized.Required) >= 0).Count();
            if (fitting == kept.Count)
            {
                return kept;
            }
            int priority = kept.Max(static sized => sized.Identity.Definition.Priority);
            if (priority <= 0)
            {
                var first = kept[fitting];
                throw new ConfigException(first.Identity.Definition.Place("SizeMinBytes"),
                    $"the partition needs {first.Required} bytes, and a disk of {length} bytes has {left + first.Required} left for it");
            }
            kept = [.. kept.Where(sized => sized.Identity.Definition.Priority < priority)];
        }
    }

    private static List<PlannedPartition> Lay(List<Sized> kept, long start, long end, long grain)
    {
        var sizes = SpaceDivision.Divide(
            Math.Max(0, end - start), grain, [.. kept.Select(static sized => (sized.Identity.Definition, sized.Limits))]);
        var partitions = new List<PlannedPartition>(kept.Count);
        for (int i = 0; i < kept.Count; i++)
        {
            partitions.Add(new PlannedPartition(kept[i].Identity, i + 1, start, sizes[i].Size, sizes[i].Padding));
            start = (start + sizes[i].Size + sizes[i].Padding).AlignUp(grain);
        }
        return partitions;
    }
}
