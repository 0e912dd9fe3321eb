using System.Collections.Immutable;

namespace Diecast.Packages.Apt;

/// <summary>The repositories of Debian and Ubuntu, unless the user says otherwise.</summary>
internal static class AptDefaults
{
    private static readonly string[] s_debianSuites =
    [
        "unstable", "sid", "experimental", "testing", "stable", "oldstable", "oldoldstable",
        "buster", "bullseye", "bookworm", "trixie", "forky", "duke",
    ];

    /// <summary>The archive and the archive of security updates, each the directory that holds dists and pool.</summary>
    private sealed record Location(string Archive, string Security);

    public static List<AptRepository> Repositories(AptSettings settings, AptKeys keys, List<string> errors)
    {
        if (Locate(settings, errors) is not { } location)
        {
            return [];
        }
        ImmutableArray<string> components = ["main", .. settings.Repositories.Where(static component => component != "main")];
        var files = keys.OfDistribution();
        var repositories = new List<AptRepository> { Make(location.Archive, settings.Release) };
        if (settings.Distribution == "debian" && settings.Release is "unstable" or "sid" or "experimental")
        {
            return repositories;
        }
        // A dated archive has no updates that its release does not have.
        if (settings.Snapshot is null || settings.Distribution != "debian")
        {
            repositories.Add(Make(location.Archive, settings.Release + "-updates"));
        }
        repositories.Add(Make(location.Security, settings.Release + "-security"));
        return repositories;

        AptRepository Make(string address, string suite) => new()
        {
            Name = suite,
            Address = address,
            Suite = suite,
            Components = components,
            Keys = files,
            ChecksValidity = settings.Snapshot is null,
        };
    }

    private static Location? Locate(AptSettings settings, List<string> errors)
    {
        if (settings.Mirror is { } mirror)
        {
            mirror = mirror.TrimEnd('/');
            var location = new Location(mirror, settings.Distribution == "debian" ? SecurityBeside(mirror) : mirror);
            return settings.Snapshot is { } snapshot
                ? new Location($"{location.Archive}/{snapshot}", $"{location.Security}/{snapshot}")
                : location;
        }
        if (settings.Snapshot is not null)
        {
            errors.Add("Snapshot= needs Mirror= in [Distribution]: the address of the dated archive, below which the snapshots are");
            return null;
        }
        if (OfHost(settings) is { } host)
        {
            return host;
        }
        errors.Add($"there is no Mirror=, and this machine's apt gets nothing from {(settings.Distribution == "debian" ? "Debian" : "Ubuntu")}: "
            + "write Mirror=ADDRESS in [Distribution], the address (http, https or file) of the directory of a mirror that holds dists and pool");
        return null;
    }

    /// <summary>Debian's security updates are an archive of their own, which mirrors that have it keep beside the other.</summary>
    private static string SecurityBeside(string archive) => archive + "-security";

    /// <summary>
    /// Where the host's own apt gets the distribution from, whichever release the host has: only the addresses are taken.
    /// </summary>
    private static Location? OfHost(AptSettings settings)
    {
        // What is wrong with the host's configuration is of no concern here.
        var entries = AptSources.Files(settings.HostRoot).SelectMany(path => AptSources.Entries(path, settings.Architecture, [])).ToList();
        string? archive = entries.Find(entry => IsOf(settings.Distribution, entry, isSecurity: false))?.Address;
        string? security = entries.Find(entry => IsOf(settings.Distribution, entry, isSecurity: true))?.Address;
        return archive is null ? null : new Location(archive, security ?? (settings.Distribution == "debian" ? SecurityBeside(archive) : archive));
    }

    private static bool IsOf(string distribution, AptSourceEntry entry, bool isSecurity)
    {
        bool isSecuritySuite = entry.Suite.EndsWith("-security", StringComparison.Ordinal);
        string release = isSecuritySuite ? entry.Suite[..^"-security".Length] : entry.Suite;
        string last = entry.Address[(entry.Address.LastIndexOf('/') + 1)..];
        bool isNamed = last == distribution || (isSecurity && last == distribution + "-security")
            || entry.SignedBy.Contains(distribution + "-archive", StringComparison.Ordinal);
        // Third parties call their suites after the distribution's releases too, but not their directories.
        return isSecuritySuite == isSecurity && entry.Components.Contains("main") && isNamed
            && (distribution == "debian") == s_debianSuites.Contains(release, StringComparer.Ordinal);
    }
}
