using System.Globalization;
using System.Text;
using Diecast.Formats;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Inspect.Kinds;

/// <summary>Archives of ar(1): libraries and Debian packages, with the long names of GNU and of BSD (ar(5)).</summary>
internal static class ArArchive
{
    private const int HeaderSize = 60, MaximumNames = 16 << 20;

    private static ReadOnlySpan<byte> Magic => "!<arch>\n"u8;

    public static ContainerKind Kind { get; } = new("ar", static (blob, _) => KindReader.HasAt(blob, 0, Magic), Read);

    private static Container Read(Blob blob)
    {
        var parts = new List<Part>();
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        byte[] longNames = [];
        for (long offset = Magic.Length; offset < blob.Length;)
        {
            KindReader.CheckCount(parts.Count, "ar");
            var header = Header(blob, offset);
            long start = offset + HeaderSize;
            long size = Size(header, offset);
            if (size > blob.Length - start)
            {
                throw new InvalidDataException($"ar: the member at {offset} has {size} bytes and leaves the file");
            }
            offset = start + size + size % 2;
            string name = Encoding.Latin1.GetString(header.AsSpan(0, 16)).TrimEnd(' ');
            if (name == "//")
            {
                longNames = size <= MaximumNames ? blob.ReadBytes(start, (int)size) : throw new InvalidDataException($"ar: {size} bytes of names");
                continue;
            }
            if (name.StartsWith("#1/", StringComparison.Ordinal))
            {
                int length = Number(name[3..], start);
                if (length > size || length > 4096)
                {
                    throw new InvalidDataException($"ar: the name of the member at {start} has {length} bytes");
                }
                name = Encoding.Latin1.GetString(blob.ReadBytes(start, length)).TrimEnd('\0');
                (start, size) = (start + length, size - length);
            }
            else if (name is ['/', >= '0' and <= '9', ..])
            {
                name = LongName(longNames, Number(name[1..], start), start);
            }
            parts.Add(new Part(KindReader.Unique(Name(name), seen), blob.Slice(start, size)) { Fields = Fields(header) });
        }
        return new Container { Kind = "ar", Parts = parts };
    }

    private static byte[] Header(Blob blob, long offset)
    {
        if (blob.Length - offset < HeaderSize)
        {
            throw new InvalidDataException($"ar: {blob.Length - offset} bytes of a header at {offset}");
        }
        byte[] header = blob.ReadBytes(offset, HeaderSize);
        return header.AsSpan(58).SequenceEqual("`\n"u8) ? header : throw new InvalidDataException($"ar: the header at {offset} does not end as one");
    }

    private static NamedField[] Fields(byte[] header)
    {
        string mtime = Text(header, 16, 12);
        return
        [
            new("mtime", long.TryParse(mtime, NumberStyles.None, CultureInfo.InvariantCulture, out long seconds) ? KindReader.Time(seconds) : mtime),
            new("uid", Text(header, 28, 6)),
            new("gid", Text(header, 34, 6)),
            new("mode", Text(header, 40, 8)),
        ];
    }

    private static string Name(string name) => name == "/" ? "(symbol table)" : FileName.Display(Encoding.Latin1.GetBytes(name.Length > 1 ? name.TrimEnd('/') : name));

    private static string LongName(byte[] names, int offset, long place)
    {
        if (offset >= names.Length)
        {
            throw new InvalidDataException($"ar: the name of the member at {place} is outside of the names");
        }
        var rest = names.AsSpan(offset);
        int end = rest.IndexOf((byte)'\n');
        rest = rest[..(end < 0 ? rest.Length : end)];
        return Encoding.Latin1.GetString(rest[..Math.Min(rest.Length, 4096)]);
    }

    private static long Size(byte[] header, long offset) =>
        long.TryParse(Text(header, 48, 10), NumberStyles.None, CultureInfo.InvariantCulture, out long size)
            ? size
            : throw new InvalidDataException($"ar: the size of the member at {offset} is no number");

    private static int Number(string text, long offset) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
        ? number
        : throw new InvalidDataException($"ar: the name of the member at {offset} is no number");

    private static string Text(byte[] header, int offset, int length) => FileName.Display(header.AsSpan(offset, length).TrimEnd((byte)' '));
}
