namespace Diecast.Formats.Gpt;

/// <summary>The attributes of an entry: UEFI 2.10 table 5.8, and those of the Discoverable Partitions Specification.</summary>
[Flags]
public enum PartitionAttributes : ulong
{
    None = 0,

    /// <summary>The platform needs the partition.</summary>
    Required = 1ul << 0,

    NoBlockIoProtocol = 1ul << 1,

    LegacyBiosBootable = 1ul << 2,

    /// <summary>The file system is grown to the partition's size when it is mounted.</summary>
    GrowFileSystem = 1ul << 59,

    ReadOnly = 1ul << 60,

    /// <summary>Not mounted automatically.</summary>
    NoAuto = 1ul << 63,
}

/// <summary>One partition of a table; offset and length are in bytes, multiples of the sector size.</summary>
public sealed record PartitionEntry
{
    /// <summary>The longest name, in UTF-16 code units.</summary>
    public const int MaximumNameLength = GptEntryName.Length;

    /// <summary>The place in the table from 1 on, which makes the N in /dev/sdaN.</summary>
    public required int Number { get; init; }

    public required Guid Type { get; init; }

    public required Guid Id { get; init; }

    public required long Offset { get; init; }

    public required long Length { get; init; }

    public PartitionAttributes Attributes { get; init; }

    /// <summary>At most 36 UTF-16 code units; may hold lone surrogates when it was read.</summary>
    public string Name { get; init; } = "";

    /// <summary>The first byte after the partition.</summary>
    public long End => Offset + Length;
}

/// <summary>A partition table of a disk.</summary>
public sealed record PartitionTable
{
    public required Guid DiskId { get; init; }

    /// <summary>In bytes.</summary>
    public required int SectorSize { get; init; }

    /// <summary>The disk's length in bytes.</summary>
    public required long Length { get; init; }

    /// <summary>The used entries, in the order of their numbers.</summary>
    public required IReadOnlyList<PartitionEntry> Partitions { get; init; }
}
