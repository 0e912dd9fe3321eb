using Diecast.Trees;

namespace Diecast.Inspect;

/// <summary>Follows a path in a tree as a process would that has the tree as its root: links never lead out of it.</summary>
/// <param name="tree">Of an image, or of a directory of the host.</param>
/// <param name="ignoresCase">Names that differ in the case of ASCII letters are the same where there is no exact one, as in FAT.</param>
internal sealed class TreeWalker(FileTree tree, bool ignoresCase)
{
    // As the kernel has it.
    private const int MaximumLinks = 40;

    /// <summary>A node and its path behind the links, null for the root.</summary>
    public readonly record struct Found(Node Node, TreePath? Path);

    /// <summary>The node at a path, or null where there is none.</summary>
    /// <param name="path">With or without a slash at its start; one at its end asks for a directory.</param>
    /// <param name="followLast">Whether a link at the end is followed as those before it are.</param>
    /// <exception cref="InvalidDataException">The links go in circles, or a directory is damaged.</exception>
    public Found? Find(ReadOnlySpan<byte> path, bool followLast)
    {
        bool wantsDirectory = path.EndsWith("/"u8);
        var done = new Stack<Found>([new Found(tree.Root, null)]);
        var pending = new Stack<byte[]>();
        Push(pending, path);
        int links = 0;
        while (pending.TryPop(out byte[]? name))
        {
            var parent = done.Peek();
            if (parent.Node is not DirectoryNode directory)
            {
                return null;
            }
            if (name.AsSpan().SequenceEqual(".."u8))
            {
                if (done.Count > 1)
                {
                    done.Pop();
                }
                continue;
            }
            if (Child(directory, new FileName(name)) is not { } entry)
            {
                return null;
            }
            if (entry.Node is not SymlinkNode link || (pending.Count == 0 && !followLast && !wantsDirectory))
            {
                done.Push(new Found(entry.Node, new TreePath(parent.Path, entry.Name)));
                continue;
            }
            if (++links > MaximumLinks)
            {
                throw new InvalidDataException($"{FileName.Display(path)}: more than {MaximumLinks} symbolic links; they go in circles");
            }
            if (link.Target.AsSpan().StartsWith("/"u8))
            {
                done = new Stack<Found>([new Found(tree.Root, null)]);
            }
            Push(pending, link.Target.AsSpan());
        }
        return wantsDirectory && done.Peek().Node is not DirectoryNode ? null : done.Peek();
    }

    private DirectoryEntry? Child(DirectoryNode directory, FileName name)
    {
        if (directory.Find(name) is { } exact)
        {
            return new DirectoryEntry(name, exact);
        }
        if (ignoresCase)
        {
            foreach (var entry in directory.Entries)
            {
                if (System.Text.Ascii.EqualsIgnoreCase(entry.Name.Bytes, name.Bytes))
                {
                    return entry;
                }
            }
        }
        return null;
    }

    /// <summary>Pushes the names of a path so that the first is on top.</summary>
    private static void Push(Stack<byte[]> pending, ReadOnlySpan<byte> path)
    {
        var names = new List<byte[]>();
        foreach (var range in path.Split((byte)'/'))
        {
            if (!path[range].IsEmpty && !path[range].SequenceEqual("."u8))
            {
                names.Add(path[range].ToArray());
            }
        }
        for (int i = names.Count - 1; i >= 0; i--)
        {
            pending.Push(names[i]);
        }
    }
}
