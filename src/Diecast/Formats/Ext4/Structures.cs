using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Diecast.Binary;

namespace Diecast.Formats.Ext4;

[InlineArray(16)]
internal struct Bytes16
{
    private byte _first;
}

[InlineArray(32)]
internal struct Bytes32
{
    private byte _first;
}

/// <summary>An inode's i_block: fifteen block numbers, the root of an extent tree, or a short symbolic link.</summary>
[InlineArray(60)]
internal struct Bytes60
{
    private byte _first;
}

[InlineArray(64)]
internal struct Bytes64
{
    private byte _first;
}

[InlineArray(376)]
internal struct Bytes376
{
    private byte _first;
}

[Flags]
internal enum CompatibleFeatures : uint
{
    None = 0,
    HasJournal = 0x4,
    ExtendedAttributes = 0x8,
    ResizeInode = 0x10,
    DirectoryIndex = 0x20,
    SparseSuper2 = 0x200,
    OrphanFile = 0x1000,
}

[Flags]
internal enum IncompatibleFeatures : uint
{
    None = 0,
    Compression = 0x1,
    FileType = 0x2,
    Recover = 0x4,
    JournalDevice = 0x8,
    MetaBlockGroups = 0x10,
    Extents = 0x40,
    Bits64 = 0x80,
    MultipleMountProtection = 0x100,
    FlexibleGroups = 0x200,
    ExtendedAttributeInode = 0x400,
    DirectoryData = 0x1000,
    ChecksumSeed = 0x2000,
    LargeDirectory = 0x4000,
    InlineData = 0x8000,
    Encrypt = 0x10000,
    CaseFold = 0x20000,
}

[Flags]
internal enum ReadOnlyCompatibleFeatures : uint
{
    None = 0,
    SparseSuper = 0x1,
    LargeFile = 0x2,
    HugeFile = 0x8,
    GroupChecksums = 0x10,
    DirectoryLinks = 0x20,
    ExtraInodeSize = 0x40,
    BigAllocation = 0x200,
    MetadataChecksums = 0x400,
}

/// <summary>https://docs.kernel.org/filesystems/ext4/globals.html#super-block</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct Superblock
{
    public const int Offset = 1024;
    public const int Size = 1024;
    public const ushort MagicValue = 0xEF53;

    public Le<uint> InodesCount;
    public Le<uint> BlocksCountLow;
    public Le<uint> ReservedBlocksCountLow;
    public Le<uint> FreeBlocksCountLow;
    public Le<uint> FreeInodesCount;
    public Le<uint> FirstDataBlock;
    public Le<uint> LogBlockSize;
    public Le<uint> LogClusterSize;
    public Le<uint> BlocksPerGroup;
    public Le<uint> ClustersPerGroup;
    public Le<uint> InodesPerGroup;
    public Le<uint> MountTime;
    public Le<uint> WriteTime;
    public Le<ushort> MountCount;
    public Le<ushort> MaximumMountCount;
    public Le<ushort> Magic;
    public Le<ushort> State;
    public Le<ushort> Errors;
    public Le<ushort> MinorRevision;
    public Le<uint> LastCheck;
    public Le<uint> CheckInterval;
    public Le<uint> CreatorOs;
    public Le<uint> Revision;
    public Le<ushort> ReservedUid;
    public Le<ushort> ReservedGid;
    public Le<uint> FirstInode;
    public Le<ushort> InodeSize;
    public Le<ushort> BlockGroup;
    public Le<uint> Compatible;
    public Le<uint> Incompatible;
    public Le<uint> ReadOnlyCompatible;
    public Bytes16 Uuid;
    public Bytes16 VolumeName;
    public Bytes64 LastMounted;
    public Le<uint> AlgorithmUsageBitmap;
    public byte PreallocatedBlocks;
    public byte PreallocatedDirectoryBlocks;
    public Le<ushort> ReservedDescriptorBlocks;
    public Bytes16 JournalUuid;
    public Le<uint> JournalInode;
    public Le<uint> JournalDevice;
    public Le<uint> LastOrphan;
    public Bytes16 HashSeed;
    public byte DefaultHashVersion;
    public byte JournalBackupType;
    public Le<ushort> DescriptorSize;
    public Le<uint> DefaultMountOptions;
    public Le<uint> FirstMetaBlockGroup;
    public Le<uint> MakeTime;
    public Bytes60 JournalBlocks;
    public Le<uint> JournalSizeHigh;
    public Le<uint> JournalSizeLow;
    public Le<uint> BlocksCountHigh;
    public Le<uint> ReservedBlocksCountHigh;
    public Le<uint> FreeBlocksCountHigh;
    public Le<ushort> MinimumExtraInodeSize;
    public Le<ushort> WantedExtraInodeSize;
    public Le<uint> Flags;
    public Le<ushort> RaidStride;
    public Le<ushort> MmpInterval;
    public Le<ulong> MmpBlock;
    public Le<uint> RaidStripeWidth;
    public byte LogGroupsPerFlex;
    public byte ChecksumType;
    public byte EncryptionLevel;
    public byte Reserved1;
    public Le<ulong> KibibytesWritten;
    public Le<uint> SnapshotInode;
    public Le<uint> SnapshotId;
    public Le<ulong> SnapshotReservedBlocks;
    public Le<uint> SnapshotList;
    public Le<uint> ErrorCount;
    public Le<uint> FirstErrorTime;
    public Le<uint> FirstErrorInode;
    public Le<ulong> FirstErrorBlock;
    public Bytes32 FirstErrorFunction;
    public Le<uint> FirstErrorLine;
    public Le<uint> LastErrorTime;
    public Le<uint> LastErrorInode;
    public Le<uint> LastErrorLine;
    public Le<ulong> LastErrorBlock;
    public Bytes32 LastErrorFunction;
    public Bytes64 MountOptions;
    public Le<uint> UserQuotaInode;
    public Le<uint> GroupQuotaInode;
    public Le<uint> OverheadClusters;
    public Le<uint> BackupGroup0;
    public Le<uint> BackupGroup1;
    public Le<uint> EncryptionAlgorithms;
    public Bytes16 EncryptionSalt;
    public Le<uint> LostAndFoundInode;
    public Le<uint> ProjectQuotaInode;
    public Le<uint> ChecksumSeed;
    public byte WriteTimeHigh;
    public byte MountTimeHigh;
    public byte MakeTimeHigh;
    public byte LastCheckHigh;
    public byte FirstErrorTimeHigh;
    public byte LastErrorTimeHigh;
    public byte FirstErrorCode;
    public byte LastErrorCode;
    public Le<ushort> Encoding;
    public Le<ushort> EncodingFlags;
    public Le<uint> OrphanFileInode;
    public Bytes376 Reserved2;
    public Le<uint> Checksum;
}

