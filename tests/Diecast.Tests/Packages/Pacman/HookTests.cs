using System.Runtime.InteropServices;
using System.Text;
using CsCheck;
using Diecast.Packages.Pacman;
using Diecast.Trees;
using static Diecast.Tests.Packages.Pacman.Choices;

namespace Diecast.Tests.Packages.Pacman;

public sealed partial class HookTests
{
    private const string Good = """
        # a comment
        [Trigger]
        Operation = Install
        Operation = Upgrade
        Type = Path
        Target = usr/lib/*
        Target = !usr/lib/x

        [Action]
        Description = Doing "it"...
        When = PostTransaction
        Exec = /bin/sh -c 'a "b" \'c' d"e f"g \"h \z
        Depends = coreutils>=9
        NeedsTargets
        """;

    [Fact]
    public void ParsesEverySetting()
    {
        var hook = Parse(Good);
        Assert.Equal(HookTime.PostTransaction, hook.When);
        Assert.Equal(HookOperations.Install | HookOperations.Upgrade, hook.Triggers.Single().Operations);
        Assert.True(hook.Triggers.Single().IsPath);
        Assert.Equal(["usr/lib/*", "!usr/lib/x"], hook.Triggers.Single().Targets.Select(Encoding.UTF8.GetString));
        Assert.Equal(["/bin/sh", "-c", "a \"b\" 'c", "de fg", "\"h", "\\z"], hook.Command);
        Assert.Equal("coreutils>=9", hook.Depends.Single().ToString());
        Assert.Equal("Doing \"it\"...", hook.Description);
        Assert.True(hook.NeedsTargets);
        Assert.False(hook.AbortOnFail);
    }

