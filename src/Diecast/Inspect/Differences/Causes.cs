namespace Diecast.Inspect.Differences;

/// <summary>Why things differ, where it is known: what <see cref="CauseRules"/> says, the first rule that holds.</summary>
public static class Causes
{
    /// <summary>The cause of a field that differs, or null where none is known or the values rule it out.</summary>
    /// <param name="kind">The container's, as in <see cref="Container.Kind"/>; the tree's for what a tree says of a file.</param>
    /// <param name="path">Of the file that the field belongs to, as in "/etc/shadow".</param>
    /// <param name="structure">As in <see cref="Formats.FieldSpan.Structure"/>; "partition", "section" or "part" for a part's.</param>
    /// <param name="field">The name of the field.</param>
    /// <param name="before">Its value, null where it is not there.</param>
    /// <param name="after">As before.</param>
    /// <param name="haveSameFiles">Whether the trees' files take the same space, so that no other place follows from them.</param>
    public static Cause? OfField(string kind, string? path, string? structure, string field, string? before, string? after, bool haveSameFiles = true) =>
        before == after
            ? null
            : CauseRules.All.FirstOrDefault(rule => rule.Fields.Any(pattern => pattern.Files.Holds(haveSameFiles)
                && pattern.Holds(kind, path, structure, field, before, after)))?.Cause;

    /// <summary>The cause of a file or a part that differs, is new or is gone.</summary>
    /// <param name="kind">"file", "section", "part", or the kind of the tree that the file is in.</param>
    /// <param name="path">Of the file, as in "/var/log/pacman.log".</param>
    /// <param name="change">What became of it.</param>
    /// <param name="lines">Where the contents differ, as in <see cref="DiffLines.Lines"/>; those of a text tell more.</param>
    public static Cause? OfContent(string kind, string path, Change change, IReadOnlyList<string>? lines = null)
    {
        if (CauseRules.All.FirstOrDefault(rule => rule.Paths.Any(pattern => pattern.Holds(path))) is { } known)
        {
            return known.Cause;
        }
        var pairs = change == Change.Changed && lines is not null ? LinePairs.Of(lines) : [];
        return pairs.Count == 0 ? null : CauseRules.All.FirstOrDefault(rule => rule.Text is { } test && pairs.All(pair => test(pair.Before, pair.After)))?.Cause;
    }

    /// <summary>The cause of bytes that differ in a place that has a label and no field.</summary>
    /// <param name="kind">Of the container.</param>
    /// <param name="label">As in its layout: "ext4 journal".</param>
    /// <param name="haveSameFiles">As before: a directory can then only have them in another order.</param>
    public static Cause? OfLayout(string kind, string label, bool haveSameFiles = true) =>
        CauseRules.All.FirstOrDefault(rule => rule.Labels.Any(pattern => pattern.Files.Holds(haveSameFiles) && pattern.Holds(kind, label)))?.Cause;
}