/// <summary>https://docs.kernel.org/filesystems/ext4/globals.html#block-group-descriptors</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct GroupDescriptor
{
    public const int Size = 64;
    public const ushort InodeUninitialized = 1;
    public const ushort BlockUninitialized = 2;
    public const ushort InodeZeroed = 4;

    public Le<uint> BlockBitmapLow;
    public Le<uint> InodeBitmapLow;
    public Le<uint> InodeTableLow;
    public Le<ushort> FreeBlocksCountLow;
    public Le<ushort> FreeInodesCountLow;
    public Le<ushort> UsedDirectoriesCountLow;
    public Le<ushort> Flags;
    public Le<uint> ExcludeBitmapLow;
    public Le<ushort> BlockBitmapChecksumLow;
    public Le<ushort> InodeBitmapChecksumLow;
    public Le<ushort> UnusedInodesCountLow;
    public Le<ushort> Checksum;
    public Le<uint> BlockBitmapHigh;
    public Le<uint> InodeBitmapHigh;
    public Le<uint> InodeTableHigh;
    public Le<ushort> FreeBlocksCountHigh;
    public Le<ushort> FreeInodesCountHigh;
    public Le<ushort> UsedDirectoriesCountHigh;
    public Le<ushort> UnusedInodesCountHigh;
    public Le<uint> ExcludeBitmapHigh;
    public Le<ushort> BlockBitmapChecksumHigh;
    public Le<ushort> InodeBitmapChecksumHigh;
    public Le<uint> Reserved;

    public readonly long BlockBitmap => BlockBitmapLow | (long)BlockBitmapHigh.Value << 32;

    public readonly long InodeBitmap => InodeBitmapLow | (long)InodeBitmapHigh.Value << 32;

    public readonly long InodeTable => InodeTableLow | (long)InodeTableHigh.Value << 32;
}

