using System.Collections.Immutable;

namespace Diecast.Packages.Pacman;

public sealed record ResolvedPackage(SyncPackage Package, InstallReason Reason);

/// <summary>The packages in the order in which they are installed.</summary>
public sealed record Resolution(ImmutableArray<ResolvedPackage> Packages, ImmutableArray<string> Warnings);

/// <summary>
/// Chooses the packages that an empty root needs, as <c>pacman -S --noconfirm</c> does (_alpm_sync_prepare in libalpm): it
/// never goes back on a choice, and of several providers it takes the first.
/// </summary>
public sealed class Resolver
{
    private readonly IReadOnlyList<SyncDatabase> _databases;
    private readonly ILookup<string, Dependency> _assumed;
    private readonly List<string> _errors = [];
    private readonly List<string> _warnings = [];

    // In the order of choice, and by name with what brought each in; that is null for a target.
    private readonly List<SyncPackage> _chosen = [];
    private readonly PackageIndex _chosenIndex = new([]);
    private readonly Dictionary<string, (SyncPackage Package, SyncPackage? NeededBy)> _chosenByName = new(StringComparer.Ordinal);

    private Resolver(IReadOnlyList<SyncDatabase> databases, IEnumerable<string> assumed)
    {
        _databases = databases;
        _assumed = assumed.Select(Dependency.Parse).ToLookup(static item => item.Name, StringComparer.Ordinal);
    }

    /// <param name="databases">In the order of the configuration: an earlier one wins.</param>
    /// <param name="targets">Names, groups, provisions, each with a version constraint or not, also as <c>repository/name</c>.</param>
    /// <param name="assumeInstalled">Provisions that are there without a package, such as <c>initramfs</c>.</param>
    /// <param name="architectures">Those that packages may have, besides "any"; null for all.</param>
    /// <exception cref="PackageException">There is no such set; each error names the packages that lead to it.</exception>
    public static Resolution Resolve(
        IReadOnlyList<SyncDatabase> databases, IEnumerable<string> targets, IEnumerable<string> assumeInstalled,
        IReadOnlyCollection<string>? architectures = null) =>
        Resolve(databases, targets, assumeInstalled, architectures, checkConflicts: true);

    // Where pacman only prints the packages, which is what it can be compared by, it does not look for conflicts.
    internal static Resolution Resolve(
        IReadOnlyList<SyncDatabase> databases, IEnumerable<string> targets, IEnumerable<string> assumeInstalled,
        IReadOnlyCollection<string>? architectures, bool checkConflicts)
    {
        var resolver = new Resolver(databases, assumeInstalled);
        var explicitly = resolver.FindTargets(targets);
        resolver.ThrowOnErrors();
        var preferred = new PackageIndex(explicitly);
        foreach (var target in explicitly)
        {
            resolver.Choose(target, preferred);
        }
        resolver.ThrowOnErrors();
        resolver.CheckFileNames();
        resolver.CheckArchitectures(architectures);
        var kept = checkConflicts ? resolver.DropConflicting() : resolver._chosen;
        resolver.ThrowOnErrors();
        resolver.CheckDependencies(kept);
        resolver.ThrowOnErrors();
        var targetNames = explicitly.Select(static package => package.Name).ToHashSet(StringComparer.Ordinal);
        var ordered = InstallOrder.Sort(kept, resolver._warnings);
        return new Resolution(
            [.. ordered.Select(package => new ResolvedPackage(
                package, targetNames.Contains(package.Name) ? InstallReason.Explicit : InstallReason.Dependency))],
            [.. resolver._warnings]);
    }

    private List<SyncPackage> FindTargets(IEnumerable<string> targets)
    {
        var found = new List<SyncPackage>();
        var byName = new Dictionary<string, SyncPackage>(StringComparer.Ordinal);
        foreach (string target in targets)
        {
            foreach (var package in FindTarget(target))
            {
                if (byName.TryAdd(package.Name, package))
                {
                    found.Add(package);
                }
                else if (byName[package.Name] != package)
                {
                    _errors.Add($"{target}: both {byName[package.Name]} and {package} are asked for");
                }
            }
        }
        return found;
    }

    private List<SyncPackage> FindTarget(string target)
    {
        int slash = target.IndexOf('/', StringComparison.Ordinal);
        var databases = _databases;
        string name = target;
        if (slash > 0)
        {
            name = target[(slash + 1)..];
            databases = [.. _databases.Where(database => database.Repository == target[..slash])];
            if (databases.Count == 0)
            {
                _errors.Add($"{target}: there is no repository {target[..slash]}");
                return [];
            }
        }
        if (Find(Dependency.Parse(name), databases, static _ => false) is { } package)
        {
            return [package];
        }
        var members = new Dictionary<string, SyncPackage>(StringComparer.Ordinal);
        var group = databases.SelectMany(database => database.Group(name))
            .Where(member => members.TryAdd(member.Name, member)).ToList();
        if (group.Count == 0)
        {
            _errors.Add($"{target}: there is no package, provider or group of this name");
        }
        return group;
    }

