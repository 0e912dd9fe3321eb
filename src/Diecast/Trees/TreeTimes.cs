namespace Diecast.Trees;

/// <summary>The modification times of a whole tree.</summary>
public static class TreeTimes
{
    /// <summary>The latest modification time in the tree, its root's included.</summary>
    public static Timestamp Newest(FileTree tree) => tree.Walk().Max(static entry => entry.Node.Metadata.Mtime);

    /// <summary>The tree with later modification times set to <paramref name="latest"/>; hard links stay links.</summary>
    public static FileTree Clamp(FileTree tree, Timestamp latest) =>
        new((DirectoryNode)Clamp(tree.Root, latest, new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance)));

    private static Node Clamp(Node node, Timestamp latest, Dictionary<Node, Node> known)
    {
        if (node is DirectoryNode directory)
        {
            return new DirectoryNode(Clamp(node.Metadata, latest), directory.Entries.Select(
                entry => entry with { Node = Clamp(entry.Node, latest, known) }));
        }
        if (node.Metadata.Mtime <= latest)
        {
            return node;
        }
        if (!known.TryGetValue(node, out var clamped))
        {
            var metadata = Clamp(node.Metadata, latest);
            clamped = node switch
            {
                FileNode file => new FileNode(metadata, file.Content),
                SymlinkNode link => new SymlinkNode(metadata, link.Target),
                DeviceNode device => new DeviceNode(metadata, device.Type, device.Major, device.Minor),
                _ => new SpecialNode(metadata, node.Type),
            };
            known.Add(node, clamped);
        }
        return clamped;
    }

    private static Metadata Clamp(Metadata metadata, Timestamp latest) => metadata with { Mtime = metadata.Mtime.ClampTo(latest) };
}
