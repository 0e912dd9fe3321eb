using System.Buffers;
using System.Text;
using System.Text.Unicode;
using Diecast.Trees;

namespace Diecast.Formats.Fat;

/// <summary>Long names: what may be one, and when two are the same to a file system that ignores case.</summary>
internal static class LongNames
{
    private static readonly SearchValues<byte> s_forbidden = SearchValues.Create("\"*:<>?\\|"u8);

    /// <summary>What is wrong with a name, or null.</summary>
    public static string? Problem(FileName name)
    {
        if (!Utf8.IsValid(name.Bytes))
        {
            return "is not UTF-8";
        }
        // Control characters and the rest of fatgen103's list; slash and NUL are in no name.
        int bad = name.Bytes.IndexOfAny(s_forbidden);
        if (bad >= 0)
        {
            return $"has '{(char)name.Bytes[bad]}' in it";
        }
        if (name.Bytes.ContainsAnyInRange((byte)0, (byte)0x1F))
        {
            return "has a control character in it";
        }
        return name.Bytes[^1] is (byte)'.' or (byte)' ' ? "ends with a dot or a space, which readers drop" : null;
    }

    /// <summary>The same for two names exactly where they name one file: simple upper-case mapping of each unit.</summary>
    public static string Fold(FileName name) => Encoding.UTF8.GetString(name.Bytes).ToUpperInvariant();

    /// <summary>How many 32-byte entries the long name takes.</summary>
    public static int EntryCount(FileName name) =>
        (Encoding.UTF8.GetCharCount(name.Bytes) + LongEntry.Units - 1) / LongEntry.Units;

    /// <summary>The entries before the short one, in the order on the disk.</summary>
    public static LongEntry[] Encode(FileName name, ReadOnlySpan<byte> shortName)
    {
        string text = Encoding.UTF8.GetString(name.Bytes);
        var entries = new LongEntry[EntryCount(name)];
        byte checksum = ShortNames.Checksum(shortName);
        for (int i = 0; i < entries.Length; i++)
        {
            int part = entries.Length - 1 - i;
            var entry = new LongEntry
            {
                Ord = (byte)(part + 1 | (i == 0 ? LongEntry.Last : 0)),
                Attr = LongEntry.Attribute,
                Chksum = checksum,
            };
            for (int unit = 0; unit < LongEntry.Units; unit++)
            {
                int at = part * LongEntry.Units + unit;
                entry[unit] = at < text.Length ? text[at] : (ushort)(at == text.Length ? 0 : 0xFFFF);
            }
            entries[i] = entry;
        }
        return entries;
    }
}

/// <summary>The eleven bytes of an 8.3 name: fatgen103, "Short Directory Entries" and "The Basis-Name Generation Algorithm".</summary>
internal static class ShortNames
{
    public const int Length = 11;
    private const int BaseLength = 8;
    private const int ExtensionLength = 3;

    public static byte Checksum(ReadOnlySpan<byte> shortName)
    {
        byte sum = 0;
        foreach (byte b in shortName)
        {
            sum = (byte)((byte)(sum >> 1 | sum << 7) + b);
        }
        return sum;
    }

    /// <summary>Whether the name is stored by its short entry alone: 8.3 without a small letter.</summary>
    public static bool IsShort(FileName name) => TryConvert(name, upperCase: false) is not null;

    /// <summary>
    /// The short names of a directory's entries, which come in the byte order of their names. Names that are 8.3 but
    /// for their case come first and get themselves; the others get the first free tail in their order.
    /// </summary>
    public static byte[][] Assign(IReadOnlyList<FileName> names)
    {
        var result = new byte[names.Count][];
        var taken = new HashSet<(ulong, uint)>();
        for (int i = 0; i < names.Count; i++)
        {
            if (TryConvert(names[i], upperCase: true) is { } own)
            {
                result[i] = own;
                taken.Add(Key(own));
            }
        }
        var nextTail = new Dictionary<(ulong, uint), int>();
        for (int i = 0; i < names.Count; i++)
        {
            result[i] ??= WithTail(names[i], taken, nextTail);
        }
        return result;
    }

