using System.Globalization;
using System.Text;
using System.Text.Json;
using Diecast.Trees;

namespace Diecast.Inspect.Reports;

/// <summary>Entries of a tree as lines in the style of <c>ls -l</c>, and as JSON.</summary>
public static class Listing
{
    /// <summary>The widths of the columns that have no width of their own.</summary>
    public readonly record struct Widths(int Uid, int Gid, int Size)
    {
        /// <summary>What is wide enough for nearly all, where not all entries are known before the first is written.</summary>
        public static Widths Usual => new(5, 5, 11);

        public static Widths Of(IReadOnlyCollection<Node> nodes) => new(
            nodes.Select(static node => Number(node.Metadata.Uid).Length).DefaultIfEmpty().Max(),
            nodes.Select(static node => Number(node.Metadata.Gid).Length).DefaultIfEmpty().Max(),
            nodes.Select(static node => SizeOf(node).Length).DefaultIfEmpty().Max());
    }

    /// <summary>
    /// Type and mode, owner, group, size (a device's numbers), time in UTC, name and a link's target. How many names a file
    /// has, and how large a directory is, no tree tells.
    /// </summary>
    public static string Line(string name, Node node, Widths widths)
    {
        var metadata = node.Metadata;
        string target = node is SymlinkNode link ? " -> " + FileName.Display(link.Target.AsSpan()) : "";
        return $"{Mode(node)} {Number(metadata.Uid).PadLeft(widths.Uid)} {Number(metadata.Gid).PadLeft(widths.Gid)} "
            + $"{SizeOf(node).PadLeft(widths.Size)} {Units.Time(metadata.Mtime)} {name}{target}";
    }

    /// <summary>A line for each extended attribute: text in quotation marks, other values in hexadecimal.</summary>
    public static IEnumerable<string> XattrLines(Node node) => node.Metadata.Xattrs.Select(static xattr =>
        $"    {FileName.Display(xattr.Name.AsSpan())}={Value(xattr.Value.AsSpan())}");

    /// <summary>An object with all that the tree knows.</summary>
    public static void WriteJson(Utf8JsonWriter json, string name, Node node, bool xattrs)
    {
        var metadata = node.Metadata;
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString("type", node.Type.ToName());
        json.WriteString("mode", Convert.ToString(metadata.Mode, 8).PadLeft(4, '0'));
        json.WriteNumber("uid", metadata.Uid);
        json.WriteNumber("gid", metadata.Gid);
        json.WriteString("mtime", Units.TimeForMachines(metadata.Mtime));
        switch (node)
        {
            case FileNode file:
                json.WriteNumber("size", file.Content.Length);
                break;
            case SymlinkNode link:
                json.WriteString("target", FileName.Display(link.Target.AsSpan()));
                break;
            case DeviceNode device:
                json.WriteNumber("major", device.Major);
                json.WriteNumber("minor", device.Minor);
                break;
        }
        if (xattrs && !metadata.Xattrs.IsEmpty)
        {
            json.WriteStartObject("xattrs");
            foreach (var xattr in metadata.Xattrs)
            {
                json.WriteString(FileName.Display(xattr.Name.AsSpan()), Convert.ToHexStringLower(xattr.Value.AsSpan()));
            }
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    /// <summary>"drwxr-xr-x", with s, S, t and T for the three bits above, as ls has it.</summary>
    public static string Mode(Node node)
    {
        char type = node.Type switch
        {
            FileType.Regular => '-',
            FileType.Directory => 'd',
            FileType.Symlink => 'l',
            FileType.CharacterDevice => 'c',
            FileType.BlockDevice => 'b',
            FileType.Fifo => 'p',
            _ => 's',
        };
        var text = new StringBuilder("?rwxrwxrwx") { [0] = type };
        int mode = node.Metadata.Mode;
        for (int bit = 0; bit < 9; bit++)
        {
            if ((mode >> bit & 1) == 0)
            {
                text[9 - bit] = '-';
            }
        }
        for (int bit = 0; bit < 3; bit++)
        {
            if ((mode >> (9 + bit) & 1) != 0)
            {
                int place = 9 - 3 * bit;
                char letter = bit == 0 ? 't' : 's';
                text[place] = text[place] == 'x' ? letter : char.ToUpperInvariant(letter);
            }
        }
        return text.ToString();
    }

    private static string SizeOf(Node node) => node switch
    {
        FileNode file => Number(file.Content.Length),
        SymlinkNode link => Number(link.Target.Length),
        DeviceNode device => $"{Number(device.Major)}, {Number(device.Minor)}",
        _ => "-",
    };

    private static string Value(ReadOnlySpan<byte> value) => FileName.Display(value) is var text && !text.Contains('\\', StringComparison.Ordinal)
        ? $"\"{text}\"" : "0x" + Convert.ToHexStringLower(value);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
