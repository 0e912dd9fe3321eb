using System.Security.Cryptography;

namespace Diecast.Formats.Btrfs;

/// <summary>
/// The ids inside a file system, derived from its own: HMAC-SHA256 with the id (as the bytes that its text shows) as the
/// key, the first 16 bytes made a version 4 UUID.
/// </summary>
internal sealed class DerivedIds(Guid fileSystem)
{
    public Guid FileSystem => fileSystem;

    public Guid Device => Derive("btrfs-device-uuid"u8);

    public Guid ChunkTree => Derive("btrfs-chunk-tree-uuid"u8);

    /// <summary>The subvolume at a path such as "/home"; the top level's is "/".</summary>
    public Guid Subvolume(ReadOnlySpan<byte> path) => Derive([.. "btrfs-subvolume-uuid"u8, .. path]);

    private Guid Derive(ReadOnlySpan<byte> what)
    {
        byte[] mac = HMACSHA256.HashData(fileSystem.ToByteArray(bigEndian: true), what);
        mac[6] = (byte)((mac[6] & 0x0F) | 0x40);
        mac[8] = (byte)((mac[8] & 0x3F) | 0x80);
        return new Guid(mac.AsSpan(0, 16), bigEndian: true);
    }
}
