using System.Globalization;

namespace Diecast.Formats.Btrfs;

/// <summary>Finds the field that covers a byte of the device, in superblocks and in the blocks of trees.</summary>
internal sealed class FieldLocator
{
    private readonly Volume _volume;
    private readonly int _checksumSize;
    private readonly PathFinder _paths;
    private readonly IndexedBlock[] _blocks;

    // Bytes are asked for one after the other.
    private PlacedBlock? _last;

    /// <summary>What stands at a place on the device; null where it is no block, or a damaged one.</summary>
    private sealed record PlacedBlock(long Place, TreeBlock? Block);

    /// <exception cref="InvalidDataException">A tree is damaged.</exception>
    public FieldLocator(Volume volume)
    {
        _volume = volume;
        _checksumSize = Checksums.Size(volume.ChecksumType);
        var index = new TreeIndex(volume);
        _paths = new PathFinder(index);
        _blocks = [.. index.Blocks().Select(static entry => new IndexedBlock(entry.Block.Bytenr, entry.Root))];
        Array.Sort(_blocks, static (a, b) => a.Bytenr.CompareTo(b.Bytenr));
    }

    /// <summary>Null for data, for what is free, and outside of the device.</summary>
    public FieldSpan? Find(long offset)
    {
        if (offset < 0 || offset >= _volume.Length)
        {
            return null;
        }
        for (int i = 0; i < Volume.SuperblockOffsets.Length; i++)
        {
            long start = Volume.SuperblockOffsets[i];
            if (offset >= start && offset - start < Superblock.Size && _volume.Length - start >= Superblock.Size)
            {
                return InSuperblock(i, start, offset);
            }
        }
        if (_volume.ChunkMap.ToLogical(offset) is not { } place)
        {
            return InStaleBlock(offset);
        }
        if (FindBlock((ulong)place.Logical) is not { } known)
        {
            return (place.Chunk.Type & ChunkType.Data) == 0 ? InStaleBlock(offset) : null;
        }
        long origin = offset - (place.Logical - (long)known.Bytenr);
        // One copy may be damaged where the other is not: then it has no fields.
        return BlockAt(origin) is { } block && block.Bytenr == known.Bytenr
            ? InBlock(block, origin, (int)(offset - origin), place.Copy == 0 ? block.Name : CopyName(block, place.Copy), known.Root) : null;
    }

    private static string CopyName(TreeBlock block, int copy) => string.Create(CultureInfo.InvariantCulture, $"{block.Name}, copy {copy + 1}");

    /// <summary>In free space, what was once a block of a tree: mkfs and each commit leave some behind.</summary>
    private FieldSpan? InStaleBlock(long offset)
    {
        int sector = _volume.SectorSize;
        for (long start = offset - offset % sector; start >= 0 && offset - start < _volume.NodeSize; start -= sector)
        {
            if (start <= _volume.Length - _volume.NodeSize && BlockAt(start) is { } block)
            {
                return InBlock(block, start, (int)(offset - start), $"stale {block.Name}", root: 0);
            }
        }
        return null;
    }

    private TreeBlock? BlockAt(long place)
    {
        var last = _last;
        if (last is null || last.Place != place)
        {
            last = new PlacedBlock(place, _volume.HasFsid(place) ? _volume.TryReadBlockAt(place, out _) : null);
            _last = last.Block is null ? _last : last;
        }
        return last.Block;
    }

    private FieldSpan? InSuperblock(int index, long start, long offset)
    {
        byte[] bytes = _volume.Slice(start, Superblock.Size).ReadBytes(0, Superblock.Size);
        string structure = index == 0 ? "superblock" : string.Create(CultureInfo.InvariantCulture, $"superblock mirror {index}");
        return Span(ItemFields.OfSuperblock(bytes), bytes, start, (int)(offset - start), structure);
    }

    private IndexedBlock? FindBlock(ulong logical)
    {
        int low = 0;
        int high = _blocks.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _blocks[middle].Bytenr <= logical ? (middle + 1, high) : (low, middle);
        }
        return low > 0 && logical - _blocks[low - 1].Bytenr < (ulong)_volume.NodeSize ? _blocks[low - 1] : null;
    }

    /// <param name="root">The tree through which the block was reached; 0 where none has it.</param>
    private FieldSpan? InBlock(TreeBlock block, long origin, int offset, string name, ulong root)
    {
        var bytes = block.Bytes.Span;
        if (offset < Header.Size)
        {
            return Span(ItemFields.Fixed(FieldTables.Header, Header.Size), bytes, origin, offset, name);
        }
        if (offset < block.EntriesEnd)
        {
            int entrySize = block.EntryOffset(1) - block.EntryOffset(0);
            int entry = (offset - Header.Size) / entrySize;
            var table = block.IsLeaf ? FieldTables.ItemHeader : FieldTables.KeyPointer;
            // What is in the item has an "offset" too. The structure is not called by the key, which is one of its fields.
            string kind = block.IsLeaf ? "item" : "pointer";
            var fields = ItemFields.Fixed(table, entrySize, block.EntryOffset(entry), kind + ".");
            var span = Span(fields, bytes, origin, offset, string.Create(CultureInfo.InvariantCulture, $"{name}, {kind} {entry}"));
            return WithPath(span, block, entry, root);
        }
        if (offset < block.DataStart)
        {
            return null;
        }
        int item = ItemAt(block, offset);
        int start = block.DataOffset(item);
        var data = block.Data(item);
        var field = Span(ItemFields.Of(block.Key(item), data, _checksumSize), data.Span, origin + start, offset - start,
            string.Create(CultureInfo.InvariantCulture, $"{name}, item {item} {block.Key(item)}"));
        return WithPath(field, block, item, root);
    }

    /// <summary>The item whose data covers a byte: the data lies in the opposite order.</summary>
    private static int ItemAt(TreeBlock leaf, int offset)
    {
        int low = 0;
        int high = leaf.Count - 1;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = leaf.DataOffset(middle) <= offset ? (low, middle) : (middle + 1, high);
        }
        return low;
    }

    /// <summary>The path of the file that an item of a file tree is about.</summary>
    private FieldSpan? WithPath(FieldSpan? span, TreeBlock block, int index, ulong root)
    {
        if (span is null || !block.IsLeaf || !ObjectId.IsFileTree(root))
        {
            return span;
        }
        try
        {
            return span with { Path = _paths.Find(root, block.Key(index).Objectid) };
        }
        catch (InvalidDataException)
        {
            // The field has its name though the way to the root is damaged.
            return span;
        }
    }

    private FieldSpan? Span(IEnumerable<Field> fields, ReadOnlySpan<byte> structure, long origin, int offset, string name)
    {
        foreach (var field in fields)
        {
            if (field.Covers(offset))
            {
                string value = FieldText.Value(field, structure, _checksumSize);
                return new FieldSpan(origin + field.Offset, field.Length, name, field.Name, value);
            }
        }
        return null;
    }
}
