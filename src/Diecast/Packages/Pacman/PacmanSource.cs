using System.Collections.Immutable;
using System.Security.Cryptography;
using Diecast.Images;
using Diecast.Packages.OpenPgp;

namespace Diecast.Packages.Pacman;

/// <summary>
/// Packages from pacman repositories: resolves what is asked for into a lock file, and fetches what a lock file pins.
/// </summary>
/// <param name="keyring">Called when a signature is to be checked, once.</param>
public sealed class PacmanSource(
    PacmanConfiguration configuration, Func<Keyring> keyring, PackageStore store, Downloader downloader) : IPackageSource
{
    // Arch's extra has 8 MB, with the files of all packages 50 MB.
    private const long MaximumDatabase = 512 << 20;
    private const long MaximumSignature = 64 << 10;

    private readonly Lazy<Keyring> _keyring = new(keyring);

    /// <summary>Provisions that are there without a package, such as <c>initramfs</c>.</summary>
    public IReadOnlyCollection<string> AssumeInstalled { get; init; } = [];

    /// <summary>Called by one thread at a time while packages are fetched.</summary>
    public Action<DownloadProgress>? Progress { get; init; }

    /// <summary>Called with each remark of the resolver.</summary>
    public Action<string>? Warn { get; init; }

    private sealed record Database(PacmanRepository Repository, SyncDatabase Content, byte[] Bytes, byte[]? Signature);

    /// <summary>
    /// Resolves a request by the repositories' present databases, fetches all packages, and checks their signatures as of the
    /// snapshot's time.
    /// </summary>
    /// <exception cref="PackageException">There is no such set, or a signature is not there: a line for each package.</exception>
    /// <exception cref="InvalidDataException">A database or keyring is malformed.</exception>
    /// <exception cref="DownloadException">Files cannot be had: a line for each.</exception>
    public Lockfile Lock(LockRequest request, CancellationToken cancellation = default)
    {
        var databases = ReadDatabases(cancellation);
        long time = databases.Select(static database => database.Content.NewestBuildDate).Max();
        CheckDatabases(databases, time);
        var image = Resolve(databases, request.Targets);
        var initrd = Resolve(databases, request.InitrdTargets);
        SyncPackage[] packages = [.. image.Concat(initrd).Select(static resolved => resolved.Package).Distinct()];
        var signers = FetchAndVerify(packages, time, cancellation);
        return new Lockfile
        {
            Distribution = request.Distribution,
            Release = request.Release,
            Snapshot = request.Snapshot,
            Architecture = request.Architecture,
            Targets = request.Targets,
            InitrdTargets = request.InitrdTargets,
            Time = time,
            Keyring = _keyring.IsValueCreated ? _keyring.Value.Digest : null,
            Repositories = [.. databases.Select(static database => new LockedRepository
            {
                Name = database.Repository.Name,
                Sha256 = Convert.ToHexStringLower(SHA256.HashData(database.Bytes)),
            })],
            Packages = [.. image.Select(resolved => Pin(resolved, signers))],
            Initrd = [.. initrd.Select(resolved => Pin(resolved, signers))],
        };
    }

    /// <summary>
    /// All packages of a lock file, by their digests alone: from the store, else from the repositories' servers. No database
    /// is read and, where the store has them all, nothing is asked of a server. Signatures were checked when the file was made.
    /// </summary>
    /// <exception cref="DownloadException">Files cannot be had: a line for each.</exception>
    /// <exception cref="PackageException">Packages must be signed, and were locked unchecked; a server's address is not usable.</exception>
    public FetchedPackages Fetch(Lockfile lockfile, CancellationToken cancellation = default)
    {
        RequireSigners(lockfile);
        LockedPackage[] all = [.. lockfile.Packages, .. lockfile.Initrd];
        // Files that both sets have are fetched once.
        LockedPackage[] distinct = [.. all.DistinctBy(static package => package.Sha256, StringComparer.Ordinal)];
        var files = downloader.Fetch(store, [.. distinct.Select(package => new Download(
            package.ToString(), Addresses(package.Repository, package.File), package.Sha256, package.Size))], Progress, cancellation);
        var byDigest = distinct.Zip(files).ToDictionary(static pair => pair.First.Sha256, static pair => pair.Second, StringComparer.Ordinal);
        return new FetchedPackages(Join(lockfile.Packages), Join(lockfile.Initrd));

        ImmutableArray<FetchedPackage> Join(ImmutableArray<LockedPackage> packages) =>
            [.. packages.Select(package => new FetchedPackage(package, byDigest[package.Sha256]))];
    }

    private void RequireSigners(Lockfile lockfile)
    {
        string[] unsigned = [.. lockfile.Packages.Concat(lockfile.Initrd)
            .Where(package => package.Signer is null && Find(package.Repository)?.SigLevel.Packages == SignatureCheck.Required)
            .Select(static package => $"{package}: was locked without a check of its signature: run diecast lock")
            .Distinct(StringComparer.Ordinal)];
        if (unsigned.Length > 0)
        {
            throw new PackageException(unsigned);
        }
    }

    private List<Database> ReadDatabases(CancellationToken cancellation)
    {
        if (configuration.Repositories.IsEmpty)
        {
            throw new PackageException(["there is no repository"]);
        }
        var databases = new Database[configuration.Repositories.Length];
        AllProcessors.For(databases.Length, i =>
        {
            var repository = configuration.Repositories[i];
            string file = repository.Name + ".db";
            byte[] bytes = downloader.Read(file, Addresses(repository.Name, file), MaximumDatabase, cancellation);
            byte[]? signature = repository.SigLevel.Databases == SignatureCheck.Never
                ? null
                : ReadSignature(repository.Name, file, repository.SigLevel.Databases, cancellation);
            databases[i] = new Database(repository, SyncDatabase.Read(repository.Name, new MemoryStream(bytes)), bytes, signature);
        });
        return [.. databases];
    }

    private void CheckDatabases(List<Database> databases, long time)
    {
        foreach (var (repository, _, bytes, signature) in databases)
        {
            if (signature is not null)
            {
                Verifier(time, repository.SigLevel.DatabasesTrustAll).Verify($"{repository.Name}.db", bytes, signature);
            }
        }
    }

    private ImmutableArray<ResolvedPackage> Resolve(List<Database> databases, ImmutableArray<string> targets)
    {
        var resolution = Resolver.Resolve(
            [.. databases.Select(static database => database.Content)], targets, AssumeInstalled, configuration.Architectures);
        foreach (string warning in resolution.Warnings)
        {
            Warn?.Invoke(warning);
        }
        return resolution.Packages;
    }

    /// <summary>The signers of all packages; null for those whose signatures are not checked.</summary>
    private Dictionary<SyncPackage, string?> FetchAndVerify(SyncPackage[] packages, long time, CancellationToken cancellation)
    {
        string[] unpinned = [.. packages.Where(static package => package.Sha256 is null)
            .Select(static package => $"{package}: the database does not say its SHA-256")];
        if (unpinned.Length > 0)
        {
            throw new PackageException(unpinned);
        }
        var files = downloader.Fetch(store, [.. packages.Select(package => new Download(
            package.ToString(), Addresses(package.Repository, package.FileName), package.Sha256!, package.CompressedSize))], Progress, cancellation);
        try
        {
            var signers = new string?[packages.Length];
            var errors = new string?[packages.Length];
            AllProcessors.For(packages.Length, i =>
            {
                try
                {
                    signers[i] = VerifySignature(packages[i], files[i], time, cancellation);
                }
                catch (Exception e) when (e is InvalidDataException or DownloadException)
                {
                    errors[i] = e.Message;
                }
            });
            string[] failed = [.. errors.OfType<string>()];
            return failed.Length > 0
                ? throw new PackageException(failed)
                : packages.Zip(signers).ToDictionary(static pair => pair.First, static pair => pair.Second);
        }
        finally
        {
            foreach (var file in files)
            {
                file.Dispose();
            }
        }
    }

    private string? VerifySignature(SyncPackage package, StoredFile file, long time, CancellationToken cancellation)
    {
        var level = Find(package.Repository)!.SigLevel;
        if (level.Packages == SignatureCheck.Never)
        {
            return null;
        }
        byte[]? signature = package.Signature is { } embedded
            ? DecodeBase64(package, embedded)
            : ReadSignature(package.Repository, package.FileName, level.Packages, cancellation);
        return signature is null ? null : Verifier(time, level.PackagesTrustAll).Verify(package.ToString(), file, signature);
    }

    private static byte[] DecodeBase64(SyncPackage package, string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out int length)
            ? bytes[..length]
            : throw new InvalidDataException($"{package}: its signature in the database is not base64");
    }

    /// <summary>The file beside it with the detached signature; null where there need not be one and there is none.</summary>
    private byte[]? ReadSignature(string repository, string file, SignatureCheck check, CancellationToken cancellation)
    {
        string name = $"{repository}/{file}.sig";
        try
        {
            return downloader.Read(name, Addresses(repository, file + ".sig"), MaximumSignature, cancellation);
        }
        catch (DownloadException e) when (e.IsMissing)
        {
            return check == SignatureCheck.Optional ? null : throw new InvalidDataException($"{repository}/{file}: is not signed ({e.Message})");
        }
    }

    private SignatureVerifier Verifier(long time, bool trustAll) => new(_keyring.Value, time, trustAll);

    private PacmanRepository? Find(string name) => configuration.Repositories.FirstOrDefault(repository => repository.Name == name);

    private List<Uri> Addresses(string repository, string file)
    {
        var addresses = new List<Uri>();
        foreach (string server in Find(repository)?.Servers ?? [])
        {
            addresses.Add(Uri.TryCreate($"{server.TrimEnd('/')}/{Uri.EscapeDataString(file)}", UriKind.Absolute, out var address)
                && address.Scheme is "http" or "https" or "file"
                ? address
                : throw new PackageException([$"repository {repository}: {server} is no http, https or file address"]));
        }
        return addresses;
    }

    private static LockedPackage Pin(ResolvedPackage resolved, Dictionary<SyncPackage, string?> signers) => new()
    {
        Name = resolved.Package.Name,
        Version = resolved.Package.Version,
        Repository = resolved.Package.Repository,
        File = resolved.Package.FileName,
        Size = resolved.Package.CompressedSize,
        Sha256 = resolved.Package.Sha256!,
        Signer = signers[resolved.Package],
        BuildDate = resolved.Package.BuildDate,
        Reason = resolved.Reason,
    };
}
