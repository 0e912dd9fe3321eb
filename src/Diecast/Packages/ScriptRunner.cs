namespace Diecast.Packages;

/// <summary>A program of the image, to be run in the image.</summary>
public sealed record Script
{
    /// <summary>For messages: "systemd 259-1: post_install", "hook 30-systemd-hwdb".</summary>
    public required string Name { get; init; }

    /// <summary>The program's path in the image, then its arguments.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>Variables that this program sees beside the fixed ones, or in their place.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The exit codes that are no failure.</summary>
    public IReadOnlyList<int> SuccessCodes { get; init; } = [0];

    /// <summary>Standard input.</summary>
    public ReadOnlyMemory<byte> Input { get; init; }

    /// <summary>A file of the build (never of the image) that the program sees, read-only, at a path of the sandbox.</summary>
    public (string Path, ReadOnlyMemory<byte> Content)? Attachment { get; init; }
}

/// <summary>How a script ended.</summary>
/// <param name="ExitCode">128 plus the signal's number where a signal ended it.</param>
/// <param name="Output">The end of what it printed, both streams together.</param>
public sealed record ScriptResult(int ExitCode, string Output);

/// <summary>Runs a script in a staged root: without network, in a fixed environment. Waits for its end.</summary>
public delegate ScriptResult ScriptRunner(Script script);
