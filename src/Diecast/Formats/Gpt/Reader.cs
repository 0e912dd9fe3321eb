using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Diecast.Binary;
using Diecast.Images;

namespace Diecast.Formats.Gpt;

/// <summary>A disk whose partition table was read.</summary>
public sealed record GptView
{
    public required PartitionTable Table { get; init; }

    /// <summary>Everything that is wrong with the table and did not keep it from being read; empty for a sound one.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    /// <summary>The fields of the header that was used, under the names of the specification.</summary>
    public required IReadOnlyList<NamedField> Fields { get; init; }

    /// <summary>All the disk's parts, labelled as the writer labels them.</summary>
    public required Image Layout { get; init; }

    /// <inheritdoc cref="FileSystemView.FieldFinder"/>
    public required Func<Func<long, FieldSpan?>> FieldFinder { get; init; }

    /// <summary>The content of one of the table's partitions.</summary>
    public Blob Content(PartitionEntry partition) => Layout.Slice(partition.Offset, partition.Length);
}

/// <summary>Reads GUID partition tables of any origin. A damaged primary table is replaced by the backup.</summary>
public static class GptReader
{
    private const int MaximumEntrySize = 4096;
    private const int MaximumEntriesSize = 4 << 20;
    private const int MinimumHeaderSize = 92;

    private static readonly int[] s_sectorSizes = [512, 4096, 1024, 2048];

    private sealed record Found(GptHeader Header, byte[] Entries, long HeaderLba)
    {
        public int EntriesLength => Entries.Length;

        public long EntriesOffset(int sectorSize) => (long)(ulong)Header.PartitionEntryLba * sectorSize;
    }

    /// <summary>Whether the blob has the signature of a partition table at either end.</summary>
    public static bool Recognizes(Blob disk) => SectorSizes(disk).Any();

    /// <summary>Reads the table.</summary>
    /// <exception cref="InvalidDataException">Neither the primary nor the backup table is sound.</exception>
    public static GptView Read(Blob disk)
    {
        var wrong = new List<string>();
        foreach (int sectorSize in SectorSizes(disk))
        {
            var problems = new List<string>();
            var primary = TryReadTable(disk, sectorSize, 1, "GPT header", problems);
            var backup = ReadBackup(disk, sectorSize, primary, problems);
            if ((primary ?? backup) is { } found)
            {
                return View(disk, sectorSize, found, primary, backup, problems);
            }
            wrong.AddRange(problems);
        }
        throw new InvalidDataException(wrong.Count > 0 ? string.Join("; ", wrong) : "GPT: no signature at sector 1 or at the last sector");
    }

    private static IEnumerable<int> SectorSizes(Blob disk) =>
        s_sectorSizes.Where(size => HasSignature(disk, size)).Concat(s_sectorSizes.Where(size =>
            !HasSignature(disk, size) && disk.Length >= 3 * size && HasSignature(disk, (disk.Length / size - 1) * size)));

    private static bool HasSignature(Blob disk, long offset) =>
        offset <= disk.Length - MinimumHeaderSize
        && OnDisk.Read<Le<ulong>>(disk.ReadBytes(offset, sizeof(ulong))) == GptHeader.SignatureValue;

    private static Found? ReadBackup(Blob disk, int sectorSize, Found? primary, List<string> problems)
    {
        long last = disk.Length / sectorSize - 1;
        if (primary is null || (long)(ulong)primary.Header.AlternateLba == last)
        {
            return TryReadTable(disk, sectorSize, last, "GPT backup header", problems);
        }
        // The disk has grown, or was copied to a larger one.
        problems.Add($"GPT header: the backup is at sector {(ulong)primary.Header.AlternateLba}, not at the last, {last}");
        return (ulong)primary.Header.AlternateLba <= (ulong)last && primary.Header.AlternateLba > 1ul
            ? TryReadTable(disk, sectorSize, (long)(ulong)primary.Header.AlternateLba, "GPT backup header", problems)
            : null;
    }

    private static Found? TryReadTable(Blob disk, int sectorSize, long lba, string name, List<string> problems)
    {
        try
        {
            return ReadTable(disk, sectorSize, lba, $"{name} at {lba * sectorSize}");
        }
        catch (InvalidDataException error)
        {
            problems.Add(error.Message);
            return null;
        }
    }

    private static Found ReadTable(Blob disk, int sectorSize, long lba, string name)
    {
        byte[] sector = disk.ReadBytes(lba * sectorSize, sectorSize);
        var header = OnDisk.Read<GptHeader>(sector);
        Require(header.Signature == GptHeader.SignatureValue, name, "no signature");
        Require(header.Revision == GptHeader.RevisionValue, name, $"revision {(uint)header.Revision:x8}");
        Require(header.HeaderSize >= MinimumHeaderSize && header.HeaderSize <= sectorSize, name,
            $"a header of {(uint)header.HeaderSize} bytes");
        Span<byte> checkedBytes = sector.AsSpan(0, (int)(uint)header.HeaderSize);
        checkedBytes.Slice((int)Marshal.OffsetOf<GptHeader>(nameof(GptHeader.HeaderCrc32)), sizeof(uint)).Clear();
        Require(Crc32.HashToUInt32(checkedBytes) == header.HeaderCrc32, name, "wrong checksum");
        Require((long)(ulong)header.MyLba == lba, name, $"claims to be at sector {(ulong)header.MyLba}");
        long count = header.NumberOfPartitionEntries;
        long size = header.SizeOfPartitionEntry;
        Require(size >= Unsafe.SizeOf<GptEntry>() && size <= MaximumEntrySize && count * size <= MaximumEntriesSize, name,
            $"{count} entries of {size} bytes");
        ulong entriesLba = header.PartitionEntryLba;
        Require(entriesLba >= 2 && entriesLba < (ulong)(disk.Length / sectorSize), name, $"entries at sector {entriesLba}");
        byte[] entries = disk.ReadBytes((long)entriesLba * sectorSize, (int)(count * size));
        Require(Crc32.HashToUInt32(entries) == header.PartitionEntryArrayCrc32, name, "wrong checksum of the entries");
        return new Found(header, entries, lba);
    }

