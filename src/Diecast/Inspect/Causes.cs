namespace Diecast.Inspect;

/// <summary>Why things differ, where it is known.</summary>
public static class Causes
{
    public static Cause? OfField(string kind, string? path, string? structure, string field, string? before, string? after) => null;

    public static Cause? OfContent(string kind, string path, Change change) => null;

    public static Cause? OfLayout(string kind, string label) => null;
}
