using Diecast.Config;
using Diecast.Packages;

namespace Diecast.Build;

/// <summary>What is said while an image is built; nothing of it has any effect on the image.</summary>
public sealed record BuildReport
{
    /// <summary>A stage begins.</summary>
    public Action<string> Stage { get; init; } = static _ => { };

    public Action<DownloadProgress> Download { get; init; } = static _ => { };

    /// <summary>What scripts print, and each step; for <c>--debug</c>.</summary>
    public Action<string> Detail { get; init; } = static _ => { };

    public Action<string> Warning { get; init; } = static _ => { };

    /// <summary>What a shell of the image says of a faked clock: seconds since 1970, or why it has another.</summary>
    public Action<string> ClockTrial { get; init; } = static _ => { };
}

/// <summary>A configuration and how it is to be built.</summary>
public sealed record BuildRequest
{
    public required BuildConfig Config { get; init; }

    /// <summary>Replace outputs that exist.</summary>
    public bool Force { get; init; }

    /// <summary>Fail rather than resolve packages.</summary>
    public bool Locked { get; init; }

    /// <summary>The directory of the package store.</summary>
    public required string Store { get; init; }

    /// <summary>The Unix time that signatures and lists of packages must be valid at, when packages are resolved; null for that of the lists.</summary>
    public long? Now { get; init; }

    /// <summary>Of Diecast, for the manifest.</summary>
    public required string ToolVersion { get; init; }

    public BuildReport Report { get; init; } = new();

    /// <summary>Another clock than the host's for what runs in the image, to prove that it makes no difference.</summary>
    public FakedClock? Clock { get; init; }

    /// <summary>
    /// Where given, a shell is opened on the terminal of this process whenever a script fails, in that script's sandbox, after
    /// this was called with a line that says where it is.
    /// </summary>
    public Action<string>? DebugShell { get; init; }

    public CancellationToken Cancellation { get; init; }
}

/// <summary>What a build made.</summary>
/// <param name="Path">The main output.</param>
/// <param name="Sha256">Of the main output, in hexadecimal; null for a directory.</param>
/// <param name="Times">Where the time went.</param>
public sealed record BuildResult(string Path, string? Sha256, BuildTimes Times);
