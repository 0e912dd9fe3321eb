using System.Buffers;
using System.Text.RegularExpressions;
using Diecast.Trees;

namespace Diecast.Packages.Apt;

/// <summary>Finds what is asked for, as the command line of apt-get is understood.</summary>
internal static class AptTargets
{
    private static readonly SearchValues<char> s_expressionCharacters = SearchValues.Create(".?+*|[^$");

    /// <summary>Each package once, in the order of the targets.</summary>
    /// <exception cref="PackageException">Targets are not found, one line each.</exception>
    public static List<AptState> Find(AptSelection selection, IReadOnlyList<string> targets)
    {
        var found = new List<AptState>();
        var errors = new List<string>();
        foreach (string target in targets)
        {
            try
            {
                foreach (var state in Find(selection, target).Where(state => !found.Contains(state)))
                {
                    found.Add(state);
                }
            }
            catch (InvalidDataException e)
            {
                errors.Add($"{target}: {e.Message}");
            }
        }
        return errors.Count > 0 ? throw new PackageException(errors) : found;
    }

    private static List<AptState> Find(AptSelection selection, string target)
    {
        if (target.StartsWith('?'))
        {
            return FindPattern(selection, target);
        }
        int equals = target.IndexOf('=', StringComparison.Ordinal);
        int slash = target.IndexOf('/', StringComparison.Ordinal);
        string name = equals > 0 ? target[..equals] : slash > 0 ? target[..slash] : target;
        if (name.EndsWith(":" + selection.Pool.Architecture, StringComparison.Ordinal))
        {
            name = name[..^(selection.Pool.Architecture.Length + 1)];
        }
        if (selection.Pool.Find(name) is not { } known || (known.Versions.Count == 0 && known.Providers.Count == 0))
        {
            return equals < 0 && slash < 0 ? FindMatches(selection, name) : throw new InvalidDataException("there is no package of this name");
        }
        var state = known.Versions.Count > 0 ? selection[known] : selection[OnlyProvider(known)];
        if (state.Installed is null && (equals > 0 || slash > 0))
        {
            Choose(selection, state, equals > 0 ? target[(equals + 1)..] : null, slash > 0 ? target[(slash + 1)..] : null);
        }
        else if (equals > 0 && state.Installed is { } installed && installed.Version != target[(equals + 1)..])
        {
            throw new InvalidDataException($"{installed.Version} is part of the base");
        }
        return [state];
    }

    private static List<AptState> FindPattern(AptSelection selection, string pattern)
    {
        Func<AptPackage, bool> matches = pattern switch
        {
            "?essential" => static package => package.IsEssential,
            "?priority(required)" => static package => package.Priority == PackagePriority.Required,
            "?priority(important)" => static package => package.Priority == PackagePriority.Important,
            "?priority(standard)" => static package => package.Priority == PackagePriority.Standard,
            ['?', 'e', 'x', 'a', 'c', 't', '-', 'n', 'a', 'm', 'e', '(', .. var name, ')'] => package => package.Name == name,
            _ => throw new InvalidDataException("only ?essential, ?priority(…) and ?exact-name(…) are known of APT's patterns"),
        };
        return [.. selection.Pool.Names.Where(static name => name.Versions.Count > 0)
            .Where(name => PackagePool.Candidate(name) is { } candidate && matches(candidate)).Select(name => selection[name])];
    }

    /// <summary>Shell patterns, then extended regular expressions, over the names of packages.</summary>
    private static List<AptState> FindMatches(AptSelection selection, string pattern)
    {
        var names = selection.Pool.Names.Where(static name => name.Versions.Count > 0);
        List<AptState> found = [];
        if (pattern.AsSpan().ContainsAny("*?"))
        {
            byte[] glob = Posix.Bytes(pattern);
            found = [.. names.Where(name => Glob.Matches(glob, Posix.Bytes(name.Name))).Select(name => selection[name])];
        }
        if (found.Count == 0 && pattern.AsSpan().ContainsAny(s_expressionCharacters))
        {
            found = [.. names.Where(Expression(pattern)).Select(name => selection[name])];
        }
        return found.Count > 0 ? found : throw new InvalidDataException("there is no package of this name");
    }

    private static Func<PackageName, bool> Expression(string pattern)
    {
        try
        {
            var expression = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.IgnoreCase);
            return name => expression.IsMatch(name.Name);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw new InvalidDataException("there is no package of this name, and it is no regular expression", e);
        }
    }

    private static PackageName OnlyProvider(PackageName name)
    {
        PackageName[] owners = [.. name.Providers.Where(static provision => PackagePool.Candidate(provision.OwnerName) == provision.Owner)
            .Select(static provision => provision.OwnerName).Distinct()];
        return owners switch
        {
            [var only] => only,
            [] => throw new InvalidDataException("there is no package of this name"),
            _ => throw new InvalidDataException(
                $"several packages provide it, of which one must be named: {string.Join(", ", owners.Select(static owner => owner.Name).Order(StringComparer.Ordinal))}"),
        };
    }

    private static void Choose(AptSelection selection, AptState state, string? version, string? suite)
    {
        state.Candidate = version is not null
            ? state.Name.Versions.Find(candidate => candidate.Version == version) ?? throw new InvalidDataException(
                $"there is no such version, but {string.Join(", ", state.Name.Versions.Select(static other => other.Version))}")
            : InSuite(state.Name, suite!) ?? throw new InvalidDataException(
                $"it is not in this suite, but in {string.Join(", ", state.Name.Versions.Select(static other => other.Index.Name).Distinct())}");
        if (suite is not null)
        {
            FollowSuite(selection, state, suite, []);
        }
    }

    private static AptPackage? InSuite(PackageName name, string suite) =>
        PackagePool.Best(name.Versions.Where(version => version.Index.Suites.Contains(suite, StringComparer.Ordinal)));

    /// <summary>What a package from another suite needs and the candidates do not have comes from that suite too.</summary>
    private static void FollowSuite(AptSelection selection, AptState state, string suite, HashSet<AptState> seen)
    {
        var pending = new Stack<AptState>([state]);
        while (pending.TryPop(out var current))
        {
            if (!seen.Add(current))
            {
                continue;
            }
            foreach (var dependency in current.Candidate!.Dependencies.Where(static dependency => dependency.IsCritical && !dependency.IsNegative))
            {
                if (selection.IsSatisfiable(current, dependency))
                {
                    continue;
                }
                foreach (var relation in dependency.Alternatives)
                {
                    if (selection.Pool.Find(relation.Name) is { } name && selection[name] is { Installed: null } needed
                        && InSuite(name, suite) is { } version && relation.Accepts(version.Version))
                    {
                        needed.Candidate = version;
                        pending.Push(needed);
                        break;
                    }
                }
            }
        }
    }
}
