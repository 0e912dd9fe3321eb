using System.Collections.Immutable;
using Diecast.Trees;

namespace Diecast.Packages.Apt;

/// <summary>
/// Removes packages from a root as <c>apt-get purge</c> with automatic removal does: with those that cannot be there without
/// them, and with what came along as a dependency and nothing needs any more. What is chosen here the image's dpkg removes.
/// Other than apt's, it never installs another package in the place of one that goes.
/// </summary>
/// <param name="architecture">Debian's name of the image's.</param>
/// <param name="report">Gets a line for each step, and each warning.</param>
public sealed class DebRemover(StagedRoot root, ScriptRunner run, string architecture, Action<string> report)
{
    private const string AutomaticPath = "var/lib/apt/extended_states";

    // Who removes the others, and runs their scripts.
    private static readonly string[] s_tools = ["dpkg", "dash"];

    /// <param name="Importance">"essential" or "protected" for what goes only where it is named itself; null for all others.</param>
    /// <param name="IsKept">As if it had been asked for: as apt does, what is of the priority required too.</param>
    private sealed record Installed(
        string Name, string Version, string? Importance, bool IsKept, ImmutableArray<ImmutableArray<PackageRelation>> Needs,
        ImmutableArray<ImmutableArray<PackageRelation>> Wants, ImmutableArray<ImmutableArray<PackageRelation>> Provides)
    {
        public bool Satisfies(PackageRelation relation)
        {
            string name = DebPackage.NameOf(relation);
            return (name == Name && relation.Accepts(Version))
                || Provides.Any(group => group.Any(provided => provided.Name == name && relation.Accepts(provided.Version)));
        }

        public bool SatisfiesAny(ImmutableArray<PackageRelation> alternatives) => alternatives.Any(Satisfies);
    }

    /// <summary>Removes packages by their names, or by patterns as a shell has them.</summary>
    /// <param name="names">One that is not installed is a warning.</param>
    /// <param name="automatic">The packages that nobody asked for.</param>
    /// <exception cref="PackageException">An essential or protected package needs one of them, or a script fails.</exception>
    public void Remove(IReadOnlyCollection<string> names, IReadOnlySet<string> automatic)
    {
        if (names.Count == 0)
        {
            return;
        }
        var all = ReadDatabase();
        var removed = Find(all, names);
        AddDependents(all, removed);
        AddUnneeded(all, removed, automatic);
        if (removed.Count == 0)
        {
            return;
        }
        foreach (var package in removed)
        {
            report($"removing {package.Name} {package.Version}");
        }
        var scripts = new MaintainerScripts(root, run, new DpkgDatabase(root, new InstalledFiles(), new DpkgTriggers()), report);
        scripts.ForbidServices();
        scripts.Purge(removed.Select(static package => package.Name).Order(StringComparer.Ordinal));
        scripts.AllowServices();
        root.EndPackage();
        if (root.Exists(Posix.Bytes(AutomaticPath)))
        {
            WriteAutomatic(root, architecture, all.Except(removed).Select(static package => package.Name).Where(automatic.Contains));
        }
    }

    /// <summary>Notes for apt which packages came along as dependencies only.</summary>
    internal static void WriteAutomatic(StagedRoot root, string architecture, IEnumerable<string> names) =>
        root.Write(AutomaticPath, string.Concat(names.Order(StringComparer.Ordinal)
            .Select(name => $"Package: {name}\nArchitecture: {architecture}\nAuto-Installed: 1\n\n")));

    private List<Installed> ReadDatabase()
    {
        byte[] status = root.ReadFile(Posix.Bytes(DpkgDatabase.StatusPath)) ?? throw new PackageException(["RemovePackages=: the image has no dpkg"]);
        return [.. ControlFile.Parse(status, DpkgDatabase.StatusPath)
            .Where(static paragraph => paragraph["Status"]?.EndsWith(" installed", StringComparison.Ordinal) == true)
            .Select(paragraph => new Installed(
                paragraph.Required("Package"), paragraph.Required("Version"), Importance(paragraph),
                Importance(paragraph) is not null || paragraph["Priority"] == "required",
                [.. Relations(paragraph, "Pre-Depends"), .. Relations(paragraph, "Depends")],
                [.. Relations(paragraph, "Recommends"), .. Relations(paragraph, "Suggests")],
                Relations(paragraph, "Provides")))];
    }

