using Diecast.Build;
using Diecast.Tests.Support;

namespace Diecast.Tests.Build;

public sealed class CleanUpTests
{
    [Fact]
    public void EveryLeakStandsInTheDocument()
    {
        string[] rows = [.. File.ReadAllLines(Repository.File("docs", "determinism.md")).Where(static line => line.StartsWith("| `", StringComparison.Ordinal))];
        string[] missing = [.. CleanUp.Leaks.Select(static leak => Abbreviated(leak.Pattern))
            .Where(pattern => !rows.Any(row => row.StartsWith($"| `{pattern}` | ", StringComparison.Ordinal)))];
        Assert.Empty(missing);
    }

    /// <summary>A run of one set, as people would write it.</summary>
    private static string Abbreviated(string pattern) =>
        pattern.Replace(string.Concat(Enumerable.Repeat("[0-9a-f]", 32)), "[0-9a-f]{32}", StringComparison.Ordinal);
}
