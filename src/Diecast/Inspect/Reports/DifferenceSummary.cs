using System.Globalization;
using Diecast.Inspect.Differences;

namespace Diecast.Inspect.Reports;

/// <summary>How often a cause was found, and the first places of it.</summary>
/// <param name="Cause">Null for what is not known.</param>
/// <param name="Count">Of fields and contents.</param>
/// <param name="Places">The first few: paths and fields.</param>
public sealed record CauseCount(Cause? Cause, long Count, IReadOnlyList<string> Places);

/// <summary>What a comparison comes to.</summary>
public sealed record DifferenceSummary
{
    private const int PlacesPerCause = 4;

    /// <summary>Known causes first, by how often they are; those that merely follow from others, then the unknown.</summary>
    public required IReadOnlyList<CauseCount> Causes { get; init; }

    /// <summary>Files, directories and so on that differ in more than what follows from others.</summary>
    public required long Files { get; init; }

    /// <summary>Those of them that one side alone has.</summary>
    public required (long Added, long Removed) OneSided { get; init; }

    public required long DifferingBytes { get; init; }

    public static DifferenceSummary Of(Difference root)
    {
        var counts = new Dictionary<string, (Cause? Cause, long Count, List<string> Places, string? Last)>(StringComparer.Ordinal);
        long files = 0;
        long added = 0;
        long removed = 0;
        Visit(root, "");
        return new DifferenceSummary
        {
            Causes = [.. counts.Values.Select(static entry => new CauseCount(entry.Cause, entry.Count, entry.Places))
                .OrderBy(static entry => entry.Cause is null ? 2 : entry.Cause.IsFollowing ? 1 : 0, Comparer<int>.Default)
                .ThenByDescending(static entry => entry.Count, Comparer<long>.Default).ThenBy(static entry => entry.Cause?.Id, StringComparer.Ordinal)],
            Files = files,
            OneSided = (added, removed),
            DifferingBytes = root.DifferingBytes,
        };

        void Visit(Difference difference, string place)
        {
            if (difference.IsFile && !difference.IsFollowing)
            {
                files++;
                added += difference.Change == Change.Added ? 1 : 0;
                removed += difference.Change == Change.Removed ? 1 : 0;
            }
            string here = difference.Name.Length == 0 ? place : place.Length == 0 ? difference.Name : $"{place}: {difference.Name}";
            foreach (var field in difference.Fields)
            {
                Count(field.Cause, here, $"{here} {field.Name}".Trim());
            }
            if (difference.Cause is not null || difference.IsUnexplained)
            {
                Count(difference.Cause, here, here);
            }
            foreach (var child in difference.Children)
            {
                Visit(child, here);
            }
        }

        // One field of a thing is enough to point to it.
        void Count(Cause? cause, string thing, string place)
        {
            string key = cause?.Id ?? "";
            var entry = counts.TryGetValue(key, out var known) ? known : (cause, 0, [], null);
            if (entry.Places.Count < PlacesPerCause && (thing.Length == 0 || thing != entry.Last))
            {
                entry.Places.Add(place);
            }
            counts[key] = (entry.Cause, entry.Count + 1, entry.Places, thing);
        }
    }
}

/// <summary>How values and amounts are shown to people.</summary>
internal static class Shown
{
    /// <summary>"1,365 bytes", "1 byte", "3 directories".</summary>
    public static string Count(long count, string unit) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} {(count == 1 ? unit : unit.EndsWith('y') ? unit[..^1] + "ies" : unit + "s")}");

    /// <summary>Two values of a field; of long ones what there is around the place where they differ.</summary>
    public static (string Before, string After) Pair(string? before, string? after)
    {
        const int most = 120;
        const int context = 20;
        if ((before?.Length ?? 0) <= most && (after?.Length ?? 0) <= most)
        {
            return (Value(before), Value(after));
        }
        int first = Math.Max(0, (before ?? "").AsSpan().CommonPrefixLength(after ?? "") - context);
        return (Cut(before), Cut(after));

        string Cut(string? text)
        {
            if (text is null || text.Length <= first)
            {
                return Value(text);
            }
            int end = Math.Min(text.Length, first + most);
            return $"{(first > 0 ? "…" : "")}{text[first..end]}{(end < text.Length ? "…" : "")}";
        }
    }

    /// <summary>A time of a field as a date too; anything else as it is. Null is what one side has not got.</summary>
    public static string Value(string? value)
    {
        if (value is null)
        {
            return "(none)";
        }
        return value.Length is >= 19 and <= 21 && value[^10] == '.'
            && long.TryParse(value.AsSpan(0, value.Length - 10), NumberStyles.None, CultureInfo.InvariantCulture, out long seconds)
            && seconds < 253402300800
            ? string.Create(CultureInfo.InvariantCulture, $"{DateTime.UnixEpoch.AddSeconds(seconds):yyyy-MM-dd HH:mm:ss}{value[^10..].TrimEnd('0').TrimEnd('.')} UTC")
            : value.Length == 0 ? "(empty)" : value;
    }
}