    private static byte[]? TryConvert(FileName name, bool upperCase)
    {
        var bytes = name.Bytes;
        int dot = bytes.IndexOf((byte)'.');
        var stem = dot < 0 ? bytes : bytes[..dot];
        var extension = dot < 0 ? [] : bytes[(dot + 1)..];
        if (stem.Length is 0 or > BaseLength || extension.Length > ExtensionLength || (dot >= 0 && extension.IsEmpty))
        {
            return null;
        }
        var result = Blank();
        for (int i = 0; i < bytes.Length; i++)
        {
            if (i == dot)
            {
                continue;
            }
            byte b = upperCase ? Upper(bytes[i]) : bytes[i];
            if (!IsAllowed(b))
            {
                return null;
            }
            result[dot < 0 || i < dot ? i : BaseLength + i - dot - 1] = b;
        }
        return result;
    }

    private static byte[] WithTail(FileName name, HashSet<(ulong, uint)> taken, Dictionary<(ulong, uint), int> nextTail)
    {
        var basis = Basis(name);
        int stemLength = basis.AsSpan(0, BaseLength).IndexOf((byte)' ');
        stemLength = stemLength < 0 ? BaseLength : stemLength;
        for (int digits = 1, first = 1; digits < BaseLength - 1; digits++, first *= 10)
        {
            var candidate = basis.ToArray();
            int tilde = Math.Min(stemLength, BaseLength - 1 - digits);
            candidate.AsSpan(tilde, BaseLength - tilde).Fill((byte)' ');
            candidate[tilde] = (byte)'~';
            // One counter for all the names that share what is left of the stem: no tail is tried twice.
            var counter = Key(candidate);
            for (int tail = nextTail.GetValueOrDefault(counter, first); tail < first * 10; tail++)
            {
                Utf8.TryWrite(candidate.AsSpan(tilde + 1), $"{tail}", out _);
                if (taken.Add(Key(candidate)))
                {
                    nextTail[counter] = tail + 1;
                    return candidate;
                }
            }
            nextTail[counter] = first * 10;
        }
        throw new System.Diagnostics.UnreachableException("A directory has fewer entries than there are tails");
    }

    /// <summary>Stem and extension in what characters a short name has, without a tail.</summary>
    private static byte[] Basis(FileName name)
    {
        var bytes = name.Bytes.TrimStart(". "u8);
        int dot = bytes.LastIndexOf((byte)'.');
        var basis = Blank();
        Fill(basis.AsSpan(0, BaseLength), dot < 0 ? bytes : bytes[..dot]);
        Fill(basis.AsSpan(BaseLength), dot < 0 ? [] : bytes[(dot + 1)..]);
        return basis;
    }

    private static void Fill(Span<byte> destination, ReadOnlySpan<byte> text)
    {
        int length = 0;
        foreach (var rune in Encoding.UTF8.GetString(text).EnumerateRunes())
        {
            if (rune.Value is '.' or ' ')
            {
                continue;
            }
            if (length == destination.Length)
            {
                return;
            }
            byte b = rune.IsAscii ? Upper((byte)rune.Value) : (byte)'_';
            destination[length++] = IsAllowed(b) ? b : (byte)'_';
        }
    }

    private static bool IsAllowed(byte b) =>
        b is (>= (byte)'A' and <= (byte)'Z') or (>= (byte)'0' and <= (byte)'9') || "$%'-_@~`!(){}^#&"u8.Contains(b);

    private static byte Upper(byte b) => b is >= (byte)'a' and <= (byte)'z' ? (byte)(b - 32) : b;

    private static byte[] Blank() => "           "u8.ToArray();

    private static (ulong, uint) Key(ReadOnlySpan<byte> name) =>
        (BitConverter.ToUInt64(name), (uint)(name[8] | name[9] << 8 | name[10] << 16));
}
