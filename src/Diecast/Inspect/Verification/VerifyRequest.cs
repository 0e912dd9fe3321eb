using Diecast.Build;
using Diecast.Inspect.Differences;

namespace Diecast.Inspect.Verification;

/// <summary>What is to be verified, and how.</summary>
public sealed record VerifyRequest
{
    /// <summary>The configuration and how it is built; the outputs go elsewhere.</summary>
    public required BuildRequest Build { get; init; }

    /// <summary>
    /// The executable that rebuilds when it is run with <see cref="Arguments"/> in a user namespace and a
    /// <see cref="RebuildOrder"/> in its environment: it prints the image's SHA-256 and a blank first.
    /// </summary>
    public required string Program { get; init; }

    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>The caller's.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>Names of <see cref="VariationTable"/>.</summary>
    public required IReadOnlyList<string> Variations { get; init; }

    /// <summary>How many rebuilds under all of them there are, each under others of the kind.</summary>
    public int Runs { get; init; } = 1;

    /// <summary>The image; null where the first of the rebuilds, under ordinary conditions, is what the others are compared with.</summary>
    public string? Image { get; init; }

    /// <summary>The SHA-256 that the image is to have in place of what <see cref="Image"/> has; of an attestation.</summary>
    public string? Sha256 { get; init; }

    /// <summary>How two images are compared when their digests differ: null where nothing does after all.</summary>
    public required Func<string, string, Difference?> Compare { get; init; }
}

/// <summary>A rebuild under varied conditions.</summary>
public sealed record VerifyRun(string Sha256, IReadOnlyList<Varied> Varied, IReadOnlyList<NotVaried> NotVaried);

/// <summary>Why a thing differs.</summary>
public enum FindingKind
{
    /// <summary>Each of the variations that are named is enough.</summary>
    Variations,

    /// <summary>It differs in every build, also when the clock stands still.</summary>
    EveryRun,

    /// <summary>It differs in every build because time passes.</summary>
    TimePasses,

    /// <summary>It differs in every build, and without libfaketime it cannot be told whether because time passes.</summary>
    EveryRunOrTime,

    /// <summary>No variation alone is enough.</summary>
    Combination,

    /// <summary>The image differs from what is built under ordinary conditions too: it is not of this configuration, lock or tool.</summary>
    OtherImage,
}

/// <summary>One thing that differs, and why.</summary>
/// <param name="Path">The names on the way to it in the tree of differences.</param>
/// <param name="Field">Structure and name of a field; empty for the content.</param>
/// <param name="Variations">Those that cause it, in the order of the table.</param>
public sealed record Finding(string Path, string Field, FindingKind Kind, IReadOnlyList<string> Variations);

/// <summary>How a verification ended.</summary>
public sealed record VerifyResult
{
    /// <summary>What was to come out.</summary>
    public required string Sha256 { get; init; }

    public required IReadOnlyList<VerifyRun> Runs { get; init; }

    public bool IsSame => Runs.All(run => run.Sha256 == Sha256);

    /// <summary>Between the image and the last rebuild; null where it is the same, or where there is no image to compare.</summary>
    public Difference? Difference { get; init; }

    public IReadOnlyList<Finding> Findings { get; init; } = [];

    public required Packages.Lockfile Lockfile { get; init; }
}
