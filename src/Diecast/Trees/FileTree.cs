using System.Text;

namespace Diecast.Trees;

/// <summary>A path from the root of a tree, one name a link; the root is null.</summary>
public sealed record TreePath(TreePath? Parent, FileName Name)
{
    /// <summary>"/usr/bin/bash".</summary>
    public override string ToString() => FileName.Display(ToBytes());

    /// <summary>The path's bytes with a slash before each name.</summary>
    public byte[] ToBytes()
    {
        int length = 0;
        for (var p = this; p is not null; p = p.Parent)
        {
            length += p.Name.Length + 1;
        }
        var bytes = new byte[length];
        for (var p = this; p is not null; p = p.Parent)
        {
            length -= p.Name.Length + 1;
            bytes[length] = (byte)'/';
            p.Name.Bytes.CopyTo(bytes.AsSpan(length + 1));
        }
        return bytes;
    }
}

/// <summary>One step of a walk: the path is null for the root, which comes first.</summary>
public readonly record struct TreeEntry(TreePath? Path, Node Node)
{
    public override string ToString() => Path?.ToString() ?? "/";
}

/// <summary>A frozen tree of files: the input of every format's writer and the output of every reader.</summary>
public sealed class FileTree(DirectoryNode root)
{
    public DirectoryNode Root { get; } = root;

    /// <summary>
    /// Every entry, parents first, siblings in byte order, each directory's content directly after it. A node with
    /// hard links comes once for each of its names.
    /// </summary>
    public IEnumerable<TreeEntry> Walk()
    {
        var pending = new Stack<TreeEntry>();
        pending.Push(new TreeEntry(null, Root));
        while (pending.TryPop(out var entry))
        {
            yield return entry;
            if (entry.Node is DirectoryNode directory)
            {
                for (int i = directory.Entries.Length - 1; i >= 0; i--)
                {
                    pending.Push(new TreeEntry(new TreePath(entry.Path, directory.Entries[i].Name), directory.Entries[i].Node));
                }
            }
        }
    }

    /// <summary>The node at a path such as "/usr/bin/bash"; links are not followed. Null where there is none.</summary>
    public Node? Find(string path) => Find(Encoding.UTF8.GetBytes(path));

    /// <inheritdoc cref="Find(string)"/>
    public Node? Find(ReadOnlySpan<byte> path)
    {
        Node? node = Root;
        foreach (var range in path.Split((byte)'/'))
        {
            var name = path[range];
            if (!name.IsEmpty)
            {
                node = (node as DirectoryNode)?.Find(new FileName(name));
            }
        }
        return node;
    }
}
