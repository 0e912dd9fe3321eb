using Diecast.Inspect.Differences;

namespace Diecast.Inspect.Reports;

/// <summary>Tells differences to people, in a terminal: a summary, then what differs, indented by what it is in.</summary>
/// <param name="output">Where to.</param>
/// <param name="maximum">The most lines of each kind for one thing: fields, lines, things in it.</param>
/// <param name="hasColors">Whether the output understands ANSI sequences.</param>
public sealed class TextReport(TextWriter output, int maximum, bool hasColors)
{
    private const string Bold = "1", Dim = "2", Red = "31", Green = "32", Yellow = "33", Cyan = "36";

    /// <summary>Writes all of it.</summary>
    /// <param name="difference">What differs, or null where nothing does.</param>
    /// <param name="before">The name of one side.</param>
    /// <param name="after">That of the other.</param>
    public void Write(Difference? difference, string before, string after)
    {
        if (difference is null)
        {
            output.WriteLine($"{before} and {after} are the same");
            return;
        }
        var summary = DifferenceSummary.Of(difference);
        var (added, removed) = summary.OneSided;
        string oneSided = added + removed > 0 ? $" ({added:N0} added, {removed:N0} removed)" : "";
        string files = summary.Files > 0 ? $", in {Shown.Count(summary.Files, "file")}{oneSided}" : "";
        string bytes = summary.DifferingBytes > 0 ? $" in {Shown.Count(summary.DifferingBytes, "byte")}" : "";
        output.WriteLine(Styled(Bold, $"{before} and {after} differ{bytes}{files}"));
        WriteSummary(summary);
        output.WriteLine();
        WriteContents(difference, 0);
    }

    private void WriteSummary(DifferenceSummary summary)
    {
        output.WriteLine();
        foreach (var entry in summary.Causes)
        {
            string title = entry.Cause?.Title ?? "unknown cause";
            string style = entry.Cause is null ? Red : entry.Cause.IsFollowing ? Dim : Yellow;
            output.WriteLine($"  {entry.Count,7}  {Styled(style, title)}");
            if (entry.Cause is { IsFollowing: true })
            {
                continue;
            }
            string more = entry.Count > entry.Places.Count ? ", …" : "";
            output.WriteLine($"           {Styled(Dim, string.Join(", ", entry.Places) + more)}");
            if (entry.Cause is { Advice.Length: > 0 } cause)
            {
                output.WriteLine($"           {cause.Advice}");
            }
        }
    }

    private void WriteContents(Difference difference, int indent)
    {
        WriteFields(difference, indent);
        foreach (string note in difference.Notes)
        {
            Line(indent, Styled(Dim, note));
        }
        WriteLines(difference, indent);
        var following = difference.Children.Where(static child => child.IsFollowing).ToList();
        var groups = DifferenceGroup.Of(difference.Children.Where(static child => !child.IsFollowing));
        foreach (var group in groups.Take(maximum))
        {
            if (group.Members.Count > 1)
            {
                WriteGroup(group, indent);
                continue;
            }
            WriteHeading(group.Members[0], indent);
            WriteContents(group.Members[0], indent + 1);
        }
        if (groups.Count > maximum)
        {
            Line(indent, Styled(Dim, $"… and {Shown.Count(groups.Skip(maximum).Sum(static group => group.Members.Count), "more thing")} that differ (--max)"));
        }
        if (following.Count > 0)
        {
            Line(indent, Styled(Dim, $"only what follows from the rest: {Names(following)}"));
        }
    }

    /// <summary>Things that differ in the same fields for the same causes, and in nothing else.</summary>
    private void WriteGroup(DifferenceGroup group, int indent)
    {
        var first = group.Members[0];
        Line(indent, $"{Styled(Cyan, Shown.Count(group.Members.Count, first.Kind))}  {Styled(Dim, Names(group.Members))}");
        if (group.IsBytes)
        {
            Line(indent + 1, Styled(Dim, $"{Shown.Count(group.Members.Sum(static member => member.DifferingBytes), "byte")} differ; extract and compare one for more"));
            return;
        }
        WriteFields(first, indent + 1, "the first: ");
    }

    private static string Names(IReadOnlyList<Difference> members)
    {
        const int most = 4;
        string names = string.Join(", ", members.Take(most).Select(static member => member.Name));
        return members.Count > most ? $"{names}, …" : names;
    }

    private void WriteHeading(Difference child, int indent)
    {
        string mark = child.Change switch { Change.Added => Styled(Green, "+ "), Change.Removed => Styled(Red, "- "), _ => "" };
        string kind = child.Kind is "file" or "path" or "structure" ? child.Format ?? "" : child.Format is { } format ? $"{child.Kind}, {format}" : child.Kind;
        string what = kind.Length > 0 ? Styled(Dim, $"  {kind}") : "";
        string bytes = child.Kind == "bytes" ? Styled(Dim, $", {Shown.Count(child.DifferingBytes, "byte")} differ") : "";
        Line(indent, $"{mark}{Styled(Cyan, child.Name)}{what}{bytes}{CauseOf(child.Cause)}");
    }

    private void WriteFields(Difference difference, int indent, string prefix = "")
    {
        var fields = difference.Fields.Where(static field => field.Cause is not { IsFollowing: true }).ToList();
        foreach (var field in fields.Take(maximum))
        {
            string structure = field.Structure is { } of ? Styled(Dim, $"{of} ") : "";
            var (from, to) = Shown.Pair(field.Before, field.After);
            Line(indent, $"{Styled(Dim, prefix)}{structure}{field.Name}: {Styled(Red, from)} → {Styled(Green, to)}{CauseOf(field.Cause)}");
        }
        if (fields.Count > maximum)
        {
            Line(indent, Styled(Dim, $"… and {fields.Count - maximum} more fields (--max)"));
        }
        var following = difference.Fields.Where(static field => field.Cause is { IsFollowing: true }).Select(static field => field.Name).Distinct().ToList();
        if (following.Count > 0)
        {
            Line(indent, Styled(Dim, $"(follows: {string.Join(", ", following.Take(8))}{(following.Count > 8 ? ", …" : "")})"));
        }
    }

    private void WriteLines(Difference difference, int indent)
    {
        if (difference is { HasBytes: true, Cause: not null })
        {
            // It is known why: nobody reads them.
            return;
        }
        // Hexadecimal is for recognising something; who wants to read it asks for more.
        int most = difference.HasBytes ? Math.Max(4, maximum * 2 / 5) : maximum;
        foreach (string line in difference.Lines.Take(most))
        {
            string style = line.StartsWith('-') ? Red : line.StartsWith('+') ? Green : Dim;
            Line(indent, Styled(style, line));
        }
        if (difference.Lines.Count > most)
        {
            Line(indent, Styled(Dim, $"… and {difference.Lines.Count - most} more lines (--max)"));
        }
    }

    private string CauseOf(Cause? cause) => cause is null ? "" : Styled(Yellow, $"  [{cause.Title}]");

    private void Line(int indent, string text) => output.WriteLine(new string(' ', indent * 2) + text);

    private string Styled(string style, string text) => hasColors && text.Length > 0 ? $"\e[{style}m{text}\e[0m" : text;
}
