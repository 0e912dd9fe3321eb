using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Inspect.Differences;

/// <summary>How much a comparison tells. None of it changes whether two images are called the same.</summary>
public sealed record DiffOptions
{
    /// <summary>The most lines of text or hexadecimal for one file or range.</summary>
    public int MaximumLines { get; init; } = 60;

    /// <summary>The most differences that are told one by one; the others are counted.</summary>
    public int MaximumDetails { get; init; } = 100_000;

    public CancellationToken Cancellation { get; init; }
}

/// <summary>
/// Compares images by what they mean: partition tables, file systems, files and what is in those, down to fields with
/// names. Bytes that differ where none of it does are told with the label of their place.
/// </summary>
public static class ImageDiffer
{
    /// <summary>What differs between two images, or two files, or null where all of their bytes are the same.</summary>
    /// <param name="before">One of them.</param>
    /// <param name="after">The other.</param>
    /// <param name="options">How much is told.</param>
    /// <param name="path">Of a file in its tree, which tells what some kinds of file are: "/etc/shadow".</param>
    public static Difference? Compare(Blob before, Blob after, DiffOptions options, string path = "") =>
        new Comparison(options).Blobs(new Subject(path.Length > 0 ? "file" : "image", "", path), before, after, known: null);

    /// <summary>What differs between two trees, or null where nothing does.</summary>
    public static Difference? Compare(FileTree before, FileTree after, DiffOptions options)
    {
        var found = new DifferenceBuilder("directory", "");
        var files = new FileDifferences();
        var comparison = new Comparison(options);
        new TreeComparison(comparison, "directory", files).Compare(before, after);
        files.AddTo(found);
        comparison.NoteRefused(found);
        return found.IsEmpty ? null : found.Build();
    }
}