/// <summary>
/// https://docs.kernel.org/filesystems/ext4/inodes.html: the first 160 bytes; what follows up to the inode's size holds
/// extended attributes.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct InodeRecord
{
    public const int Size = 160;
    public const int OldSize = 128;
    public const uint IndexFlag = 0x1000;
    public const uint EncryptFlag = 0x800;
    public const uint HugeFileFlag = 0x40000;
    public const uint ExtentsFlag = 0x80000;
    public const uint ExtendedAttributeInodeFlag = 0x200000;
    public const uint InlineDataFlag = 0x10000000;

    public Le<ushort> Mode;
    public Le<ushort> UidLow;
    public Le<uint> SizeLow;
    public Le<uint> AccessTime;
    public Le<uint> ChangeTime;
    public Le<uint> ModificationTime;
    public Le<uint> DeletionTime;
    public Le<ushort> GidLow;
    public Le<ushort> LinksCount;
    public Le<uint> BlocksLow;
    public Le<uint> Flags;
    public Le<uint> VersionLow;
    public Bytes60 Block;
    public Le<uint> Generation;
    public Le<uint> FileAclLow;
    public Le<uint> SizeHigh;
    public Le<uint> FragmentAddress;
    public Le<ushort> BlocksHigh;
    public Le<ushort> FileAclHigh;
    public Le<ushort> UidHigh;
    public Le<ushort> GidHigh;
    public Le<ushort> ChecksumLow;
    public Le<ushort> Reserved;
    public Le<ushort> ExtraSize;
    public Le<ushort> ChecksumHigh;
    public Le<uint> ChangeTimeExtra;
    public Le<uint> ModificationTimeExtra;
    public Le<uint> AccessTimeExtra;
    public Le<uint> CreationTime;
    public Le<uint> CreationTimeExtra;
    public Le<uint> VersionHigh;
    public Le<uint> ProjectId;
}

/// <summary>https://docs.kernel.org/filesystems/ext4/ifork.html#extent-tree</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct ExtentHeader
{
    public const int Size = 12;
    public const ushort MagicValue = 0xF30A;

    public Le<ushort> Magic;
    public Le<ushort> Entries;
    public Le<ushort> Maximum;
    public Le<ushort> Depth;
    public Le<uint> Generation;
}

/// <summary>An entry of a leaf of the extent tree; a length above 32768 is an unwritten extent.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct ExtentLeafEntry
{
    public Le<uint> Block;
    public Le<ushort> Length;
    public Le<ushort> StartHigh;
    public Le<uint> StartLow;
}

/// <summary>An entry of an inner node of the extent tree.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct ExtentIndexEntry
{
    public Le<uint> Block;
    public Le<uint> LeafLow;
    public Le<ushort> LeafHigh;
    public Le<ushort> Unused;
}

/// <summary>https://docs.kernel.org/filesystems/ext4/directory.html: what stands before the name.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct DirectoryEntryHeader
{
    public const int Size = 8;

    public Le<uint> Inode;
    public Le<ushort> RecordLength;
    public byte NameLength;
    public byte FileType;
}

/// <summary>The end of a directory block; looks like an unused entry to who does not know it.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct DirectoryTail
{
    public const int Size = 12;
    public const byte FileTypeValue = 0xDE;

    public Le<uint> Inode;
    public Le<ushort> RecordLength;
    public byte NameLength;
    public byte FileType;
    public Le<uint> Checksum;
}

/// <summary>https://docs.kernel.org/filesystems/ext4/directory.html#hash-tree-directories: after "." and "..".</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct IndexRootInfo
{
    public const int Size = 8;
    public const byte HalfMd4 = 1;

    public Le<uint> Reserved;
    public byte HashVersion;
    public byte InfoLength;
    public byte IndirectLevels;
    public byte UnusedFlags;
}

/// <summary>An entry of an index block. In the first one, the limit and the count stand in place of the hash.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct IndexEntry
{
    public const int Size = 8;

    public Le<uint> Hash;
    public Le<uint> Block;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct IndexTail
{
    public const int Size = 8;

    public Le<uint> Reserved;
    public Le<uint> Checksum;
}

/// <summary>https://docs.kernel.org/filesystems/ext4/attributes.html: at the start of an attribute block.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct XattrHeader
{
    public const int Size = 32;
    public const uint MagicValue = 0xEA020000;

    public Le<uint> Magic;
    public Le<uint> ReferenceCount;
    public Le<uint> Blocks;
    public Le<uint> Hash;
    public Le<uint> Checksum;
    public Le<uint> Reserved0;
    public Le<uint> Reserved1;
    public Le<uint> Reserved2;
}

/// <summary>What stands before the name of an attribute.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct XattrEntry
{
    public const int Size = 16;

    public byte NameLength;
    public byte NameIndex;
    public Le<ushort> ValueOffset;
    public Le<uint> ValueInode;
    public Le<uint> ValueSize;
    public Le<uint> Hash;
}

/// <summary>https://docs.kernel.org/filesystems/ext4/journal.html#super-block: big-endian, as all of jbd2.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct JournalSuperblock
{
    public const uint MagicValue = 0xC03B3998;
    public const uint SuperblockV2 = 4;

    public Be<uint> Magic;
    public Be<uint> BlockType;
    public Be<uint> HeaderSequence;
    public Be<uint> BlockSize;
    public Be<uint> MaximumLength;
    public Be<uint> First;
    public Be<uint> Sequence;
    public Be<uint> Start;
    public Be<uint> Error;
    public Be<uint> Compatible;
    public Be<uint> Incompatible;
    public Be<uint> ReadOnlyCompatible;
    public Bytes16 Uuid;
    public Be<uint> Users;
}