    private static GptView View(
        Blob disk, int sectorSize, Found used, Found? primary, Found? backup, List<string> problems)
    {
        if (primary is null)
        {
            problems.Add("the primary table is damaged: this is the backup");
        }
        else if (backup is not null && !(primary.Entries.AsSpan().SequenceEqual(backup.Entries)
            && (Guid)primary.Header.DiskGuid == (Guid)backup.Header.DiskGuid))
        {
            problems.Add("the primary and the backup table differ");
        }
        var table = new PartitionTable
        {
            DiskId = used.Header.DiskGuid,
            SectorSize = sectorSize,
            Length = disk.Length,
            Partitions = ReadEntries(used, sectorSize, disk.Length),
        };
        return new GptView
        {
            Table = table,
            Problems = problems,
            Fields = [.. FieldFinder.Header.Fields(OnDisk.Bytes(used.Header)).Where(static field => field.Name is not ("Signature" or "Reserved"))],
            Layout = LayOut(disk, table, primary, backup),
            FieldFinder = () => FinderOf(disk, sectorSize, primary, backup).Find,
        };
    }

    private static FieldFinder FinderOf(Blob disk, int sectorSize, Found? primary, Found? backup)
    {
        var headers = new List<(long, long, string)>();
        var arrays = new List<EntryArray>();
        foreach (var (found, suffix) in new[] { (primary, ""), (backup, " (backup)") })
        {
            if (found is not null)
            {
                headers.Add((found.HeaderLba * sectorSize, (uint)found.Header.HeaderSize, $"GPT header{suffix}"));
                arrays.Add(new EntryArray(
                    found.EntriesOffset(sectorSize), found.EntriesLength, (int)(uint)found.Header.SizeOfPartitionEntry, suffix));
            }
        }
        return new FieldFinder(disk, headers, arrays);
    }

    private static List<PartitionEntry> ReadEntries(Found table, int sectorSize, long length)
    {
        var partitions = new List<PartitionEntry>();
        int size = (int)(uint)table.Header.SizeOfPartitionEntry;
        ulong sectors = (ulong)(length / sectorSize);
        for (int i = 0; i < table.EntriesLength / size; i++)
        {
            var entry = OnDisk.Read<GptEntry>(table.Entries.AsSpan(i * size));
            if (entry.PartitionTypeGuid == Guid.Empty)
            {
                continue;
            }
            ulong start = entry.StartingLba;
            ulong end = entry.EndingLba;
            Require(start <= end && end < sectors, $"GPT entry {i + 1} at {table.EntriesOffset(sectorSize) + i * size}",
                $"sectors {start} to {end} of {sectors}");
            partitions.Add(new PartitionEntry
            {
                Number = i + 1,
                Type = entry.PartitionTypeGuid,
                Id = entry.UniquePartitionGuid,
                Offset = (long)start * sectorSize,
                Length = (long)(end - start + 1) * sectorSize,
                Attributes = (PartitionAttributes)(ulong)entry.Attributes,
                Name = entry.PartitionName.ToString(),
            });
        }
        return partitions;
    }

    private static Image LayOut(Blob disk, PartitionTable table, Found? primary, Found? backup)
    {
        var parts = new List<(long Offset, long Length, Label Label)> { (0, 512, GptLabels.ProtectiveMbr) };
        Add(primary, GptLabels.Header, GptLabels.Entries);
        Add(backup, GptLabels.BackupHeader, GptLabels.BackupEntries);
        parts.AddRange(table.Partitions.Select(static p => (p.Offset, p.Length, GptLabels.Partition(p))));
        parts.Sort(static (a, b) => a.Offset.CompareTo(b.Offset));
        var image = new ImageBuilder();
        for (int i = 0; i < parts.Count; i++)
        {
            Require(i == 0 || parts[i].Offset >= parts[i - 1].Offset + parts[i - 1].Length, parts[i].Label.ToString(),
                $"at {parts[i].Offset} overlaps the {parts[Math.Max(i - 1, 0)].Label}");
            image.Place(parts[i].Offset, disk.Slice(parts[i].Offset, parts[i].Length), parts[i].Label);
        }
        return image.Build(disk.Length);

        void Add(Found? found, Label header, Label entries)
        {
            if (found is not null)
            {
                parts.Add((found.HeaderLba * table.SectorSize, (uint)found.Header.HeaderSize, header));
                parts.Add((found.EntriesOffset(table.SectorSize), found.EntriesLength, entries));
            }
        }
    }

    private static void Require(bool condition, string structure, string wrong)
    {
        if (!condition)
        {
            throw new InvalidDataException($"{structure}: {wrong}");
        }
    }
}
