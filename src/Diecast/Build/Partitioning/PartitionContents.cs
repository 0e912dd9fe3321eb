using System.Text;
using Diecast.Config;
using Diecast.Trees;

namespace Diecast.Build.Partitioning;

/// <summary>
/// Makes the tree of a partition's file system from a source tree, as systemd-repart does with CopyFiles,
/// MakeDirectories, MakeSymlinks and AddValidateFS.
/// </summary>
public sealed class PartitionContents
{
    private readonly PartitionIdentity _identity;
    private readonly IReadOnlyList<PartitionIdentity> _all;
    private readonly FileTree _source;
    private readonly Timestamp _epoch;
    private readonly Action<string> _notice;
    private readonly List<Diagnostic> _errors = [];
    private readonly TargetTree _target;

    private PartitionContents(
        PartitionIdentity identity, IReadOnlyList<PartitionIdentity> all, FileTree source, Timestamp epoch, Action<string> notice) =>
        (_identity, _all, _source, _epoch, _notice, _target) = (identity, all, source, epoch, notice, new TargetTree(epoch));

    private PartitionDefinition Definition => _identity.Definition;

    private bool KeepsFilesOnly => Definition.Format == "vfat";

    /// <summary>The tree of one partition. Times are clamped to the epoch; what is not copied has exactly that time.</summary>
    /// <param name="identity">The partition.</param>
    /// <param name="all">All partitions of the disk: a root file system has nothing where another one is mounted.</param>
    /// <param name="source">What CopyFiles copies from.</param>
    /// <param name="epoch">The time of what is made, and the latest of what is copied.</param>
    /// <param name="notice">Told of what is left out.</param>
    /// <exception cref="ConfigException">The definition cannot be followed with this source.</exception>
    public static FileTree Build(
        PartitionIdentity identity, IReadOnlyList<PartitionIdentity> all, FileTree source, Timestamp epoch, Action<string> notice)
    {
        var contents = new PartitionContents(identity, all, source, epoch, notice);
        contents.Fill();
        return contents._errors.Count == 0 ? contents._target.Build() : throw new ConfigException(contents._errors);
    }

    private void Fill()
    {
        if (Definition.CopyFiles.FirstOrDefault(static line => line.Target == "/") is { } first)
        {
            Try(first.Location, () => SetRootMetadata(first));
        }
        if (_errors.Count > 0)
        {
            return;
        }
        foreach (var line in Definition.CopyFiles)
        {
            Try(line.Location, () => Copy(line));
        }
        foreach (string path in Definition.MakeDirectories)
        {
            Try(Definition.Place("MakeDirectories"), () => MakeDirectory(path));
        }
        foreach (var link in Definition.MakeSymlinks)
        {
            Try(link.Location, () => MakeSymlink(link));
        }
        if (Definition.MarksFileSystem)
        {
            MarkFileSystem();
        }
    }

    private void Try(Location place, Action action)
    {
        try
        {
            action();
        }
        catch (InvalidDataException error)
        {
            _errors.Add(new Diagnostic(place, error.Message));
        }
    }

    // The root directory is there before anything is copied, so it takes after the first directory that is copied to it.
    private void SetRootMetadata(CopyFiles line)
    {
        switch (TreeLookup.Resolve(_source, line.Source)?.Node)
        {
            case DirectoryNode directory:
                _target.SetRoot(Clamp(directory.Metadata));
                break;
            case null:
                throw new InvalidDataException($"there is no {line.Source} to copy");
            default:
                throw new InvalidDataException("the target is the root directory, and the source is a file");
        }
    }

    private void Copy(CopyFiles line)
    {
        if (Exclusions.For(_source, Definition, line, _all.Select(static other => other.Definition)) is not { } exclusions)
        {
            return;
        }
        switch (TreeLookup.Resolve(_source, line.Source))
        {
            case null:
                _notice($"{line.Location}: there is no {line.Source} to copy");
                break;
            case { Node: DirectoryNode directory }:
                CopyTree(directory, line.Target, exclusions);
                break;
            case { Node: FileNode file, Ancestors: var ancestors }:
                if (!exclusions.Excludes(file) && !ancestors.Any(exclusions.ExcludesContent))
                {
                    CopyFile(file, line.Target);
                }
                break;
            default:
                throw new InvalidDataException($"{line.Source} is neither a file nor a directory");
        }
    }

    private void CopyFile(FileNode file, string target)
    {
        var (parent, name) = SplitTarget(target);
        byte[] directory = _target.MakeDirectories(parent);
        byte[] path = TargetTree.Join(directory, name);
        if (_target.Find(path) is not null)
        {
            throw new InvalidDataException($"{FileName.Display(path)} exists already");
        }
        _target.Add(path, Copied(file));
        _target.Touch(directory);
    }

