using System.Text;
using Diecast.Trees;

namespace Diecast.Build.Partitioning;

/// <summary>Finds paths in a frozen tree and follows its symbolic links, which never lead out of it.</summary>
internal static class TreeLookup
{
    private const int MaximumLinks = 40;

    /// <summary>The node at a path, all links followed; null where there is none.</summary>
    /// <exception cref="InvalidDataException">The links go in circles.</exception>
    public static Node? Resolve(FileTree tree, string path)
    {
        var ancestors = new Stack<DirectoryNode>();
        ancestors.Push(tree.Root);
        var pending = new Stack<byte[]>(Parts(Encoding.UTF8.GetBytes(path)));
        int links = 0;
        while (pending.TryPop(out byte[]? name))
        {
            if (name.AsSpan().SequenceEqual(".."u8))
            {
                if (ancestors.Count > 1)
                {
                    ancestors.Pop();
                }
                continue;
            }
            switch (ancestors.Peek().Find(new FileName(name)))
            {
                case DirectoryNode directory:
                    ancestors.Push(directory);
                    break;
                case SymlinkNode link:
                    if (++links > MaximumLinks)
                    {
                        throw new InvalidDataException($"{path}: too many symbolic links");
                    }
                    if (link.Target is [(byte)'/', ..])
                    {
                        ancestors.Clear();
                        ancestors.Push(tree.Root);
                    }
                    foreach (byte[] part in Parts(link.Target.AsSpan()))
                    {
                        pending.Push(part);
                    }
                    break;
                case { } other when pending.Count == 0:
                    return other;
                default:
                    return null;
            }
        }
        return ancestors.Peek();
    }

    /// <summary>The parts of a path, the last first.</summary>
    private static List<byte[]> Parts(ReadOnlySpan<byte> path)
    {
        var parts = new List<byte[]>();
        foreach (var range in path.Split((byte)'/'))
        {
            if (!path[range].IsEmpty && !path[range].SequenceEqual("."u8))
            {
                parts.Add(path[range].ToArray());
            }
        }
        parts.Reverse();
        return parts;
    }
}
