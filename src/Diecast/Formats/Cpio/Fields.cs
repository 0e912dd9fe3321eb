using System.Buffers.Text;
using System.Globalization;
using Diecast.Trees;
using static Diecast.Formats.FieldTable;

namespace Diecast.Formats.Cpio;

/// <summary>The fields of a member's header, under the names of cpio(5).</summary>
internal static class CpioFields
{
    private const int Digits = 8;

    public static FieldTable Header { get; } = new(
        Text("c_magic", 6), Number("c_ino"), Digits8("c_mode", static value => Convert.ToString(value, 8)), Number("c_uid"), Number("c_gid"),
        Number("c_nlink"), Digits8("c_mtime", static value => new Timestamp(value).ToString()), Number("c_filesize"),
        Number("c_devmajor"), Number("c_devminor"), Number("c_rdevmajor"), Number("c_rdevminor"), Number("c_namesize"),
        Digits8("c_check", static value => $"0x{value.ToString("x8", CultureInfo.InvariantCulture)}"));

    /// <summary>Those of a member, with its name and where a link leads.</summary>
    public static IEnumerable<FieldSpan> Of(MemberPlace place)
    {
        string structure = place.Path is null ? "cpio trailer" : "cpio header";
        string? path = place.DisplayPath;
        byte[] bytes = place.Archive.ReadBytes(place.Header, CpioHeader.Size);
        foreach (var (offset, _, _) in Header.Places)
        {
            yield return Header.Find(bytes, offset)!.Value.At(place.Header, structure, path);
        }
        var header = CpioHeader.Parse(bytes, place.Header);
        long name = place.Header + CpioHeader.Size;
        yield return Bytes(name, header.NameSize, "name");
        // Else the content begins where the header ends.
        if (((int)header.Mode & Posix.S_IFMT) == Posix.S_IFLNK && header.FileSize > 0)
        {
            yield return Bytes(place.Content - header.FileSize, header.FileSize, "target");
        }

        FieldSpan Bytes(long offset, long length, string field) =>
            new(offset, length, structure, field, FileName.Display(place.Archive.ReadBytes(offset, (int)length).AsSpan().TrimEnd((byte)0))) { Path = path };
    }

    private static FieldRow Number(string name) => Digits8(name, static value => value.ToString(CultureInfo.InvariantCulture));

    private static FieldRow Digits8(string name, Func<uint, string> show) => Shown(name, Digits, bytes =>
        Utf8Parser.TryParse(bytes, out uint value, out int used, 'x') && used == Digits ? show(value) : FileName.Display(bytes));
}