    /// <summary>By name, else the first provider; in the order of the databases.</summary>
    private static SyncPackage? Find(Dependency wanted, IReadOnlyList<SyncDatabase> databases, Func<string, bool> excluded)
    {
        var literal = databases.Select(database => database.Find(wanted.Name))
            .FirstOrDefault(package => package is not null && wanted.Accepts(package.Name, package.Version) && !excluded(package.Name));
        return literal ?? databases.SelectMany(database => database.Providers(wanted.Name))
            .FirstOrDefault(package => package.Name != wanted.Name && package.Provides.Any(wanted.Accepts) && !excluded(package.Name));
    }

    /// <summary>Chooses a target and, depth first, what it needs. With a stack of its own: a chain can be long.</summary>
    private void Choose(SyncPackage target, PackageIndex preferred)
    {
        var pending = new Stack<(SyncPackage Package, int Next)>();
        Add(target, null);
        while (pending.TryPop(out var step))
        {
            if (step.Next == step.Package.Depends.Length)
            {
                continue;
            }
            pending.Push((step.Package, step.Next + 1));
            var dependency = step.Package.Depends[step.Next];
            if (IsAssumed(dependency) || IsChosen(dependency))
            {
                continue;
            }
            var satisfier = preferred.FirstSatisfier(dependency)
                ?? Find(dependency, _databases, _chosenByName.ContainsKey);
            if (satisfier is null)
            {
                _errors.Add($"nothing satisfies {dependency}, which {Chain(step.Package)} needs");
            }
            else
            {
                Add(satisfier, step.Package);
            }
        }

        void Add(SyncPackage package, SyncPackage? neededBy)
        {
            if (_chosenByName.TryAdd(package.Name, (package, neededBy)))
            {
                _chosen.Add(package);
                _chosenIndex.Add(package);
                pending.Push((package, 0));
            }
        }
    }

    private bool IsChosen(Dependency dependency) => _chosenIndex.FirstSatisfier(dependency) is not null;

    private bool IsAssumed(Dependency dependency) => _assumed[dependency.Name].Any(dependency.Accepts);

    private void CheckFileNames()
    {
        var byFile = new Dictionary<string, SyncPackage>(StringComparer.Ordinal);
        foreach (var package in _chosen)
        {
            if (!byFile.TryAdd(package.FileName, package))
            {
                _errors.Add($"{byFile[package.FileName]} and {package} have the same file name, {package.FileName}");
            }
        }
    }

    private void CheckArchitectures(IReadOnlyCollection<string>? architectures)
    {
        foreach (var package in _chosen)
        {
            if (architectures is not null && package.Architecture is { } architecture and not "any" && !architectures.Contains(architecture))
            {
                _errors.Add($"{Chain(package)} is for {architecture}, not for {string.Join(' ', architectures)}");
            }
        }
    }

    /// <summary>
    /// The chosen packages without those that conflict with one that provides them; any other conflict is an error.
    /// </summary>
    private List<SyncPackage> DropConflicting()
    {
        var dropped = new HashSet<SyncPackage>();
        foreach (var (first, second, reason) in FindConflicts())
        {
            if (dropped.Contains(first) || dropped.Contains(second))
            {
                continue;
            }
            bool firstProvides = first.Satisfies(Dependency.Parse(second.Name));
            if (!firstProvides && !second.Satisfies(Dependency.Parse(first.Name)))
            {
                _errors.Add($"{Chain(first)} and {Chain(second)} are in conflict ({reason})");
                continue;
            }
            var (keep, drop) = firstProvides ? (first, second) : (second, first);
            dropped.Add(drop);
            _warnings.Add($"{drop.Name} is not installed: it conflicts with {keep.Name}, which provides it");
        }
        return [.. _chosen.Where(package => !dropped.Contains(package))];
    }

    private List<(SyncPackage First, SyncPackage Second, Dependency Reason)> FindConflicts()
    {
        var conflicts = new List<(SyncPackage, SyncPackage, Dependency)>();
        var seen = new HashSet<(SyncPackage, SyncPackage)>();
        foreach (var package in _chosen)
        {
            foreach (var conflict in package.Conflicts)
            {
                foreach (var other in _chosenIndex.Satisfiers(conflict))
                {
                    if (other != package && seen.Add((package, other)))
                    {
                        conflicts.Add((package, other, conflict));
                    }
                }
            }
        }
        return conflicts;
    }

    // Again, as a conflict may have taken a package out, and a chosen one may have kept out another version.
    private void CheckDependencies(List<SyncPackage> packages)
    {
        var index = new PackageIndex(packages);
        foreach (var package in packages)
        {
            foreach (var dependency in package.Depends)
            {
                if (!IsAssumed(dependency) && index.FirstSatisfier(dependency) is null)
                {
                    _errors.Add($"nothing that is to be installed satisfies {dependency}, which {Chain(package)} needs");
                }
            }
        }
    }

    /// <summary>"foo (needed by bar, needed by baz)".</summary>
    private string Chain(SyncPackage package)
    {
        var names = new List<string>();
        for (var at = _chosenByName[package.Name].NeededBy; at is not null; at = _chosenByName[at.Name].NeededBy)
        {
            names.Add("needed by " + at.Name);
        }
        return names.Count == 0 ? package.Name : $"{package.Name} ({string.Join(", ", names)})";
    }

    private void ThrowOnErrors()
    {
        if (_errors.Count > 0)
        {
            throw new PackageException(_errors);
        }
    }
}
