using Diecast.Inspect.Differences;

namespace Diecast.Inspect.Reports;

/// <summary>Writes the tree of differences: nested lists of &lt;details&gt;, which open and close without a script.</summary>
internal sealed class HtmlTree(HtmlWriter html, CauseList causes, int openDepth)
{
    private const int BadgesOfHeading = 4;

    public void Write(ReportNode root)
    {
        html.Write($"<ul class=\"tree\" id=\"tree\">\n");
        WriteNode(root);
        html.Write($"</ul>\n");
    }

    private void WriteNode(ReportNode node)
    {
        var difference = node.Difference;
        var found = causes.Of(difference);
        string numbers = string.Join(' ', found.Select(cause => causes.Number(cause)));
        string name = NameOf(difference);
        html.Write($"""
            <li class="node" id="{node.Id}" data-change="{ChangeOf(difference)}" data-kind="{difference.Kind}" data-causes="{numbers}">
            <a class="link" href="#{node.Id}" aria-label="Link to {name}">#</a>
            """);
        if (!node.HasDetails)
        {
            html.Write($"<div class=\"head\" tabindex=\"-1\">");
            WriteHeading(difference, found);
            html.Write($"</div></li>\n");
            return;
        }
        html.Write($"<details");
        if (node.Depth <= openDepth)
        {
            html.Write($" open");
        }
        html.Write($"><summary class=\"head\">");
        WriteHeading(difference, found);
        html.Write($"</summary>\n");
        WriteOwn(node);
        WriteChildren(node);
        html.Write($"</details></li>\n");
    }

    private void WriteHeading(Difference difference, IReadOnlyList<Cause?> found)
    {
        (string sign, string word) = difference.Change switch
        {
            Change.Added => ("+", "added"),
            Change.Removed => ("−", "removed"),
            _ => ("", ""),
        };
        if (word.Length > 0)
        {
            html.Write($"<span class=\"sign {word}\">{sign} {word}</span> ");
        }
        html.Write($"<bdi class=\"name\">{NameOf(difference):text}</bdi> <span class=\"kind\">{KindOf(difference)}</span>");
        if (difference.DifferingBytes > 0)
        {
            html.Write($" <span class=\"amount\">{Shown.Count(difference.DifferingBytes, "byte")}</span>");
        }
        foreach (var cause in found.Take(BadgesOfHeading))
        {
            html.Write($" ");
            WriteBadge(cause);
        }
        if (found.Count > BadgesOfHeading)
        {
            html.Write($" <span class=\"amount\">and {Shown.Count(found.Count - BadgesOfHeading, "more cause")}</span>");
        }
    }

    private void WriteOwn(ReportNode node)
    {
        var difference = node.Difference;
        if (node.Fields.IsEmpty && node.FollowingFields.IsEmpty && node.Lines.IsEmpty && difference.Notes.Count == 0)
        {
            return;
        }
        html.Write($"<div class=\"own\">\n");
        foreach (string note in difference.Notes)
        {
            html.Write($"<p class=\"note\"><bdi>{note:text}</bdi></p>\n");
        }
        WriteFields(node.Fields);
        WriteLines(node.Lines);
        if (!node.FollowingFields.IsEmpty)
        {
            WriteGroup(node.FollowingFields.Shown.Count + node.FollowingFields.Omitted, "field");
            WriteFields(node.FollowingFields);
            html.Write($"</details>\n");
        }
        html.Write($"</div>\n");
    }

    private void WriteFields(Part<FieldChange> fields)
    {
        if (fields.Shown.Count > 0)
        {
            html.Write($"""
                <table class="fields"><thead>
                <tr><th scope="col">Field</th><th scope="col">Before</th><th scope="col">After</th><th scope="col">Cause</th></tr>
                </thead><tbody>

                """);
            foreach (var field in fields.Shown)
            {
                WriteField(field);
            }
            html.Write($"</tbody></table>\n");
        }
        WriteMore(fields.Omitted, "field");
    }

