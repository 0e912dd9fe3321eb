using Diecast.Build;

namespace Diecast.Inspect.Verification;

/// <summary>
/// What the process that rebuilds is told by the one that verifies, in its environment: its command line is that of the
/// verification, so that both load the same configuration.
/// </summary>
public sealed record RebuildOrder
{
    private const string Prefix = "DIECAST_REBUILD_";
    private const string CallersPrefix = "DIECAST_CALLERS_";

    /// <summary>Where the outputs go.</summary>
    public required string OutputDirectory { get; init; }

    /// <summary>The package store, in which all packages are.</summary>
    public required string Store { get; init; }

    /// <summary>For what runs in the image; null for the host's.</summary>
    public FakedClock? Clock { get; init; }

    /// <summary>The file to which the trial of that clock is written.</summary>
    public required string ClockTrial { get; init; }

    /// <summary>The order that this process was given; null where it is none that rebuilds.</summary>
    public static RebuildOrder? Read(IReadOnlyDictionary<string, string> environment) =>
        environment.TryGetValue(Prefix + "OUTPUT", out string? output) ? new RebuildOrder
        {
            OutputDirectory = output,
            Store = environment[Prefix + "STORE"],
            ClockTrial = environment[Prefix + "TRIAL"],
            Clock = environment.TryGetValue(Prefix + "CLOCK", out string? time) ? new FakedClock(environment[Prefix + "LIBRARY"], time) : null,
        } : null;

    /// <summary>
    /// The environment that the configuration is to be loaded with: the caller's, for the variations change that of the process
    /// alone.
    /// </summary>
    public static Dictionary<string, string> CallersEnvironment(IReadOnlyDictionary<string, string> environment)
    {
        var callers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in environment)
        {
            if (!name.StartsWith(Prefix, StringComparison.Ordinal) && !name.StartsWith(CallersPrefix, StringComparison.Ordinal))
            {
                callers.TryAdd(name, value);
            }
            else if (name.StartsWith(CallersPrefix, StringComparison.Ordinal))
            {
                callers[name[CallersPrefix.Length..]] = value;
            }
        }
        return callers;
    }

    /// <summary>As variables; of those that are changed, the caller's values are kept.</summary>
    internal Dictionary<string, string> ToVariables(IReadOnlyDictionary<string, string> changed, IReadOnlyDictionary<string, string> callers)
    {
        var variables = new Dictionary<string, string>(changed, StringComparer.Ordinal)
        {
            [Prefix + "OUTPUT"] = OutputDirectory,
            [Prefix + "STORE"] = Store,
            [Prefix + "TRIAL"] = ClockTrial,
        };
        if (Clock is { } clock)
        {
            variables[Prefix + "CLOCK"] = clock.Time;
            variables[Prefix + "LIBRARY"] = clock.Library;
        }
        foreach (string name in changed.Keys)
        {
            variables[CallersPrefix + name] = callers.GetValueOrDefault(name, "");
        }
        return variables;
    }
}
