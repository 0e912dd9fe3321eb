using Diecast.Trees;

namespace Diecast.Packages.Pacman;

/// <summary>A path of a package that is to be installed.</summary>
/// <param name="Path">Without leading and trailing slash.</param>
/// <param name="LinkTarget">What a symbolic link holds, else null.</param>
public sealed record PackagePath(byte[] Path, bool IsDirectory, byte[]? LinkTarget = null);

/// <summary>
/// Finds files that two packages would both install. Directories may be shared. Paths are compared as they are (as pacman
/// does) and also with the links to directories in them resolved, so that /bin/sh and /usr/bin/sh are one file.
/// </summary>
public static class FileConflicts
{
    private const int MaximumLinks = 40;

    /// <summary>One message for each conflict, in the order of the packages, then of the paths; empty where there is none.</summary>
    public static IReadOnlyList<string> Check(IEnumerable<(string Package, IReadOnlyList<PackagePath> Paths)> packages)
    {
        var all = packages.Select(static package => (package.Package,
            Paths: package.Paths.OrderBy(static path => path.Path, ByteString.Comparer).ToList())).ToList();
        var links = new Dictionary<byte[], byte[]>(ByteString.Comparer);
        foreach (var path in all.SelectMany(static package => package.Paths).Where(static path => path.LinkTarget is not null))
        {
            links.TryAdd(path.Path, path.LinkTarget!);
        }
        var directories = new Dictionary<byte[], byte[]>(ByteString.Comparer);
        var owners = new Dictionary<byte[], (string Package, bool IsDirectory)>(ByteString.Comparer);
        var conflicts = new List<string>();
        foreach (var (package, paths) in all)
        {
            foreach (var path in paths)
            {
                int slash = Array.LastIndexOf(path.Path, (byte)'/');
                byte[] parent = path.Path[..Math.Max(slash, 0)];
                if (!directories.TryGetValue(parent, out byte[]? realParent))
                {
                    directories.Add(parent, realParent = Resolve(parent, links, package));
                }
                byte[] real = slash < 0 || realParent.AsSpan().SequenceEqual(parent)
                    ? path.Path : Join([.. Names(realParent), path.Path[(slash + 1)..]]);
                if (owners.TryAdd(real, (package, path.IsDirectory)) || owners[real].Package == package)
                {
                    continue;
                }
                var (owner, ownerIsDirectory) = owners[real];
                if (!path.IsDirectory || !ownerIsDirectory)
                {
                    conflicts.Add($"/{FileName.Display(path.Path)} is in both {owner} and {package}");
                }
            }
        }
        return conflicts;
    }

    /// <summary>The directory that a path leads to when links are followed, within the root.</summary>
    private static byte[] Resolve(byte[] path, Dictionary<byte[], byte[]> links, string package)
    {
        var pending = new Stack<byte[]>(Enumerable.Reverse(Names(path)));
        var done = new List<byte[]>();
        for (int followed = 0; pending.TryPop(out byte[]? name);)
        {
            if (name.AsSpan().SequenceEqual(".."u8))
            {
                done.RemoveRange(Math.Max(0, done.Count - 1), Math.Min(1, done.Count));
                continue;
            }
            done.Add(name);
            if (links.TryGetValue(Join(done), out byte[]? target))
            {
                if (++followed > MaximumLinks)
                {
                    throw new InvalidDataException($"package {package}: too many links on the way to {FileName.Display(path)}");
                }
                done.RemoveAt(done.Count - 1);
                if (target is [(byte)'/', ..])
                {
                    done.Clear();
                }
                foreach (byte[] step in Enumerable.Reverse(Names(target)))
                {
                    pending.Push(step);
                }
            }
        }
        return Join(done);
    }

    private static List<byte[]> Names(byte[] path)
    {
        var names = new List<byte[]>();
        foreach (var range in path.AsSpan().Split((byte)'/'))
        {
            if (!path.AsSpan()[range].IsEmpty && !path.AsSpan()[range].SequenceEqual("."u8))
            {
                names.Add(path[range]);
            }
        }
        return names;
    }

    private static byte[] Join(List<byte[]> names)
    {
        var path = new List<byte>();
        foreach (byte[] name in names)
        {
            if (path.Count > 0)
            {
                path.Add((byte)'/');
            }
            path.AddRange(name);
        }
        return [.. path];
    }
}
