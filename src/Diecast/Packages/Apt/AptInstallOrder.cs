namespace Diecast.Packages.Apt;

/// <summary>
/// Dependencies before what needs them. Where packages need each other, pre-dependencies decide, then names.
/// </summary>
internal static class AptInstallOrder
{
    public static List<AptState> Sort(AptSelection selection, IReadOnlyCollection<AptState> packages)
    {
        var byName = packages.OrderBy(static state => state.Name.Name, StringComparer.Ordinal).ToList();
        var members = byName.ToHashSet();
        var all = byName.ToDictionary(static state => state, state => Needed(selection, state, members, preDependsOnly: false));
        var sorted = new List<AptState>(byName.Count);
        foreach (var component in Components(byName, all))
        {
            if (component.Count == 1)
            {
                sorted.Add(component[0]);
                continue;
            }
            var within = component.ToHashSet();
            component.Sort(static (left, right) => string.CompareOrdinal(left.Name.Name, right.Name.Name));
            var before = component.ToDictionary(static state => state, state => Needed(selection, state, within, preDependsOnly: true));
            sorted.AddRange(Components(component, before).SelectMany(static inner => inner.OrderBy(static state => state.Name.Name, StringComparer.Ordinal)));
        }
        return sorted;
    }

    private static List<AptState> Needed(AptSelection selection, AptState state, HashSet<AptState> members, bool preDependsOnly)
    {
        var needed = new List<AptState>();
        foreach (var dependency in state.Install!.Dependencies)
        {
            if (dependency.Kind != DependencyKind.PreDepends && (preDependsOnly || dependency.Kind != DependencyKind.Depends))
            {
                continue;
            }
            foreach (var other in dependency.Alternatives.SelectMany(selection.AllInstalled))
            {
                if (other != state && members.Contains(other) && !needed.Contains(other))
                {
                    needed.Add(other);
                }
            }
        }
        needed.Sort(static (left, right) => string.CompareOrdinal(left.Name.Name, right.Name.Name));
        return needed;
    }

    /// <summary>
    /// The strongly connected components, each after those that it points to (Tarjan, "Depth-first search and linear graph
    /// algorithms", 1972), with a stack of its own.
    /// </summary>
    private static List<List<AptState>> Components(List<AptState> nodes, Dictionary<AptState, List<AptState>> edges)
    {
        var components = new List<List<AptState>>();
        var numbers = new Dictionary<AptState, int>();
        var lowest = new Dictionary<AptState, int>();
        var open = new Stack<AptState>();
        var isOpen = new HashSet<AptState>();
        var path = new Stack<(AptState Node, int Next)>();
        foreach (var root in nodes.Where(root => !numbers.ContainsKey(root)))
        {
            Enter(root);
            while (path.TryPop(out var step))
            {
                var (node, next) = step;
                if (next < edges[node].Count)
                {
                    path.Push((node, next + 1));
                    var child = edges[node][next];
                    if (!numbers.TryGetValue(child, out int number))
                    {
                        Enter(child);
                    }
                    else if (isOpen.Contains(child))
                    {
                        lowest[node] = Math.Min(lowest[node], number);
                    }
                    continue;
                }
                if (path.TryPeek(out var parent))
                {
                    lowest[parent.Node] = Math.Min(lowest[parent.Node], lowest[node]);
                }
                if (lowest[node] == numbers[node])
                {
                    components.Add(Close(node));
                }
            }
        }
        return components;

        void Enter(AptState node)
        {
            numbers[node] = lowest[node] = numbers.Count;
            open.Push(node);
            isOpen.Add(node);
            path.Push((node, 0));
        }

        List<AptState> Close(AptState node)
        {
            var component = new List<AptState>();
            AptState member;
            do
            {
                member = open.Pop();
                isOpen.Remove(member);
                component.Add(member);
            }
            while (member != node);
            return component;
        }
    }
}
