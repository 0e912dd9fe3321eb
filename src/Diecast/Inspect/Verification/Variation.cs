namespace Diecast.Inspect.Verification;

/// <summary>A condition of a build that must not show in the image, and how a rebuild is put under it.</summary>
/// <param name="Name">As on the command line: "time".</param>
/// <param name="Description">What it is in this rebuild, for people: "the clock is 366 days ahead".</param>
internal sealed record Variation(string Name, string Description)
{
    /// <summary>What is set in the environment of the tool.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Lines of a shell that is root in the namespace, before the tool.</summary>
    public string Setup { get; init; } = "";

    /// <summary>How far user and group ids are moved.</summary>
    public uint IdShift { get; init; }

    /// <summary>FAKETIME of libfaketime; null for the host's clock.</summary>
    public string? Clock { get; init; }

    /// <summary>Whether it is in force, by what a shell reports under it and under none: null, or why it is not.</summary>
    public required Func<Probe, Probe, string?> Judge { get; init; }
}

/// <summary>A variation that was asked for and could not be applied. It is never counted as passed.</summary>
public sealed record NotVaried(string Name, string Reason);

/// <summary>A variation that a rebuild was under, shown to be in force.</summary>
public sealed record Varied(string Name, string Description);
