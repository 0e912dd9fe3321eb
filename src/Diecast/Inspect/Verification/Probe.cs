using System.Globalization;

namespace Diecast.Inspect.Verification;

/// <summary>What a shell in the place of the tool says of the conditions that it runs under.</summary>
internal sealed class Probe
{
    /// <summary>
    /// A function of a shell that prints the lines <see cref="Parse"/> reads; its arguments are a directory that does not matter,
    /// and what the tool must be able to read under another user. Each line is of one program, which may be missing: then its value is empty.
    /// </summary>
    public const string Script = """
        probe() {
          echo "host=$(cat /proc/sys/kernel/hostname)"
          echo "seconds=$(date +%s)"
          echo "zone=$(date +%z)"
          echo "umask=$(umask)"
          echo "cpus=$(nproc)"
          echo "directory=$(pwd -P)"
          echo "temporary=$(stat -f -c %T "${TMPDIR:-/var/tmp}")"
          echo "ids=$(echo $(cat /proc/self/uid_map))"
          echo "locale=$LC_ALL"
          echo "home=$HOME"
          echo "noise=$(env | grep -c '^NOISE_')"
          own=$1
          shift
          echo "denied=$(find "$@" -path "$own" -prune -o \( -type f -o -type d \) ! -readable -print 2>&1 | head -n 1)"
        }

        """;

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    public string this[string name] => _values.GetValueOrDefault(name, "");

    /// <summary>Seconds since 1970, or null where the shell could not say.</summary>
    public long? Seconds => ParseSeconds(this["seconds"]);

    public static Probe Parse(string text)
    {
        var probe = new Probe();
        foreach (string line in text.Split('\n'))
        {
            if (line.Split('=', 2) is [var name, var value])
            {
                probe._values[name] = value;
            }
        }
        return probe;
    }

    public static long? ParseSeconds(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long seconds) ? seconds : null;
}
