using System.Buffers.Binary;
using System.Text;
using Diecast.Binary;
using Diecast.Trees;

namespace Diecast.Formats.Ext4;

/// <summary>Inodes, and what stands in them: targets, devices, extents, attributes.</summary>
internal sealed partial class FieldFinder
{
    private const int BlockStart = 0x28, BlockLength = 60;

    private FieldSpan? InInodeTable(BlockRun run, long offset)
    {
        long inTable = offset - run.Start * _volume.BlockSize;
        long index = inTable / _volume.InodeSize;
        if (index >= _volume.Superblock.InodesPerGroup)
        {
            return null;
        }
        uint number = (uint)(run.Number * (long)_volume.Superblock.InodesPerGroup + index + 1);
        int at = (int)(inTable % _volume.InodeSize);
        long place = offset - at;
        var bytes = Block(offset / _volume.BlockSize).AsSpan((int)(place % _volume.BlockSize), _volume.InodeSize);
        string structure = $"inode {number}";
        if (at is >= BlockStart and < BlockStart + BlockLength)
        {
            return InBlockField(_volume.Parse(number, bytes.ToArray(), place), place, at - BlockStart, structure);
        }
        int fields = Math.Min(FieldsLength(bytes), InodeRecord.Size);
        if (at < fields)
        {
            return FieldTables.Inode.Find(bytes[..fields], at)?.At(place, structure, PathOf(number));
        }
        return at < FieldsLength(bytes) ? Raw(bytes, place, fields, FieldsLength(bytes) - fields, structure, "unknown fields", PathOf(number))
            : InInodeAttributes(bytes, place, at, number, structure);
    }

    /// <summary>How many of an inode's bytes are fields: i_extra_isize itself is there in all that have room for it.</summary>
    private int FieldsLength(ReadOnlySpan<byte> inode)
    {
        if (_volume.InodeSize == InodeRecord.OldSize)
        {
            return InodeRecord.OldSize;
        }
        int extra = BinaryPrimitives.ReadUInt16LittleEndian(inode[InodeRecord.OldSize..]);
        return extra % 4 == 0 && InodeRecord.OldSize + extra <= inode.Length
            ? InodeRecord.OldSize + Math.Max(extra, sizeof(ushort)) : InodeRecord.OldSize + sizeof(ushort);
    }

    /// <summary>i_block: a target, a device, the root of an extent tree, block numbers, or bytes of the content.</summary>
    private FieldSpan? InBlockField(StoredInode inode, long place, int at, string structure)
    {
        string? path = PathOf(inode.Number);
        var block = inode.Record.Block;
        ReadOnlySpan<byte> bytes = block;
        long start = place + BlockStart;
        if (inode.Has(InodeRecord.InlineDataFlag))
        {
            return Raw(bytes, start, 0, BlockLength, structure, "i_block", path);
        }
        if (inode.Has(InodeRecord.ExtentsFlag))
        {
            return InExtents(bytes, start, at, structure, path, "i_block: ");
        }
        switch (inode.Type)
        {
            case Posix.S_IFLNK when inode.Size is > 0 and <= Plan.ShortTarget:
                int size = (int)inode.Size;
                return at < size
                    ? new FieldSpan(start, size, structure, "i_block", FileName.Display(bytes[..size])) { Path = path }
                    : Raw(bytes, start, size, BlockLength - size, structure, "i_block", path);
            case Posix.S_IFCHR or Posix.S_IFBLK when at < sizeof(ulong):
                return new FieldSpan(start, sizeof(ulong), structure, "i_block", Device(bytes)) { Path = path };
            default:
                return Number(bytes, start, at / sizeof(uint) * sizeof(uint), structure, $"i_block[{at / sizeof(uint)}]", path);
        }
    }

    private static string Device(ReadOnlySpan<byte> block)
    {
        uint old = BinaryPrimitives.ReadUInt32LittleEndian(block);
        uint number = BinaryPrimitives.ReadUInt32LittleEndian(block[sizeof(uint)..]);
        string device = old != 0 ? $"{old >> 8 & 0xFF}:{old & 0xFF}"
            : $"{number >> 8 & 0xFFF}:{(number & 0xFF) | (number >> 12 & 0xFFF00)}";
        return $"device {device} ({Convert.ToHexStringLower(block[..sizeof(ulong)])})";
    }

