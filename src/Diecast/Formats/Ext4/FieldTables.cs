using System.Globalization;
using static Diecast.Formats.FieldTable;

namespace Diecast.Formats.Ext4;

/// <summary>
/// The fields of the structures under the names of https://docs.kernel.org/filesystems/ext4/, without the endings _lo, _hi
/// and _extra: the parts of a field are shown together. One table a structure of Structures.cs, in its order.
/// </summary>
internal static class FieldTables
{
    public static FieldTable Superblock { get; } = new(
        Number("s_inodes_count", 4), Number("s_blocks_count", 4), Number("s_r_blocks_count", 4),
        Number("s_free_blocks_count", 4), Number("s_free_inodes_count", 4), Number("s_first_data_block", 4),
        Number("s_log_block_size", 4), Number("s_log_cluster_size", 4), Number("s_blocks_per_group", 4),
        Number("s_clusters_per_group", 4), Number("s_inodes_per_group", 4), Time("s_mtime", 4), Time("s_wtime", 4),
        Number("s_mnt_count", 2), Number("s_max_mnt_count", 2), Hexadecimal("s_magic", 2), Number("s_state", 2),
        Number("s_errors", 2), Number("s_minor_rev_level", 2), Time("s_lastcheck", 4), Number("s_checkinterval", 4),
        Number("s_creator_os", 4), Number("s_rev_level", 4), Number("s_def_resuid", 2), Number("s_def_resgid", 2),
        Number("s_first_ino", 4), Number("s_inode_size", 2), Number("s_block_group_nr", 2),
        Shown("s_feature_compat", 4, static bytes => FeatureNames.Of((CompatibleFeatures)Unsigned(bytes))),
        Shown("s_feature_incompat", 4, static bytes => FeatureNames.Of((IncompatibleFeatures)Unsigned(bytes))),
        Shown("s_feature_ro_compat", 4, static bytes => FeatureNames.Of((ReadOnlyCompatibleFeatures)Unsigned(bytes))),
        Uuid("s_uuid"), Text("s_volume_name", 16), Text("s_last_mounted", 64), Number("s_algorithm_usage_bitmap", 4),
        Number("s_prealloc_blocks", 1), Number("s_prealloc_dir_blocks", 1), Number("s_reserved_gdt_blocks", 2),
        Uuid("s_journal_uuid"), Number("s_journal_inum", 4), Number("s_journal_dev", 4), Number("s_last_orphan", 4),
        Uuid("s_hash_seed"), Number("s_def_hash_version", 1), Number("s_jnl_backup_type", 1), Number("s_desc_size", 2),
        Hexadecimal("s_default_mount_opts", 4), Number("s_first_meta_bg", 4), Time("s_mkfs_time", 4),
        Opaque("s_jnl_blocks", 60), Rest("s_jnl_size", 4), Number("s_jnl_size", 4), Rest("s_blocks_count", 4),
        Rest("s_r_blocks_count", 4), Rest("s_free_blocks_count", 4), Number("s_min_extra_isize", 2),
        Number("s_want_extra_isize", 2), Hexadecimal("s_flags", 4), Number("s_raid_stride", 2), Number("s_mmp_interval", 2),
        Number("s_mmp_block", 8), Number("s_raid_stripe_width", 4), Number("s_log_groups_per_flex", 1),
        Number("s_checksum_type", 1), Number("s_encryption_level", 1), Number("s_reserved_pad", 1),
        Number("s_kbytes_written", 8), Number("s_snapshot_inum", 4), Number("s_snapshot_id", 4),
        Number("s_snapshot_r_blocks_count", 8), Number("s_snapshot_list", 4), Number("s_error_count", 4),
        Time("s_first_error_time", 4), Number("s_first_error_ino", 4), Number("s_first_error_block", 8),
        Text("s_first_error_func", 32), Number("s_first_error_line", 4), Time("s_last_error_time", 4),
        Number("s_last_error_ino", 4), Number("s_last_error_line", 4), Number("s_last_error_block", 8),
        Text("s_last_error_func", 32), Text("s_mount_opts", 64), Number("s_usr_quota_inum", 4),
        Number("s_grp_quota_inum", 4), Number("s_overhead_clusters", 4), Number("s_backup_bgs[0]", 4),
        Number("s_backup_bgs[1]", 4), Opaque("s_encrypt_algos", 4), Opaque("s_encrypt_pw_salt", 16), Number("s_lpf_ino", 4),
        Number("s_prj_quota_inum", 4), Hexadecimal("s_checksum_seed", 4), Rest("s_wtime", 1), Rest("s_mtime", 1),
        Rest("s_mkfs_time", 1), Rest("s_lastcheck", 1), Rest("s_first_error_time", 1), Rest("s_last_error_time", 1),
        Number("s_first_error_errcode", 1), Number("s_last_error_errcode", 1), Number("s_encoding", 2),
        Number("s_encoding_flags", 2), Number("s_orphan_file_inum", 4), Opaque("s_reserved", 376),
        Hexadecimal("s_checksum", 4));

    public static FieldTable GroupDescriptor { get; } = new(
        Number("bg_block_bitmap", 4), Number("bg_inode_bitmap", 4), Number("bg_inode_table", 4),
        Number("bg_free_blocks_count", 2), Number("bg_free_inodes_count", 2), Number("bg_used_dirs_count", 2),
        Hexadecimal("bg_flags", 2), Number("bg_exclude_bitmap", 4), Hexadecimal("bg_block_bitmap_csum", 2),
        Hexadecimal("bg_inode_bitmap_csum", 2), Number("bg_itable_unused", 2), Hexadecimal("bg_checksum", 2),
        Rest("bg_block_bitmap", 4), Rest("bg_inode_bitmap", 4), Rest("bg_inode_table", 4), Rest("bg_free_blocks_count", 2),
        Rest("bg_free_inodes_count", 2), Rest("bg_used_dirs_count", 2), Rest("bg_itable_unused", 2),
        Rest("bg_exclude_bitmap", 4), Rest("bg_block_bitmap_csum", 2), Rest("bg_inode_bitmap_csum", 2),
        Number("bg_reserved", 4));

