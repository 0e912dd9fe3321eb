using System.Globalization;
using Diecast.Formats;
using Diecast.Images;

namespace Diecast.Inspect.Differences;

/// <summary>What two blobs are to their parent.</summary>
/// <param name="Kind">"image", "partition", "file", "section".</param>
/// <param name="Name">Within the parent.</param>
/// <param name="Path">Within the nearest tree of files, as in "/etc/shadow"; else empty.</param>
/// <param name="Depth">How many containers are around it.</param>
internal sealed record Subject(string Kind, string Name, string Path, int Depth = 0);

/// <summary>One comparison of two images: goes from container to container.</summary>
internal sealed class Comparison(DiffOptions options)
{
    /// <summary>Deeper than any image nests; a hostile one would nest without end.</summary>
    private const int MaximumDepth = 16;

    public DiffOptions Options { get; } = options;

    public DetailBudget Budget { get; } = new(options.MaximumDetails);

    /// <summary>Compares the bytes, and where they differ what they mean.</summary>
    /// <param name="subject">What they are.</param>
    /// <param name="before">One side.</param>
    /// <param name="after">The other.</param>
    /// <param name="known">Where they differ, if that is known already.</param>
    public Difference? Blobs(Subject subject, Blob before, Blob after, KnownDifferences? known)
    {
        var found = new DifferenceBuilder(subject.Kind, subject.Name);
        return Blobs(subject, found, before, after, known) ? found.Build() : null;
    }

    /// <summary>As the other, into what is known of the two already; says whether the bytes differ.</summary>
    public bool Blobs(Subject subject, DifferenceBuilder found, Blob before, Blob after, KnownDifferences? known)
    {
        Options.Cancellation.ThrowIfCancellationRequested();
        var ranges = known ?? KnownDifferences.Find(before, after);
        if (ranges.AreSame)
        {
            return false;
        }
        found.DifferingBytes = ranges.DifferingBytes;
        found.HasContent = true;
        if (before.Length != after.Length)
        {
            var (from, to) = (Number(before.Length), Number(after.Length));
            found.Add(new FieldChange("size", from, to) { Cause = Causes.OfField(subject.Kind, null, null, "size", from, to) });
        }
        if (subject.Depth >= MaximumDepth || !Contents(subject, found, before, after, ranges))
        {
            Plain(found, before, after);
            found.Cause = Causes.OfContent(subject.Kind, subject.Path, Change.Changed, found.Lines) ?? Causes.OfLayout(subject.Kind, subject.Name);
        }
        if (subject.Depth == 0)
        {
            NoteRefused(found);
        }
        return true;
    }

    public void NoteRefused(DifferenceBuilder found)
    {
        if (Budget.Refused > 0)
        {
            found.Note($"{Number(Budget.Refused)} more differences are only counted");
        }
    }

    /// <summary>Compares the two as containers, and says whether they are such.</summary>
    private bool Contents(Subject subject, DifferenceBuilder found, Blob before, Blob after, KnownDifferences ranges)
    {
        var left = Open(before, subject.Path, "before", found);
        var right = Open(after, subject.Path, "after", found);
        if (left is null || right is null)
        {
            return false;
        }
        try
        {
            if (left.Kind != right.Kind)
            {
                found.Add(new FieldChange("kind", left.Kind, right.Kind));
                return CompareAcross(subject, found, left, right);
            }
            found.Format = left.Kind;
            found.Explain(left.Kind);
            new ContainerComparison(this, subject, found, left, right).Compare(before, after, ranges);
            return true;
        }
        catch (InvalidDataException damage)
        {
            // Found only on the way: what is in found up to here is true, and the bytes follow.
            found.Note($"damaged: {damage.Message}");
            return false;
        }
    }

    /// <summary>Two kinds of archive or file system with the same files in them are worth a comparison of these.</summary>
    private bool CompareAcross(Subject subject, DifferenceBuilder found, Container left, Container right)
    {
        if (left.Tree is null || right.Tree is null)
        {
            return false;
        }
        var files = new FileDifferences();
        new TreeComparison(this, "directory", files, subject.Depth + 1).Compare(left.Tree, right.Tree);
        files.AddTo(found);
        return true;
    }

    private static Container? Open(Blob blob, string path, string side, DifferenceBuilder found)
    {
        try
        {
            return ContainerTable.Open(blob, path);
        }
        catch (InvalidDataException damage)
        {
            found.Note($"{side}: damaged: {damage.Message}");
            return null;
        }
    }

    /// <summary>Bytes that no reader understands: as lines where they are text, else in hexadecimal.</summary>
    public void Plain(DifferenceBuilder found, Blob before, Blob after)
    {
        if (TextDiff.Compare(before, after, Options.MaximumLines) is { } text)
        {
            Show(found, text, "lines");
            return;
        }
        var bytes = HexDiff.Compare(before, after, Options.MaximumLines);
        Show(found, bytes.Diff, "rows");
        foreach (string note in bytes.Notes)
        {
            found.Note(note);
        }
    }

    private static void Show(DifferenceBuilder found, DiffLines lines, string unit)
    {
        found.Lines = lines.Lines;
        if (lines.Omitted > 0)
        {
            found.Note($"{Number(lines.Omitted)} more {unit} differ");
        }
    }

    /// <summary>The fields of the two that differ, matched by name; those with the same name by their order.</summary>
    public static IEnumerable<FieldChange> Fields(
        string kind, string? path, string? structure, IReadOnlyList<NamedField> before, IReadOnlyList<NamedField> after,
        bool haveSameFiles = true)
    {
        var unmatched = after.GroupBy(static field => field.Name).ToDictionary(static group => group.Key, static group => new Queue<string>(group.Select(static field => field.Value)));
        foreach (var field in before)
        {
            string? other = unmatched.TryGetValue(field.Name, out var queue) && queue.TryDequeue(out string? value) ? value : null;
            if (other != field.Value)
            {
                yield return Changed(field.Name, field.Value, other);
            }
        }
        foreach (var (name, queue) in unmatched.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
        {
            foreach (string value in queue)
            {
                yield return Changed(name, null, value);
            }
        }

        FieldChange Changed(string name, string? from, string? to) =>
            new(name, from, to) { Structure = structure, Cause = Causes.OfField(kind, path, structure, name, from, to, haveSameFiles) };
    }

    public static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
