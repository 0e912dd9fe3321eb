using System.Collections.Immutable;
using Diecast.Images;

namespace Diecast.Trees;

/// <summary>An inode. Hard links are several directory entries with the same node.</summary>
public abstract class Node(Metadata metadata)
{
    public Metadata Metadata { get; } = metadata;

    public abstract FileType Type { get; }
}

public readonly record struct DirectoryEntry(FileName Name, Node Node);

/// <summary>A directory. The entries may be loaded when they are first asked for.</summary>
public sealed class DirectoryNode : Node
{
    private readonly Func<IEnumerable<DirectoryEntry>>? _load;
    private Lazy<ImmutableArray<DirectoryEntry>> _entries;

    /// <param name="metadata">The directory's own.</param>
    /// <param name="entries">In any order, names unique and valid.</param>
    public DirectoryNode(Metadata metadata, IEnumerable<DirectoryEntry> entries) : base(metadata)
    {
        var sorted = Sorted(entries);
        _entries = new Lazy<ImmutableArray<DirectoryEntry>>(sorted);
    }

    public DirectoryNode(Metadata metadata, Func<IEnumerable<DirectoryEntry>> load) : base(metadata)
    {
        _load = load;
        _entries = new Lazy<ImmutableArray<DirectoryEntry>>(() => Sorted(load()));
    }

    public override FileType Type => FileType.Directory;

    /// <summary>In the byte order of the names.</summary>
    public ImmutableArray<DirectoryEntry> Entries => _entries.Value;

    /// <summary>
    /// Lets go of entries that were loaded, so that the walk through a large file system does not gather all of it in memory;
    /// they are loaded again when they are asked for.
    /// </summary>
    public void Forget()
    {
        if (_load is { } load && _entries.IsValueCreated)
        {
            _entries = new Lazy<ImmutableArray<DirectoryEntry>>(() => Sorted(load()));
        }
    }

    public Node? Find(FileName name)
    {
        int low = 0;
        int high = Entries.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            int order = Entries[middle].Name.CompareTo(name);
            if (order == 0)
            {
                return Entries[middle].Node;
            }
            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }
        return null;
    }

    private static ImmutableArray<DirectoryEntry> Sorted(IEnumerable<DirectoryEntry> entries)
    {
        var sorted = entries.ToArray();
        Array.Sort(sorted, static (a, b) => a.Name.CompareTo(b.Name));
        for (int i = 0; i < sorted.Length; i++)
        {
            if (!sorted[i].Name.IsValid)
            {
                throw new InvalidDataException($"\"{sorted[i].Name}\" is no file name");
            }
            if (i > 0 && sorted[i].Name == sorted[i - 1].Name)
            {
                throw new InvalidDataException($"\"{sorted[i].Name}\" stands twice in one directory");
            }
        }
        return ImmutableArray.Create(sorted);
    }
}

public sealed class FileNode(Metadata metadata, Blob content) : Node(metadata)
{
    public override FileType Type => FileType.Regular;

    public Blob Content { get; } = content;
}

public sealed class SymlinkNode(Metadata metadata, ImmutableArray<byte> target) : Node(metadata)
{
    public override FileType Type => FileType.Symlink;

    /// <summary>As it is stored: not resolved, not terminated.</summary>
    public ImmutableArray<byte> Target { get; } = target;
}

/// <summary>A character or block device.</summary>
public sealed class DeviceNode(Metadata metadata, FileType type, uint major, uint minor) : Node(metadata)
{
    public override FileType Type { get; } = type;

    public uint Major { get; } = major;

    public uint Minor { get; } = minor;
}

/// <summary>A fifo or a socket.</summary>
public sealed class SpecialNode(Metadata metadata, FileType type) : Node(metadata)
{
    public override FileType Type { get; } = type;
}
