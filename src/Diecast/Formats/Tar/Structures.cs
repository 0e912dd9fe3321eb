using System.Buffers.Binary;

namespace Diecast.Formats.Tar;

/// <summary>
/// The 512-byte header. POSIX.1-2017, pax, "ustar Interchange Format"; the GNU fields of
/// https://www.gnu.org/software/tar/manual/html_node/Standard.html.
/// </summary>
internal static class TarHeader
{
    public const int BlockSize = 512;

    /// <summary>Archives are padded to a multiple of 20 blocks.</summary>
    public const int RecordSize = 20 * BlockSize;

    public static Range Name => ..100;
    public static Range Mode => 100..108;
    public static Range Uid => 108..116;
    public static Range Gid => 116..124;
    public static Range Size => 124..136;
    public static Range Mtime => 136..148;
    public static Range Checksum => 148..156;
    public const int TypeFlag = 156;
    public static Range LinkName => 157..257;
    public static Range Magic => 257..263;
    public static Range Version => 263..265;
    public static Range UserName => 265..297;
    public static Range GroupName => 297..329;
    public static Range DeviceMajor => 329..337;
    public static Range DeviceMinor => 337..345;
    public static Range Prefix => 345..500;

    /// <summary>GNU's own format (not pax): up to four segments of a sparse file, 24 bytes each.</summary>
    public static Range GnuSparse => 386..482;
    public const int GnuSparseIsExtended = 482;
    public static Range GnuRealSize => 483..495;

    /// <summary>A block that follows a GNU sparse header: 21 more segments.</summary>
    public static Range GnuExtensionSparse => ..504;
    public const int GnuExtensionIsExtended = 504;

    public static ReadOnlySpan<byte> UstarMagic => "ustar\0"u8;

    /// <summary>The sum of all bytes, those of the checksum field taken as blanks.</summary>
    public static int Sum(ReadOnlySpan<byte> block)
    {
        int sum = 8 * ' ';
        foreach (byte value in block[..148])
        {
            sum += value;
        }
        foreach (byte value in block[156..])
        {
            sum += value;
        }
        return sum;
    }

    /// <summary>The same with the bytes taken as signed, as some historical archivers had it.</summary>
    public static int SignedSum(ReadOnlySpan<byte> block)
    {
        int sum = 8 * ' ';
        foreach (byte value in block[..148])
        {
            sum += (sbyte)value;
        }
        foreach (byte value in block[156..])
        {
            sum += (sbyte)value;
        }
        return sum;
    }
}

/// <summary>The values of the type flag.</summary>
internal static class TypeFlag
{
    public const byte File = (byte)'0', OldFile = 0, HardLink = (byte)'1', Symlink = (byte)'2',
        CharacterDevice = (byte)'3', BlockDevice = (byte)'4', Directory = (byte)'5', Fifo = (byte)'6',
        Contiguous = (byte)'7', PaxLocal = (byte)'x', PaxGlobal = (byte)'g', SolarisPax = (byte)'X',
        GnuLongName = (byte)'L', GnuLongLink = (byte)'K', GnuSparse = (byte)'S', GnuDumpDirectory = (byte)'D',
        GnuVolume = (byte)'V';
}

/// <summary>The numbers of a header: octal digits, or GNU's base-256 where the first bit is set.</summary>
internal static class TarNumber
{
    /// <summary>The number in a field, or null where there is none that fits.</summary>
    public static long? Parse(ReadOnlySpan<byte> field) => (field[0] & 0x80) != 0 ? ParseBinary(field) : ParseOctal(field);

    /// <summary>Whether the value fits the field as octal digits and a terminator.</summary>
    public static bool FitsOctal(long value, int fieldLength) => value >= 0 && value < 1L << (3 * (fieldLength - 1));

    /// <summary>Octal digits to the end of the field but for a terminating NUL.</summary>
    public static void FormatOctal(Span<byte> field, long value)
    {
        field[^1] = 0;
        for (int i = field.Length - 2; i >= 0; i--)
        {
            field[i] = (byte)('0' + (value & 7));
            value >>= 3;
        }
    }

    private static long? ParseOctal(ReadOnlySpan<byte> field)
    {
        field = field.TrimStart((byte)' ');
        long value = 0;
        foreach (byte digit in field)
        {
            if (digit is 0 or (byte)' ')
            {
                break;
            }
            if (digit is < (byte)'0' or > (byte)'7' || value >> 60 != 0)
            {
                return null;
            }
            value = (value << 3) | (uint)(digit - '0');
        }
        return value;
    }

    /// <summary>Two's complement, big-endian; the first bit only marks the form.</summary>
    private static long? ParseBinary(ReadOnlySpan<byte> field)
    {
        bool negative = (field[0] & 0x40) != 0;
        Span<byte> extended = stackalloc byte[16];
        extended.Fill(negative ? (byte)0xff : (byte)0);
        field.CopyTo(extended[^field.Length..]);
        extended[^field.Length] = negative ? field[0] : (byte)(field[0] & 0x7f);
        var value = BinaryPrimitives.ReadInt128BigEndian(extended);
        return value >= long.MinValue && value <= long.MaxValue ? (long)value : null;
    }
}
