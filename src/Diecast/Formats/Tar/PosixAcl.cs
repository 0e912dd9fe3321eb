using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Diecast.Formats.Tar;

/// <summary>
/// POSIX ACLs between the archive's text form ("user::rwx,user:bin:r-x:1,mask::r-x") and the form of the system call
/// (acl(5); Linux, include/uapi/linux/posix_acl_xattr.h: a version word, then tag, permissions and id of each entry).
/// </summary>
internal static class PosixAcl
{
    private const uint Version = 2;
    private const uint UndefinedId = uint.MaxValue;
    private const ushort UserObject = 1, User = 2, GroupObject = 4, Group = 8, Mask = 0x10, Other = 0x20;

    public static ReadOnlySpan<byte> AccessXattr => "system.posix_acl_access"u8;

    public static ReadOnlySpan<byte> DefaultXattr => "system.posix_acl_default"u8;

    private readonly record struct Entry(ushort Tag, ushort Permissions, uint Id);

    /// <summary>The attribute's value for a text; names of users and groups are understood only with their number.</summary>
    /// <exception cref="InvalidDataException">The text is malformed, or knows a user or group by name alone.</exception>
    public static byte[] Parse(ReadOnlySpan<byte> text)
    {
        var entries = new List<Entry>();
        foreach (string part in Encoding.Latin1.GetString(text).Split(',', '\n'))
        {
            string line = part.Split('#')[0].Trim();
            if (line.Length > 0)
            {
                entries.Add(ParseEntry(line));
            }
        }
        // The order that the kernel demands.
        entries.Sort(static (a, b) => (a.Tag, a.Id).CompareTo((b.Tag, b.Id)));
        var value = new byte[4 + 8 * entries.Count];
        BinaryPrimitives.WriteUInt32LittleEndian(value, Version);
        for (int i = 0; i < entries.Count; i++)
        {
            var field = value.AsSpan(4 + 8 * i);
            BinaryPrimitives.WriteUInt16LittleEndian(field, entries[i].Tag);
            BinaryPrimitives.WriteUInt16LittleEndian(field[2..], entries[i].Permissions);
            BinaryPrimitives.WriteUInt32LittleEndian(field[4..], entries[i].Id);
        }
        return value;
    }

    /// <summary>The text of an attribute's value with numeric ids, or null where the value is no ACL.</summary>
    public static byte[]? Format(ReadOnlySpan<byte> value)
    {
        if (value.Length < 4 || value.Length % 8 != 4 || BinaryPrimitives.ReadUInt32LittleEndian(value) != Version)
        {
            return null;
        }
        var lines = new List<string>();
        for (var field = value[4..]; !field.IsEmpty; field = field[8..])
        {
            ushort permissions = BinaryPrimitives.ReadUInt16LittleEndian(field[2..]);
            uint id = BinaryPrimitives.ReadUInt32LittleEndian(field[4..]);
            string? name = BinaryPrimitives.ReadUInt16LittleEndian(field) switch
            {
                UserObject => "user:",
                User => string.Create(CultureInfo.InvariantCulture, $"user:{id}"),
                GroupObject => "group:",
                Group => string.Create(CultureInfo.InvariantCulture, $"group:{id}"),
                Mask => "mask:",
                Other => "other:",
                _ => null,
            };
            if (name is null || permissions > 7)
            {
                return null;
            }
            char read = (permissions & 4) != 0 ? 'r' : '-';
            char write = (permissions & 2) != 0 ? 'w' : '-';
            char execute = (permissions & 1) != 0 ? 'x' : '-';
            lines.Add($"{name}:{read}{write}{execute}");
        }
        return Encoding.ASCII.GetBytes(string.Join(',', lines));
    }

    private static Entry ParseEntry(string line)
    {
        string[] fields = line.Split(':');
        if (fields.Length is < 3 or > 4)
        {
            throw Malformed(line);
        }
        ushort permissions = 0;
        foreach (char permission in fields[2])
        {
            permissions |= permission switch
            {
                'r' => 4,
                'w' => 2,
                'x' => 1,
                '-' => 0,
                _ => throw Malformed(line),
            };
        }
        bool named = fields[1].Length > 0;
        ushort tag = (fields[0], named) switch
        {
            ("user" or "u", false) => UserObject,
            ("user" or "u", true) => User,
            ("group" or "g", false) => GroupObject,
            ("group" or "g", true) => Group,
            ("mask" or "m", false) => Mask,
            ("other" or "o", false) => Other,
            _ => throw Malformed(line),
        };
        return new Entry(tag, permissions, named ? ParseId(line, fields[^1], fields[1]) : UndefinedId);
    }

    // The archiver that wrote a name may have put the number in a fourth field.
    private static uint ParseId(string line, string last, string name) =>
        uint.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out uint id)
            || uint.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out id)
            ? id
            : throw Malformed(line);

    private static InvalidDataException Malformed(string line) =>
        new($"tar: \"{Trees.FileName.Display(Encoding.Latin1.GetBytes(line))}\" is no ACL entry with a numeric id");
}
