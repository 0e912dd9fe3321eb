using System.Globalization;
using Diecast.Binary;
using Diecast.Images;
using Diecast.Trees;
using static Diecast.Formats.FieldTable;

namespace Diecast.Formats.Tar;

/// <summary>
/// The fields of a member's headers: those of POSIX.1-2017 under its names, records of extended headers as "pax mtime", and
/// the headers of these under the names of GNU tar's options, as in "exthdr.name".
/// </summary>
internal static class TarFields
{
    /// <summary>More records than any archiver writes for one member; what follows has no field.</summary>
    private const int MostRecords = 1 << 16;

    private static readonly FieldRow[] s_common =
    [
        Text("name", 100), Octal("mode", 8), Decimal("uid", 8), Decimal("gid", 8), Decimal("size", 12), Time("mtime"), Decimal("chksum", 8),
        Text("typeflag", 1), Text("linkname", 100), Text("magic", 6), Text("version", 2), Text("uname", 32), Text("gname", 32),
        Decimal("devmajor", 8), Decimal("devminor", 8),
    ];

    public static FieldTable Ustar { get; } = new([.. s_common, Text("prefix", 155), Opaque("padding", 12)]);

    /// <summary>GNU's own format.</summary>
    public static FieldTable Gnu { get; } = new([.. s_common, Time("atime"), Time("ctime"), Decimal("offset", 12), Opaque("longnames", 4),
        Opaque("unused", 1), Opaque("sparse", 96), Opaque("isextended", 1), Decimal("realsize", 12), Opaque("padding", 17)]);

    /// <summary>Those of a member, and of what stands before its header and says something of it.</summary>
    public static IEnumerable<FieldSpan> Of(MemberPlace place)
    {
        string? path = place.DisplayPath;
        for (long position = place.Start; position < place.Header;)
        {
            var extension = ReadExtension(place.Archive, position);
            foreach (var span in Header(place.Archive, position, "tar extended header", path, PrefixOf(extension.Type) + "."))
            {
                yield return span;
            }
            foreach (var span in Body(place.Archive, extension, path))
            {
                yield return span;
            }
            position = extension.End;
        }
        if (place.Path is null)
        {
            yield break;
        }
        foreach (var span in Header(place.Archive, place.Header, "tar header", path, ""))
        {
            yield return span;
        }
        long map = place.Header + TarHeader.BlockSize;
        if (map < place.Content)
        {
            var bytes = place.Archive.ReadBytes(map, checked((int)(place.Content - map)));
            yield return new FieldSpan(map, bytes.Length, "tar header", "sparse map", Shorten(bytes)) { Path = path };
        }
    }

    /// <summary>Where the extended headers from a position on end: there are some before the end of an archive that say something of nothing.</summary>
    public static long EndOfExtensions(Blob archive, long position)
    {
        while (position < archive.Length && archive.ReadBytes(position, TarHeader.BlockSize).AsSpan().ContainsAnyExcept((byte)0))
        {
            position = ReadExtension(archive, position).End;
        }
        return position;
    }

    private readonly record struct Extension(byte Type, long Body, long Size)
    {
        public long End => Body + Size.AlignUp(TarHeader.BlockSize);
    }

    private static Extension ReadExtension(Blob archive, long position)
    {
        byte[] header = archive.ReadBytes(position, TarHeader.BlockSize);
        long body = position + TarHeader.BlockSize;
        return TarNumber.Parse(header.AsSpan(TarHeader.Size)) is >= 0 and var size && size <= archive.Length - body
            ? new Extension(header[TarHeader.TypeFlag], body, size)
            : throw new InvalidDataException($"tar: the extended header at {position} leaves the archive");
    }

    private static string PrefixOf(byte type) => type switch
    {
        TypeFlag.PaxGlobal => "globexthdr",
        TypeFlag.GnuLongName => "longname",
        TypeFlag.GnuLongLink => "longlink",
        TypeFlag.GnuVolume => "volume",
        _ => "exthdr",
    };

    private static IEnumerable<FieldSpan> Header(Blob archive, long position, string structure, string? path, string prefix)
    {
        byte[] header = archive.ReadBytes(position, TarHeader.BlockSize);
        bool isGnu = header.AsSpan(TarHeader.Magic).SequenceEqual("ustar "u8);
        var table = isGnu ? Gnu : Ustar;
        foreach (var (offset, _, _) in table.Places)
        {
            yield return table.Find(header, offset)!.Value.At(position, structure, path, prefix);
        }
    }

    private static IEnumerable<FieldSpan> Body(Blob archive, Extension extension, string? path)
    {
        const string structure = "tar extended header";
        if (extension.Type == TypeFlag.GnuVolume || extension.Size == 0)
        {
            yield break;
        }
        byte[] body = archive.ReadBytes(extension.Body, checked((int)extension.Size));
        if (extension.Type is TypeFlag.GnuLongName or TypeFlag.GnuLongLink)
        {
            string name = extension.Type == TypeFlag.GnuLongName ? "long name" : "long link";
            yield return new FieldSpan(extension.Body, body.Length, structure, name, Shorten(body.AsSpan().TrimEnd((byte)0))) { Path = path };
            yield break;
        }
        string prefix = extension.Type == TypeFlag.PaxGlobal ? "global pax " : "pax ";
        int position = 0;
        for (int count = 0; position < body.Length && count < MostRecords; count++)
        {
            var (key, value) = PaxRecords.ParseFirst(body.AsSpan(position), extension.Body, out int length);
            yield return new FieldSpan(extension.Body + position, length, structure, prefix + FileName.Display(System.Text.Encoding.Latin1.GetBytes(key)), Show(key, value)) { Path = path };
            position += length;
        }
    }

    private static string Show(string key, byte[] value)
    {
        if (key is not ("mtime" or "atime" or "ctime" or "LIBARCHIVE.creationtime"))
        {
            return Shorten(value);
        }
        try
        {
            return PaxRecords.ParseTime(key, value).ToString();
        }
        catch (InvalidDataException)
        {
            // A time that nothing here needs may be anything.
            return Shorten(value);
        }
    }

    private static string Shorten(ReadOnlySpan<byte> value)
    {
        const int most = 256;
        return value.Length <= most
            ? FileName.Display(value)
            : $"{FileName.Display(value[..most])}… ({value.Length} bytes, SHA-256 {Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(value))[..16]})";
    }

    private static FieldRow Decimal(string name, int length) =>
        Number(name, length, static value => value.ToString(CultureInfo.InvariantCulture));

    private static FieldRow Octal(string name, int length) =>
        Number(name, length, static value => Convert.ToString(value, 8).PadLeft(4, '0'));

    private static FieldRow Time(string name) => Number(name, 12, static value => new Timestamp(value).ToString());

    /// <summary>One that is not there is empty; what is none is shown as its bytes.</summary>
    private static FieldRow Number(string name, int length, Func<long, string> show) => Shown(name, length, bytes =>
        bytes.ContainsAnyExcept((byte)0) && TarNumber.Parse(bytes) is { } value ? show(value) : FileName.Display(bytes.TrimEnd((byte)0)));
}
