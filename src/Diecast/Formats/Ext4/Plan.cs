using System.Text;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Ext4;

/// <summary>An inode of the tree with its number and all of its content that does not depend on places.</summary>
internal sealed class PlannedInode(uint number, uint parent, TreeEntry entry)
{
    public uint Number { get; } = number;

    /// <summary>The number of the directory that holds the first of its names; the root's is its own.</summary>
    public uint Parent { get; } = parent;

    public Node Node { get; } = entry.Node;

    /// <summary>The first of its names; null for the root.</summary>
    public TreePath? Path { get; } = entry.Path;

    public uint Links { get; set; } = 1;

    public Xattrs Xattrs { get; set; } = Xattrs.None;

    /// <summary>A directory's blocks, or the target of a symbolic link that is too long for the inode.</summary>
    public byte[]? Bytes { get; set; }

    public bool IsIndexed { get; set; }

    /// <summary>What of a file's content is not a hole.</summary>
    public IReadOnlyList<ByteRange> Runs { get; set; } = [];

    public string Name => Path?.ToString() ?? "/";
}

/// <summary>
/// The tree flattened and numbered: "lost+found" is inode 11 as in mke2fs(8), all others follow in the order of
/// <see cref="FileTree.Walk"/>. Independent of the size and of places.
/// </summary>
internal sealed class Plan
{
    public const uint RootInode = 2, ResizeInode = 7, JournalInode = 8;

    /// <summary>A longer target gets a block.</summary>
    public const int ShortTarget = 59;

    /// <summary>Hard links of a file, subdirectories (with "." and "..") of a directory.</summary>
    public const uint MaximumLinks = 65000;

    private const int LongestTarget = 4095;
    private const int LostAndFoundBlocks = 4;
    private const uint MaximumMajor = 0xFFF, MaximumMinor = 0xFFFFF;
    private const long MaximumFile = uint.MaxValue * (long)Layout.BlockSize;

    private static readonly FileName s_lostAndFound = new("lost+found");

    private static readonly PlanCache<Plan> s_plans = new(static (tree, options) => new Plan(tree, options));

    private readonly List<string> _errors = [];
    private readonly Dictionary<Node, PlannedInode> _byNode = new(ReferenceEqualityComparer.Instance);
    private readonly List<PlannedInode> _inodes = [];

    private Plan(FileTree tree, FileSystemOptions options)
    {
        Options = options;
        Uuid = options.Uuid.ToByteArray(bigEndian: true);
        HashSeed = (options.HashSeed ?? options.Uuid).ToByteArray(bigEndian: true);
        Checksums = new Checksums(Uuid);
        CheckOptions();
        Flatten(WithLostAndFound(tree));
        foreach (var inode in _inodes)
        {
            Check(inode);
            inode.Xattrs = Xattrs.Encode(inode.Node.Metadata.Xattrs, error => Error(inode, error));
        }
        if (_errors.Count == 0)
        {
            EncodeDirectories();
            FindRuns();
        }
    }

    public FileSystemOptions Options { get; }

    public byte[] Uuid { get; }

    public byte[] HashSeed { get; }

    public Checksums Checksums { get; }

    /// <summary>Ascending by number: the root, lost+found and the rest without a gap.</summary>
    public IReadOnlyList<PlannedInode> Inodes => _inodes;

    /// <summary>The number of the last inode in use.</summary>
    public uint LastInode => _inodes[^1].Number;

    /// <summary>Each with the path it is about. Where there are any, the plan has no directories and runs.</summary>
    public IReadOnlyList<string> Errors => _errors;

    /// <summary>The options' size does not matter.</summary>
    public static Plan For(FileTree tree, FileSystemOptions options) => s_plans.For(tree, options);

    private void CheckOptions()
    {
        byte[] label = Encoding.UTF8.GetBytes(Options.Label);
        if (label.Length > 16 || label.Contains((byte)0))
        {
            _errors.Add($"the label \"{Options.Label}\" has {label.Length} bytes; ext4 holds 16, none of them NUL");
        }
        if (Options.Epoch.Seconds < 0 || !InodeTime.IsRepresentable(Options.Epoch))
        {
            _errors.Add($"the time {Options.Epoch} is outside of what an ext4 superblock holds (1970 to 2446)");
        }
    }

    private DirectoryNode WithLostAndFound(FileTree tree)
    {
        if (tree.Root.Find(s_lostAndFound) is { } found)
        {
            if (found is not DirectoryNode)
            {
                _errors.Add("/lost+found: must be a directory, e2fsck(8) needs it");
            }
            return tree.Root;
        }
        var made = new DirectoryNode(new Metadata(0x1C0, 0, 0, Options.Epoch), []);
        return new DirectoryNode(tree.Root.Metadata, [.. tree.Root.Entries, new DirectoryEntry(s_lostAndFound, made)]);
    }

