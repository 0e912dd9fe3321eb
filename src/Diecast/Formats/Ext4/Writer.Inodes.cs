using System.Buffers.Binary;
using Diecast.Binary;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Ext4;

/// <summary>Inodes, what they point to, and the two that the file system has for itself.</summary>
internal sealed partial class Writer
{
    private const int SectorsPerBlock = Layout.BlockSize / 512;
    private const int OwnerReadWrite = 0x180;
    private const int NumbersPerBlock = Layout.BlockSize / sizeof(uint);
    private const int DirectBlocks = 12;
    private const int DoublyIndirect = 13;

    private Bytes60 EncodeExtents(uint inode, Placement placement, Action<PlacedBlock>? place = null) =>
        ExtentTree.Encode(placement.Extents, placement.TreeBlocks, _plan.Checksums.InodeSeed(inode), place);

    /// <summary>
    /// The tables up to the last inode in use, made when they are read: they are the bulk of all metadata.
    /// </summary>
    private void PlaceInodeTables()
    {
        for (int group = 0; group < _layout.Groups && UsedInodes(group) > 0; group++)
        {
            uint first = 1 + (uint)(group * _layout.InodesPerGroup);
            var table = new ComputedBlob((long)UsedInodes(group) * Layout.InodeSize, (offset, destination) =>
                ReadInodeTable(first, offset, destination));
            _builder.Place(_layout.InodeTable(group) * Layout.BlockSize, table, GroupLabel(group, InodeTablePart));
        }
    }

    private void ReadInodeTable(uint first, long offset, Span<byte> destination)
    {
        Span<byte> inode = stackalloc byte[Layout.InodeSize];
        while (!destination.IsEmpty)
        {
            EncodeInode((uint)(first + offset / Layout.InodeSize), inode);
            var part = inode[(int)(offset % Layout.InodeSize)..];
            part = part[..Math.Min(part.Length, destination.Length)];
            part.CopyTo(destination);
            destination = destination[part.Length..];
            offset += part.Length;
        }
    }

    private void EncodeInode(uint number, Span<byte> bytes)
    {
        bytes.Clear();
        int index = number == Plan.RootInode ? 0 : (int)(number - Layout.FirstInode) + 1;
        InodeRecord record;
        if (number == Plan.ResizeInode && _allocation.ResizeBlock != 0)
        {
            record = ResizeInode();
        }
        else if (number == Plan.JournalInode && _layout.JournalBlocks > 0)
        {
            record = JournalInode();
        }
        else if (number == Plan.RootInode || number >= Layout.FirstInode)
        {
            record = TreeInode(_plan.Inodes[index], _allocation.Inodes[index]);
            _plan.Inodes[index].Xattrs.Inline?.CopyTo(bytes[InodeRecord.Size..]);
        }
        else
        {
            return;
        }
        OnDisk.Write(bytes, record);
        uint checksum = _plan.Checksums.Inode(number, 0, bytes);
        record.ChecksumLow = (ushort)checksum;
        record.ChecksumHigh = (ushort)(checksum >> 16);
        OnDisk.Write(bytes, record);
    }

    private InodeRecord TreeInode(PlannedInode inode, Placement placement)
    {
        var metadata = inode.Node.Metadata;
        long size = inode.Node switch
        {
            FileNode file => file.Content.Length,
            SymlinkNode link => link.Target.Length,
            _ => inode.Bytes?.Length ?? 0,
        };
        var record = NewRecord(inode.Node.Type.ToModeBits() | metadata.Mode, size, metadata.Mtime);
        record.UidLow = (ushort)metadata.Uid;
        record.UidHigh = (ushort)(metadata.Uid >> 16);
        record.GidLow = (ushort)metadata.Gid;
        record.GidHigh = (ushort)(metadata.Gid >> 16);
        // A directory with more subdirectories than can be counted says so with 1 (dir_nlink).
        record.LinksCount = (ushort)(inode.Links > Plan.MaximumLinks ? 1 : inode.Links);
        record.Flags = inode.IsIndexed ? InodeRecord.IndexFlag : 0;
        record.FileAclLow = (uint)placement.XattrBlock;
        record.FileAclHigh = (ushort)(placement.XattrBlock >> 32);
        switch (inode.Node)
        {
            case SymlinkNode { Target.Length: <= Plan.ShortTarget } link:
                link.Target.AsSpan().CopyTo(record.Block);
                break;
            case DeviceNode device:
                WriteDeviceNumber(ref record.Block, device);
                break;
            case FileNode or DirectoryNode or SymlinkNode:
                record.Flags = record.Flags | InodeRecord.ExtentsFlag;
                record.Block = EncodeExtents(inode.Number, placement);
                break;
        }
        SetBlocks(ref record, BlockCount(placement));
        return record;
    }

