using Diecast.Trees;

namespace Diecast.Formats.Btrfs;

/// <summary>A subvolume, or the top level, which is the parent of none but has the id of FS_TREE.</summary>
internal sealed class PlannedSubvolume(ulong id, TreePath? path, Subvolume options)
{
    private readonly List<PlannedInode> _inodes = [];

    /// <summary>Of its tree.</summary>
    public ulong Id { get; } = id;

    public TreePath? Path { get; } = path;

    public bool IsReadOnly => options.IsReadOnly;

    /// <summary>Whether all that is in it has the flag; subvolumes within it do not inherit it.</summary>
    public bool IsNoDataCow => options.IsNoDataCow;

    /// <summary>The subvolume that it stands in; null for the top level.</summary>
    public PlannedSubvolume? Parent { get; init; }

    /// <summary>Its name there.</summary>
    public InodeName Name { get; init; }

    /// <summary>Ascending by number, from the root's on without a gap.</summary>
    public IReadOnlyList<PlannedInode> Inodes => _inodes;

    /// <summary>Adds the next inode of the walk.</summary>
    public PlannedInode Add(Node node)
    {
        var inode = new PlannedInode(this, ObjectId.FirstFree + (ulong)_inodes.Count, node);
        _inodes.Add(inode);
        return inode;
    }
}
