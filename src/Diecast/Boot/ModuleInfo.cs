using System.Buffers.Binary;
using System.Text;
using Diecast.Images;

namespace Diecast.Boot;

/// <summary>The .modinfo section of a module, an ELF file of 64 bits that may be compressed (gzip, xz, zstd).</summary>
internal static class ModuleInfo
{
    private const int MaximumModule = 256 << 20;

    /// <summary>The names of the firmware files that the module may ask for, relative to usr/lib/firmware.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static IReadOnlyList<string> FirmwareOf(Blob module)
    {
        const string key = "firmware=";
        return [.. Encoding.Latin1.GetString(Section(Load(module), ".modinfo"u8)).Split('\0')
            .Where(static field => field.StartsWith(key, StringComparison.Ordinal)).Select(static field => field[key.Length..])];
    }

    private static byte[] Load(Blob module)
    {
        using var stream = Decompressor.Open(new BlobStream(module), MaximumModule);
        var data = new MemoryStream();
        stream.CopyTo(data, 1 << 18);
        return data.ToArray();
    }

    /// <summary>The content of a section, empty where there is none. System V ABI, "Sections".</summary>
    private static ReadOnlySpan<byte> Section(ReadOnlySpan<byte> elf, ReadOnlySpan<byte> name)
    {
        const int fileHeaderSize = 64;
        const int sectionHeaderSize = 64;
        if (elf.Length < fileHeaderSize || !elf.StartsWith("\x7f"u8) || !elf[1..].StartsWith("ELF\x02\x01"u8))
        {
            throw new InvalidDataException("module: not a little-endian ELF file of 64 bits");
        }
        ulong table = BinaryPrimitives.ReadUInt64LittleEndian(elf[0x28..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(elf[0x3c..]);
        int names = BinaryPrimitives.ReadUInt16LittleEndian(elf[0x3e..]);
        var headers = Range(elf, table, (ulong)count * sectionHeaderSize);
        if (names >= count)
        {
            return [];
        }
        var nameTable = ContentOf(elf, headers[(names * sectionHeaderSize)..]);
        for (int i = 0; i < count; i++)
        {
            var header = headers[(i * sectionHeaderSize)..];
            uint nameOffset = BinaryPrimitives.ReadUInt32LittleEndian(header);
            if (nameOffset < nameTable.Length && nameTable[(int)nameOffset..].StartsWith(name) && nameTable[(int)nameOffset..][name.Length..].StartsWith((byte)0))
            {
                return ContentOf(elf, header);
            }
        }
        return [];
    }

    private static ReadOnlySpan<byte> ContentOf(ReadOnlySpan<byte> elf, ReadOnlySpan<byte> header) =>
        Range(elf, BinaryPrimitives.ReadUInt64LittleEndian(header[0x18..]), BinaryPrimitives.ReadUInt64LittleEndian(header[0x20..]));

    private static ReadOnlySpan<byte> Range(ReadOnlySpan<byte> elf, ulong offset, ulong length) =>
        offset <= (ulong)elf.Length && length <= (ulong)elf.Length - offset
            ? elf.Slice((int)offset, (int)length)
            : throw new InvalidDataException($"module: {length} bytes at {offset} are outside of the file");
}
