using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Diecast.Formats.Cpio;

/// <summary>
/// The header of the "new ASCII" format (newc): a magic and thirteen numbers of eight hexadecimal digits.
/// https://docs.kernel.org/driver-api/early-userspace/buffer-format.html
/// </summary>
internal readonly record struct CpioHeader(
    uint Inode, uint Mode, uint Uid, uint Gid, uint Links, uint Mtime, uint FileSize, uint DeviceMajor, uint DeviceMinor,
    uint RdevMajor, uint RdevMinor, uint NameSize, uint Check)
{
    public const int Size = 110;

    /// <summary>Names and contents are padded so that what follows starts at a multiple of this.</summary>
    public const int Alignment = 4;

    /// <summary>Archives are padded to a multiple of this, as other archivers have it.</summary>
    public const int BlockSize = 512;

    public static ReadOnlySpan<byte> Magic => "070701"u8;

    /// <summary>The same with a checksum of the content, which readers ignore.</summary>
    public static ReadOnlySpan<byte> ChecksumMagic => "070702"u8;

    /// <summary>The name of the member that ends an archive.</summary>
    public static ReadOnlySpan<byte> Trailer => "TRAILER!!!"u8;

    public byte[] ToBytes()
    {
        var text = new StringBuilder("070701", Size);
        foreach (uint field in (ReadOnlySpan<uint>)[Inode, Mode, Uid, Gid, Links, Mtime, FileSize, DeviceMajor, DeviceMinor, RdevMajor, RdevMinor, NameSize, Check])
        {
            text.Append(field.ToString("x8", CultureInfo.InvariantCulture));
        }
        return Encoding.ASCII.GetBytes(text.ToString());
    }

    /// <summary>Parses the header that stands at an offset of the archive.</summary>
    /// <exception cref="InvalidDataException">It is no header of this format.</exception>
    public static CpioHeader Parse(ReadOnlySpan<byte> bytes, long offset)
    {
        if (!bytes.StartsWith(Magic) && !bytes.StartsWith(ChecksumMagic))
        {
            throw new InvalidDataException($"cpio: no newc header at {offset}");
        }
        Span<uint> fields = stackalloc uint[13];
        for (int i = 0; i < fields.Length; i++)
        {
            if (!Utf8Parser.TryParse(bytes.Slice(6 + 8 * i, 8), out fields[i], out int used, 'x') || used != 8)
            {
                throw new InvalidDataException($"cpio: the header at {offset} has a malformed number at its byte {6 + 8 * i}");
            }
        }
        return new CpioHeader(fields[0], fields[1], fields[2], fields[3], fields[4], fields[5], fields[6], fields[7], fields[8],
            fields[9], fields[10], fields[11], fields[12]);
    }
}
