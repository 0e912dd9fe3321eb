using System.Text;
using CsCheck;
using Diecast.Images;
using Diecast.Inspect.Differences;
using Diecast.Tests.Support;

namespace Diecast.Tests.Inspect.Differences;

public sealed class TextDiffTests
{
    [Fact]
    public void LinesAreThoseOfAUnifiedDiff() => Assert.Equal(
        """
        @@ -2,7 +2,6 @@
         b
         c
         d
        -e
        -f
        +E
         g
         h
        \ No newline at end of file
        """.Split('\n'), Diff("a\nb\nc\nd\ne\nf\ng\nh", "a\nb\nc\nd\nE\ng\nh").Lines);

    [Fact]
    public void ItIsWhatDiffSays()
    {
        using var directory = new TempDirectory();
        Gen.Select(Gen.Int[0, 3].Select(static i => "abcd"[i].ToString()).Array[0, 30], Gen.Int[0, 25], Gen.Int[0, 4], Gen.Bool).Sample((lines, at, count, ends) =>
        {
            string end = ends ? "\n" : "";
            var later = lines.ToList();
            later.RemoveRange(Math.Min(at, lines.Length), Math.Min(count, lines.Length - Math.Min(at, lines.Length)));
            later.InsertRange(Math.Min(at / 2, later.Count), ["x", "y"]);
            string before = string.Join('\n', lines) + end, after = string.Join('\n', later) + end;
            File.WriteAllText(directory["a"], before);
            File.WriteAllText(directory["b"], after);
            string expected = Tool.Run("diff", "-u", "-d", directory["a"], directory["b"]).Output;
            var ours = Diff(before, after);
            // Which of several equal lines went may be said in another way: as many must have.
            Assert.Equal(Count(expected.Split('\n')[2..], '-'), Count(ours.Lines, '-'));
            Assert.Equal(Count(expected.Split('\n')[2..], '+'), Count(ours.Lines, '+'));
            File.WriteAllText(directory["patch"], "--- a\n+++ b\n" + string.Join('\n', ours.Lines) + "\n");
            Tool.RunOk("patch", "-s", directory["a"], directory["patch"]);
            Assert.Equal(after, File.ReadAllText(directory["a"]));
        }, iter: 30, threads: 1);
    }

    [Fact]
    public void HunksThatAreFarApartAreTwo()
    {
        string[] lines = [.. Enumerable.Range(1, 40).Select(static i => $"line {i}\n")];
        string before = string.Concat(lines);
        lines[4] = "five\n";
        lines[30] = "thirty-one\n";
        var diff = Diff(before, string.Concat(lines));
        Assert.Equal(["@@ -2,7 +2,7 @@", "@@ -28,7 +28,7 @@"], diff.Lines.Where(static line => line[0] == '@'));
    }

    [Fact]
    public void TheRestIsCounted()
    {
        var diff = Diff(string.Concat(Enumerable.Range(0, 500).Select(static i => $"{i}\n")), "");
        Assert.Equal(100, diff.Lines.Count);
        Assert.Equal(401, diff.Omitted);
        Assert.Equal(500, diff.Lines.Count(static line => line[0] == '-') + diff.Omitted);
    }

    [Fact]
    public void ControlCharactersDoNotReachTheTerminal() =>
        Assert.Equal(["@@ -1,1 +1,1 @@", "-␛[31mred␉", "+<U+202E>red<U+0085>"], Diff("\u001b[31mred\t\n", "\u202ered\u0085\n").Lines);

    [Fact]
    public void LongLinesShowTheWordsThatDiffer()
    {
        string words = string.Join(' ', Enumerable.Range(0, 100).Select(static i => $"option{i}=value{i}"));
        var diff = Diff(words + "\n", words.Replace("value20 ", "other ", StringComparison.Ordinal).Replace("option70=value70 ", "", StringComparison.Ordinal) + "\n");
        Assert.Equal(5, diff.Lines.Count);
        Assert.Equal(
            [
                "@@ -1,1 +1,1 @@",
                "-…alue18 option19=value19 option20=value20 option21=value21 option…",
                "+…alue18 option19=value19 option20=other option21=value21 option…",
            ], diff.Lines.Take(3));
        Assert.Contains("option70=value70", diff.Lines[3], StringComparison.Ordinal);
        Assert.DoesNotContain("option70", diff.Lines[4], StringComparison.Ordinal);
        Assert.All(diff.Lines, static line => Assert.InRange(line.Length, 1, 200));
    }

    [Fact]
    public void OneLongWordIsShortened()
    {
        var diff = Diff(new string('a', 100_000), new string('a', 50_000) + "b" + new string('a', 50_000));
        Assert.All(diff.Lines, static line => Assert.InRange(line.Length, 1, 250));
    }

    [Fact]
    public void WhatOnlyLacksTheLastEndOfLineIsSaidSo() =>
        Assert.Equal(["@@ -1,1 +1,1 @@", "-x", "+x", "\\ No newline at end of file"], Diff("x\n", "x").Lines);

    [Theory]
    [InlineData(new byte[] { }, true)]
    [InlineData(new byte[] { 0x61, 0xc3, 0xa4, 0x0a }, true)]
    [InlineData(new byte[] { 0x61, 0 }, false)]
    [InlineData(new byte[] { 0xc3 }, false)]
    [InlineData(new byte[] { 0xe4, 0x61 }, false)]
    [InlineData(new byte[] { 0xff, 0xfe }, false)]
    public void TextIsUtf8WithoutNul(byte[] bytes, bool isText)
    {
        Assert.Equal(isText, TextDiff.IsText(new MemoryBlob(bytes)));
        Assert.Equal(isText, TextDiff.Compare(new MemoryBlob(bytes), Blob.Empty) is not null);
    }

    [Fact]
    public void CharactersMayCrossTheBlocksThatAreRead() => Gen.Int[65530, 65540].Sample(length =>
    {
        byte[] text = [.. Enumerable.Repeat((byte)'x', length), .. "€𝄞ä€𝄞"u8];
        Assert.True(TextDiff.IsText(new MemoryBlob(text)));
        Assert.False(TextDiff.IsText(new MemoryBlob(text.AsMemory(0, text.Length - 1))));
        byte[] broken = [.. text];
        broken[length + 1] = (byte)'x';
        Assert.False(TextDiff.IsText(new MemoryBlob(broken)));
    });

    [Fact]
    public void LargeFilesAreNoTexts()
    {
        Assert.False(TextDiff.IsText(new ComputedBlob(TextDiff.MaximumSize + 1, static (_, destination) => destination.Fill((byte)'a'))));
        Assert.Null(Compare(new byte[1], [.. Enumerable.Repeat((byte)'\n', 600_000)]));
        Assert.Null(Compare([(byte)'a'], [.. Enumerable.Range(0, 1_200_000).Select(static i => i % 2 == 0 ? (byte)'b' : (byte)'\n')]));
    }

    private static int Count(IEnumerable<string> lines, char sign) => lines.Count(line => line.StartsWith(sign));

    private static DiffLines Diff(string before, string after) => Compare(Encoding.UTF8.GetBytes(before), Encoding.UTF8.GetBytes(after))!;

    private static DiffLines? Compare(byte[] before, byte[] after) => TextDiff.Compare(new MemoryBlob(before), new MemoryBlob(after));
}
