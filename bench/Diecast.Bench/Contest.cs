using System.Diagnostics;
using System.Globalization;

namespace Diecast.Bench;

/// <summary>A tool in a contest.</summary>
/// <param name="Name">As it stands in the table.</param>
/// <param name="Command">A program with its arguments.</param>
/// <param name="Output">What it writes, which is gone before; a file is synced after, a directory is not. Null where it only reads.</param>
internal sealed record Contender(string Name, IReadOnlyList<string> Command, string? Output = null)
{
    /// <summary>That of success: tools that compare say 1 of what differs.</summary>
    public int ExitCode { get; init; }

    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
}

/// <summary>What a run of a process and its children took.</summary>
/// <param name="Seconds">Of the clock, with the output on the disk.</param>
/// <param name="Kilobytes">The largest resident set of any one process.</param>
internal readonly record struct Measurement(double Seconds, double ProcessorSeconds, long Kilobytes);

/// <summary>
/// Tools that do the same work, run one after the other and that several times over, so that what else the machine does
/// meets them all; the first round is not counted, it warms what may be warm.
/// </summary>
internal sealed class Contest(string title, int rounds, string logs)
{
    /// <summary>
    /// Before each run. What a run deletes slows the next one down for a while: ext4 without a journal takes no inode that was deleted
    /// less than 35 s ago, and looks at each of them whenever it needs one.
    /// </summary>
    public TimeSpan Rest { get; init; }

    public IReadOnlyList<(Contender Contender, Measurement Median)> Run(params Contender[] contenders)
    {
        var measured = contenders.ToDictionary(static contender => contender, static _ => new List<Measurement>());
        for (int round = 0; round <= rounds; round++)
        {
            foreach (var contender in contenders)
            {
                var result = Measure(contender);
                Console.Error.WriteLine(Text($"{title}, round {round} of {rounds}: {contender.Name} {result.Seconds:F2} s"));
                if (round > 0)
                {
                    measured[contender].Add(result);
                }
            }
        }
        return [.. contenders.Select(contender => (contender, Median(measured[contender])))];
    }

    /// <summary>A table in Markdown, with ratios to the first contender.</summary>
    public string Table(IReadOnlyList<(Contender Contender, Measurement Median)> results)
    {
        var lines = new List<string> { $"| {title} | wall clock | processor | peak memory | ratio |", "|---|---|---|---|---|" };
        lines.AddRange(results.Select(result => Text(
            $"| {result.Contender.Name} | {result.Median.Seconds:F2} s | {result.Median.ProcessorSeconds:F2} s | {result.Median.Kilobytes / 1024} MiB | {result.Median.Seconds / Math.Max(results[0].Median.Seconds, 0.01):F2} |")));
        return string.Join('\n', lines) + "\n";
    }

    private Measurement Measure(Contender contender)
    {
        if (contender.Output is { } output)
        {
            Commands.Run("rm", ["-rf", output]);
        }
        Commands.Run("sync");
        Thread.Sleep(Rest);
        string times = Path.Join(logs, "times");
        // time(1) adds up the children; the shell's sync is its child too.
        const string script = "output=$1 code=$2; shift 2; \"$@\"; [ $? = $code ] || exit; [ ! -f \"$output\" ] || sync \"$output\"";
        string code = contender.ExitCode.ToString(CultureInfo.InvariantCulture);
        string[] command = ["-o", times, "-f", "%e %U %S %M", "sh", "-c", script, "sh", contender.Output ?? "", code, .. contender.Command];
        Commands.Run("time", command, contender.Environment, Path.Join(logs, $"{contender.Name.Split(' ')[0]}.log"));
        double[] fields = [.. File.ReadAllText(times).Split(' ').Select(static field => double.Parse(field, CultureInfo.InvariantCulture))];
        return new Measurement(fields[0], fields[1] + fields[2], (long)fields[3]);
    }

    private static Measurement Median(List<Measurement> runs) => new(
        Middle(runs.Select(static run => run.Seconds)), Middle(runs.Select(static run => run.ProcessorSeconds)),
        (long)Middle(runs.Select(static run => (double)run.Kilobytes)));

    private static double Middle(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

internal static class Commands
{
    /// <summary>Runs a program; its output goes to a file, or to this program's.</summary>
    /// <exception cref="InvalidOperationException">It fails.</exception>
    public static void Run(
        string program, IReadOnlyList<string>? arguments = null, IReadOnlyDictionary<string, string>? environment = null, string? log = null)
    {
        string[] all = [program, .. arguments ?? []];
        var start = log is null
            ? new ProcessStartInfo(program, all[1..])
            : new ProcessStartInfo("sh", ["-c", "log=$1; shift; exec \"$@\" > \"$log\" 2>&1", "sh", log, .. all]);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }
        using var process = Process.Start(start)!;
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{string.Join(' ', all)} ended with {process.ExitCode}{(log is null ? "" : $": see {log}")}");
        }
    }
}
