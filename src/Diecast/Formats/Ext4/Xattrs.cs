using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Numerics;
using Diecast.Binary;
using Diecast.Trees;

namespace Diecast.Formats.Ext4;

/// <summary>
/// The extended attributes of an inode as ext4 holds them: what fits behind the inode's fields, the rest in one block.
/// https://docs.kernel.org/filesystems/ext4/attributes.html
/// </summary>
/// <param name="Inline">The end of the inode from <see cref="InodeRecord.Size"/> on; null for none.</param>
/// <param name="Block">The attribute block, its checksum not yet set; null for none.</param>
internal sealed record Xattrs(byte[]? Inline, byte[]? Block)
{
    private const int InlineSize = Layout.InodeSize - InodeRecord.Size;
    private const int Terminator = sizeof(uint);
    private const byte AclAccess = 2, AclDefault = 3;

    // An index stands for the start of a name; those of the ACLs stand for the whole of it.
    private static readonly (byte Index, byte[] Prefix)[] s_prefixes =
    [
        (1, "user."u8.ToArray()),
        (AclAccess, "system.posix_acl_access"u8.ToArray()),
        (AclDefault, "system.posix_acl_default"u8.ToArray()),
        (4, "trusted."u8.ToArray()),
        (6, "security."u8.ToArray()),
        (7, "system."u8.ToArray()),
    ];

    /// <summary>What a name of this kind starts with, or null.</summary>
    public static byte[]? PrefixOf(byte index) =>
        Array.Find(s_prefixes, prefix => prefix.Index == index).Prefix;

    /// <summary>Whether the value is a POSIX ACL, which has one form on disk and one in the system calls.</summary>
    public static bool IsAcl(byte index) => index is AclAccess or AclDefault;

    public static readonly Xattrs None = new(null, null);

    private readonly record struct Attribute(byte Index, byte[] Name, byte[] Value) : IComparable<Attribute>
    {
        public int EntrySize => XattrEntry.Size + (int)((long)Name.Length).AlignUp(4);

        public int ValueSize => (int)((long)Value.Length).AlignUp(4);

        /// <summary>The order that the kernel searches a block by.</summary>
        public int CompareTo(Attribute other)
        {
            int order = Index.CompareTo(other.Index);
            order = order != 0 ? order : Name.Length.CompareTo(other.Name.Length);
            return order != 0 ? order : Name.AsSpan().SequenceCompareTo(other.Name);
        }
    }

    /// <summary>The stored form, or what keeps the attributes from being stored.</summary>
    public static Xattrs Encode(ImmutableArray<Xattr> xattrs, Action<string> error)
    {
        if (xattrs.IsEmpty)
        {
            return None;
        }
        var attributes = new List<Attribute>(xattrs.Length);
        foreach (var xattr in xattrs)
        {
            if (ToAttribute(xattr, error) is { } attribute)
            {
                attributes.Add(attribute);
            }
        }
        attributes.Sort();
        var inside = new List<Attribute>();
        var outside = new List<Attribute>();
        int free = InlineSize - sizeof(uint) - Terminator;
        foreach (var attribute in attributes)
        {
            int size = attribute.EntrySize + attribute.ValueSize;
            bool fits = size <= free;
            (fits ? inside : outside).Add(attribute);
            free -= fits ? size : 0;
        }
        int outsideSize = outside.Sum(static attribute => attribute.EntrySize + attribute.ValueSize);
        int room = Layout.BlockSize - XattrHeader.Size - Terminator;
        if (outsideSize > room)
        {
            error($"extended attributes take {outsideSize} bytes beside the inode, but one block holds {room}");
            return None;
        }
        return new Xattrs(inside.Count == 0 ? null : EncodeInline(inside), outside.Count == 0 ? null : EncodeBlock(outside));
    }

    private static Attribute? ToAttribute(Xattr xattr, Action<string> error)
    {
        var name = xattr.Name.AsSpan();
        foreach (var (index, prefix) in s_prefixes)
        {
            bool whole = IsAcl(index);
            if (whole ? !name.SequenceEqual(prefix) : !name.StartsWith(prefix))
            {
                continue;
            }
            byte[] rest = name[prefix.Length..].ToArray();
            if ((rest.Length == 0 && !whole) || rest.Length > byte.MaxValue || rest.AsSpan().Contains((byte)0))
            {
                break;
            }
            byte[]? value = whole ? PosixAcl.ToDisk(xattr.Value.AsSpan()) : xattr.Value.AsSpan().ToArray();
            if (value is null)
            {
                error($"{FileName.Display(name)} is no POSIX ACL");
                return null;
            }
            return new Attribute(index, rest, value);
        }
        error($"ext4 has no extended attribute of the name \"{FileName.Display(name)}\"");
        return null;
    }

    private static byte[] EncodeInline(List<Attribute> attributes)
    {
        var bytes = new byte[InlineSize];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, XattrHeader.MagicValue);
        // Offsets count from the first entry, and hashes are left zero.
        EncodeEntries(attributes, bytes.AsSpan(sizeof(uint)), 0, hashed: false);
        return bytes;
    }

    private static byte[] EncodeBlock(List<Attribute> attributes)
    {
        var bytes = new byte[Layout.BlockSize];
        uint hash = EncodeEntries(attributes, bytes, XattrHeader.Size, hashed: true);
        OnDisk.Write(bytes, new XattrHeader
        {
            Magic = XattrHeader.MagicValue,
            ReferenceCount = 1,
            Blocks = 1,
            Hash = hash,
        });
        return bytes;
    }

    /// <summary>Entries grow from the start, values from the end. Gives the hash of all.</summary>
    private static uint EncodeEntries(List<Attribute> attributes, Span<byte> area, int next, bool hashed)
    {
        int valueEnd = area.Length;
        uint all = 0;
        foreach (var attribute in attributes)
        {
            valueEnd -= attribute.ValueSize;
            attribute.Value.CopyTo(area[valueEnd..]);
            uint hash = hashed ? HashOf(attribute) : 0;
            OnDisk.Write(area[next..], new XattrEntry
            {
                NameLength = (byte)attribute.Name.Length,
                NameIndex = attribute.Index,
                ValueOffset = (ushort)(attribute.Value.Length == 0 ? 0 : valueEnd),
                ValueSize = (uint)attribute.Value.Length,
                Hash = hash,
            });
            attribute.Name.CopyTo(area[(next + XattrEntry.Size)..]);
            next += attribute.EntrySize;
            all = BitOperations.RotateLeft(all, 16) ^ hash;
        }
        return all;
    }

    private static uint HashOf(Attribute attribute)
    {
        uint hash = 0;
        foreach (byte character in attribute.Name)
        {
            hash = BitOperations.RotateLeft(hash, 5) ^ character;
        }
        Span<byte> word = stackalloc byte[sizeof(uint)];
        for (int at = 0; at < attribute.Value.Length; at += sizeof(uint))
        {
            word.Clear();
            attribute.Value.AsSpan(at, Math.Min(sizeof(uint), attribute.Value.Length - at)).CopyTo(word);
            hash = BitOperations.RotateLeft(hash, 16) ^ BinaryPrimitives.ReadUInt32LittleEndian(word);
        }
        return hash;
    }
}
