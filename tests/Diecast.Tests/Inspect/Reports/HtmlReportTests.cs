using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using CsCheck;
using Diecast.Inspect.Differences;
using Diecast.Inspect.Reports;

namespace Diecast.Tests.Inspect.Reports;

public sealed partial class HtmlReportTests
{
    private static readonly string[] s_markup = ["<", ">", "\"", "'", "</script>", "-->", "]]>", "<!--", "&lt;", "\0", "<b>", " onclick=a"];

    [Fact]
    public void APageTellsTheWholeTree()
    {
        string page = Page(SampleDifferences.Image());
        Assert.StartsWith("<!DOCTYPE html>", page, StringComparison.Ordinal);
        foreach (string part in (string[])
        [
            "48,213 bytes", "<bdi class=\"name\">2 (root-x86-64)</bdi> <span class=\"kind\">partition, ext4</span>", "c7d1f0e2-88a4-4b1e-9d53-2f6a7b8c9d0e",
            "<bdi>1700000000.123456789</bdi> <span class=\"date\">2023-11-14 22:13:20.123456789 UTC</span>", "<span class=\"none\">(none)</span>",
            "<span class=\"none\">(empty)</span>", "<span class=\"sign removed\">− removed</span>", "<span class=\"sign added\">+ added</span>",
            "<span class=\"removed\">-root=PARTUUID=", "<span class=\"place\">@@ 0x2e40", "unpacked from zstd", SampleDifferences.HashSeed.Advice,
            "<summary>8 items that only follow from the rest</summary>", "<summary>1 field that only follows from the rest</summary>",
        ])
        {
            Assert.Contains(part, page, StringComparison.Ordinal);
        }
        Assert.Equal(Count(SampleDifferences.Image()), Nodes().Count(page));
    }

