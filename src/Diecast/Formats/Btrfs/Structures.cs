using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Diecast.Binary;
using Diecast.Trees;

namespace Diecast.Formats.Btrfs;

// The structures of https://btrfs.readthedocs.io/en/latest/dev/On-disk-format.html under the names of the kernel's
// include/uapi/linux/btrfs_tree.h. All are little-endian and packed.

/// <summary>BTRFS_UUID_SIZE: the bytes in the order of the text.</summary>
[InlineArray(16)]
internal struct UuidBytes
{
    private byte _first;

    public readonly Guid ToGuid()
    {
        ReadOnlySpan<byte> bytes = this;
        return new Guid(bytes, bigEndian: true);
    }

    public static UuidBytes From(Guid guid)
    {
        var uuid = new UuidBytes();
        guid.TryWriteBytes(uuid, bigEndian: true, out _);
        return uuid;
    }
}

/// <summary>BTRFS_CSUM_SIZE: a checksum and zeros after it.</summary>
[InlineArray(Size)]
internal struct ChecksumBytes
{
    public const int Size = 32;

    private byte _first;
}

[InlineArray(256)]
internal struct LabelBytes
{
    private byte _first;
}

[InlineArray(Size)]
internal struct SystemChunkArray
{
    public const int Size = 2048;

    private byte _first;
}

[InlineArray(27 * sizeof(ulong))]
internal struct SuperblockReserved
{
    private byte _first;
}

[InlineArray(565)]
internal struct SuperblockPadding
{
    private byte _first;
}

/// <summary>struct btrfs_disk_key.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct DiskKey
{
    public const int Size = 17;

    public Le<ulong> Objectid;
    public byte Type;
    public Le<ulong> Offset;

    public static DiskKey From(Key key) => new() { Objectid = key.Objectid, Type = (byte)key.Type, Offset = key.Offset };
}

/// <summary>struct btrfs_dev_item.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct DevItem
{
    public Le<ulong> Devid;
    public Le<ulong> TotalBytes;
    public Le<ulong> BytesUsed;
    public Le<uint> IoAlign;
    public Le<uint> IoWidth;
    public Le<uint> SectorSize;
    public Le<ulong> Type;
    public Le<ulong> Generation;
    public Le<ulong> StartOffset;
    public Le<uint> DevGroup;
    public byte SeekSpeed;
    public byte Bandwidth;
    public UuidBytes Uuid;
    public UuidBytes Fsid;
}

/// <summary>struct btrfs_super_block, with copies at 64 MiB and 256 GiB where the device is that large.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct Superblock
{
    public const int Size = 4096;

    /// <summary>"_BHRfS_M".</summary>
    public const ulong MagicValue = 0x4D5F53665248425F;

    public ChecksumBytes Csum;
    public UuidBytes Fsid;
    public Le<ulong> Bytenr;
    public Le<ulong> Flags;
    public Le<ulong> Magic;
    public Le<ulong> Generation;
    public Le<ulong> Root;
    public Le<ulong> ChunkRoot;
    public Le<ulong> LogRoot;
    public Le<ulong> LogRootTransid;
    public Le<ulong> TotalBytes;
    public Le<ulong> BytesUsed;
    public Le<ulong> RootDirObjectid;
    public Le<ulong> NumDevices;
    public Le<uint> Sectorsize;
    public Le<uint> Nodesize;
    public Le<uint> Leafsize;
    public Le<uint> Stripesize;
    public Le<uint> SysChunkArraySize;
    public Le<ulong> ChunkRootGeneration;
    public Le<ulong> CompatFlags;
    public Le<ulong> CompatRoFlags;
    public Le<ulong> IncompatFlags;
    public Le<ushort> CsumType;
    public byte RootLevel;
    public byte ChunkRootLevel;
    public byte LogRootLevel;
    public DevItem DevItem;
    public LabelBytes Label;
    public Le<ulong> CacheGeneration;
    public Le<ulong> UuidTreeGeneration;
    public UuidBytes MetadataUuid;
    public Le<ulong> NrGlobalRoots;
    public SuperblockReserved Reserved;
    public SystemChunkArray SysChunkArray;
    public RootBackups SuperRoots;
    public SuperblockPadding Padding;
}

