using System.Globalization;
using Diecast.Binary;

namespace Diecast.Formats.Ext4;

/// <summary>The superblock's fields, as <see cref="FieldTables.Superblock"/> names and shows them.</summary>
internal sealed partial class Reader
{
    private static List<NamedField> Fields(Volume volume)
    {
        var fields = new List<NamedField>();
        foreach (var field in FieldTables.Superblock.Fields(OnDisk.Bytes(volume.Superblock)))
        {
            switch (field.Name)
            {
                case "s_reserved_pad" or "s_reserved":
                    break;
                case "s_log_block_size":
                    // In the form that people know it by.
                    fields.Add(new NamedField("s_block_size", volume.BlockSize.ToString(CultureInfo.InvariantCulture)));
                    break;
                case "s_feature_ro_compat":
                    fields.Add(field);
                    // Not a field of its own: whether what is read lacks what the journal still holds.
                    fields.Add(new NamedField("needs_recovery", volume.Has(IncompatibleFeatures.Recover) ? "yes" : "no"));
                    break;
                default:
                    fields.Add(field);
                    break;
            }
        }
        return fields;
    }
}
