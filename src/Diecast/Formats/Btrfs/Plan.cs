using System.Runtime.CompilerServices;
using System.Text;
using Diecast.Binary;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Btrfs;

/// <summary>One of an inode's names, and its number in the directory.</summary>
internal readonly record struct InodeName(ulong Directory, ulong Index, FileName Name);

/// <summary>An inode of the tree with its number and what of its content is not a hole.</summary>
internal sealed class PlannedInode(ulong number, TreeEntry entry)
{
    public ulong Number { get; } = number;

    public Node Node { get; } = entry.Node;

    /// <summary>The first of its names; null for the root.</summary>
    public TreePath? Path { get; } = entry.Path;

    /// <summary>In the order of the walk. The root's is "..", in itself.</summary>
    public List<InodeName> Names { get; } = new(1);

    /// <summary>What of a file is data and not inline; of whole sectors but for the file's end.</summary>
    public IReadOnlyList<ByteRange> Runs { get; set; } = [];

    /// <summary>A file that is so short that a leaf holds its content.</summary>
    public bool IsInline => Node is FileNode { Content.Length: > 0 and <= Plan.LongestInline };

    public override string ToString() => Path?.ToString() ?? "/";
}

/// <summary>
/// The tree flattened and numbered in the order of <see cref="FileTree.Walk"/>. Independent of the size and of places.
/// </summary>
internal sealed class Plan
{
    /// <summary>The default of the mount option max_inline.</summary>
    public const int LongestInline = 2048;

    /// <summary>BTRFS_LINK_MAX.</summary>
    public const int MaximumLinks = 65535;

    /// <summary>1 TiB of data in bytes: more has not been tried.</summary>
    public const long MaximumData = 1L << 40;

    private const int LongestTarget = 4095;
    private const int LongestLabel = 255;
    private const uint MaximumMajor = 0xFFF, MaximumMinor = 0xFFFFF;

    // The tree is frozen, and to check, to measure and to write it takes the same plan.
    private static readonly ConditionalWeakTable<FileTree, Plan> s_latest = [];

    private readonly List<string> _errors = [];
    private readonly Dictionary<Node, PlannedInode> _byNode = new(ReferenceEqualityComparer.Instance);
    private readonly List<PlannedInode> _inodes = [];

    private Plan(FileTree tree, FileSystemOptions options)
    {
        Options = options;
        Ids = new DerivedIds(options.Uuid);
        byte[] label = Encoding.UTF8.GetBytes(options.Label);
        if (label.Length > LongestLabel || label.Contains((byte)0))
        {
            _errors.Add($"the label \"{options.Label}\" has {label.Length} bytes; btrfs holds {LongestLabel}, none of them NUL");
        }
        Flatten(tree);
        foreach (var inode in _inodes)
        {
            Check(inode);
        }
        if (_errors.Count == 0)
        {
            FindRuns();
        }
    }

    public FileSystemOptions Options { get; }

    public DerivedIds Ids { get; }

    /// <summary>Ascending by number, from the root's on without a gap.</summary>
    public IReadOnlyList<PlannedInode> Inodes => _inodes;

    /// <summary>Each with the path it is about. Where there are any, the plan has no runs.</summary>
    public IReadOnlyList<string> Errors => _errors;

    /// <summary>Where everything stands; only of a plan without errors.</summary>
    public Layout Layout => field ??= new Layout(this);

    /// <summary>The number of a node of the tree.</summary>
    public ulong NumberOf(Node node) => _byNode[node].Number;

    /// <summary>The options' size does not matter.</summary>
    public static Plan For(FileTree tree, FileSystemOptions options)
    {
        var unsized = options with { Size = null };
        if (!s_latest.TryGetValue(tree, out var plan) || plan.Options != unsized)
        {
            plan = new Plan(tree, unsized);
            s_latest.AddOrUpdate(tree, plan);
        }
        return plan;
    }

    private sealed class OpenDirectory(PlannedInode inode)
    {
        public PlannedInode Inode { get; } = inode;

        /// <summary>What the next name's number is: "." and ".." have the first two, though they are not stored.</summary>
        public ulong NextIndex { get; set; } = 2;
    }

    private void Flatten(FileTree tree)
    {
        var open = new Stack<OpenDirectory>();
        foreach (var entry in tree.Walk())
        {
            if (entry.Path is null)
            {
                var root = new PlannedInode(ObjectId.FirstFree, entry);
                root.Names.Add(new InodeName(root.Number, 0, new FileName("..")));
                Add(root);
                open.Push(new OpenDirectory(root));
                continue;
            }
            while (!ReferenceEquals(open.Peek().Inode.Path, entry.Path.Parent))
            {
                open.Pop();
            }
            var parent = open.Peek();
            var name = new InodeName(parent.Inode.Number, parent.NextIndex++, entry.Path.Name);
            if (_byNode.TryGetValue(entry.Node, out var known))
            {
                known.Names.Add(name);
                if (entry.Node is DirectoryNode)
                {
                    Error(entry.ToString(), $"is the directory {known} again");
                }
                continue;
            }
            var inode = new PlannedInode(ObjectId.FirstFree + (ulong)_inodes.Count, entry);
            inode.Names.Add(name);
            Add(inode);
            if (entry.Node is DirectoryNode)
            {
                open.Push(new OpenDirectory(inode));
            }
        }
    }

    private void Add(PlannedInode inode)
    {
        _byNode.Add(inode.Node, inode);
        _inodes.Add(inode);
    }

    private void Check(PlannedInode inode)
    {
        if (inode.Names.Count > MaximumLinks)
        {
            Error(inode, $"has {inode.Names.Count} hard links; btrfs holds {MaximumLinks}");
        }
        switch (inode.Node)
        {
            case SymlinkNode link when link.Target.Length is 0 or > LongestTarget || link.Target.Contains((byte)0):
                Error(inode, $"a symbolic link's target must have 1 to {LongestTarget} bytes, none of them NUL");
                break;
            case DeviceNode { Major: > MaximumMajor } or DeviceNode { Minor: > MaximumMinor }:
                Error(inode, $"a device number of btrfs is at most {MaximumMajor}:{MaximumMinor}");
                break;
            case DirectoryNode directory when DirectoryItems.Oversized(directory) is { } name:
                Error(inode, $"the hash of more names than one item holds is that of \"{name}\"");
                break;
        }
        DirectoryItems.CheckXattrs(inode.Node.Metadata.Xattrs, error => Error(inode, error));
    }

    private void FindRuns()
    {
        var large = new List<PlannedInode>();
        foreach (var inode in _inodes)
        {
            if (inode.Node is FileNode { Content.Length: > LongestInline } file)
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
        Parallel.For(0, large.Count, i => large[i].Runs = DataRuns.Find(((FileNode)large[i].Node).Content));
        long total = _inodes.Sum(static inode => inode.Runs.Sum(static run => run.Length.AlignUp(Layout.SectorSize)));
        if (total > MaximumData)
        {
            _errors.Add($"{total} bytes of data are more than the {MaximumData} that btrfs is written with");
        }
    }

    private void Error(PlannedInode inode, string what) => Error(inode.ToString(), what);

    private void Error(string path, string what) => _errors.Add($"{path}: {what}");
}
