using System.Globalization;
using System.Text;
using Diecast.Trees;

namespace Diecast.Packages.Apt;

/// <summary>
/// What an administrator or a script has told dpkg to do otherwise, as it stands in the root: diversions, dpkg-divert(1), and
/// owners and modes, dpkg-statoverride(1); and the ids of users and groups, which archives name.
/// </summary>
internal sealed class DpkgOverrides
{
    private const string Database = "var/lib/dpkg/";

    private readonly Dictionary<FileName, Diversion> _diversions = [];
    private readonly Dictionary<FileName, (uint Uid, uint Gid, ushort Mode)> _modes = [];
    private readonly HashSet<FileName> _diverted = [];
    private readonly Dictionary<string, uint> _users;
    private readonly Dictionary<string, uint> _groups;

    /// <param name="To">Where the file of any other package goes.</param>
    /// <param name="Package">The one whose file stays; null where no package's does.</param>
    public sealed record Diversion(FileName To, string? Package);

    /// <exception cref="InvalidDataException">A file of the root is malformed.</exception>
    public DpkgOverrides(StagedRoot root)
    {
        _users = ReadIds(root, "etc/passwd");
        _groups = ReadIds(root, "etc/group");
        string[] lines = ReadLines(root, Database + "diversions");
        for (int i = 0; i + 2 < lines.Length; i += 3)
        {
            var diversion = new Diversion(PathOf(lines[i + 1], "diversions"), lines[i + 2] == ":" ? null : lines[i + 2]);
            _diversions[PathOf(lines[i], "diversions")] = diversion;
            _diverted.Add(diversion.To);
        }
        foreach (string line in ReadLines(root, Database + "statoverride"))
        {
            if (line.Split(' ', 4) is not [var user, var group, var mode, var path]
                || Id(_users, user) is not { } uid || Id(_groups, group) is not { } gid)
            {
                throw new InvalidDataException($"{Database}statoverride: \"{line}\" is malformed or of no known user or group");
            }
            _modes[PathOf(path, "statoverride")] = (uid, gid, ParseMode(mode));
        }
    }

    public IEnumerable<KeyValuePair<FileName, Diversion>> Diversions => _diversions;

    public Diversion? DiversionOf(FileName path) => _diversions.GetValueOrDefault(path);

    /// <summary>Whether others' files are diverted to the path.</summary>
    public bool IsDivertedTo(FileName path) => _diverted.Contains(path);

    /// <summary>Where a package's file goes.</summary>
    public FileName PlaceOf(FileName path, DebPackage package) =>
        DiversionOf(path) is { } diversion && diversion.Package != package.Name ? diversion.To : path;

    /// <summary>Owners by their names where the root knows them, as dpkg has it, and what statoverride says.</summary>
    public Metadata Apply(FileName path, Metadata metadata, ReadOnlySpan<byte> user, ReadOnlySpan<byte> group)
    {
        if (_modes.TryGetValue(path, out var mode))
        {
            return metadata with { Mode = mode.Mode, Uid = mode.Uid, Gid = mode.Gid };
        }
        uint uid = _users.GetValueOrDefault(Encoding.Latin1.GetString(user), metadata.Uid);
        uint gid = _groups.GetValueOrDefault(Encoding.Latin1.GetString(group), metadata.Gid);
        return uid == metadata.Uid && gid == metadata.Gid ? metadata : metadata with { Uid = uid, Gid = gid };
    }

    private static string[] ReadLines(StagedRoot root, string path) =>
        Encoding.Latin1.GetString(root.ReadFile(Posix.Bytes(path)) ?? []).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static FileName PathOf(string line, string file) => line is ['/', _, ..]
        ? new FileName(Encoding.Latin1.GetBytes(line[1..]))
        : throw new InvalidDataException($"{Database}{file}: \"{line}\" is no path");

    /// <summary>The third field of each line by the first; the first line of a name counts.</summary>
    private static Dictionary<string, uint> ReadIds(StagedRoot root, string path)
    {
        var ids = new Dictionary<string, uint>(StringComparer.Ordinal);
        foreach (string line in ReadLines(root, path))
        {
            if (line.Split(':') is [var name, _, var id, ..] && uint.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out uint number))
            {
                ids.TryAdd(name, number);
            }
        }
        return ids;
    }

    private static uint? Id(Dictionary<string, uint> ids, string name)
    {
        if (name is ['#', ..])
        {
            return uint.TryParse(name.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out uint number) ? number : null;
        }
        return ids.TryGetValue(name, out uint id) ? id : null;
    }

    private static ushort ParseMode(string text) =>
        text.Length is > 0 and <= 5 && text.All(static c => c is >= '0' and <= '7') ? (ushort)(Convert.ToUInt32(text, 8) & 0xFFF)
        : throw new InvalidDataException($"{Database}statoverride: {text} is no mode");
}
