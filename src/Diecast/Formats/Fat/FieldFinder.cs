using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Fat;

/// <summary>
/// Names the field at an offset. The directories are found by a walk when one of them, or a cluster's file, is first asked
/// for. Not for several threads at once.
/// </summary>
internal sealed class FieldFinder
{
    /// <summary>No more runs of clusters than these are remembered with their files.</summary>
    private const int MostRuns = 1 << 20;

    private readonly Blob _blob;
    private readonly BootRecord _boot;
    private readonly List<(ByteRange Range, Label Label)> _parts;
    private readonly Lazy<List<Run>> _runs;
    private readonly TreeScan _scan;
    private readonly Chains.Window[] _tables;
    private (ScannedFile? Directory, byte[] Bytes, List<ParsedEntry> Entries) _last = (null, [], []);

    /// <summary>Bytes of a file or directory; the first one is that in it.</summary>
    private readonly record struct Run(ByteRange Range, long Start, ScannedFile File);

    private FieldFinder(Blob blob)
    {
        _blob = blob;
        _boot = new BootRecord(blob);
        _parts = [.. _boot.Parts()];
        _scan = new TreeScan(blob, _boot);
        _runs = new Lazy<List<Run>>(FindRuns);
        _tables = [.. Enumerable.Range(0, _boot.FatCount).Select(table => new Chains.Window(blob, _boot, table))];
    }

    /// <inheritdoc cref="FileSystemView.FieldFinder"/>
    public static Func<long, FieldSpan?> Of(Blob blob) => new FieldFinder(blob).Find;

    private FieldSpan? Find(long offset)
    {
        if (offset < 0 || offset >= _blob.Length)
        {
            return null;
        }
        try
        {
            int part = _parts.FindIndex(part => offset >= part.Range.Offset && offset < part.Range.End);
            return part >= 0 ? InPart(part, offset) : InDirectory(offset);
        }
        catch (InvalidDataException)
        {
            // No field can be named in what is damaged; the reader says what is wrong with it.
            return null;
        }
    }

    private FieldSpan? InPart(int part, long offset)
    {
        var (range, label) = _parts[part];
        int table = part - (_parts.Count - _boot.FatCount);
        if (table >= 0)
        {
            return InTable(table, offset - range.Offset);
        }
        string structure = label.Kind["fat ".Length..];
        var fields = label.Kind is BootRecord.BootLabel or BootRecord.BackupLabel ? _boot.Table : FieldTables.FsInfo;
        return fields.Find(_blob.ReadBytes(range.Offset, (int)range.Length), (int)(offset - range.Offset))?.At(range.Offset, structure);
    }

    /// <summary>An entry of the table; of FAT12's, two share a byte, and are one field.</summary>
    private FieldSpan? InTable(int table, long at)
    {
        int count = _boot.Bits == 12 ? 2 : 1;
        int length = _boot.Bits * count / 8;
        long cluster = at / length * count;
        if (cluster >= _boot.Clusters + 2 || (cluster + count) * _boot.Bits > _boot.FatLength * 8)
        {
            return null;
        }
        var clusters = Enumerable.Range(0, count).Select(i => (uint)(cluster + i)).ToList();
        return new FieldSpan(
            _boot.FatOffset(table) + at / length * length, length, $"FAT {table + 1}",
            count == 1 ? $"entry {cluster}" : $"entries {cluster} and {cluster + 1}",
            string.Join(", ", clusters.Select(number => Show(_tables[table], number))))
        {
            Path = OwnerOf(clusters[0]),
        };
    }

    private string Show(Chains.Window table, uint cluster)
    {
        uint raw = table.Raw(cluster);
        uint value = raw & 0x0FFF_FFFF;
        uint all = _boot.Bits == 32 ? 0x0FFF_FFFF : (1u << _boot.Bits) - 1;
        string text = cluster < 2 ? $"0x{value:x}" : value == 0 ? "free" : value == _boot.BadCluster ? "bad"
            : value == all ? "end of chain" : value > _boot.BadCluster ? $"end of chain (0x{value:x})" : $"{value}";
        return raw >> 28 == 0 ? text : $"{text} (reserved 0x{raw >> 28:x})";
    }

