using System.Text;
using Diecast.Trees;

namespace Diecast.Inspect.Kinds;

/// <summary>Paths of files that are known by name, wherever the root is that they are in.</summary>
internal static class KnownPath
{
    /// <summary>
    /// Whether the path, or its end from a component on, is of the form of the pattern ("etc/shadow*"). A pattern that ends
    /// with "/**" stands for all that is below; apart from it, nothing matches a slash.
    /// </summary>
    public static bool Matches(string pattern, string path)
    {
        bool isBelow = pattern.EndsWith("/**", StringComparison.Ordinal);
        string own = isBelow ? pattern[..^3] : pattern;
        int depth = own.AsSpan().Count('/') + 1;
        string[] components = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        byte[] glob = Encoding.UTF8.GetBytes(own);
        int lastStart = components.Length - depth - (isBelow ? 1 : 0);
        for (int start = isBelow ? 0 : Math.Max(lastStart, 0); start <= lastStart; start++)
        {
            byte[] part = Encoding.UTF8.GetBytes(string.Join('/', components, start, depth));
            if (Glob.Matches(glob, part, pathname: true))
            {
                return true;
            }
        }
        return false;
    }
}
