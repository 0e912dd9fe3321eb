namespace Diecast.Inspect.Differences;

/// <summary>Lines of a diff, each with the one that stands in its place.</summary>
internal static class LinePairs
{
    /// <summary>Empty where some line has none: then more than a value differs.</summary>
    public static IReadOnlyList<(string Before, string After)> Of(IReadOnlyList<string> lines)
    {
        var pairs = new List<(string, string)>();
        int i = 0;
        while (i < lines.Count)
        {
            int minus = Run(lines, i, '-');
            int plus = Run(lines, i + minus, '+');
            if (minus != plus)
            {
                return [];
            }
            for (int k = 0; k < minus; k++)
            {
                pairs.Add((lines[i + k][1..], lines[i + minus + k][1..]));
            }
            i += Math.Max(1, minus + plus);
        }
        return pairs;
    }

    private static int Run(IReadOnlyList<string> lines, int start, char sign)
    {
        int count = 0;
        while (start + count < lines.Count && lines[start + count].StartsWith(sign))
        {
            count++;
        }
        return count;
    }
}
