using System.Globalization;
using System.Numerics;
using Diecast.Binary;
using Diecast.Trees;

namespace Diecast.Formats.Ext4;

/// <summary>The superblock's fields under the names of https://docs.kernel.org/filesystems/ext4/globals.html#super-block.</summary>
internal sealed partial class Reader
{
    private static List<NamedField> Fields(Volume volume)
    {
        var s = volume.Superblock;
        var fields = new List<NamedField>();
        Add("s_inodes_count", s.InodesCount);
        fields.Add(new NamedField("s_blocks_count", Number(volume.Blocks)));
        fields.Add(new NamedField("s_r_blocks_count", Number(s.ReservedBlocksCountLow | (long)s.ReservedBlocksCountHigh.Value << 32)));
        fields.Add(new NamedField("s_free_blocks_count", Number(s.FreeBlocksCountLow | (long)s.FreeBlocksCountHigh.Value << 32)));
        Add("s_free_inodes_count", s.FreeInodesCount);
        Add("s_first_data_block", s.FirstDataBlock);
        fields.Add(new NamedField("s_block_size", Number(volume.BlockSize)));
        Add("s_blocks_per_group", s.BlocksPerGroup);
        Add("s_clusters_per_group", s.ClustersPerGroup);
        Add("s_inodes_per_group", s.InodesPerGroup);
        fields.Add(new NamedField("s_mtime", Time(s.MountTime, s.MountTimeHigh)));
        fields.Add(new NamedField("s_wtime", Time(s.WriteTime, s.WriteTimeHigh)));
        Add("s_mnt_count", s.MountCount);
        Add("s_max_mnt_count", s.MaximumMountCount);
        Add("s_state", s.State);
        Add("s_errors", s.Errors);
        Add("s_minor_rev_level", s.MinorRevision);
        fields.Add(new NamedField("s_lastcheck", Time(s.LastCheck, s.LastCheckHigh)));
        Add("s_checkinterval", s.CheckInterval);
        Add("s_creator_os", s.CreatorOs);
        Add("s_rev_level", s.Revision);
        Add("s_def_resuid", s.ReservedUid);
        Add("s_def_resgid", s.ReservedGid);
        Add("s_first_ino", s.FirstInode);
        fields.Add(new NamedField("s_inode_size", Number(volume.InodeSize)));
        fields.Add(new NamedField("s_feature_compat", FeatureNames.Of((CompatibleFeatures)s.Compatible.Value)));
        fields.Add(new NamedField("s_feature_incompat", FeatureNames.Of((IncompatibleFeatures)s.Incompatible.Value)));
        fields.Add(new NamedField("s_feature_ro_compat", FeatureNames.Of((ReadOnlyCompatibleFeatures)s.ReadOnlyCompatible.Value)));
        // Not a field of its own: whether what is read lacks what the journal still holds.
        fields.Add(new NamedField("needs_recovery", volume.Has(IncompatibleFeatures.Recover) ? "yes" : "no"));
        fields.Add(new NamedField("s_uuid", Uuid(s.Uuid)));
        fields.Add(new NamedField("s_volume_name", Text(s.VolumeName)));
        fields.Add(new NamedField("s_last_mounted", Text(s.LastMounted)));
        Add("s_reserved_gdt_blocks", s.ReservedDescriptorBlocks);
        fields.Add(new NamedField("s_journal_uuid", Uuid(s.JournalUuid)));
        Add("s_journal_inum", s.JournalInode);
        Add("s_journal_dev", s.JournalDevice);
        Add("s_last_orphan", s.LastOrphan);
        fields.Add(new NamedField("s_hash_seed", Uuid(s.HashSeed)));
        fields.Add(new NamedField("s_def_hash_version", Number(s.DefaultHashVersion)));
        fields.Add(new NamedField("s_jnl_backup_type", Number(s.JournalBackupType)));
        Add("s_desc_size", s.DescriptorSize);
        fields.Add(new NamedField("s_default_mount_opts", Hexadecimal(s.DefaultMountOptions)));
        Add("s_first_meta_bg", s.FirstMetaBlockGroup);
        fields.Add(new NamedField("s_mkfs_time", Time(s.MakeTime, s.MakeTimeHigh)));
        fields.Add(new NamedField("s_jnl_blocks", Convert.ToHexStringLower(OnDisk.Bytes(s.JournalBlocks))));
        fields.Add(new NamedField("s_jnl_size", Number(s.JournalSizeLow | (long)s.JournalSizeHigh.Value << 32)));
        Add("s_min_extra_isize", s.MinimumExtraInodeSize);
        Add("s_want_extra_isize", s.WantedExtraInodeSize);
        fields.Add(new NamedField("s_flags", Hexadecimal(s.Flags)));
        Add("s_raid_stride", s.RaidStride);
        Add("s_mmp_interval", s.MmpInterval);
        Add("s_mmp_block", s.MmpBlock);
        Add("s_raid_stripe_width", s.RaidStripeWidth);
        fields.Add(new NamedField("s_log_groups_per_flex", Number(s.LogGroupsPerFlex)));
        fields.Add(new NamedField("s_checksum_type", Number(s.ChecksumType)));
        Add("s_kbytes_written", s.KibibytesWritten);
        Add("s_error_count", s.ErrorCount);
        fields.Add(new NamedField("s_mount_opts", Text(s.MountOptions)));
        Add("s_usr_quota_inum", s.UserQuotaInode);
        Add("s_grp_quota_inum", s.GroupQuotaInode);
        Add("s_overhead_clusters", s.OverheadClusters);
        Add("s_lpf_ino", s.LostAndFoundInode);
        Add("s_prj_quota_inum", s.ProjectQuotaInode);
        fields.Add(new NamedField("s_checksum_seed", Hexadecimal(s.ChecksumSeed)));
        Add("s_encoding", s.Encoding);
        Add("s_encoding_flags", s.EncodingFlags);
        Add("s_orphan_file_inum", s.OrphanFileInode);
        fields.Add(new NamedField("s_checksum", Hexadecimal(s.Checksum)));
        return fields;

        void Add<T>(string name, Le<T> value) where T : unmanaged, IBinaryInteger<T> =>
            fields.Add(new NamedField(name, value.Value.ToString(null, CultureInfo.InvariantCulture)));
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Hexadecimal(uint value) => $"0x{value:x8}";

    private static string Time(uint low, byte high) => Number(low | (long)high << 32);

    private static string Uuid(ReadOnlySpan<byte> bytes) => new Guid(bytes, bigEndian: true).ToString();

    private static string Text(ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOf((byte)0);
        return FileName.Display(end < 0 ? bytes : bytes[..end]);
    }
}
