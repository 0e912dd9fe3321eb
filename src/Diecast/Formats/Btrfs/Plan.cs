using System.Text;
using Diecast.Binary;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Btrfs;

/// <summary>One of an inode's names, and its number in the directory.</summary>
internal readonly record struct InodeName(ulong Directory, ulong Index, FileName Name);

/// <summary>A part of a file that is no hole.</summary>
/// <param name="FileOffset">In bytes; a multiple of the sector size.</param>
/// <param name="Length">In bytes, of what the file shows; of whole sectors but for the file's end.</param>
/// <param name="Content">What is stored.</param>
/// <param name="Compression">Of the content.</param>
internal readonly record struct FileData(long FileOffset, long Length, Blob Content, ExtentCompression Compression);

/// <summary>The content of a file that a leaf holds.</summary>
internal sealed record InlineData(Blob Content, ExtentCompression Compression);

/// <summary>An inode of the tree with its number and what of its content is not a hole.</summary>
internal sealed class PlannedInode(PlannedSubvolume subvolume, ulong number, Node node)
{
    private ulong _lowestDirectory = ulong.MaxValue;

    public PlannedSubvolume Subvolume { get; } = subvolume;

    /// <summary>In the subvolume.</summary>
    public ulong Number { get; } = number;

    public Node Node { get; } = node;

    /// <summary>The first of its names in the directory of the lowest number, where a reader looks first; null for the root.</summary>
    public TreePath? Path { get; private set; }

    /// <summary>In the order of the walk. A subvolume's root has "..", in itself.</summary>
    public List<InodeName> Names { get; } = new(1);

    public void AddName(InodeName name, TreePath? path)
    {
        if (name.Directory < _lowestDirectory)
        {
            _lowestDirectory = name.Directory;
            Path = path;
        }
        Names.Add(name);
    }

    /// <summary>What of a file is not inline; ascending.</summary>
    public IReadOnlyList<FileData> Data { get; set; } = [];

    /// <summary>The content of a file that is so short that a leaf holds it.</summary>
    public InlineData? Inline { get; set; }

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

    /// <summary>1 GiB: what all checksums of the data take in memory; with crc32c that is 1 TiB of data.</summary>
    private const long MaximumChecksums = 1L << 30;

    private const int LongestTarget = 4095;
    private const int LongestLabel = 255;
    private const uint MaximumMajor = 0xFFF, MaximumMinor = 0xFFFFF;

    private static readonly PlanCache<Plan> s_plans = new(static (tree, options) => new Plan(tree, options));

    private readonly List<string> _errors = [];
    private readonly Dictionary<Node, PlannedInode> _byNode = new(ReferenceEqualityComparer.Instance);
    private readonly List<PlannedInode> _inodes = [];
    private readonly List<PlannedSubvolume> _subvolumes = [];

    private Plan(FileTree tree, FileSystemOptions options)
    {
        Options = options;
        Ids = new DerivedIds(options.Uuid);
        byte[] label = Encoding.UTF8.GetBytes(options.Label);
        if (label.Length > LongestLabel || label.Contains((byte)0))
        {
            _errors.Add($"the label \"{options.Label}\" has {label.Length} bytes; btrfs holds {LongestLabel}, none of them NUL");
        }
        CheckCompression();
        Flatten(tree, FindSubvolumes(tree));
        foreach (var inode in _inodes)
        {
            Check(inode);
        }
        if (_errors.Count == 0)
        {
            FindData();
            CheckData();
        }
    }

    public FileSystemOptions Options { get; }

    public DerivedIds Ids { get; }

    public ChecksumType Checksum => Options.Checksum switch
    {
        FileSystemChecksum.Crc32C => ChecksumType.Crc32C,
        FileSystemChecksum.XxHash64 => ChecksumType.XxHash64,
        FileSystemChecksum.Sha256 => ChecksumType.Sha256,
        _ => ChecksumType.Blake2b,
    };

    public ExtentCompression Compression => Options.Compression switch
    {
        FileCompression.None => ExtentCompression.None,
        FileCompression.Zlib => ExtentCompression.Zlib,
        FileCompression.Lzo => ExtentCompression.Lzo,
        _ => ExtentCompression.Zstd,
    };

    /// <summary>Of all subvolumes, in the order of the walk.</summary>
    public IReadOnlyList<PlannedInode> Inodes => _inodes;

    /// <summary>The top level, then the others in the order of the walk; ascending by id.</summary>
    public IReadOnlyList<PlannedSubvolume> Subvolumes => _subvolumes;

    /// <summary>The id of the subvolume that is mounted where none is asked for.</summary>
    public ulong DefaultSubvolume { get; private set; } = ObjectId.FsTree;

    /// <summary>Each with the path it is about. Where there are any, the plan has no data.</summary>
    public IReadOnlyList<string> Errors => _errors;

    /// <summary>Where everything stands; only of a plan without errors.</summary>
    public Layout Layout => field ??= new Layout(this);

    /// <summary>What a name of the node refers to: an inode, or the root of another subvolume.</summary>
    public Key LocationOf(Node node)
    {
        var inode = _byNode[node];
        return inode.Number == ObjectId.FirstFree
            ? new Key(inode.Subvolume.Id, ItemType.RootItem, ulong.MaxValue) : new Key(inode.Number, ItemType.InodeItem, 0);
    }

    /// <summary>The options' size does not matter.</summary>
    public static Plan For(FileTree tree, FileSystemOptions options) => s_plans.For(tree, options);

