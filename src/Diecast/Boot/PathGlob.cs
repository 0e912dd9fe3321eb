using System.Text;
using Diecast.Trees;

namespace Diecast.Boot;

/// <summary>Shell patterns: * and ? match within a name, [abc], [a-z] and [!a] one character.</summary>
internal static class PathGlob
{
    /// <summary>Whether the whole text matches; neither * nor ? nor a class matches a slash.</summary>
    public static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        int p = 0, t = 0, star = -1, starText = 0;
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                (star, starText) = (p++, t);
            }
            else if (p < pattern.Length && MatchesOne(pattern, p, text[t], out int used))
            {
                p += used;
                t++;
            }
            else if (star >= 0 && text[starText] != '/')
            {
                (p, t) = (star + 1, ++starText);
            }
            else
            {
                return false;
            }
        }
        return pattern[p..].TrimStart('*').IsEmpty;
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

    private static bool MatchesOne(ReadOnlySpan<char> pattern, int at, char value, out int used)
    {
        used = 1;
        if (pattern[at] == '?')
        {
            return value != '/';
        }
        int end = pattern[at] == '[' && at + 2 < pattern.Length ? pattern[(at + 2)..].IndexOf(']') : -1;
        if (end < 0)
        {
            return pattern[at] == value;
        }
        var set = pattern.Slice(at + 1, end + 1);
        used = set.Length + 2;
        bool negated = set[0] is '!' or '^';
        bool found = false;
        for (int i = negated ? 1 : 0; i < set.Length; i++)
        {
            if (i + 2 < set.Length && set[i + 1] == '-')
            {
                found |= value >= set[i] && value <= set[i + 2];
                i += 2;
            }
            else
            {
                found |= value == set[i];
            }
        }
        return found != negated && value != '/';
    }
}
