using System.Collections.Immutable;
using System.Runtime.ExceptionServices;

namespace Diecast.Packages.Apt;

/// <summary>A package that is to be installed.</summary>
public sealed record ResolvedAptPackage(AptPackage Package, InstallReason Reason);

/// <summary>
/// Chooses the packages that an empty root needs, as <c>apt-get install</c> of APT 2.6 does: of alternatives the first that can
/// be installed, of a name's versions the newest of the highest priority.
/// </summary>
public sealed class AptResolver
{
    /// <summary>A chain of dependencies is followed by recursion; see <see cref="AptMarker"/> for the depth.</summary>
    private const int StackSize = 64 << 20;

    /// <summary>How often a package that was pushed out by a conflict is replaced by another alternative.</summary>
    private const int MaximumRepairs = 10;

    private readonly AptSelection _selection;
    private readonly AptMarker _marker;
    private readonly bool _recommends;

    private AptResolver(PackagePool pool, bool recommends)
    {
        _selection = new AptSelection(pool);
        _marker = new AptMarker(_selection, recommends);
        _recommends = recommends;
    }

    /// <param name="pool">What there is.</param>
    /// <param name="steps">
    /// What each call of apt-get would be given: names, <c>name=version</c>, <c>name/suite</c>, names of provisions that one
    /// package alone has, <c>?essential</c>, patterns. What a step installs stays in the later ones, and is preferred there.
    /// </param>
    /// <param name="recommends">Whether recommended packages are wanted too.</param>
    /// <returns>Those of each step one after the other, each in the order in which they can be installed.</returns>
    /// <exception cref="PackageException">There is no such set; each error names the packages that lead to it.</exception>
    /// <exception cref="InvalidDataException">An index is malformed.</exception>
    public static ImmutableArray<ResolvedAptPackage> Resolve(
        PackagePool pool, IReadOnlyList<IReadOnlyList<string>> steps, bool recommends = false)
    {
        ImmutableArray<ResolvedAptPackage> resolved = default;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                var resolver = new AptResolver(pool, recommends);
                resolved = [.. steps.SelectMany(resolver.Install)];
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        }, StackSize);
        thread.Start();
        thread.Join();
        failure?.Throw();
        return resolved;
    }

    private List<ResolvedAptPackage> Install(IReadOnlyList<string> targets)
    {
        var requested = AptTargets.Find(_selection, targets);
        foreach (var state in requested)
        {
            AptMarker.Request(state);
        }
        foreach (var state in requested)
        {
            _marker.Install(state, null, 0, isRequest: true);
        }
        Repair();
        RequireIntact();
        DropUnneeded();
        RequireIntact();
        return Commit();
    }

    /// <summary>
    /// A package that was chosen may have been pushed out by a conflict of a later one. What needs it tries its other
    /// alternatives; where that goes round in circles, it is an error.
    /// </summary>
    private void Repair()
    {
        for (int round = 0; round < MaximumRepairs; round++)
        {
            bool isChanged = HoldBack();
            foreach (var state in _selection.States.Where(state => _selection.Broken(state, false) is not null).ToList())
            {
                isChanged |= Repair(state);
            }
            if (!isChanged)
            {
                return;
            }
        }
    }

    /// <summary>Takes out what conflicts with something else that is chosen and that nothing needs: a recommended package, say.</summary>
    private bool HoldBack()
    {
        bool isChanged = false;
        while (_selection.States.FirstOrDefault(state => !state.IsExplicit && state.Installed is null
            && _selection.Broken(state, false) is { IsNegative: true } && !IsNeeded(state)) is { } dispensable)
        {
            dispensable.Install = null;
            dispensable.Candidate = null;
            isChanged = true;
        }
        return isChanged;
    }

    /// <summary>Whether something else would not work without it.</summary>
    private bool IsNeeded(AptState state)
    {
        var install = state.Install;
        string[] before = [.. Broken()];
        state.Install = null;
        bool isNeeded = Broken().Except(before, StringComparer.Ordinal).Any();
        state.Install = install;
        return isNeeded;

        IEnumerable<string> Broken() => _selection.States.Where(other => other != state && _selection.Broken(other, false) is { IsNegative: false })
            .Select(static other => other.Name.Name);
    }

    private bool Repair(AptState state)
    {
        bool isChanged = false;
        while (_selection.Broken(state, false) is { } broken)
        {
            if (broken.IsNegative)
            {
                var opponent = _selection[_selection.Pool.Find(broken.Alternatives
                    .Select(relation => _selection.FindInstalled(relation, state.Name)).OfType<AptPackage>().First().Name)!];
                if (opponent.IsProtected || opponent.Installed is not null)
                {
                    return isChanged;
                }
                opponent.Failure = new AptFailure(opponent.Install!, null, state.Install);
                opponent.Install = null;
                opponent.Candidate = null;
            }
            else if (!_selection.Solutions(state, broken).Exists(solution => _marker.Install(solution, state.Install, 1, isRequest: false)))
            {
                state.Failure ??= new AptFailure(state.Install!, broken, null);
                if (state.IsExplicit || state.Installed is not null)
                {
                    return isChanged;
                }
                // Its own dependents have to do with something else.
                state.Install = null;
                state.Candidate = null;
            }
            isChanged = true;
        }
        return isChanged;
    }

    private void RequireIntact()
    {
        string[] errors = [.. _selection.States
            .Select(state => (state, broken: _selection.Broken(state, false)))
            .Where(static pair => pair.broken is not null)
            .OrderBy(static pair => pair.state.IsExplicit ? 0 : 1, Comparer<int>.Default)
            .Select(pair => AptExplanation.Of(_selection, pair.state, pair.broken!))
            .Distinct(StringComparer.Ordinal)];
        if (errors.Length > 0)
        {
            throw new PackageException(errors);
        }
    }

    /// <summary>
    /// Takes out what was marked for an alternative that was given up: all that is not reached from what was asked for, along
    /// recommendations and suggestions too, as in APT's automatic removal.
    /// </summary>
    private void DropUnneeded()
    {
        var pending = new Stack<AptState>(_selection.States.Where(static state =>
            state.Install is { } install && (state.IsExplicit || state.Installed is not null || install.IsEssential || install.IsProtected)));
        var reached = new HashSet<AptState>(pending);
        while (pending.TryPop(out var state))
        {
            foreach (var relation in state.Install!.Dependencies.Where(static dependency => !dependency.IsNegative)
                .SelectMany(static dependency => dependency.Alternatives))
            {
                foreach (var needed in _selection.AllInstalled(relation).Where(reached.Add))
                {
                    pending.Push(needed);
                }
            }
        }
        foreach (var state in _selection.States.Where(state => state.Install is not null && !reached.Contains(state)).ToList())
        {
            state.Install = null;
        }
    }

    private List<ResolvedAptPackage> Commit()
    {
        var added = _selection.States.Where(static state => state.IsNew).ToList();
        var ordered = AptInstallOrder.Sort(_selection, added);
        foreach (var state in added)
        {
            state.Installed = state.Install;
        }
        foreach (var state in _selection.States)
        {
            // The next call knows nothing of what this one has tried.
            state.IsProtected = false;
            state.Failure = null;
            state.Candidate = state.Installed ?? PackagePool.Candidate(state.Name);
        }
        return [.. ordered.Select(static state => new ResolvedAptPackage(
            state.Install!, state.IsExplicit ? InstallReason.Explicit : InstallReason.Dependency))];
    }
}
