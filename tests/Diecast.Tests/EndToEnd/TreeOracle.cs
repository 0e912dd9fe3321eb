using System.Globalization;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.EndToEnd;

/// <summary>Compares a tree with that of another tool: everything but what is listed, and nothing listed that is not met.</summary>
internal static class TreeOracle
{
    /// <summary>A difference that is meant to be.</summary>
    /// <param name="Pattern">Of paths, with * and ? and [] also across slashes.</param>
    public sealed record Accepted(string Pattern, string Reason);

    /// <summary>
    /// All that a tree says of each path; a time that the build made is "now". A directory's time is left out: other tools leave
    /// on it the moment at which the last name came, Diecast the package's.
    /// </summary>
    public static Dictionary<string, string> Lines(FileTree tree, Predicate<Timestamp> isNow)
    {
        const string now = "now";
        var mapped = SampleTrees.Map(tree, metadata => isNow(metadata.Mtime) ? metadata with { Mtime = new Timestamp(1, 1) } : metadata);
        return TreeText.Lines(mapped).Select(static line => line.Split(' ')).ToDictionary(
            static words => words[0],
            static words => string.Join(' ', words[1] == "dir" ? [.. words[1..4], .. words[5..]] : words[1..]).Replace("1.000000001", now, StringComparison.Ordinal),
            StringComparer.Ordinal);
    }

    /// <summary>Fails with all paths that differ and are not among the accepted, and where one of those is not met.</summary>
    public static void Compare(IReadOnlyDictionary<string, string> ours, IReadOnlyDictionary<string, string> theirs, IReadOnlyList<Accepted> accepted)
    {
        var used = new HashSet<Accepted>();
        var differences = new List<string>();
        int met = 0;
        foreach (string path in ours.Keys.Union(theirs.Keys).Order(StringComparer.Ordinal))
        {
            string mine = ours.GetValueOrDefault(path, "-");
            string other = theirs.GetValueOrDefault(path, "-");
            if (mine == other)
            {
                continue;
            }
            var reasons = accepted.Where(row => System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(row.Pattern, path, false)).ToList();
            used.UnionWith(reasons);
            if (reasons.Count == 0)
            {
                differences.Add($"{path}\n  ours   {mine}\n  theirs {other}");
            }
            met++;
        }
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{theirs.Count} paths, {met} accepted differences by {accepted.Count} rows"));
        Assert.True(differences.Count == 0, string.Join('\n', differences));
        Assert.Equal([], accepted.Except(used));
    }
}
