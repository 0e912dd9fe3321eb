using System.Buffers.Binary;
using System.Globalization;
using Diecast.Binary;
using Diecast.Formats;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Inspect.Kinds;

/// <summary>
/// What ldconfig writes: /etc/ld.so.cache in the old form, the new one and the one within the other
/// (glibc, sysdeps/generic/dl-cache.h), and its memory of the files that it has seen (glibc, elf/cache.c).
/// </summary>
internal static class LdCache
{
    private const int OldHeader = 16, OldEntry = 12, NewHeader = 48, NewEntry = 24, AuxHeader = 32, AuxEntry = 48;
    private const uint ExtensionMagic = 0xeaa42174;
    private const int GeneratorTag = 0, HwcapsTag = 1, MaximumExtensions = 64;

    public static ContainerKind Kind { get; } = new(
        "ld.so.cache", static (blob, _) => KindReader.HasAt(blob, 0, NewMagic) || KindReader.HasAt(blob, 0, OldMagic), Read);

    public static ContainerKind AuxKind { get; } = new(
        "ldconfig aux-cache", static (blob, _) => KindReader.HasAt(blob, 0, "glibc-ld.so.auxcache-"u8), ReadAux);

    private static ReadOnlySpan<byte> OldMagic => "ld.so-1.7.0"u8;

    private static ReadOnlySpan<byte> NewMagic => "glibc-ld.so.cache1.1"u8;

    private static Container Read(Blob blob)
    {
        byte[] bytes = KindReader.ReadAll(blob, "ld.so.cache");
        var fields = new List<NamedField>();
        long place = 0;
        if (bytes.AsSpan().StartsWith(OldMagic))
        {
            place = ReadOld(bytes, fields);
        }
        if (place + NewHeader <= bytes.Length && bytes.AsSpan((int)place).StartsWith(NewMagic))
        {
            ReadNew(bytes, (int)place, fields);
        }
        return new Container { Kind = "ld.so.cache", Fields = fields };
    }

    /// <summary>Returns where the new form may follow.</summary>
    private static long ReadOld(ReadOnlySpan<byte> bytes, List<NamedField> fields)
    {
        uint count = Number(KindReader.Slice(bytes, 0, OldHeader, "ld.so.cache: old header"), 12);
        KindReader.CheckCount(count, "ld.so.cache");
        fields.Add(new NamedField("format", "ld.so-1.7.0"));
        fields.Add(KindReader.Field("old entries", count));
        long strings = OldHeader + (long)count * OldEntry;
        var table = KindReader.Slice(bytes, strings, bytes.Length - strings, "ld.so.cache: old strings");
        for (int i = 0; i < count; i++)
        {
            var entry = bytes.Slice(OldHeader + i * OldEntry, OldEntry);
            string structure = $"ld.so.cache: old entry {i}";
            fields.Add(new NamedField(
                string.Create(CultureInfo.InvariantCulture, $"old {KindReader.CString(table, Number(entry, 4), structure)} (flags 0x{Number(entry, 0):x})"),
                KindReader.CString(table, Number(entry, 8), structure)));
        }
        return strings.AlignUp(8);
    }

    /// <summary>Entries count from where the form begins; extensions from the start of the file.</summary>
    private static void ReadNew(ReadOnlySpan<byte> file, int place, List<NamedField> fields)
    {
        var bytes = file[place..];
        uint count = Number(bytes, 20);
        KindReader.CheckCount(count, "ld.so.cache");
        fields.Add(new NamedField("format", "glibc-ld.so.cache1.1"));
        fields.Add(KindReader.Field("entries", count));
        fields.Add(KindReader.Field("length of strings", Number(bytes, 24)));
        fields.Add(KindReader.Field("flags", bytes[28]));
        KindReader.Slice(bytes, NewHeader, (long)count * NewEntry, "ld.so.cache: entries");
        for (int i = 0; i < count; i++)
        {
            var entry = bytes.Slice(NewHeader + i * NewEntry, NewEntry);
            string structure = $"ld.so.cache: entry {i}";
            ulong hwcap = BinaryPrimitives.ReadUInt64LittleEndian(entry[16..]);
            string detail = string.Create(CultureInfo.InvariantCulture,
                $"flags 0x{Number(entry, 0):x}{(Number(entry, 12) is var version and not 0 ? $", osversion 0x{version:x}" : "")}{(hwcap == 0 ? "" : $", hwcap 0x{hwcap:x}")}");
            fields.Add(new NamedField(
                $"{KindReader.CString(bytes, Number(entry, 4), structure)} ({detail})", KindReader.CString(bytes, Number(entry, 8), structure)));
        }
        uint extensions = Number(bytes, 32);
        if (extensions != 0)
        {
            ReadExtensions(file, extensions, fields);
        }
    }