    private void Flatten(DirectoryNode root)
    {
        uint next = Layout.FirstInode + 1;
        var lostAndFound = root.Find(s_lostAndFound);
        var open = new Stack<(DirectoryNode Node, TreePath? Path, uint Number)>();
        Add(new PlannedInode(RootInode, RootInode, new TreeEntry(null, root)));
        // As FileTree.Walk, but each child knows its parent's number.
        foreach (var entry in new FileTree(root).Walk())
        {
            if (entry.Path is null)
            {
                open.Push((root, null, RootInode));
                continue;
            }
            while (!ReferenceEquals(open.Peek().Path, entry.Path.Parent))
            {
                open.Pop();
            }
            if (_byNode.TryGetValue(entry.Node, out var known))
            {
                known.Links++;
                if (entry.Node is DirectoryNode)
                {
                    Error(entry.ToString(), $"is the directory {known.Name} again");
                }
                continue;
            }
            uint number = ReferenceEquals(entry.Node, lostAndFound) ? Layout.FirstInode : next++;
            Add(new PlannedInode(number, open.Peek().Number, entry));
            if (entry.Node is DirectoryNode directory)
            {
                _byNode[open.Peek().Node].Links++;
                open.Push((directory, entry.Path, number));
            }
        }
        _inodes.Sort(static (a, b) => a.Number.CompareTo(b.Number));
    }

    private void Add(PlannedInode inode)
    {
        if (inode.Node is DirectoryNode)
        {
            // "." beside the name; the root's ".." is itself.
            inode.Links = 2;
        }
        _byNode.Add(inode.Node, inode);
        _inodes.Add(inode);
    }

    private void Check(PlannedInode inode)
    {
        if (!InodeTime.IsRepresentable(inode.Node.Metadata.Mtime))
        {
            Error(inode, $"the time {inode.Node.Metadata.Mtime} is outside of what an ext4 inode holds (1901 to 2446)");
        }
        if (inode.Links > MaximumLinks && inode.Node is not DirectoryNode)
        {
            Error(inode, $"has {inode.Links} hard links; ext4 holds {MaximumLinks}");
        }
        switch (inode.Node)
        {
            case FileNode file when file.Content.Length > MaximumFile:
                Error(inode, $"has {file.Content.Length} bytes; a file of ext4 holds {MaximumFile}");
                break;
            case SymlinkNode link when link.Target.Length is 0 or > LongestTarget || link.Target.Contains((byte)0):
                Error(inode, $"a symbolic link's target must have 1 to {LongestTarget} bytes, none of them NUL");
                break;
            case DeviceNode { Major: > MaximumMajor } or DeviceNode { Minor: > MaximumMinor }:
                Error(inode, $"a device number of ext4 is at most {MaximumMajor}:{MaximumMinor}");
                break;
        }
    }

    private void EncodeDirectories()
    {
        var encoder = new DirectoryEncoder(new DirectoryHash(HashSeed), Checksums);
        foreach (var inode in _inodes)
        {
            if (inode.Node is SymlinkNode { Target.Length: > ShortTarget } link)
            {
                inode.Bytes = link.Target.AsSpan().ToArray();
            }
            if (inode.Node is DirectoryNode directory)
            {
                var links = new List<Link>(directory.Entries.Length);
                foreach (var entry in directory.Entries)
                {
                    links.Add(new Link(entry.Name, _byNode[entry.Node].Number, entry.Node.Type));
                }
                // e2fsck must find room in lost+found without allocating blocks, and looks through it without the
                // index.
                inode.Bytes = inode.Number == Layout.FirstInode
                    ? encoder.EncodeLinear(inode.Number, inode.Parent, links, LostAndFoundBlocks)
                    : encoder.Encode(inode.Number, inode.Parent, links, error => Error(inode, error));
                inode.IsIndexed = inode.Number != Layout.FirstInode && inode.Bytes.Length > Layout.BlockSize;
            }
        }
    }

    private void FindRuns()
    {
        var large = new List<PlannedInode>();
        foreach (var inode in _inodes)
        {
            if (inode.Node is FileNode { Content.Length: > 0 } file)
            {
                if (file.Content.Length >= DataRuns.MinimumHole)
                {
                    large.Add(inode);
                }
                else
                {
                    inode.Runs = [new ByteRange(0, file.Content.Length)];
                }
            }
        }
        AllProcessors.For(large.Count, i => large[i].Runs = DataRuns.Find(((FileNode)large[i].Node).Content));
    }

    private void Error(PlannedInode inode, string what) => Error(inode.Name, what);

    private void Error(string path, string what) => _errors.Add($"{path}: {what}");
}
