namespace Diecast.Packages.Apt;

/// <summary>What is decided about a name while packages are chosen.</summary>
internal sealed class AptState(PackageName name)
{
    public PackageName Name => name;

    /// <summary>The version that may be installed; null once it has turned out that it cannot be.</summary>
    public AptPackage? Candidate { get; set; } = PackagePool.Candidate(name);

    /// <summary>The version that is to be there in the end.</summary>
    public AptPackage? Install { get; set; }

    /// <summary>The version that an earlier step has installed: it stays.</summary>
    public AptPackage? Installed { get; set; }

    /// <summary>Whether the decision stands: only its own request may change it.</summary>
    public bool IsProtected { get; set; }

    /// <summary>Whether it was asked for, and not only needed by something else.</summary>
    public bool IsExplicit { get; set; }

    /// <summary>What its being chosen goes back to; null for what was asked for.</summary>
    public AptPackage? NeededBy { get; set; }

    /// <summary>Why it was given up, to explain an error.</summary>
    public AptFailure? Failure { get; set; }

    public bool IsNew => Install is not null && Installed is null;
}

/// <summary>Why a package cannot be installed.</summary>
/// <param name="Package">Which cannot be.</param>
/// <param name="Dependency">That cannot be satisfied; null where another package stands in the way.</param>
/// <param name="Opponent">The package that does.</param>
internal sealed record AptFailure(AptPackage Package, AptDependency? Dependency, AptPackage? Opponent);

/// <summary>The decisions about all names, and what they mean for relationships.</summary>
internal sealed class AptSelection(PackagePool pool)
{
    private readonly AptState?[] _states = new AptState?[pool.Count];

    public PackagePool Pool => pool;

    public AptState this[PackageName name] => _states[name.Order] ??= new AptState(name);

    /// <summary>Those that were looked at, in the order of the names.</summary>
    public IEnumerable<AptState> States => _states.OfType<AptState>();

    /// <summary>Whether what is to be installed fits one of the alternatives, or for a conflict none of them.</summary>
    public bool IsSatisfied(AptState owner, AptDependency dependency)
    {
        foreach (var relation in dependency.Alternatives)
        {
            if (FindInstalled(relation, dependency.IsNegative ? owner.Name : null) is not null)
            {
                return !dependency.IsNegative;
            }
        }
        return dependency.IsNegative;
    }

    /// <summary>What is to be installed and fits, as itself or by a provision.</summary>
    /// <param name="ignored">A package does not conflict with itself or with what it provides.</param>
    public AptPackage? FindInstalled(PackageRelation relation, PackageName? ignored)
    {
        if (pool.Find(relation.Name) is not { } target)
        {
            return null;
        }
        if (target != ignored && _states[target.Order]?.Install is { } install && relation.Accepts(install.Version))
        {
            return install;
        }
        foreach (var provision in target.Providers)
        {
            if (provision.OwnerName != ignored && _states[provision.OwnerName.Order]?.Install == provision.Owner
                && relation.Accepts(provision.Version))
            {
                return provision.Owner;
            }
        }
        return null;
    }

    /// <summary>All that is to be installed and fits.</summary>
    public IEnumerable<AptState> AllInstalled(PackageRelation relation)
    {
        if (pool.Find(relation.Name) is not { } target)
        {
            yield break;
        }
        if (_states[target.Order] is { Install: { } install } state && relation.Accepts(install.Version))
        {
            yield return state;
        }
        foreach (var provision in target.Providers)
        {
            if (_states[provision.OwnerName.Order] is { } owner && owner.Install == provision.Owner && relation.Accepts(provision.Version))
            {
                yield return owner;
            }
        }
    }

    /// <summary>Whether one of the alternatives is there or could be.</summary>
    public bool IsSatisfiable(AptState owner, AptDependency dependency)
    {
        foreach (var relation in dependency.Alternatives)
        {
            if (FindInstalled(relation, null) is not null || Candidates(relation, owner.Name, isNegative: false).Count > 0)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>The first relationship without which the package does not work; null where all are in order.</summary>
    public AptDependency? Broken(AptState state, bool recommends)
    {
        if (state.Install is { } install)
        {
            foreach (var dependency in install.Dependencies)
            {
                if ((dependency.IsCritical || (recommends && dependency.Kind == DependencyKind.Recommends)) && !IsSatisfied(state, dependency))
                {
                    return dependency;
                }
            }
        }
        return null;
    }

    /// <summary>
    /// The candidates that fit one of the alternatives, in the order in which APT tries them: what is installed, then by
    /// alternatives, and of each by <see cref="ComparePreference"/>.
    /// </summary>
    public List<AptState> Solutions(AptState owner, AptDependency dependency)
    {
        var installed = new List<AptState>();
        var others = new List<AptState>();
        foreach (var relation in dependency.Alternatives)
        {
            var found = Candidates(relation, owner.Name, dependency.IsNegative);
            if (found.Count > 1)
            {
                var target = pool.Find(relation.Name)!;
                found.Sort((left, right) => ComparePreference(left, right, target));
            }
            foreach (var state in found)
            {
                var list = state.Installed is null ? others : installed;
                if (!list.Contains(state) && (dependency.IsNegative || !(state.IsProtected && state.Install is null)))
                {
                    list.Add(state);
                }
            }
        }
        installed.AddRange(others);
        return installed;
    }

    private List<AptState> Candidates(PackageRelation relation, PackageName owner, bool isNegative)
    {
        var found = new List<AptState>();
        if (pool.Find(relation.Name) is not { } target)
        {
            return found;
        }
        var ignored = isNegative ? owner : null;
        if (target != ignored && target.Versions.Count > 0 && this[target].Candidate is { } candidate && relation.Accepts(candidate.Version))
        {
            found.Add(this[target]);
        }
        foreach (var provision in target.Providers)
        {
            if (provision.OwnerName != ignored && this[provision.OwnerName] is var state && state.Candidate == provision.Owner
                && relation.Accepts(provision.Version) && !found.Contains(state))
            {
                found.Add(state);
            }
        }
        return found;
    }

    /// <summary>Which of two candidates APT tries first for a relationship to a name (CompareProviders in its depcache.cc).</summary>
    private static int ComparePreference(AptState left, AptState right, PackageName target)
    {
        AptPackage a = left.Candidate!;
        AptPackage b = right.Candidate!;
        int order = right.IsProtected.CompareTo(left.IsProtected);
        order = order != 0 ? order : (right.Installed is not null).CompareTo(left.Installed is not null);
        order = order != 0 ? order : (right.Name == target).CompareTo(left.Name == target);
        order = order != 0 ? order : b.IsEssential.CompareTo(a.IsEssential);
        order = order != 0 ? order : b.IsProtected.CompareTo(a.IsProtected);
        order = order != 0 ? order : a.Priority.CompareTo(b.Priority);
        // Nothing speaks for either: the one that the indexes mention later.
        return order != 0 ? order : right.Name.Order.CompareTo(left.Name.Order);
    }
}
