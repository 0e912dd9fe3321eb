using System.Collections.Immutable;

namespace Diecast.Packages.Apt;

/// <summary>What a configuration says about the repositories of Debian or Ubuntu.</summary>
public sealed record AptSettings
{
    /// <summary>"debian" or "ubuntu".</summary>
    public required string Distribution { get; init; }

    /// <summary>Code name or suite, as "trixie", "sid" or "testing".</summary>
    public required string Release { get; init; }

    /// <summary>Debian's name of it.</summary>
    public string Architecture { get; init; } = "amd64";

    /// <summary>The directory that holds dists and pool; null for where the host's own apt gets this distribution from.</summary>
    public string? Mirror { get; init; }

    /// <summary>What the mirror, a dated archive, calls a moment, as "20260101T000000Z"; null for the present.</summary>
    public string? Snapshot { get; init; }

    /// <summary>Components besides main.</summary>
    public ImmutableArray<string> Repositories { get; init; } = [];

    /// <summary>Whether signatures are checked.</summary>
    public bool KeyCheck { get; init; } = true;

    /// <summary>Directories on the host with the user's own etc/apt and usr/share/keyrings; a later one wins.</summary>
    public ImmutableArray<string> SandboxTrees { get; init; } = [];

    /// <summary>Where the host's own etc/apt and usr/share/keyrings are.</summary>
    public string HostRoot { get; init; } = "/";
}

/// <summary>A file with keys, binary or armored.</summary>
public sealed record AptKeyFile(string Name, byte[] Content);

/// <summary>A suite in an archive.</summary>
public sealed record AptRepository
{
    /// <summary>As it stands in a lock file: no address. No two have the same.</summary>
    public required string Name { get; init; }

    /// <summary>The directory that holds dists and pool, without a slash at its end.</summary>
    public required string Address { get; init; }

    /// <summary>As "trixie-security"; ends with a slash for a repository without dists.</summary>
    public required string Suite { get; init; }

    /// <summary>In order; empty for a repository without dists.</summary>
    public required ImmutableArray<string> Components { get; init; }

    /// <summary>The keys that may sign it; null where signatures are not checked.</summary>
    public required ImmutableArray<AptKeyFile>? Keys { get; init; }

    /// <summary>Fingerprints of those of the keys that may; empty for all.</summary>
    public ImmutableArray<string> Signers { get; init; } = [];

    /// <summary>Whether it must not be older than it says itself that it is valid.</summary>
    public bool ChecksValidity { get; init; } = true;
}

/// <summary>From where packages come.</summary>
public sealed record AptConfiguration
{
    public required string Architecture { get; init; }

    /// <summary>In the order in which APT reads them.</summary>
    public required ImmutableArray<AptRepository> Repositories { get; init; }

    /// <summary>
    /// The user's own repositories in etc/apt of the sandbox trees, and the distribution's: its release with updates and
    /// security updates, in the place of a file mkosi.sources. Where there is such a file, it stands for them.
    /// </summary>
    /// <exception cref="PackageException">It cannot be used: one line for each reason.</exception>
    public static AptConfiguration Read(AptSettings settings)
    {
        var errors = new List<string>();
        var keys = new AptKeys(settings, errors);
        var files = SourceFiles(settings);
        var repositories = new List<AptRepository>();
        if (!files.ContainsKey(DefaultSources))
        {
            files.Add(DefaultSources, null);
        }
        // sources.list goes before all of sources.list.d.
        foreach (var (name, path) in files.OrderBy(static file => file.Key == "sources.list" ? "" : file.Key, StringComparer.Ordinal))
        {
            repositories.AddRange(path is null ? AptDefaults.Repositories(settings, keys, errors) : AptSources.Read(path, settings, keys, errors));
        }
        if (errors.Count == 0 && repositories.Count == 0)
        {
            errors.Add("there is no repository");
        }
        return errors.Count > 0 ? throw new PackageException([.. errors.Distinct(StringComparer.Ordinal)]) : new AptConfiguration
        {
            Architecture = settings.Architecture,
            Repositories = WithNames(repositories),
        };
    }

    private const string DefaultSources = "mkosi.sources";

    private static Dictionary<string, string?> SourceFiles(AptSettings settings)
    {
        var files = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (string tree in settings.SandboxTrees)
        {
            foreach (string path in AptSources.Files(tree))
            {
                files[Path.GetFileName(path)] = path;
            }
        }
        return files;
    }

    /// <summary>The suite, and where several have the same, a number behind it.</summary>
    private static ImmutableArray<AptRepository> WithNames(List<AptRepository> repositories)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        return [.. repositories.Select(repository =>
        {
            string stem = string.Concat(repository.Suite.TrimEnd('/').Select(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '+' ? c : '-'));
            stem = stem.TrimStart('.') is { Length: > 0 } text ? text : "flat";
            string name = stem;
            for (int i = 2; !names.Add(name); i++)
            {
                name = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{stem}+{i}");
            }
            return repository with { Name = name };
        })];
    }
}
