using System.Globalization;
using System.Security.Cryptography;
using Diecast.Images;
using Diecast.Packages.OpenPgp;

namespace Diecast.Packages.Apt;

/// <summary>A suite as it is at present: its Release file, verified, from which all else is reached by digests.</summary>
internal sealed class AptSuite
{
    private const int MaximumRelease = 32 << 20;
    private const int MaximumSignature = 64 << 10;
    private const long MaximumIndex = 512L << 20;

    /// <summary>In seconds, between the clocks of an archive and of the machine; as in apt.</summary>
    private const long MaximumSkew = 10;

    // What is decoded fastest first: an index is fetched once, and decoded each time. xz, a quarter smaller than gzip, takes five
    // times as long, a second for Debian's main.
    private static readonly string[] s_compressions = [".zst", ".gz", ".xz", ""];

    private readonly AptRepository _repository;
    private readonly string _name;

    private AptSuite(AptRepository repository, string name, ReleaseFile release, string digest, string? signer) =>
        (_repository, _name, Release, Sha256, Signer) = (repository, name, release, digest, signer);

    public ReleaseFile Release { get; }

    /// <summary>Of the InRelease file, or of the Release file where there is none.</summary>
    public string Sha256 { get; }

    /// <summary>The fingerprint of the primary key that signed it; null where that was not checked.</summary>
    public string? Signer { get; }

    /// <param name="repository">Where it is.</param>
    /// <param name="downloader">Gets its files.</param>
    /// <param name="now">
    /// A Unix time at which its signature and its validity are judged; null for an archive of the past, whose signature is
    /// judged as of its own date.
    /// </param>
    /// <param name="cancellation">Ends the download.</param>
    /// <exception cref="InvalidDataException">It is malformed, not signed by a key that may, expired, or another suite.</exception>
    /// <exception cref="DownloadException">It cannot be had.</exception>
    public static AptSuite Fetch(AptRepository repository, Downloader downloader, long? now, CancellationToken cancellation)
    {
        string name = $"{repository.Name}/InRelease";
        SignedMessage message;
        byte[] bytes;
        try
        {
            bytes = downloader.Read(name, [Address(repository, "InRelease")], MaximumRelease, cancellation);
            message = Split(name, bytes);
        }
        catch (DownloadException e) when (e.IsMissing)
        {
            name = $"{repository.Name}/Release";
            (bytes, message) = FetchDetached(repository, downloader, name, e, cancellation);
        }
        // Not to be relied on before the signature is verified, but for saying as of when that is judged.
        var release = ReleaseFile.Parse(message.Content, name);
        string? signer = Verify(repository, name, message, now ?? release.Date);
        CheckSuite(repository, name, release);
        if (now is { } present && repository.ChecksValidity)
        {
            CheckTime(name, release, present);
        }
        return new AptSuite(repository, name, release, Convert.ToHexStringLower(SHA256.HashData(bytes)), signer);
    }

    /// <summary>An index without InRelease has its signature in a file beside it.</summary>
    private static (byte[], SignedMessage) FetchDetached(
        AptRepository repository, Downloader downloader, string name, DownloadException missing, CancellationToken cancellation)
    {
        try
        {
            byte[] bytes = downloader.Read(name, [Address(repository, "Release")], MaximumRelease, cancellation);
            byte[] signature = repository.Keys is null ? [] : downloader.Read(name + ".gpg", [Address(repository, "Release.gpg")], MaximumSignature, cancellation);
            return (bytes, SignedMessage.Detached(bytes, signature));
        }
        catch (DownloadException e) when (e.IsMissing)
        {
            // The first file is that which nearly every repository has.
            throw new DownloadException($"{missing.Message}; {e.Message}") { IsMissing = true };
        }
    }

    private static SignedMessage Split(string name, byte[] bytes)
    {
        try
        {
            return SignedMessage.Cleartext(bytes);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{name}: {e.Message}", e);
        }
    }

    private static string? Verify(AptRepository repository, string name, SignedMessage message, long time)
    {
        if (repository.Keys is not { } files)
        {
            return null;
        }
        var keyring = Keyring.Parse([.. files.Select(static file => (file.Name, file.Content))]);
        // Whoever is in the keyring may sign: it was named for this repository.
        return new SignatureVerifier(keyring, time, trustAll: true) { Signers = repository.Signers }.VerifyAny(name, message);
    }

