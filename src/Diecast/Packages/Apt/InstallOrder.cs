using System.Collections.Immutable;

namespace Diecast.Packages.Apt;

/// <summary>The order in which packages are unpacked: a function of the set alone.</summary>
internal sealed class InstallOrder
{
    private const string Base = "base-files";

    private readonly List<DebPackage> _all;
    private readonly ILookup<string, DebPackage> _providers;
    private readonly Dictionary<DebPackage, List<DebPackage>> _needs = [];

    public InstallOrder(IEnumerable<DebPackage> packages)
    {
        _all = [.. packages.OrderBy(static package => package.Name, StringComparer.Ordinal)];
        _providers = _all.SelectMany(static package => package.Provides.SelectMany(static group => group)
            .Select(provided => (provided.Name, package)).Prepend((package.Name, package)))
            .ToLookup(static pair => pair.Item1, static pair => pair.Item2, StringComparer.Ordinal);
    }

    /// <summary>
    /// The essential packages and all that they need: what every script may take for granted. The one with the root's
    /// directories and links comes first.
    /// </summary>
    public IReadOnlyList<DebPackage> Essential()
    {
        var order = Sort(_all.Where(static package => package.IsEssential), []);
        var first = order.Where(static package => package.Name == Base);
        return [.. first, .. order.Where(static package => package.Name != Base)];
    }

    /// <summary>All others, each after what it needs as far as there are no circles.</summary>
    public IReadOnlyList<DebPackage> Others(IReadOnlyCollection<DebPackage> essential) => Sort(_all, [.. essential]);

    /// <summary>What must be configured before a package may be unpacked, each with all that it needs itself.</summary>
    public IReadOnlyList<DebPackage> Before(DebPackage package, IReadOnlySet<DebPackage> configured) =>
        Sort(package.PreDepends.SelectMany(group => Satisfying(group).Take(1)), [.. configured]);

    /// <summary>A package and all that it needs.</summary>
    public IReadOnlyList<DebPackage> Closure(DebPackage package) => Sort([package], []);

    private List<DebPackage> Sort(IEnumerable<DebPackage> wanted, HashSet<DebPackage> seen)
    {
        // By hand and not by recursion: chains of dependencies can be as long as there are packages.
        var order = new List<DebPackage>();
        var path = new Stack<(DebPackage Package, int Next)>();
        foreach (var package in wanted.Where(seen.Add))
        {
            path.Push((package, 0));
            while (path.TryPop(out var top))
            {
                var needs = NeedsOf(top.Package);
                if (top.Next == needs.Count)
                {
                    order.Add(top.Package);
                    continue;
                }
                path.Push((top.Package, top.Next + 1));
                if (seen.Add(needs[top.Next]))
                {
                    path.Push((needs[top.Next], 0));
                }
            }
        }
        return order;
    }

    /// <summary>What a package depends on; where one of several would do, all that are there.</summary>
    private List<DebPackage> NeedsOf(DebPackage package)
    {
        if (!_needs.TryGetValue(package, out var needs))
        {
            needs = [.. package.PreDepends.Concat(package.Depends).SelectMany(Satisfying).Where(other => other != package).Distinct()];
            _needs.Add(package, needs);
        }
        return needs;
    }

    private IEnumerable<DebPackage> Satisfying(ImmutableArray<PackageRelation> group) =>
        group.SelectMany(relation => _providers[DebPackage.NameOf(relation)].Where(other => other.Satisfies(relation, virtually: true)));
}
