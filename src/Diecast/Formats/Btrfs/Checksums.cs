using System.Buffers.Binary;
using System.IO.Hashing;
using System.Security.Cryptography;
using Diecast.Binary;
using Org.BouncyCastle.Crypto.Digests;

namespace Diecast.Formats.Btrfs;

/// <summary>BTRFS_CSUM_TYPE_*: one for all of a file system, metadata and data.</summary>
internal enum ChecksumType : ushort
{
    Crc32C = 0,
    XxHash64 = 1,
    Sha256 = 2,
    Blake2b = 3,
}

internal static class Checksums
{
    /// <summary>The length in bytes; 0 of a type that there is not.</summary>
    public static int Size(ChecksumType type) => type switch
    {
        ChecksumType.Crc32C => 4,
        ChecksumType.XxHash64 => 8,
        ChecksumType.Sha256 or ChecksumType.Blake2b => 32,
        _ => 0,
    };

    /// <summary>"crc32c", as btrfs(5) calls it.</summary>
    public static string Name(ChecksumType type) => type switch
    {
        ChecksumType.Crc32C => "crc32c",
        ChecksumType.XxHash64 => "xxhash64",
        ChecksumType.Sha256 => "sha256",
        ChecksumType.Blake2b => "blake2",
        _ => "unknown",
    };

    /// <summary>The checksum of the data, zeros behind it.</summary>
    public static ChecksumBytes Compute(ChecksumType type, ReadOnlySpan<byte> data)
    {
        var checksum = new ChecksumBytes();
        switch (type)
        {
            case ChecksumType.Crc32C:
                BinaryPrimitives.WriteUInt32LittleEndian(checksum, Crc32C.Compute(data));
                break;
            case ChecksumType.XxHash64:
                BinaryPrimitives.WriteUInt64LittleEndian(checksum, XxHash64.HashToUInt64(data));
                break;
            case ChecksumType.Sha256:
                SHA256.HashData(data, checksum);
                break;
            case ChecksumType.Blake2b:
                var digest = new Blake2bDigest(ChecksumBytes.Size * 8);
                digest.BlockUpdate(data);
                digest.DoFinal(checksum);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type));
        }
        return checksum;
    }

    /// <summary>Whether a block that starts with its checksum has the right one.</summary>
    public static bool IsRight(ChecksumType type, ReadOnlySpan<byte> block)
    {
        var computed = Compute(type, block[ChecksumBytes.Size..]);
        int size = Size(type);
        return block[..size].SequenceEqual(computed[..size]);
    }
}
