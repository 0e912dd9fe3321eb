using System.Collections.Concurrent;
using System.Collections.Immutable;
using Diecast.Trees;

namespace Diecast.Formats.Btrfs;

/// <summary>The files of the top-level subvolume and of those that stand in it.</summary>
internal sealed class FileTreeReader(Volume volume, TreeIndex index)
{
    private const int MinorBits = 20;

    private readonly DecodedExtents _decoded = new();

    // Nodes with several names. Directories have one: else a hostile tree would have no end.
    private readonly ConcurrentDictionary<(ulong Tree, ulong Inode), Lazy<Node>> _linked = [];
    private readonly ConcurrentDictionary<(ulong Tree, ulong Inode), (ulong Tree, ulong Inode, FileName Name)> _parents = [];

    /// <exception cref="InvalidDataException">The root is damaged.</exception>
    public FileTree Read()
    {
        var tree = index.Find(ObjectId.FsTree) ?? throw new InvalidDataException("btrfs: there is no FS_TREE");
        _parents.TryAdd((ObjectId.FsTree, ObjectId.FirstFree), default);
        return new FileTree(Directory(tree, ObjectId.FirstFree));
    }

    private DirectoryNode Directory(Tree tree, ulong inode) => Load(tree, inode) as DirectoryNode
        ?? throw new InvalidDataException($"btrfs inode {inode} of the tree {ObjectId.Name(tree.Root.Id)}: the root is no directory");

    private Node Load(Tree tree, ulong inode)
    {
        var item = tree.Find(new Key(inode, ItemType.InodeItem, 0))
            ?? throw new InvalidDataException($"btrfs inode {inode} of the tree {ObjectId.Name(tree.Root.Id)}: there is none");
        return ToNode(tree, item);
    }

    private Node ToNode(Tree tree, TreeItem item)
    {
        var inode = item.Read<InodeItem>();
        ulong number = item.Key.Objectid;
        if (inode.Mtime.Nsec >= 1_000_000_000 || inode.Size > long.MaxValue)
        {
            throw item.Damaged($"{inode.Mtime.Nsec} nanoseconds, {inode.Size} bytes");
        }
        var metadata = new Metadata((ushort)(inode.Mode & 0xFFF), inode.Uid, inode.Gid, new Timestamp(inode.Mtime.Sec, inode.Mtime.Nsec))
        {
            Xattrs = Xattrs(tree, number),
        };
        return (int)(inode.Mode & Posix.S_IFMT) switch
        {
            Posix.S_IFREG => new FileNode(metadata, new StoredFile(volume, _decoded, tree, number, (long)inode.Size.Value)),
            Posix.S_IFDIR => new DirectoryNode(metadata, () => ReadDirectory(tree, number, metadata)),
            Posix.S_IFLNK => new SymlinkNode(metadata, Target(tree, item, inode)),
            Posix.S_IFCHR => Device(metadata, FileType.CharacterDevice, inode.Rdev),
            Posix.S_IFBLK => Device(metadata, FileType.BlockDevice, inode.Rdev),
            Posix.S_IFIFO => new SpecialNode(metadata, FileType.Fifo),
            Posix.S_IFSOCK => new SpecialNode(metadata, FileType.Socket),
            _ => throw item.Damaged($"no type has the mode {Convert.ToString(inode.Mode, 8)}"),
        };
    }

    /// <summary>The number is in the form that it has in the kernel's memory: 12 bits of the major, 20 of the minor.</summary>
    private static DeviceNode Device(Metadata metadata, FileType type, ulong number) =>
        new(metadata, type, (uint)(number >> MinorBits & 0xFFF), (uint)(number & ((1u << MinorBits) - 1)));

    private ImmutableArray<byte> Target(Tree tree, TreeItem item, in InodeItem inode)
    {
        if (inode.Size == 0 || inode.Size > (ulong)volume.SectorSize)
        {
            throw item.Damaged($"a symbolic link of {inode.Size} bytes");
        }
        long length = (long)inode.Size.Value;
        return [.. new StoredFile(volume, _decoded, tree, item.Key.Objectid, length).ReadBytes(0, (int)length)];
    }

