using Diecast.Images;

namespace Diecast.Inspect.Differences;

/// <summary>Compares two containers of one kind: their fields, parts and files, and then the bytes that are left.</summary>
internal sealed class ContainerComparison(
    Comparison comparison, Subject subject, DifferenceBuilder found, Container left, Container right)
{
    private readonly FileDifferences _files = new();

    public void Compare(Blob before, Blob after, KnownDifferences ranges)
    {
        if (left.Tree is not null && right.Tree is not null)
        {
            new TreeComparison(comparison, left.Kind, _files, subject.Depth + 1) { Ranges = ranges }.Compare(left.Tree, right.Tree);
        }
        // Counts in a superblock follow from the files, so that these come first.
        foreach (var change in Comparison.Fields(left.Kind, subject.Path, null, left.Fields, right.Fields, _files.TakeSameSpace))
        {
            found.Add(change);
        }
        CompareParts(ranges);
        var members = CompareMembers();
        new Attribution(comparison, found, left, right, _files)
        {
            AreArchives = members is not null, HaveOtherOrder = members?.Order is not null,
        }.Explain(before, after, ranges);
    }

    private MemberComparison? CompareMembers()
    {
        if (left.Members is null || right.Members is null)
        {
            return null;
        }
        var members = new MemberComparison(comparison, left.Kind, _files);
        members.Compare(left.Members(), right.Members());
        if (members.Order is { } order)
        {
            found.Add(order);
        }
        return members;
    }

    private void CompareParts(KnownDifferences ranges)
    {
        foreach (var (before, after) in Match(left.Parts, right.Parts))
        {
            if (before is not null && after is not null)
            {
                found.Add(ComparePart(before, after, ranges));
            }
            else
            {
                var part = before ?? after!;
                found.Add(new DifferenceBuilder(PartKind, NameOf(part)) { Change = before is null ? Change.Added : Change.Removed }.Build());
            }
        }
    }

    private string PartKind => left.Kind switch { "gpt" => "partition", "pe" or "elf" => "section", _ => "part" };

    private static string NameOf(Part part) => part.Aliases.Count == 0 ? part.Name : $"{part.Name} ({part.Aliases[0]})";

    private Difference? ComparePart(Part before, Part after, KnownDifferences ranges)
    {
        var known = before.Offset is { } offset && after.Offset == offset && before.Content.Length == after.Content.Length
            ? ranges.Slice(offset, before.Content.Length) : null;
        var inner = new Subject(PartKind, NameOf(before), subject.Path, subject.Depth + 1);
        var content = comparison.Blobs(inner, before.Content, after.Content, known);
        // A digest of the content says nothing that the content does not.
        FieldChange[] changes = [.. Comparison.Fields(left.Kind, subject.Path, PartKind, before.Fields, after.Fields)
            .Where(static change => change.Name != "sha256").Select(static change => change with { Structure = null })];
        if (changes.Length == 0)
        {
            return content;
        }
        var part = content ?? new Difference { Kind = inner.Kind, Name = inner.Name };
        return part with { Fields = [.. changes, .. part.Fields] };
    }

    /// <summary>Pairs parts by identity, then what is left by name.</summary>
    private static List<(Part? Before, Part? After)> Match(IReadOnlyList<Part> before, IReadOnlyList<Part> after)
    {
        var left = after.ToList();
        var pairs = new (Part? Before, Part? After)[before.Count];
        Pair(static part => part.Identity);
        Pair(static part => part.Name);
        return [.. pairs, .. left.Select(static part => ((Part?)null, (Part?)part))];

        void Pair(Func<Part, string> key)
        {
            for (int i = 0; i < before.Count; i++)
            {
                if (pairs[i].After is null)
                {
                    int match = left.FindIndex(part => key(part) == key(before[i]));
                    pairs[i] = (before[i], match < 0 ? null : left[match]);
                    if (match >= 0)
                    {
                        left.RemoveAt(match);
                    }
                }
            }
        }
    }
}
