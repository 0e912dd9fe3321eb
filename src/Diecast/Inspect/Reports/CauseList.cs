using Diecast.Inspect.Differences;

namespace Diecast.Inspect.Reports;

/// <summary>The causes of a comparison with the number and the colour that each has on a page.</summary>
internal sealed class CauseList(DifferenceSummary summary)
{
    // As many as report.css has.
    private const int HueCount = 10;

    private readonly Dictionary<string, int> _numbers =
        summary.Causes.Select(static (entry, number) => (entry.Cause?.Id ?? "", number)).ToDictionary(StringComparer.Ordinal);

    public static string Title(Cause? cause) => cause?.Title ?? "unknown cause";

    /// <summary>In the order of the summary.</summary>
    public int Number(Cause? cause) => _numbers[cause?.Id ?? ""];

    /// <summary>Of the colour in the style sheet; filled at first, and hollow when all colours are taken.</summary>
    public string Style(Cause? cause) => cause switch
    {
        null => "unknown",
        { IsFollowing: true } => "follows",
        _ => $"h{(char)('0' + Number(cause) % HueCount)}{(Number(cause) / HueCount % 2 == 1 ? " hollow" : "")}",
    };

    /// <summary>All that a thing itself has, without what is in it.</summary>
    public IReadOnlyList<Cause?> Of(Difference difference)
    {
        var causes = new SortedDictionary<int, Cause?>(Comparer<int>.Default);
        if (difference.Cause is not null || difference.IsUnexplained)
        {
            causes[Number(difference.Cause)] = difference.Cause;
        }
        foreach (var field in difference.Fields)
        {
            causes[Number(field.Cause)] = field.Cause;
        }
        return [.. causes.Values];
    }
}
