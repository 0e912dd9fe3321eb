namespace Diecast.Formats.Ext4;

/// <summary>What blocks of metadata hold.</summary>
internal enum BlockKind : byte
{
    Superblock,
    Descriptors,
    BlockBitmap,
    InodeBitmap,
    InodeTable,
    Directory,
    IndexedDirectory,
    ExtentNode,
    Pointers,
    Attributes,
    Journal,
    OrphanFile,
    MultipleMountProtection,
}

/// <summary>Blocks that follow one another and hold the same.</summary>
/// <param name="Start">The first block.</param>
/// <param name="Count">Of blocks.</param>
/// <param name="Kind">What they hold.</param>
/// <param name="Number">Of the group or inode that they belong to.</param>
/// <param name="Logical">The number of the first one in what they belong to.</param>
internal readonly record struct BlockRun(long Start, long Count, BlockKind Kind, uint Number, long Logical = 0);

/// <summary>Finds the run that a block belongs to.</summary>
internal sealed class BlockIndex
{
    /// <summary>As many as 32 TiB have in blocks of 4 KiB. For more, which are hardly real, there is no index.</summary>
    private const int MostGroups = 1 << 18;

    private readonly BlockRun[] _runs;

    /// <param name="runs">In any order. Of runs that start at one block, which only damage brings about, the first counts.</param>
    public BlockIndex(List<BlockRun> runs)
    {
        runs.Sort(static (a, b) => (a.Start, a.Kind, a.Number, a.Logical).CompareTo((b.Start, b.Kind, b.Number, b.Logical)));
        _runs = [.. runs.Where((run, i) => i == 0 || run.Start != runs[i - 1].Start)];
    }

    public BlockRun? Find(long block)
    {
        int low = 0;
        int high = _runs.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _runs[middle].Start <= block ? (middle + 1, high) : (low, middle);
        }
        return low > 0 && block - _runs[low - 1].Start < _runs[low - 1].Count ? _runs[low - 1] : null;
    }

    /// <summary>What has its place in the groups: superblocks, descriptors, bitmaps, inode tables.</summary>
    /// <exception cref="InvalidDataException">There are too many groups, or the descriptors are out of reach.</exception>
    public static BlockIndex OfGroups(Volume volume)
    {
        if (volume.Groups > MostGroups)
        {
            throw new InvalidDataException($"ext4: {volume.Groups} groups");
        }
        var runs = new List<BlockRun>();
        long tableBlocks = ((long)volume.Superblock.InodesPerGroup * volume.InodeSize + volume.BlockSize - 1) / volume.BlockSize;
        for (int group = 0; group < volume.Groups; group++)
        {
            var descriptor = volume.Descriptor(group);
            uint number = (uint)group;
            if (group > 0 && volume.HasSuperblock(group))
            {
                runs.Add(new BlockRun(volume.GroupStart(group), 1, BlockKind.Superblock, number));
            }
            runs.Add(new BlockRun(descriptor.BlockBitmap, 1, BlockKind.BlockBitmap, number));
            runs.Add(new BlockRun(descriptor.InodeBitmap, 1, BlockKind.InodeBitmap, number));
            runs.Add(new BlockRun(descriptor.InodeTable, tableBlocks, BlockKind.InodeTable, number));
        }
        foreach (var (group, start, count, first, _) in volume.DescriptorRuns())
        {
            runs.Add(new BlockRun(start, count, BlockKind.Descriptors, (uint)group, first));
        }
        return new BlockIndex(runs);
    }
}
