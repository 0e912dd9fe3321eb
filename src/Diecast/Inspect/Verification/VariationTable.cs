using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Diecast.Build;

namespace Diecast.Inspect.Verification;

/// <summary>All variations, and what each of them is in the first rebuild, the second, and so on.</summary>
public static class VariationTable
{
    private const long Day = 86400;
    private const string SharedMemory = "/dev/shm";

    private static readonly string[] s_libraries = [
        "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "/usr/lib/faketime/libfaketime.so.1", "/usr/lib64/faketime/libfaketime.so.1",
        "/usr/lib/libfaketime.so.1"];

    private static readonly (string FakeTime, string Description)[] s_clocks = [
        ("+366d", "the clock is 366 days ahead"), ("@2001-02-03 04:05:06", "the clock is in 2001, before the epoch of most images"),
        ("+7300d", "the clock is 7300 days ahead")];

    // The POSIX form needs no data of time zones.
    private static readonly (string Zone, string Offset)[] s_zones = [("<+14>-14", "+1400"), ("<-0930>9:30", "-0930"), ("<+0545>-5:45", "+0545")];

    private static readonly string[] s_locales = ["tr_TR.UTF-8", "de_DE.UTF-8", "ar_EG.UTF-8"];
    private static readonly string[] s_umasks = ["0077", "0000", "0027"];

    /// <summary>The names of all, in the order in which they are reported.</summary>
    public static IReadOnlyList<string> Names { get; } =
        ["time", "timezone", "locale", "umask", "user", "hostname", "directory", "tmpfs", "cpus", "environment"];

