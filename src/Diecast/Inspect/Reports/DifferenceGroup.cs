using Diecast.Inspect.Differences;

namespace Diecast.Inspect.Reports;

/// <summary>Things of one kind that differ in the same way, told together; most are alone.</summary>
internal sealed record DifferenceGroup(IReadOnlyList<Difference> Members)
{
    /// <summary>Whether they are sections of a program of which nothing but the bytes can be told.</summary>
    public bool IsBytes => IsSectionOfBytes(Members[0]);

    // Fewer are as easily told one by one.
    private const int Least = 4;

    /// <summary>Groups in the order of their first members.</summary>
    public static IReadOnlyList<DifferenceGroup> Of(IEnumerable<Difference> differences)
    {
        var groups = new List<List<Difference>>();
        var byManner = new Dictionary<string, List<Difference>>(StringComparer.Ordinal);
        foreach (var difference in differences)
        {
            string? manner = Manner(difference);
            if (manner is null || !byManner.TryGetValue(manner, out var group))
            {
                groups.Add(group = []);
                if (manner is not null)
                {
                    byManner.Add(manner, group);
                }
            }
            group.Add(difference);
        }
        return [.. groups.SelectMany(static group => group.Count >= Least ? [new DifferenceGroup(group)]
            : group.Select(static member => new DifferenceGroup([member])))];
    }

    private static bool IsSectionOfBytes(Difference difference) =>
        difference is { Kind: "section", HasBytes: true, Children.Count: 0, Change: Change.Changed, Cause: null };

    /// <summary>What it differs in, if that is fields alone, or bytes of code that was compiled again.</summary>
    private static string? Manner(Difference difference) => IsSectionOfBytes(difference) ? difference.Kind
        : difference.Children.Count > 0 || difference.Lines.Count > 0 || difference.Notes.Count > 0 || difference.Cause is not null
            || difference.Change != Change.Changed || difference.Fields.Count == 0
            ? null
            : string.Join('\n', difference.Fields.Where(static change => change.Cause is not { IsFollowing: true })
                .Select(static change => $"{change.Name} {change.Cause?.Id}").Distinct(StringComparer.Ordinal).Prepend(difference.Kind));
}
