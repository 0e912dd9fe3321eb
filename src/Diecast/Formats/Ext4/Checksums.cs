using Diecast.Binary;

namespace Diecast.Formats.Ext4;

/// <summary>
/// The checksums of metadata_csum: CRC-32C, never inverted, started from the file system's id and, for what belongs to an
/// inode, from its number and generation. https://docs.kernel.org/filesystems/ext4/overview.html#checksums
/// </summary>
internal sealed class Checksums
{
    private readonly uint _seed;

    public Checksums(uint seed) => _seed = seed;

    public Checksums(ReadOnlySpan<byte> uuid) => _seed = Crc32C.Append(~0u, uuid);

    public static uint Superblock(in Superblock superblock) =>
        Crc32C.Append(~0u, OnDisk.Bytes(superblock).AsSpan(0, Ext4.Superblock.Size - sizeof(uint)));

    /// <summary>The start for all that belongs to an inode.</summary>
    public uint InodeSeed(uint inode, uint generation = 0) =>
        Crc32C.Append(Crc32C.Append(_seed, inode), generation);

    /// <summary>Of a block bitmap or inode bitmap: the bytes that stand for something.</summary>
    public uint Bitmap(ReadOnlySpan<byte> bitmap) => Crc32C.Append(_seed, bitmap);

    /// <summary>Of a descriptor whose checksum field is zero.</summary>
    public ushort Descriptor(int group, in GroupDescriptor descriptor, int size = GroupDescriptor.Size) =>
        (ushort)Crc32C.Append(Crc32C.Append(_seed, (uint)group), OnDisk.Bytes(descriptor).AsSpan(0, size));

    /// <summary>Of a whole inode whose checksum fields are zero.</summary>
    public uint Inode(uint number, uint generation, ReadOnlySpan<byte> inode) =>
        Crc32C.Append(InodeSeed(number, generation), inode);

    /// <summary>Of an attribute block whose checksum field is zero.</summary>
    public uint XattrBlock(long block, ReadOnlySpan<byte> bytes) =>
        Crc32C.Append(Crc32C.Append(Crc32C.Append(_seed, (uint)block), (uint)(block >> 32)), bytes);

    /// <summary>Of a directory block without its tail.</summary>
    public static uint DirectoryBlock(uint inodeSeed, ReadOnlySpan<byte> entries) => Crc32C.Append(inodeSeed, entries);

    /// <summary>Of an index block up to the last entry in use; then the tail with a checksum of zero.</summary>
    public static uint IndexBlock(uint inodeSeed, ReadOnlySpan<byte> used) =>
        Crc32C.Append(Crc32C.Append(inodeSeed, used), s_emptyTail);

    /// <summary>Of a block of an extent tree without its tail.</summary>
    public static uint ExtentBlock(uint inodeSeed, ReadOnlySpan<byte> entries) => Crc32C.Append(inodeSeed, entries);

    private static readonly byte[] s_emptyTail = new byte[IndexTail.Size];
}