    private static ImmutableArray<Xattr> Xattrs(Tree tree, ulong inode)
    {
        var xattrs = ImmutableArray.CreateBuilder<Xattr>();
        foreach (var item in tree.Items(inode, ItemType.XattrItem))
        {
            foreach (var entry in DirectoryItem.ReadAll(item))
            {
                xattrs.Add(Xattr.Create(entry.Name, entry.Value));
            }
        }
        return xattrs.ToImmutable();
    }

    private IEnumerable<DirectoryEntry> ReadDirectory(Tree tree, ulong directory, Metadata metadata)
    {
        var names = new HashSet<FileName>();
        foreach (var item in tree.Items(directory, ItemType.DirIndex))
        {
            foreach (var entry in DirectoryItem.ReadAll(item))
            {
                var name = new FileName(entry.Name);
                if (!name.IsValid || !names.Add(name))
                {
                    throw item.Damaged(name.IsValid ? $"\"{name}\" stands twice in the directory" : "no valid name");
                }
                yield return new DirectoryEntry(name, Child(tree, directory, name, metadata, item, entry.Location));
            }
        }
    }

    private Node Child(Tree tree, ulong directory, FileName name, Metadata metadata, TreeItem entry, Key location)
    {
        if (location.Type == ItemType.RootItem)
        {
            return Subvolume(tree, directory, name, metadata, entry, location.Objectid);
        }
        if (location.Type != ItemType.InodeItem)
        {
            throw entry.Damaged($"the location {location}");
        }
        ulong inode = location.Objectid;
        var item = tree.Find(new Key(inode, ItemType.InodeItem, 0)) ?? throw entry.Damaged($"there is no inode {inode}");
        var record = item.Read<InodeItem>();
        if ((record.Mode & Posix.S_IFMT) == Posix.S_IFDIR)
        {
            Claim((tree.Root.Id, inode), (tree.Root.Id, directory, name), entry);
            return ToNode(tree, item);
        }
        return record.Nlink > 1
            ? _linked.GetOrAdd((tree.Root.Id, inode), _ => new Lazy<Node>(() => ToNode(tree, item))).Value
            : ToNode(tree, item);
    }

    /// <summary>
    /// The root of a subvolume. A snapshot has the entries of the subvolumes that its origin holds but not those
    /// subvolumes: what refers to one that is elsewhere is an empty directory.
    /// </summary>
    private DirectoryNode Subvolume(
        Tree tree, ulong directory, FileName name, Metadata metadata, TreeItem entry, ulong id)
    {
        var reference = index.RootTree.Find(new Key(id, ItemType.RootBackref, tree.Root.Id));
        if (reference is not { } found || found.Read<RootRef>().Dirid != directory || index.Find(id) is not { } subvolume)
        {
            return new DirectoryNode(new Metadata(0x1ED, 0, 0, metadata.Mtime), []);
        }
        Claim((id, ObjectId.FirstFree), (tree.Root.Id, directory, name), entry);
        return Directory(subvolume, ObjectId.FirstFree);
    }

    /// <summary>Notes where a directory stands. One that was let go of comes again, in the same place.</summary>
    private void Claim((ulong Tree, ulong Inode) child, (ulong Tree, ulong Inode, FileName Name) place, TreeItem entry)
    {
        if (_parents.GetOrAdd(child, place) != place)
        {
            throw entry.Damaged($"the directory {child.Inode} of the tree {ObjectId.Name(child.Tree)} stands elsewhere already");
        }
    }
}

/// <summary>What a DIR_ITEM, DIR_INDEX or XATTR_ITEM holds once or, where hashes are equal, several times.</summary>
internal readonly record struct DirectoryItem(Key Location, byte[] Name, byte[] Value)
{
    /// <exception cref="InvalidDataException">An entry is cut off.</exception>
    public static IEnumerable<DirectoryItem> ReadAll(TreeItem item)
    {
        for (int at = 0; at < item.Data.Length;)
        {
            var header = item.Read<DirItem>(at);
            at += DirItem.Size;
            int nameLength = header.NameLen;
            int length = nameLength + header.DataLen;
            if (length > item.Data.Length - at)
            {
                throw item.Damaged($"a name of {header.NameLen} and a value of {header.DataLen} bytes");
            }
            var data = item.Data.Span.Slice(at, length);
            yield return new DirectoryItem(Key.From(header.Location), data[..nameLength].ToArray(), data[nameLength..].ToArray());
            at += length;
        }
    }
}
