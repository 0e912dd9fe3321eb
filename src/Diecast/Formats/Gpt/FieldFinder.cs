using System.Runtime.CompilerServices;
using Diecast.Binary;
using Diecast.Images;
using static Diecast.Formats.FieldTable;

namespace Diecast.Formats.Gpt;

/// <summary>Names the field at an offset of a disk: protective MBR, headers and entries, under the names of UEFI 2.10.</summary>
internal sealed class FieldFinder(Blob disk, IReadOnlyList<(long Offset, long Length, string Structure)> headers, IReadOnlyList<EntryArray> arrays)
{
    private const int MbrRecordsOffset = 446, MbrRecords = 4, MbrSignatureOffset = 510;

    public static FieldTable MbrRecord { get; } = new(
        Hexadecimal("BootIndicator", 1), Number("StartingHead", 1), Number("StartingSector", 1), Number("StartingTrack", 1),
        Hexadecimal("OSType", 1), Number("EndingHead", 1), Number("EndingSector", 1), Number("EndingTrack", 1),
        Number("StartingLBA", 4), Number("SizeInLBA", 4));

    public static FieldTable Header { get; } = new(
        Text("Signature", 8), Shown("Revision", 4, static bytes => $"{Unsigned(bytes):x8}"), Number("HeaderSize", 4),
        Shown("HeaderCRC32", 4, static bytes => $"{Unsigned(bytes):x8}"), Number("Reserved", 4), Number("MyLBA", 8),
        Number("AlternateLBA", 8), Number("FirstUsableLBA", 8), Number("LastUsableLBA", 8), DiskGuidRow("DiskGUID"),
        Number("PartitionEntryLBA", 8), Number("NumberOfPartitionEntries", 4), Number("SizeOfPartitionEntry", 4),
        Shown("PartitionEntryArrayCRC32", 4, static bytes => $"{Unsigned(bytes):x8}"));

    public static FieldTable Entry { get; } = new(
        DiskGuidRow("PartitionTypeGUID"), DiskGuidRow("UniquePartitionGUID"), Number("StartingLBA", 8), Number("EndingLBA", 8),
        Hexadecimal("Attributes", 8), Shown("PartitionName", 72, Utf16));

    public FieldSpan? Find(long offset)
    {
        if (offset is >= 0 and < 512)
        {
            return disk.Length < 512 ? null : InMbr(disk.ReadBytes(0, 512), (int)offset);
        }
        foreach (var (place, length, structure) in headers)
        {
            if (offset >= place && offset - place < Math.Min(length, Header.Length))
            {
                return Header.Find(disk.ReadBytes(place, Header.Length), (int)(offset - place))?.At(place, structure);
            }
        }
        foreach (var array in arrays)
        {
            if (offset >= array.Offset && offset - array.Offset < array.Length)
            {
                return InEntry(array, offset);
            }
        }
        return null;
    }

    private FieldSpan? InEntry(EntryArray array, long offset)
    {
        long index = (offset - array.Offset) / array.EntrySize;
        long place = array.Offset + index * array.EntrySize;
        // A table of a header that lies may end in the midst of an entry.
        return place + Entry.Length > disk.Length ? null
            : Entry.Find(disk.ReadBytes(place, Entry.Length), (int)Math.Min(offset - place, Entry.Length))
                ?.At(place, $"partition {index + 1}{array.Suffix}");
    }

    private static FieldSpan? InMbr(ReadOnlySpan<byte> sector, int at)
    {
        if (at >= MbrSignatureOffset)
        {
            return new FieldSpan(MbrSignatureOffset, 2, "protective MBR", "Signature", $"0x{OnDisk.Read<Le<ushort>>(sector[MbrSignatureOffset..]).Value:x4}");
        }
        const int uniqueId = 440, unknown = 444;
        if (at < uniqueId)
        {
            return new FieldSpan(0, uniqueId, "protective MBR", "BootCode", Convert.ToHexStringLower(sector[..uniqueId]));
        }
        if (at < MbrRecordsOffset)
        {
            return at < unknown
                ? new FieldSpan(uniqueId, 4, "protective MBR", "UniqueMbrSignature", $"0x{OnDisk.Read<Le<uint>>(sector[uniqueId..]).Value:x8}")
                : new FieldSpan(unknown, 2, "protective MBR", "Unknown", Convert.ToHexStringLower(sector[unknown..MbrRecordsOffset]));
        }
        int size = Unsafe.SizeOf<MbrPartitionRecord>();
        int index = Math.Min((at - MbrRecordsOffset) / size, MbrRecords - 1);
        int start = MbrRecordsOffset + index * size;
        return MbrRecord.Find(sector[start..], at - start)?.At(start, "protective MBR", null, $"PartitionRecord[{index}] ");
    }

    private static FieldRow DiskGuidRow(string name) =>
        Shown(name, 16, static bytes => new Guid(bytes, bigEndian: false).ToString());
}

/// <summary>The entries of a table, and what to say after "partition N"; offset, length and the size of each in bytes.</summary>
internal readonly record struct EntryArray(long Offset, long Length, int EntrySize, string Suffix);
