using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Diecast.Binary;

namespace Diecast.Formats.Ext4;

/// <summary>A run of blocks of a file that have a place; those between are holes.</summary>
internal readonly record struct MappedRun(long Logical, long Physical, long Count, bool IsUnwritten)
{
    public long End => Logical + Count;
}

/// <summary>Where the blocks of a stored file are, from its extent tree or its indirect blocks.</summary>
internal sealed class FileMap
{
    private const int DirectBlocks = 12;
    private const int MaximumDepth = 5;

    private readonly Volume _volume;
    private readonly StoredInode _inode;
    private readonly string _name;
    private readonly List<MappedRun> _runs = [];
    private readonly List<long> _treeBlocks = [];

    private FileMap(Volume volume, StoredInode inode)
    {
        _volume = volume;
        _inode = inode;
        _name = $"ext4 inode {inode.Number}";
    }

    private void Read()
    {
        var block = _inode.Record.Block;
        if (_inode.Has(InodeRecord.ExtentsFlag))
        {
            ReadExtents(block, expectedDepth: null);
        }
        else
        {
            ReadPointers(block);
        }
    }

    /// <summary>Ascending, without overlap.</summary>
    public IReadOnlyList<MappedRun> Runs => _runs;

    /// <summary>The blocks of the tree itself.</summary>
    public IReadOnlyList<long> TreeBlocks => _treeBlocks;

    /// <summary>Of the runs and of the tree.</summary>
    public long BlockCount { get; private set; }

    /// <exception cref="InvalidDataException">The tree is damaged.</exception>
    public static FileMap Of(Volume volume, StoredInode inode)
    {
        var map = new FileMap(volume, inode);
        map.Read();
        return map;
    }

    /// <summary>What can be read of the tree before the first damage, which is then said.</summary>
    public static FileMap ReadableOf(Volume volume, StoredInode inode, out string? damage)
    {
        var map = new FileMap(volume, inode);
        damage = null;
        try
        {
            map.Read();
        }
        catch (InvalidDataException error)
        {
            damage = error.Message;
        }
        return map;
    }

    /// <summary>The index of the first run that ends after a block of the file.</summary>
    public int FirstEndingAfter(long logical)
    {
        int low = 0;
        int high = _runs.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _runs[middle].End <= logical ? (middle + 1, high) : (low, middle);
        }
        return low;
    }

    private void ReadExtents(ReadOnlySpan<byte> node, int? expectedDepth)
    {
        var header = OnDisk.Read<ExtentHeader>(node);
        int room = (node.Length - ExtentHeader.Size) / ExtentHeader.Size;
        // Depths descend and nodes below the root have entries whose blocks ascend: so no node can come twice.
        if (header.Magic != ExtentHeader.MagicValue || header.Entries > room || header.Depth > MaximumDepth
            || (expectedDepth is { } depth && (header.Depth != depth || header.Entries == 0)))
        {
            throw Damaged("extent tree");
        }
        for (int i = 0; i < header.Entries; i++)
        {
            var entry = node.Slice(ExtentHeader.Size * (i + 1), ExtentHeader.Size);
            if (header.Depth == 0)
            {
                Add(OnDisk.Read<ExtentLeafEntry>(entry));
            }
            else
            {
                ReadExtents(ReadNode(OnDisk.Read<ExtentIndexEntry>(entry)), header.Depth - 1);
            }
        }
    }

    private byte[] ReadNode(ExtentIndexEntry entry)
    {
        long block = entry.LeafLow | (long)entry.LeafHigh.Value << 32;
        byte[] node = ReadTreeBlock(block, "extent tree");
        if (_volume.Checksums is { } checksums)
        {
            int maximum = OnDisk.Read<ExtentHeader>(node).Maximum;
            int end = ExtentHeader.Size * (maximum + 1);
            if (end + sizeof(uint) > node.Length
                || BinaryPrimitives.ReadUInt32LittleEndian(node.AsSpan(end))
                    != Checksums.ExtentBlock(checksums.InodeSeed(_inode.Number, _inode.Record.Generation), node.AsSpan(0, end)))
            {
                throw new InvalidDataException($"{_name}: extent block at {block * _volume.BlockSize}: wrong checksum");
            }
        }
        return node;
    }

    private byte[] ReadTreeBlock(long block, string structure)
    {
        Count(1);
        _treeBlocks.Add(block);
        return _volume.ReadBlock(block, $"{_name}: {structure}");
    }

    private void Add(ExtentLeafEntry entry)
    {
        bool unwritten = entry.Length > ExtentTree.MaximumLength;
        int count = unwritten ? entry.Length - ExtentTree.MaximumLength : entry.Length;
        Add(new MappedRun(entry.Block, entry.StartLow | (long)entry.StartHigh.Value << 32, count, unwritten));
    }

    private void Add(MappedRun run)
    {
        if (run.Count == 0 || (_runs.Count > 0 && run.Logical < _runs[^1].End))
        {
            throw Damaged("extents");
        }
        _volume.RequireBlocks(run.Physical, run.Count, _name);
        Count(run.Count);
        if (_runs.Count > 0 && _runs[^1] is { IsUnwritten: false } last && !run.IsUnwritten
            && last.End == run.Logical && last.Physical + last.Count == run.Physical)
        {
            _runs[^1] = last with { Count = last.Count + run.Count };
        }
        else
        {
            _runs.Add(run);
        }
    }

    private void ReadPointers(ReadOnlySpan<byte> block)
    {
        var numbers = MemoryMarshal.Cast<byte, Le<uint>>(block);
        long logical = 0;
        for (int i = 0; i < numbers.Length; i++)
        {
            ReadPointer(numbers[i], Math.Max(0, i - DirectBlocks + 1), ref logical);
        }
    }

    /// <summary>
    /// Reads what a block number stands for: a block of the file, or a block of numbers of one level less.
    /// </summary>
    private void ReadPointer(uint block, int level, ref long logical)
    {
        long span = 1;
        for (int i = 0; i < level; i++)
        {
            span *= _volume.BlockSize / sizeof(uint);
        }
        // The numbers past the file's end belong to nothing (they may be left over from a truncated tree).
        if (block == 0 || logical * _volume.BlockSize >= _inode.Size)
        {
            logical += span;
        }
        else if (level == 0)
        {
            Add(new MappedRun(logical++, block, 1, IsUnwritten: false));
        }
        else
        {
            byte[] bytes = ReadTreeBlock(block, "indirect block");
            foreach (var number in MemoryMarshal.Cast<byte, Le<uint>>(bytes))
            {
                ReadPointer(number, level - 1, ref logical);
            }
        }
    }

    private void Count(long blocks)
    {
        BlockCount += blocks;
        if (BlockCount > _volume.Blocks)
        {
            throw new InvalidDataException($"{_name}: more blocks than the {_volume.Blocks} of the file system");
        }
    }

    private InvalidDataException Damaged(string structure) => new($"{_name}: the {structure} are damaged");
}