    [Theory]
    [InlineData("[Trigger]\nOperation = Instal\n", "x.hook:2: Operation cannot be Instal", "x.hook:1: this trigger has no Operation")]
    [InlineData("[Trigger]\nType = Package\nOperation = Install\n", "x.hook:1: this trigger has no Target", "x.hook: [Action] needs Exec")]
    [InlineData("[Triger]\n", "x.hook:1: there is no section [Triger]")]
    [InlineData("Exec = a\n", "x.hook:1: Exec stands in no section")]
    [InlineData("[Action]\nWhen = Now\nExec = 'a\nFoo = 1\nDepends\n", "x.hook:2: When cannot be Now", "x.hook:3: Exec is empty", "x.hook:4: there is no setting Foo", "x.hook:5: Depends has no value")]
    public void ErrorsNameTheLine(string text, params string[] errors)
    {
        var error = Assert.Throws<InvalidDataException>(() => Parse(text));
        foreach (string message in errors)
        {
            Assert.Contains(message, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void AnyBytesAreAHookOrInvalid() => Gen.Select(Gen.Int[0, Good.Length - 1], Gen.Byte, Gen.Int[1, 20]).Sample(static change =>
    {
        byte[] bytes = Encoding.UTF8.GetBytes(Good);
        bytes.AsSpan(change.Item1, Math.Min(change.Item3, bytes.Length - change.Item1)).Fill(change.Item2);
        try
        {
            AlpmHook.Parse("x.hook", new FileName("x.hook"), bytes);
        }
        catch (InvalidDataException)
        {
            // As it should be.
        }
    });

    [Fact]
    public void LaterDirectoriesMaskAndNamesSortWithoutTheirSuffix()
    {
        var set = HookSet.Read(
        [
            ("usr", [File("b.hook", Good), File("a-b.hook", Good), File("a.hook", Good), File("masked.hook", Good), File("README", "no hook"), File("over.hook", "[nonsense]")]),
            ("etc", [File("masked.hook", ""), File("over.hook", Good.Replace("Install", "Remove", StringComparison.Ordinal))]),
        ]);
        Assert.Equal(["a.hook", "a-b.hook", "b.hook", "masked.hook", "over.hook"], set.Hooks.Select(static hook => hook.Name.ToString()));
        var transaction = new HookTransaction([new HookPackage("p", [.. Paths("usr/lib/x", "usr/lib/b/c", "usr/lib/a", "usr/bin/a", "usr/lib/a")])], [])
        {
            NoExtract = [.. Paths("usr/lib/b*")],
        };
        var triggered = set.Triggered(HookTime.PostTransaction, transaction).ToList();
        Assert.Equal(["a.hook", "a-b.hook", "b.hook"], triggered.Select(static item => item.Hook.Name.ToString()));
        Assert.Equal("usr/lib/a\n", Encoding.UTF8.GetString(triggered[0].Input));
        Assert.Empty(set.Triggered(HookTime.PreTransaction, transaction));
    }

    [Theory]
    [InlineData("Install", "new")]
    [InlineData("Upgrade", "both")]
    [InlineData("Remove", "old")]
    public void OperationsOnPackages(string operation, string name)
    {
        var set = HookSet.Read([("d", [File("h.hook", $"[Trigger]\nOperation = {operation}\nType = Package\nTarget = *\n[Action]\nWhen = PreTransaction\nExec = x\nNeedsTargets\n")])]);
        var transaction = new HookTransaction([new HookPackage("new", []), new HookPackage("both", [])], [new HookPackage("old", []), new HookPackage("both", [])]);
        Assert.Equal(name + "\n", Encoding.UTF8.GetString(set.Triggered(HookTime.PreTransaction, transaction).Single().Input));
    }

    [Theory]
    [InlineData("*", "a/b", true)]
    [InlineData("usr/*.so", "usr/lib/x/.so", true)]
    [InlineData("[!a]", "/", true)]
    [InlineData("?", "\u00ff", true)]
    [InlineData("[\u00e0-\u00ff]", "\u00e9", true)]
    [InlineData("a\\*", "a*", true)]
    [InlineData("[[a[.1/[\\]]", "]", false)]
    [InlineData("a\\*", "ab", false)]
    public void GlobsCrossSlashes(string pattern, string text, bool matches) =>
        Assert.Equal(matches, Glob.Matches(Encoding.Latin1.GetBytes(pattern), Encoding.Latin1.GetBytes(text)));

    [Fact]
    public void GlobsMatchAsFnmatch()
    {
        int matches = 0;
        var element = OneOf("a", "b", "-", "*", "*", "?", "/", ".", "\\", "\\*", "[", "]", "[ab]", "[!a]", "[^b-]", "[]a]", "[a-c]", "[a", "[[:alpha:]]", "[![:digit:]x]", "[\\]]", "[-a]", "1");
        var pattern = element.Array[0, 7].Select(string.Concat);
        var text = OneOf("a", "b", "c", "/", ".", "-", "]", "[", "*", "\\", "1", "x").Array[0, 7].Select(string.Concat);
        Gen.Select(pattern, text).Sample(pair =>
        {
            bool expected = Fnmatch(pair.Item1, pair.Item2, 0) == 0;
            Interlocked.Add(ref matches, expected ? 1 : 0);
            return expected == Glob.Matches(Encoding.ASCII.GetBytes(pair.Item1), Encoding.ASCII.GetBytes(pair.Item2));
        }, iter: 30_000, time: -1);
        Assert.True(matches > 1000);
    }

    [Fact]
    public void ManyStarsTakeNoTime()
    {
        byte[] pattern = [.. Enumerable.Repeat("*a"u8.ToArray(), 200).SelectMany(static part => part), (byte)'b'];
        Assert.False(Glob.Matches(pattern, Encoding.ASCII.GetBytes(new string('a', 10_000))));
    }

    [Theory]
    [InlineData(false, "usr/share/doc/x", "usr/share/doc/*", "!usr/share/doc/x")]
    [InlineData(true, "usr/share/doc/y", "usr/share/doc/*", "!usr/share/doc/x")]
    [InlineData(true, "usr/share/doc/x", "!usr/share/doc/x", "usr/share/doc/*")]
    [InlineData(true, "!x", "\\!x")]
    [InlineData(false, "x")]
    public void TheLastPatternDecides(bool matches, string path, params string[] patterns) =>
        Assert.Equal(matches, AlpmGlob.MatchesLast([.. Paths(patterns)], Encoding.UTF8.GetBytes(path)));

    private static AlpmHook Parse(string text) => AlpmHook.Parse("x.hook", new FileName("x.hook"), Encoding.UTF8.GetBytes(text));

    private static (FileName, byte[]) File(string name, string text) => (new FileName(name), Encoding.UTF8.GetBytes(text));

    private static IEnumerable<byte[]> Paths(params string[] paths) => paths.Select(Encoding.UTF8.GetBytes);

    [LibraryImport("libc", EntryPoint = "fnmatch", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Fnmatch(string pattern, string text, int flags);
}
