using System.Text;
using Diecast.Packages;
using Diecast.Packages.Apt;

namespace Diecast.Tests.Packages.Apt;

public sealed class AptResolverTests
{
    /// <summary>Packages, each "name version; Field: value; …".</summary>
    internal static AptIndex Index(string name, params string[] packages) => Index(name, 500, packages);

    private static AptIndex Index(string name, int priority, params string[] packages)
    {
        var text = new StringBuilder();
        foreach (string package in packages)
        {
            string[] parts = package.Split("; ");
            string[] identity = parts[0].Split(' ');
            text.Append($"Package: {identity[0]}\nVersion: {(identity.Length > 1 ? identity[1] : "1")}\n");
            if (!package.Contains("Architecture: ", StringComparison.Ordinal))
            {
                text.Append("Architecture: amd64\n");
            }
            text.AppendJoin("", parts[1..].Select(static field => field + "\n")).Append('\n');
        }
        return new AptIndex(name, priority, [name]) { Packages = Encoding.UTF8.GetBytes(text.ToString()), File = name + "/Packages" };
    }

    private static string Resolve(string targets, params string[] packages) => Resolve(targets, false, [Index("main", packages)]);

    private static string Resolve(string targets, bool recommends, AptIndex[] indexes) => string.Join(' ',
        AptResolver.Resolve(new PackagePool(indexes, "amd64"), [.. targets.Split(" then ").Select(step => step.Split(' '))], recommends)
            .Select(resolved => resolved.Package.Name + (resolved.Package.Version == "1" ? "" : "=" + resolved.Package.Version)
                + (resolved.Reason == InstallReason.Explicit ? "!" : "")));

    private static string Fails(string targets, params string[] packages) =>
        Assert.Throws<PackageException>(() => Resolve(targets, packages)).Message;

    [Fact]
    public void DependenciesComeBeforeWhatNeedsThem() => Assert.Equal("d c b a!", Resolve("a",
        "a; Depends: b, c", "b; Pre-Depends: c", "c; Depends: d", "d", "e"));

    [Fact]
    public void InACyclePreDependenciesDecideThenNames()
    {
        Assert.Equal("a b! c", Resolve("b", "c; Depends: a", "b; Depends: c", "a; Depends: b"));
        Assert.Equal("b a! c", Resolve("a", "a; Pre-Depends: b", "b; Depends: c", "c; Depends: a"));
    }

    [Fact]
    public void TheFirstAlternativeThatCanBeInstalledIsTaken()
    {
        Assert.Equal("b a!", Resolve("a", "a; Depends: b | c", "b", "c"));
        Assert.Equal("c a!", Resolve("a", "a; Depends: b | c", "b; Depends: missing", "c"));
        Assert.Equal("c a!", Resolve("a", "a; Depends: b (>= 2) | c", "b", "c"));
        Assert.Equal("a! c!", Resolve("a c", "a; Depends: b | c", "b", "c").Split(' ').Order(StringComparer.Ordinal).Aggregate((x, y) => $"{x} {y}"));
        // What the first has brought in before it failed is not kept.
        Assert.Equal("c a!", Resolve("a", "a; Depends: b | c", "b; Depends: x, y", "x", "y; Depends: missing", "c"));
    }

    [Fact]
    public void ProvidersAreChosenAsAptDoes()
    {
        Assert.Equal("q a!", Resolve("a", "a; Depends: v", "p; Provides: v; Priority: optional", "q; Provides: v; Priority: standard"));
        Assert.Equal("p a!", Resolve("a", "a; Depends: v", "p; Provides: v; Essential: yes", "q; Provides: v; Priority: required"));
        // Nothing speaks for either: the one that is mentioned later.
        Assert.Equal("q a!", Resolve("a", "a; Depends: v", "p; Provides: v", "q; Provides: v"));
        Assert.Equal("p a!", Resolve("a", "a; Depends: v", "x; Suggests: q", "p; Provides: v", "q; Provides: v"));
        Assert.Equal("v a!", Resolve("a", "a; Depends: v", "v", "q; Provides: v; Priority: required"));
    }

    [Fact]
    public void ProvisionsHaveVersions()
    {
        Assert.Equal("p a!", Resolve("a", "a; Depends: v (>= 2)", "p; Provides: v (= 2)", "q; Provides: v", "r; Provides: v (= 1)"));
        Assert.Equal("a needs v (>= 3), of which no repository has that version", Fails("a", "a; Depends: v (>= 3)", "p; Provides: v (= 2)"));
    }

    [Fact]
    public void ArchitecturesAndQualifiersCount()
    {
        Assert.Equal("b a!", Resolve("a", "a; Depends: b:any, c [arm64], d <!nocheck> | b", "b; Multi-Arch: allowed", "d; Architecture: i386"));
        Assert.Equal("a needs b:any, which no repository has", Fails("a", "a; Depends: b:any", "b"));
        Assert.Equal("b a!", Resolve("a", "a; Depends: b:amd64", "b; Architecture: all"));
        Assert.Equal("a needs b, which no repository has", Fails("a", "a; Depends: b", "b; Architecture: i386"));
        Assert.Equal("a!", Resolve("a:amd64", "a"));
    }