/// <summary>struct btrfs_root_backup: where the trees were four commits back.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct RootBackup
{
    public Le<ulong> TreeRoot;
    public Le<ulong> TreeRootGen;
    public Le<ulong> ChunkRoot;
    public Le<ulong> ChunkRootGen;
    public Le<ulong> ExtentRoot;
    public Le<ulong> ExtentRootGen;
    public Le<ulong> FsRoot;
    public Le<ulong> FsRootGen;
    public Le<ulong> DevRoot;
    public Le<ulong> DevRootGen;
    public Le<ulong> CsumRoot;
    public Le<ulong> CsumRootGen;
    public Le<ulong> TotalBytes;
    public Le<ulong> BytesUsed;
    public Le<ulong> NumDevices;
    public InlineArray4<Le<ulong>> Unused64;
    public byte TreeRootLevel;
    public byte ChunkRootLevel;
    public byte ExtentRootLevel;
    public byte FsRootLevel;
    public byte DevRootLevel;
    public byte CsumRootLevel;
    public InlineArray10<byte> Unused8;
}

[InlineArray(Count)]
internal struct RootBackups
{
    public const int Count = 4;

    private RootBackup _first;
}

/// <summary>struct btrfs_header: at the start of each block of a tree.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct Header
{
    public const int Size = 101;

    /// <summary>BTRFS_HEADER_FLAG_WRITTEN, and the revision of the back references of all file systems since 2.6.31.</summary>
    public const ulong WrittenMixedBackref = 1 | 1ul << 56;

    public ChecksumBytes Csum;
    public UuidBytes Fsid;
    public Le<ulong> Bytenr;

    /// <summary>The upper byte is the revision of the back references.</summary>
    public Le<ulong> Flags;

    public UuidBytes ChunkTreeUuid;
    public Le<ulong> Generation;
    public Le<ulong> Owner;
    public Le<uint> Nritems;
    public byte Level;
}

/// <summary>struct btrfs_item: in a leaf, where the data lies, counted from the end of the header.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct ItemHeader
{
    public const int HeaderSize = 25;

    public DiskKey Key;
    public Le<uint> Offset;
    public Le<uint> Size;
}

/// <summary>struct btrfs_key_ptr: in a node, a child and the first of its keys.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct KeyPointer
{
    public const int Size = 33;

    public DiskKey Key;
    public Le<ulong> Blockptr;
    public Le<ulong> Generation;
}

/// <summary>struct btrfs_stripe.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct Stripe
{
    public const int Size = 32;

    public Le<ulong> Devid;
    public Le<ulong> Offset;
    public UuidBytes DevUuid;
}

/// <summary>struct btrfs_chunk without its stripes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct ChunkItem
{
    public const int Size = 48;

    public Le<ulong> Length;
    public Le<ulong> Owner;
    public Le<ulong> StripeLen;
    public Le<ulong> Type;
    public Le<uint> IoAlign;
    public Le<uint> IoWidth;
    public Le<uint> SectorSize;
    public Le<ushort> NumStripes;
    public Le<ushort> SubStripes;
}

/// <summary>struct btrfs_timespec.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct TimeSpec
{
    public Le<long> Sec;
    public Le<uint> Nsec;

    public static TimeSpec From(Timestamp time) => new() { Sec = time.Seconds, Nsec = time.Nanoseconds };
}

/// <summary>struct btrfs_inode_item.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct InodeItem
{
    public Le<ulong> Generation;
    public Le<ulong> Transid;
    public Le<ulong> Size;
    public Le<ulong> Nbytes;
    public Le<ulong> BlockGroup;
    public Le<uint> Nlink;
    public Le<uint> Uid;
    public Le<uint> Gid;
    public Le<uint> Mode;
    public Le<ulong> Rdev;
    public Le<ulong> Flags;
    public Le<ulong> Sequence;
    public InlineArray4<Le<ulong>> Reserved;
    public TimeSpec Atime;
    public TimeSpec Ctime;
    public TimeSpec Mtime;
    public TimeSpec Otime;
}

