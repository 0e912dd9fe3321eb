using System.Text;
using CsCheck;
using Diecast.Config;

namespace Diecast.Tests.Config;

public sealed class IniFileTests
{
    private static readonly Gen<string> s_word = Gen.Char["abcXYZ019-_/.=[]%"].Array[1, 6].Select(static c => new string(c));

    [Fact]
    public void KeysRepeatAndValuesGoOn()
    {
        var file = Parse("""
            # a comment
            [One]   # and another
            Key=first
            Key = second # rest
                third

                # not the end
                fourth = 4
            Empty=
            Later=
                value
            [Two]
            Key=[x]=y
            """);
        Assert.Equal(["One", "Two"], file.Sections.Select(static section => section.Name));
        Assert.Equal(12, file.Sections[1].Location.Line);
        string[] expected =
        [
            "One.Key@3: first@3", "One.Key@4: second@4 third@5 fourth = 4@8", "One.Empty@9: @9", "One.Later@10: @10 value@11",
            "Two.Key@13: [x]=y@13",
        ];
        Assert.Equal(expected, file.Assignments.Select(Show));
        Assert.Equal([false, false, true, false, false], file.Assignments.Select(static assignment => assignment.IsEmpty));
    }

    [Fact]
    public void AFileMayBeIndentedAsAWhole() =>
        Assert.Equal(["S.A@2: 1@2 2@3", "S.B@4: 3@4"], Parse("  [S]\n  A=1\n    2\n  B=3\r\n").Assignments.Select(Show));

    [Theory]
    [InlineData("[S]\nword", "f:2: 'word' is no setting: write Name=value")]
    [InlineData("[S]\n=word", "f:2: '=word' is no setting: write Name=value")]
    [InlineData("[S", "f:1: '[S' is no section: write [Name]")]
    [InlineData("\n[ ]", "f:2: '[ ]' is no section: write [Name]")]
    [InlineData("A=1", "f:1: A= stands outside of a section")]
    public void WhatIsWrongIsNamedWithItsLine(string text, string expected)
    {
        var errors = new List<Diagnostic>();
        IniFile.Parse(Encoding.UTF8.GetBytes(text), "f", errors);
        Assert.Equal(expected, Assert.Single(errors).ToString());
    }

    [Fact]
    public void TextMustBeUtf8()
    {
        var errors = new List<Diagnostic>();
        Assert.Empty(IniFile.Parse([0x5B, 0xFF], "f", errors).Assignments);
        Assert.Equal("f: is not UTF-8 text", Assert.Single(errors).ToString());
    }

    [Fact]
    public void WhatIsWrittenIsRead() => Gen.Select(Gen.Char["ABC"], s_word.Array[1, 4]).Array[0, 8].Sample(settings =>
    {
        var text = new StringBuilder("[S]\n");
        foreach (var (key, lines) in settings)
        {
            text.Append(key).Append('=').AppendJoin("\n\t", lines).Append(" # comment\n\n");
        }
        var read = Parse(text.ToString()).Assignments;
        Assert.Equal(
            settings.Select(static setting => $"{setting.Item1} {string.Join(' ', setting.Item2)}"),
            read.Select(static assignment => $"{assignment.Key} {string.Join(' ', assignment.Lines.Select(static line => line.Text))}"));
        string[] source = text.ToString().Split('\n');
        Assert.All(read.SelectMany(static assignment => assignment.Lines), line => Assert.Contains(line.Text, source[line.Line - 1], StringComparison.Ordinal));
    });

    [Fact]
    public void AnyBytesGiveAFileOrErrors() => Gen.OneOf(
        Gen.Byte.Array[0, 60],
        Gen.Char["[]=#\n\t aS\r"].Array[0, 40].Select(static c => Encoding.UTF8.GetBytes(c))).Sample(bytes =>
    {
        var errors = new List<Diagnostic>();
        var file = IniFile.Parse(bytes, "f", errors);
        Assert.All(file.Assignments, static assignment => Assert.NotEmpty(assignment.Lines));
    });

    [Fact]
    public void QuotedWordsComeBack() => Gen.Char[" '\"\\a=\n"].Array[0, 6].Select(static c => new string(c)).Array[0, 4].Sample(words =>
        Assert.Equal(words, ShellWords.Split(string.Join(' ', words.Select(ShellWords.Quote)))));

    [Theory]
    [InlineData("a \"b c\" d\\ e 'f\"g' \"\\\"\\x\"", new[] { "a", "b c", "d e", "f\"g", "\"\\x" })]
    [InlineData("x='1 2'\"3\" ''", new[] { "x=1 23", "" })]
    public void WordsAreAShells(string text, string[] words) => Assert.Equal(words, ShellWords.Split(text));

    [Theory]
    [InlineData("'a")]
    [InlineData("\"a\\\"")]
    [InlineData("a\\")]
    public void UnfinishedQuotesAreErrors(string text) => Assert.Throws<FormatException>(() => ShellWords.Split(text));

    private static IniFile Parse(string text)
    {
        var errors = new List<Diagnostic>();
        var file = IniFile.Parse(Encoding.UTF8.GetBytes(text), "f", errors);
        Assert.Empty(errors);
        return file;
    }

    private static string Show(Assignment assignment) =>
        $"{assignment.Section}.{assignment.Key}@{assignment.Location.Line}: "
        + string.Join(' ', assignment.Lines.Select(static line => $"{line.Text}@{line.Line}"));
}