    [Fact]
    public void RecommendationsAreLeftOutUnlessAskedFor()
    {
        AptIndex[] indexes = [Index("main", "a; Recommends: b, missing; Suggests: c", "b; Recommends: d", "c", "d")];
        Assert.Equal("a!", Resolve("a", false, indexes));
        Assert.Equal("a! b d", string.Join(' ', Resolve("a", true, indexes).Split(' ').Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void WhatIsOnlyRecommendedGivesWay()
    {
        // x, which y needs, comes later than what conflicts with it and is needed by none.
        AptIndex[] indexes = [Index("main", "a; Depends: b; Recommends: y", "b; Depends: p | x; Recommends: q", "p; Conflicts: x; Depends: q", "q; Conflicts: x", "y; Depends: x", "x")];
        Assert.Equal("a! b x y", string.Join(' ', Resolve("a", true, indexes).Split(' ').Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void AConflictIsAvoidedOrAnError()
    {
        Assert.Equal("c a! x!", Resolve("a x", "a; Depends: b | c", "b; Conflicts: x", "c", "x"));
        Assert.Equal("c a! x!", Resolve("a x", "a; Depends: b | c", "b", "c", "x; Breaks: b (<< 2)"));
        Assert.Equal("p!", Resolve("p", "p; Provides: v; Conflicts: v", "q; Provides: v"));
        Assert.Equal("a! b!", Resolve("a b", "a; Breaks: b (<< 1)", "b"));
        Assert.Equal("x conflicts with b, but b 1 is there too (needed by a)", Fails("a x", "a; Depends: b", "b", "x; Conflicts: b").Split('\n')[^1]);
    }

    [Fact]
    public void AnErrorNamesTheChain()
    {
        Assert.Equal("a needs b; b needs c | d; c needs gone (>= 3), which no repository has",
            Fails("a", "a; Depends: b", "b; Depends: c | d", "c; Depends: gone (>= 3)"));
        Assert.Equal("a: there is no package of this name\nb: there is no package of this name", Fails("a b", "c"));
        Assert.Equal("v: several packages provide it, of which one must be named: p, q", Fails("v", "p; Provides: v", "q; Provides: v"));
        Assert.Equal("p!", Resolve("v", "p; Provides: v"));
        Assert.Equal("a=2: there is no such version, but 1", Fails("a=2", "a"));
    }

    [Fact]
    public void TheCandidateIsTheNewestOfTheHighestPriority()
    {
        AptIndex[] indexes =
        [
            Index("stable", "a 1.0", "b 1.0; Depends: a", "c 1"),
            Index("security", "a 1.0+deb1"),
            Index("backports", 100, "a 2.0; Depends: c (>= 2)", "b 2.0; Depends: a (>= 2.0)", "c 2", "only 2"),
            Index("experimental", 1, "a 3.0", "only 3"),
        ];
        Assert.Equal("a=1.0+deb1 b=1.0!", Resolve("b", false, indexes));
        Assert.Equal("only=2!", Resolve("only", false, indexes));
        Assert.Equal("a=1.0! b=1.0!", Resolve("b a=1.0", false, indexes));
        Assert.Equal("a=3.0!", Resolve("a/experimental", false, indexes));
        // What it needs and the candidates do not have comes along.
        Assert.Equal("c=2 a=2.0 b=2.0!", Resolve("b/backports", false, indexes));
        Assert.Equal("c/security: it is not in this suite, but in stable, backports",
            Assert.Throws<PackageException>(() => Resolve("c/security", false, indexes)).Message);
    }

    [Fact]
    public void AStepKeepsWhatAnEarlierHasInstalled()
    {
        Assert.Equal("base! p! a!", Resolve("?essential base then a", "a; Depends: v", "base", "p; Provides: v; Essential: yes; Priority: optional", "q; Provides: v; Priority: required")
            .Split(' ').OrderBy(name => name switch { "base!" => 0, "p!" => 1, _ => 2 }, Comparer<int>.Default).Aggregate((x, y) => $"{x} {y}"));
        Assert.Equal("a conflicts with base, but base 1 is part of the base", Fails("base then a", "base", "a; Conflicts: base"));
    }

    [Fact]
    public void PatternsFindPackages()
    {
        string[] packages = ["libtss2-a0", "libtss2-b1", "other", "g++"];
        Assert.Equal("libtss2-a0! libtss2-b1!", Resolve("libtss2-*", packages));
        // As a regular expression it would match both.
        Assert.Equal("libtss2-b1!", Resolve("libtss2-[b]*", packages));
        Assert.Equal("libtss2-b1!", Resolve("^libtss2-b[0-9.]+$", packages));
        Assert.Equal("g++!", Resolve("g++ ?exact-name(none)", packages));
        Assert.Equal("?nonsense: only ?essential, ?priority(…) and ?exact-name(…) are known of APT's patterns", Fails("?nonsense", packages));
    }

    [Theory]
    [InlineData("Depends: b (>> )", "expected a version")]
    [InlineData("Depends: b c", "expected a comma")]
    [InlineData("Depends: b (>= 1", "expected )")]
    [InlineData("Depends: b (!= 1)", "expected a version")]
    [InlineData("Depends: (>= 1)", "expected a package name")]
    [InlineData("Depends: b [amd64", "expected an architecture")]
    [InlineData("Depends: b (><1)", "expected <<, <=, =, >= or >>")]
    public void AMalformedRelationshipIsRefusedWhereItMatters(string field, string message)
    {
        var exception = Assert.Throws<InvalidDataException>(() => Resolve("a", "x", $"a; {field}", "b"));
        Assert.StartsWith("main/Packages:8: Depends of a is malformed at ", exception.Message, StringComparison.Ordinal);
        if (!field.Contains("!=", StringComparison.Ordinal))
        {
            Assert.EndsWith(message, exception.Message, StringComparison.Ordinal);
        }
        Assert.Equal("x!", Resolve("x", "x", $"a; {field}"));
    }

    [Fact]
    public void ALongChainIsFollowed()
    {
        string[] packages = [.. Enumerable.Range(0, 4000).Select(i => $"p{i}; Depends: p{i + 1}"), "p4000"];
        Assert.Equal(4001, Resolve("p0", packages).Split(' ').Length);
    }
}
