using System.Text;
using Diecast.Trees;

namespace Diecast.Build.Partitioning;

/// <summary>Finds paths in a frozen tree and follows its symbolic links, which never lead out of it.</summary>
internal static class TreeLookup
{
    public const int MaximumLinks = 40;

    /// <summary>A node and the directories that lead to it, the root first, the node's own not among them.</summary>
    internal readonly record struct Found(Node Node, IReadOnlyList<DirectoryNode> Ancestors);

    /// <summary>The node at a path, all links followed; null where there is none.</summary>
    /// <exception cref="InvalidDataException">The links go in circles.</exception>
    public static Found? Resolve(FileTree tree, string path)
    {
        var directories = new List<DirectoryNode> { tree.Root };
        var pending = new Stack<byte[]>();
        PushParts(pending, Encoding.UTF8.GetBytes(path));
        int links = 0;
        while (pending.TryPop(out byte[]? name))
        {
            if (name.AsSpan().SequenceEqual(".."u8))
            {
                if (directories.Count > 1)
                {
                    directories.RemoveAt(directories.Count - 1);
                }
                continue;
            }
            switch (directories[^1].Find(new FileName(name)))
            {
                case DirectoryNode directory:
                    directories.Add(directory);
                    break;
                case SymlinkNode link:
                    if (++links > MaximumLinks)
                    {
                        throw new InvalidDataException($"{path}: too many symbolic links");
                    }
                    if (link.Target is [(byte)'/', ..])
                    {
                        directories.RemoveRange(1, directories.Count - 1);
                    }
                    PushParts(pending, link.Target.AsSpan());
                    break;
                case { } other when pending.Count == 0:
                    return new Found(other, directories);
                default:
                    return null;
            }
        }
        return new Found(directories[^1], directories[..^1]);
    }

    /// <summary>Pushes the parts of a path so that the first is on top; empty ones and "." are left out.</summary>
    public static void PushParts(Stack<byte[]> pending, ReadOnlySpan<byte> path)
    {
        var parts = new List<byte[]>();
        foreach (var range in path.Split((byte)'/'))
        {
            if (!path[range].IsEmpty && !path[range].SequenceEqual("."u8))
            {
                parts.Add(path[range].ToArray());
            }
        }
        for (int i = parts.Count - 1; i >= 0; i--)
        {
            pending.Push(parts[i]);
        }
    }
}
