namespace Diecast.Packages.Apt;

/// <summary>Says why packages cannot be installed together.</summary>
internal static class AptExplanation
{
    private const int MaximumLinks = 20;

    /// <summary>One line: who asked, the chain of dependencies, and what ends it.</summary>
    public static string Of(AptSelection selection, AptState state, AptDependency broken)
    {
        var links = new List<string>();
        var seen = new HashSet<AptPackage>();
        string subject = state.Name + NeededBy(selection, state);
        var package = state.Install!;
        var dependency = broken;
        while (links.Count < MaximumLinks && seen.Add(package))
        {
            if (dependency.IsNegative)
            {
                var opponent = dependency.Alternatives.Select(relation => selection.FindInstalled(relation, selection.Pool.Find(package.Name))).OfType<AptPackage>().FirstOrDefault();
                links.Add($"{subject} {(dependency.Kind == DependencyKind.Breaks ? "breaks" : "conflicts with")} {dependency}"
                    + (opponent is null ? "" : Opponent(selection, opponent)));
                break;
            }
            links.Add($"{subject} needs {dependency}");
            if (FirstFailure(selection, dependency) is not { } failure)
            {
                links[^1] += HasName(selection, dependency) ? ", of which no repository has that version" : ", which no repository has";
                break;
            }
            if (failure.Dependency is null)
            {
                links.Add($"{failure.Package.Name} conflicts with {failure.Opponent!.Name}{Opponent(selection, failure.Opponent)}");
                break;
            }
            (package, dependency) = (failure.Package, failure.Dependency);
            subject = package.Name;
        }
        return string.Join("; ", links);
    }

    private static string Opponent(AptSelection selection, AptPackage opponent)
    {
        var state = selection[selection.Pool.Find(opponent.Name)!];
        return $", but {opponent.Name} {opponent.Version} is "
            + (state.Installed is not null ? "part of the base" : state.IsExplicit ? "asked for" : "there too" + NeededBy(selection, state));
    }

    /// <summary>" (needed by a, needed by b)"; nothing for what was asked for.</summary>
    private static string NeededBy(AptSelection selection, AptState state)
    {
        var names = new List<string>();
        for (var current = state; current.NeededBy is { } by && !current.IsExplicit && names.Count < MaximumLinks;)
        {
            if (names.Contains(by.Name))
            {
                break;
            }
            names.Add(by.Name);
            current = selection[selection.Pool.Find(by.Name)!];
        }
        return names.Count == 0 ? "" : $" (needed by {string.Join(", needed by ", names)})";
    }

    private static AptFailure? FirstFailure(AptSelection selection, AptDependency dependency)
    {
        foreach (var relation in dependency.Alternatives)
        {
            if (selection.Pool.Find(relation.Name) is not { } name)
            {
                continue;
            }
            foreach (var state in name.Providers.Select(static provision => provision.OwnerName).Prepend(name).Select(owner => selection[owner]))
            {
                if (state.Failure is { } failure)
                {
                    return failure;
                }
            }
        }
        return null;
    }

    private static bool HasName(AptSelection selection, AptDependency dependency) => dependency.Alternatives.Any(relation =>
        selection.Pool.Find(relation.Name) is { } name && (name.Versions.Count > 0 || name.Providers.Count > 0));
}