    private string? OwnerOf(uint cluster) =>
        cluster >= 2 && RunAt(_boot.ClusterOffset(cluster)) is { } run ? Display(run.File.Path) : null;

    private FieldSpan? InDirectory(long offset)
    {
        if (RunAt(offset) is not { File.IsDirectory: true } run)
        {
            return null;
        }
        var (bytes, entries) = Read(run.File);
        int at = (int)(offset - run.Range.Offset + run.Start);
        int slot = at / ShortEntry.Size;
        int start = slot * ShortEntry.Size;
        if (start + ShortEntry.Size > bytes.Length)
        {
            return null;
        }
        var entry = bytes.AsSpan(start, ShortEntry.Size);
        if (!entry.ContainsAnyExcept((byte)0))
        {
            return null;
        }
        bool isLong = (entry[11] & LongEntry.AttributeMask) == LongEntry.Attribute;
        var fields = isLong ? FieldTables.LongEntry : FieldTables.ShortEntry;
        var (what, path) = Describe(run.File, bytes, entries, slot);
        return fields.Find(entry, at - start)?.At(offset - (at - start), $"directory {Display(run.File.Path)}{what}", path);
    }

    /// <summary>What an entry that is no file's is, and the path of the one that it is of.</summary>
    private static (string What, string? Path) Describe(ScannedFile directory, byte[] bytes, List<ParsedEntry> entries, int slot)
    {
        int low = 0;
        int high = entries.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = entries[middle].Slot < slot ? (middle + 1, high) : (low, middle);
        }
        byte first = bytes[slot * ShortEntry.Size];
        byte attributes = bytes[slot * ShortEntry.Size + 11];
        bool isLong = (attributes & LongEntry.AttributeMask) == LongEntry.Attribute;
        bool isFile = low < entries.Count && (entries[low].Slot == slot || (isLong && first != ShortEntry.Free && entries[low].Slot - slot <= 20));
        if (isFile)
        {
            return ("", Display(new TreePath(directory.Path, entries[low].Name)));
        }
        if (!isLong && first == (byte)'.')
        {
            return ("", Display(directory.Path));
        }
        return (first == ShortEntry.Free ? $", deleted entry {slot}"
            : !isLong && (attributes & ShortEntry.VolumeId) != 0 ? ", volume label" : $", entry {slot}", null);
    }

    private (byte[] Bytes, List<ParsedEntry> Entries) Read(ScannedFile directory)
    {
        if (_last.Directory != directory)
        {
            byte[] bytes = _scan.ReadRanges(_scan.RangesOf(directory));
            _last = (directory, bytes, directory.Damage is null ? DirectoryParser.Parse(bytes, directory.Path) : []);
        }
        return (_last.Bytes, _last.Entries);
    }

    private Run? RunAt(long offset)
    {
        var runs = _runs.Value;
        int low = 0;
        int high = runs.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = runs[middle].Range.End <= offset ? (middle + 1, high) : (low, middle);
        }
        return low < runs.Count && runs[low].Range.Offset <= offset ? runs[low] : null;
    }

    private List<Run> FindRuns()
    {
        var runs = new List<Run>();
        foreach (var file in _scan.Walk().TakeWhile(_ => runs.Count < MostRuns))
        {
            // A root of fixed length has no clusters; what is shared belongs to the one that came first.
            var ranges = file.Shared != 0 ? [] : file.Path is null ? _scan.RangesOf(file)
                : file.Runs.Select(run => new ByteRange(_boot.ClusterOffset(run.First), (long)run.Count * _boot.ClusterSize));
            long start = 0;
            foreach (var range in ranges)
            {
                runs.Add(new Run(range, start, file));
                start += range.Length;
            }
        }
        runs.Sort(static (a, b) => a.Range.Offset.CompareTo(b.Range.Offset));
        return runs;
    }

    private static string Display(TreePath? path) => path?.ToString() ?? "/";
}
