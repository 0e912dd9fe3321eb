namespace Diecast.Build;

/// <summary>
/// Another clock for the programs in a sandbox, by libfaketime. Waiting goes by the monotonic clock, which stays.
/// </summary>
/// <param name="Library">libfaketime's path on the host.</param>
/// <param name="Time">In the form of its variable <c>FAKETIME</c>: "+366d" runs ahead, "2031-02-03 04:05:06" stands still.</param>
public sealed record FakedClock(string Library, string Time)
{
    private const string Inside = "/run/libfaketime.so.1";

    internal IReadOnlyList<string> Mounts => ["--ro-bind", Library, Inside];

    internal IReadOnlyDictionary<string, string> Variables => VariablesFor(Inside, Time);

    /// <summary>What a program's environment must have.</summary>
    public static IReadOnlyDictionary<string, string> VariablesFor(string library, string time) => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["LD_PRELOAD"] = library,
        ["FAKETIME"] = time,
        ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
        // Files have the times that packages and scripts gave them: with another clock they would be no others.
        ["NO_FAKE_STAT"] = "1",
    };
}
