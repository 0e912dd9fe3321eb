using System.Text;
using Diecast.Binary;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Ext4;

/// <summary>
/// Encodes a plan, once everything has its place. This part: the groups and the superblock; the other: the inodes.
/// </summary>
internal sealed partial class Writer
{
    private readonly Plan _plan;
    private readonly Layout _layout;
    private readonly Allocation _allocation;
    private readonly ImageBuilder _builder = new();
    private readonly long[] _freeBlocks;
    private readonly int[] _directories;

    private Writer(Plan plan, Layout layout, Allocation allocation)
    {
        _plan = plan;
        _layout = layout;
        _allocation = allocation;
        _freeBlocks = new long[layout.Groups];
        _directories = new int[layout.Groups];
    }

    /// <summary>What an extent of the image belongs to: "3 inode table" after "ext4 group".</summary>
    private sealed record GroupPart(int Group, string Part)
    {
        public override string ToString() => $"{Group} {Part}";
    }

    public static Image Write(Plan plan, Layout layout, Allocation allocation, long length)
    {
        var writer = new Writer(plan, layout, allocation);
        writer.Count();
        writer.PlaceGroups();
        writer.PlaceInodeTables();
        writer.PlaceResizeInode();
        writer.PlaceJournal();
        writer.PlaceContents();
        return writer._builder.Build(length);
    }

    public const string SuperblockCopy = "superblock copy", DescriptorsCopy = "descriptors copy", BlockBitmapPart = "block bitmap",
        InodeBitmapPart = "inode bitmap", InodeTablePart = "inode table", DirectoryKind = "directory", FileKind = "file",
        SymlinkKind = "symlink", ExtentsKind = "extents of", XattrsKind = "xattrs of", Descriptors = "ext4 group descriptors",
        ReservedDescriptor = "ext4 reserved descriptor block", ResizeInodeLabel = "ext4 resize inode",
        Journal = "ext4 journal", JournalExtents = "ext4 journal extents", Unclaimed = "ext4 unclaimed";

    public static Label GroupLabel(int group, string part) => new("ext4 group", new GroupPart(group, part));

    private void Place(long block, ReadOnlyMemory<byte> bytes, Label label) =>
        _builder.Place(block * Layout.BlockSize, bytes, label);

    private void Count()
    {
        foreach (var range in _allocation.FreeRanges())
        {
            for (long at = range.Start; at < range.End;)
            {
                int group = (int)(at / Layout.BlocksPerGroup);
                long end = Math.Min(range.End, _layout.GroupEnd(group));
                _freeBlocks[group] += end - at;
                at = end;
            }
        }
        foreach (var inode in _plan.Inodes)
        {
            if (inode.Node is DirectoryNode)
            {
                _directories[(inode.Number - 1) / (uint)_layout.InodesPerGroup]++;
            }
        }
    }

    /// <summary>How many inodes of a group are in use: always the first ones.</summary>
    private int UsedInodes(int group) =>
        (int)Math.Clamp(_plan.LastInode - (long)group * _layout.InodesPerGroup, 0, _layout.InodesPerGroup);

    private void PlaceGroups()
    {
        var descriptors = new byte[_layout.DescriptorBlocks * Layout.BlockSize];
        for (int group = 0; group < _layout.Groups; group++)
        {
            var descriptor = PlaceBitmaps(group);
            descriptor.Checksum = _plan.Checksums.Descriptor(group, descriptor);
            OnDisk.Write(descriptors.AsSpan(group * GroupDescriptor.Size), descriptor);
        }
        var superblock = MakeSuperblock();
        for (int group = 0; group < _layout.Groups; group++)
        {
            if (Layout.HasSuperblock(group))
            {
                superblock.BlockGroup = (ushort)group;
                superblock.Checksum = Checksums.Superblock(superblock);
                long start = Layout.GroupStart(group);
                _builder.Place(
                    group == 0 ? Superblock.Offset : start * Layout.BlockSize, OnDisk.Bytes(superblock),
                    group == 0 ? "ext4 superblock" : GroupLabel(group, SuperblockCopy));
                Place(start + 1, descriptors, group == 0 ? Descriptors : GroupLabel(group, DescriptorsCopy));
            }
        }
    }