    private static void CheckSuite(AptRepository repository, string name, ReleaseFile release)
    {
        string suite = repository.Suite;
        if (!suite.EndsWith('/') && (release.Suite ?? release.Codename) is not null && suite != release.Suite && suite != release.Codename)
        {
            throw new InvalidDataException($"{name}: is the suite {release.Suite ?? "?"} ({release.Codename ?? "?"}), not {suite}");
        }
    }

    /// <summary>So that a mirror cannot keep security updates back for ever.</summary>
    private static void CheckTime(string name, ReleaseFile release, long now)
    {
        if (release.ValidUntil < now)
        {
            throw new InvalidDataException($"{name}: was valid until {Date(release.ValidUntil.Value)} and is expired: the mirror is not kept up to date, or the clock is wrong (a source of your own with Check-Valid-Until: no accepts it)");
        }
        if (release.Date > now + MaximumSkew)
        {
            throw new InvalidDataException($"{name}: is of {Date(release.Date)}, which is still to come: the clock is wrong");
        }
    }

    /// <summary>The Packages files of all components, in order; what the store has is not fetched again.</summary>
    /// <exception cref="InvalidDataException">The Release file has none for a component, or one is malformed.</exception>
    /// <exception cref="DownloadException">One cannot be had: a line for each.</exception>
    public List<AptIndex> FetchIndexes(string architecture, Downloader downloader, PackageStore store, CancellationToken cancellation)
    {
        var found = Indexes(architecture);
        var files = downloader.Fetch(store, [.. found.Select(Download)], null, cancellation);
        try
        {
            return [.. found.Zip(files).AsParallel().AsOrdered().Select(pair => Read(pair.First, pair.Second))];
        }
        catch (AggregateException e)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
            throw;
        }
        finally
        {
            foreach (var file in files)
            {
                file.Dispose();
            }
        }
    }

    private List<ReleaseEntry> Indexes(string architecture)
    {
        if (_repository.Components.IsEmpty)
        {
            return [FindIndex("Packages") ?? throw new InvalidDataException($"{_name}: names no Packages file")];
        }
        var entries = new List<ReleaseEntry>();
        foreach (string component in _repository.Components)
        {
            if (!Release.Architectures.IsEmpty && !Release.Architectures.Contains(architecture) && !Release.Architectures.Contains("all"))
            {
                throw new InvalidDataException($"{_name}: has no packages for {architecture}, only for {string.Join(", ", Release.Architectures)}");
            }
            int count = entries.Count;
            if (FindIndex($"{component}/binary-{architecture}/Packages") is { } own)
            {
                entries.Add(own);
            }
            if (Release.SeparatesAll && FindIndex($"{component}/binary-all/Packages") is { } all)
            {
                entries.Add(all);
            }
            if (entries.Count == count)
            {
                throw new InvalidDataException($"{_name}: has no component {component} for {architecture}");
            }
        }
        return entries;
    }

    private ReleaseEntry? FindIndex(string path) => s_compressions.Select(compression => Release.Find(path + compression)).FirstOrDefault(static entry => entry is not null);

    private Download Download(ReleaseEntry entry)
    {
        if (!AptPackage.IsRelativePath(entry.Path))
        {
            throw new InvalidDataException($"{_name}: {entry.Path} is no path in the repository");
        }
        var plain = Address(_repository, entry.Path);
        // By its digest an index stays to be had for a while after an update, which may come at any moment.
        return new Download($"{_repository.Name}/{entry.Path}", Release.HasByHash
            ? [Address(_repository, $"{entry.Path[..(entry.Path.LastIndexOf('/') + 1)]}by-hash/SHA256/{entry.Sha256}"), plain]
            : [plain], entry.Sha256, entry.Size);
    }

    private AptIndex Read(ReleaseEntry entry, StoredFile file)
    {
        string name = $"{_repository.Name}/{entry.Path}";
        try
        {
            using var memory = new MemoryStream();
            using var data = Decompressor.Open(new BlobStream(file), MaximumIndex);
            data.CopyTo(memory, 1 << 20);
            return new AptIndex(_repository.Name, Release.Priority, [.. new[] { _repository.Suite, Release.Suite, Release.Codename }.OfType<string>().Distinct(StringComparer.Ordinal)])
            {
                Packages = memory.GetBuffer().AsMemory(0, (int)memory.Length),
                File = name,
            };
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{name}: {e.Message}", e);
        }
    }

    private static Uri Address(AptRepository repository, string file) => AptAddress.Of(
        repository, repository.Suite.EndsWith('/') ? $"{repository.Suite}{file}" : $"dists/{repository.Suite}/{file}");

    private static string Date(long time) =>
        DateTimeOffset.FromUnixTimeSeconds(time).ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}
