using Diecast.Formats;
using Diecast.Images;

namespace Diecast.Inspect.Kinds;

/// <summary>
/// Programs, libraries and kernel modules: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html, of 32 and 64 bits
/// and of either byte order.
/// </summary>
internal static class Elf
{
    private const int MaximumSections = 65_535, MaximumNames = 16 << 20, MaximumNote = 1 << 20;
    private const uint NoBits = 8, Note = 7;

    public static ContainerKind Kind { get; } = new("elf", static (blob, _) => blob.Length >= 52 && KindReader.HasAt(blob, 0, [0x7f, .. "ELF"u8]), Read);

    private static Container Read(Blob blob)
    {
        var file = new ElfFile(blob);
        var fields = new List<NamedField>(file.Header());
        var sections = Sections(file);
        fields.AddRange(Notes(file, sections));
        fields.AddRange(ProgramHeaders(file));
        return new Container { Kind = "elf", Fields = fields, Parts = Parts(file, sections) };
    }

    private static List<Section> Sections(ElfFile file)
    {
        var sections = new List<Section>();
        long count = file.SectionCount;
        if (count > MaximumSections)
        {
            throw new InvalidDataException($"elf: {count} sections; at most {MaximumSections} are read");
        }
        if (count == 0)
        {
            return sections;
        }
        for (int i = 0; i < count; i++)
        {
            sections.Add(file.Section(i));
        }
        long names = file.NamesSection;
        if (names >= count)
        {
            throw new InvalidDataException($"elf: the section of names is {names} of {count}");
        }
        byte[] table = sections[(int)names].Type == NoBits ? [] : file.Content(sections[(int)names]).ReadAtMost(MaximumNames, "the section of names");
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < sections.Count; i++)
        {
            string name = table.Length == 0 ? "" : KindReader.CString(table, sections[i].NameOffset, $"elf: section {i}");
            sections[i] = sections[i] with { Name = KindReader.Unique(name.Length == 0 ? "(unnamed)" : name, seen) };
        }
        return sections;
    }

    private static List<Part> Parts(ElfFile file, List<Section> sections)
    {
        var parts = new List<Part>();
        foreach (var section in sections.Skip(1))
        {
            var content = section.Type == NoBits ? Blob.Empty : file.Content(section);
            parts.Add(new Part(section.Name, section.Name == ".comment" ? Text(content) : content) { Fields = section.Fields() });
        }
        return parts;
    }

    /// <summary>Texts that end with NUL as lines.</summary>
    private static MemoryBlob Text(Blob content)
    {
        byte[] bytes = content.ReadAtMost(MaximumNote, ".comment");
        bytes.AsSpan().Replace((byte)0, (byte)'\n');
        return new MemoryBlob(bytes);
    }

    private static IEnumerable<NamedField> Notes(ElfFile file, List<Section> sections)
    {
        foreach (var section in sections.Where(static section => section.Type == Note && section.Name.StartsWith(".note.gnu.build-id", StringComparison.Ordinal)))
        {
            byte[] note = file.Content(section).ReadAtMost(MaximumNote, section.Name);
            if (note.Length >= 16 && note.AsSpan(12, 4).SequenceEqual("GNU\0"u8))
            {
                int length = (int)Math.Min(file.ReadUInt32(note.AsSpan(4)), note.Length - 16);
                yield return new NamedField("build-id", Convert.ToHexStringLower(note, 16, length));
            }
        }
    }

    private static IEnumerable<NamedField> ProgramHeaders(ElfFile file)
    {
        for (int i = 0; i < file.ProgramHeaderCount; i++)
        {
            yield return file.ProgramHeader(i);
        }
    }

    internal sealed record Section(uint NameOffset, uint Type, ulong Flags, ulong Address, ulong Offset, ulong Size, uint Link, uint Info, ulong Alignment, ulong EntrySize)
    {
        public string Name { get; init; } = "";

        public List<NamedField> Fields() =>
        [
            KindReader.Hex("sh_type", Type),
            KindReader.Hex("sh_flags", Flags),
            KindReader.Hex("sh_addr", Address),
            KindReader.Hex("sh_offset", Offset),
            KindReader.Field("sh_size", Size),
            KindReader.Field("sh_link", Link),
            KindReader.Field("sh_info", Info),
            KindReader.Field("sh_addralign", Alignment),
            KindReader.Field("sh_entsize", EntrySize),
        ];
    }

    private static byte[] ReadAtMost(this Blob blob, int maximum, string what) => blob.Length <= maximum
        ? blob.ReadBytes(0, (int)blob.Length)
        : throw new InvalidDataException($"elf: {what} has {blob.Length} bytes; at most {maximum} are read");
}
