using System.Runtime.CompilerServices;
using Diecast.Trees;

namespace Diecast.Formats;

/// <summary>
/// The latest plan of each tree: a tree is frozen, and to check, to measure and to write it takes the same plan. Plans go with
/// their trees.
/// </summary>
/// <param name="make">Makes a plan. The options have no size, which no plan depends on.</param>
internal sealed class PlanCache<TPlan>(Func<FileTree, FileSystemOptions, TPlan> make)
    where TPlan : class
{
    private sealed record Entry(FileSystemOptions Options, TPlan Plan);

    private readonly ConditionalWeakTable<FileTree, Entry> _latest = [];

    public TPlan For(FileTree tree, FileSystemOptions options)
    {
        var unsized = options with { Size = null };
        if (!_latest.TryGetValue(tree, out var entry) || entry.Options != unsized)
        {
            entry = new Entry(unsized, make(tree, unsized));
            _latest.AddOrUpdate(tree, entry);
        }
        return entry.Plan;
    }
}