    private void CopyTree(DirectoryNode source, string target, Exclusions exclusions)
    {
        if (exclusions.Excludes(source))
        {
            return;
        }
        byte[] root;
        if (_target.FindDirectory(target) is { } existing)
        {
            root = existing;
        }
        else
        {
            var (parent, name) = SplitTarget(target);
            root = TargetTree.Join(_target.MakeDirectories(parent), name);
        }
        // Hard links stay links within one copy; two copies of a file are two files.
        var copies = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        var pending = new Stack<(DirectoryNode Directory, byte[] Path)>();
        pending.Push((source, root));
        while (pending.TryPop(out var next))
        {
            EnterDirectory(next.Directory, next.Path);
            if (exclusions.ExcludesContent(next.Directory))
            {
                continue;
            }
            foreach (var (name, node) in next.Directory.Entries.Where(entry => !exclusions.Excludes(entry.Node)))
            {
                byte[] path = TargetTree.Join(next.Path, name.Bytes);
                if (node is DirectoryNode directory)
                {
                    pending.Push((directory, path));
                }
                else if (KeepsFilesOnly && node is not FileNode)
                {
                    _notice($"{FileName.Display(path)}: left out, vfat has only files and directories");
                }
                else
                {
                    if (!copies.TryGetValue(node, out var copy))
                    {
                        copies.Add(node, copy = Copied(node));
                    }
                    _target.Add(path, copy);
                }
            }
        }
    }

    /// <summary>Makes a directory like its source. One that exists keeps its owner, mode and times.</summary>
    private void EnterDirectory(DirectoryNode source, byte[] path)
    {
        switch (_target.Find(path))
        {
            case null:
                _target.AddDirectory(path, Clamp(source.Metadata));
                break;
            case not DirectoryNode:
                throw new InvalidDataException($"{FileName.Display(path)} is no directory, and one is copied to it");
        }
    }

    private void MakeDirectory(string path)
    {
        if (path != "/")
        {
            var (parent, name) = SplitTarget(path);
            byte[] made = TargetTree.Join(_target.MakeDirectories(parent), name);
            if (_target.Find(made) is null)
            {
                _target.MakeDirectories(path);
            }
        }
    }

    private void MakeSymlink(MakeSymlink link)
    {
        if (KeepsFilesOnly)
        {
            throw new InvalidDataException("vfat has no symbolic links");
        }
        var (parent, name) = SplitTarget(link.Path);
        byte[] directory = _target.FindDirectory(parent)
            ?? throw new InvalidDataException($"there is no directory {parent} for the link {link.Path}");
        byte[] path = TargetTree.Join(directory, name);
        if (_target.Find(path) is not null)
        {
            throw new InvalidDataException($"{link.Path} exists already");
        }
        _target.Add(path, new SymlinkNode(new Metadata(0x1FF, 0, 0, _epoch), [.. Encoding.UTF8.GetBytes(link.Target)]));
        _target.Touch(directory);
    }

    /// <summary>
    /// systemd-validatefs@.service(8): on a mount the system compares these with the partition, so that a file system
    /// is not taken for another.
    /// </summary>
    private void MarkFileSystem()
    {
        var marks = new List<Xattr>
        {
            Mark("user.validatefs.gpt_label"u8, [_identity.Label]),
            Mark("user.validatefs.gpt_type_uuid"u8, [Definition.Type.ToString()]),
        };
        if (Definition.KnownType is { MountPoints: { Count: > 0 } mountPoints })
        {
            marks.Add(Mark("user.validatefs.mount_point"u8, mountPoints));
        }
        var root = _target.Root;
        var kept = root.Xattrs.Where(xattr => !marks.Any(mark => mark.CompareTo(xattr) == 0));
        _target.SetRoot(root with { Xattrs = [.. kept, .. marks] });
    }

    private static Xattr Mark(ReadOnlySpan<byte> name, IReadOnlyList<string> values) =>
        Xattr.Create(name, Encoding.UTF8.GetBytes(string.Concat(values.Select(static value => value + "\0"))));

    private Metadata Clamp(Metadata metadata) => metadata with { Mtime = metadata.Mtime.ClampTo(_epoch) };

    private Node Copied(Node node)
    {
        var metadata = Clamp(node.Metadata);
        return node switch
        {
            FileNode file => new FileNode(metadata, file.Content),
            SymlinkNode link => new SymlinkNode(metadata, link.Target),
            DeviceNode device => new DeviceNode(metadata, device.Type, device.Major, device.Minor),
            _ => new SpecialNode(metadata, node.Type),
        };
    }

    private static (string Parent, byte[] Name) SplitTarget(string path)
    {
        int slash = path.LastIndexOf('/');
        return slash >= 0 && slash < path.Length - 1
            ? (path[..slash], Encoding.UTF8.GetBytes(path[(slash + 1)..]))
            : throw new InvalidDataException("the target is the root directory, and the source is a file");
    }
}
