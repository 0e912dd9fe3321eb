using Diecast.Binary;

namespace Diecast.Formats.Ext4;

/// <summary>A run of blocks.</summary>
internal readonly record struct BlockRange(long Start, long Count)
{
    /// <summary>The first block after the run.</summary>
    public long End => Start + Count;
}

/// <summary>
/// Where everything of fixed place stands in a file system of a size: superblocks, descriptors, bitmaps and inode
/// tables. A function of the two counts alone, with the choices of mke2fs(8).
/// </summary>
internal sealed class Layout
{
    public const int BlockSize = 4096;
    public const int BlocksPerGroup = 8 * BlockSize;
    public const int InodeSize = 256;
    public const int InodesPerBlock = BlockSize / InodeSize;
    public const int BytesPerInode = 16384;
    public const int FlexGroups = 16;
    public const uint FirstInode = 11;

    /// <summary>Block numbers in extents have 48 bits, but those in the resize inode have 32.</summary>
    public const long MaximumBlocks = uint.MaxValue;

    private const int DescriptorsPerBlock = BlockSize / GroupDescriptor.Size;
    private const int NumbersPerBlock = BlockSize / sizeof(uint);

    // A last group that could hold little more than its own tables is left off, as mke2fs does.
    private const int WorthwhileBlocks = 50;

    private readonly long[] _blockBitmaps;
    private readonly long[] _inodeBitmaps;
    private readonly long[] _inodeTables;

    private Layout(long blocks, int inodesPerGroup)
    {
        Blocks = blocks;
        Groups = (int)blocks.DivideUp(BlocksPerGroup);
        DescriptorBlocks = DescriptorBlocksFor(Groups);
        ReservedDescriptorBlocks = ReservedFor(blocks, DescriptorBlocks);
        InodesPerGroup = inodesPerGroup;
        JournalBlocks = JournalBlocksFor(blocks);
        _blockBitmaps = new long[Groups];
        _inodeBitmaps = new long[Groups];
        _inodeTables = new long[Groups];
        FreeRanges = Complement(PlaceTables(), blocks);
    }

    public long Blocks { get; }

    public int Groups { get; }

    public int DescriptorBlocks { get; }

    /// <summary>After the descriptors of each copy: room for those of a file system 1024 times as large.</summary>
    public int ReservedDescriptorBlocks { get; }

    public int InodesPerGroup { get; }

    public int InodeTableBlocks => InodesPerGroup / InodesPerBlock;

    public uint Inodes => checked((uint)((long)Groups * InodesPerGroup));

    /// <summary>0 where the file system is too small for a journal.</summary>
    public int JournalBlocks { get; }

    /// <summary>What nothing of fixed place takes, ascending.</summary>
    public IReadOnlyList<BlockRange> FreeRanges { get; }

    public long BlockBitmap(int group) => _blockBitmaps[group];

    public long InodeBitmap(int group) => _inodeBitmaps[group];

    public long InodeTable(int group) => _inodeTables[group];

    public static long GroupStart(int group) => (long)group * BlocksPerGroup;

    public long GroupEnd(int group) => Math.Min(Blocks, GroupStart(group) + BlocksPerGroup);

    /// <summary>The superblock, the descriptors and their reserve at the start of a group, or 0.</summary>
    public int BaseBlocks(int group) => HasSuperblock(group) ? 1 + DescriptorBlocks + ReservedDescriptorBlocks : 0;

