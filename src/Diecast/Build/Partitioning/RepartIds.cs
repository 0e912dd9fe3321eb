using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Diecast.Build.Partitioning;

/// <summary>
/// All ids of a disk, derived from a seed as systemd-repart derives them: HMAC-SHA256, its first 16 bytes made a
/// version 4 UUID. GUIDs enter as the bytes that their text shows, not in the order that GPT stores.
/// </summary>
public sealed class RepartIds(Guid seed)
{
    public Guid Seed => seed;

    public Guid Disk => Derive(seed, "disk-uuid");

    /// <summary>The superblock of a verity hash partition.</summary>
    public Guid Verity => Derive(seed, "verity-uuid");

    /// <summary>32 bytes.</summary>
    public byte[] VeritySalt => Mac(seed, "verity-salt"u8);

    /// <summary>A partition that has that many others of its type before it.</summary>
    public Guid Partition(Guid type, long earlierOfType)
    {
        Span<byte> message = stackalloc byte[24];
        type.TryWriteBytes(message, bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(message[16..], earlierOfType);
        return Version4(Mac(seed, earlierOfType == 0 ? message[..16] : message));
    }

    /// <summary>The file system in a partition. FAT takes its serial number from the first four bytes.</summary>
    public static Guid FileSystem(Guid partition) => Derive(partition, "file-system-uuid");

    /// <summary>A file system that is in no partition, of whatever stands for one.</summary>
    public static Guid FileSystem(ReadOnlySpan<byte> key) => Version4(HMACSHA256.HashData(key, "file-system-uuid"u8));

    public static Guid Luks(Guid partition) => Derive(partition, "luks-uuid");

    private static Guid Derive(Guid key, string what) => Version4(Mac(key, Encoding.ASCII.GetBytes(what)));

    private static byte[] Mac(Guid key, ReadOnlySpan<byte> message) =>
        HMACSHA256.HashData(key.ToByteArray(bigEndian: true), message);

    /// <summary>A version 4 UUID of the first 16 bytes of a digest.</summary>
    internal static Guid Version4(byte[] mac)
    {
        mac[6] = (byte)((mac[6] & 0x0F) | 0x40);
        mac[8] = (byte)((mac[8] & 0x3F) | 0x80);
        return new Guid(mac.AsSpan(0, 16), bigEndian: true);
    }
}
