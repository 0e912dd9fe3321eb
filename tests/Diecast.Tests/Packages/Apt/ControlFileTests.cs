using System.Text;
using CsCheck;
using Diecast.Packages.Apt;

namespace Diecast.Tests.Packages.Apt;

public sealed class ControlFileTests
{
    private static ControlParagraph[] Parse(string text, bool comments = false) =>
        [.. ControlFile.Parse(Encoding.UTF8.GetBytes(text), "control", comments)];

    private static string Fails(string text, bool comments = false) =>
        Assert.Throws<InvalidDataException>(() => Parse(text, comments)).Message;

    [Fact]
    public void FieldsAreFoundWithoutRegardToCaseAndTrimmed()
    {
        var paragraph = Assert.Single(Parse("Package:\tbash \nversion: 5.2-1\nDepends: libc6,\n debianutils (>= 5) \nEmpty:\n"));
        Assert.Equal("bash", paragraph["PACKAGE"]);
        Assert.Equal("5.2-1", paragraph["Version"]);
        Assert.Equal("libc6,\n debianutils (>= 5)", paragraph["Depends"]);
        Assert.Equal("", paragraph["Empty"]);
        Assert.Null(paragraph["Pack"]);
        Assert.Equal(["Package", "version", "Depends", "Empty"], paragraph.Fields.Select(field => field.Name));
        Assert.Equal(["libc6,", "debianutils", "(>=", "5)"], paragraph.Words("Depends"));
        Assert.True(paragraph.BytesOf("Recommends").IsEmpty);
    }

    [Fact]
    public void ParagraphsAreSeparatedByEmptyLinesAndKnowTheirLine()
    {
        var paragraphs = Parse("\n\nA: 1\nB: 2\n\n\n\nA: 3");
        Assert.Equal([3, 8], paragraphs.Select(paragraph => paragraph.Line));
        Assert.Equal(["1", "3"], paragraphs.Select(paragraph => paragraph["A"]));
        Assert.Equal("A: 1\nB: 2\n", Encoding.ASCII.GetString(paragraphs[0].Bytes.Span));
        Assert.Empty(Parse(""));
        Assert.Empty(Parse("\n\n"));
    }

    [Fact]
    public void CommentsAreLeftOutWherePeopleWrite()
    {
        var paragraphs = Parse("# one\nA: 1\n#two\n 2\n# three\n\n# four\nB: x\n", comments: true);
        Assert.Equal(["1", "2"], paragraphs[0].Words("A"));
        Assert.Equal(8, paragraphs[1].Line);
        Assert.Equal("control:1: neither a field (NAME: VALUE) nor the continuation of one", Fails("# one\nA: 1\n"));
    }

    [Theory]
    [InlineData("A: 1\nno field\n", "control:2: neither a field (NAME: VALUE) nor the continuation of one")]
    [InlineData(": 1\n", "control:1: neither a field (NAME: VALUE) nor the continuation of one")]
    [InlineData("-A: 1\n", "control:1: neither a field (NAME: VALUE) nor the continuation of one")]
    [InlineData("A b: 1\n", "control:1: neither a field (NAME: VALUE) nor the continuation of one")]
    [InlineData("\n 1\n", "control:2: the continuation of no field")]
    [InlineData("A: 1\n\t \nB: 2\n", "control:2: a line with nothing but white space")]
    [InlineData("A: 1\nB: 2\na: 3\n", "control:3: a stands in the paragraph twice")]
    public void MalformedFilesAreRefusedAtTheirLine(string text, string message) => Assert.Equal(message, Fails(text));

    [Fact]
    public void AWrongFieldIsNamedAtItsLine()
    {
        var paragraph = Parse("\nPackage: x\nDepends: a,\n b\nSize: 1x\nLast: 1")[0];
        Assert.Equal("control:5: Size is no number", Assert.Throws<InvalidDataException>(() => paragraph.Number("Size")).Message);
        Assert.Equal("control:3: Depends is odd", paragraph.Error("Depends", "is odd").Message);
        Assert.Equal("control:6: Last is odd", paragraph.Error("Last", "is odd").Message);
        Assert.Equal("control:2: the paragraph has no Version", Assert.Throws<InvalidDataException>(() => paragraph.Required("Version")).Message);
        Assert.Null(paragraph.Number("Installed-Size"));
        Assert.Equal(1, paragraph.Number("Last"));
    }

    [Fact]
    public void AFileOfOneParagraphHasNoSecond()
    {
        Assert.Equal("1", ControlFile.ParseSingle("A: 1\n\n"u8.ToArray(), "control")["A"]);
        Assert.Equal("control:3: a second paragraph, where there must be one alone",
            Assert.Throws<InvalidDataException>(() => ControlFile.ParseSingle("A: 1\n\nB: 2\n"u8.ToArray(), "control")).Message);
        Assert.Equal("control: is empty", Assert.Throws<InvalidDataException>(() => ControlFile.ParseSingle("\n"u8.ToArray(), "control")).Message);
    }

    [Fact]
    public void AnyBytesAreReadOrRefused() =>
        Gen.Select(Gen.Char["AaB: \t\n\r#-\0é"].Array[0, 60], Gen.Bool).Sample((text, comments) =>
        {
            try
            {
                foreach (var paragraph in Parse(new string(text), comments))
                {
                    Assert.NotEmpty(paragraph.Fields);
                    Assert.All(paragraph.Fields, field => Assert.Equal(field.Text, paragraph[field.Name]));
                }
            }
            catch (InvalidDataException e)
            {
                Assert.StartsWith("control:", e.Message, StringComparison.Ordinal);
            }
        });
}
