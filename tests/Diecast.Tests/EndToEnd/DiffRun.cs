using System.Text.Json;
using Diecast.Tests.Support;

namespace Diecast.Tests.EndToEnd;

/// <summary>What <c>diecast diff --json</c> said of two images.</summary>
internal sealed class DiffRun
{
    private readonly JsonElement _report;

    private DiffRun(JsonElement report) => _report = report;

    /// <summary>How often each cause was named; "unknown" is one of them.</summary>
    public Dictionary<string, long> Causes => _report.GetProperty("causes").EnumerateArray().ToDictionary(
        static cause => cause.GetProperty("id").GetString()!, static cause => cause.GetProperty("count").GetInt64(), StringComparer.Ordinal);

    public long DifferingBytes => _report.GetProperty("differing_bytes").GetInt64();

    /// <summary>Of all fields: where it is ("2 (root)/…"), its name and its cause.</summary>
    public IEnumerable<(string Place, string Field, string? Cause)> Fields => FieldsOf(_report.GetProperty("difference"), "");

    /// <summary>Places and first lines of what has no cause, for messages.</summary>
    public string Unknown => string.Join('\n', UnknownIn(_report.GetProperty("difference"), "").Take(40));

    /// <summary>Compares two images that differ.</summary>
    public static DiffRun Of(string before, string after)
    {
        var result = Tool.Run(Fixture.Executable, "diff", "--json", before, after);
        Assert.True(result.ExitCode == 1, $"exit {result.ExitCode}: {result.Errors}");
        return new DiffRun(JsonDocument.Parse(result.Output).RootElement);
    }

    private static IEnumerable<(string Place, string Field, string? Cause)> FieldsOf(JsonElement node, string place)
    {
        place = $"{place}/{node.GetProperty("name").GetString()}";
        foreach (var field in Items(node, "fields"))
        {
            yield return (place, field.GetProperty("name").GetString()!, Text(field, "cause"));
        }
        foreach (var inner in Items(node, "children").SelectMany(child => FieldsOf(child, place)))
        {
            yield return inner;
        }
    }

    private static IEnumerable<string> UnknownIn(JsonElement node, string place)
    {
        place = $"{place}/{node.GetProperty("name").GetString()}";
        foreach (var field in Items(node, "fields").Where(static field => Text(field, "cause") is null))
        {
            yield return $"{place}: {Text(field, "structure")} {Text(field, "name")}: {Text(field, "before")} -> {Text(field, "after")}";
        }
        bool hasOwn = node.TryGetProperty("lines", out _) || node.TryGetProperty("change", out _) || node.GetProperty("kind").GetString() == "bytes";
        if (hasOwn && Text(node, "cause") is null)
        {
            yield return $"{place}: {string.Join(" | ", Items(node, "lines").Take(4))}";
        }
        foreach (string inner in Items(node, "children").SelectMany(child => UnknownIn(child, place)))
        {
            yield return inner;
        }
    }

    private static JsonElement.ArrayEnumerator Items(JsonElement node, string name) =>
        node.TryGetProperty(name, out var items) ? items.EnumerateArray() : default;

    private static string? Text(JsonElement node, string name) =>
        node.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