    /// <summary>The fields that every inode has; change and access times are the modification time.</summary>
    private InodeRecord NewRecord(int mode, long size, Timestamp time) => new()
    {
        Mode = (ushort)mode,
        SizeLow = (uint)size,
        SizeHigh = (uint)(size >> 32),
        LinksCount = 1,
        AccessTime = InodeTime.Seconds(time),
        AccessTimeExtra = InodeTime.Extra(time),
        ChangeTime = InodeTime.Seconds(time),
        ChangeTimeExtra = InodeTime.Extra(time),
        ModificationTime = InodeTime.Seconds(time),
        ModificationTimeExtra = InodeTime.Extra(time),
        CreationTime = InodeTime.Seconds(_plan.Options.Epoch),
        CreationTimeExtra = InodeTime.Extra(_plan.Options.Epoch),
        ExtraSize = ExtraSize,
    };

    private static long BlockCount(Placement placement) =>
        placement.Extents.Sum(static extent => (long)extent.Count) + placement.TreeBlocks.Length
        + (placement.XattrBlock != 0 ? 1 : 0);

    /// <summary>In sectors of 512 bytes while 48 bits hold them, which is always with 32-bit block numbers.</summary>
    private static void SetBlocks(ref InodeRecord record, long blocks)
    {
        long sectors = blocks * SectorsPerBlock;
        record.BlocksLow = (uint)sectors;
        record.BlocksHigh = (ushort)(sectors >> 32);
    }

