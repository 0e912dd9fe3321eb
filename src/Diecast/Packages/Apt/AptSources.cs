using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Diecast.Packages.Apt;

/// <summary>A suite at an address, as a sources file names it.</summary>
internal sealed record AptSourceEntry(
    string Place, string Address, string Suite, ImmutableArray<string> Components, string SignedBy, bool IsTrusted, bool ChecksValidity);

/// <summary>Reads the files of sources.list(5), in both their formats. Sources of source packages are left out.</summary>
internal static class AptSources
{
    private const long MaximumFile = 1 << 20;
    private const string MirrorList = "mirror+file:";

    /// <summary>etc/apt/sources.list, then what is in sources.list.d in byte order.</summary>
    public static IEnumerable<string> Files(string root)
    {
        string single = Path.Join(root, "etc/apt/sources.list");
        string directory = Path.Join(root, "etc/apt/sources.list.d");
        return (File.Exists(single) ? [single] : Array.Empty<string>()).Concat(!Directory.Exists(directory) ? []
            : Directory.GetFiles(directory).Where(static path => path.EndsWith(".list", StringComparison.Ordinal)
                || path.EndsWith(".sources", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    public static List<AptRepository> Read(string path, AptSettings settings, AptKeys keys, List<string> errors)
    {
        var repositories = new List<AptRepository>();
        foreach (var entry in Entries(path, settings.Architecture, errors))
        {
            var (files, signers) = entry.IsTrusted ? (null, []) : keys.SignedBy(entry.SignedBy, entry.Place);
            repositories.Add(new AptRepository
            {
                Name = entry.Suite,
                Address = entry.Address,
                Suite = entry.Suite,
                Components = entry.Components,
                Keys = files,
                Signers = signers,
                ChecksValidity = entry.ChecksValidity,
            });
        }
        return repositories;
    }

    /// <param name="path">The name's end says which format it has.</param>
    /// <param name="architecture">Sources without it are left out.</param>
    /// <param name="errors">Gets what is malformed, <c>path:line: message</c>.</param>
    public static List<AptSourceEntry> Entries(string path, string architecture, List<string> errors)
    {
        var entries = new List<AptSourceEntry>();
        if (new FileInfo(path).Length > MaximumFile)
        {
            errors.Add($"{path}: has more than {MaximumFile} bytes");
            return entries;
        }
        byte[] bytes = File.ReadAllBytes(path);
        if (!path.EndsWith(".sources", StringComparison.Ordinal))
        {
            int number = 0;
            foreach (string line in Encoding.UTF8.GetString(bytes).Split('\n'))
            {
                number++;
                ReadLine(line.Split('#')[0].Trim(), string.Create(CultureInfo.InvariantCulture, $"{path}:{number}"), architecture, entries, errors);
            }
            return entries;
        }
        try
        {
            foreach (var paragraph in ControlFile.Parse(bytes, path, comments: true))
            {
                ReadParagraph(paragraph, string.Create(CultureInfo.InvariantCulture, $"{path}:{paragraph.Line}"), architecture, entries, errors);
            }
        }
        catch (InvalidDataException e)
        {
            errors.Add(e.Message);
        }
        return entries;
    }

    private static void ReadParagraph(
        ControlParagraph paragraph, string place, string architecture, List<AptSourceEntry> entries, List<string> errors)
    {
        if (paragraph["Enabled"] is "no" or "false" || !paragraph.Words("Types").Contains("deb")
            || (paragraph.Words("Architectures") is { Length: > 0 } architectures && !architectures.Contains(architecture)))
        {
            return;
        }
        var (addresses, suites) = (paragraph.Words("URIs"), paragraph.Words("Suites"));
        if (addresses.Length == 0 || suites.Length == 0)
        {
            errors.Add($"{place}: has no {(addresses.Length == 0 ? "URIs" : "Suites")}");
        }
        foreach (string address in addresses)
        {
            foreach (string suite in suites)
            {
                Add(new AptSourceEntry(place, address, suite, [.. paragraph.Words("Components")], paragraph["Signed-By"] ?? "",
                    paragraph["Trusted"] == "yes", paragraph["Check-Valid-Until"] != "no"), architecture, entries, errors);
            }
        }
    }

    /// <summary><c>deb [ option=value … ] address suite component …</c></summary>
    private static void ReadLine(string line, string place, string architecture, List<AptSourceEntry> entries, List<string> errors)
    {
        string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (words is not ["deb", ..])
        {
            if (words.Length > 0 && words[0] != "deb-src")
            {
                errors.Add($"{place}: {words[0]} is neither deb nor deb-src");
            }
            return;
        }
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        int next = 1;
        if (line.IndexOf('[', StringComparison.Ordinal) is >= 0 and var open && words[1].StartsWith('['))
        {
            int close = line.IndexOf(']', StringComparison.Ordinal);
            if (close < 0)
            {
                errors.Add($"{place}: the options have no ]");
                return;
            }
            foreach (string option in line[(open + 1)..close].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            {
                string[] parts = option.Split('=', 2);
                options[parts[0].TrimEnd('+', '-')] = parts.Length > 1 ? parts[1] : "";
            }
            words = line[(close + 1)..].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            next = 0;
        }
        if (words.Length < next + 2)
        {
            errors.Add($"{place}: deb needs an address and a suite");
        }
        else if (!options.TryGetValue("arch", out string? architectures) || architectures.Split(',').Contains(architecture))
        {
            Add(new AptSourceEntry(place, words[next], words[next + 1], [.. words[(next + 2)..]], options.GetValueOrDefault("signed-by", ""),
                options.GetValueOrDefault("trusted") == "yes", options.GetValueOrDefault("check-valid-until") != "no"), architecture, entries, errors);
        }
    }

    private static void Add(AptSourceEntry entry, string architecture, List<AptSourceEntry> entries, List<string> errors)
    {
        entry = entry with
        {
            Address = FromList(entry).Replace("$(ARCH)", architecture, StringComparison.Ordinal).TrimEnd('/'),
            Suite = entry.Suite.Replace("$(ARCH)", architecture, StringComparison.Ordinal),
        };
        bool isFlat = entry.Suite.EndsWith('/');
        if (!Uri.TryCreate(entry.Address, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https" or "file"))
        {
            errors.Add($"{entry.Place}: {entry.Address} is no http, https or file address");
        }
        else if (isFlat != entry.Components.IsEmpty)
        {
            errors.Add($"{entry.Place}: {(isFlat ? "a suite that ends with / has no components" : "there are no components")}");
        }
        else if (entry.Suite.Split('/').Contains("..") || entry.Components.Any(static component => component.Split('/').Contains("..")))
        {
            errors.Add($"{entry.Place}: .. leads out of the repository");
        }
        else
        {
            entries.Add(entry);
        }
    }

    /// <summary>
    /// apt-transport-mirror(1), as Debian's cloud images have it: the first address of a list below the same root. Its other
    /// columns choose between mirrors of the same packages.
    /// </summary>
    private static string FromList(AptSourceEntry entry)
    {
        int root = entry.Place.LastIndexOf("/etc/apt/", StringComparison.Ordinal);
        if (root < 0 || !entry.Address.StartsWith(MirrorList, StringComparison.Ordinal))
        {
            return entry.Address;
        }
        string list = Path.Join(entry.Place[..root], "/" + entry.Address[MirrorList.Length..].TrimStart('/'));
        return !File.Exists(list) || new FileInfo(list).Length > MaximumFile ? entry.Address : File.ReadLines(list)
            .Select(static line => line.Split('#')[0].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            .FirstOrDefault(static words => words.Length > 0)?[0] ?? entry.Address;
    }
}
