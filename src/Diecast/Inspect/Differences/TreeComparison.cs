using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Inspect.Differences;

/// <summary>Compares two trees by path: what was added and removed, metadata and contents.</summary>
internal sealed class TreeComparison(Comparison comparison, string kind, FileDifferences files, int depth = 1)
{
    /// <summary>Where the file systems of the two trees differ: files elsewhere need not be read.</summary>
    public KnownDifferences? Ranges { get; init; }

    private readonly List<(DifferenceBuilder Found, Blob Content)> _added = [];
    private readonly List<(DifferenceBuilder Found, Blob Content)> _removed = [];

    public void Compare(FileTree before, FileTree after)
    {
        var pending = new Stack<(TreePath? Path, DirectoryNode Before, DirectoryNode After)>();
        pending.Push((null, before.Root, after.Root));
        while (pending.TryPop(out var pair))
        {
            comparison.Options.Cancellation.ThrowIfCancellationRequested();
            if (pair.Path is null)
            {
                CompareNodes("/", pair.Before, pair.After);
            }
            CompareEntries(pair.Path, pair.Before, pair.After, pending);
            // Both are done with: a file system's nodes would fill the memory.
            pair.Before.Forget();
            pair.After.Forget();
        }
        NoteRenames();
    }

    /// <summary>A file that is gone and one that has come with the same content are most likely one that was renamed.</summary>
    private void NoteRenames()
    {
        const int most = 8;
        var removed = _removed.ToLookup(static file => file.Content.Length);
        foreach (var (found, content) in _added)
        {
            foreach (var other in removed[content.Length].Take(most))
            {
                comparison.Options.Cancellation.ThrowIfCancellationRequested();
                if (DifferingRanges.AreEqual(content, other.Content))
                {
                    found.Note($"the content of {other.Found.Name}, which is gone");
                    break;
                }
            }
        }
    }

    private void CompareEntries(
        TreePath? path, DirectoryNode before, DirectoryNode after, Stack<(TreePath? Path, DirectoryNode Before, DirectoryNode After)> pending)
    {
        int i = 0;
        int j = 0;
        while (i < before.Entries.Length || j < after.Entries.Length)
        {
            int order = i == before.Entries.Length ? 1 : j == after.Entries.Length ? -1
                : before.Entries[i].Name.CompareTo(after.Entries[j].Name);
            if (order != 0)
            {
                var only = order < 0 ? before.Entries[i++] : after.Entries[j++];
                AddOnly(new TreePath(path, only.Name), only.Node, order < 0 ? Change.Removed : Change.Added);
                continue;
            }
            var (left, right) = (before.Entries[i++], after.Entries[j++]);
            var childPath = new TreePath(path, left.Name);
            CompareNodes(childPath.ToString(), left.Node, right.Node);
            if (left.Node is DirectoryNode leftDirectory && right.Node is DirectoryNode rightDirectory)
            {
                pending.Push((childPath, leftDirectory, rightDirectory));
            }
        }
    }

    private void AddOnly(TreePath path, Node node, Change change)
    {
        if (!comparison.Budget.Take())
        {
            return;
        }
        string name = path.ToString();
        var found = new DifferenceBuilder(node.Type.ToName(), name)
        {
            Change = change,
            Cause = Causes.OfContent(kind, name, change),
        };
        if (node is DirectoryNode directory)
        {
            long below = new FileTree(directory).Walk().Take(1_000_000).LongCount() - 1;
            found.Note($"a directory with {Comparison.Number(below)} entries below it");
            directory.Forget();
        }
        else if (node is FileNode file)
        {
            found.Note($"{Comparison.Number(file.Content.Length)} bytes");
            if (file.Content.Length > 0)
            {
                (change == Change.Added ? _added : _removed).Add((found, file.Content));
            }
        }
        files.Add(name, found);
    }

