using System.Runtime.InteropServices;
using System.Text;
using CsCheck;
using Diecast.Trees;

namespace Diecast.Tests.Trees;

public sealed partial class GlobTests
{
    [LibraryImport("libc", EntryPoint = "fnmatch", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int FnMatch(string pattern, string name, int flags);

    /// <summary>The C library is the oracle, on patterns and names from a small alphabet so that they meet often.</summary>
    [Fact]
    public void MatchesAsTheCLibraryDoes() =>
        Gen.Select(Gen.Char["ab*?[]!-c"].Array[0, 8], Gen.Char["abc-]!"].Array[0, 6]).Sample((pattern, name) =>
            Glob.Matches(Encoding.ASCII.GetBytes(pattern), Encoding.ASCII.GetBytes(name))
                == (FnMatch(new string(pattern), new string(name), 0) == 0), iter: 20_000);

    [Fact]
    public void StarsDoNotExplode() =>
        Assert.False(Glob.Matches(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("*a", 50)) + "b"), Encoding.ASCII.GetBytes(new string('a', 255))));
}