    /// <summary>What i_block means depends on the inode: a finder looks into it first.</summary>
    public static FieldTable Inode { get; } = new(
        Shown("i_mode", 2, static bytes => "0" + Convert.ToString((int)Unsigned(bytes), 8)), Number("i_uid", 2),
        Number("i_size", 4), InodeTimeRow("i_atime"), InodeTimeRow("i_ctime"), InodeTimeRow("i_mtime"), Time("i_dtime", 4),
        Number("i_gid", 2), Number("i_links_count", 2), Number("i_blocks", 4), Hexadecimal("i_flags", 4),
        Number("i_version", 4), Opaque("i_block", 60), Number("i_generation", 4), Number("i_file_acl", 4),
        Rest("i_size", 4), Number("i_obso_faddr", 4), Rest("i_blocks", 2), Rest("i_file_acl", 2), Rest("i_uid", 2),
        Rest("i_gid", 2), Hexadecimal("i_checksum", 2), Number("i_reserved", 2), Number("i_extra_isize", 2),
        Rest("i_checksum", 2), Rest("i_ctime", 4), Rest("i_mtime", 4), Rest("i_atime", 4), InodeTimeRow("i_crtime"),
        Rest("i_crtime", 4), Rest("i_version", 4), Number("i_projid", 4));

    public static FieldTable ExtentHeader { get; } = new(
        Hexadecimal("eh_magic", 2), Number("eh_entries", 2), Number("eh_max", 2), Number("eh_depth", 2),
        Number("eh_generation", 4));

    public static FieldTable ExtentLeafEntry { get; } = new(
        Number("ee_block", 4), Shown("ee_len", 2, ExtentLength), Rest("ee_start", 2), Number("ee_start", 4));

    public static FieldTable ExtentIndexEntry { get; } = new(
        Number("ei_block", 4), Number("ei_leaf", 4), Rest("ei_leaf", 2), Number("ei_unused", 2));

    public static FieldTable DirectoryEntryHeader { get; } = new(
        Number("inode", 4), Number("rec_len", 2), Number("name_len", 1), Number("file_type", 1));

    public static FieldTable DirectoryTail { get; } = new(
        Number("det_reserved_zero1", 4), Number("det_rec_len", 2), Number("det_reserved_zero2", 1),
        Hexadecimal("det_reserved_ft", 1), Hexadecimal("det_checksum", 4));

    public static FieldTable IndexRootInfo { get; } = new(
        Number("reserved_zero", 4), Number("hash_version", 1), Number("info_length", 1), Number("indirect_levels", 1),
        Number("unused_flags", 1));

    /// <summary>The first entry of an index block, whose hash is implied.</summary>
    public static FieldTable IndexCount { get; } = new(Number("limit", 2), Number("count", 2), Number("block", 4));

    public static FieldTable IndexEntry { get; } = new(Hexadecimal("hash", 4), Number("block", 4));

    public static FieldTable IndexTail { get; } = new(Number("dt_reserved", 4), Hexadecimal("dt_checksum", 4));

    public static FieldTable XattrHeader { get; } = new(
        Hexadecimal("h_magic", 4), Number("h_refcount", 4), Number("h_blocks", 4), Hexadecimal("h_hash", 4),
        Hexadecimal("h_checksum", 4), Number("h_reserved[0]", 4), Number("h_reserved[1]", 4), Number("h_reserved[2]", 4));

    public static FieldTable XattrEntry { get; } = new(
        Number("e_name_len", 1), Number("e_name_index", 1), Number("e_value_offs", 2), Number("e_value_inum", 4),
        Number("e_value_size", 4), Hexadecimal("e_hash", 4));

    /// <summary>The end of an extent block: ext4_extent_tail.</summary>
    public static FieldTable ExtentTail { get; } = new(Hexadecimal("eb_checksum", 4));

    /// <summary>The end of a block of the orphan file: ext4_orphan_block_tail.</summary>
    public static FieldTable OrphanTail { get; } = new(Hexadecimal("ob_magic", 4), Hexadecimal("ob_checksum", 4));

    /// <summary>https://docs.kernel.org/filesystems/ext4/mmp.html</summary>
    public static FieldTable Mmp { get; } = new(
        Hexadecimal("mmp_magic", 4), Hexadecimal("mmp_seq", 4), Time("mmp_time", 8), Text("mmp_nodename", 64),
        Text("mmp_bdevname", 32), Number("mmp_check_interval", 2), Number("mmp_pad1", 2), Opaque("mmp_pad2", 904),
        Hexadecimal("mmp_checksum", 4));

    private static FieldRow InodeTimeRow(string name) => Shown(name, 4, static bytes => InodeTime.Read(
        (uint)Unsigned(bytes[..4]), bytes.Length < 8 ? 0 : (uint)Unsigned(bytes[4..])).ToString());

    private static string ExtentLength(ReadOnlySpan<byte> bytes)
    {
        int length = (int)Unsigned(bytes);
        return length <= ExtentTree.MaximumLength ? length.ToString(CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{length - ExtentTree.MaximumLength} unwritten");
    }
}
