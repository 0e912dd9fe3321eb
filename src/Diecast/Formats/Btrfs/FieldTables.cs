namespace Diecast.Formats.Btrfs;

/// <summary>How the bytes of a field are shown.</summary>
internal enum FieldFormat
{
    Number,
    Hexadecimal,
    Octal,
    Bytes,
    Text,
    Uuid,
    Time,
    Checksum,
    ObjectId,
    ItemType,
    ChunkType,
}

/// <summary>A field of a structure: its name in the specification and its length in bytes.</summary>
internal readonly record struct FieldType(string Name, int Length, FieldFormat Format = FieldFormat.Number);

/// <summary>
/// The structures as lists of their fields, in order and without gaps: what a byte of them is called. The structs of
/// Structures.cs have the same fields at the same places.
/// </summary>
internal static class FieldTables
{
    private const FieldFormat Hexadecimal = FieldFormat.Hexadecimal;
    private const FieldFormat Uuid = FieldFormat.Uuid;
    private const FieldFormat Time = FieldFormat.Time;
    private const FieldFormat Object = FieldFormat.ObjectId;
    private const FieldFormat Bytes = FieldFormat.Bytes;

    public static readonly FieldType[] DiskKey =
        [new("objectid", 8, Object), new("type", 1, FieldFormat.ItemType), new("offset", 8)];

    public static readonly FieldType[] DevItem =
    [
        new("devid", 8), new("total_bytes", 8), new("bytes_used", 8), new("io_align", 4), new("io_width", 4),
        new("sector_size", 4), new("type", 8), new("generation", 8), new("start_offset", 8), new("dev_group", 4),
        new("seek_speed", 1), new("bandwidth", 1), new("uuid", 16, Uuid), new("fsid", 16, Uuid),
    ];

    /// <summary>The superblock up to its array of chunks.</summary>
    public static readonly FieldType[] Superblock =
    [
        new("csum", 32, FieldFormat.Checksum), new("fsid", 16, Uuid), new("bytenr", 8), new("flags", 8, Hexadecimal),
        new("magic", 8, FieldFormat.Text), new("generation", 8), new("root", 8), new("chunk_root", 8), new("log_root", 8),
        new("log_root_transid", 8), new("total_bytes", 8), new("bytes_used", 8), new("root_dir_objectid", 8),
        new("num_devices", 8), new("sectorsize", 4), new("nodesize", 4), new("leafsize", 4), new("stripesize", 4),
        new("sys_chunk_array_size", 4), new("chunk_root_generation", 8), new("compat_flags", 8, Hexadecimal),
        new("compat_ro_flags", 8, Hexadecimal), new("incompat_flags", 8, Hexadecimal), new("csum_type", 2),
        new("root_level", 1), new("chunk_root_level", 1), new("log_root_level", 1), .. In("dev_item", DevItem),
        new("label", 256, FieldFormat.Text), new("cache_generation", 8), new("uuid_tree_generation", 8),
        new("metadata_uuid", 16, Uuid), new("nr_global_roots", 8), new("reserved", 27 * 8, Bytes),
    ];

    public static readonly FieldType[] RootBackup =
    [
        new("tree_root", 8), new("tree_root_gen", 8), new("chunk_root", 8), new("chunk_root_gen", 8), new("extent_root", 8),
        new("extent_root_gen", 8), new("fs_root", 8), new("fs_root_gen", 8), new("dev_root", 8), new("dev_root_gen", 8),
        new("csum_root", 8), new("csum_root_gen", 8), new("total_bytes", 8), new("bytes_used", 8), new("num_devices", 8),
        new("unused_64", 32, Bytes), new("tree_root_level", 1), new("chunk_root_level", 1), new("extent_root_level", 1),
        new("fs_root_level", 1), new("dev_root_level", 1), new("csum_root_level", 1), new("unused_8", 10, Bytes),
    ];

    public static readonly FieldType[] Header =
    [
        new("csum", 32, FieldFormat.Checksum), new("fsid", 16, Uuid), new("bytenr", 8), new("flags", 8, Hexadecimal),
        new("chunk_tree_uuid", 16, Uuid), new("generation", 8), new("owner", 8, Object), new("nritems", 4), new("level", 1),
    ];

    public static readonly FieldType[] ItemHeader = [.. In("key", DiskKey), new("offset", 4), new("size", 4)];

    public static readonly FieldType[] KeyPointer = [.. In("key", DiskKey), new("blockptr", 8), new("generation", 8)];

    public static readonly FieldType[] ChunkItem =
    [
        new("length", 8), new("owner", 8), new("stripe_len", 8), new("type", 8, FieldFormat.ChunkType), new("io_align", 4),
        new("io_width", 4), new("sector_size", 4), new("num_stripes", 2), new("sub_stripes", 2),
    ];

    public static readonly FieldType[] Stripe = [new("devid", 8), new("offset", 8), new("dev_uuid", 16, Uuid)];

