using System.Collections.Immutable;
using System.Security.Cryptography;
using Diecast.Images;

namespace Diecast.Packages.Apt;

/// <summary>
/// Packages from repositories of Debian's layout: resolves what is asked for into a lock file, and fetches what a lock file pins.
/// </summary>
public sealed class AptSource(AptConfiguration configuration, PackageStore store, Downloader downloader) : IPackageSource
{
    /// <summary>What is installed first, as <c>?essential</c> and <c>base-files</c>; not where there is no target.</summary>
    public IReadOnlyList<string> BaseTargets { get; init; } = [];

    /// <summary>Called by one thread at a time while packages are fetched.</summary>
    public Action<DownloadProgress>? Progress { get; init; }

    /// <summary>
    /// As of when signatures and the validity of Release files are judged, a Unix time; null where the archive is one of the
    /// past: then each is judged as of its own date.
    /// </summary>
    public long? Now { get; init; }

    /// <summary>Resolves a request by what the repositories have at present. Packages are fetched by <see cref="Fetch"/>.</summary>
    /// <param name="request">
    /// Its targets are what an image with nothing but the base is to have besides: names, <c>name=version</c>, <c>name/suite</c>.
    /// </param>
    /// <param name="cancellation">Ends the downloads.</param>
    /// <exception cref="PackageException">There is no such set: each line has the chain of packages that leads there.</exception>
    /// <exception cref="InvalidDataException">An index is malformed, not signed by a key that may, or expired.</exception>
    /// <exception cref="DownloadException">An index cannot be had.</exception>
    public Lockfile Lock(LockRequest request, CancellationToken cancellation = default)
    {
        var suites = FetchSuites(cancellation);
        var indexes = suites.SelectMany(suite => suite.FetchIndexes(configuration.Architecture, downloader, store, cancellation)).ToList();
        var pool = new PackagePool(indexes, configuration.Architecture);
        var byName = configuration.Repositories.Zip(suites).ToDictionary(static pair => pair.First.Name, static pair => pair.Second, StringComparer.Ordinal);
        return new Lockfile
        {
            Distribution = request.Distribution,
            Release = request.Release,
            Snapshot = request.Snapshot,
            Architecture = request.Architecture,
            Targets = request.Targets,
            InitrdTargets = request.InitrdTargets,
            Recommends = request.Recommends,
            Time = suites.Max(static suite => suite.Release.Date),
            Keyring = KeyringDigest(),
            Repositories = [.. configuration.Repositories.Zip(suites).Select(static pair => new LockedRepository { Name = pair.First.Name, Sha256 = pair.Second.Sha256 })],
            Packages = Resolve(request.Targets, request.Recommends),
            Initrd = Resolve(request.InitrdTargets, recommends: false),
        };

        ImmutableArray<LockedPackage> Resolve(ImmutableArray<string> targets, bool recommends) => targets.IsEmpty ? [] :
            [.. AptResolver.Resolve(pool, [BaseTargets, targets], recommends).Select(resolved => Pin(resolved, byName[resolved.Package.Index.Name]))];
    }

    /// <summary>
    /// All packages of a lock file, by their digests alone: from the store, else from the repositories. No index is read and,
    /// where the store has them all, nothing is asked of a server. Signatures were checked when the file was made.
    /// </summary>
    /// <exception cref="DownloadException">Files cannot be had: a line for each.</exception>
    /// <exception cref="PackageException">Packages must be signed, and were locked unchecked; a repository's address is not usable.</exception>
    public FetchedPackages Fetch(Lockfile lockfile, CancellationToken cancellation = default)
    {
        RequireSigners(lockfile);
        // Files that both sets have are fetched once.
        LockedPackage[] distinct = [.. lockfile.Packages.Concat(lockfile.Initrd).DistinctBy(static package => package.Sha256, StringComparer.Ordinal)];
        var files = downloader.Fetch(store, [.. distinct.Select(package => new Download(
            package.ToString(), Addresses(package), package.Sha256, package.Size))], Progress, cancellation);
        var byDigest = distinct.Zip(files).ToDictionary(static pair => pair.First.Sha256, static pair => pair.Second, StringComparer.Ordinal);
        var shared = lockfile.Packages.Select(static package => package.Sha256).Intersect(lockfile.Initrd.Select(static package => package.Sha256), StringComparer.Ordinal)
            .ToDictionary(static digest => digest, digest => new Lazy<Blob>(() => Decompress(byDigest[digest])), StringComparer.Ordinal);
        return new FetchedPackages(Join(lockfile.Packages), Join(lockfile.Initrd));

        ImmutableArray<FetchedPackage> Join(ImmutableArray<LockedPackage> packages) =>
            [.. packages.Select(package => new FetchedPackage(package, byDigest[package.Sha256])
            {
                SharedData = shared.GetValueOrDefault(package.Sha256),
            })];
    }

    private static Blob Decompress(StoredFile package) => SpillFile.Create(output =>
    {
        using var data = DebArchive.OpenData(new BlobStream(package));
        data.CopyTo(output);
    });

    private AptSuite[] FetchSuites(CancellationToken cancellation)
    {
        var suites = new AptSuite[configuration.Repositories.Length];
        AllProcessors.For(suites.Length, i => suites[i] = AptSuite.Fetch(configuration.Repositories[i], downloader, Now, cancellation));
        return suites;
    }

    private void RequireSigners(Lockfile lockfile)
    {
        string[] unsigned = [.. lockfile.Packages.Concat(lockfile.Initrd)
            .Where(package => package.Signer is null && Find(package.Repository) is { Keys: not null })
            .Select(static package => $"{package}: was locked without a check of its repository's signature: run diecast lock")
            .Distinct(StringComparer.Ordinal)];
        if (unsigned.Length > 0)
        {
            throw new PackageException(unsigned);
        }
    }

    private AptRepository? Find(string name) => configuration.Repositories.FirstOrDefault(repository => repository.Name == name);

    private List<Uri> Addresses(LockedPackage package) => Find(package.Repository) is { } repository ? [AptAddress.Of(repository, package.File)] : [];

    /// <summary>Over the keys of all repositories; null where no signature is checked.</summary>
    private string? KeyringDigest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        bool isChecked = false;
        foreach (var repository in configuration.Repositories)
        {
            foreach (var file in repository.Keys ?? [])
            {
                // Not the file's name, which is one of the host.
                hash.AppendData(SHA256.HashData(file.Content));
                isChecked = true;
            }
        }
        return isChecked ? Convert.ToHexStringLower(hash.GetHashAndReset()) : null;
    }

    private static LockedPackage Pin(ResolvedAptPackage resolved, AptSuite suite) => new()
    {
        Name = resolved.Package.Name,
        Version = resolved.Package.Version,
        Repository = resolved.Package.Index.Name,
        File = resolved.Package.FileName,
        Size = resolved.Package.Size,
        Sha256 = resolved.Package.Sha256,
        Signer = suite.Signer,
        // An index does not say when a package was built: it was by the time of the suite.
        BuildDate = suite.Release.Date,
        Reason = resolved.Reason,
    };
}
