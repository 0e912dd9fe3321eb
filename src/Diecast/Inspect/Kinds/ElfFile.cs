using System.Buffers.Binary;
using System.Globalization;
using Diecast.Formats;
using Diecast.Images;

namespace Diecast.Inspect.Kinds;

/// <summary>The headers of an ELF file. Their fields are in the same order in both classes but for those of a program header.</summary>
internal sealed class ElfFile
{
    private readonly Blob _blob;
    private readonly bool _is64, _isBig;
    private readonly byte[] _header;

    /// <exception cref="InvalidDataException">The header is damaged.</exception>
    public ElfFile(Blob blob)
    {
        _blob = blob;
        byte[] ident = blob.ReadBytes(0, 16);
        _is64 = ident[4] switch
        {
            1 => false,
            2 => true,
            _ => throw new InvalidDataException($"elf: the class is {ident[4]}, neither 32 nor 64 bits"),
        };
        _isBig = ident[5] switch
        {
            1 => false,
            2 => true,
            _ => throw new InvalidDataException($"elf: the byte order is {ident[5]}, neither of the two"),
        };
        _header = blob.ReadBytes(0, _is64 ? 64 : 52);
        if (SectionCountField > 0 && SectionEntrySize != (_is64 ? 64 : 40))
        {
            throw new InvalidDataException($"elf: section headers have {SectionEntrySize} bytes");
        }
        if (ProgramHeaderCount > 0 && ProgramEntrySize != (_is64 ? 56 : 32))
        {
            throw new InvalidDataException($"elf: program headers have {ProgramEntrySize} bytes");
        }
    }

    /// <summary>A file with too many sections for the header's field has their number in the first one.</summary>
    public long SectionCount => SectionTable == 0 ? 0 : SectionCountField != 0 ? SectionCountField : checked((long)Math.Min(Section(0).Size, int.MaxValue));

    public long NamesSection => NamesSectionField == 0xffff ? Section(0).Link : NamesSectionField;

    public int ProgramHeaderCount => ReadUInt16(_header.AsSpan(_is64 ? 56 : 44));

    private ulong ProgramTable => Word(_header, _is64 ? 32 : 28);
    private ulong SectionTable => Word(_header, _is64 ? 40 : 32);
    private int ProgramEntrySize => ReadUInt16(_header.AsSpan(_is64 ? 54 : 42));
    private int SectionEntrySize => ReadUInt16(_header.AsSpan(_is64 ? 58 : 46));
    private int SectionCountField => ReadUInt16(_header.AsSpan(_is64 ? 60 : 48));
    private int NamesSectionField => ReadUInt16(_header.AsSpan(_is64 ? 62 : 50));

    public IEnumerable<NamedField> Header()
    {
        yield return new NamedField("EI_CLASS", _is64 ? "64 bits" : "32 bits");
        yield return new NamedField("EI_DATA", _isBig ? "big-endian" : "little-endian");
        yield return KindReader.Field("EI_OSABI", _header[7]);
        yield return KindReader.Field("e_type", ReadUInt16(_header.AsSpan(16)));
        yield return KindReader.Field("e_machine", ReadUInt16(_header.AsSpan(18)));
        yield return KindReader.Field("e_version", ReadUInt32(_header.AsSpan(20)));
        yield return KindReader.Hex("e_entry", Word(_header, 24));
        yield return KindReader.Hex("e_phoff", ProgramTable);
        yield return KindReader.Hex("e_shoff", SectionTable);
        yield return KindReader.Hex("e_flags", ReadUInt32(_header.AsSpan(_is64 ? 48 : 36)));
        yield return KindReader.Field("e_phnum", ProgramHeaderCount);
        yield return KindReader.Field("e_shnum", SectionCountField);
        yield return KindReader.Field("e_shstrndx", NamesSectionField);
    }