/// <summary>The start of struct btrfs_root_item: what kernels before 3.6 wrote of it.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct RootItem
{
    public const int Size = 239;

    public InodeItem Inode;
    public Le<ulong> Generation;
    public Le<ulong> RootDirid;
    public Le<ulong> Bytenr;
    public Le<ulong> ByteLimit;
    public Le<ulong> BytesUsed;
    public Le<ulong> LastSnapshot;
    public Le<ulong> Flags;
    public Le<uint> Refs;
    public DiskKey DropProgress;
    public byte DropLevel;
    public byte Level;
}

/// <summary>The rest of struct btrfs_root_item: what kernels since 3.6 write of it.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct RootItemRest
{
    public Le<ulong> GenerationV2;
    public UuidBytes Uuid;
    public UuidBytes ParentUuid;
    public UuidBytes ReceivedUuid;
    public Le<ulong> Ctransid;
    public Le<ulong> Otransid;
    public Le<ulong> Stransid;
    public Le<ulong> Rtransid;
    public TimeSpec Ctime;
    public TimeSpec Otime;
    public TimeSpec Stime;
    public TimeSpec Rtime;
    public InlineArray8<Le<ulong>> Reserved;
}

/// <summary>struct btrfs_inode_ref; the name follows.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct InodeRef
{
    public const int Size = 10;

    public Le<ulong> Index;
    public Le<ushort> NameLen;
}

/// <summary>struct btrfs_inode_extref; the name follows.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct InodeExtref
{
    public const int Size = 18;

    public Le<ulong> ParentObjectid;
    public Le<ulong> Index;
    public Le<ushort> NameLen;
}

/// <summary>struct btrfs_root_ref; the name follows.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct RootRef
{
    public const int Size = 18;

    public Le<ulong> Dirid;
    public Le<ulong> Sequence;
    public Le<ushort> NameLen;
}

/// <summary>struct btrfs_dir_item; the name follows, and an extended attribute's value.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct DirItem
{
    public const int Size = 30;

    public DiskKey Location;
    public Le<ulong> Transid;
    public Le<ushort> DataLen;
    public Le<ushort> NameLen;
    public byte Type;
}

/// <summary>The start of struct btrfs_file_extent_item: after it comes the data where it is inline.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct FileExtentHeader
{
    public const int Size = 21;

    public Le<ulong> Generation;
    public Le<ulong> RamBytes;
    public byte Compression;
    public byte Encryption;
    public Le<ushort> OtherEncoding;
    public byte Type;
}

/// <summary>The rest of struct btrfs_file_extent_item, where the data is not inline.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct FileExtentPlace
{
    public const int Size = 32;

    public Le<ulong> DiskBytenr;
    public Le<ulong> DiskNumBytes;
    public Le<ulong> Offset;
    public Le<ulong> NumBytes;
}

/// <summary>struct btrfs_extent_item; the references that fit follow.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct ExtentItem
{
    /// <summary>BTRFS_EXTENT_FLAG_*.</summary>
    public const ulong Data = 1, TreeBlock = 2;

    public Le<ulong> Refs;
    public Le<ulong> Generation;
    public Le<ulong> Flags;
}

/// <summary>struct btrfs_extent_inline_ref of a tree block: the tree that it belongs to.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct InlineBlockRef
{
    public byte Type;
    public Le<ulong> Root;
}

/// <summary>struct btrfs_extent_inline_ref of data with its struct btrfs_extent_data_ref.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct InlineDataRef
{
    public byte Type;
    public Le<ulong> Root;
    public Le<ulong> Objectid;
    public Le<ulong> Offset;
    public Le<uint> Count;
}

/// <summary>struct btrfs_block_group_item.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct BlockGroupItem
{
    public Le<ulong> Used;
    public Le<ulong> ChunkObjectid;
    public Le<ulong> Flags;
}

/// <summary>struct btrfs_free_space_info.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct FreeSpaceInfo
{
    public Le<uint> ExtentCount;
    public Le<uint> Flags;
}

/// <summary>struct btrfs_dev_extent.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct DevExtent
{
    public Le<ulong> ChunkTree;
    public Le<ulong> ChunkObjectid;
    public Le<ulong> ChunkOffset;
    public Le<ulong> Length;
    public UuidBytes ChunkTreeUuid;
}
