namespace Diecast.Packages.Apt;

/// <summary>
/// Marks a package and what it needs for installation as APT 2.6 does (pkgDepCache::MarkInstall): depth first, an alternative
/// that fails is given up for the next, and what a package that stays cannot do without stays too.
/// </summary>
internal sealed class AptMarker(AptSelection selection, bool recommends)
{
    /// <summary>Deeper APT does not look either.</summary>
    private const int MaximumDepth = 3000;

    /// <summary>A package that was asked for stays, whatever becomes of its dependencies.</summary>
    public static void Request(AptState state)
    {
        state.IsProtected = true;
        state.IsExplicit = true;
        state.NeededBy = null;
        state.Install = state.Candidate;
    }

    /// <param name="isRequest">Whether it was asked for.</param>
    /// <returns>Whether it can be installed. Where not and it was not asked for, it is not a candidate any more.</returns>
    public bool Install(AptState state, AptPackage? neededBy, int depth, bool isRequest)
    {
        // Its state stands: it may be marked again, to let what it needs stand too.
        bool isChange = state.Install is null || state.Install != state.Candidate;
        if (depth > MaximumDepth || state.Name.Versions.Count == 0 || (isChange && state.IsProtected && !isRequest)
            || state.Candidate is not { } candidate)
        {
            return false;
        }
        if (!state.IsProtected && state.Install == candidate && selection.Broken(state, recommends) is null)
        {
            return true;
        }
        if (FindUnsatisfiable(state, candidate) is { } missing)
        {
            state.Failure = new AptFailure(candidate, missing, null);
            if (!state.IsProtected)
            {
                state.Candidate = null;
                state.Install = state.Installed;
            }
            return false;
        }
        return InstallCandidate(state, candidate, neededBy, depth, isRequest);
    }

    private AptDependency? FindUnsatisfiable(AptState state, AptPackage candidate)
    {
        if (candidate == state.Installed)
        {
            return null;
        }
        foreach (var dependency in candidate.Dependencies)
        {
            if (dependency.IsCritical && !dependency.IsNegative && !selection.IsSatisfiable(state, dependency))
            {
                return dependency;
            }
        }
        return null;
    }

    private bool InstallCandidate(AptState state, AptPackage candidate, AptPackage? neededBy, int depth, bool isRequest)
    {
        bool wasProtected = state.IsProtected;
        bool failEarly = !wasProtected && !isRequest;
        // What is satisfied matters only to a package that stays: then that has to stay too.
        AptDependency[] dependencies = [.. candidate.Dependencies.Where(dependency =>
            (dependency.IsCritical || (recommends && dependency.Kind == DependencyKind.Recommends))
            && (wasProtected || !selection.IsSatisfied(state, dependency)))];
        bool succeeded = RemoveConflicts(state, candidate, dependencies, wasProtected, failEarly);
        if (!succeeded && failEarly)
        {
            return false;
        }
        state.Install = candidate;
        state.NeededBy ??= isRequest ? null : neededBy;
        // Nothing that it needs may push it out again.
        state.IsProtected = true;
        succeeded &= InstallDependencies(state, candidate, dependencies, depth, wasProtected, failEarly);
        state.IsProtected = wasProtected;
        if (!succeeded && failEarly)
        {
            state.Install = state.Installed;
            state.Candidate = state.Installed;
        }
        return succeeded;
    }

    /// <summary>Takes back what is marked already and conflicts with a candidate.</summary>
    private bool RemoveConflicts(AptState state, AptPackage candidate, AptDependency[] dependencies, bool wasProtected, bool failEarly)
    {
        bool succeeded = true;
        foreach (var dependency in dependencies.Where(static dependency => dependency.IsNegative))
        {
            foreach (var other in selection.Solutions(state, dependency))
            {
                if (other.Install is { } present && (other.IsProtected || other.Installed is not null))
                {
                    state.Failure = new AptFailure(candidate, dependency, present);
                    succeeded = false;
                    if (failEarly)
                    {
                        return false;
                    }
                    continue;
                }
                other.Install = null;
                if (wasProtected)
                {
                    other.Failure = new AptFailure(other.Candidate!, null, candidate);
                    other.Candidate = null;
                    other.IsProtected = true;
                }
            }
        }
        return succeeded;
    }

    private bool InstallDependencies(
        AptState state, AptPackage candidate, AptDependency[] dependencies, int depth, bool wasProtected, bool failEarly)
    {
        bool succeeded = true;
        foreach (var dependency in dependencies.Where(static dependency => !dependency.IsNegative))
        {
            if (selection.IsSatisfied(state, dependency))
            {
                if (wasProtected && dependency.IsCritical)
                {
                    succeeded &= Protect(state, candidate, dependency, depth);
                }
                continue;
            }
            if (!InstallOne(state, candidate, dependency, depth, wasProtected) && dependency.IsCritical)
            {
                state.Failure = new AptFailure(candidate, dependency, null);
                succeeded = false;
                if (failEarly)
                {
                    break;
                }
            }
        }
        return succeeded;
    }

    /// <summary>The only package that satisfies a dependency stays where that what depends on it does.</summary>
    private bool Protect(AptState state, AptPackage candidate, AptDependency dependency, int depth)
    {
        if (selection.Solutions(state, dependency) is not [var only] || only.IsProtected)
        {
            return true;
        }
        only.IsProtected = true;
        return Install(only, candidate, depth + 1, isRequest: false);
    }

    private bool InstallOne(AptState state, AptPackage candidate, AptDependency dependency, int depth, bool wasProtected)
    {
        var solutions = selection.Solutions(state, dependency);
        foreach (var solution in solutions)
        {
            if (solution.Candidate is null)
            {
                continue; // Given up while others were tried.
            }
            if (wasProtected && dependency.IsCritical && solutions.Count == 1)
            {
                if (!MarkAlone(solution, candidate))
                {
                    continue;
                }
                solution.IsProtected = true;
            }
            if (Install(solution, candidate, depth + 1, isRequest: false))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Without what it needs.</summary>
    private static bool MarkAlone(AptState state, AptPackage neededBy)
    {
        if (state.IsProtected && state.Install is null)
        {
            return false;
        }
        if (state.Install is null)
        {
            state.Install = state.Candidate;
            state.NeededBy ??= neededBy;
        }
        return true;
    }
}
