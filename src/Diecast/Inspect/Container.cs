using Diecast.Formats;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Inspect;

/// <summary>A named piece of a container: a partition, a section of a program, what a compression holds.</summary>
/// <param name="Name">Unique in the container: a partition's number, ".initrd".</param>
/// <param name="Content">Its bytes.</param>
public sealed record Part(string Name, Blob Content)
{
    /// <summary>
    /// Where its bytes stand in the container, in bytes; null where they do not as such (they were decoded, or the container
    /// is a table of references).
    /// </summary>
    public long? Offset { get; init; }

    /// <summary>
    /// What it is matched by with a part of another container, where that is not the name: a partition's type and label, as
    /// its number changes when another one is put before it. Need not be unique.
    /// </summary>
    public string Identity { get; init; } = Name;

    /// <summary>Other names that people say for it: a partition's label and type.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>What the container says about it: a partition's id and flags, a section's address.</summary>
    public IReadOnlyList<NamedField> Fields { get; init; } = [];
}

/// <summary>
/// What a reader made of some bytes. Everything that is inspected, reached into or compared is one of these: it has fields,
/// parts or a tree of files, and whatever is in those may be a container again.
/// </summary>
public sealed record Container
{
    /// <summary>"gpt", "ext4", "vfat", "pe", "cpio", "tar", "gzip", "elf", "shadow".</summary>
    public required string Kind { get; init; }

    /// <summary>In the order of the specification. Names may come again.</summary>
    public IReadOnlyList<NamedField> Fields { get; init; } = [];

    public IReadOnlyList<Part> Parts { get; init; } = [];

    public FileTree? Tree { get; init; }

    /// <summary>
    /// The members of an archive in their order, a path as often as it comes: where one is put before the others, all of them
    /// stand elsewhere, and are compared by their path. Null for what is no archive.
    /// </summary>
    public Func<IEnumerable<ArchiveMember>>? Members { get; init; }

    /// <summary>All the bytes, labelled; null where the reader does not know.</summary>
    public Func<Image>? Layout { get; init; }

    /// <inheritdoc cref="FileSystemView.FieldFinder"/>
    public Func<Func<long, FieldSpan?>> FieldFinder { get; init; } = static () => static _ => null;

    /// <inheritdoc cref="FileSystemView.Check"/>
    public Func<IReadOnlyList<string>> Check { get; init; } = static () => [];
}

/// <summary>A kind of container.</summary>
/// <param name="Name">As in <see cref="Container.Kind"/>; a table of kinds (compressions) may give several.</param>
/// <param name="Recognizes">
/// Whether the bytes claim to be of this kind; the path ("/etc/shadow", else "") is that in the tree they come from, for
/// the kinds that have no magic. Reads a few bytes and throws nothing.
/// </param>
/// <param name="Read">Throws InvalidDataException where they are damaged, and nothing else.</param>
public sealed record ContainerKind(string Name, Func<Blob, string, bool> Recognizes, Func<Blob, Container> Read);
