using Diecast.Binary;
using Diecast.Trees;

namespace Diecast.Formats.Ext4;

/// <summary>The blocks of directories and of the orphan file.</summary>
internal sealed partial class FieldFinder
{
    private FieldSpan? InDirectory(BlockRun run, long block, int at)
    {
        byte[] bytes = Block(block);
        long place = block * _volume.BlockSize;
        long logical = run.Logical + (block - run.Start);
        string? path = PathOf(run.Number);
        string structure = $"directory {Owner(run.Number)}, block {logical}";
        bool hasChecksums = _volume.Has(ReadOnlyCompatibleFeatures.MetadataChecksums);
        if (run.Kind == BlockKind.IndexedDirectory && DirectoryBlock.IndexStart(bytes, logical, hasChecksums) is { } start)
        {
            return InIndexBlock(bytes, place, at, start, hasChecksums, structure, path);
        }
        int tail = bytes.Length - DirectoryTail.Size;
        if (hasChecksums && at >= tail)
        {
            return FieldTables.DirectoryTail.Find(bytes.AsSpan(tail), at - tail)?.At(place + tail, structure, path);
        }
        int end = 0;
        foreach (var entry in DirectoryBlock.Entries(bytes))
        {
            end = entry.Offset + entry.Length;
            if (at < end)
            {
                return InEntry(bytes, place, at, entry, structure, path);
            }
        }
        return end + DirectoryEntryHeader.Size > bytes.Length ? null
            : FieldTables.DirectoryEntryHeader.Find(bytes.AsSpan(end, DirectoryEntryHeader.Size), at - end)
                ?.At(place + end, structure, path, "damaged entry: ");
    }

    private static FieldSpan? InEntry(ReadOnlySpan<byte> block, long place, int at, StoredEntry entry, string structure, string? path)
    {
        string name = FileName.Display(entry.Name(block));
        string prefix = entry.IsUsed ? $"entry {name}: " : "unused entry: ";
        int nameStart = entry.Offset + DirectoryEntryHeader.Size;
        if (at < nameStart)
        {
            return FieldTables.DirectoryEntryHeader.Find(block[entry.Offset..], at - entry.Offset)
                ?.At(place + entry.Offset, structure, path, prefix);
        }
        return at < entry.NameEnd
            ? new FieldSpan(place + nameStart, entry.Header.NameLength, structure, prefix + "name", name) { Path = path } : null;
    }

    /// <summary>The dots or the entry that hides the block, then the index.</summary>
    private static FieldSpan? InIndexBlock(
        ReadOnlySpan<byte> block, long place, int at, int start, bool hasChecksums, string structure, string? path)
    {
        const int dot = DirectoryEntryHeader.Size + sizeof(uint);
        int hidden = start == DirectoryEntryHeader.Size ? start : start - IndexRootInfo.Size;
        if (at < hidden)
        {
            int entry = at / dot * dot;
            return InEntry(block, place, at, new StoredEntry(entry, Math.Min(dot, hidden), OnDisk.Read<DirectoryEntryHeader>(block[entry..])), structure, path);
        }
        if (at < start)
        {
            return FieldTables.IndexRootInfo.Find(block[hidden..], at - hidden)?.At(place + hidden, structure, path);
        }
        int index = (at - start) / IndexEntry.Size;
        int entryStart = start + index * IndexEntry.Size;
        int limit = OnDisk.Read<Le<ushort>>(block[start..]);
        int count = OnDisk.Read<Le<ushort>>(block[(start + sizeof(ushort))..]);
        if (hasChecksums && index >= limit)
        {
            int tail = Math.Min(start + limit * IndexEntry.Size, block.Length - IndexTail.Size);
            return FieldTables.IndexTail.Find(block[tail..], at - tail)?.At(place + tail, structure, path);
        }
        if (index == 0)
        {
            return FieldTables.IndexCount.Find(block[start..], at - start)?.At(place + start, structure, path);
        }
        return index >= count || entryStart + IndexEntry.Size > block.Length ? null
            : FieldTables.IndexEntry.Find(block[entryStart..], at - entryStart)
                ?.At(place + entryStart, structure, path, $"index entry {index}: ");
    }

    private FieldSpan? InOrphanFile(long logical, long block, int at)
    {
        byte[] bytes = Block(block);
        long place = block * _volume.BlockSize;
        string structure = $"orphan file, block {logical}";
        int tail = bytes.Length - FieldTables.OrphanTail.Length;
        return at >= tail
            ? FieldTables.OrphanTail.Find(bytes.AsSpan(tail), at - tail)?.At(place + tail, structure)
            : Number(bytes, place, at / sizeof(uint) * sizeof(uint), structure, $"inode number {at / sizeof(uint)}");
    }
}
