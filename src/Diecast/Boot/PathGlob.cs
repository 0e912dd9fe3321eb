using System.Text;
using Diecast.Trees;

namespace Diecast.Boot;

/// <summary>Shell patterns on the paths of a tree.</summary>
internal static class PathGlob
{
    private const int OnStack = 512;

    /// <summary>Whether the whole text matches; neither * nor ? nor a class matches a slash. Characters are bytes (Latin-1).</summary>
    public static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        Span<byte> bytes = pattern.Length + text.Length <= OnStack ? stackalloc byte[OnStack] : new byte[pattern.Length + text.Length];
        Encoding.Latin1.GetBytes(pattern, bytes);
        Encoding.Latin1.GetBytes(text, bytes[pattern.Length..]);
        return Glob.Matches(bytes[..pattern.Length], bytes.Slice(pattern.Length, text.Length), pathname: true);
    }

    /// <summary>
    /// The tree without the paths that match one of the patterns ("/usr/lib/*.a"), nor what is below them. A directory
    /// that becomes empty stays.
    /// </summary>
    public static FileTree Remove(FileTree tree, IEnumerable<string> patterns)
    {
        string[][] active = [.. patterns.Select(static pattern => pattern.Split('/', StringSplitOptions.RemoveEmptyEntries))];
        return new FileTree(Remove(tree.Root, active, 0));
    }

    private static DirectoryNode Remove(DirectoryNode directory, string[][] patterns, int depth)
    {
        var entries = new List<DirectoryEntry>(directory.Entries.Length);
        bool changed = false;
        foreach (var entry in directory.Entries)
        {
            // Bytes as characters: patterns are ASCII, or the UTF-8 of a name.
            string name = Encoding.Latin1.GetString(entry.Name.Bytes);
            string[][] here = [.. patterns.Where(pattern => Matches(Latin1(pattern[depth]), name))];
            if (here.Any(pattern => pattern.Length == depth + 1))
            {
                changed = true;
                continue;
            }
            var node = entry.Node is DirectoryNode child && here.Length > 0 ? Remove(child, here, depth + 1) : entry.Node;
            changed |= node != entry.Node;
            entries.Add(entry with { Node = node });
        }
        return changed ? new DirectoryNode(directory.Metadata, entries) : directory;
    }

    private static string Latin1(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));
}
