using System.Globalization;
using System.Text;
using Diecast.Formats;
using Diecast.Trees;

namespace Diecast.Inspect.Kinds;

/// <summary>Databases that are texts of keys and values: of pacman, of dpkg and of apt.</summary>
internal static class KeyedText
{
    // Of a value, in characters: what is longer is told apart by its digest.
    private const int LongValue = 300;

    public static IReadOnlyList<ContainerKind> Kinds { get; } =
    [
        // https://man.archlinux.org/man/alpm-desc.5 (fields between percent signs, an empty line after each)
        Kind("pacman desc", ReadDesc, "var/lib/pacman/local/*/desc"),
        // https://man.archlinux.org/man/PKGINFO.5 and BUILDINFO.5: "key = value"
        Kind("pacman package information", ReadAssignments, ".PKGINFO", ".BUILDINFO"),
        // https://manpages.debian.org/deb822.5
        Kind("dpkg status", ReadStanzas, "var/lib/dpkg/status", "var/lib/dpkg/status-old", "var/lib/apt/extended_states"),
    ];

    private static ContainerKind Kind(string name, Action<string[], List<NamedField>> read, params string[] paths) => new(
        name,
        (_, path) => paths.Any(pattern => KnownPath.Matches(pattern, path)),
        blob =>
        {
            byte[] bytes = KindReader.ReadAll(blob, name);
            KindReader.CheckCount(bytes.AsSpan().Count((byte)'\n'), name);
            var fields = new List<NamedField>();
            // Bytes as characters, until they are shown.
            read(Encoding.Latin1.GetString(bytes).Split('\n'), fields);
            return new Container { Kind = name, Fields = fields };
        });

    private static void ReadDesc(string[] lines, List<NamedField> fields)
    {
        string key = "";
        var values = new List<string>();
        foreach (string line in lines)
        {
            if (line is ['%', _, .., '%'])
            {
                Add(key, values, fields);
                key = line;
            }
            else if (line.Length > 0)
            {
                values.Add(line);
            }
        }
        Add(key, values, fields);
    }

    private static void Add(string key, List<string> values, List<NamedField> fields)
    {
        if (key.Length > 0 || values.Count > 0)
        {
            string value = string.Join(' ', values);
            fields.Add(new NamedField(Show(key), key is "%INSTALLDATE%" or "%BUILDDATE%" ? Time(value) : Value(value)));
        }
        values.Clear();
    }

    private static void ReadAssignments(string[] lines, List<NamedField> fields)
    {
        for (int i = 0; i < lines.Length; i++)
        {
            int equals = lines[i].IndexOf('=', StringComparison.Ordinal);
            if (lines[i].StartsWith('#') || equals < 0)
            {
                if (lines[i].Length > 0)
                {
                    fields.Add(new NamedField(string.Create(CultureInfo.InvariantCulture, $"line {i + 1}"), Value(lines[i])));
                }
                continue;
            }
            string key = lines[i][..equals].Trim(), value = lines[i][(equals + 1)..].Trim();
            fields.Add(new NamedField(Show(key), key == "builddate" ? Time(value) : Value(value)));
        }
    }

    private static void ReadStanzas(string[] lines, List<NamedField> fields)
    {
        var order = new StringBuilder();
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        int start = 0;
        while (start < lines.Length)
        {
            int end = Array.IndexOf(lines, "", start);
            end = end < 0 ? lines.Length : end;
            var stanza = lines.AsSpan(start..end);
            if (!stanza.IsEmpty)
            {
                string package = NameOf(stanza);
                order.Append(package).Append('\n');
                AddStanza(KindReader.Unique(package, seen), stanza, fields);
            }
            start = end + 1;
        }
        fields.Add(new NamedField("order", string.Create(CultureInfo.InvariantCulture,
            $"{seen.Values.Sum()} packages, SHA-256 of their names {KindReader.Digest(Encoding.UTF8.GetBytes(order.ToString()))}")));
    }

    private static void AddStanza(string package, ReadOnlySpan<string> lines, List<NamedField> fields)
    {
        string key = "";
        var value = new StringBuilder();
        foreach (string line in lines)
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (line[0] is ' ' or '\t' || colon < 0)
            {
                value.Append('\n').Append(line);
                continue;
            }
            Flush();
            key = line[..colon];
            value.Append(line.AsSpan(colon + 1).Trim());
        }
        Flush();

        void Flush()
        {
            if (key.Length > 0 || value.Length > 0)
            {
                fields.Add(new NamedField($"{package} {Show(key)}", Value(value.ToString())));
            }
            value.Clear();
        }
    }

    /// <summary>"bash", or "libc6:i386" where a package may be there for several architectures.</summary>
    private static string NameOf(ReadOnlySpan<string> stanza)
    {
        string name = "(unnamed)", architecture = "", multi = "";
        foreach (string line in stanza)
        {
            name = Of(line, "Package:") ?? name;
            architecture = Of(line, "Architecture:") ?? architecture;
            multi = Of(line, "Multi-Arch:") ?? multi;
        }
        return multi == "same" ? $"{name}:{architecture}" : name;

        static string? Of(string line, string key) => line.StartsWith(key, StringComparison.Ordinal) ? Show(line[key.Length..].Trim()) : null;
    }

    private static string Time(string value) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long seconds) ? KindReader.Time(seconds) : Value(value);

    private static string Value(string value) => value.Length <= LongValue
        ? Show(value)
        : string.Create(CultureInfo.InvariantCulture,
            $"{Show(value[..LongValue])}\u2026 ({value.Length} bytes, SHA-256 {KindReader.Digest(Encoding.Latin1.GetBytes(value))})");

    private static string Show(string latin1) => FileName.Display(Encoding.Latin1.GetBytes(latin1));
}
