using System.IO.Hashing;
using System.Runtime.CompilerServices;
using Diecast.Binary;
using Diecast.Images;

namespace Diecast.Formats.Gpt;

/// <summary>
/// Writes a disk with a GUID partition table: the same bytes as libfdisk writes for the same table (UEFI 2.10,
/// chapter 5).
/// </summary>
public static class GptWriter
{
    /// <summary>The disk: the table at both ends and the contents of the partitions, in their places.</summary>
    /// <param name="table">Partitions that do not overlap, within the usable range.</param>
    /// <param name="content">
    /// What a partition holds, at most as long as it; null leaves it empty. Asked once for each partition.
    /// </param>
    public static Image Write(PartitionTable table, Func<PartitionEntry, Blob?> content)
    {
        var layout = new GptLayout(table.Length, table.SectorSize);
        byte[] entries = Entries(table, layout);
        uint entriesCrc = Crc32.HashToUInt32(entries);
        var image = new ImageBuilder();
        image.Place(0, ProtectiveMbr(layout), GptLabels.ProtectiveMbr);
        Place(image, layout, GptLayout.PrimaryHeaderLba, Header(table, layout, entriesCrc, backup: false), GptLabels.Header);
        Place(image, layout, GptLayout.PrimaryEntriesLba, entries, GptLabels.Entries);
        foreach (var partition in table.Partitions)
        {
            if (content(partition) is { } blob)
            {
                if (blob.Length > partition.Length)
                {
                    throw new ArgumentException($"{blob.Length} bytes for the {partition.Length} of partition {partition.Number}", nameof(content));
                }
                image.Place(partition.Offset, blob, GptLabels.Partition(partition));
            }
        }
        Place(image, layout, layout.BackupEntriesLba, entries, GptLabels.BackupEntries);
        Place(image, layout, layout.BackupHeaderLba, Header(table, layout, entriesCrc, backup: true), GptLabels.BackupHeader);
        return image.Build(table.Length);
    }

    private static void Place(ImageBuilder image, GptLayout layout, long lba, byte[] content, Label label) =>
        image.Place(lba * layout.SectorSize, content, label);

    private static byte[] ProtectiveMbr(GptLayout layout)
    {
        const int recordOffset = 446;
        const int signatureOffset = 510;
        var sector = new byte[512];
        OnDisk.Write(sector.AsSpan(recordOffset), new MbrPartitionRecord
        {
            StartingSector = 2,
            OsType = MbrPartitionRecord.GptProtective,
            EndingHead = 0xFF,
            EndingSector = 0xFF,
            EndingTrack = 0xFF,
            StartingLba = 1,
            SizeInLba = (uint)Math.Min(layout.SectorCount - 1, uint.MaxValue),
        });
        OnDisk.Write(sector.AsSpan(signatureOffset), new Le<ushort>(0xAA55));
        return sector;
    }

    private static byte[] Header(PartitionTable table, GptLayout layout, uint entriesCrc, bool backup)
    {
        var header = new GptHeader
        {
            Signature = GptHeader.SignatureValue,
            Revision = GptHeader.RevisionValue,
            HeaderSize = (uint)Unsafe.SizeOf<GptHeader>(),
            MyLba = (ulong)(backup ? layout.BackupHeaderLba : GptLayout.PrimaryHeaderLba),
            AlternateLba = (ulong)(backup ? GptLayout.PrimaryHeaderLba : layout.BackupHeaderLba),
            FirstUsableLba = (ulong)layout.FirstUsableLba,
            LastUsableLba = (ulong)layout.LastUsableLba,
            DiskGuid = table.DiskId,
            PartitionEntryLba = (ulong)(backup ? layout.BackupEntriesLba : GptLayout.PrimaryEntriesLba),
            NumberOfPartitionEntries = GptLayout.EntryCount,
            SizeOfPartitionEntry = (uint)Unsafe.SizeOf<GptEntry>(),
            PartitionEntryArrayCrc32 = entriesCrc,
        };
        header.HeaderCrc32 = Crc32.HashToUInt32(OnDisk.Bytes(header));
        return OnDisk.Bytes(header);
    }

    private static byte[] Entries(PartitionTable table, GptLayout layout)
    {
        var entries = new GptEntry[GptLayout.EntryCount];
        long end = layout.FirstUsableLba * layout.SectorSize;
        long usableEnd = (layout.LastUsableLba + 1) * layout.SectorSize;
        foreach (var partition in table.Partitions.OrderBy(static p => p.Offset, Comparer<long>.Default))
        {
            Require(partition.Number is >= 1 and <= GptLayout.EntryCount, partition, "has no place in the table");
            Require(entries[partition.Number - 1].PartitionTypeGuid == Guid.Empty, partition, "stands in the table twice");
            Require(partition.Type != Guid.Empty, partition, "has no type");
            Require(partition.Name.Length <= PartitionEntry.MaximumNameLength, partition, "has too long a name");
            Require(partition.Length > 0 && partition.Offset % layout.SectorSize == 0 && partition.Length % layout.SectorSize == 0,
                partition, "is not a number of sectors");
            Require(partition.Offset >= end, partition, "overlaps what is before it");
            Require(partition.End <= usableEnd, partition, "ends past the usable range");
            end = partition.End;
            entries[partition.Number - 1] = new GptEntry
            {
                PartitionTypeGuid = partition.Type,
                UniquePartitionGuid = partition.Id,
                StartingLba = (ulong)(partition.Offset / layout.SectorSize),
                EndingLba = (ulong)(partition.End / layout.SectorSize - 1),
                Attributes = (ulong)partition.Attributes,
                PartitionName = GptEntryName.From(partition.Name),
            };
        }
        return OnDisk.Bytes<GptEntry>(entries);
    }

    private static void Require(bool condition, PartitionEntry partition, string wrong)
    {
        if (!condition)
        {
            throw new ArgumentException($"Partition {partition.Number} ({partition.Offset}+{partition.Length}) {wrong}", nameof(partition));
        }
    }
}

/// <summary>The names of a disk's parts: the writer's and the reader's.</summary>
internal static class GptLabels
{
    public static readonly Label ProtectiveMbr = "protective MBR";
    public static readonly Label Header = "GPT header";
    public static readonly Label Entries = "GPT entries";
    public static readonly Label BackupEntries = "GPT backup entries";
    public static readonly Label BackupHeader = "GPT backup header";

    public static Label Partition(PartitionEntry partition) => new("partition", new PartitionTitle(partition));

    private sealed record PartitionTitle(PartitionEntry Partition)
    {
        public override string ToString() => $"{Partition.Number} \"{Partition.Name}\"";
    }
}
