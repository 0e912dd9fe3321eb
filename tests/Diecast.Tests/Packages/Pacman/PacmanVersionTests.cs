using CsCheck;
using Diecast.Packages.Pacman;
using Diecast.Tests.Support;
using static Diecast.Tests.Packages.Pacman.Choices;

namespace Diecast.Tests.Packages.Pacman;

public sealed class PacmanVersionTests
{
    private static readonly Gen<string> s_segment = Gen.OneOf(
        Gen.Int[0, 30].Select(static n => n.ToString(System.Globalization.CultureInfo.InvariantCulture)),
        OneOf("007", "0", "a", "rc", "rc1", "beta", "b", "git", "", "1a", "a1"));

    private static readonly Gen<string> s_version =
        Gen.Select(OneOf("", "", "", "0:", "1:", ":", "12:"), s_segment.Array[1, 4],
            OneOf(".", ".", ".", "_", "+", "~", "..", ".-", "", ":"), OneOf("", "", "-1", "-2", "-1.1", "-"),
            static (epoch, segments, separator, release) => epoch + string.Join(separator, segments) + release);

    [Theory]
    [InlineData("1.0", "1.0rc1", 1)]
    [InlineData("1.0", "1.0.1", -1)]
    [InlineData("1:1.0", "2.0", 1)]
    [InlineData("1.2", "1.2-5", 0)]
    [InlineData("1.2-4", "1.2-5", -1)]
    [InlineData("8-64", "8-64", 0)]
    [InlineData("1.0~rc1", "1.0", 1)]
    [InlineData("1.001", "1.1", 0)]
    [InlineData("1.0é", "1.0", 1)]
    public void KnownPairs(string left, string right, int order)
    {
        Assert.Equal(order, Math.Sign(PacmanVersion.Compare(left, right)));
        Assert.Equal(-order, Math.Sign(PacmanVersion.Compare(right, left)));
    }

    [Fact]
    public void ComparesAsVercmp()
    {
        // One shell runs all pairs: a process each would take minutes.
        string vercmp = Tool.Require("vercmp");
        var pairs = new List<(string Left, string Right)>();
        Gen.Select(s_version, s_version, OneOf("", "", "-3", ".0", "a")).Sample(input =>
        {
            var (left, right, suffix) = input;
            if (left.Length > 0 && right.Length > 0)
            {
                pairs.Add((left, suffix.Length == 0 ? right : left + suffix));
            }
        }, iter: 1500, threads: 1);
        string script = string.Join('\n', pairs.Select(pair => $"'{vercmp}' '{pair.Left}' '{pair.Right}'"));
        string[] expected = Tool.RunOk("sh", "-c", script).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(pairs.Count, expected.Length);
        for (int i = 0; i < pairs.Count; i++)
        {
            Assert.True(expected[i] == PacmanVersion.Compare(pairs[i].Left, pairs[i].Right).ToString(System.Globalization.CultureInfo.InvariantCulture),
                $"{pairs[i]}: vercmp says {expected[i]}");
        }
        Assert.Equal(3, expected.Distinct().Count());
    }

    [Fact]
    public void OrderIsTotalAmongFullVersions()
    {
        // What makepkg allows: no separators in a row, no hyphen and no colon within the version.
        var segment = Gen.OneOf(Gen.Int[0, 12].Select(static n => $"{n}"), OneOf("a", "rc", "rc1", "007", "1b"));
        var full = Gen.Select(OneOf("", "1:"), segment.Array[1, 3], OneOf("1", "2", "1.1"),
            static (epoch, segments, release) => $"{epoch}{string.Join('.', segments)}-{release}");
        full.Array[3].Sample(static versions =>
        {
            var (a, b, c) = (versions[0], versions[1], versions[2]);
            Assert.Equal(Math.Sign(PacmanVersion.Compare(a, b)), -Math.Sign(PacmanVersion.Compare(b, a)));
            Assert.False(PacmanVersion.Compare(a, b) <= 0 && PacmanVersion.Compare(b, c) <= 0 && PacmanVersion.Compare(a, c) > 0, $"{a} {b} {c}");
        });
    }
}
