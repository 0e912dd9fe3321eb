using System.Buffers.Binary;
using System.Globalization;
using Diecast.Binary;
using Diecast.Trees;

namespace Diecast.Formats.Btrfs;

/// <summary>The values of fields, for people.</summary>
internal static class FieldText
{
    /// <summary>How many bytes of what is only bytes are shown.</summary>
    private const int ShownBytes = 32;

    /// <param name="field">Within the bytes.</param>
    /// <param name="structure">The bytes of the structure.</param>
    /// <param name="checksumSize">How many bytes of a checksum's field are the checksum.</param>
    public static string Value(Field field, ReadOnlySpan<byte> structure, int checksumSize)
    {
        var bytes = structure.Slice(field.Offset, field.Length);
        return field.Format switch
        {
            FieldFormat.Hexadecimal => $"0x{Integer(bytes):x}",
            FieldFormat.Octal => Convert.ToString((long)Integer(bytes), 8),
            FieldFormat.Bytes => Hexadecimal(bytes),
            FieldFormat.Text => FileName.Display(bytes.TrimEnd((byte)0)),
            FieldFormat.Uuid => new Guid(bytes, bigEndian: true).ToString(),
            FieldFormat.Time => Time(OnDisk.Read<TimeSpec>(bytes)),
            FieldFormat.Checksum => Hexadecimal(bytes[..checksumSize]),
            FieldFormat.ObjectId => ObjectId.Name(Integer(bytes)),
            FieldFormat.ItemType => Key.TypeName((ItemType)bytes[0]),
            FieldFormat.ChunkType => ChunkTypes.Name((ChunkType)Integer(bytes)),
            _ => Integer(bytes).ToString(CultureInfo.InvariantCulture),
        };
    }

    private static string Time(TimeSpec time) => new Timestamp(time.Sec, time.Nsec).ToString();

    private static ulong Integer(ReadOnlySpan<byte> bytes) => bytes.Length switch
    {
        1 => bytes[0],
        2 => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
        4 => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        _ => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
    };

    private static string Hexadecimal(ReadOnlySpan<byte> bytes) =>
        bytes.Length <= ShownBytes ? Convert.ToHexStringLower(bytes)
            : $"{Convert.ToHexStringLower(bytes[..ShownBytes])}... ({bytes.Length} bytes)";
}