    /// <summary>A node of the extent tree, in an inode or in a block.</summary>
    private static FieldSpan? InExtents(ReadOnlySpan<byte> node, long place, int at, string structure, string? path, string prefix)
    {
        if (at < ExtentHeader.Size)
        {
            return FieldTables.ExtentHeader.Find(node, at)?.At(place, structure, path, prefix);
        }
        var header = OnDisk.Read<ExtentHeader>(node);
        int index = at / ExtentHeader.Size - 1;
        int start = (index + 1) * ExtentHeader.Size;
        if (start + ExtentHeader.Size > node.Length || index >= header.Entries)
        {
            // What a tree had once, or nothing.
            int end = Math.Min(start + ExtentHeader.Size, node.Length);
            return Raw(node, place, start, end - start, structure, $"{prefix}unused extent {index}", path);
        }
        var table = header.Depth == 0 ? FieldTables.ExtentLeafEntry : FieldTables.ExtentIndexEntry;
        return table.Find(node.Slice(start, ExtentHeader.Size), at - start)
            ?.At(place + start, structure, path, $"{prefix}extent {index}: ");
    }

    private FieldSpan? InExtentBlock(BlockRun run, long block, int at)
    {
        byte[] node = Block(block);
        long place = block * _volume.BlockSize;
        string structure = $"extent block {Owner(run.Number)}";
        int tail = Math.Min(ExtentHeader.Size * (OnDisk.Read<ExtentHeader>(node).Maximum + 1), node.Length - sizeof(uint));
        if (_volume.Has(ReadOnlyCompatibleFeatures.MetadataChecksums) && at >= tail)
        {
            return FieldTables.ExtentTail.Find(node.AsSpan(tail), at - tail)?.At(place + tail, structure, PathOf(run.Number));
        }
        return InExtents(node, place, at, structure, PathOf(run.Number), "");
    }

    private FieldSpan InPointers(BlockRun run, long block, int at) =>
        Number(Block(block), block * _volume.BlockSize, at / sizeof(uint) * sizeof(uint),
            run.Number == Plan.ResizeInode ? "resize inode block" : $"indirect block {Owner(run.Number)}",
            $"block number {at / sizeof(uint)}", PathOf(run.Number));

    private FieldSpan? InInodeAttributes(ReadOnlySpan<byte> inode, long place, int at, uint number, string structure)
    {
        int start = InodeRecord.OldSize + BinaryPrimitives.ReadUInt16LittleEndian(inode[InodeRecord.OldSize..]);
        if (start % 4 != 0 || start + sizeof(uint) > inode.Length)
        {
            return null;
        }
        uint magic = BinaryPrimitives.ReadUInt32LittleEndian(inode[start..]);
        if (at < start + sizeof(uint))
        {
            return at < start || magic == 0 ? null
                : FieldTables.XattrHeader.Find(inode.Slice(start, sizeof(uint)), at - start)?.At(place + start, structure, PathOf(number));
        }
        start += sizeof(uint);
        return magic != XattrHeader.MagicValue ? null
            : InAttributeArea(inode[start..], 0, place + start, at - start, structure, PathOf(number));
    }

    private FieldSpan? InAttributes(BlockRun run, long block, int at)
    {
        byte[] bytes = Block(block);
        long place = block * _volume.BlockSize;
        string structure = $"attribute block {Owner(run.Number)}";
        return at < XattrHeader.Size
            ? FieldTables.XattrHeader.Find(bytes, at)?.At(place, structure, PathOf(run.Number))
            : InAttributeArea(bytes, XattrHeader.Size, place, at, structure, PathOf(run.Number));
    }

    /// <summary>Entries from a place on; the values stand at the end of the area.</summary>
    private static FieldSpan? InAttributeArea(ReadOnlySpan<byte> area, int entry, long place, int at, string structure, string? path)
    {
        while (entry + XattrEntry.Size <= area.Length && BinaryPrimitives.ReadUInt32LittleEndian(area[entry..]) != 0)
        {
            var header = OnDisk.Read<XattrEntry>(area[entry..]);
            int nameStart = entry + XattrEntry.Size;
            if (header.NameLength > area.Length - nameStart)
            {
                return null;
            }
            var stored = area.Slice(nameStart, header.NameLength);
            string name = FileName.Display([.. Xattrs.PrefixOf(header.NameIndex) ?? Encoding.ASCII.GetBytes($"{header.NameIndex}."), .. stored]);
            string prefix = $"attribute {name}: ";
            if (at >= entry && at < nameStart)
            {
                return FieldTables.XattrEntry.Find(area[entry..], at - entry)?.At(place + entry, structure, path, prefix);
            }
            if (at >= nameStart && at < nameStart + header.NameLength)
            {
                return new FieldSpan(place + nameStart, header.NameLength, structure, prefix + "e_name", FileName.Display(stored)) { Path = path };
            }
            if (header.ValueInode == 0 && at >= header.ValueOffset && at - header.ValueOffset < header.ValueSize
                && header.ValueSize <= area.Length - header.ValueOffset)
            {
                return Raw(area, place, header.ValueOffset, (int)header.ValueSize.Value, structure, prefix + "value", path);
            }
            entry = nameStart + (int)((long)header.NameLength).AlignUp(4);
        }
        return null;
    }
}