    private static void ReadExtensions(ReadOnlySpan<byte> bytes, uint place, List<NamedField> fields)
    {
        var header = KindReader.Slice(bytes, place, 8, "ld.so.cache: extensions");
        uint count = Number(header, 4);
        if (Number(header, 0) != ExtensionMagic || count > MaximumExtensions)
        {
            throw new InvalidDataException($"ld.so.cache: the extensions at {place} have the wrong magic, or are {count}");
        }
        for (int i = 0; i < count; i++)
        {
            var section = KindReader.Slice(bytes, place + 8L + i * 16, 16, "ld.so.cache: extension");
            var content = KindReader.Slice(bytes, Number(section, 8), Number(section, 12), $"ld.so.cache: extension {i}");
            switch (Number(section, 0))
            {
                case GeneratorTag:
                    fields.Add(new NamedField("generator", FileName.Display(content[..Math.Min(content.Length, 4096)])));
                    break;
                case HwcapsTag:
                    AddHwcaps(bytes, content, fields);
                    break;
                case var tag:
                    fields.Add(new NamedField(string.Create(CultureInfo.InvariantCulture, $"extension {tag}"), $"{content.Length} bytes, SHA-256 {KindReader.Digest(content)}"));
                    break;
            }
        }
    }

    private static void AddHwcaps(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> places, List<NamedField> fields)
    {
        KindReader.CheckCount(places.Length / 4, "ld.so.cache");
        for (int i = 0; i + 4 <= places.Length; i += 4)
        {
            fields.Add(new NamedField("glibc-hwcaps", KindReader.CString(bytes, Number(places, i), "ld.so.cache: glibc-hwcaps")));
        }
    }

    private static Container ReadAux(Blob blob)
    {
        byte[] bytes = KindReader.ReadAll(blob, "aux-cache");
        var header = KindReader.Slice(bytes, 0, AuxHeader, "aux-cache: header");
        uint count = Number(header, 24);
        KindReader.CheckCount(count, "aux-cache");
        KindReader.Slice(bytes, AuxHeader, (long)count * AuxEntry, "aux-cache: entries");
        var strings = bytes.AsSpan((int)(AuxHeader + count * AuxEntry));
        var fields = new List<NamedField>
        {
            new("format", FileName.Display(header[..24])),
            KindReader.Field("entries", count),
            KindReader.Field("length of strings", Number(header, 28)),
        };
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        // The order is that of a hash of the inode numbers: by name, the same libraries stand side by side.
        var entries = Enumerable.Range(0, (int)count).Select(i => (Name: AuxName(bytes, i, (int)count), Place: AuxHeader + i * AuxEntry))
            .OrderBy(static entry => entry.Name, StringComparer.Ordinal);
        foreach (var (name, place) in entries)
        {
            AddAux(KindReader.Unique(name, seen), bytes.AsSpan(place, AuxEntry), fields);
        }
        return new Container { Kind = "ldconfig aux-cache", Fields = fields };
    }

    private static string AuxName(ReadOnlySpan<byte> bytes, int number, int count)
    {
        string name = KindReader.CString(
            bytes[(AuxHeader + count * AuxEntry)..], Number(bytes, AuxHeader + number * AuxEntry + 36), $"aux-cache: entry {number}");
        return name.Length == 0 ? "(no library)" : name;
    }

    private static void AddAux(string name, ReadOnlySpan<byte> entry, List<NamedField> fields)
    {
        fields.Add(KindReader.Field($"{name} inode", BinaryPrimitives.ReadUInt64LittleEndian(entry)));
        fields.Add(new NamedField($"{name} ctime", KindReader.Time(BinaryPrimitives.ReadInt64LittleEndian(entry[8..]))));
        fields.Add(KindReader.Field($"{name} size", BinaryPrimitives.ReadUInt64LittleEndian(entry[16..])));
        fields.Add(KindReader.Hex($"{name} device", BinaryPrimitives.ReadUInt64LittleEndian(entry[24..])));
        fields.Add(KindReader.Hex($"{name} flags", Number(entry, 32)));
        fields.Add(KindReader.Field($"{name} osversion", Number(entry, 40)));
    }

    private static uint Number(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);
}
