using System.Globalization;

namespace Diecast.Formats.Gpt;

/// <summary>The attributes of a partition under names for people; bits without a name as "bit-17".</summary>
public static class AttributeNames
{
    public static IEnumerable<string> Of(PartitionAttributes attributes)
    {
        for (int bit = 0; bit < 64; bit++)
        {
            if (((ulong)attributes >> bit & 1) != 0)
            {
                yield return (PartitionAttributes)(1ul << bit) switch
                {
                    PartitionAttributes.Required => "required",
                    PartitionAttributes.NoBlockIoProtocol => "no-block-io-protocol",
                    PartitionAttributes.LegacyBiosBootable => "legacy-bios-bootable",
                    PartitionAttributes.GrowFileSystem => "grow-file-system",
                    PartitionAttributes.ReadOnly => "read-only",
                    PartitionAttributes.NoAuto => "no-auto",
                    _ => string.Create(CultureInfo.InvariantCulture, $"bit-{bit}"),
                };
            }
        }
    }
}