    /// <summary>The variations that a list names: "all", names, and names after '-' that are left out.</summary>
    /// <exception cref="FormatException">There is no variation of a name.</exception>
    public static IReadOnlyList<string> Parse(string list)
    {
        var chosen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string item in list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            string name = item.TrimStart('-');
            if (name == "all")
            {
                chosen.UnionWith(Names);
            }
            else if (!Names.Contains(name, StringComparer.Ordinal))
            {
                throw new FormatException($"there is no variation '{name}' (possible: all, {string.Join(", ", Names)})");
            }
            else if (item.StartsWith('-'))
            {
                chosen.Remove(name);
            }
            else
            {
                chosen.Add(name);
            }
        }
        return [.. Names.Where(chosen.Contains)];
    }

    /// <summary>libfaketime where Debian, Fedora and Arch have it; null where it is not installed.</summary>
    internal static string? FindFakeTime() => s_libraries.FirstOrDefault(File.Exists);

    /// <summary>A variation as it is in one of the rebuilds.</summary>
    /// <param name="run">From 0.</param>
    /// <param name="directory">A directory of the rebuild's own, which both sides can see.</param>
    /// <returns>Nothing and the reason where this host cannot have it.</returns>
    internal static (Variation? Variation, string Reason) Create(string name, int run, string directory)
    {
        try
        {
            return name switch
            {
                "time" => Time(run, directory),
                "timezone" => (TimeZone(run), ""),
                "locale" => (Locale(run), ""),
                "umask" => (Umask(run), ""),
                "user" => User(run),
                "hostname" => (HostName(run), ""),
                "directory" => (Elsewhere(directory), ""),
                "tmpfs" => (Memory(directory), ""),
                "cpus" => Processors(),
                "environment" => (Noise(run), ""),
                _ => throw new System.Diagnostics.UnreachableException(name),
            };
        }
        catch (IOException e)
        {
            return (null, e.Message);
        }
    }

    /// <summary>A clock that stands still at the same instant for every rebuild; null without libfaketime.</summary>
    internal static Variation? FrozenClock(string directory) =>
        Time(0, directory).Item1 is null ? null : Clocked("2031-02-03 04:05:06", "the clock stands still");

    private static (Variation?, string) Time(int run, string directory)
    {
        var (fakeTime, description) = s_clocks[run % s_clocks.Length];
        return FindFakeTime() is null ? (null, $"libfaketime is not installed (looked for {string.Join(", ", s_libraries)})")
            : directory.StartsWith(SharedMemory + "/", StringComparison.Ordinal) ? (null, $"libfaketime needs {SharedMemory} for itself, and TMPDIR is there")
            : (Clocked(fakeTime, description), "");
    }

    private static Variation Clocked(string fakeTime, string description) => new("time", description)
    {
        // It leaves files there for each process, and would find those of another user.
        Setup = $"mount -t tmpfs diecast {SharedMemory}\nexport"
            + string.Concat(FakedClock.VariablesFor(FindFakeTime()!, fakeTime).Select(static pair => $" {pair.Key}={Quote(pair.Value)}")) + "\n",
        Clock = fakeTime,
        Judge = static (now, ordinary) => JudgeClock(now["seconds"], ordinary),
    };

    /// <summary>Whether what a program prints as its time is far from the host's.</summary>
    internal static string? JudgeClock(string seconds, Probe ordinary) =>
        Probe.ParseSeconds(seconds) is not { } faked ? $"a program said of the time: {(seconds.Length > 0 ? seconds.ReplaceLineEndings("; ") : "nothing")}"
        : ordinary.Seconds is not { } real ? "the host has no date(1) to compare with"
        : Math.Abs(faked - real) > Day ? null
        : "the clock is the host's all the same";

    private static Variation TimeZone(int run)
    {
        var (zone, offset) = s_zones[run % s_zones.Length];
        return new("timezone", $"TZ is {zone}")
        {
            Variables = Set("TZ", zone),
            Judge = (now, _) => now["zone"] == offset ? null : $"date(1) says {now["zone"]} of the time zone",
        };
    }

    private static Variation Locale(int run)
    {
        string locale = s_locales[run % s_locales.Length];
        return new("locale", $"LC_ALL and LANG are {locale}")
        {
            Variables = new Dictionary<string, string>(StringComparer.Ordinal) { ["LC_ALL"] = locale, ["LANG"] = locale, ["LANGUAGE"] = locale },
            Judge = (now, _) => now["locale"] == locale ? null : $"LC_ALL is {now["locale"]}",
        };
    }

    private static Variation Umask(int run)
    {
        string umask = s_umasks[run % s_umasks.Length];
        return new("umask", $"umask {umask}")
        {
            Setup = $"umask {umask}\n",
            Judge = (now, ordinary) => now["umask"] == umask && ordinary["umask"] != umask ? null : $"umask says {now["umask"]}, and {ordinary["umask"]} otherwise",
        };
    }

    private static (Variation?, string) User(int run)
    {
        uint largest = UserNamespace.LargestShift();
        uint shift = UserNamespace.ShiftsRoot ? largest + (uint)run * 65536 : largest;
        return shift == 0
            ? (null, "the caller's ranges in /etc/subuid and /etc/subgid are no longer than one build needs: there are no other ids")
            : (new("user", $"user and group ids moved by {shift}")
            {
                IdShift = shift,
                Judge = static (now, ordinary) => now["denied"].Length > 0 ? $"another user cannot read {now["denied"]}"
                    : now["ids"].Length > 0 && now["ids"] != ordinary["ids"] ? null : "a shell could not run as another user",
            }, "");
    }

    private static Variation HostName(int run)
    {
        string name = $"elsewhere-{run}";
        return new("hostname", $"the host is called {name}")
        {
            Setup = $"hostname {name} 2> /dev/null || echo {name} > /proc/sys/kernel/hostname\n",
            Judge = (now, ordinary) => now["host"] == name && ordinary["host"] != name ? null : $"the host is called {now["host"]}",
        };
    }

    /// <summary>All of the host's files once more below a directory: paths that lead upwards from the sources stay right.</summary>
    private static Variation Elsewhere(string directory)
    {
        string place = Path.Join(directory, "another-and-longer-path", "to-the-same-files");
        return new("directory", "the sources are in a directory of another, longer name")
        {
            Setup = $"mkdir -p {Quote(place)} && mount --rbind / {Quote(place)} && cd {Quote(place)}\"$PWD\"\n",
            Judge = static (now, ordinary) => now["directory"].EndsWith(ordinary["directory"], StringComparison.Ordinal)
                && now["directory"].Length > ordinary["directory"].Length ? null : $"the directory is {now["directory"]}",
        };
    }

    private static Variation Memory(string directory)
    {
        string place = Path.Join(directory, "in-memory");
        return new("tmpfs", "temporary files are on tmpfs, which lists directories in another order")
        {
            Variables = Set("TMPDIR", place),
            Setup = $"mkdir -p {Quote(place)} && mount -t tmpfs -o mode=1777 diecast {Quote(place)}\n",
            Judge = static (now, ordinary) => ordinary["temporary"] == "tmpfs" ? "temporary files are on tmpfs in any case"
                : now["temporary"] == "tmpfs" ? null : $"temporary files are on {now["temporary"]}",
        };
    }

    private static (Variation?, string) Processors()
    {
        string allowed = File.ReadLines("/proc/self/status").FirstOrDefault(static line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal)) ?? "";
        string first = allowed.Split(':')[^1].Trim().Split('-', ',')[0];
        return (new("cpus", "one processor alone")
        {
            Setup = $"taskset -p -c {first} $$ > /dev/null\n",
            Judge = static (now, ordinary) => ordinary["cpus"] == "1" ? "there is but one processor in any case"
                : now["cpus"] == "1" ? null : $"nproc(1) says {now["cpus"]}",
        }, "");
    }

    private static Variation Noise(int run)
    {
        const int count = 64;
        string home = $"/nonexistent/home-{run}";
        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["HOME"] = home, ["USER"] = $"somebody-{run}", ["LOGNAME"] = $"somebody-{run}", ["EDITOR"] = "false", ["COLUMNS"] = "7", ["MAKEFLAGS"] = "-j3",
            ["CFLAGS"] = "-O0", ["PERL_HASH_SEED"] = $"{run}", ["PYTHONHASHSEED"] = $"{run + 1}",
        };
        for (int i = 0; i < count; i++)
        {
            // It looks random, and is the same in every verification.
            byte[] noise = SHA256.HashData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"noise {run} {i}")));
            variables[$"NOISE_{Convert.ToHexString(noise, 0, 4)}"] = Convert.ToBase64String(noise);
        }
        return new("environment", "another home and user name, and 64 variables of noise")
        {
            Variables = variables,
            Judge = (now, ordinary) => now["home"] == home && ordinary["noise"] != now["noise"] ? null : $"HOME is {now["home"]}",
        };
    }

    private static Dictionary<string, string> Set(string name, string value) => new(StringComparer.Ordinal) { [name] = value };

    internal static string Quote(string word) => $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
