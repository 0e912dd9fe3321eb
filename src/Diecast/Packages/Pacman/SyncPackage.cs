using System.Collections.Immutable;

namespace Diecast.Packages.Pacman;

/// <summary>A package as a sync database describes it.</summary>
public sealed class SyncPackage
{
    /// <summary>The name of the database that it stands in.</summary>
    public required string Repository { get; init; }

    public required string Name { get; init; }

    /// <summary>With epoch and release.</summary>
    public required string Version { get; init; }

    /// <summary>The name of the package file, beside the database on the server.</summary>
    public required string FileName { get; init; }

    /// <summary>The size of the package file in bytes.</summary>
    public required long CompressedSize { get; init; }

    /// <summary>Of the package file, in lower-case hexadecimal; null where the database has none.</summary>
    public string? Sha256 { get; init; }

    /// <summary>The detached signature of the package file in base64; null where it is a file of its own.</summary>
    public string? Signature { get; init; }

    /// <summary>The size of the content in bytes.</summary>
    public long InstalledSize { get; init; }

    /// <summary>Seconds since 1970.</summary>
    public long BuildDate { get; init; }

    public string? Base { get; init; }

    public string? Description { get; init; }

    public string? Url { get; init; }

    public string? Architecture { get; init; }

    public string? Packager { get; init; }

    public ImmutableArray<string> Groups { get; init; } = [];

    public ImmutableArray<string> Licenses { get; init; } = [];

    public ImmutableArray<Dependency> Depends { get; init; } = [];

    public ImmutableArray<Dependency> OptionalDepends { get; init; } = [];

    public ImmutableArray<Dependency> Conflicts { get; init; } = [];

    public ImmutableArray<Dependency> Provides { get; init; } = [];

    public ImmutableArray<Dependency> Replaces { get; init; } = [];

    /// <summary>By its name and version, or by what it provides.</summary>
    public bool Satisfies(Dependency dependency) =>
        dependency.Accepts(Name, Version) || Provides.Any(dependency.Accepts);

    /// <summary>"core/glibc-2.36-3".</summary>
    public override string ToString() => $"{Repository}/{Name}-{Version}";
}
