namespace Diecast.Formats.Btrfs;

/// <summary>A block of a tree: its logical address, and the tree through which it was first reached.</summary>
internal readonly record struct IndexedBlock(ulong Bytenr, ulong Root);

/// <summary>
/// All trees of a file system, and all their blocks. No more is kept of a block than where it is, and no block can come
/// twice, so what is kept is bounded by the size of the device.
/// </summary>
internal sealed class TreeIndex
{
    private readonly Volume _volume;
    private readonly Dictionary<ulong, Tree> _trees = [];

    /// <exception cref="InvalidDataException">The tree of roots is damaged.</exception>
    public TreeIndex(Volume volume)
    {
        _volume = volume;
        RootTree = new Tree(volume, volume.RootTree);
        Trees = [new Tree(volume, volume.ChunkTree), RootTree, .. Roots(RootTree)];
        foreach (var tree in Trees)
        {
            // A relocation leaves two trees under one number for a while; the first is the one in use.
            _trees.TryAdd(tree.Root.Id, tree);
        }
        if (volume.LogRootTree is { } log)
        {
            var logTree = new Tree(volume, log);
            Trees = [.. Trees, logTree, .. Roots(logTree)];
        }
    }

    public Tree RootTree { get; }

    /// <summary>The chunk tree, the tree of roots, then all that have a root item, those of the log last.</summary>
    public IReadOnlyList<Tree> Trees { get; }

    /// <summary>The tree of that id, or null.</summary>
    public Tree? Find(ulong id) => _trees.GetValueOrDefault(id);

    /// <summary>All blocks of all trees, each once, with the tree through which it was reached first.</summary>
    /// <exception cref="InvalidDataException">A block is damaged.</exception>
    public IEnumerable<(TreeBlock Block, ulong Root)> Blocks()
    {
        var seen = new HashSet<ulong>();
        return Trees.SelectMany(tree => tree.Blocks(seen.Add).Select(block => (block, tree.Root.Id)));
    }

    /// <summary>The trees that a tree of roots has items of.</summary>
    private List<Tree> Roots(Tree roots)
    {
        var trees = new List<Tree>();
        foreach (var item in roots.Items())
        {
            if (item.Key.Type != ItemType.RootItem)
            {
                continue;
            }
            var root = item.Read<RootItem>();
            // A subvolume that is being deleted may have no block left.
            if (root.Refs == 0 && root.Bytenr == 0)
            {
                continue;
            }
            // In the log the offset is the id of the tree that the log is for.
            ulong id = item.Key.Objectid == ObjectId.TreeLog ? item.Key.Offset : item.Key.Objectid;
            trees.Add(new Tree(_volume, new TreeRoot(id, root.Bytenr, root.Level, root.Generation)));
        }
        return trees;
    }
}