    /// <summary>
    /// The layout with that many blocks (less a last group not worth having) and at least that many inodes, or null
    /// where the blocks do not even hold the tables.
    /// </summary>
    /// <param name="blocks">Of 4096 bytes.</param>
    /// <param name="inodes">With the eleven of the file system itself.</param>
    public static Layout? For(long blocks, long inodes)
    {
        while (blocks > 0)
        {
            int groups = (int)blocks.DivideUp(BlocksPerGroup);
            long wanted = Math.Max(Math.Max(inodes, FirstInode + 1), blocks * BlockSize / BytesPerInode);
            long perGroup = wanted.DivideUp(groups).AlignUp(InodesPerBlock);
            if (perGroup > 8 * BlockSize)
            {
                return null;
            }
            int descriptorBlocks = DescriptorBlocksFor(groups);
            long overhead = 2 + perGroup / InodesPerBlock + (HasSuperblock(groups - 1)
                ? 1 + descriptorBlocks + ReservedFor(blocks, descriptorBlocks) : 0);
            long last = blocks - GroupStart(groups - 1);
            if (groups == 1)
            {
                return last < overhead ? null : new Layout(blocks, (int)perGroup);
            }
            if (last == BlocksPerGroup || last >= overhead + WorthwhileBlocks)
            {
                return new Layout(blocks, (int)perGroup);
            }
            blocks -= last;
        }
        return null;
    }

    /// <summary>
    /// Whether a group starts with a copy of the superblock (sparse_super): 0, 1 and powers of 3, 5 and 7.
    /// </summary>
    public static bool HasSuperblock(int group) =>
        group <= 1 || IsPower(group, 3) || IsPower(group, 5) || IsPower(group, 7);

    private static bool IsPower(int value, int of)
    {
        while (value % of == 0)
        {
            value /= of;
        }
        return value == 1;
    }

    private static int DescriptorBlocksFor(int groups) => (int)((long)groups).DivideUp(DescriptorsPerBlock);

    private static int ReservedFor(long blocks, int descriptorBlocks)
    {
        long target = blocks < MaximumBlocks / 1024 ? blocks * 1024 : MaximumBlocks;
        long wanted = target.DivideUp(BlocksPerGroup).DivideUp(DescriptorsPerBlock) - descriptorBlocks;
        return (int)Math.Clamp(wanted, 0, NumbersPerBlock);
    }

    private static int JournalBlocksFor(long blocks) => blocks switch
    {
        < 2048 => 0,
        < 32768 => 1024,
        < 256 * 1024 => 4096,
        < 512 * 1024 => 8192,
        < 4096 * 1024 => 16384,
        < 8192 * 1024 => 32768,
        < 16384 * 1024 => 65536,
        < 32768 * 1024 => 131072,
        _ => 262144,
    };

    /// <summary>
    /// The tables of sixteen groups stand together in the first of them (flex_bg). Gives all that is taken.
    /// </summary>
    private List<BlockRange> PlaceTables()
    {
        var taken = new List<BlockRange>();
        for (int group = 0; group < Groups; group++)
        {
            if (BaseBlocks(group) > 0)
            {
                taken.Add(new BlockRange(GroupStart(group), BaseBlocks(group)));
            }
        }
        for (int first = 0; first < Groups; first += FlexGroups)
        {
            int end = Math.Min(first + FlexGroups, Groups);
            long next = GroupStart(first);
            Place(_blockBitmaps, first, end, 1, ref next, taken);
            Place(_inodeBitmaps, first, end, 1, ref next, taken);
            Place(_inodeTables, first, end, InodeTableBlocks, ref next, taken);
        }
        return taken;
    }

    private void Place(long[] places, int first, int end, int count, ref long next, List<BlockRange> taken)
    {
        for (int group = first; group < end; group++)
        {
            // A table does not reach over the superblock copy at the start of a group.
            int from = (int)(next / BlocksPerGroup);
            int to = (int)((next + count - 1) / BlocksPerGroup);
            if (next == GroupStart(from))
            {
                next += BaseBlocks(from);
            }
            else if (to > from && HasSuperblock(to))
            {
                next = GroupStart(to) + BaseBlocks(to);
            }
            places[group] = next;
            taken.Add(new BlockRange(next, count));
            next += count;
        }
    }

    private static List<BlockRange> Complement(List<BlockRange> taken, long blocks)
    {
        taken.Sort(static (a, b) => a.Start.CompareTo(b.Start));
        var free = new List<BlockRange>();
        long next = 0;
        foreach (var range in taken)
        {
            if (range.Start > next)
            {
                free.Add(new BlockRange(next, range.Start - next));
            }
            next = range.End;
        }
        if (blocks > next)
        {
            free.Add(new BlockRange(next, blocks - next));
        }
        return free;
    }
}
