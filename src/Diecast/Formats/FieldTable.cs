using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Diecast.Binary;
using Diecast.Trees;

namespace Diecast.Formats;

/// <summary>Bytes of a field as text, for people; different bytes give different texts.</summary>
internal delegate string ShowField(ReadOnlySpan<byte> bytes);

/// <summary>A line of a <see cref="FieldTable"/>; without a way to be shown it is the rest of a field of the same name.</summary>
internal readonly record struct FieldRow(string Name, int Length, ShowField? Show);

/// <summary>A field found in a structure; the offset is that in the structure.</summary>
internal readonly record struct FoundField(int Offset, int Length, string Name, string Value)
{
    /// <summary>The field in the file system.</summary>
    /// <param name="place">Of the structure, in bytes.</param>
    /// <param name="structure">As in <see cref="FieldSpan.Structure"/>.</param>
    /// <param name="path">The file that the structure belongs to.</param>
    /// <param name="prefix">What stands before the name, where a structure has many of the kind.</param>
    public FieldSpan At(long place, string structure, string? path = null, string prefix = "") =>
        new(place + Offset, Length, structure, prefix + Name, Value) { Path = path };
}

/// <summary>
/// The fields of an on-disk structure in their order: name, length and how to show them. What several places hold
/// together (a low and a high half, seconds and their fraction) is one field, and its value is that of the whole.
/// </summary>
internal sealed class FieldTable
{
    private sealed class Field(string name, ShowField show)
    {
        public string Name => name;
        public ShowField Show => show;
        public List<(int Offset, int Length)> Places { get; } = [];
    }

    private readonly List<Field> _fields = [];
    private readonly List<(int Offset, int Length, Field Field)> _places = [];

    public FieldTable(params ReadOnlySpan<FieldRow> rows)
    {
        var fields = new Dictionary<string, Field>(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            if (row.Show is { } show)
            {
                var field = new Field(row.Name, show);
                fields.Add(row.Name, field);
                _fields.Add(field);
            }
        }
        // What shows the field is its first part, wherever it stands.
        foreach (bool isFirst in (ReadOnlySpan<bool>)[true, false])
        {
            int offset = 0;
            foreach (var row in rows)
            {
                if (row.Show is not null == isFirst)
                {
                    fields[row.Name].Places.Add((offset, row.Length));
                    _places.Add((offset, row.Length, fields[row.Name]));
                }
                offset += row.Length;
            }
            Length = offset;
        }
        _places.Sort(static (a, b) => a.Offset.CompareTo(b.Offset));
    }

    /// <summary>Of the structure, in bytes.</summary>
    public int Length { get; }

    /// <summary>The places of all the parts, in their order.</summary>
    public IEnumerable<(int Offset, int Length, string Name)> Places =>
        _places.Select(static place => (place.Offset, place.Length, place.Field.Name));

    /// <summary>A little-endian number.</summary>
    public static FieldRow Number(string name, int length) =>
        new(name, length, static bytes => Unsigned(bytes).ToString(CultureInfo.InvariantCulture));

    /// <summary>A big-endian number.</summary>
    public static FieldRow BigEndian(string name, int length) =>
        new(name, length, static bytes => UnsignedBigEndian(bytes).ToString(CultureInfo.InvariantCulture));

    /// <summary>A little-endian number in hexadecimal: flags, checksums, magic numbers.</summary>
    public static FieldRow Hexadecimal(string name, int length) =>
        new(name, length, static bytes => $"0x{Unsigned(bytes).ToString($"x{bytes.Length * 2}", CultureInfo.InvariantCulture)}");

    /// <inheritdoc cref="Hexadecimal"/>
    public static FieldRow BigEndianHexadecimal(string name, int length) =>
        new(name, length, static bytes => $"0x{Convert.ToHexStringLower(bytes)}");

    /// <summary>Bytes that mean nothing to people.</summary>
    public static FieldRow Opaque(string name, int length) => new(name, length, Convert.ToHexStringLower);

