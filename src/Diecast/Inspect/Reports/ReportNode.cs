using System.Security.Cryptography;
using System.Text;
using Diecast.Inspect.Differences;

namespace Diecast.Inspect.Reports;

/// <summary>How much of a comparison a page holds.</summary>
/// <param name="Each">The most items, fields and lines in one item; those that merely follow from others count apart.</param>
internal sealed record ReportLimits(int Each)
{
    /// <summary>Of items on the page: with more, browsers become slow.</summary>
    public int Nodes { get; init; } = 20_000;

    /// <summary>Of fields and lines on the page.</summary>
    public int Rows { get; init; } = 100_000;

    /// <summary>Whole levels of the tree are open at first, as long as these are not more items.</summary>
    public int OpenNodes { get; init; } = 250;
}

/// <summary>The first of some, and how many the others are.</summary>
internal readonly record struct Part<T>(IReadOnlyList<T> Shown, int Omitted)
{
    public bool IsEmpty => Shown.Count == 0 && Omitted == 0;
}

/// <summary>A difference as a page shows it, with limits applied. What only follows from other differences is kept apart.</summary>
internal sealed class ReportNode
{
    private static readonly Part<ReportNode> s_none = new([], 0);

    private readonly byte[] _path;

    private ReportNode(Difference difference, byte[] path, int depth)
    {
        Difference = difference;
        _path = path;
        Depth = depth;
    }

    public Difference Difference { get; }

    /// <summary>0 is the root.</summary>
    public int Depth { get; }

    /// <summary>Comes from the names on the way to it, so that a link into one report leads into the next as well.</summary>
    public string Id { get; private set; } = "";

    public Part<FieldChange> Fields { get; private set; }

    public Part<FieldChange> FollowingFields { get; private set; }

    public Part<string> Lines { get; private set; }

    public Part<ReportNode> Children { get; private set; } = s_none;

    public Part<ReportNode> FollowingChildren { get; private set; } = s_none;

    public bool HasDetails =>
        !(Fields.IsEmpty && FollowingFields.IsEmpty && Lines.IsEmpty && Difference.Notes.Count == 0 && Children.IsEmpty && FollowingChildren.IsEmpty);

    /// <summary>Takes level after level, so that what is left out is deep and never a whole partition.</summary>
    public static (ReportNode Root, int Count, int OpenDepth) Of(Difference root, ReportLimits limits)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        int rows = limits.Rows;
        var first = new ReportNode(root, [], 0);
        var queue = new List<ReportNode> { first };
        int openDepth = 1;
        for (int i = 0; i < queue.Count; i++)
        {
            var node = queue[i];
            openDepth = i < limits.OpenNodes ? node.Depth : Math.Min(openDepth, Math.Max(1, node.Depth - 1));
            node.SetId(ids);
            node.TakeRows(limits.Each, ref rows);
            node.TakeChildren(limits, queue);
        }
        return (first, queue.Count, openDepth);
    }

    private void SetId(Dictionary<string, int> ids)
    {
        string id = "n" + Convert.ToHexStringLower(_path.AsSpan(0, Math.Min(5, _path.Length)));
        int same = ids[id] = ids.GetValueOrDefault(id) + 1;
        Id = same == 1 ? id : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{id}-{same}");
    }

    private void TakeRows(int each, ref int left)
    {
        Fields = Take([.. Difference.Fields.Where(static field => field.Cause is not { IsFollowing: true })], each, ref left);
        Lines = Take(Difference.Lines, each, ref left);
        FollowingFields = Take([.. Difference.Fields.Where(static field => field.Cause is { IsFollowing: true })], each, ref left);
    }

    private void TakeChildren(ReportLimits limits, List<ReportNode> queue)
    {
        Children = Part(following: false);
        FollowingChildren = Part(following: true);

        Part<ReportNode> Part(bool following)
        {
            var all = Difference.Children.Where(child => child.IsFollowing == following).ToList();
            int left = limits.Nodes - queue.Count;
            var part = Take(all, limits.Each, ref left);
            var nodes = part.Shown.Select(child => new ReportNode(child, PathOf(child), Depth + 1)).ToList();
            queue.AddRange(nodes);
            return new Part<ReportNode>(nodes, part.Omitted);
        }
    }

    private byte[] PathOf(Difference child) => SHA256.HashData([.. _path, .. Encoding.UTF8.GetBytes($"{child.Kind}\0{child.Name}")]);

    private static Part<T> Take<T>(IReadOnlyList<T> all, int each, ref int left)
    {
        int taken = Math.Min(all.Count, Math.Min(each, left));
        left -= taken;
        return new Part<T>(taken == all.Count ? all : [.. all.Take(taken)], all.Count - taken);
    }
}
