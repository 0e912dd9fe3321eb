using Diecast.Binary;
using Diecast.Images;

namespace Diecast.Formats.Ext4;

/// <summary>
/// Names the field at an offset: what has its place in the groups by arithmetic, the rest through an index that is made when
/// it is first needed. Checksums are not verified: what is damaged is to be named too. Not for several threads at once.
/// </summary>
internal sealed partial class FieldFinder
{
    private readonly Volume _volume;
    private readonly Lazy<BlockIndex> _groups;
    private readonly Lazy<OwnerIndex> _owners;
    private (long Number, byte[] Bytes) _lastBlock = (-1, []);
    private (uint Inode, string? Path) _lastPath;

    private FieldFinder(Blob blob)
    {
        _volume = new Volume(blob, verifies: false);
        _groups = new Lazy<BlockIndex>(() => BlockIndex.OfGroups(_volume));
        _owners = new Lazy<OwnerIndex>(() => new OwnerIndex(_volume));
    }

    /// <inheritdoc cref="FileSystemView.FieldFinder"/>
    public static Func<long, FieldSpan?> Of(Blob blob) => new FieldFinder(blob).Find;

    private FieldSpan? Find(long offset)
    {
        try
        {
            return offset < 0 || offset / _volume.BlockSize >= _volume.Blocks ? null : FindIn(offset);
        }
        catch (InvalidDataException)
        {
            // No field can be named in what is damaged; the reader says what is wrong with it.
            return null;
        }
    }

    private FieldSpan? FindIn(long offset)
    {
        if (offset is >= Superblock.Offset and < Superblock.Offset + Superblock.Size)
        {
            return InSuperblock(Superblock.Offset, offset, "superblock");
        }
        long block = offset / _volume.BlockSize;
        if (_groups.Value.Find(block) is { } fixedRun)
        {
            return InGroup(fixedRun, block, offset);
        }
        if (_owners.Value.Blocks.Find(block) is not { } run)
        {
            return null;
        }
        int at = (int)(offset % _volume.BlockSize);
        return run.Kind switch
        {
            BlockKind.Directory or BlockKind.IndexedDirectory => InDirectory(run, block, at),
            BlockKind.ExtentNode => InExtentBlock(run, block, at),
            BlockKind.Pointers => InPointers(run, block, at),
            BlockKind.Attributes => InAttributes(run, block, at),
            BlockKind.Journal => InJournal(run.Logical + (block - run.Start), block, at),
            BlockKind.OrphanFile => InOrphanFile(run.Logical + (block - run.Start), block, at),
            _ => FieldTables.Mmp.Find(Block(block), at)?.At(block * _volume.BlockSize, "multiple mount protection block"),
        };
    }

    private FieldSpan? InGroup(BlockRun run, long block, long offset)
    {
        int group = (int)run.Number;
        return run.Kind switch
        {
            BlockKind.Superblock => InSuperblock(block * _volume.BlockSize, offset, $"group {group} superblock copy"),
            BlockKind.Descriptors => InDescriptors(run, offset),
            BlockKind.BlockBitmap => InBitmap(offset, $"group {group} block bitmap", "block",
                _volume.GroupStart(group), Math.Min(_volume.Superblock.BlocksPerGroup, _volume.Blocks - _volume.GroupStart(group))),
            BlockKind.InodeBitmap => InBitmap(offset, $"group {group} inode bitmap", "inode",
                (long)group * _volume.Superblock.InodesPerGroup + 1, _volume.Superblock.InodesPerGroup),
            _ => InInodeTable(run, offset),
        };
    }

    private FieldSpan? InSuperblock(long place, long offset, string structure)
    {
        int at = (int)(offset - place);
        return at >= Superblock.Size ? null
            : FieldTables.Superblock.Find(Block(place / _volume.BlockSize).AsSpan((int)(place % _volume.BlockSize)), at)?.At(place, structure);
    }

    private FieldSpan? InDescriptors(BlockRun run, long offset)
    {
        long block = offset / _volume.BlockSize;
        int inBlock = (int)(offset % _volume.BlockSize);
        int size = _volume.DescriptorSize;
        int perBlock = _volume.DescriptorsPerBlock;
        long group = (run.Logical + (block - run.Start)) * perBlock + inBlock / size;
        if (group >= _volume.Groups)
        {
            return null;
        }
        // The one that counts is in the first group, or with meta_bg in the first that the block is about.
        bool isCopy = run.Number != 0 && !(run.Count == 1 && run.Number == run.Logical * perBlock);
        string structure = isCopy
            ? $"group {group} descriptor, copy in group {run.Number}" : $"group {group} descriptor";
        int start = inBlock / size * size;
        return FieldTables.GroupDescriptor.Find(Block(block).AsSpan(start, size), inBlock - start)
            ?.At(block * _volume.BlockSize + start, structure);
    }

    /// <summary>A byte of a bitmap stands for eight blocks or inodes.</summary>
    private FieldSpan? InBitmap(long offset, string structure, string unit, long first, long count)
    {
        int at = (int)(offset % _volume.BlockSize);
        byte bits = Block(offset / _volume.BlockSize)[at];
        long left = Math.Min(count - at * 8L, 8);
        if (left <= 0)
        {
            return new FieldSpan(offset, 1, structure, "padding", Convert.ToHexStringLower([bits]));
        }
        long start = first + at * 8L;
        string name = left == 1 ? $"{unit} {start}" : $"{unit}s {start} to {start + left - 1}";
        return new FieldSpan(offset, 1, structure, name, Usage(bits, start, left));
    }

    private static string Usage(byte bits, long start, long count)
    {
        string padding = bits >> (int)count is var rest && rest != 0xFF >> (int)count && rest != 0
            ? $", padding 0x{rest:x2}" : "";
        int own = bits & (0xFF >> (int)(8 - count));
        if (own == 0 || own == 0xFF >> (int)(8 - count))
        {
            return (own == 0 ? "free" : "used") + padding + (count < 8 && rest == 0 ? ", padding free" : "");
        }
        var used = Enumerable.Range(0, (int)count).Where(bit => (own >> bit & 1) != 0);
        return "used: " + string.Join(' ', used.Select(bit => $"{start + bit}")) + padding
            + (count < 8 && rest == 0 ? ", padding free" : "");
    }

    /// <summary>Lookups mostly ascend, and stay in a block for a while.</summary>
    private byte[] Block(long number)
    {
        if (_lastBlock.Number != number)
        {
            _lastBlock = (number, _volume.Slice(number * _volume.BlockSize, _volume.BlockSize).ReadBytes(0, _volume.BlockSize));
        }
        return _lastBlock.Bytes;
    }

    private string? PathOf(uint inode)
    {
        if (_lastPath.Inode != inode)
        {
            _lastPath = (inode, _owners.Value.Paths.Find(inode));
        }
        return _lastPath.Path;
    }

    private string Owner(uint inode) => PathOf(inode) ?? $"of inode {inode}";

    private static FieldSpan Raw(ReadOnlySpan<byte> block, long place, int start, int length, string structure, string name, string? path = null) =>
        new(place + start, length, structure, name, Convert.ToHexStringLower(block.Slice(start, length))) { Path = path };

    private static FieldSpan Number(ReadOnlySpan<byte> block, long place, int start, string structure, string name, string? path = null) =>
        new(place + start, sizeof(uint), structure, name, $"{OnDisk.Read<Le<uint>>(block[start..]).Value}") { Path = path };
}