    /// <summary>Text that is filled up with zeros.</summary>
    public static FieldRow Text(string name, int length) =>
        new(name, length, static bytes => FileName.Display(bytes.TrimEnd((byte)0)));

    /// <summary>A UUID in the order of its text.</summary>
    public static FieldRow Uuid(string name) =>
        new(name, 16, static bytes => new Guid(bytes, bigEndian: true).ToString());

    /// <summary>Seconds since 1970.</summary>
    public static FieldRow Time(string name, int length) =>
        new(name, length, static bytes => new Timestamp((long)Unsigned(bytes)).ToString());

    public static FieldRow Shown(string name, int length, ShowField show) => new(name, length, show);

    /// <summary>A further part of a field: the upper half of a number, the fraction of a time.</summary>
    public static FieldRow Rest(string name, int length) => new(name, length, null);

    /// <summary>Little-endian UTF-16 up to the zeros at its end; what cannot be shown as \uNNNN.</summary>
    public static string Utf16(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        int length = (bytes.TrimEnd((byte)0).Length + 1) / 2;
        foreach (var unit in MemoryMarshal.Cast<byte, Le<ushort>>(bytes)[..length])
        {
            char character = (char)unit.Value;
            bool isShown = !char.IsControl(character) && !char.IsSurrogate(character) && character is not ('\\' or '\uFFFF')
                && char.GetUnicodeCategory(character) != UnicodeCategory.Format;
            text.Append(isShown ? character.ToString() : $"\\u{unit.Value:x4}");
        }
        return text.ToString();
    }

    /// <summary>The number in up to eight bytes, little-endian.</summary>
    public static ulong Unsigned(ReadOnlySpan<byte> bytes)
    {
        Span<byte> all = stackalloc byte[sizeof(ulong)];
        all.Clear();
        bytes.CopyTo(all);
        return BinaryPrimitives.ReadUInt64LittleEndian(all);
    }

    /// <summary>The number in up to eight bytes, big-endian.</summary>
    public static ulong UnsignedBigEndian(ReadOnlySpan<byte> bytes)
    {
        Span<byte> all = stackalloc byte[sizeof(ulong)];
        all.Clear();
        bytes.CopyTo(all[(sizeof(ulong) - bytes.Length)..]);
        return BinaryPrimitives.ReadUInt64BigEndian(all);
    }

    /// <summary>
    /// The field that covers a byte of the structure. The structure may be shorter than the table: what is not in it is
    /// no field, and no part of one. Null past its end.
    /// </summary>
    public FoundField? Find(ReadOnlySpan<byte> structure, int at)
    {
        int low = 0;
        int high = _places.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _places[middle].Offset + _places[middle].Length <= at ? (middle + 1, high) : (low, middle);
        }
        if (at < 0 || low == _places.Count || _places[low].Offset + _places[low].Length > structure.Length)
        {
            return null;
        }
        var (offset, length, field) = _places[low];
        return new FoundField(offset, length, field.Name, Value(structure, field));
    }

    /// <summary>All the fields of the structure, each once.</summary>
    public IEnumerable<NamedField> Fields(byte[] structure) =>
        _fields.Select(field => new NamedField(field.Name, Value(structure, field)));

    private static string Value(ReadOnlySpan<byte> structure, Field field)
    {
        var (offset, length) = field.Places[0];
        if (field.Places.Count == 1)
        {
            return field.Show(structure.Slice(offset, length));
        }
        var whole = new byte[field.Places.Sum(static place => place.Length)];
        int filled = 0;
        foreach (var place in field.Places)
        {
            if (place.Offset + place.Length <= structure.Length)
            {
                structure.Slice(place.Offset, place.Length).CopyTo(whole.AsSpan(filled));
                filled += place.Length;
            }
        }
        return field.Show(whole.AsSpan(0, filled));
    }
}
