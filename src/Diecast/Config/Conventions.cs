using System.Text;

namespace Diecast.Config;

/// <summary>The files beside mkosi.conf that mean something by their name alone.</summary>
internal static class Conventions
{
    // Those that give no setting its value.
    private static readonly string[] s_notYet =
        ["mkosi.conf.d/", "mkosi.images/", "mkosi.initrd/", "mkosi.initrd.conf", "mkosi.local/", "mkosi.local.conf"];

    private static readonly Comparison<string> s_byBytes = static (a, b) => Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b));

    /// <summary>A file that is there: the setting it belongs to (null if none), and its path.</summary>
    public readonly record struct Found(Setting? Setting, string Path, bool IsText);

    /// <summary>Those that exist in a directory, in the order of the table.</summary>
    public static IEnumerable<Found> In(string directory)
    {
        foreach (string name in s_notYet.Where(name => Exists(Path.Join(directory, name))))
        {
            yield return new Found(null, Path.Join(directory, name.TrimEnd('/')), false);
        }
        foreach (var setting in SettingTable.All)
        {
            foreach (var file in setting.Files)
            {
                string path = Path.Join(directory, "mkosi." + file.Name);
                if (!Exists(path))
                {
                    continue;
                }
                // A directory whose entries are the values; of one that is refused the directory is named.
                string[] found = path.EndsWith('/') && setting.Group == SettingGroup.Acts ? Entries(path) : [path.TrimEnd('/')];
                foreach (string entry in found)
                {
                    yield return new Found(setting, entry, file.IsText);
                }
            }
        }
    }

    /// <summary>Reads a file that holds a value as text.</summary>
    /// <exception cref="FormatException">It is a program, whose output could be anything.</exception>
    public static string ReadText(string path)
    {
        const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Executable) != 0
            ? throw new FormatException("is a program, which is not supported yet: write the value into a text file")
            : File.ReadAllText(path).TrimEnd('\n', '\r');
    }

    private static string[] Entries(string directory)
    {
        string[] entries = Directory.GetFileSystemEntries(directory);
        Array.Sort(entries, s_byBytes);
        return entries;
    }

    private static bool Exists(string path) => path.EndsWith('/')
        ? Directory.Exists(path) && Directory.GetFileSystemEntries(path).Length > 0
        : Path.Exists(path);
}