    [Fact]
    public void TheSameIsSaid()
    {
        string page = Page(null);
        Assert.Contains("<strong>The same</strong>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<details", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1700000000", "1700000004", "170000000<b>0</b>", "170000000<b>4</b>")]
    [InlineData("root=a quiet", "root=abc quiet", "root=a quiet", "root=a<b>bc</b> quiet")]
    [InlineData("abcd", "wxyz", "abcd", "wxyz")]
    [InlineData("same😀", "same😁", "same😀", "same😁")]
    public void ValuesShowWhereTheyDiffer(string before, string after, string shownBefore, string shownAfter)
    {
        string page = Page(new Difference { Kind = "file", Name = "/f", Fields = [new FieldChange("f", before, after)] });
        Assert.Contains($"<td class=\"before\"><bdi>{shownBefore}</bdi></td><td class=\"after\"><bdi>{shownAfter}</bdi></td>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void ElementsAreClosedInOrder()
    {
        AssertClosed(Page(SampleDifferences.Image()));
        AssertClosed(Page(SampleDifferences.Image(), maximum: 1));
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => AssertClosed(Page(SampleDifferences.Image()).Replace("</summary>", "", StringComparison.Ordinal)));
    }

    [Fact]
    public void NothingFromAnImageBecomesMarkup()
    {
        string text = SampleDifferences.Hostile;
        string page = Page(SampleDifferences.OfHostileText(text), text, text);
        AssertClosed(page);
        Assert.Single(Scripts().Matches(page));
        Assert.DoesNotContain("alert('", page, StringComparison.Ordinal);
        Assert.DoesNotContain("onload=\"", page, StringComparison.Ordinal);
        Assert.DoesNotContain('\u202e', page);
        Assert.DoesNotContain('\u200b', page);
        Assert.DoesNotContain('\ufffd', page);
        Assert.Contains("<i class=\"x\">&#60;U+202E&#62;</i>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void AnyTextLeavesTheStructureAsItIs() =>
        Gen.Select(Gen.Char.Array[0, 40], Gen.Int[0, s_markup.Length - 1], static (chars, i) => "x" + new string(chars) + s_markup[i] + new string(chars))
        .Sample(static text =>
        {
            string page = Page(SampleDifferences.OfHostileText(text), text, text);
            AssertClosed(page);
            string plain = Page(SampleDifferences.OfHostileText("plain"), "plain", "plain");
            Assert.Equal(Skeleton(plain), Skeleton(page));
        }, iter: 200);

    [Theory]
    [InlineData("a\tb\n", "a<U+0009>b<U+000A>")]
    [InlineData("\ufeffa\u00ad\u3164", "<U+FEFF>a<U+00AD><U+3164>")]
    [InlineData("\U000e0041\ufe0f", "<U+E0041><U+FE0F>")]
    [InlineData("äöü 漢字 😀 שלום", "äöü 漢字 😀 שלום")]
    [InlineData("<&>\"'`", "<&>\"'`")]
    public void WhatNobodySeesIsSpeltOut(string text, string shown)
    {
        string attribute = Written($"{text}");
        Assert.Equal(shown, System.Net.WebUtility.HtmlDecode(attribute));
        Assert.DoesNotMatch("[<>\"'`]", attribute);
        Assert.Equal(attribute, Written($"{text:text}").Replace("<i class=\"x\">", "", StringComparison.Ordinal).Replace("</i>", "", StringComparison.Ordinal));
    }

    [Fact]
    public void LongAndBrokenTextIsTaken()
    {
        Assert.Equal("&#60;U+D800&#62;a&#60;U+DC00&#62;", Written($"{"\ud800a\udc00"}"));
        string written = Written($"{new string('a', 100_000)}");
        Assert.Equal(new string('a', Markup.MaximumText) + "… (100,000 characters)", written);
        Assert.Equal(new string('a', Markup.MaximumText), Written($"{new string('a', Markup.MaximumText)}"));
    }

    [Fact]
    public void EachItemShowsNoMoreThanTheMaximum()
    {
        var fields = Enumerable.Range(0, 7).Select(static i => new FieldChange($"f{i}", "0", "1"));
        var root = SampleDifferences.Wide(5, 3) with { Fields = [.. fields], Lines = [.. Enumerable.Repeat("+line", 9)] };
        string page = Page(root, maximum: 2);
        Assert.Contains("… and 5 more fields", page, StringComparison.Ordinal);
        Assert.Contains("… and 7 more lines", page, StringComparison.Ordinal);
        Assert.Contains("… and 3 more items", page, StringComparison.Ordinal);
        Assert.Equal(2, Regex.Count(page, "… and 1 more item<"));
        Assert.Equal(1 + 2 + 2 * 2, Nodes().Count(page));
        Assert.Contains("7 of 21 items are on this page", page, StringComparison.Ordinal);
        Assert.DoesNotContain("… and", Page(root, maximum: 9).Split("<main>")[1].Split("id=\"differences\"")[1], StringComparison.Ordinal);
    }

    [Fact]
    public void APageHasLimitsOfItsOwn()
    {
        // Of each part something is there, and rows are left out before parts are.
        string page = Page(SampleDifferences.Wide(10, 100), new ReportLimits(1000) { Nodes = 61, Rows = 20 });
        Assert.Equal(61, Nodes().Count(page));
        Assert.Equal(20, Regex.Count(page, "<tr data-cause"));
        for (int part = 1; part <= 10; part++)
        {
            Assert.Contains(string.Create(CultureInfo.InvariantCulture, $">{part} (part)<"), page, StringComparison.Ordinal);
        }
        Assert.Contains("61 of 1,011 items", page, StringComparison.Ordinal);
        Assert.Equal(20_000, Nodes().Count(Page(SampleDifferences.Wide(300, 80), new ReportLimits(1000))));
    }

    [Fact]
    public void SmallPagesAreOpenAndLargeOnesFolded()
    {
        Assert.DoesNotContain("<details><summary class=\"head\">", Page(SampleDifferences.Image()), StringComparison.Ordinal);
        string large = Page(SampleDifferences.Wide(10, 100), maximum: 1000);
        Assert.Equal(11, Regex.Count(large, "<details open>"));
        Assert.Equal(1000, Regex.Count(large, "<details><summary class=\"head\">"));
    }

    [Fact]
    public void LinksNameTheSameThingInAnotherReport()
    {
        var image = SampleDifferences.Image();
        var ids = Ids(Page(image));
        Assert.Equal(ids.Count, ids.Distinct(StringComparer.Ordinal).Count());
        var home = image.Children[^1];
        string id = Ids(Page(image with { Children = [home] }))[^1];
        Assert.Contains(id, ids);
        // Two of one name, as a hostile image may have them.
        Assert.Equal([ids[0], id, id + "-2"], Ids(Page(image with { Children = [home, home] })));
        Assert.DoesNotContain(id, Ids(Page(image with { Children = [home with { Name = "4 (home)" }] })));
    }

    [Fact]
    public void TheSameDifferencesGiveTheSameBytes()
    {
        string first = Page(SampleDifferences.Image());
        var (culture, zone) = (CultureInfo.CurrentCulture, Environment.GetEnvironmentVariable("TZ"));
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("") { NumberFormat = { NumberGroupSeparator = "'", NegativeSign = "~" } };
            Environment.SetEnvironmentVariable("TZ", "Asia/Tokyo");
            TimeZoneInfo.ClearCachedData();
            Assert.Equal(first, Page(SampleDifferences.Image()));
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
            Environment.SetEnvironmentVariable("TZ", zone);
            TimeZoneInfo.ClearCachedData();
        }
        Assert.DoesNotContain('\r', first);
        Assert.NotEqual(first, Page(SampleDifferences.Image() with { DifferingBytes = 1 }));
    }

    [Fact]
    public void NothingIsLoadedFromElsewhere()
    {
        string page = Page(SampleDifferences.Image());
        Assert.DoesNotMatch(@"(?i)https?:|url\(|@import|<link|<img|<iframe|\ssrc=|\sstyle=|\son\w+=", page);
        Assert.Contains("default-src 'none'", page, StringComparison.Ordinal);
        foreach (string element in (string[])["style", "script"])
        {
            string content = page.Split($"<{element}>")[1].Split($"</{element}>")[0];
            string hash = Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(content)));
            Assert.Contains($"{element}-src &#39;sha256-{hash}&#39;".Replace("&#39;", "'", StringComparison.Ordinal), System.Net.WebUtility.HtmlDecode(page), StringComparison.Ordinal);
        }
    }

    private static string Page(Difference? difference, string before = "before.raw", string after = "after.raw", int maximum = 50)
    {
        using var output = new MemoryStream();
        HtmlReport.Write(output, difference, before, after, maximum);
        return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(output.ToArray());
    }

    private static string Page(Difference difference, ReportLimits limits)
    {
        using var output = new MemoryStream();
        HtmlReport.Write(output, difference, "before", "after", limits);
        return Encoding.UTF8.GetString(output.ToArray());
    }

    private static string Written(Markup markup) => markup.Written.ToString();

    private static int Count(Difference difference) => 1 + difference.Children.Sum(Count);

    private static List<string> Ids(string page) => [.. Nodes().Matches(page).Select(static match => match.Groups[1].Value)];

    /// <summary>The elements without texts and values of attributes.</summary>
    private static string Skeleton(string page) =>
        Regex.Replace(string.Concat(Tags().Matches(Body(page)).Select(static match => match.Value)), "\"[^\"]*\"", "\"\"")
            .Replace("<i class=\"\"></i>", "", StringComparison.Ordinal);

    private static string Body(string page) => page[page.IndexOf("<body>", StringComparison.Ordinal)..page.IndexOf("<script>", StringComparison.Ordinal)];

    /// <summary>That each element is closed where it belongs; of HTML's rules the page uses none that leave an end out.</summary>
    private static void AssertClosed(string page)
    {
        var open = new Stack<string>();
        foreach (Match tag in Tags().Matches(Body(page)))
        {
            string name = tag.Groups[2].Value;
            if (name is "input" or "body")
            {
                continue;
            }
            if (tag.Groups[1].Length == 0)
            {
                open.Push(name);
            }
            else
            {
                Assert.True(open.TryPop(out string? expected) && expected == name, $"{tag.Value} at {tag.Index}, where {expected} is open");
            }
        }
        Assert.Empty(open);
    }

    [GeneratedRegex("<(/?)([a-z][a-z0-9]*)(?:\\s+[a-z-]+(?:=\"[^\"<>]*\")?)*>")]
    private static partial Regex Tags();

    [GeneratedRegex("<li class=\"node\" id=\"([^\"]*)\"")]
    private static partial Regex Nodes();

    [GeneratedRegex("(?i)<script")]
    private static partial Regex Scripts();
}
