using System.Collections.Immutable;
using Diecast.Images;

namespace Diecast.Packages;

/// <summary>A distribution's repositories.</summary>
public interface IPackageSource
{
    /// <summary>Resolves a request by what the repositories have now, and checks that it is signed.</summary>
    /// <exception cref="PackageException">There is no such set, or it is not trusted: a line for each package.</exception>
    /// <exception cref="InvalidDataException">A list of packages or a keyring is malformed.</exception>
    /// <exception cref="DownloadException">Files cannot be had: a line for each.</exception>
    Lockfile Lock(LockRequest request, CancellationToken cancellation = default);

    /// <summary>All packages of a lock file, by their digests alone: from the store, else from the repositories' servers.</summary>
    /// <exception cref="DownloadException">Files cannot be had: a line for each.</exception>
    /// <exception cref="PackageException">Packages must be signed, and were locked unchecked.</exception>
    FetchedPackages Fetch(Lockfile lockfile, CancellationToken cancellation = default);
}

/// <summary>A locked package and its file, whose digest has been checked.</summary>
public sealed record FetchedPackage(LockedPackage Locked, StoredFile File)
{
    /// <summary>What it installs, of a package in both sets whose decompression takes time: it is decompressed once. Else null.</summary>
    public Lazy<Blob>? SharedData { get; init; }
}

/// <summary>All packages of a lock file, open.</summary>
public sealed record FetchedPackages(ImmutableArray<FetchedPackage> Packages, ImmutableArray<FetchedPackage> Initrd) : IDisposable
{
    public void Dispose()
    {
        foreach (var package in Packages.Concat(Initrd))
        {
            package.File.Dispose();
        }
    }
}
