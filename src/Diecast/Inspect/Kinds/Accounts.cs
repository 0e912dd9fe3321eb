using System.Globalization;
using System.Text;
using Diecast.Formats;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Inspect.Kinds;

/// <summary>
/// /etc/passwd, group, shadow and gshadow (passwd(5), shadow(5)) with their back-ups. A password is never shown: how it was
/// made, and enough of a digest to tell two apart. Every byte is in some field, so that nobody needs to look at the text.
/// </summary>
internal static class Accounts
{
    private const int PasswordColumn = 1;

    public static IReadOnlyList<ContainerKind> Kinds { get; } =
    [
        Kind("passwd", "password", "uid", "gid", "name in full", "home", "shell"),
        Kind("group", "password", "gid", "members"),
        Kind("shadow", "password", "last change", "minimum age", "maximum age", "warning", "inactivity", "expiry", "reserved"),
        Kind("gshadow", "password", "administrators", "members"),
    ];

    private static ContainerKind Kind(string name, params string[] columns) => new(
        name, (_, path) => KnownPath.Matches($"etc/{name}", path) || KnownPath.Matches($"etc/{name}-", path), blob => Read(blob, name, columns));

    private static Container Read(Blob blob, string kind, string[] columns)
    {
        byte[] bytes = KindReader.ReadAll(blob, kind);
        var fields = new List<NamedField>();
        var order = new StringBuilder();
        int count = 0;
        foreach (var range in bytes.AsSpan().Split((byte)'\n'))
        {
            ReadOnlySpan<byte> line = bytes.AsSpan(range);
            if (range.End.Value == bytes.Length)
            {
                // What stands behind the last end of line: nothing, in a file that is whole.
                if (line.IsEmpty)
                {
                    break;
                }
                fields.Add(new NamedField("end of file", "no end of line"));
            }
            KindReader.CheckCount(++count, kind);
            string[] values = Array.ConvertAll(Encoding.Latin1.GetString(line).Split(':'), static value => FileName.Display(Encoding.Latin1.GetBytes(value)));
            order.Append(values[0]).Append('\n');
            if (values.Length != columns.Length + 1)
            {
                fields.Add(new NamedField(
                    string.Create(CultureInfo.InvariantCulture, $"line {count}"),
                    string.Create(CultureInfo.InvariantCulture, $"{values.Length} columns, SHA-256 {KindReader.Digest(line)}")));
                continue;
            }
            for (int i = 1; i < values.Length; i++)
            {
                fields.Add(new NamedField($"{values[0]} {columns[i - 1]}", Value(columns[i - 1], values[i])));
            }
        }
        fields.Add(new NamedField("order", string.Create(CultureInfo.InvariantCulture,
            $"{count} entries, SHA-256 of their names {KindReader.Digest(Encoding.UTF8.GetBytes(order.ToString()))}")));
        return new Container { Kind = kind, Fields = fields };
    }

    private static string Value(string column, string value) => column switch
    {
        "password" => Password(value),
        "last change" or "expiry" => Day(value),
        _ => value,
    };

    /// <summary>"yescrypt, SHA-256 0a1b2c3d", "locked", "*".</summary>
    private static string Password(string value)
    {
        string hash = value.TrimStart('!');
        string locked = hash.Length < value.Length ? $"locked ({value[..^hash.Length]})" : "";
        if (hash is "" or "x" or "*")
        {
            return locked.Length > 0 ? hash.Length > 0 ? $"{locked}, {hash}" : locked : hash.Length > 0 ? hash : "empty";
        }
        string shown = $"{Scheme(hash)}, SHA-256 {KindReader.Digest(Encoding.UTF8.GetBytes(hash))}";
        return locked.Length > 0 ? $"{locked}, {shown}" : shown;
    }

    // crypt(5)
    private static string Scheme(string hash) => hash.Split('$') switch
    {
        ["", "y", ..] => "yescrypt",
        ["", "gy", ..] => "gost-yescrypt",
        ["", "7", ..] => "scrypt",
        ["", "6", ..] => "sha512crypt",
        ["", "5", ..] => "sha256crypt",
        ["", "1", ..] => "md5crypt",
        ["", ['2', ..], ..] => "bcrypt",
        _ => "another scheme",
    };

    /// <summary>Days since 1970, with the date.</summary>
    private static string Day(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int days) && days is > 0 and < 2_000_000
            ? string.Create(CultureInfo.InvariantCulture, $"{value} ({DateTime.UnixEpoch.AddDays(days):yyyy-MM-dd})")
            : value;
}