    private static string? Importance(ControlParagraph paragraph) => paragraph["Essential"] == "yes" ? "essential"
        : paragraph["Protected"] == "yes" || paragraph["Important"] == "yes" ? "protected" : null;

    private ImmutableArray<ImmutableArray<PackageRelation>> Relations(ControlParagraph paragraph, string field) =>
        PackageRelation.ParseField(paragraph.BytesOf(field).Span, architecture);

    private List<Installed> Find(List<Installed> all, IReadOnlyCollection<string> names)
    {
        var tools = Closure(all, all.Where(static package => s_tools.Contains(package.Name, StringComparer.Ordinal)), static package => package.Needs);
        var found = new List<Installed>();
        var errors = new List<string>();
        foreach (string name in names)
        {
            var matches = all.Where(package => Glob.Matches(Posix.Bytes(name), Posix.Bytes(package.Name))).ToList();
            if (matches.Count == 0)
            {
                report($"warning: RemovePackages={name}: it is not installed");
            }
            errors.AddRange(matches.Where(tools.Contains).Select(package =>
                $"RemovePackages={package.Name}: the image's own dpkg, which removes packages, cannot do without it: name its files in RemoveFiles="));
            found.AddRange(matches.Except(found));
        }
        return errors.Count > 0 ? throw new PackageException(errors) : found;
    }

    /// <summary>What does not work without those that go; one that is essential or protected is an error, as for apt.</summary>
    private void AddDependents(List<Installed> all, List<Installed> removed)
    {
        var because = new Dictionary<Installed, Installed>();
        var errors = new List<string>();
        for (int i = 0; i < removed.Count; i++)
        {
            foreach (var package in all.Where(package => !removed.Contains(package) && IsBroken(all, removed, package)).ToList())
            {
                because[package] = removed.Last(gone => package.Needs.Any(gone.SatisfiesAny));
                if (package.Importance is not null)
                {
                    errors.Add(Chain(package, because));
                    continue;
                }
                report($"{package.Name} needs {because[package].Name}");
                removed.Add(package);
            }
        }
        if (errors.Count > 0)
        {
            throw new PackageException([.. errors.Distinct(StringComparer.Ordinal)]);
        }
    }

    private static bool IsBroken(List<Installed> all, List<Installed> removed, Installed package) => package.Needs.Any(alternatives =>
        removed.Exists(gone => gone.SatisfiesAny(alternatives)) && !all.Exists(other => !removed.Contains(other) && other.SatisfiesAny(alternatives)));

    private static string Chain(Installed package, Dictionary<Installed, Installed> because)
    {
        var chain = new List<string>();
        var current = package;
        for (; because.TryGetValue(current, out var next); current = next)
        {
            chain.Add(next.Name);
        }
        return $"RemovePackages={current.Name}: {package.Name} is {package.Importance} and needs {string.Join(", which needs ", chain)}";
    }

    /// <summary>As apt's automatic removal: what is reached from what was asked for stays, by recommendations and suggestions too.</summary>
    private static void AddUnneeded(List<Installed> all, List<Installed> removed, IReadOnlySet<string> automatic)
    {
        if (removed.Count == 0)
        {
            return;
        }
        var left = all.Except(removed).ToList();
        var needed = Closure(left, left.Where(package => !automatic.Contains(package.Name) || package.IsKept),
            static package => [.. package.Needs, .. package.Wants]);
        removed.AddRange(left.Where(package => !needed.Contains(package)));
    }

    private static HashSet<Installed> Closure(
        List<Installed> all, IEnumerable<Installed> from, Func<Installed, ImmutableArray<ImmutableArray<PackageRelation>>> relations)
    {
        var pending = new Stack<Installed>(from);
        var reached = new HashSet<Installed>(pending);
        while (pending.TryPop(out var package))
        {
            foreach (var needed in relations(package).SelectMany(alternatives => all.Where(other => other.SatisfiesAny(alternatives))).Where(reached.Add))
            {
                pending.Push(needed);
            }
        }
        return reached;
    }
}
