using System.Buffers.Binary;
using System.Collections.Immutable;
using Diecast.Binary;
using Diecast.Trees;

namespace Diecast.Formats.Btrfs;

/// <summary>The items whose keys are hashes of names: DIR_ITEM, XATTR_ITEM and INODE_EXTREF.</summary>
internal static class DirectoryItems
{
    /// <summary>BTRFS_FT_XATTR.</summary>
    private const byte XattrType = 8;

    private const int LongestXattrName = 255, LongestName = 255;

    private static readonly string[] s_prefixes = ["user.", "trusted.", "security.", "btrfs."];
    private static readonly string[] s_acls = ["system.posix_acl_access", "system.posix_acl_default"];

    /// <summary>What stands in one item, with others of the same hash.</summary>
    private readonly record struct Entry(uint Hash, int Order, byte[] Bytes) : IComparable<Entry>
    {
        public int CompareTo(Entry other) => (Hash, Order).CompareTo((other.Hash, other.Order));
    }

    /// <summary>btrfs_name_hash().</summary>
    public static uint NameHash(ReadOnlySpan<byte> name) => Crc32C.Append(~1u, name);

    /// <summary>A name whose hash so many have that their entries are more than an item; null where there is none.</summary>
    public static string? Oversized(DirectoryNode directory)
    {
        int total = 0;
        foreach (var entry in directory.Entries)
        {
            total += DirItem.Size + entry.Name.Length;
        }
        if (total <= TreeShape.LargestItem)
        {
            return null;
        }
        foreach (var group in directory.Entries.GroupBy(static entry => NameHash(entry.Name.Bytes)))
        {
            if (group.Sum(static entry => DirItem.Size + entry.Name.Length) > TreeShape.LargestItem)
            {
                return group.First().Name.ToString();
            }
        }
        return null;
    }

    /// <summary>The hash that so many of an inode's names have that they are more than an item; null where there is none.</summary>
    public static ulong? OversizedReference(PlannedInode inode)
    {
        if (inode.Names.Count <= TreeShape.LargestItem / (InodeExtref.Size + LongestName))
        {
            return null;
        }
        var oversized = References(inode).Where(static item => item.Length > TreeShape.LargestItem).Take(1).ToArray();
        return oversized.Length > 0 ? oversized[0].Key.Offset : null;
    }

    /// <summary>Tells what keeps the attributes from being stored.</summary>
    public static void CheckXattrs(ImmutableArray<Xattr> xattrs, Action<string> error)
    {
        if (xattrs.IsEmpty)
        {
            return;
        }
        foreach (var xattr in xattrs)
        {
            string name = FileName.Display(xattr.Name.AsSpan());
            bool acl = s_acls.Contains(name, StringComparer.Ordinal);
            if (!acl && !s_prefixes.Any(prefix => name.Length > prefix.Length && name.StartsWith(prefix, StringComparison.Ordinal)))
            {
                error($"btrfs has no extended attributes of the kind of \"{name}\"");
            }
            else if (acl && !IsAcl(xattr.Value.AsSpan()))
            {
                error($"the extended attribute \"{name}\" is no ACL");
            }
            else if (xattr.Name.Length > LongestXattrName || xattr.Name.Contains((byte)0))
            {
                error($"the extended attribute's name \"{name}\" has more than {LongestXattrName} bytes, or a NUL");
            }
        }
        foreach (var group in xattrs.GroupBy(static xattr => NameHash(xattr.Name.AsSpan())))
        {
            int size = group.Sum(static xattr => DirItem.Size + xattr.Name.Length + xattr.Value.Length);
            if (size > TreeShape.LargestItem)
            {
                error($"the extended attribute \"{FileName.Display(group.First().Name.AsSpan())}\" takes {size} bytes, but an item holds {TreeShape.LargestItem}");
            }
        }
    }

    /// <summary>The form of the system calls, in which btrfs stores it: version 2 and entries of eight bytes.</summary>
    private static bool IsAcl(ReadOnlySpan<byte> value) =>
        value.Length >= 4 && value.Length % 8 == 4 && BinaryPrimitives.ReadUInt32LittleEndian(value) == 2;

