using System.Globalization;
using Diecast.Images;

namespace Diecast.Formats.Btrfs;

/// <summary>What the bytes of a device are called, by who writes them and by who reads them.</summary>
internal static class LayoutLabels
{
    /// <summary>Before the path of a file whose content it is.</summary>
    public const string File = "file";

    public const string Unused = "btrfs unused";

    /// <param name="index">0 for the superblock itself.</param>
    public static Label Superblock(int index) => index == 0 ? "btrfs superblock" : new Label("btrfs superblock mirror", index);
}

/// <summary>The labels of a tree's block.</summary>
internal sealed class BlockLabels(ulong tree, int level, ulong bytenr)
{
    private readonly string _kind = Kind(tree, level);

    private sealed record Place(ulong Bytenr, int Copy)
    {
        public override string ToString() => Copy == 0
            ? Bytenr.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{Bytenr}, copy {Copy + 1}");
    }

    /// <summary>A block in up to three parts: in the middle of most there is free space.</summary>
    public static IEnumerable<(ByteRange Range, bool IsFree)> Parts(int entriesEnd, int dataStart, int nodeSize)
    {
        yield return (new ByteRange(0, entriesEnd), false);
        if (dataStart > entriesEnd)
        {
            yield return (new ByteRange(entriesEnd, dataStart - entriesEnd), true);
        }
        if (nodeSize > dataStart)
        {
            yield return (new ByteRange(dataStart, nodeSize - dataStart), false);
        }
    }

    /// <summary>"btrfs FS_TREE leaf 30441472", "btrfs free space in FS_TREE leaf 30441472, copy 2".</summary>
    public Label Of(bool isFree, int copy) =>
        new(isFree ? $"btrfs free space in {_kind}" : $"btrfs {_kind}", new Place(bytenr, copy));

    private static string Kind(ulong tree, int level) => string.Create(
        CultureInfo.InvariantCulture, $"{ObjectId.Name(tree)} {(level == 0 ? "leaf" : $"node of level {level}")}");
}
