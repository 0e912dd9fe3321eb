using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Uki;

/// <content>What every byte of the file is, under the names of the specification.</content>
public sealed partial class PeImage
{
    private enum Form
    {
        Decimal,
        Hexadecimal,
        Text,
    }

    private readonly record struct FieldShape(string Name, int Size, Form Form = Form.Decimal);

    private static readonly FieldShape[] s_coff =
    [
        new("Signature", 4, Form.Hexadecimal), new("Machine", 2, Form.Hexadecimal), new("NumberOfSections", 2), new("TimeDateStamp", 4),
        new("PointerToSymbolTable", 4), new("NumberOfSymbols", 4), new("SizeOfOptionalHeader", 2),
        new("Characteristics", 2, Form.Hexadecimal),
    ];

    private static readonly FieldShape[] s_optional =
    [
        new("Magic", 2, Form.Hexadecimal), new("MajorLinkerVersion", 1), new("MinorLinkerVersion", 1), new("SizeOfCode", 4),
        new("SizeOfInitializedData", 4), new("SizeOfUninitializedData", 4), new("AddressOfEntryPoint", 4, Form.Hexadecimal),
        new("BaseOfCode", 4, Form.Hexadecimal), new("ImageBase", 8, Form.Hexadecimal), new("SectionAlignment", 4),
        new("FileAlignment", 4), new("MajorOperatingSystemVersion", 2), new("MinorOperatingSystemVersion", 2),
        new("MajorImageVersion", 2), new("MinorImageVersion", 2), new("MajorSubsystemVersion", 2), new("MinorSubsystemVersion", 2),
        new("Win32VersionValue", 4), new("SizeOfImage", 4), new("SizeOfHeaders", 4), new("CheckSum", 4, Form.Hexadecimal),
        new("Subsystem", 2), new("DllCharacteristics", 2, Form.Hexadecimal), new("SizeOfStackReserve", 8), new("SizeOfStackCommit", 8),
        new("SizeOfHeapReserve", 8), new("SizeOfHeapCommit", 8), new("LoaderFlags", 4, Form.Hexadecimal), new("NumberOfRvaAndSizes", 4),
    ];

    private static readonly string[] s_directories =
    [
        "Export Table", "Import Table", "Resource Table", "Exception Table", "Certificate Table", "Base Relocation Table", "Debug",
        "Architecture", "Global Ptr", "TLS Table", "Load Config Table", "Bound Import", "IAT", "Delay Import Descriptor",
        "CLR Runtime Header", "Reserved",
    ];

    private static readonly FieldShape[] s_directory = [new("VirtualAddress", 4, Form.Hexadecimal), new("Size", 4)];

    private static readonly FieldShape[] s_section =
    [
        new("Name", 8, Form.Text), new("VirtualSize", 4), new("VirtualAddress", 4, Form.Hexadecimal), new("SizeOfRawData", 4),
        new("PointerToRawData", 4), new("PointerToRelocations", 4), new("PointerToLinenumbers", 4), new("NumberOfRelocations", 2),
        new("NumberOfLinenumbers", 2), new("Characteristics", 4, Form.Hexadecimal),
    ];

    /// <summary>The fields of the COFF header, the optional header and its data directories, at their places.</summary>
    public IReadOnlyList<FieldSpan> HeaderFields()
    {
        var fields = new List<FieldSpan>();
        fields.AddRange(Fields("COFF header", CoffOffset, s_coff));
        fields.AddRange(Fields("optional header", OptionalOffset, s_optional));
        long start = OptionalOffset + Unsafe.SizeOf<OptionalHeader>();
        long count = Math.Min(Optional.NumberOfRvaAndSizes, (SectionTableOffset - start) / Unsafe.SizeOf<DataDirectory>());
        for (int i = 0; i < Math.Min(count, s_directories.Length); i++)
        {
            fields.AddRange(Fields($"data directory {s_directories[i]}", start + i * Unsafe.SizeOf<DataDirectory>(), s_directory));
        }
        return fields;
    }

    /// <summary>The fields of a section's header, at their places.</summary>
    /// <param name="index">In <see cref="Sections"/>.</param>
    public IReadOnlyList<FieldSpan> SectionFields(int index) => [.. Fields(
        string.Create(CultureInfo.InvariantCulture, $"section header {index + 1} {FileName.Display(Encoding.Latin1.GetBytes(Sections[index].Name))}"),
        SectionTableOffset + index * Unsafe.SizeOf<SectionHeader>(), s_section)];

    /// <summary>All the bytes, labelled.</summary>
    /// <exception cref="InvalidDataException">Parts overlap.</exception>
    public Image Layout()
    {
        var parts = new List<(long Offset, long Length, Label Label)>
        {
            (0, Math.Min(_blob.Length, SectionTableOffset + Headers.Length * Unsafe.SizeOf<SectionHeader>()), "pe headers"),
        };
        for (int i = 0; i < Headers.Length; i++)
        {
            long offset = Headers[i].PointerToRawData;
            long used = Sections[i].Content.Length;
            string name = FileName.Display(Encoding.Latin1.GetBytes(Sections[i].Name));
            parts.Add((offset, used, new Label("pe section", name)));
            parts.Add((offset + used, Math.Min(Headers[i].SizeOfRawData, _blob.Length - offset) - used, new Label("pe padding of", name)));
        }
        if (Security.Size > 0 && Security.VirtualAddress + (long)Security.Size <= _blob.Length)
        {
            parts.Add((Security.VirtualAddress, Security.Size, "pe certificate table"));
        }
        parts.RemoveAll(static part => part.Length <= 0);
        parts.Sort(static (a, b) => a.Offset.CompareTo(b.Offset));
        var image = new ImageBuilder();
        long end = 0;
        foreach (var (offset, length, label) in parts.Append((_blob.Length, 0, "")))
        {
            if (offset < end)
            {
                throw new InvalidDataException($"pe: the {label} at {offset} overlaps what lies before it");
            }
            image.Place(end, _blob.Slice(end, offset - end), "pe unused");
            image.Place(offset, _blob.Slice(offset, length), label);
            end = offset + length;
        }
        return image.Build(_blob.Length);
    }

    private IEnumerable<FieldSpan> Fields(string structure, long offset, FieldShape[] shapes)
    {
        foreach (var shape in shapes)
        {
            yield return new FieldSpan(offset, shape.Size, structure, shape.Name, Format(_blob.ReadBytes(offset, shape.Size), shape.Form));
            offset += shape.Size;
        }
    }

    private static string Format(byte[] bytes, Form form)
    {
        if (form == Form.Text)
        {
            return FileName.Display(bytes.AsSpan().TrimEnd((byte)0));
        }
        var wide = new byte[sizeof(ulong)];
        bytes.CopyTo(wide, 0);
        ulong value = BinaryPrimitives.ReadUInt64LittleEndian(wide);
        return form == Form.Decimal
            ? value.ToString(CultureInfo.InvariantCulture)
            : "0x" + value.ToString("x" + (2 * bytes.Length).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }
}
