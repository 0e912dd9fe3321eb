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

    public bool Recognizes(Blob blob) => false;

    public FileSystemView Read(Blob blob) => throw new InvalidDataException("ext4");

    private static (Layout Layout, Allocation Allocation)? Fit(Plan plan, long size)
    {
        if (size < MinimumSize)
        {
            return null;
        }
        // Room for half again the inodes where there is room; else those that the tree takes.
        foreach (long inodes in new[] { plan.LastInode + plan.LastInode / 2, plan.LastInode })
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
    private static long Measure(Plan plan)
    {
        long blocks = Math.Max(MinimumSize / Layout.BlockSize, Allocation.ContentBlocks(plan));
        while (true)
        {
            var layout = Layout.For(blocks, plan.LastInode);
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
