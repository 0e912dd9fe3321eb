using System.Buffers.Binary;

namespace Diecast.Formats.Ext4;

/// <summary>
/// Between the form of an ACL in the system calls (version 2, every entry with an id) and ext4's own (version 1, an
/// id only where the entry names somebody). acl(5); fs/ext4/acl.h of the kernel.
/// </summary>
internal static class PosixAcl
{
    private const uint CallVersion = 2, DiskVersion = 1;
    private const ushort NamedUser = 2, NamedGroup = 8;
    private const int HeaderSize = 4, CallEntry = 8, ShortEntry = 4;

    /// <summary>Null where the value is no ACL.</summary>
    public static byte[]? ToDisk(ReadOnlySpan<byte> call)
    {
        if (call.Length < HeaderSize || (call.Length - HeaderSize) % CallEntry != 0
            || BinaryPrimitives.ReadUInt32LittleEndian(call) != CallVersion)
        {
            return null;
        }
        var disk = new List<byte>(call.Length) { (byte)DiskVersion, 0, 0, 0 };
        for (var rest = call[HeaderSize..]; !rest.IsEmpty; rest = rest[CallEntry..])
        {
            ushort tag = BinaryPrimitives.ReadUInt16LittleEndian(rest);
            if (!IsTag(tag))
            {
                return null;
            }
            disk.AddRange(rest[..(HasId(tag) ? CallEntry : ShortEntry)]);
        }
        return [.. disk];
    }

    /// <summary>Null where the value is no ACL.</summary>
    public static byte[]? FromDisk(ReadOnlySpan<byte> disk)
    {
        if (disk.Length < HeaderSize || BinaryPrimitives.ReadUInt32LittleEndian(disk) != DiskVersion)
        {
            return null;
        }
        var call = new List<byte>(disk.Length * 2) { (byte)CallVersion, 0, 0, 0 };
        var rest = disk[HeaderSize..];
        while (!rest.IsEmpty)
        {
            if (rest.Length < ShortEntry || !IsTag(BinaryPrimitives.ReadUInt16LittleEndian(rest)))
            {
                return null;
            }
            bool named = HasId(BinaryPrimitives.ReadUInt16LittleEndian(rest));
            if (named && rest.Length < CallEntry)
            {
                return null;
            }
            call.AddRange(rest[..(named ? CallEntry : ShortEntry)]);
            if (!named)
            {
                call.AddRange([0xFF, 0xFF, 0xFF, 0xFF]);
            }
            rest = rest[(named ? CallEntry : ShortEntry)..];
        }
        return [.. call];
    }

    private static bool HasId(ushort tag) => tag is NamedUser or NamedGroup;

    private static bool IsTag(ushort tag) => tag is 1 or NamedUser or 4 or NamedGroup or 16 or 32;
}
