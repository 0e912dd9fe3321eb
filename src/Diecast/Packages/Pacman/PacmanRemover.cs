using System.Collections.Immutable;
using Diecast.Trees;

namespace Diecast.Packages.Pacman;

/// <summary>
/// Removes packages from a staged root as <c>pacman --remove --nosave --recursive</c> does: with what they needed and nobody
/// else does, unless it was asked for by name. What is installed stands in the root's own database.
/// </summary>
/// <param name="report">Gets a line for each step, and each warning.</param>
public sealed class PacmanRemover(StagedRoot root, ScriptRunner run, ImmutableArray<string> hookDirectories, Action<string> report)
{
    private sealed record Installed(
        PackageIdentity Identity, bool IsExplicit, IReadOnlyList<Dependency> Depends, IReadOnlyList<Dependency> Provides, string Directory)
    {
        public bool Satisfies(Dependency dependency) =>
            dependency.Accepts(Identity.Name, Identity.Version) || Provides.Any(dependency.Accepts);

        public bool Needs(Installed other) => Depends.Any(other.Satisfies);
    }

    /// <summary>Removes packages by name.</summary>
    /// <exception cref="PackageException">One is not installed, or is needed by what stays.</exception>
    public void Remove(IReadOnlyCollection<string> names)
    {
        if (names.Count == 0)
        {
            return;
        }
        var all = ReadDatabase();
        var removed = Choose(all, names);
        var scripts = new PacmanScripts(root, run, hookDirectories, report);
        var packages = removed.Select(package => new HookPackage(package.Identity.Name, FilesOf(package))).ToList();
        var transaction = new HookTransaction([], packages);
        scripts.RunHooks(HookTime.PreTransaction, transaction, []);
        var kept = all.Except(removed).SelectMany(FilesOf).ToHashSet(ByteString.Comparer);
        foreach (var (package, files) in removed.Zip(packages.Select(static package => package.Paths)))
        {
            report($"removing {package.Identity}");
            byte[]? script = root.ReadFile(Posix.Bytes($"{package.Directory}/install"));
            scripts.RunFunction(package.Identity, script, "pre_remove");
            RemoveFiles(files, kept);
            root.Remove(Posix.Bytes(package.Directory));
            root.EndPackage();
            scripts.RunFunction(package.Identity, script, "post_remove");
        }
        scripts.RunLdconfig();
        scripts.RunHooks(HookTime.PostTransaction, transaction, []);
    }

    private List<Installed> ReadDatabase()
    {
        var packages = new List<Installed>();
        foreach (var name in root.List(Posix.Bytes(LocalDatabase.Path)))
        {
            string directory = $"{LocalDatabase.Path}/{name}";
            if (root.ReadFile(Posix.Bytes($"{directory}/desc")) is { } content)
            {
                var desc = new DescFile(directory);
                desc.Add(content);
                packages.Add(new Installed(
                    new PackageIdentity(desc.Required("%NAME%"), desc.Required("%VERSION%")), desc.First("%REASON%") is null,
                    [.. desc.All("%DEPENDS%").Select(Dependency.Parse)], [.. desc.All("%PROVIDES%").Select(Dependency.Parse)], directory));
            }
        }
        return packages;
    }

    /// <summary>Those to remove, each before what it needs.</summary>
    private static List<Installed> Choose(List<Installed> all, IReadOnlyCollection<string> names)
    {
        var errors = new List<string>();
        var removed = new List<Installed>();
        foreach (string name in names)
        {
            if (all.Find(package => package.Identity.Name == name) is not { } package)
            {
                errors.Add($"RemovePackages={name}: it is not installed");
            }
            else if (!removed.Contains(package))
            {
                removed.Add(package);
            }
        }
        bool IsNeeded(Installed package) => all.Exists(other => other != package && !removed.Contains(other) && other.Needs(package));
        errors.AddRange(removed.Where(IsNeeded).Select(package =>
            $"RemovePackages={package.Identity.Name}: {all.First(other => !removed.Contains(other) && other.Needs(package)).Identity} needs it"));
        if (errors.Count > 0)
        {
            throw new PackageException(errors);
        }
        while (all.Find(package => !removed.Contains(package) && !package.IsExplicit && removed.Exists(gone => gone.Needs(package)) && !IsNeeded(package)) is { } orphan)
        {
            removed.Add(orphan);
        }
        return InOrder(removed);
    }

    private static List<Installed> InOrder(List<Installed> removed)
    {
        var order = new List<Installed>();
        var left = new List<Installed>(removed);
        while (left.Count > 0)
        {
            // In a cycle of needs the first one goes first.
            var next = left.Find(package => !left.Exists(other => other != package && other.Needs(package))) ?? left[0];
            left.Remove(next);
            order.Add(next);
        }
        return order;
    }

    /// <summary>The paths in a package's <c>files</c>; directories end with a slash.</summary>
    private List<byte[]> FilesOf(Installed package)
    {
        var files = new List<byte[]>();
        bool isInFiles = false;
        byte[] content = root.ReadFile(Posix.Bytes($"{package.Directory}/files")) ?? [];
        foreach (var range in content.AsSpan().Split((byte)'\n'))
        {
            byte[] line = content[range];
            if (line is [(byte)'%', ..])
            {
                isInFiles = line.AsSpan().SequenceEqual("%FILES%"u8);
            }
            else if (isInFiles && line.Length > 0)
            {
                files.Add(line);
            }
        }
        return files;
    }

    private void RemoveFiles(IReadOnlyList<byte[]> files, HashSet<byte[]> kept)
    {
        // Backwards, so that a directory comes after what is in it.
        foreach (byte[] path in files.Reverse().Where(path => !kept.Contains(path)))
        {
            bool isDirectory = path[^1] == '/';
            byte[] place = path.AsSpan().TrimEnd((byte)'/').ToArray();
            if (!isDirectory || (root.Status(place)?.Type == FileType.Directory && root.List(place).Count == 0))
            {
                root.Remove(place);
            }
        }
    }
}
