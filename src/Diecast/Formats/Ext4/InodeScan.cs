using Diecast.Binary;

namespace Diecast.Formats.Ext4;

/// <summary>Goes through the inode tables rather than the tree: each inode once, whatever the directories say.</summary>
internal static class InodeScan
{
    /// <summary>The bits of a group's inodes that are in use; null where the group has none yet.</summary>
    public static byte[]? Bitmap(Volume volume, int group)
    {
        var descriptor = volume.Descriptor(group);
        return (Flags(volume, descriptor) & GroupDescriptor.InodeUninitialized) != 0
            ? null : volume.ReadBlock(descriptor.InodeBitmap, $"ext4 group {group} inode bitmap");
    }

    /// <summary>Without checksums of the groups the flags mean nothing.</summary>
    public static int Flags(Volume volume, in GroupDescriptor descriptor) =>
        HasFlags(volume) ? descriptor.Flags : 0;

    public static bool HasFlags(Volume volume) =>
        volume.Has(ReadOnlyCompatibleFeatures.MetadataChecksums | ReadOnlyCompatibleFeatures.GroupChecksums);

    /// <summary>The inodes in use of a group.</summary>
    /// <exception cref="InvalidDataException">The bitmap or table is not within the file system.</exception>
    public static IEnumerable<StoredInode> Used(Volume volume, int group)
    {
        if (Bitmap(volume, group) is not { } bitmap)
        {
            yield break;
        }
        uint perGroup = volume.Superblock.InodesPerGroup;
        long table = volume.Descriptor(group).InodeTable;
        int perBlock = volume.BlockSize / volume.InodeSize;
        volume.RequireBlocks(table, ((long)perGroup).DivideUp(perBlock), $"ext4 group {group} inode table");
        byte[]? block = null;
        for (uint index = 0; index < perGroup; index++)
        {
            int inBlock = (int)(index % perBlock);
            if (inBlock == 0)
            {
                block = null;
            }
            if ((bitmap[index / 8] >> (int)(index % 8) & 1) == 0)
            {
                continue;
            }
            long place = table + index / perBlock;
            block ??= volume.ReadBlock(place, $"ext4 group {group} inode table");
            uint number = (uint)group * perGroup + index + 1;
            byte[] bytes = block.AsSpan(inBlock * volume.InodeSize, volume.InodeSize).ToArray();
            if (TryParse(volume, number, bytes, place * volume.BlockSize + inBlock * volume.InodeSize) is { } inode)
            {
                yield return inode;
            }
        }
    }

    private static StoredInode? TryParse(Volume volume, uint number, byte[] bytes, long offset)
    {
        try
        {
            return volume.Parse(number, bytes, offset);
        }
        catch (InvalidDataException)
        {
            // A damaged inode owns nothing.
            return null;
        }
    }
}
