using System.Globalization;
using System.Text;
using Diecast.Images;

namespace Diecast.Formats.Btrfs;

/// <summary>
/// Reads a btrfs on one device as a tree: that of the top-level subvolume, the others in their places in it. Directories
/// are read when they are asked for; the log of the last fsync(2) is not replayed, but <c>log_root</c> says whether it
/// would have to be.
/// </summary>
public static class BtrfsReader
{
    /// <summary>Whether the blob claims to be a btrfs, by its magic.</summary>
    public static bool Recognizes(Blob blob) => Volume.Recognizes(blob);

    /// <summary>Reads a file system of any origin.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or is on several devices.</exception>
    public static FileSystemView Read(Blob blob)
    {
        var volume = new Volume(blob);
        var index = new TreeIndex(volume);
        return new FileSystemView
        {
            Tree = new FileTreeReader(volume, index).Read(),
            Fields = Fields(volume),
            Layout = () => new LayoutBuilder(volume).Build(),
            FieldFinder = () => new FieldLocator(volume).Find,
            Check = () => new Checker(volume).Check(),
        };
    }

    /// <summary>The superblock's fields, but for what is reserved and for the copies of what the trees say.</summary>
    private static List<NamedField> Fields(Volume volume)
    {
        byte[] bytes = volume.SuperblockBytes;
        int checksumSize = Checksums.Size(volume.ChecksumType);
        var fields = new List<NamedField>();
        foreach (var field in ItemFields.Fixed(FieldTables.Superblock, bytes.Length))
        {
            string value = field.Name switch
            {
                "reserved" => "",
                "csum_type" => Checksums.Name(volume.ChecksumType),
                "compat_ro_flags" => FeatureNames.CompatRo(volume.Superblock.CompatRoFlags),
                "incompat_flags" => FeatureNames.Incompat(volume.Superblock.IncompatFlags),
                // The label ends at its first NUL.
                "label" => FieldText.Value(field with { Length = LabelLength(bytes.AsSpan(field.Offset, field.Length)) }, bytes, checksumSize),
                _ => FieldText.Value(field, bytes, checksumSize),
            };
            if (field.Name != "reserved")
            {
                fields.Add(new NamedField(field.Name, value));
            }
        }
        return fields;
    }

    private static int LabelLength(ReadOnlySpan<byte> label) => label.IndexOf((byte)0) is >= 0 and var end ? end : label.Length;
}

/// <summary>The features under the names that btrfs-inspect-internal(8) gives them.</summary>
internal static class FeatureNames
{
    private static readonly string[] s_compatRo = ["FREE_SPACE_TREE", "FREE_SPACE_TREE_VALID", "VERITY", "BLOCK_GROUP_TREE"];

    private static readonly string[] s_incompat =
    [
        "MIXED_BACKREF", "DEFAULT_SUBVOL", "MIXED_GROUPS", "COMPRESS_LZO", "COMPRESS_ZSTD", "BIG_METADATA", "EXTENDED_IREF",
        "RAID56", "SKINNY_METADATA", "NO_HOLES", "METADATA_UUID", "RAID1C34", "ZONED", "EXTENT_TREE_V2", "RAID_STRIPE_TREE",
        "", "SIMPLE_QUOTA",
    ];

    public static string CompatRo(ulong flags) => Names(flags, s_compatRo);

    public static string Incompat(ulong flags) => Names(flags, s_incompat);

    /// <summary>The names, apart by blanks; bits without one in hexadecimal.</summary>
    private static string Names(ulong flags, string[] names)
    {
        var text = new StringBuilder();
        for (int bit = 0; bit < names.Length; bit++)
        {
            if ((flags >> bit & 1) != 0 && names[bit].Length > 0)
            {
                text.Append(text.Length > 0 ? " " : "").Append(names[bit]);
                flags &= ~(1ul << bit);
            }
        }
        if (flags != 0)
        {
            text.Append(text.Length > 0 ? " " : "").Append(CultureInfo.InvariantCulture, $"0x{flags:x}");
        }
        return text.ToString();
    }
}