    private void CompareNodes(string path, Node before, Node after)
    {
        var changes = Changes(before, after).ToList();
        bool sameContent = before is not FileNode left || after is not FileNode right || HaveSameContent(left.Content, right.Content);
        if ((changes.Count == 0 && sameContent) || !comparison.Budget.Take())
        {
            return;
        }
        var found = files.Of(path, after.Type.ToName());
        foreach (var (name, from, to) in changes)
        {
            found.Add(new FieldChange(name, from, to) { Cause = Causes.OfField(kind, path, null, name, from, to) });
        }
        if (!sameContent)
        {
            comparison.Blobs(new Subject("file", path, path, depth), found, ((FileNode)before).Content, ((FileNode)after).Content, null);
        }
    }

    /// <summary>Without reading, where both stand at the same places and the file systems are the same there.</summary>
    private bool HaveSameContent(Blob before, Blob after)
    {
        if (before.Length != after.Length)
        {
            return false;
        }
        if (Ranges is { } ranges && before is PlacedBlob left && after is PlacedBlob right)
        {
            var places = left.Placements.ToList();
            if (places.SequenceEqual(right.Placements) && !places.Any(place => ranges.Touch(place.Place, place.Length)))
            {
                return true;
            }
        }
        return DifferingRanges.AreEqual(before, after);
    }

    private static IEnumerable<(string Name, string? Before, string? After)> Changes(Node before, Node after)
    {
        var (a, b) = (before.Metadata, after.Metadata);
        if (before.Type != after.Type)
        {
            yield return ("type", before.Type.ToName(), after.Type.ToName());
        }
        if (a.Mode != b.Mode)
        {
            yield return ("mode", Mode(a), Mode(b));
        }
        if (a.Uid != b.Uid)
        {
            yield return ("uid", Comparison.Number(a.Uid), Comparison.Number(b.Uid));
        }
        if (a.Gid != b.Gid)
        {
            yield return ("gid", Comparison.Number(a.Gid), Comparison.Number(b.Gid));
        }
        if (a.Mtime != b.Mtime)
        {
            yield return ("mtime", a.Mtime.ToString(), b.Mtime.ToString());
        }
        foreach (var change in XattrChanges(a, b).Concat(OwnChanges(before, after)))
        {
            yield return change;
        }
    }

    private static IEnumerable<(string Name, string? Before, string? After)> OwnChanges(Node before, Node after)
    {
        if (before is SymlinkNode link && after is SymlinkNode other && !link.Target.AsSpan().SequenceEqual(other.Target.AsSpan()))
        {
            yield return ("target", FileName.Display(link.Target.AsSpan()), FileName.Display(other.Target.AsSpan()));
        }
        if (before is DeviceNode device && after is DeviceNode second && (device.Major, device.Minor) != (second.Major, second.Minor))
        {
            yield return ("device", $"{device.Major}:{device.Minor}", $"{second.Major}:{second.Minor}");
        }
    }

    private static IEnumerable<(string Name, string? Before, string? After)> XattrChanges(Metadata before, Metadata after)
    {
        var left = before.Xattrs.ToDictionary(static x => FileName.Display(x.Name.AsSpan()), static x => Value(x), StringComparer.Ordinal);
        var right = after.Xattrs.ToDictionary(static x => FileName.Display(x.Name.AsSpan()), static x => Value(x), StringComparer.Ordinal);
        return left.Keys.Union(right.Keys).Order(StringComparer.Ordinal)
            .Select(name => ($"xattr {name}", left.GetValueOrDefault(name), right.GetValueOrDefault(name)))
            .Where(static change => change.Item2 != change.Item3);
    }

    private static string Value(Xattr xattr)
    {
        const int most = 64;
        var value = xattr.Value.AsSpan();
        return value.Length <= most
            ? FileName.Display(value)
            : $"{FileName.Display(value[..most])}… ({value.Length} bytes, sha256 {Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(value))[..16]})";
    }

    private static string Mode(Metadata metadata) => Convert.ToString(metadata.Mode, 8).PadLeft(4, '0');
}