    /// <summary>Places the bitmaps of a group that are not all implied, and makes its descriptor without the checksum.</summary>
    private GroupDescriptor PlaceBitmaps(int group)
    {
        int usedInodes = UsedInodes(group);
        int unusedInodes = _layout.InodesPerGroup - usedInodes;
        // Everything of a new file is zero, so nothing is left for the kernel to zero later.
        ushort flags = GroupDescriptor.InodeZeroed;
        uint blockChecksum = 0;
        uint inodeChecksum = 0;
        if (IsUntouched(group))
        {
            flags |= GroupDescriptor.BlockUninitialized;
        }
        else
        {
            byte[] bitmap = BlockBitmap(group);
            blockChecksum = _plan.Checksums.Bitmap(bitmap);
            Place(_layout.BlockBitmap(group), bitmap, GroupLabel(group, BlockBitmapPart));
        }
        if (usedInodes == 0)
        {
            flags |= GroupDescriptor.InodeUninitialized;
        }
        else
        {
            byte[] bitmap = InodeBitmap(usedInodes);
            inodeChecksum = _plan.Checksums.Bitmap(bitmap.AsSpan(0, _layout.InodesPerGroup / 8));
            Place(_layout.InodeBitmap(group), bitmap, GroupLabel(group, InodeBitmapPart));
        }
        return new GroupDescriptor
        {
            BlockBitmapLow = (uint)_layout.BlockBitmap(group),
            BlockBitmapHigh = (uint)(_layout.BlockBitmap(group) >> 32),
            InodeBitmapLow = (uint)_layout.InodeBitmap(group),
            InodeBitmapHigh = (uint)(_layout.InodeBitmap(group) >> 32),
            InodeTableLow = (uint)_layout.InodeTable(group),
            InodeTableHigh = (uint)(_layout.InodeTable(group) >> 32),
            FreeBlocksCountLow = (ushort)_freeBlocks[group],
            FreeBlocksCountHigh = (ushort)(_freeBlocks[group] >> 16),
            FreeInodesCountLow = (ushort)unusedInodes,
            FreeInodesCountHigh = (ushort)(unusedInodes >> 16),
            UsedDirectoriesCountLow = (ushort)_directories[group],
            UsedDirectoriesCountHigh = (ushort)(_directories[group] >> 16),
            UnusedInodesCountLow = (ushort)unusedInodes,
            UnusedInodesCountHigh = (ushort)(unusedInodes >> 16),
            Flags = flags,
            BlockBitmapChecksumLow = (ushort)blockChecksum,
            BlockBitmapChecksumHigh = (ushort)(blockChecksum >> 16),
            InodeBitmapChecksumLow = (ushort)inodeChecksum,
            InodeBitmapChecksumHigh = (ushort)(inodeChecksum >> 16),
        };
    }

    /// <summary>
    /// Whether a group holds nothing but the superblock copy that everybody expects there. The bitmap of the last group is
    /// written always: its end marks what is past the file system.
    /// </summary>
    private bool IsUntouched(int group) => group < _layout.Groups - 1
        && _freeBlocks[group] == Layout.BlocksPerGroup - _layout.BaseBlocks(group);

    private byte[] BlockBitmap(int group)
    {
        var bitmap = new byte[Layout.BlockSize];
        bitmap.AsSpan().Fill(0xFF);
        long start = Layout.GroupStart(group);
        foreach (var range in FreeRangesIn(group))
        {
            ClearBits(bitmap, (int)(range.Start - start), (int)(range.End - start));
        }
        return bitmap;
    }

    private IEnumerable<BlockRange> FreeRangesIn(int group)
    {
        foreach (var range in _freeRanges ??= [.. _allocation.FreeRanges()])
        {
            long from = Math.Max(range.Start, Layout.GroupStart(group));
            long to = Math.Min(range.End, _layout.GroupEnd(group));
            if (from < to)
            {
                yield return new BlockRange(from, to - from);
            }
        }
    }

    private List<BlockRange>? _freeRanges;

    private byte[] InodeBitmap(int used)
    {
        // Bits past the group's inodes are set, as those past its blocks are; they do not count in the checksum.
        var bitmap = new byte[Layout.BlockSize];
        bitmap.AsSpan().Fill(0xFF);
        ClearBits(bitmap, used, _layout.InodesPerGroup);
        return bitmap;
    }

