using System.Security.Cryptography;
using System.Text;
using Diecast.Inspect.Differences;

namespace Diecast.Inspect.Reports;

/// <summary>
/// Differences as one page that needs nothing else: no network, no file beside it. It can be read without its script, which
/// adds filters. The same differences give the same bytes.
/// </summary>
public static class HtmlReport
{
    /// <summary>Writes all of it.</summary>
    /// <param name="output">Where to; it is left open.</param>
    /// <param name="difference">What differs, or null where nothing does.</param>
    /// <param name="before">The name of one side.</param>
    /// <param name="after">That of the other.</param>
    /// <param name="maximum">The most fields, lines and items shown for one item. The page as a whole is limited too.</param>
    public static void Write(Stream output, Difference? difference, string before, string after, int maximum) =>
        Write(output, difference, before, after, new ReportLimits(maximum));

    internal static void Write(Stream output, Difference? difference, string before, string after, ReportLimits limits)
    {
        using var text = new StreamWriter(output, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true) { NewLine = "\n" };
        var html = new HtmlWriter(text);
        string script = Asset("report.js");
        WriteHead(html, before, after, Asset("report.css"), script);
        if (difference is null)
        {
            html.Write($"<header>\n");
            WriteTitle(html, before, after);
            html.Write($"<p class=\"verdict same\"><strong>The same</strong> All bytes of the two are equal.</p>\n</header>\n");
        }
        else
        {
            WriteBody(html, difference, before, after, limits);
        }
        html.Write($"<script>");
        html.WriteAsset(script);
        html.Write($"</script>\n</body>\n</html>\n");
    }

