using Diecast.Inspect.Differences;

namespace Diecast.Inspect.Verification;

/// <summary>
/// Finds which condition causes which difference: by two builds under the same ordinary conditions, two with a clock that
/// stands still, and one under each variation alone.
/// </summary>
internal sealed class Bisection(VerifyRequest request, Rebuilder rebuilder)
{
    /// <summary>A thing that differs, by its place in the tree of differences.</summary>
    private readonly record struct Leaf(string Path, string Field);

    /// <param name="image">Null where there is none here: then the difference is to an ordinary build.</param>
    /// <param name="varied">What differs from it.</param>
    /// <param name="variations">The conditions of that.</param>
    public (Difference? Difference, IReadOnlyList<Finding> Findings) Explain(string? image, Rebuilt varied, IReadOnlyList<Variation> variations)
    {
        Say("Looking for the cause: two builds under the same conditions");
        var ordinary = rebuilder.Build([]);
        var difference = request.Compare(image ?? ordinary.Path, varied.Path);
        var leaves = Leaves(difference);
        var everyRun = Compare(ordinary, rebuilder.Build([]));
        var random = everyRun.Count > 0 ? WithFrozenClock() : [];
        var otherImage = image is null ? [] : Leaves(request.Compare(image, ordinary.Path)).Except(everyRun).ToHashSet();

        var open = leaves.Where(leaf => !everyRun.Contains(leaf) && !otherImage.Contains(leaf)).ToList();
        var causes = open.Count == 0 ? [] : Alone(ordinary, variations);
        return (difference, [.. leaves.Select(leaf =>
            otherImage.Contains(leaf) ? new Finding(leaf.Path, leaf.Field, FindingKind.OtherImage, [])
            : everyRun.Contains(leaf) ? EveryRun(leaf, random)
            : ByVariations(leaf, causes))]);
    }

    private static Finding EveryRun(Leaf leaf, HashSet<Leaf>? random) =>
        random is null ? new Finding(leaf.Path, leaf.Field, FindingKind.EveryRunOrTime, [])
        : random.Contains(leaf) ? new Finding(leaf.Path, leaf.Field, FindingKind.EveryRun, [])
        : new Finding(leaf.Path, leaf.Field, FindingKind.TimePasses, ["time"]);

    private static Finding ByVariations(Leaf leaf, IReadOnlyList<(string Name, HashSet<Leaf> Leaves)> causes)
    {
        string[] names = [.. causes.Where(cause => cause.Leaves.Contains(leaf)).Select(static cause => cause.Name)];
        return new Finding(leaf.Path, leaf.Field, names.Length > 0 ? FindingKind.Variations : FindingKind.Combination, names);
    }

    /// <summary>What differs between builds at one and the same instant; null without libfaketime.</summary>
    private HashSet<Leaf>? WithFrozenClock()
    {
        if (VariationTable.FrozenClock(rebuilder.Directory) is not { } frozen)
        {
            return null;
        }
        Say("Looking for the cause: two builds with a clock that stands still");
        var one = rebuilder.Build([frozen]);
        var leaves = Compare(one, rebuilder.Build([frozen]));
        Rebuilder.Discard(one);
        // A clock that was not held has not told time from chance.
        return one.Lost.Count > 0 ? null : leaves;
    }

    private List<(string Name, HashSet<Leaf> Leaves)> Alone(Rebuilt ordinary, IReadOnlyList<Variation> variations)
    {
        var all = new List<(string, HashSet<Leaf>)>();
        foreach (var variation in variations)
        {
            Say($"Looking for the cause: {variation.Name} alone");
            all.Add((variation.Name, Compare(ordinary, rebuilder.Build([variation]))));
        }
        return all;
    }

    /// <summary>What differs between a build and another, which is not needed any more then.</summary>
    private HashSet<Leaf> Compare(Rebuilt one, Rebuilt other)
    {
        HashSet<Leaf> leaves = one.Sha256 == other.Sha256 ? [] : [.. Leaves(request.Compare(one.Path, other.Path))];
        Rebuilder.Discard(other);
        return leaves;
    }

    private void Say(string stage) => request.Build.Report.Stage(stage);

    private static List<Leaf> Leaves(Difference? root)
    {
        var leaves = new List<Leaf>();
        if (root is not null)
        {
            Collect(root, "", leaves);
        }
        return leaves;
    }

    private static void Collect(Difference difference, string path, List<Leaf> leaves)
    {
        foreach (var field in difference.Fields.Where(static field => field.Cause is not { IsFollowing: true }))
        {
            leaves.Add(new Leaf(path, field.Structure is { } structure ? $"{structure} {field.Name}" : field.Name));
        }
        // The bytes of a container are those of what is in it.
        bool hasContent = difference.Change != Change.Changed || (difference.Lines.Count > 0 && difference.Children.Count == 0);
        if (hasContent || (difference.Fields.Count == 0 && difference.Children.Count == 0))
        {
            leaves.Add(new Leaf(path, ""));
        }
        foreach (var child in difference.Children.Where(static child => !child.IsFollowing))
        {
            Collect(child, path.Length == 0 ? child.Name : $"{path} {child.Name}", leaves);
        }
    }
}
