using System.Text;
using Diecast.Binary;
using Diecast.Trees;

namespace Diecast.Formats.Fat;

/// <summary>An entry of a directory, with the name that it goes by.</summary>
/// <param name="Name">The long one, where there is a sound one.</param>
/// <param name="Short">The entry itself.</param>
/// <param name="Slot">Its number in the directory; those of its long name stand before it.</param>
internal readonly record struct ParsedEntry(FileName Name, ShortEntry Short, int Slot)
{
    public bool IsDirectory => (Short.Attr & ShortEntry.Directory) != 0;

    public uint Cluster(int bits) => Short.FstClusLo | (bits == 32 ? (uint)Short.FstClusHi << 16 : 0);
}

/// <summary>Takes the bytes of a directory apart.</summary>
internal static class DirectoryParser
{
    private const int MostLongEntries = 20;

    /// <summary>
    /// The entries but for the two dots and volume labels. As drivers do it, a long name that is damaged gives way to the
    /// short one; so does one that a tree cannot hold: unpaired surrogates, a slash, more than 255 bytes of UTF-8.
    /// </summary>
    /// <exception cref="InvalidDataException">An entry has no name that could be one.</exception>
    public static List<ParsedEntry> Parse(ReadOnlySpan<byte> directory, TreePath? path)
    {
        var entries = new List<ParsedEntry>();
        var longName = new LongNameParts();
        for (int at = 0; at + ShortEntry.Size <= directory.Length; at += ShortEntry.Size)
        {
            var bytes = directory.Slice(at, ShortEntry.Size);
            var entry = OnDisk.Read<ShortEntry>(bytes);
            if (entry.Name[0] == ShortEntry.End)
            {
                break;
            }
            if (entry.Name[0] == ShortEntry.Free)
            {
                longName.Clear();
            }
            else if ((entry.Attr & LongEntry.AttributeMask) == LongEntry.Attribute)
            {
                longName.Add(OnDisk.Read<LongEntry>(bytes));
            }
            else
            {
                if ((entry.Attr & ShortEntry.VolumeId) == 0 && !IsDots(entry.Name))
                {
                    var name = longName.Take(ShortNames.Checksum(entry.Name)) ?? DecodeShort(entry);
                    entries.Add(name.IsValid ? new ParsedEntry(name, entry, at / ShortEntry.Size) : throw new InvalidDataException(
                        $"directory {path?.ToString() ?? "/"}, entry {at / ShortEntry.Size}: \"{name}\" is no file name"));
                }
                longName.Clear();
            }
        }
        return entries;
    }

    private static bool IsDots(ReadOnlySpan<byte> name) =>
        name.SequenceEqual(".          "u8) || name.SequenceEqual("..         "u8);

    private static FileName DecodeShort(in ShortEntry entry)
    {
        byte[] bytes = ((ReadOnlySpan<byte>)entry.Name).ToArray();
        if (bytes[0] == ShortEntry.Escaped0xE5)
        {
            bytes[0] = ShortEntry.Free;
        }
        string stem = Part(bytes.AsSpan(0, 8), (entry.NtRes & ShortEntry.LowerCaseBase) != 0);
        string extension = Part(bytes.AsSpan(8), (entry.NtRes & ShortEntry.LowerCaseExtension) != 0);
        return new FileName(extension.Length == 0 ? stem : $"{stem}.{extension}");
    }

    private static string Part(ReadOnlySpan<byte> bytes, bool lowerCase)
    {
        string text = CodePage437.Decode(bytes.TrimEnd((byte)' '));
        return lowerCase ? text.ToLowerInvariant() : text;
    }

    /// <summary>A long name as it comes, last part first.</summary>
    private sealed class LongNameParts
    {
        private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);

        private readonly char[] _units = new char[MostLongEntries * LongEntry.Units];
        private int _count;
        private int _missing;
        private byte _checksum;

        public void Clear() => _count = _missing = 0;

        public void Add(in LongEntry entry)
        {
            int ordinal = entry.Ord & ~LongEntry.Last;
            if ((entry.Ord & LongEntry.Last) != 0 && ordinal is > 0 and <= MostLongEntries)
            {
                (_count, _missing, _checksum) = (ordinal, ordinal, entry.Chksum);
            }
            if (_count == 0 || ordinal != _missing || entry.Chksum != _checksum)
            {
                Clear();
                return;
            }
            _missing--;
            for (int unit = 0; unit < LongEntry.Units; unit++)
            {
                _units[_missing * LongEntry.Units + unit] = (char)entry[unit];
            }
        }

        public FileName? Take(byte checksum)
        {
            if (_count == 0 || _missing != 0 || checksum != _checksum)
            {
                return null;
            }
            var units = _units.AsSpan(0, _count * LongEntry.Units);
            int end = units.IndexOf('\0');
            try
            {
                var name = new FileName(s_strict.GetBytes(units[..(end < 0 ? units.Length : end)].ToArray()));
                return name.IsValid ? name : null;
            }
            catch (EncoderFallbackException)
            {
                return null;
            }
        }
    }
}
