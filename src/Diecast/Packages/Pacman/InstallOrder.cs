namespace Diecast.Packages.Pacman;

/// <summary>Dependencies before what needs them (_alpm_sortbydeps in libalpm).</summary>
internal static class InstallOrder
{
    private enum State
    {
        Unvisited,
        Open,
        Done,
    }

    /// <summary>
    /// Depth first, in the order of the list, children too. Where packages need each other, the one that is reached
    /// first comes last; a warning says so.
    /// </summary>
    public static List<SyncPackage> Sort(IReadOnlyList<SyncPackage> packages, List<string> warnings)
    {
        var index = new PackageIndex(packages);
        var states = new State[packages.Count];
        var sorted = new List<SyncPackage>(packages.Count);
        var path = new Stack<(int Package, IEnumerator<int> Children)>();
        for (int root = 0; root < packages.Count; root++)
        {
            Enter(root);
            while (path.TryPeek(out var step))
            {
                if (!step.Children.MoveNext())
                {
                    path.Pop();
                    states[step.Package] = State.Done;
                    sorted.Add(packages[step.Package]);
                    continue;
                }
                int child = step.Children.Current;
                if (states[child] == State.Open && child != step.Package)
                {
                    warnings.Add($"{packages[step.Package].Name} is installed before {packages[child].Name}, which it needs: they need each other");
                }
                Enter(child);
            }
        }
        return sorted;

        void Enter(int package)
        {
            if (states[package] == State.Unvisited)
            {
                states[package] = State.Open;
                var children = new SortedSet<int>(packages[package].Depends.SelectMany(index.Find).Select(static item => item.Position), Comparer<int>.Default);
                path.Push((package, children.AsEnumerable().GetEnumerator()));
            }
        }
    }
}