    public static readonly FieldType[] InodeItem =
    [
        new("generation", 8), new("transid", 8), new("size", 8), new("nbytes", 8), new("block_group", 8), new("nlink", 4),
        new("uid", 4), new("gid", 4), new("mode", 4, FieldFormat.Octal), new("rdev", 8, Hexadecimal),
        new("flags", 8, Hexadecimal), new("sequence", 8), new("reserved", 32, Bytes), new("atime", 12, Time),
        new("ctime", 12, Time), new("mtime", 12, Time), new("otime", 12, Time),
    ];

    public static readonly FieldType[] RootItem =
    [
        .. In("inode", InodeItem), new("generation", 8), new("root_dirid", 8), new("bytenr", 8), new("byte_limit", 8),
        new("bytes_used", 8), new("last_snapshot", 8), new("flags", 8, Hexadecimal), new("refs", 4),
        .. In("drop_progress", DiskKey), new("drop_level", 1), new("level", 1),
        // Since Linux 3.6.
        new("generation_v2", 8), new("uuid", 16, Uuid), new("parent_uuid", 16, Uuid), new("received_uuid", 16, Uuid),
        new("ctransid", 8), new("otransid", 8), new("stransid", 8), new("rtransid", 8), new("ctime", 12, Time),
        new("otime", 12, Time), new("stime", 12, Time), new("rtime", 12, Time), new("reserved", 64, Bytes),
    ];

    public static readonly FieldType[] InodeRef = [new("index", 8), new("name_len", 2)];

    public static readonly FieldType[] InodeExtref = [new("parent_objectid", 8), new("index", 8), new("name_len", 2)];

    public static readonly FieldType[] RootRef = [new("dirid", 8), new("sequence", 8), new("name_len", 2)];

    public static readonly FieldType[] DirItem =
        [.. In("location", DiskKey), new("transid", 8), new("data_len", 2), new("name_len", 2), new("type", 1)];

    public static readonly FieldType[] FileExtentHeader =
    [
        new("generation", 8), new("ram_bytes", 8), new("compression", 1), new("encryption", 1), new("other_encoding", 2),
        new("type", 1),
    ];

    public static readonly FieldType[] FileExtentPlace =
        [new("disk_bytenr", 8), new("disk_num_bytes", 8), new("offset", 8), new("num_bytes", 8)];

    public static readonly FieldType[] ExtentItem = [new("refs", 8), new("generation", 8), new("flags", 8, Hexadecimal)];

    public static readonly FieldType[] TreeBlockInfo = [.. In("key", DiskKey), new("level", 1)];

    public static readonly FieldType[] ExtentDataRef =
        [new("root", 8, Object), new("objectid", 8), new("offset", 8), new("count", 4)];

    public static readonly FieldType[] BlockGroupItem =
        [new("used", 8), new("chunk_objectid", 8), new("flags", 8, FieldFormat.ChunkType)];

    public static readonly FieldType[] FreeSpaceInfo = [new("extent_count", 4), new("flags", 4, Hexadecimal)];

    public static readonly FieldType[] FreeSpaceHeader =
        [.. In("location", DiskKey), new("generation", 8), new("num_entries", 8), new("num_bitmaps", 8)];

    public static readonly FieldType[] DevExtent =
    [
        new("chunk_tree", 8), new("chunk_objectid", 8), new("chunk_offset", 8), new("length", 8),
        new("chunk_tree_uuid", 16, Uuid),
    ];

    public static readonly FieldType[] DevStats =
        [new("write_errs", 8), new("read_errs", 8), new("flush_errs", 8), new("corruption_errs", 8), new("generation_errs", 8)];

    public static readonly FieldType[] DevReplace =
    [
        new("src_devid", 8), new("cursor_left", 8), new("cursor_right", 8), new("cont_reading_from_srcdev_mode", 8),
        new("replace_state", 8), new("time_started", 8), new("time_stopped", 8), new("num_write_errors", 8),
        new("num_uncorrectable_read_errors", 8),
    ];

    public static readonly FieldType[] QgroupStatus =
        [new("version", 8), new("generation", 8), new("flags", 8, Hexadecimal), new("rescan", 8), new("enable_gen", 8)];

    public static readonly FieldType[] QgroupInfo =
        [new("generation", 8), new("rfer", 8), new("rfer_cmpr", 8), new("excl", 8), new("excl_cmpr", 8)];

    public static readonly FieldType[] QgroupLimit =
        [new("flags", 8, Hexadecimal), new("max_rfer", 8), new("max_excl", 8), new("rsv_rfer", 8), new("rsv_excl", 8)];

    public static readonly FieldType[] VerityDescriptor =
        [new("size", 8), new("reserved", 16, Bytes), new("encryption", 1)];

    public static int Length(FieldType[] table) => table.Sum(static field => field.Length);

    private static IEnumerable<FieldType> In(string prefix, FieldType[] table) =>
        table.Select(field => field with { Name = $"{prefix}.{field.Name}" });
}
