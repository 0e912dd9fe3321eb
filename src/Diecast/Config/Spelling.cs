namespace Diecast.Config;

/// <summary>Finds what the user may have meant.</summary>
public static class Spelling
{
    /// <summary>"; did you mean X?" for the nearest known name, or nothing where none is near.</summary>
    public static string Suggest(string name, IReadOnlyList<string> known)
    {
        var nearest = known
            .Select(candidate => (candidate, distance: Distance(name.ToLowerInvariant(), candidate.ToLowerInvariant())))
            .OrderBy(static pair => pair.distance, Comparer<int>.Default)
            .ThenBy(static pair => pair.candidate, StringComparer.Ordinal)
            .FirstOrDefault();
        return nearest.candidate is not null && nearest.distance <= Math.Max(1, name.Length / 3)
            ? $"; did you mean {nearest.candidate}?"
            : "";
    }

    /// <summary>Levenshtein's distance.</summary>
    private static int Distance(string left, string right)
    {
        int[] row = [.. Enumerable.Range(0, right.Length + 1)];
        for (int i = 1; i <= left.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                int substituted = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }
}