    /// <summary>The old form where both numbers fit in a byte, else the new one in the second word.</summary>
    private static void WriteDeviceNumber(ref Bytes60 block, DeviceNode device)
    {
        Span<byte> bytes = block;
        if (device is { Major: < 256, Minor: < 256 })
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, device.Major << 8 | device.Minor);
        }
        else
        {
            uint number = device.Minor & 0xFF | device.Major << 8 | (device.Minor & ~0xFFu) << 12;
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[sizeof(uint)..], number);
        }
    }

    /// <summary>
    /// Holds the reserved descriptor blocks, so that nobody else takes them and the kernel finds them to grow.
    /// </summary>
    private InodeRecord ResizeInode()
    {
        const long size = ((long)NumbersPerBlock * NumbersPerBlock + NumbersPerBlock + DirectBlocks) * Layout.BlockSize;
        var record = NewRecord(Posix.S_IFREG | OwnerReadWrite, size, _plan.Options.Epoch);
        BinaryPrimitives.WriteUInt32LittleEndian(
            ((Span<byte>)record.Block)[(DoublyIndirect * sizeof(uint))..], (uint)_allocation.ResizeBlock);
        SetBlocks(ref record, 1 + (long)_layout.ReservedDescriptorBlocks * CopyGroups().Count());
        return record;
    }

    private IEnumerable<int> CopyGroups() => Enumerable.Range(0, _layout.Groups).Where(Layout.HasSuperblock);

    /// <summary>
    /// The doubly indirect block names the reserved blocks of group 0, at the places that they would have among all
    /// descriptor blocks; each of these is an indirect block that names its copies in the other groups.
    /// </summary>
    private void PlaceResizeInode()
    {
        if (_allocation.ResizeBlock == 0)
        {
            return;
        }
        var copies = CopyGroups().Skip(1).ToArray();
        var root = new byte[Layout.BlockSize];
        for (int i = 0; i < _layout.ReservedDescriptorBlocks; i++)
        {
            uint block = (uint)(1 + _layout.DescriptorBlocks + i);
            int slot = (_layout.DescriptorBlocks + i) % NumbersPerBlock;
            OnDisk.Write(root.AsSpan(slot * sizeof(uint)), (Le<uint>)block);
            if (copies.Length > 0)
            {
                var names = new byte[copies.Length * sizeof(uint)];
                for (int copy = 0; copy < copies.Length; copy++)
                {
                    OnDisk.Write(names.AsSpan(copy * sizeof(uint)), (Le<uint>)(uint)(Layout.GroupStart(copies[copy]) + block));
                }
                Place(block, names, ReservedDescriptor);
            }
        }
        Place(_allocation.ResizeBlock, root, ResizeInodeLabel);
    }

    private InodeRecord JournalInode()
    {
        long size = (long)_layout.JournalBlocks * Layout.BlockSize;
        var record = NewRecord(Posix.S_IFREG | OwnerReadWrite, size, _plan.Options.Epoch);
        record.Flags = InodeRecord.ExtentsFlag;
        record.Block = EncodeExtents(Plan.JournalInode, _allocation.Journal);
        SetBlocks(ref record, BlockCount(_allocation.Journal));
        return record;
    }

    /// <summary>
    /// An empty journal is its superblock; the rest is never read before it is written, and stays a gap.
    /// </summary>
    private void PlaceJournal()
    {
        if (_layout.JournalBlocks == 0)
        {
            return;
        }
        var superblock = new JournalSuperblock
        {
            Magic = JournalSuperblock.MagicValue,
            BlockType = JournalSuperblock.SuperblockV2,
            BlockSize = Layout.BlockSize,
            MaximumLength = (uint)_layout.JournalBlocks,
            First = 1,
            Sequence = 1,
            Users = 1,
        };
        _plan.Uuid.CopyTo(superblock.Uuid);
        Place(_allocation.Journal.Extents[0].Physical, OnDisk.Bytes(superblock), Journal);
        EncodeExtents(Plan.JournalInode, _allocation.Journal, node =>
            Place(node.Block, node.Bytes, JournalExtents));
    }

    /// <summary>Everything that the inodes of the tree point to.</summary>
    private void PlaceContents()
    {
        for (int i = 0; i < _plan.Inodes.Count; i++)
        {
            var inode = _plan.Inodes[i];
            var placement = _allocation.Inodes[i];
            object path = (object?)inode.Path ?? "/";
            if (inode.Node is FileNode file)
            {
                PlaceExtents(placement, file.Content, new Label(FileKind, path));
            }
            else if (inode.Bytes is { } bytes)
            {
                string kind = inode.Node is DirectoryNode ? DirectoryKind : SymlinkKind;
                PlaceExtents(placement, new MemoryBlob(bytes), new Label(kind, path));
            }
            if (placement.TreeBlocks.Length > 0)
            {
                EncodeExtents(inode.Number, placement, node => Place(node.Block, node.Bytes, new Label(ExtentsKind, path)));
            }
            if (inode.Xattrs.Block is { } block)
            {
                PlaceXattrs(placement.XattrBlock, block, new Label(XattrsKind, path));
            }
        }
    }

    private void PlaceExtents(Placement placement, Blob content, Label label)
    {
        foreach (var extent in placement.Extents)
        {
            long offset = (long)extent.Logical * Layout.BlockSize;
            long length = Math.Min((long)extent.Count * Layout.BlockSize, content.Length - offset);
            _builder.Place(extent.Physical * Layout.BlockSize, content.Slice(offset, length), label);
        }
    }

    private void PlaceXattrs(long block, byte[] bytes, Label label)
    {
        var sealedBytes = bytes.ToArray();
        var header = OnDisk.Read<XattrHeader>(sealedBytes);
        header.Checksum = _plan.Checksums.XattrBlock(block, bytes);
        OnDisk.Write(sealedBytes, header);
        Place(block, sealedBytes, label);
    }
}