    public static IEnumerable<LeafItem> Xattrs(ulong inode, ImmutableArray<Xattr> xattrs) => Merge(inode, ItemType.XattrItem,
        xattrs.Select(static (xattr, i) => new Entry(NameHash(xattr.Name.AsSpan()), i, XattrEntry(xattr))));

    /// <summary>A directory's names: by hash, and by the order that a directory is read in.</summary>
    public static IEnumerable<LeafItem> Names(ulong inode, DirectoryNode directory, Func<Node, Key> location)
    {
        var entries = new Entry[directory.Entries.Length];
        for (int i = 0; i < entries.Length; i++)
        {
            var (name, node) = directory.Entries[i];
            entries[i] = new Entry(NameHash(name.Bytes), i, NameEntry(name.Bytes, location(node), node.Type.ToEntryType()));
        }
        foreach (var item in Merge(inode, ItemType.DirItem, entries))
        {
            yield return item;
        }
        for (int i = 0; i < entries.Length; i++)
        {
            yield return new LeafItem(new Key(inode, ItemType.DirIndex, (ulong)i + 2), entries[i].Bytes);
        }
    }

    /// <summary>The names of an inode: with others in the same directory as long as they fit, else by their hash.</summary>
    public static IEnumerable<LeafItem> References(PlannedInode inode)
    {
        var overflow = new List<Entry>();
        foreach (var group in inode.Names.GroupBy(static name => name.Directory).OrderBy(static group => group.Key, Comparer<ulong>.Default))
        {
            var item = new List<byte>();
            foreach (var name in group)
            {
                if (item.Count + InodeRef.Size + name.Name.Length <= TreeShape.LargestItem)
                {
                    item.AddRange(OnDisk.Bytes(new InodeRef { Index = name.Index, NameLen = (ushort)name.Name.Length }));
                    item.AddRange(name.Name.Bytes);
                }
                else
                {
                    uint hash = Crc32C.Append((uint)name.Directory, name.Name.Bytes);
                    var reference = new InodeExtref { ParentObjectid = name.Directory, Index = name.Index, NameLen = (ushort)name.Name.Length };
                    overflow.Add(new Entry(hash, overflow.Count, [.. OnDisk.Bytes(reference), .. name.Name.Bytes]));
                }
            }
            yield return new LeafItem(new Key(inode.Number, ItemType.InodeRef, group.Key), [.. item]);
        }
        foreach (var item in Merge(inode.Number, ItemType.InodeExtref, overflow))
        {
            yield return item;
        }
    }

    /// <summary>A DIR_ITEM's or DIR_INDEX's entry.</summary>
    public static byte[] NameEntry(ReadOnlySpan<byte> name, Key location, byte type)
    {
        var bytes = new byte[DirItem.Size + name.Length];
        OnDisk.Write(bytes, new DirItem
        {
            Location = DiskKey.From(location),
            Transid = Layout.Generation,
            NameLen = (ushort)name.Length,
            Type = type,
        });
        name.CopyTo(bytes.AsSpan(DirItem.Size));
        return bytes;
    }

    private static byte[] XattrEntry(Xattr xattr)
    {
        var header = new DirItem
        {
            Transid = Layout.Generation,
            DataLen = (ushort)xattr.Value.Length,
            NameLen = (ushort)xattr.Name.Length,
            Type = XattrType,
        };
        return [.. OnDisk.Bytes(header), .. xattr.Name, .. xattr.Value];
    }

    /// <summary>An item for each hash.</summary>
    private static IEnumerable<LeafItem> Merge(ulong inode, ItemType type, IEnumerable<Entry> entries)
    {
        var sorted = entries.ToArray();
        Array.Sort(sorted);
        for (int i = 0; i < sorted.Length;)
        {
            int end = i + 1;
            while (end < sorted.Length && sorted[end].Hash == sorted[i].Hash)
            {
                end++;
            }
            byte[] data = end == i + 1 ? sorted[i].Bytes : [.. sorted[i..end].SelectMany(static entry => entry.Bytes)];
            yield return new LeafItem(new Key(inode, type, sorted[i].Hash), data);
            i = end;
        }
    }
}
