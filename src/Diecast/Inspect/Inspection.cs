using System.Text;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Inspect;

/// <summary>A part of a container with what is in it.</summary>
/// <param name="Part">A partition or a section.</param>
/// <param name="Content">What it holds.</param>
public sealed record InspectedPart(Part Part, Inspection Content)
{
    /// <summary>The SHA-256 of a section; null for a partition.</summary>
    public byte[]? Digest { get; init; }

    /// <summary>The text of a section that holds text, without what ends it; null elsewhere.</summary>
    public string? Text { get; init; }
}

/// <summary>A unified kernel image in a file system.</summary>
public sealed record InspectedFile(TreePath Path, Inspection Content);

/// <summary>All that is said about an image, a partition, a section or a file: what it is, what is in it, what is wrong with it.</summary>
public sealed record Inspection
{
    /// <summary>In bytes.</summary>
    public required long Length { get; init; }

    /// <summary>Null where it is damaged or not known.</summary>
    public Container? Container { get; init; }

    /// <summary>What it is where there is no reader for it; null where that is not known either.</summary>
    public string? Unread { get; init; }

    /// <summary>Why it cannot be read; null where it can.</summary>
    public string? Damage { get; init; }

    /// <summary>What is wrong with it and does not keep it from being read.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];

    public Usage? Usage { get; init; }

    public IReadOnlyList<InspectedPart> Parts { get; init; } = [];

    public IReadOnlyList<InspectedFile> Kernels { get; init; } = [];

    /// <summary>Nothing in it is damaged, and the checks find nothing.</summary>
    public bool IsSound => Damage is null && Problems.Count == 0
        && Parts.All(static part => part.Content.IsSound) && Kernels.All(static file => file.Content.IsSound);

    /// <summary>Looks at a blob. Contents of files are not read, but for kernel images.</summary>
    /// <param name="content">Of any kind.</param>
    /// <param name="path">Of the file in its tree, else empty.</param>
    /// <param name="cancellation">Looked at between the things that are inspected.</param>
    public static Inspection Of(Blob content, string path = "", CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        try
        {
            return ContainerTable.Open(content, path) is { } container
                ? Of(container, content, cancellation)
                : new Inspection { Length = content.Length, Unread = Signatures.Content(content) };
        }
        catch (InvalidDataException error)
        {
            return new Inspection { Length = content.Length, Damage = error.Message };
        }
    }

    /// <summary>Looks at what has been opened already.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static Inspection Of(Container container, Blob content, CancellationToken cancellation = default)
    {
        var problems = new List<string>();
        var kernels = new List<InspectedFile>();
        Usage? usage = null;
        Note(problems, () => usage = Usage.Of(container, content));
        Note(problems, () => problems.AddRange(container.Check()));
        if (container is { Kind: "vfat", Tree: { } tree })
        {
            Note(problems, () => AddKernels(kernels, tree, cancellation));
        }
        return new Inspection
        {
            Length = content.Length,
            Container = container,
            Problems = [.. problems.Distinct(StringComparer.Ordinal)],
            Usage = usage,
            Parts = [.. container.Parts.Select(part => container.Kind == "pe" ? Section(part) : new InspectedPart(part, OfPart(container, part, cancellation)))],
            Kernels = kernels,
        };
    }

    /// <summary>A compression is only named: nothing is unpacked for being looked at from outside.</summary>
    private static Inspection OfPart(Container container, Part part, CancellationToken cancellation) =>
        container.Kind == "gpt" ? Of(part.Content, "", cancellation) : new Inspection { Length = 0 };

    private static void Note(List<string> problems, Action look)
    {
        try
        {
            look();
        }
        catch (InvalidDataException error)
        {
            problems.Add(error.Message);
        }
    }

    private static void AddKernels(List<InspectedFile> kernels, FileTree tree, CancellationToken cancellation)
    {
        foreach (var entry in tree.Walk())
        {
            if (entry is { Node: FileNode file, Path: { } path } && EndsWithEfi(path.Name) && Of(file.Content, path.ToString(), cancellation) is var found
                && (found.Damage is not null || found.Parts.Any(static part => part.Part.Name == ".linux")))
            {
                kernels.Add(new InspectedFile(path, found));
            }
        }
    }

    private static bool EndsWithEfi(FileName name) => name.Length > 4 && Ascii.EqualsIgnoreCase(name.Bytes[^4..], ".efi"u8);

    private static InspectedPart Section(Part part) => new(part, new Inspection { Length = part.Content.Length })
    {
        Digest = ImageFile.Hash(part.Content),
        Text = TextOf(part),
    };

    private static string? TextOf(Part part)
    {
        const int longest = 64 << 10;
        bool isText = part.Name.Split('#')[0] is ".osrel" or ".cmdline" or ".uname" or ".sbat" or ".sbom" or ".profile" or ".pcrpkey" or ".pcrsig";
        return isText && part.Content.Length <= longest && part.Content.ReadBytes(0, (int)part.Content.Length) is var bytes
            && System.Text.Unicode.Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes).TrimEnd('\0', '\n') : null;
    }
}
