using Diecast.Binary;
using Diecast.Trees;

namespace Diecast.Formats.Btrfs;

/// <summary>The items of a subvolume's tree: all of an inode, then the next inode's.</summary>
internal sealed class FileItems(Layout layout, PlannedSubvolume subvolume)
{
    private const int MinorBits = 20;

    /// <summary>BTRFS_INODE_NODATASUM and BTRFS_INODE_NODATACOW.</summary>
    private const ulong NoDataSum = 1, NoDataCow = 2;

    private const byte InlineType = 0, RegularType = 1;

    private readonly Plan _plan = layout.Plan;

    public IEnumerable<LeafItem> All()
    {
        foreach (var inode in subvolume.Inodes)
        {
            yield return new LeafItem(new Key(inode.Number, ItemType.InodeItem, 0), OnDisk.Bytes(Inode(inode)));
            foreach (var item in DirectoryItems.References(inode))
            {
                yield return item;
            }
            foreach (var item in DirectoryItems.Xattrs(inode.Number, inode.Node.Metadata.Xattrs))
            {
                yield return item;
            }
            foreach (var item in Contents(inode))
            {
                yield return item;
            }
        }
    }

    private IEnumerable<LeafItem> Contents(PlannedInode inode)
    {
        var start = new Key(inode.Number, ItemType.ExtentData, 0);
        switch (inode.Node)
        {
            case DirectoryNode directory:
                return DirectoryItems.Names(inode.Number, directory, _plan.LocationOf);
            case SymlinkNode link:
                return [new LeafItem(start, [.. OnDisk.Bytes(Extent(link.Target.Length, InlineType)), .. link.Target])];
            case FileNode file when inode.Inline is { } inline:
                return [new LeafItem(start, OnDisk.Bytes(Extent(file.Content.Length, InlineType, inline.Compression)), inline.Content)];
            default:
                return layout.ExtentsOf(inode).Select(FileExtent);
        }
    }

    private static FileExtentHeader Extent(long length, byte type, ExtentCompression compression = ExtentCompression.None) =>
        new() { Generation = Layout.Generation, RamBytes = (ulong)length, Compression = (byte)compression, Type = type };

    private static LeafItem FileExtent(DataExtent extent)
    {
        var place = new FileExtentPlace
        {
            DiskBytenr = (ulong)extent.Logical,
            DiskNumBytes = (ulong)extent.Length,
            NumBytes = (ulong)extent.DecodedLength,
        };
        return new LeafItem(
            new Key(extent.Inode.Number, ItemType.ExtentData, (ulong)extent.Data.FileOffset),
            [.. OnDisk.Bytes(Extent(extent.DecodedLength, RegularType, extent.Data.Compression)), .. OnDisk.Bytes(place)]);
    }

    /// <summary>Change and access times are the modification time.</summary>
    private InodeItem Inode(PlannedInode inode)
    {
        var metadata = inode.Node.Metadata;
        var time = TimeSpec.From(metadata.Mtime);
        var (size, stored) = Sizes(inode);
        return new InodeItem
        {
            Generation = Layout.Generation,
            Transid = Layout.Generation,
            Size = (ulong)size,
            Nbytes = (ulong)stored,
            Nlink = (uint)inode.Names.Count,
            Uid = metadata.Uid,
            Gid = metadata.Gid,
            Mode = (uint)(inode.Node.Type.ToModeBits() | metadata.Mode),
            Flags = FlagsOf(inode),
            Rdev = inode.Node is DeviceNode device ? (ulong)device.Major << MinorBits | device.Minor : 0,
            Atime = time,
            Ctime = time,
            Mtime = time,
            Otime = TimeSpec.From(_plan.Options.Epoch),
        };
    }

    /// <summary>What is not copied on write has no checksums either: they could not change at once with it.</summary>
    private static ulong FlagsOf(PlannedInode inode) =>
        !inode.Subvolume.IsNoDataCow ? 0 : inode.Node is FileNode ? NoDataCow | NoDataSum : NoDataCow;

    /// <summary>i_size, and what is stored of it; a directory counts its names twice, as it stores them.</summary>
    private (long Size, long Stored) Sizes(PlannedInode inode) => inode.Node switch
    {
        DirectoryNode directory => (directory.Entries.Sum(static entry => 2L * entry.Name.Length), 0),
        SymlinkNode link => (link.Target.Length, link.Target.Length),
        FileNode file when inode.Inline is not null => (file.Content.Length, file.Content.Length),
        FileNode file => (file.Content.Length, layout.ExtentsOf(inode).Sum(static extent => extent.DecodedLength)),
        _ => (0, 0),
    };
}
