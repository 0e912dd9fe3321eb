using System.Text;
using CsCheck;
using Diecast.Binary;
using Diecast.Formats.Fat;
using Diecast.Images;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Fat;

public sealed class FatNamesTests
{
    private static string[] Short(params string[] names) =>
        [.. ShortNames.Assign([.. names.Select(static name => new FileName(name))]).Select(Encoding.ASCII.GetString)];

    [Fact]
    public void ShortNamesFollowTheOrderOfTheLongOnes()
    {
        Assert.Equal(["BOOTX64 EFI"], Short("BOOTX64.EFI"));
        Assert.Equal(["LOADER  CON"], Short("loader.con"));
        Assert.Equal(["LOADER~1CON"], Short("loader.conf"));
        Assert.Equal(["A~1        "], Short("a "));
        Assert.Equal(["HIDDEN~1   "], Short(".hidden"));
        Assert.Equal(["_N_C_D~1   "], Short("ünïcödé"));
        Assert.Equal(["____~1     "], Short("日本😀語"));
        Assert.Equal(["~1         "], Short("....a "[..4]));
        Assert.Equal(["LONGFI~1TXT", "LONGFI~2TXT", "LONGFI~3TXT"], Short("longfi~1.txt", "longfilename.txt", "longfilename2.txt"));
    }

    [Fact]
    public void TailsGrowAndStayUnique()
    {
        string[] names = [.. Enumerable.Range(0, 30_000).Select(static i => $"{(i % 2 == 0 ? "abcdefgh" : "abcdegh")} {i:D5}")];
        string[] shorts = Short([.. names.Order(StringComparer.Ordinal)]);
        Assert.Equal(names.Length, shorts.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal("ABCDEF~1   ", shorts[0]);
        Assert.Contains("ABCD~999   ", shorts);
        Assert.Contains("AB~29982   ", shorts);
    }

    [Fact]
    public void LongNamesSurviveEncoding() => Gen.String[Gen.Char['\u0020', '\ud7ff'], 1, 80].Sample(static text =>
    {
        var name = new FileName(text);
        var entry = new ShortEntry();
        "ABCDEF~1TXT"u8.CopyTo(entry.Name);
        byte[] directory = [.. LongNames.Encode(name, entry.Name).SelectMany(static part => OnDisk.Bytes(part)), .. OnDisk.Bytes(entry)];
        var parsed = Assert.Single(DirectoryParser.Parse(directory, null));
        Assert.Equal(name.IsValid ? name : new FileName("ABCDEF~1.TXT"), parsed.Name);
        // A long name whose checksum does not fit belongs to something else.
        directory[^32] = (byte)'X';
        Assert.Equal(new FileName("XBCDEF~1.TXT"), DirectoryParser.Parse(directory, null)[0].Name);
    });

    [Theory]
    [InlineData("a", "A")]
    [InlineData("ä", "Ä")]
    [InlineData("x/File.TXT", "x/fILE.txt")]
    [InlineData("я", "Я")]
    public void NamesThatDifferInCaseOnlyAreRefused(string first, string second)
    {
        var builder = new TreeBuilder(FatSamples.Meta());
        builder.AddFile(first, FatSamples.Meta(), new byte[1]);
        builder.AddFile(second, FatSamples.Meta(), new byte[1]);
        string error = Assert.Single(FatSamples.Format.Check(builder.Build(), FatSamples.Options));
        Assert.Contains("the same name as /", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a:b", "has ':' in it")]
    [InlineData("back\\slash", "has '\\' in it")]
    [InlineData("what?", "has '?' in it")]
    [InlineData("bell\a", "has a control character in it")]
    [InlineData("dot.", "ends with a dot or a space, which readers drop")]
    [InlineData("blank ", "ends with a dot or a space, which readers drop")]
    public void NamesThatFatCannotHoldAreRefused(string name, string problem)
    {
        var builder = new TreeBuilder(FatSamples.Meta());
        builder.AddFile($"d/{name}", FatSamples.Meta(), new byte[1]);
        Assert.Equal([$"/d/{new FileName(name)}: the name {problem}; vfat cannot have it"], FatSamples.Format.Check(builder.Build(), FatSamples.Options));
    }

    [Fact]
    public void NamesThatAreNoUtf8AreRefused()
    {
        var builder = new TreeBuilder(FatSamples.Meta());
        builder.Add([0x61, 0xFF], new FileNode(FatSamples.Meta(), Blob.Empty));
        Assert.Equal([@"/a\xff: the name is not UTF-8; vfat cannot have it"], FatSamples.Format.Check(builder.Build(), FatSamples.Options));
    }

    [Fact]
    public void AllErrorsComeAtOnce()
    {
        var builder = new TreeBuilder(FatSamples.Meta());
        builder.AddSymlink("link", FatSamples.Meta(), "x");
        builder.AddFile("a:b", FatSamples.Meta(), new byte[1]);
        builder.AddFile("x", FatSamples.Meta(), new byte[1]);
        builder.AddFile("X", FatSamples.Meta(), new byte[1]);
        Assert.Equal(3, FatSamples.Format.Check(builder.Build(), FatSamples.Options).Count);
    }

    [Fact]
    public void CodePage437IsThatOfPython()
    {
        byte[] all = [.. Enumerable.Range(0, 256).Select(static i => (byte)i)];
        string expected = Tool.RunOk("python3", "-c", "print(','.join(str(ord(c)) for c in bytes(range(256)).decode('cp437')))").Trim();
        Assert.Equal(expected, string.Join(',', CodePage437.Decode(all).Select(static c => (int)c)));
    }

    [Theory]
    [InlineData(315_532_799, 315_532_800)]
    [InlineData(-1, 315_532_800)]
    [InlineData(1_662_046_009, 1_662_046_008)]
    [InlineData(951_782_400, 951_782_400)]
    [InlineData(4_354_819_199, 4_354_819_198)]
    [InlineData(long.MaxValue, 4_354_819_198)]
    public void TimesAreUtcInStepsOfTwoSecondsAndClamped(long given, long stored) =>
        Assert.Equal(new Timestamp(stored), DosTime.From(new Timestamp(given, 999)).ToTimestamp());
}
