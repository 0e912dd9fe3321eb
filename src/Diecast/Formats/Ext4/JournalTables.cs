using static Diecast.Formats.FieldTable;

namespace Diecast.Formats.Ext4;

/// <summary>The fields of jbd2: https://docs.kernel.org/filesystems/ext4/journal.html. All of it is big-endian.</summary>
internal static class JournalTables
{
    public static FieldTable Header { get; } = new(
        BigEndianHexadecimal("h_magic", 4), BigEndian("h_blocktype", 4), BigEndian("h_sequence", 4));

    public static FieldTable Superblock { get; } = new(
        BigEndianHexadecimal("h_magic", 4), BigEndian("h_blocktype", 4), BigEndian("h_sequence", 4),
        BigEndian("s_blocksize", 4), BigEndian("s_maxlen", 4), BigEndian("s_first", 4), BigEndian("s_sequence", 4),
        BigEndian("s_start", 4), BigEndian("s_errno", 4), BigEndianHexadecimal("s_feature_compat", 4),
        BigEndianHexadecimal("s_feature_incompat", 4), BigEndianHexadecimal("s_feature_ro_compat", 4), Uuid("s_uuid"),
        BigEndian("s_nr_users", 4), BigEndian("s_dynsuper", 4), BigEndian("s_max_transaction", 4),
        BigEndian("s_max_trans_data", 4), BigEndian("s_checksum_type", 1), Opaque("s_padding2", 3),
        BigEndian("s_num_fc_blks", 4), BigEndian("s_head", 4), Opaque("s_padding", 160),
        BigEndianHexadecimal("s_checksum", 4), Opaque("s_users", 768));

    public static FieldTable Commit { get; } = new(
        BigEndianHexadecimal("h_magic", 4), BigEndian("h_blocktype", 4), BigEndian("h_sequence", 4),
        BigEndian("h_chksum_type", 1), BigEndian("h_chksum_size", 1), Opaque("h_padding", 2), Opaque("h_chksum", 32),
        Shown("h_commit_sec", 8, static bytes => new Trees.Timestamp((long)UnsignedBigEndian(bytes)).ToString()),
        BigEndian("h_commit_nsec", 4));

    /// <summary>A tag of a descriptor block, with checksums of version 3.</summary>
    public static FieldTable Tag3 { get; } = new(
        BigEndian("t_blocknr", 4), BigEndianHexadecimal("t_flags", 4), BigEndian("t_blocknr_high", 4),
        BigEndianHexadecimal("t_checksum", 4));

    /// <summary>A tag of a descriptor block, without.</summary>
    public static FieldTable Tag { get; } = new(
        BigEndian("t_blocknr", 4), BigEndianHexadecimal("t_checksum", 2), BigEndianHexadecimal("t_flags", 2),
        BigEndian("t_blocknr_high", 4));

    public static FieldTable RevokeCount { get; } = new(
        BigEndianHexadecimal("h_magic", 4), BigEndian("h_blocktype", 4), BigEndian("h_sequence", 4), BigEndian("r_count", 4));

    /// <summary>The end of a descriptor or revocation block, with checksums.</summary>
    public static FieldTable Tail { get; } = new(BigEndianHexadecimal("t_checksum", 4));
}