    private static void ClearBits(byte[] bitmap, int from, int to)
    {
        for (; from < to && from % 8 != 0; from++)
        {
            bitmap[from / 8] &= (byte)~(1 << from % 8);
        }
        for (; to > from && to % 8 != 0; to--)
        {
            bitmap[(to - 1) / 8] &= (byte)~(1 << (to - 1) % 8);
        }
        bitmap.AsSpan(from / 8, (to - from) / 8).Clear();
    }

    private Superblock MakeSuperblock()
    {
        long free = _freeBlocks.Sum();
        long overhead = _layout.Blocks - _layout.FreeRanges.Sum(static range => range.Count) + _layout.JournalBlocks;
        var epoch = _plan.Options.Epoch;
        uint time = (uint)epoch.Seconds;
        byte timeHigh = (byte)(epoch.Seconds >> 32);
        var superblock = new Superblock
        {
            InodesCount = _layout.Inodes,
            BlocksCountLow = (uint)_layout.Blocks,
            FreeBlocksCountLow = (uint)free,
            FreeInodesCount = _layout.Inodes - _plan.LastInode,
            LogBlockSize = 2,
            LogClusterSize = 2,
            BlocksPerGroup = Layout.BlocksPerGroup,
            ClustersPerGroup = Layout.BlocksPerGroup,
            InodesPerGroup = (uint)_layout.InodesPerGroup,
            WriteTime = time,
            WriteTimeHigh = timeHigh,
            MaximumMountCount = ushort.MaxValue,
            Magic = Superblock.MagicValue,
            State = 1,
            Errors = 1,
            LastCheck = time,
            LastCheckHigh = timeHigh,
            Revision = 1,
            FirstInode = Layout.FirstInode,
            InodeSize = Layout.InodeSize,
            Compatible = (uint)(CompatibleFeatures.ExtendedAttributes | CompatibleFeatures.DirectoryIndex
                | (_layout.ReservedDescriptorBlocks > 0 ? CompatibleFeatures.ResizeInode : 0)
                | (_layout.JournalBlocks > 0 ? CompatibleFeatures.HasJournal : 0)),
            Incompatible = (uint)(IncompatibleFeatures.FileType | IncompatibleFeatures.Extents
                | IncompatibleFeatures.Bits64 | IncompatibleFeatures.FlexibleGroups),
            ReadOnlyCompatible = (uint)(ReadOnlyCompatibleFeatures.SparseSuper | ReadOnlyCompatibleFeatures.LargeFile
                | ReadOnlyCompatibleFeatures.HugeFile | ReadOnlyCompatibleFeatures.DirectoryLinks
                | ReadOnlyCompatibleFeatures.ExtraInodeSize | ReadOnlyCompatibleFeatures.MetadataChecksums),
            ReservedDescriptorBlocks = (ushort)_layout.ReservedDescriptorBlocks,
            DefaultHashVersion = IndexRootInfo.HalfMd4,
            DescriptorSize = GroupDescriptor.Size,
            DefaultMountOptions = UserXattrAndAcl,
            MakeTime = time,
            MakeTimeHigh = timeHigh,
            MinimumExtraInodeSize = ExtraSize,
            WantedExtraInodeSize = ExtraSize,
            Flags = UnsignedDirectoryHash,
            LogGroupsPerFlex = 4,
            ChecksumType = 1,
            OverheadClusters = (uint)overhead,
        };
        _plan.Uuid.CopyTo(superblock.Uuid);
        _plan.HashSeed.CopyTo(superblock.HashSeed);
        Encoding.UTF8.GetBytes(_plan.Options.Label, superblock.VolumeName);
        BackUpJournal(ref superblock);
        return superblock;
    }

    private const uint UserXattrAndAcl = 0xC;
    private const uint UnsignedDirectoryHash = 2;
    private const ushort ExtraSize = InodeRecord.Size - InodeRecord.OldSize;

    /// <summary>The journal's i_block and size once more, for e2fsck(8) when the inode is lost.</summary>
    private void BackUpJournal(ref Superblock superblock)
    {
        if (_layout.JournalBlocks > 0)
        {
            long size = (long)_layout.JournalBlocks * Layout.BlockSize;
            superblock.JournalInode = Plan.JournalInode;
            superblock.JournalBackupType = 1;
            superblock.JournalBlocks = EncodeExtents(Plan.JournalInode, _allocation.Journal);
            superblock.JournalSizeHigh = (uint)(size >> 32);
            superblock.JournalSizeLow = (uint)size;
        }
    }
}
