using System.Globalization;

namespace Diecast.Formats.Btrfs;

/// <summary>BTRFS_*_KEY: what an item is.</summary>
internal enum ItemType : byte
{
    InodeItem = 1,
    InodeRef = 12,
    InodeExtref = 13,
    XattrItem = 24,
    VerityDescItem = 36,
    VerityMerkleItem = 37,
    OrphanItem = 48,
    DirLogItem = 60,
    DirLogIndex = 72,
    DirItem = 84,
    DirIndex = 96,
    ExtentData = 108,
    ExtentCsum = 128,
    RootItem = 132,
    RootBackref = 144,
    RootRef = 156,
    ExtentItem = 168,
    MetadataItem = 169,
    ExtentOwnerRef = 172,
    TreeBlockRef = 176,
    ExtentDataRef = 178,
    SharedBlockRef = 182,
    SharedDataRef = 184,
    BlockGroupItem = 192,
    FreeSpaceInfo = 198,
    FreeSpaceExtent = 199,
    FreeSpaceBitmap = 200,
    DevExtent = 204,
    DevItem = 216,
    ChunkItem = 228,
    QgroupStatus = 240,
    QgroupInfo = 242,
    QgroupLimit = 244,
    QgroupRelation = 246,
    TemporaryItem = 248,
    PersistentItem = 249,
    DevReplace = 250,
    UuidKeySubvol = 251,
    UuidKeyReceivedSubvol = 252,
    StringItem = 253,
}

/// <summary>BTRFS_*_OBJECTID: ids of trees, and of other things that are not files.</summary>
internal static class ObjectId
{
    public const ulong RootTree = 1;
    public const ulong ExtentTree = 2;
    public const ulong ChunkTree = 3;
    public const ulong DevTree = 4;
    public const ulong FsTree = 5;
    public const ulong RootTreeDir = 6;
    public const ulong CsumTree = 7;
    public const ulong QuotaTree = 8;
    public const ulong UuidTree = 9;
    public const ulong FreeSpaceTree = 10;
    public const ulong BlockGroupTree = 11;
    public const ulong RaidStripeTree = 12;
    public const ulong FirstFree = 256;
    public const ulong LastFree = unchecked((ulong)-256L);

    /// <summary>The first of a file tree's inodes that is not its root.</summary>
    public const ulong FirstInode = FirstFree + 1;

    /// <summary>BTRFS_FIRST_CHUNK_TREE_OBJECTID: of all chunks.</summary>
    public const ulong FirstChunkTree = 256;

    public const ulong DataReloc = unchecked((ulong)-9L);
    public const ulong ExtentCsum = unchecked((ulong)-10L);
    public const ulong TreeLog = unchecked((ulong)-6L);
    public const ulong TreeReloc = unchecked((ulong)-8L);

    private static readonly Dictionary<ulong, string> s_names = new()
    {
        [RootTree] = "ROOT_TREE",
        [ExtentTree] = "EXTENT_TREE",
        [ChunkTree] = "CHUNK_TREE",
        [DevTree] = "DEV_TREE",
        [FsTree] = "FS_TREE",
        [RootTreeDir] = "ROOT_TREE_DIR",
        [CsumTree] = "CSUM_TREE",
        [QuotaTree] = "QUOTA_TREE",
        [UuidTree] = "UUID_TREE",
        [FreeSpaceTree] = "FREE_SPACE_TREE",
        [BlockGroupTree] = "BLOCK_GROUP_TREE",
        [RaidStripeTree] = "RAID_STRIPE_TREE",
        [unchecked((ulong)-4L)] = "BALANCE",
        [unchecked((ulong)-5L)] = "ORPHAN",
        [TreeLog] = "TREE_LOG",
        [unchecked((ulong)-7L)] = "TREE_LOG_FIXUP",
        [TreeReloc] = "TREE_RELOC",
        [DataReloc] = "DATA_RELOC_TREE",
        [ExtentCsum] = "EXTENT_CSUM",
        [unchecked((ulong)-11L)] = "FREE_SPACE",
        [unchecked((ulong)-12L)] = "FREE_INO",
        [unchecked((ulong)-255L)] = "MULTIPLE",
        [ulong.MaxValue] = "-1",
    };

    /// <summary>"FS_TREE", or the number of what has no name.</summary>
    public static string Name(ulong id) => s_names.GetValueOrDefault(id) ?? id.ToString(CultureInfo.InvariantCulture);

    /// <summary>Whether the tree of that id holds files: the top level's or a subvolume's.</summary>
    public static bool IsFileTree(ulong id) => id == FsTree || id is >= FirstFree and <= LastFree;
}