    public Elf.Section Section(int number)
    {
        byte[] entry = _blob.ReadBytes(Place(SectionTable, number, SectionEntrySize), _is64 ? 64 : 40);
        int step = _is64 ? 8 : 4;
        uint info = ReadUInt32(entry.AsSpan(12 + 4 * step));
        return new Elf.Section(
            ReadUInt32(entry), ReadUInt32(entry.AsSpan(4)), Word(entry, 8), Word(entry, 8 + step), Word(entry, 8 + 2 * step), Word(entry, 8 + 3 * step),
            ReadUInt32(entry.AsSpan(8 + 4 * step)), info, Word(entry, 16 + 4 * step), Word(entry, 16 + 5 * step));
    }

    /// <exception cref="InvalidDataException">It is not within the file.</exception>
    public Blob Content(Elf.Section section) => section.Offset > long.MaxValue || section.Size > long.MaxValue
        ? throw new InvalidDataException($"elf: a section at {section.Offset} with {section.Size} bytes leaves the file")
        : _blob.Slice((long)section.Offset, (long)section.Size);

    /// <summary>"PT_LOAD[2]" and its values.</summary>
    public NamedField ProgramHeader(int number)
    {
        byte[] entry = _blob.ReadBytes(Place(ProgramTable, number, ProgramEntrySize), _is64 ? 56 : 32);
        uint type = ReadUInt32(entry);
        uint flags = ReadUInt32(entry.AsSpan(_is64 ? 4 : 24));
        int step = _is64 ? 8 : 4;
        int start = _is64 ? 8 : 4;
        int alignment = _is64 ? 48 : 28;
        return new NamedField(
            string.Create(CultureInfo.InvariantCulture, $"{TypeName(type)}[{number}]"),
            string.Create(CultureInfo.InvariantCulture,
                $"p_flags {FlagNames(flags)} p_offset 0x{Word(entry, start):x} p_vaddr 0x{Word(entry, start + step):x} p_paddr 0x{Word(entry, start + 2 * step):x} p_filesz {Word(entry, start + 3 * step)} p_memsz {Word(entry, start + 4 * step)} p_align 0x{Word(entry, alignment):x}"));
    }

    public uint ReadUInt32(ReadOnlySpan<byte> bytes) => _isBig ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private ushort ReadUInt16(ReadOnlySpan<byte> bytes) => _isBig ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    /// <summary>An address or a size: of as many bits as the class.</summary>
    private ulong Word(ReadOnlySpan<byte> bytes, int offset) => !_is64
        ? ReadUInt32(bytes[offset..])
        : _isBig ? BinaryPrimitives.ReadUInt64BigEndian(bytes[offset..]) : BinaryPrimitives.ReadUInt64LittleEndian(bytes[offset..]);

    private long Place(ulong table, int number, int size) => table <= (ulong)_blob.Length
        ? (long)table + (long)number * size
        : throw new InvalidDataException($"elf: a table at {table} is outside of the file's {_blob.Length} bytes");

    private static string TypeName(uint type) => type switch
    {
        0 => "PT_NULL",
        1 => "PT_LOAD",
        2 => "PT_DYNAMIC",
        3 => "PT_INTERP",
        4 => "PT_NOTE",
        6 => "PT_PHDR",
        7 => "PT_TLS",
        0x6474e550 => "PT_GNU_EH_FRAME",
        0x6474e551 => "PT_GNU_STACK",
        0x6474e552 => "PT_GNU_RELRO",
        0x6474e553 => "PT_GNU_PROPERTY",
        _ => string.Create(CultureInfo.InvariantCulture, $"0x{type:x}"),
    };

    private static string FlagNames(uint flags) => string.Create(CultureInfo.InvariantCulture,
        $"{((flags & 4) != 0 ? "R" : "")}{((flags & 2) != 0 ? "W" : "")}{((flags & 1) != 0 ? "E" : "")}{(flags & ~7u) switch { 0 => "", var rest => $"+0x{rest:x}" }}");
}
