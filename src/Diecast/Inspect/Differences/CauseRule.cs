using System.IO.Enumeration;
using Diecast.Inspect.Kinds;

namespace Diecast.Inspect.Differences;

/// <summary>A known cause and where it is at work.</summary>
internal sealed record CauseRule(string Id, string Title, string Advice)
{
    private const string Following = "follows-";

    public Cause Cause { get; } = new(Id, Title, Advice) { IsFollowing = Id.StartsWith(Following, StringComparison.Ordinal) };

    public IReadOnlyList<FieldPattern> Fields { get; init; } = [];

    /// <summary>Files whose contents, or whose being there, it explains.</summary>
    public IReadOnlyList<PathPattern> Paths { get; init; } = [];

    /// <summary>Whether it explains that a line of a text became another.</summary>
    public Func<string, string, bool>? Text { get; init; }

    public IReadOnlyList<LabelPattern> Labels { get; init; } = [];
}

/// <summary>What must hold of the files of both sides for a difference in a file system's structures to have a cause.</summary>
internal enum Files
{
    Any,

    /// <summary>They take the same space: places differ by themselves.</summary>
    Same,

    /// <summary>Some came, went or changed their size: places follow from that.</summary>
    Other,
}

internal static class FilesExtensions
{
    public static bool Holds(this Files files, bool haveSameFiles) => files == Files.Any || files == Files.Same == haveSameFiles;
}

/// <summary>Fields of some containers. Names are alternatives between '|', in which '*' stands for anything.</summary>
internal sealed record FieldPattern(string Kinds, string Names, Func<string, string, bool> Explains)
{
    /// <summary>As in <see cref="KnownPath"/>; null for any or none.</summary>
    public string? Path { get; init; }

    public string? Structure { get; init; }

    public Files Files { get; init; }

    public bool Holds(string kind, string? path, string? structure, string field, string? before, string? after) =>
        before is not null && after is not null && Patterns.AnyMatches(Kinds, kind) && Patterns.AnyMatches(Names, field)
        && (Structure is null || (structure is not null && Patterns.AnyMatches(Structure, structure)))
        && (Path is null || (path is not null && KnownPath.Matches(Path, path)))
        && Explains(before, after);
}

/// <summary>Files by their path, as in <see cref="KnownPath"/>.</summary>
internal sealed record PathPattern(string Path)
{
    public bool Holds(string path) => KnownPath.Matches(Path, path);
}

/// <summary>Places by their label.</summary>
internal sealed record LabelPattern(string Kinds, string Labels)
{
    public Files Files { get; init; }

    public bool Holds(string kind, string label) => Patterns.AnyMatches(Kinds, kind) && Patterns.AnyMatches(Labels, label);
}

file static class Patterns
{
    public static bool AnyMatches(string alternatives, string text)
    {
        foreach (var range in alternatives.AsSpan().Split('|'))
        {
            if (FileSystemName.MatchesSimpleExpression(alternatives.AsSpan(range), text, ignoreCase: false))
            {
                return true;
            }
        }
        return false;
    }
}
