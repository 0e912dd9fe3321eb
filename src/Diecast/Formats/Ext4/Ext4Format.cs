using Diecast.Binary;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Ext4;

/// <summary>
/// ext4 with what mke2fs(8) 1.47 chooses, but for orphan_file and metadata_csum_seed, which older kernels, tools and boot
/// loaders refuse. https://docs.kernel.org/filesystems/ext4/
/// </summary>
public sealed class Ext4Format : IFileSystemFormat
{
    /// <summary>256 KiB: the least size in bytes that is ever made.</summary>
    public const long MinimumSize = 256 * 1024;

    /// <summary>32 MiB: the least size in bytes that systemd-repart gives to ext4.</summary>
    public const long MinimumGuess = 32 * 1024 * 1024;

    /// <summary>What mke2fs writes of an empty file system of 1 TiB that it need not zero; in blocks of 4 KiB.</summary>
    private const long GuessBaseBlocks = 4006;

    public string Name => "ext4";

    public IReadOnlyList<string> Check(FileTree tree, FileSystemOptions options)
    {
        var plan = Plan.For(tree, options);
        if (plan.Errors.Count > 0 || options.Size is not { } size)
        {
            return plan.Errors;
        }
        if (size / Layout.BlockSize > Layout.MaximumBlocks)
        {
            return [$"{size} bytes are more than the {Layout.MaximumBlocks * Layout.BlockSize} that ext4 is written with"];
        }
        return Fit(plan, size) is null ? [$"{size} bytes are too few: the tree takes {Measure(plan)}"] : [];
    }

    public long Measure(FileTree tree, FileSystemOptions options) => Measure(Plan.For(tree, options));

    /// <summary>
    /// A size in bytes with room to write in, as systemd-repart's <c>Minimize=guess</c> gives it: half again as much as the
    /// tree would take in a sparse file system of 1 TiB, whose own structures count too, and at least 32 MiB. It also
    /// holds half again as many inodes as the tree has.
    /// </summary>
    public long MeasureGuess(FileTree tree, FileSystemOptions options)
    {
        var plan = Plan.For(tree, options);
        long used = GuessBaseBlocks + Allocation.ContentBlocks(plan)
            + ((long)plan.LastInode).DivideUp(Layout.InodesPerBlock);
        long guess = (used * Layout.BlockSize * 3 / 2).AlignUp(Layout.BlockSize);
        return Math.Max(Math.Max(guess, MinimumGuess), Measure(plan, WithSpare(plan.LastInode)));
    }

    public Image Write(FileTree tree, FileSystemOptions options)
    {
        var plan = Plan.For(tree, options);
        if (plan.Errors.Count > 0)
        {
            throw new ArgumentException(plan.Errors[0], nameof(tree));
        }
        long size = (options.Size ?? Measure(plan)).AlignDown(Layout.BlockSize);
        var (layout, allocation) = Fit(plan, size)
            ?? throw new ArgumentException($"{size} bytes are too few", nameof(options));
        return Writer.Write(plan, layout, allocation, size);
    }

    public bool Recognizes(Blob blob) => Volume.Recognizes(blob);

    public FileSystemView Read(Blob blob) => Reader.Read(blob);

    private static long WithSpare(long inodes) => inodes + inodes / 2;

    private static (Layout Layout, Allocation Allocation)? Fit(Plan plan, long size)
    {
        if (size < MinimumSize)
        {
            return null;
        }
        // Room for half again the inodes where there is room; else those that the tree takes.
        foreach (long inodes in new[] { WithSpare(plan.LastInode), plan.LastInode })
        {
            if (Layout.For(size / Layout.BlockSize, inodes) is { } layout)
            {
                var allocation = Allocation.For(plan, layout);
                if (allocation.Missing == 0)
                {
                    return (layout, allocation);
                }
            }
        }
        return null;
    }

    /// <summary>The least size that <see cref="Fit"/> accepts.</summary>
    private static long Measure(Plan plan) => Measure(plan, plan.LastInode);

    private static long Measure(Plan plan, long inodes)
    {
        long blocks = Math.Max(MinimumSize / Layout.BlockSize, Allocation.ContentBlocks(plan));
        while (true)
        {
            var layout = Layout.For(blocks, inodes);
            if (layout is null || layout.Blocks < blocks)
            {
                blocks++;
                continue;
            }
            long missing = Allocation.For(plan, layout).Missing;
            if (missing == 0)
            {
                return blocks * Layout.BlockSize;
            }
            // A further block holds at most one of those that are missing; a further group has to be tried from its start.
            long nextGroup = blocks.AlignDown(Layout.BlocksPerGroup) + Layout.BlocksPerGroup + 1;
            blocks = Math.Min(blocks + missing, nextGroup);
        }
    }
}