/// <summary>struct btrfs_key: what the items of a tree are sorted by.</summary>
internal readonly record struct Key(ulong Objectid, ItemType Type, ulong Offset) : IComparable<Key>
{
    private const int QgroupLevelShift = 48;

    private static readonly Dictionary<ItemType, string> s_typeNames = new()
    {
        [ItemType.InodeItem] = "INODE_ITEM",
        [ItemType.InodeRef] = "INODE_REF",
        [ItemType.InodeExtref] = "INODE_EXTREF",
        [ItemType.XattrItem] = "XATTR_ITEM",
        [ItemType.VerityDescItem] = "VERITY_DESC_ITEM",
        [ItemType.VerityMerkleItem] = "VERITY_MERKLE_ITEM",
        [ItemType.OrphanItem] = "ORPHAN_ITEM",
        [ItemType.DirLogItem] = "DIR_LOG_ITEM",
        [ItemType.DirLogIndex] = "DIR_LOG_INDEX",
        [ItemType.DirItem] = "DIR_ITEM",
        [ItemType.DirIndex] = "DIR_INDEX",
        [ItemType.ExtentData] = "EXTENT_DATA",
        [ItemType.ExtentCsum] = "EXTENT_CSUM",
        [ItemType.RootItem] = "ROOT_ITEM",
        [ItemType.RootBackref] = "ROOT_BACKREF",
        [ItemType.RootRef] = "ROOT_REF",
        [ItemType.ExtentItem] = "EXTENT_ITEM",
        [ItemType.MetadataItem] = "METADATA_ITEM",
        [ItemType.ExtentOwnerRef] = "EXTENT_OWNER_REF",
        [ItemType.TreeBlockRef] = "TREE_BLOCK_REF",
        [ItemType.ExtentDataRef] = "EXTENT_DATA_REF",
        [ItemType.SharedBlockRef] = "SHARED_BLOCK_REF",
        [ItemType.SharedDataRef] = "SHARED_DATA_REF",
        [ItemType.BlockGroupItem] = "BLOCK_GROUP_ITEM",
        [ItemType.FreeSpaceInfo] = "FREE_SPACE_INFO",
        [ItemType.FreeSpaceExtent] = "FREE_SPACE_EXTENT",
        [ItemType.FreeSpaceBitmap] = "FREE_SPACE_BITMAP",
        [ItemType.DevExtent] = "DEV_EXTENT",
        [ItemType.DevItem] = "DEV_ITEM",
        [ItemType.ChunkItem] = "CHUNK_ITEM",
        [ItemType.QgroupStatus] = "QGROUP_STATUS",
        [ItemType.QgroupInfo] = "QGROUP_INFO",
        [ItemType.QgroupLimit] = "QGROUP_LIMIT",
        [ItemType.QgroupRelation] = "QGROUP_RELATION",
        [ItemType.TemporaryItem] = "TEMPORARY_ITEM",
        [ItemType.PersistentItem] = "PERSISTENT_ITEM",
        [ItemType.DevReplace] = "DEV_REPLACE",
        [ItemType.UuidKeySubvol] = "UUID_KEY_SUBVOL",
        [ItemType.UuidKeyReceivedSubvol] = "UUID_KEY_RECEIVED_SUBVOL",
        [ItemType.StringItem] = "STRING_ITEM",
    };

    public static Key From(in DiskKey key) => new(key.Objectid, (ItemType)key.Type, key.Offset);

    public static bool operator <(Key left, Key right) => left.CompareTo(right) < 0;
    public static bool operator >(Key left, Key right) => left.CompareTo(right) > 0;
    public static bool operator <=(Key left, Key right) => left.CompareTo(right) <= 0;
    public static bool operator >=(Key left, Key right) => left.CompareTo(right) >= 0;

    public int CompareTo(Key other)
    {
        int order = Objectid.CompareTo(other.Objectid);
        order = order != 0 ? order : Type.CompareTo(other.Type);
        return order != 0 ? order : Offset.CompareTo(other.Offset);
    }

    public static string TypeName(ItemType type) => s_typeNames.GetValueOrDefault(type)
        ?? string.Create(CultureInfo.InvariantCulture, $"UNKNOWN.{(byte)type}");

    /// <summary>"(257 INODE_ITEM 0)", as btrfs-inspect-internal(8) prints it.</summary>
    public override string ToString() => $"({ObjectName()} {TypeName(Type)} {OffsetName()})";

    /// <summary>The objectid: with a name where the type says that it is an id of those that have one.</summary>
    private string ObjectName() => (Type, Objectid) switch
    {
        (ItemType.PersistentItem, 0) => "DEV_STATS",
        (ItemType.DevExtent, _) => Number(Objectid),
        (ItemType.QgroupRelation, _) => Qgroup(Objectid),
        (ItemType.UuidKeySubvol or ItemType.UuidKeyReceivedSubvol, _) => Hexadecimal(Objectid),
        (ItemType.DevItem, 1) => "DEV_ITEMS",
        (ItemType.ChunkItem, ObjectId.FirstFree) => "FIRST_CHUNK_TREE",
        _ => ObjectId.Name(Objectid),
    };

    private string OffsetName() => Type switch
    {
        ItemType.QgroupRelation or ItemType.QgroupInfo or ItemType.QgroupLimit => Qgroup(Offset),
        ItemType.UuidKeySubvol or ItemType.UuidKeyReceivedSubvol => Hexadecimal(Offset),
        ItemType.RootItem when Objectid == ObjectId.TreeReloc => ObjectId.Name(Offset),
        _ => Offset == ulong.MaxValue ? "-1" : Number(Offset),
    };

    private static string Number(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Hexadecimal(ulong value) => $"0x{value:x16}";

    private static string Qgroup(ulong value) =>
        string.Create(CultureInfo.InvariantCulture, $"{value >> QgroupLevelShift}/{value & ((1ul << QgroupLevelShift) - 1)}");
}
