using Diecast.Binary;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Btrfs;

/// <summary>
/// btrfs on one device with what mkfs.btrfs(8) 6.14 chooses: metadata twice, data once, crc32c, the free space tree, no
/// block group tree. https://btrfs.readthedocs.io/en/latest/dev/On-disk-format.html
/// </summary>
public sealed class BtrfsFormat : IFileSystemFormat
{
    /// <summary>256 MiB: the least size in bytes that systemd-repart gives to btrfs.</summary>
    public const long MinimumGuess = 256 << 20;

    public string Name => "btrfs";

    public IReadOnlyList<string> Check(FileTree tree, FileSystemOptions options)
    {
        var plan = Plan.For(tree, options);
        if (plan.Errors.Count > 0)
        {
            return plan.Errors;
        }
        long least = plan.Layout.Size;
        return options.Size is { } size && size < least ? [$"{size} bytes are too few: the tree takes {least}"] : [];
    }

    public long Measure(FileTree tree, FileSystemOptions options) => Plan.For(tree, options).Layout.Size;

    /// <summary>
    /// A size in bytes with room to write in, as systemd-repart's <c>Minimize=guess</c> gives it: half again as much as
    /// the tree takes in a sparse file system, and at least 256 MiB.
    /// </summary>
    public long MeasureGuess(FileTree tree, FileSystemOptions options)
    {
        var layout = Plan.For(tree, options).Layout;
        long used = layout.Chunks.Sum(static fill => fill.Used * fill.Chunk.Stripes.Length)
            + Volume.SuperblockOffsets.Length * Superblock.Size;
        return Math.Max(Math.Max((used * 3 / 2).AlignUp(Layout.SectorSize), MinimumGuess), layout.Size);
    }

    public Image Write(FileTree tree, FileSystemOptions options)
    {
        var plan = Plan.For(tree, options);
        if (plan.Errors.Count > 0)
        {
            throw new ArgumentException(plan.Errors[0], nameof(tree));
        }
        long size = (options.Size ?? plan.Layout.Size).AlignDown(Layout.SectorSize);
        return size >= plan.Layout.Size
            ? Writer.Write(plan.Layout, size) : throw new ArgumentException($"{size} bytes are too few", nameof(options));
    }

    public bool Recognizes(Blob blob) => Volume.Recognizes(blob);

    public FileSystemView Read(Blob blob) => BtrfsReader.Read(blob);
}