    private static void WriteHead(HtmlWriter html, string before, string after, string style, string script)
    {
        html.Write($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '{Hash(style)}';
             script-src '{Hash(script)}'; base-uri 'none'; form-action 'none'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="referrer" content="no-referrer">
            <title>{before} and {after}: diecast diff</title>
            <style>
            """);
        html.WriteAsset(style);
        html.Write($"</style>\n</head>\n<body>\n");
    }

    private static void WriteTitle(HtmlWriter html, string before, string after)
    {
        html.Write($"""
            <div class="title"><h1>Image comparison</h1><button type="button" id="theme" hidden>Dark</button></div>
            <dl class="sides"><dt>Before</dt><dd><bdi>{before:text}</bdi></dd><dt>After</dt><dd><bdi>{after:text}</bdi></dd></dl>

            """);
    }

    private static void WriteBody(HtmlWriter html, Difference difference, string before, string after, ReportLimits limits)
    {
        var summary = DifferenceSummary.Of(difference);
        var causes = new CauseList(summary);
        var (root, count, openDepth) = ReportNode.Of(difference, limits);
        long all = CountOf(difference);
        html.Write($"<header>\n");
        WriteTitle(html, before, after);
        WriteVerdict(html, summary, all);
        html.Write($"</header>\n<main>\n<section aria-labelledby=\"causes\">\n<h2 id=\"causes\">Causes</h2>\n");
        WriteCauses(html, summary, causes);
        WriteLegend(html);
        html.Write($"</section>\n<section aria-labelledby=\"differences\">\n<h2 id=\"differences\">Differences</h2>\n");
        WriteControls(html, difference);
        if (count < all)
        {
            html.Write($"<p class=\"more\">{count:N0} of {all:N0} items are on this page; the filters look at those alone.</p>\n");
        }
        new HtmlTree(html, causes, openDepth).Write(root);
        html.Write($"</section>\n</main>\n");
    }

    private static void WriteVerdict(HtmlWriter html, DifferenceSummary summary, long all)
    {
        html.Write($"<p class=\"verdict\"><strong>Different</strong>");
        if (summary.DifferingBytes > 0)
        {
            html.Write($" <span>{Shown.Count(summary.DifferingBytes, "byte")}</span>");
        }
        if (summary.Files > 0)
        {
            html.Write($" <span>{Shown.Count(summary.Files, "file")}</span>");
        }
        html.Write($" <span>{Shown.Count(all, "item")} in all</span>");
        long known = summary.Causes.Count(static entry => entry.Cause is { IsFollowing: false });
        long unknown = summary.Causes.Where(static entry => entry.Cause is null).Sum(static entry => entry.Count);
        html.Write($" <span>{Shown.Count(known, "known cause")}</span>");
        if (unknown > 0)
        {
            html.Write($" <span class=\"alarm\">{unknown:N0} of unknown cause</span>");
        }
        html.Write($"</p>\n");
    }

    private static void WriteCauses(HtmlWriter html, DifferenceSummary summary, CauseList causes)
    {
        html.Write($"""
            <table class="causes"><thead>
            <tr><th scope="col">Count</th><th scope="col">Cause</th><th scope="col">What to do</th><th scope="col">Where</th></tr>
            </thead><tbody>

            """);
        foreach (var entry in summary.Causes)
        {
            string advice = entry.Cause?.Advice ?? "No known cause fits: look at the bytes and at what made them.";
            html.Write($"""
                <tr><td class="count">{entry.Count:N0}</td>
                <td><button type="button" disabled aria-pressed="false" class="badge {causes.Style(entry.Cause)}"
                 data-filter="cause" data-value="{causes.Number(entry.Cause)}">{CauseList.Title(entry.Cause):text}</button></td>
                <td>{advice:text}</td><td class="places">
                """);
            // Those of what merely follows are as many as all others together, and tell nothing.
            int places = entry.Cause is { IsFollowing: true } ? 1 : entry.Places.Count;
            foreach (string place in entry.Places.Take(places))
            {
                html.Write($"<bdi>{place:text}</bdi> ");
            }
            if (entry.Count > places)
            {
                html.Write($"<span class=\"amount\">and {entry.Count - places:N0} more</span>");
            }
            html.Write($"</td></tr>\n");
        }
        html.Write($"</tbody></table>\n");
    }

    private static void WriteLegend(HtmlWriter html) => html.Write($"""
        <p class="legend"><span><span class="sign added">+ added</span> only after</span>
        <span><span class="sign removed">− removed</span> only before</span>
        <span><span class="was">a value before</span> <span class="is">and after</span></span>
        <span><span class="badge h0">a colour</span> a known cause</span>
        <span><span class="badge follows">grey</span> merely follows from other differences: checksums, places</span>
        <span><span class="badge unknown">red</span> unknown cause</span>
        <span class="keys" hidden><kbd>/</kbd> search <kbd>↑</kbd> <kbd>↓</kbd> <kbd>←</kbd> <kbd>→</kbd> move in the tree</span></p>

        """);

    private static void WriteControls(HtmlWriter html, Difference difference)
    {
        html.Write($"""
            <div class="controls" id="controls" role="search" hidden>
            <input type="search" id="search" placeholder="Search names, fields, contents" autocomplete="off" spellcheck="false"
             aria-label="Search names, fields and contents" aria-controls="tree">

            """);
        WriteChips(html, difference, "change", HtmlTree.ChangeOf);
        WriteChips(html, difference, "kind", static found => found.Kind);
        html.Write($"""
            <div class="actions"><button type="button" id="expand">Expand all</button>
            <button type="button" id="collapse">Collapse all</button>
            <button type="button" id="clear" disabled>Clear filters</button></div>
            <p id="status" role="status"></p>
            </div>

            """);
    }

    private static void WriteChips(HtmlWriter html, Difference difference, string filter, Func<Difference, string> value)
    {
        var counts = new SortedDictionary<string, long>(StringComparer.Ordinal);
        Visit(difference, found => counts[value(found)] = counts.GetValueOrDefault(value(found)) + 1);
        html.Write($"<div class=\"chips\" role=\"group\" aria-label=\"{filter}\">");
        foreach (var (name, count) in counts)
        {
            html.Write($"""
                <button type="button" class="chip" aria-pressed="false" data-filter="{filter}" data-value="{name}">{name}
                <span class="amount">{count:N0}</span></button>
                """);
        }
        html.Write($"</div>\n");
    }

    private static long CountOf(Difference difference)
    {
        long count = 0;
        Visit(difference, _ => count++);
        return count;
    }

    private static void Visit(Difference difference, Action<Difference> visit)
    {
        visit(difference);
        foreach (var child in difference.Children)
        {
            Visit(child, visit);
        }
    }

    private static string Hash(string asset) => "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(asset)));

    private static string Asset(string name)
    {
        using var stream = typeof(HtmlReport).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
