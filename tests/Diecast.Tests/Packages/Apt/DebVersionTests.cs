using System.Text;
using CsCheck;
using Diecast.Packages.Apt;
using Diecast.Tests.Support;

namespace Diecast.Tests.Packages.Apt;

public sealed class DebVersionTests
{
    [Theory]
    [InlineData("1.0", "1.0", 0)]
    [InlineData("1.0", "1.00", 0)]
    [InlineData("0:1.0", "1.0-0", 0)]
    [InlineData("1.0~rc1", "1.0", -1)]
    [InlineData("1.0~~", "1.0~", -1)]
    [InlineData("1.0", "1.0a", -1)]
    [InlineData("1.0a", "1.0+", -1)]
    [InlineData("1.9", "1.10", -1)]
    [InlineData("2.0", "1:1.0", -1)]
    [InlineData("1.0-1", "1.0-1+b1", -1)]
    [InlineData("1.0-1~deb12u1", "1.0-1", -1)]
    [InlineData("1-2-3", "1-2-4", -1)]
    [InlineData("99999999999999999999", "100000000000000000000", -1)]
    public void VersionsAreOrderedAsPolicySays(string left, string right, int order)
    {
        Assert.Equal(order, Math.Sign(DebVersion.Compare(left, right)));
        Assert.Equal(-order, Math.Sign(DebVersion.Compare(right, left)));
    }

    [Theory]
    [InlineData("1", true)]
    [InlineData("2:1.2.3~rc1+dfsg-4.1~deb12u1", true)]
    [InlineData("", false)]
    [InlineData(":1", false)]
    [InlineData("a:1", false)]
    [InlineData("1:", false)]
    [InlineData("1-", false)]
    [InlineData("-1", false)]
    [InlineData("1/2", false)]
    [InlineData("1 2", false)]
    [InlineData("$(id)", false)]
    public void WhatIsNoVersionIsRecognized(string text, bool isValid) => Assert.Equal(isValid, DebVersion.IsValid(text));

    // Few characters, so that versions are alike, with epochs and revisions; dpkg wants a digit first.
    private static readonly Gen<string> s_version = Gen.Select(
        Gen.OneOf(Gen.Const(""), Gen.Const("0:"), Gen.Const("1:")), Gen.Char["019"], Gen.Char["019.+~aZ"].Array[0, 5],
        Gen.OneOf(Gen.Const(""), Gen.Char["01.+~a"].Array[1, 4].Select(static revision => "-" + new string(revision))),
        static (epoch, first, rest, revision) => epoch + first + new string(rest) + revision);

    [Fact]
    public void TheOrderIsTotal() => Gen.Select(s_version, s_version, s_version).Sample((a, b, c) =>
    {
        Assert.Equal(Math.Sign(DebVersion.Compare(a, b)), -Math.Sign(DebVersion.Compare(b, a)));
        if (DebVersion.Compare(a, b) <= 0 && DebVersion.Compare(b, c) <= 0)
        {
            Assert.True(DebVersion.Compare(a, c) <= 0, $"{a} <= {b} <= {c}");
        }
    });

    [Fact]
    public void TheOrderIsThatOfDpkg()
    {
        Tool.Require("dpkg");
        const int count = 2000;
        var pairs = new List<(string Left, string Right)>();
        Gen.Select(s_version, s_version).Sample((left, right) => { lock (pairs) { pairs.Add((left, right)); } }, iter: count, threads: 1);
        var input = new StringBuilder();
        foreach (var (left, right) in pairs)
        {
            input.Append(left).Append(' ').Append(right).Append('\n');
        }
        var result = Tool.Run("bash",
            ["-c", "while read -r a b; do if dpkg --compare-versions \"$a\" lt \"$b\"; then echo -1; elif dpkg --compare-versions \"$a\" eq \"$b\"; then echo 0; else echo 1; fi; done"],
            null, Encoding.ASCII.GetBytes(input.ToString()));
        string[] orders = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(pairs.Count, orders.Length);
        string[] wrong = [.. pairs.Zip(orders).Where(pair => Math.Sign(DebVersion.Compare(pair.First.Left, pair.First.Right))
            .ToString(System.Globalization.CultureInfo.InvariantCulture) != pair.Second).Select(pair => $"{pair.First}: {pair.Second}")];
        Assert.Empty(wrong);
        Assert.Contains("-1", orders);
        Assert.Contains("0", orders);
    }
}
