namespace Diecast.Formats.Ext4;

/// <summary>Features under the names of ext4(5).</summary>
internal static class FeatureNames
{
    private static readonly string[] s_compatible =
    [
        "dir_prealloc", "imagic_inodes", "has_journal", "ext_attr", "resize_inode", "dir_index", "lazy_bg", "exclude_inode",
        "exclude_bitmap", "sparse_super2", "fast_commit", "stable_inodes", "orphan_file",
    ];

    private static readonly string[] s_incompatible =
    [
        "compression", "filetype", "needs_recovery", "journal_dev", "meta_bg", "", "extent", "64bit", "mmp", "flex_bg",
        "ea_inode", "", "dirdata", "metadata_csum_seed", "large_dir", "inline_data", "encrypt", "casefold",
    ];

    private static readonly string[] s_readOnlyCompatible =
    [
        "sparse_super", "large_file", "btree_dir", "huge_file", "uninit_bg", "dir_nlink", "extra_isize", "has_snapshot",
        "quota", "bigalloc", "metadata_csum", "replica", "read-only", "project", "shared_blocks", "verity", "orphan_present",
    ];

    public static string Of(CompatibleFeatures features) => Of((uint)features, s_compatible, "compat");

    public static string Of(IncompatibleFeatures features) => Of((uint)features, s_incompatible, "incompat");

    public static string Of(ReadOnlyCompatibleFeatures features) => Of((uint)features, s_readOnlyCompatible, "ro_compat");

    private static string Of(uint bits, string[] names, string kind)
    {
        var set = new List<string>();
        for (int i = 0; i < 32; i++)
        {
            if ((bits >> i & 1) != 0)
            {
                set.Add(i < names.Length && names[i].Length > 0 ? names[i] : $"{kind}_bit_{i}");
            }
        }
        return string.Join(' ', set);
    }
}
