using Diecast.Binary;
using Diecast.Trees;

namespace Diecast.Formats.Ext4;

/// <summary>Where the blocks of an inode are; the attribute block is 0 where there is none.</summary>
internal readonly record struct Placement(FileExtent[] Extents, long[] TreeBlocks, long XattrBlock);

/// <summary>
/// Gives blocks to what has no fixed place, in ascending order and without a gap: the journal, all that is not a file
/// (so that a walk through the tree reads one stretch), then the files. All before the last block given is used, all
/// after it is free.
/// </summary>
internal sealed class Allocation
{
    private readonly IReadOnlyList<BlockRange> _free;
    private readonly long _blocks;
    private int _range;
    private long _next;

    private Allocation(Plan plan, Layout layout)
    {
        _free = layout.FreeRanges;
        _blocks = layout.Blocks;
        _next = _free.Count > 0 ? _free[0].Start : _blocks;
        ResizeBlock = layout.ReservedDescriptorBlocks > 0 ? AllocateBlocks(1)[0] : 0;
        Journal = Place([new BlockRange(0, layout.JournalBlocks)], hasXattrBlock: false);
        Inodes = new Placement[plan.Inodes.Count];
        for (int pass = 0; pass < 2; pass++)
        {
            for (int i = 0; i < Inodes.Length; i++)
            {
                var inode = plan.Inodes[i];
                if (inode.Node is FileNode == (pass == 1))
                {
                    Inodes[i] = Place(Wanted(inode), inode.Xattrs.Block is not null);
                }
            }
        }
    }

    /// <summary>The doubly indirect block of the resize inode, or 0.</summary>
    public long ResizeBlock { get; }

    public Placement Journal { get; }

    /// <summary>By the index in <see cref="Plan.Inodes"/>.</summary>
    public Placement[] Inodes { get; }

    /// <summary>How many blocks more it would take; nothing can be written unless it is 0.</summary>
    public long Missing => Math.Max(0, _next - _blocks);

    public static Allocation For(Plan plan, Layout layout) => new(plan, layout);

    /// <summary>
    /// The blocks of all contents without what tells where they are: less than the whole takes in any layout.
    /// </summary>
    public static long ContentBlocks(Plan plan) => plan.Inodes.Sum(static inode =>
        Wanted(inode).Sum(static run => run.Count) + (inode.Xattrs.Block is null ? 0 : 1));

    /// <summary>What is left free, ascending.</summary>
    public IEnumerable<BlockRange> FreeRanges()
    {
        for (int i = _range; i < _free.Count; i++)
        {
            long start = Math.Max(_free[i].Start, _next);
            if (start < _free[i].End)
            {
                yield return new BlockRange(start, _free[i].End - start);
            }
        }
    }

    /// <summary>The runs of logical blocks that an inode has.</summary>
    private static IEnumerable<BlockRange> Wanted(PlannedInode inode) => inode.Bytes is { } bytes
        ? [new BlockRange(0, ((long)bytes.Length).DivideUp(Layout.BlockSize))]
        : inode.Runs.Select(static run =>
            new BlockRange(run.Offset / Layout.BlockSize, run.Length.DivideUp(Layout.BlockSize)));

    private Placement Place(IEnumerable<BlockRange> wanted, bool hasXattrBlock)
    {
        var extents = new List<FileExtent>();
        foreach (var run in wanted)
        {
            for (long done = 0; done < run.Count;)
            {
                var part = Take(Math.Min(run.Count - done, ExtentTree.MaximumLength));
                extents.Add(new FileExtent((uint)(run.Start + done), part.Start, (int)part.Count));
                done += part.Count;
            }
        }
        var tree = AllocateBlocks(ExtentTree.BlocksFor(extents.Count));
        return new Placement([.. extents], tree, hasXattrBlock ? AllocateBlocks(1)[0] : 0);
    }

    private long[] AllocateBlocks(int count)
    {
        var blocks = count == 0 ? [] : new long[count];
        for (int i = 0; i < count; i++)
        {
            blocks[i] = Take(1).Start;
        }
        return blocks;
    }

    /// <summary>
    /// Up to that many blocks in one run. Past the last block it goes on, to find how many are missing.
    /// </summary>
    private BlockRange Take(long count)
    {
        while (_range < _free.Count && _next >= _free[_range].End)
        {
            _range++;
            _next = _range < _free.Count ? _free[_range].Start : _blocks;
        }
        long available = _range < _free.Count ? _free[_range].End - _next : long.MaxValue;
        var taken = new BlockRange(_next, Math.Min(count, available));
        _next = taken.End;
        return taken;
    }
}