    private void WriteField(FieldChange field)
    {
        html.Write($"<tr data-cause=\"{causes.Number(field.Cause)}\"><th scope=\"row\">");
        if (field.Structure is { } structure)
        {
            html.Write($"<span class=\"structure\"><bdi>{structure:text}</bdi></span> ");
        }
        html.Write($"<bdi>{field.Name:text}</bdi></th><td class=\"before\">");
        WriteValue(field.Before, field.After);
        html.Write($"</td><td class=\"after\">");
        WriteValue(field.After, field.Before);
        html.Write($"</td><td class=\"why\">");
        WriteBadge(field.Cause);
        html.Write($"</td></tr>\n");
    }

    /// <summary>A value, with what sets it apart from the other one, and for a time what date that is.</summary>
    private void WriteValue(string? value, string? other)
    {
        string shown = Shown.Value(value);
        if (string.IsNullOrEmpty(value))
        {
            html.Write($"<span class=\"none\">{shown}</span>");
            return;
        }
        var (start, end) = Differing(value, other ?? "");
        html.Write($"<bdi>{value[..start]:text}");
        if (end > start)
        {
            html.Write($"<b>{value[start..end]:text}</b>");
        }
        html.Write($"{value[end..]:text}</bdi>");
        if (shown != value)
        {
            html.Write($" <span class=\"date\">{shown}</span>");
        }
    }

    /// <summary>The part of a value that is not in the other one; none where nearly all of it is such.</summary>
    private static (int Start, int End) Differing(string value, string other)
    {
        int start = value.AsSpan().CommonPrefixLength(other);
        int most = Math.Min(value.Length, other.Length) - start;
        int same = 0;
        while (same < most && value[^(same + 1)] == other[^(same + 1)])
        {
            same++;
        }
        bool isLong = value.Length > Markup.MaximumText || (start + same) * 2 < value.Length;
        // Never between the two halves of a character.
        bool isSplit = (start > 0 && char.IsHighSurrogate(value[start - 1])) || (same > 0 && char.IsLowSurrogate(value[^same]));
        return isLong || isSplit ? (value.Length, value.Length) : (start, value.Length - same);
    }

    private void WriteLines(Part<string> lines)
    {
        if (lines.Shown.Count > 0)
        {
            html.Write($"<pre class=\"lines\"><code>");
            foreach (string line in lines.Shown)
            {
                string style = line.Length == 0 ? "both" : line[0] switch { '-' => "removed", '+' => "added", '@' or '\\' => "place", _ => "both" };
                html.Write($"<span class=\"{style}\">{line:text}\n</span>");
            }
            html.Write($"</code></pre>\n");
        }
        WriteMore(lines.Omitted, "line");
    }

    private void WriteChildren(ReportNode node)
    {
        WriteList(node.Children);
        if (node.FollowingChildren.IsEmpty)
        {
            return;
        }
        WriteGroup(node.FollowingChildren.Shown.Count + node.FollowingChildren.Omitted, "item");
        WriteList(node.FollowingChildren);
        html.Write($"</details>\n");
    }

    /// <summary>Begins what is folded at first.</summary>
    private void WriteGroup(int count, string unit)
    {
        string follow = count == 1 ? "follows" : "follow";
        html.Write($"<details class=\"group\"><summary>{Shown.Count(count, unit)} that only {follow} from the rest</summary>\n");
    }

    private void WriteList(Part<ReportNode> nodes)
    {
        if (nodes.Shown.Count > 0)
        {
            html.Write($"<ul>\n");
            foreach (var node in nodes.Shown)
            {
                WriteNode(node);
            }
            html.Write($"</ul>\n");
        }
        WriteMore(nodes.Omitted, "item");
    }

    private void WriteMore(int count, string unit)
    {
        if (count > 0)
        {
            html.Write($"<p class=\"more\">… and {count:N0} more {unit}{(count == 1 ? "" : "s")}</p>\n");
        }
    }

    private void WriteBadge(Cause? cause) =>
        html.Write($"<span class=\"badge {causes.Style(cause)}\">{CauseList.Title(cause):text}</span>");

    private static string NameOf(Difference difference) => difference.Name.Length == 0 ? difference.Kind : difference.Name;

    private static string KindOf(Difference difference)
    {
        string kind = difference.Name.Length == 0 ? "" : difference.Kind;
        return difference.Format is { } format && format != kind ? kind.Length == 0 ? format : $"{kind}, {format}" : kind;
    }

    internal static string ChangeOf(Difference difference) =>
        difference.Change switch { Change.Added => "added", Change.Removed => "removed", _ => "changed" };
}
