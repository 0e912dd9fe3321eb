using System.Buffers.Binary;
using Diecast.Binary;
using Diecast.Trees;

namespace Diecast.Formats.Ext4;

/// <summary>Reads the extended attributes of an inode: those behind its fields, those in its block, those in inodes.</summary>
internal sealed class XattrReader(Volume volume)
{
    /// <summary>The kernel's XATTR_SIZE_MAX, in bytes.</summary>
    private const int LongestValue = 65536;

    private const byte System = 7;

    /// <summary>All attributes, in the form of the system calls.</summary>
    public List<Xattr> Read(StoredInode inode)
    {
        var xattrs = new List<Xattr>();
        foreach (var (index, name, value) in Stored(inode))
        {
            if (index != System || !name.AsSpan().SequenceEqual("data"u8))
            {
                xattrs.Add(ToXattr(inode, index, name, value));
            }
        }
        return xattrs;
    }

    /// <summary>What of a small file's content does not fit in i_block (inline_data).</summary>
    public byte[] InlineData(StoredInode inode)
    {
        foreach (var (index, name, value) in Stored(inode))
        {
            if (index == System && name.AsSpan().SequenceEqual("data"u8))
            {
                return value;
            }
        }
        return [];
    }

    public static long BlockOf(Volume volume, StoredInode inode) => inode.Record.FileAclLow
        | (volume.Has(IncompatibleFeatures.Bits64) ? (long)inode.Record.FileAclHigh.Value << 32 : 0);

    private IEnumerable<(byte Index, byte[] Name, byte[] Value)> Stored(StoredInode inode)
    {
        string structure = $"ext4 inode {inode.Number}: attributes";
        int start = InodeRecord.OldSize + inode.Record.ExtraSize;
        if (inode.Bytes.Length >= start + sizeof(uint) && inode.Bytes.Length > InodeRecord.OldSize
            && BinaryPrimitives.ReadUInt32LittleEndian(inode.Bytes.AsSpan(start)) == XattrHeader.MagicValue)
        {
            byte[] area = inode.Bytes[(start + sizeof(uint))..];
            foreach (var entry in Entries(area, 0, structure))
            {
                yield return entry;
            }
        }
        long block = BlockOf(volume, inode);
        if (block != 0)
        {
            byte[] bytes = volume.ReadBlock(block, structure);
            CheckBlock(bytes, block);
            foreach (var entry in Entries(bytes, XattrHeader.Size, $"ext4 attribute block at {block * volume.BlockSize}"))
            {
                yield return entry;
            }
        }
    }

    private void CheckBlock(byte[] bytes, long block)
    {
        var header = OnDisk.Read<XattrHeader>(bytes);
        bool valid = header.Magic == XattrHeader.MagicValue && header.Blocks == 1;
        if (valid && volume.Checksums is { } checksums)
        {
            byte[] blank = bytes.ToArray();
            OnDisk.Write(blank, header with { Checksum = 0 });
            valid = checksums.XattrBlock(block, blank) == header.Checksum;
        }
        if (!valid)
        {
            throw new InvalidDataException($"ext4 attribute block at {block * volume.BlockSize}: wrong magic number or checksum");
        }
    }

    private List<(byte Index, byte[] Name, byte[] Value)> Entries(byte[] area, int at, string structure)
    {
        var entries = new List<(byte, byte[], byte[])>();
        while (at + sizeof(uint) <= area.Length && BinaryPrimitives.ReadUInt32LittleEndian(area.AsSpan(at)) != 0)
        {
            var entry = OnDisk.Read<XattrEntry>(area.AsSpan(at));
            int nameStart = at + XattrEntry.Size;
            if (entry.NameLength > area.Length - nameStart)
            {
                throw new InvalidDataException($"{structure}: the entry at {at} is cut off");
            }
            byte[] name = area.AsSpan(nameStart, entry.NameLength).ToArray();
            entries.Add((entry.NameIndex, name, Value(entry, area, structure)));
            at = nameStart + (int)((long)entry.NameLength).AlignUp(4);
        }
        return entries;
    }

    private byte[] Value(XattrEntry entry, byte[] area, string structure)
    {
        if (entry.ValueSize > LongestValue)
        {
            throw new InvalidDataException($"{structure}: a value of {entry.ValueSize.Value} bytes");
        }
        int size = (int)entry.ValueSize.Value;
        if (entry.ValueInode != 0)
        {
            var holder = volume.Inode(entry.ValueInode);
            if (!holder.Has(InodeRecord.ExtendedAttributeInodeFlag) || holder.Size != size)
            {
                throw new InvalidDataException($"{structure}: inode {holder.Number} holds no attribute of {size} bytes");
            }
            return new StoredFile(volume, holder, isRemembered: false).ReadBytes(0, size);
        }
        return entry.ValueOffset + size <= area.Length
            ? area.AsSpan(entry.ValueOffset, size).ToArray()
            : throw new InvalidDataException($"{structure}: a value is cut off");
    }

    private static Xattr ToXattr(StoredInode inode, byte index, byte[] name, byte[] value)
    {
        string structure = $"ext4 inode {inode.Number}: attributes";
        byte[] prefix = Xattrs.PrefixOf(index)
            ?? throw new InvalidDataException($"{structure}: a name of the unknown kind {index}");
        if (Xattrs.IsAcl(index))
        {
            value = PosixAcl.FromDisk(value) ?? throw new InvalidDataException($"{structure}: a damaged ACL");
        }
        return name.Contains((byte)0)
            ? throw new InvalidDataException($"{structure}: a name with a NUL")
            : Xattr.Create([.. prefix, .. name], value);
    }
}
