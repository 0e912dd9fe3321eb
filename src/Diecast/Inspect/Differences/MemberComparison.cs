using Diecast.Formats;
using Diecast.Images;

namespace Diecast.Inspect.Differences;

/// <summary>Compares the headers of two archives' members, which are matched by path, and their order.</summary>
internal sealed class MemberComparison(Comparison comparison, string kind, FileDifferences files)
{
    /// <summary>Headers that are longer are compared by their fields, not by their bytes.</summary>
    private const int MostBytes = 64 << 10;

    /// <summary>The first of the members of both archives that stands at another place among them, or null.</summary>
    public FieldChange? Order { get; private set; }

    public void Compare(IEnumerable<ArchiveMember> before, IEnumerable<ArchiveMember> after)
    {
        // Of a path that comes again, the first belongs to the first.
        var right = after.ToList();
        var places = new Dictionary<string, Queue<int>>(StringComparer.Ordinal);
        for (int i = 0; i < right.Count; i++)
        {
            if (!places.TryGetValue(right[i].Path, out var queue))
            {
                places.Add(right[i].Path, queue = new Queue<int>(1));
            }
            queue.Enqueue(i);
        }
        var matched = new List<(string Path, int Place)>();
        foreach (var member in before)
        {
            comparison.Options.Cancellation.ThrowIfCancellationRequested();
            if (places.TryGetValue(member.Path, out var queue) && queue.TryDequeue(out int place))
            {
                matched.Add((member.Path, place));
                Compare(member, right[place]);
            }
        }
        FindOrder(matched, right);
    }

    private void FindOrder(List<(string Path, int Place)> matched, List<ArchiveMember> right)
    {
        int[] order = [.. matched.Select(static member => member.Place).Order(Comparer<int>.Default)];
        int first = Enumerable.Range(0, order.Length).FirstOrDefault(i => order[i] != matched[i].Place, -1);
        if (first >= 0)
        {
            var (from, to) = (Show(matched[first].Path), Show(right[order[first]].Path));
            Order = new FieldChange("order", from, to) { Cause = Causes.OfField(kind, null, null, "order", from, to) };
        }

        string Show(string path) => $"{Comparison.Number(order.Length)} members, number {Comparison.Number(first + 1)} is {path}";
    }

    private void Compare(ArchiveMember before, ArchiveMember after)
    {
        if (HaveSameBytes(before.Header, after.Header))
        {
            return;
        }
        DifferenceBuilder? found = null;
        foreach (var change in Comparison.Fields(kind, before.Path, null, before.Fields(), after.Fields()))
        {
            if (found is null && !comparison.Budget.Take())
            {
                return;
            }
            found ??= files.Of(before.Path);
            if (!SameField.IsTold(found.Fields, change))
            {
                found.Add(change);
            }
        }
    }

    private static bool HaveSameBytes(Blob before, Blob after) => before.Length == after.Length && before.Length <= MostBytes
        && before.ReadBytes(0, (int)before.Length).AsSpan().SequenceEqual(after.ReadBytes(0, (int)after.Length));
}