    private void CheckCompression()
    {
        if (Options.CompressionLevel is { } level && (level < 1 || level > ExtentEncoder.Levels(Compression).Highest))
        {
            _errors.Add(Compression switch
            {
                ExtentCompression.None => "a compression level without a compression",
                ExtentCompression.Lzo => "Lzo has no levels",
                _ => $"{Options.Compression} has the levels 1 to {ExtentEncoder.Levels(Compression).Highest} in btrfs, not {level}",
            });
        }
    }

    private sealed class OpenDirectory(PlannedInode inode)
    {
        public PlannedInode Inode { get; } = inode;

        /// <summary>What the next name's number is: "." and ".." have the first two, though they are not stored.</summary>
        public ulong NextIndex { get; set; } = 2;
    }

    private Dictionary<Node, Subvolume> FindSubvolumes(FileTree tree)
    {
        var found = new Dictionary<Node, Subvolume>(ReferenceEqualityComparer.Instance);
        foreach (var subvolume in Options.Subvolumes)
        {
            if (tree.Find(subvolume.Path) is not DirectoryNode directory)
            {
                Error(subvolume.Path, "is to be a subvolume, but there is no directory");
            }
            else if (ReferenceEquals(directory, tree.Root) || !found.TryAdd(directory, subvolume))
            {
                Error(subvolume.Path, "is a subvolume already");
            }
        }
        return found;
    }

    private void Flatten(FileTree tree, Dictionary<Node, Subvolume> subvolumes)
    {
        var open = new Stack<OpenDirectory>();
        var wanted = tree.Find(Options.DefaultSubvolume);
        foreach (var entry in tree.Walk())
        {
            if (entry.Path is null)
            {
                open.Push(new OpenDirectory(AddRoot(new PlannedSubvolume(ObjectId.FsTree, null, new Subvolume("/")), entry)));
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
                AddName(known, name, parent.Inode.Subvolume, entry);
                continue;
            }
            var inode = subvolumes.TryGetValue(entry.Node, out var subvolume)
                ? AddRoot(new PlannedSubvolume(ObjectId.FirstFree + (ulong)_subvolumes.Count - 1, entry.Path, subvolume)
                {
                    Parent = parent.Inode.Subvolume,
                    Name = name,
                }, entry)
                : Add(parent.Inode.Subvolume, entry, name);
            if (entry.Node is DirectoryNode)
            {
                open.Push(new OpenDirectory(inode));
            }
        }
        if (_byNode.TryGetValue(wanted ?? tree.Root, out var root) && root.Number == ObjectId.FirstFree && wanted is not null)
        {
            DefaultSubvolume = root.Subvolume.Id;
        }
        else
        {
            Error(Options.DefaultSubvolume, "is to be the default subvolume, but is none");
        }
    }

    private void AddName(PlannedInode known, InodeName name, PlannedSubvolume subvolume, TreeEntry entry)
    {
        if (entry.Node is DirectoryNode)
        {
            Error(entry.ToString(), $"is the directory {known} again");
        }
        else if (known.Subvolume != subvolume)
        {
            Error(entry.ToString(), $"is a hard link of {known}, which is in another subvolume");
        }
        else
        {
            known.AddName(name, entry.Path);
        }
    }

    private PlannedInode AddRoot(PlannedSubvolume subvolume, TreeEntry entry)
    {
        _subvolumes.Add(subvolume);
        return Add(subvolume, entry, new InodeName(ObjectId.FirstFree, 0, new FileName("..")));
    }

    private PlannedInode Add(PlannedSubvolume subvolume, TreeEntry entry, InodeName name)
    {
        var inode = subvolume.Add(entry.Node);
        inode.AddName(name, entry.Path);
        _byNode.Add(entry.Node, inode);
        _inodes.Add(inode);
        return inode;
    }

    private void Check(PlannedInode inode)
    {
        if (inode.Names.Count > MaximumLinks)
        {
            Error(inode, $"has {inode.Names.Count} hard links; btrfs holds {MaximumLinks}");
        }
        else if (DirectoryItems.OversizedReference(inode) is { } hash)
        {
            Error(inode, $"more hard links than one item holds have the hash {hash}");
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

    private void FindData()
    {
        var large = new List<PlannedInode>();
        foreach (var inode in _inodes)
        {
            if (inode.Node is not FileNode { Content.Length: > 0 } file)
            {
                continue;
            }
            if (file.Content.Length <= LongestInline)
            {
                inode.Inline = new InlineData(file.Content, ExtentCompression.None);
            }
            else if (file.Content.Length < DataRuns.MinimumHole)
            {
                inode.Data = [new FileData(0, file.Content.Length, file.Content, ExtentCompression.None)];
            }
            else
            {
                large.Add(inode);
            }
        }
        AllProcessors.For(large.Count, i => large[i].Data = RunsOf(((FileNode)large[i].Node).Content));
        if (Compression != ExtentCompression.None)
        {
            new ExtentEncoder(Compression, Options.CompressionLevel ?? ExtentEncoder.Levels(Compression).Default).Encode(_inodes);
        }
    }

    private static FileData[] RunsOf(Blob content) =>
    [
        .. DataRuns.Find(content).Select(run =>
            new FileData(run.Offset, run.Length, content.Slice(run.Offset, run.Length), ExtentCompression.None)),
    ];

    private void CheckData()
    {
        long total = _inodes.Sum(static inode => inode.Data.Sum(static data => data.Content.Length.AlignUp(Layout.SectorSize)));
        long most = MaximumChecksums / Checksums.Size(Checksum) * Layout.SectorSize;
        if (total > most)
        {
            _errors.Add($"{total} bytes of data are more than the {most} that btrfs is written with");
        }
    }

    private void Error(PlannedInode inode, string what) => Error(inode.ToString(), what);

    private void Error(string path, string what) => _errors.Add($"{path}: {what}");
}
