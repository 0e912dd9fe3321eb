using System.Globalization;
using System.Text;
using Diecast.Trees;

namespace Diecast.Packages.Pacman;

/// <summary>
/// A package's own description, <c>.PKGINFO</c>: lines <c>key = value</c>. Values are kept as bytes, since they go into the
/// local database as they are, whatever their encoding.
/// </summary>
public sealed class PackageInfo
{
    private readonly Dictionary<string, List<byte[]>> _values;

    private PackageInfo(Dictionary<string, List<byte[]>> values)
    {
        _values = values;
        Identity = new PackageIdentity(Text("pkgname") ?? "", Text("pkgver") ?? "");
        BuildDate = Number("builddate");
        InstalledSize = Number("size");
    }

    public PackageIdentity Identity { get; }

    public string Architecture => Text("arch") ?? "";

    /// <summary>Seconds since 1970; 0 where there is none.</summary>
    public long BuildDate { get; }

    /// <summary>The size of the content in bytes.</summary>
    public long InstalledSize { get; }

    public IEnumerable<Dependency> Depends => All("depend").Select(static value => Dependency.Parse(Encoding.UTF8.GetString(value)));

    public IEnumerable<Dependency> Provides => All("provides").Select(static value => Dependency.Parse(Encoding.UTF8.GetString(value)));

    /// <summary>The configuration files: paths from the root without a leading slash.</summary>
    public IReadOnlyList<byte[]> Backup => All("backup");

    /// <summary>All values of a key, in their order.</summary>
    public IReadOnlyList<byte[]> All(string key) => _values.GetValueOrDefault(key) ?? [];

    /// <summary>The last value of a key, which is the one that counts, or null.</summary>
    public byte[]? Last(string key) => All(key) is [.., var last] ? last : null;

    private string? Text(string key) => Last(key) is { } value ? Encoding.UTF8.GetString(value) : null;

    /// <exception cref="InvalidDataException">Name or version are missing or cannot be such, or a number is none.</exception>
    public static PackageInfo Parse(ReadOnlySpan<byte> content)
    {
        var values = new Dictionary<string, List<byte[]>>(StringComparer.Ordinal);
        foreach (var range in content.Split((byte)'\n'))
        {
            var line = content[range];
            int end = line.IndexOf((byte)' ');
            // What is no "key = value" is passed over, as pacman does.
            if (line.StartsWith("#"u8) || end < 0 || !line[end..].StartsWith(" = "u8))
            {
                continue;
            }
            string key = Encoding.UTF8.GetString(line[..end]);
            if (!values.TryGetValue(key, out var list))
            {
                values.Add(key, list = []);
            }
            list.Add(line[(end + 3)..].ToArray());
        }
        var info = new PackageInfo(values);
        return info.Identity.IsValid
            ? info
            : throw new InvalidDataException($".PKGINFO: {Quote(info.Identity.Name)} {Quote(info.Identity.Version)} are no name and version");
    }

    private long Number(string key) => Text(key) is not { } text ? 0
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number
        : throw new InvalidDataException($".PKGINFO: {key} is no number");

    private static string Quote(string text) => $"\"{FileName.Display(Encoding.UTF8.GetBytes(text))}\"";
}
