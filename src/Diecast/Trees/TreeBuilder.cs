using System.Text;
using Diecast.Images;

namespace Diecast.Trees;

/// <summary>
/// A tree under construction: entries are added, replaced and removed by path, then frozen. Paths are bytes with or
/// without a leading slash, and lexical: links are not followed, ".." is refused.
/// </summary>
public sealed class TreeBuilder
{
    private sealed class Slot(Node? node)
    {
        /// <summary>For a directory the metadata only; null where a parent has been implied but not added.</summary>
        public Node? Node = node;
        public Dictionary<FileName, Slot>? Children;
    }

    private readonly Slot _root = new(null);
    private readonly Metadata _implied;

    /// <param name="implied">The metadata of directories that nobody adds: parents, and the root.</param>
    public TreeBuilder(Metadata implied) => _implied = implied;

    /// <summary>Adds the entries of a frozen tree at and below <paramref name="at"/>; the root's metadata included.</summary>
    public void AddTree(FileTree tree, string at = "/")
    {
        foreach (var entry in tree.Walk())
        {
            byte[] path = [.. Encoding.UTF8.GetBytes(at), .. entry.Path?.ToBytes() ?? []];
            if (entry.Node is DirectoryNode directory)
            {
                AddDirectory(path, directory.Metadata);
            }
            else
            {
                Add(path, entry.Node);
            }
        }
    }

    /// <summary>Adds a directory or gives one that exists this metadata; its entries stay.</summary>
    /// <exception cref="InvalidDataException">The path is no path, or leads through a file.</exception>
    public void AddDirectory(ReadOnlySpan<byte> path, Metadata metadata)
    {
        var slot = Reach(path);
        slot.Node = new DirectoryNode(metadata, []);
        slot.Children ??= [];
    }

    public void AddDirectory(string path, Metadata metadata) => AddDirectory(Encoding.UTF8.GetBytes(path), metadata);

    /// <summary>Adds a node that is no directory, in place of what is at the path. The same node twice is a hard link.</summary>
    /// <exception cref="InvalidDataException">The path is no path, leads through a file, or is the root.</exception>
    public void Add(ReadOnlySpan<byte> path, Node node)
    {
        if (node is DirectoryNode)
        {
            throw new ArgumentException("A directory is added by AddDirectory or AddTree", nameof(node));
        }
        var slot = Reach(path);
        if (slot == _root)
        {
            throw new InvalidDataException("The root of a tree must be a directory");
        }
        slot.Node = node;
        slot.Children = null;
    }

    public void Add(string path, Node node) => Add(Encoding.UTF8.GetBytes(path), node);

    public void AddFile(string path, Metadata metadata, Blob content) => Add(path, new FileNode(metadata, content));

    public void AddFile(string path, Metadata metadata, ReadOnlyMemory<byte> content) =>
        Add(path, new FileNode(metadata, new MemoryBlob(content)));

    public void AddSymlink(string path, Metadata metadata, string target) =>
        Add(path, new SymlinkNode(metadata, [.. Encoding.UTF8.GetBytes(target)]));

    /// <summary>Removes a path with all below it; false where there is none.</summary>
    public bool Remove(ReadOnlySpan<byte> path)
    {
        var slot = _root;
        var names = Split(path);
        for (int i = 0; i < names.Count - 1; i++)
        {
            if (slot.Children is null || !slot.Children.TryGetValue(names[i], out slot!))
            {
                return false;
            }
        }
        return names.Count > 0 && slot.Children is not null && slot.Children.Remove(names[^1]);
    }

    /// <summary>The node that was added at a path (a directory without its entries), or null.</summary>
    public Node? Find(ReadOnlySpan<byte> path)
    {
        var slot = _root;
        foreach (var name in Split(path))
        {
            if (slot.Children is null || !slot.Children.TryGetValue(name, out slot!))
            {
                return null;
            }
        }
        return slot.Node;
    }

    public FileTree Build() => new((DirectoryNode)Freeze(_root));

    private Node Freeze(Slot slot)
    {
        if (slot.Node is not null and not DirectoryNode)
        {
            return slot.Node;
        }
        var entries = (slot.Children ?? []).Select(child => new DirectoryEntry(child.Key, Freeze(child.Value)));
        return new DirectoryNode(slot.Node?.Metadata ?? _implied, entries);
    }

    private Slot Reach(ReadOnlySpan<byte> path)
    {
        var slot = _root;
        foreach (var name in Split(path))
        {
            if (slot.Node is not null and not DirectoryNode)
            {
                throw new InvalidDataException($"{FileName.Display(path)} leads through a file");
            }
            slot.Children ??= [];
            if (!slot.Children.TryGetValue(name, out var child))
            {
                slot.Children.Add(name, child = new Slot(null));
            }
            slot = child;
        }
        return slot;
    }

    /// <summary>A path that was added, relative to the root and without empty and "." names; empty for the root.</summary>
    /// <exception cref="InvalidDataException">The path is no path.</exception>
    public static byte[] Normalize(ReadOnlySpan<byte> path)
    {
        var normal = new List<byte>(path.Length);
        foreach (var name in Split(path))
        {
            if (normal.Count > 0)
            {
                normal.Add((byte)'/');
            }
            normal.AddRange(name.Bytes);
        }
        return [.. normal];
    }

    private static List<FileName> Split(ReadOnlySpan<byte> path)
    {
        var names = new List<FileName>();
        foreach (var range in path.Split((byte)'/'))
        {
            if (path[range].IsEmpty || path[range].SequenceEqual("."u8))
            {
                continue;
            }
            var name = new FileName(path[range]);
            names.Add(name.IsValid ? name : throw new InvalidDataException($"{FileName.Display(path)} is no path in a tree"));
        }
        return names;
    }
}
