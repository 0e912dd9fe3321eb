namespace Diecast.Inspect.Differences;

public enum Change
{
    Changed,
    Added,
    Removed,
}

/// <summary>Why two images differ, where it is known, and what to do about it.</summary>
/// <param name="Id">Short and stable, for scripts: "ext4-hash-seed".</param>
/// <param name="Title">"random directory hash seed".</param>
/// <param name="Advice">What to do, in a sentence.</param>
public sealed record Cause(string Id, string Title, string Advice)
{
    /// <summary>Differs only because something else does: a checksum, a place. Told last, or folded away.</summary>
    public bool IsFollowing { get; init; }
}

/// <summary>A field that differs. Null where one side has no such field.</summary>
public sealed record FieldChange(string Name, string? Before, string? After)
{
    /// <summary>The structure that holds the field, where that is not the whole container: "inode 12".</summary>
    public string? Structure { get; init; }

    public Cause? Cause { get; init; }
}

/// <summary>
/// A thing that differs, with the things in it that differ: image, partition, file system, file, section, range of bytes.
/// </summary>
public sealed record Difference
{
    /// <summary>A container's kind, or "partition", "file", "directory", "symlink", "device", "bytes", "text".</summary>
    public required string Kind { get; init; }

    /// <summary>Within its parent: "2 (root-x86-64)", "/etc/shadow", ".initrd", "inode table of group 3".</summary>
    public required string Name { get; init; }

    /// <summary>The kind of container that it is on both sides: "gpt", "ext4", "elf"; null where it is none.</summary>
    public string? Format { get; init; }

    public Change Change { get; init; }

    public IReadOnlyList<FieldChange> Fields { get; init; } = [];

    /// <summary>Lines of text or of hexadecimal, each after ' ', '-' or '+', as in a unified diff.</summary>
    public IReadOnlyList<string> Lines { get; init; } = [];

    public IReadOnlyList<Difference> Children { get; init; } = [];

    /// <summary>What is to be said about it: "the place differs, the content is the same", "120 more lines differ".</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>The cause of the whole; those of fields are with the fields.</summary>
    public Cause? Cause { get; init; }

    /// <summary>How many bytes differ, where that was counted; 0 where it was not.</summary>
    public long DifferingBytes { get; init; }

    /// <summary>Whether its lines are hexadecimal, as nothing understands them any better.</summary>
    public bool HasBytes => Lines.Count > 0 && Lines[0].StartsWith("@@ 0x", StringComparison.Ordinal);

    /// <summary>Whether it stands for an entry in a tree of files.</summary>
    public bool IsFile => Name.StartsWith('/');

    /// <summary>Something of its own differs (content, existence), and neither a cause nor anything in it says why.</summary>
    public bool IsUnexplained => Cause is null && (Change != Change.Changed || Lines.Count > 0
        || (Kind == "bytes" && Fields.Count == 0 && Children.Count == 0));

    /// <summary>All that differs in it merely follows from something else.</summary>
    public bool IsFollowing => !IsUnexplained && (Cause?.IsFollowing ?? true) && Notes.Count == 0
        && Fields.All(static change => change.Cause is { IsFollowing: true }) && Children.All(static child => child.IsFollowing);
}
