using Diecast.Trees;

namespace Diecast.Packages.Apt;

/// <summary>
/// Which paths are not extracted, by dpkg's rules for <c>--path-exclude</c> and <c>--path-include</c>: the last pattern that
/// matches decides, and * matches slashes too. They stay in the list of the package.
/// </summary>
/// <param name="rules">In their order; each with a leading slash.</param>
public sealed class PathFilter(IReadOnlyList<PathFilter.Rule> rules)
{
    private readonly (byte[] Pattern, bool IsInclude)[] _rules = [.. rules.Select(static rule => (Posix.Bytes(rule.Pattern), rule.IsInclude))];

    public sealed record Rule(bool IsInclude, string Pattern);

    /// <summary>Documentation but for licences: what an image without documentation does not have.</summary>
    public static IReadOnlyList<Rule> NoDocumentation { get; } = [
        .. ((string[])["doc", "man", "groff", "gtk-doc", "info"]).Select(static name => new Rule(false, $"/usr/share/{name}/*")),
        new Rule(true, "/usr/share/doc/*/copyright"),
    ];

    /// <param name="path">Without a leading slash.</param>
    /// <param name="isDirectory">A directory, or a link, is kept where an included path may come below it.</param>
    public bool Excludes(ReadOnlySpan<byte> path, bool isDirectory)
    {
        if (_rules.Length == 0)
        {
            return false;
        }
        byte[] full = [(byte)'/', .. path];
        bool excluded = false;
        foreach (var (pattern, isInclude) in _rules)
        {
            if (excluded == isInclude && Glob.Matches(pattern, full))
            {
                excluded = !isInclude;
            }
        }
        return excluded && !(isDirectory && _rules.Any(rule => rule.IsInclude && MayBeBelow(full, rule.Pattern)));
    }

    // As dpkg has it: the part of the pattern before its first special character counts.
    private static bool MayBeBelow(byte[] directory, byte[] pattern)
    {
        int special = pattern.AsSpan().IndexOfAny("*?[\\"u8);
        var fixedPart = (special < 0 ? pattern : pattern.AsSpan(0, special)).TrimEnd((byte)'/');
        return directory.AsSpan().StartsWith(fixedPart);
    }
}
