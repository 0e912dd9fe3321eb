using Diecast.Inspect.Differences;
using Diecast.Inspect.Reports;

namespace Diecast.Tests.Inspect.Reports;

/// <summary>What people read first: short, and with nothing that stands twice.</summary>
public sealed class TextReportTests
{
    private static readonly string[] s_rows = ["@@ 0x0, 64 bytes @@", .. Enumerable.Range(0, 30).Select(static i => $"-{i:x8}  00")];

    private static readonly Cause s_clock = new("file-time", "from the clock", "Set it.");

    private static string Text(Difference difference, int maximum = 20)
    {
        using var output = new StringWriter { NewLine = "\n" };
        new TextReport(output, maximum, hasColors: false).Write(difference, "a", "b");
        return output.ToString();
    }

    private static Difference Image(params Difference[] children) => new() { Kind = "image", Name = "", DifferingBytes = 1234, Children = children };

    private static Difference Section(string name) => new() { Kind = "section", Name = name, Lines = s_rows, DifferingBytes = 10 };

    [Fact]
    public void ManySectionsOfBytesAreOneLine()
    {
        string text = Text(Image(Section(".text"), Section(".data"), Section(".rodata"), Section(".got"), Section(".bss")));
        Assert.Contains("5 sections  .text, .data, .rodata, .got, …\n  50 bytes differ", text, StringComparison.Ordinal);
        Assert.DoesNotContain("@@", text, StringComparison.Ordinal);
    }

    [Fact]
    public void OfHexadecimalAFewLinesAreShown()
    {
        var image = Image(Section(".text"));
        Assert.Contains("… and 23 more lines (--max)\n", Text(image), StringComparison.Ordinal);
        Assert.DoesNotContain("more lines", Text(image, maximum: 100), StringComparison.Ordinal);
        // What is explained needs none.
        Assert.DoesNotContain("@@", Text(Image(Section(".text") with { Cause = s_clock })), StringComparison.Ordinal);
    }

    [Fact]
    public void AThingWithManyFieldsIsOnePlaceOfTheCause()
    {
        FieldChange[] times = [new("atime", "1", "2") { Cause = s_clock }, new("ctime", "1", "2") { Cause = s_clock }];
        string text = Text(Image(
            new Difference { Kind = "file", Name = "/x", Fields = times }, new Difference { Kind = "file", Name = "/y", Fields = times }));
        Assert.Contains("        4  from the clock\n           /x atime, /y atime, …\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void FilesThatOnlyMovedAreNotCounted()
    {
        var moved = new Difference
        {
            Kind = "path",
            Name = "/moved",
            Fields = [new("ee_start", "1", "2") { Cause = new Cause("follows-files", "moves", "") { IsFollowing = true } }],
        };
        string text = Text(Image(moved, new Difference { Kind = "file", Name = "/new", Change = Change.Added }));
        Assert.StartsWith("a and b differ in 1,234 bytes, in 1 file (1 added, 0 removed)\n", text, StringComparison.Ordinal);
        Assert.Contains("only what follows from the rest: /moved\n", text, StringComparison.Ordinal);
    }
}
