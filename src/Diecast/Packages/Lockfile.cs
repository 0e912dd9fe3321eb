using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Diecast.Packages.Apt;
using Diecast.Packages.Pacman;

namespace Diecast.Packages;

/// <summary>What a configuration asks of a distribution: a lock file holds for exactly this.</summary>
public sealed record LockRequest
{
    public required string Distribution { get; init; }

    public required string Release { get; init; }

    /// <summary>Null: the present.</summary>
    public string? Snapshot { get; init; }

    public required string Architecture { get; init; }

    /// <summary>Names of repositories, in order.</summary>
    public required ImmutableArray<string> Repositories { get; init; }

    /// <summary>What is asked for in the image, in order.</summary>
    public required ImmutableArray<string> Targets { get; init; }

    /// <summary>What is asked for in the initrd, in order.</summary>
    public ImmutableArray<string> InitrdTargets { get; init; } = [];

    /// <summary>Whether what the image's packages recommend is wanted too; never what the initrd's do.</summary>
    public bool Recommends { get; init; }
}

/// <summary>A repository's database as it was when the lock file was made.</summary>
public sealed record LockedRepository
{
    [JsonConverter(typeof(LockfileJson.RepositoryName))]
    public required string Name { get; init; }

    [JsonConverter(typeof(LockfileJson.Digest))]
    public required string Sha256 { get; init; }
}

/// <summary>Why a package is installed: it was asked for, or something needs it.</summary>
public enum InstallReason
{
    Explicit,
    Dependency,
}

/// <summary>A package file, pinned.</summary>
public sealed record LockedPackage
{
    public required string Name { get; init; }

    public required string Version { get; init; }

    [JsonConverter(typeof(LockfileJson.RepositoryName))]
    public required string Repository { get; init; }

    /// <summary>The path of the file, from the repository's address on the server: of Arch a name beside the database.</summary>
    [JsonConverter(typeof(LockfileJson.File))]
    public required string File { get; init; }

    /// <summary>In bytes.</summary>
    [JsonConverter(typeof(LockfileJson.NonNegative))]
    public required long Size { get; init; }

    [JsonConverter(typeof(LockfileJson.Digest))]
    public required string Sha256 { get; init; }

    /// <summary>
    /// The fingerprint of the primary key that signed the file, or of Debian the index that has its digest; null where signatures
    /// were not checked.
    /// </summary>
    [JsonConverter(typeof(LockfileJson.Fingerprint))]
    public required string? Signer { get; init; }

    /// <summary>A Unix time; of Debian, whose indexes do not tell it, that of the suite.</summary>
    [JsonConverter(typeof(LockfileJson.NonNegative))]
    public required long BuildDate { get; init; }

    public required InstallReason Reason { get; init; }

    /// <summary>"core/glibc-2.36-3".</summary>
    public override string ToString() => $"{Repository}/{Name}-{Version}";
}

/// <summary>
/// <c>diecast.lock</c>: the packages that a configuration resolves to, to the last bit. It names no host, so that it is the
/// same whatever mirror it was made from.
/// </summary>
public sealed record Lockfile
{
    public const string FileName = "diecast.lock";
    private const int CurrentVersion = 1;
    private const int MaximumSize = 64 << 20;

    /// <summary>Of the format.</summary>
    public int Version { get; init; } = CurrentVersion;

    public required string Distribution { get; init; }

    public required string Release { get; init; }

    public required string? Snapshot { get; init; }

    public required string Architecture { get; init; }

    public required ImmutableArray<string> Targets { get; init; }

    public required ImmutableArray<string> InitrdTargets { get; init; }

    /// <summary>Whether the image has recommended packages too; left out of the file where it has not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Recommends { get; init; }

    /// <summary>The Unix time that signatures were judged at: the newest build date in the databases, or the newest date of the suites.</summary>
    [JsonConverter(typeof(LockfileJson.NonNegative))]
    public required long Time { get; init; }

    /// <summary>The digest of the keyring; null where signatures were not checked.</summary>
    [JsonConverter(typeof(LockfileJson.OptionalDigest))]
    public required string? Keyring { get; init; }

    /// <summary>In the order of the configuration.</summary>
    public required ImmutableArray<LockedRepository> Repositories { get; init; }

    /// <summary>Those of the image, in the order in which they are installed.</summary>
    public required ImmutableArray<LockedPackage> Packages { get; init; }

    /// <summary>Those of the initrd, likewise.</summary>
    public required ImmutableArray<LockedPackage> Initrd { get; init; }

    /// <summary>The one form of the file: UTF-8, indented, with a line feed at its end.</summary>
    public byte[] ToBytes() => [.. JsonSerializer.SerializeToUtf8Bytes(this, LockfileContext.Strict.Lockfile), (byte)'\n'];

    /// <summary>SHA-256 of <see cref="ToBytes"/> in lower-case hexadecimal: the same however the file is formatted.</summary>
    [JsonIgnore]
    public string Digest => Convert.ToHexStringLower(SHA256.HashData(ToBytes()));

    /// <summary>Writes the file through a temporary name.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Save(string path)
    {
        string temporary = path + ".tmp";
        File.WriteAllBytes(temporary, ToBytes());
        File.Move(temporary, path, overwrite: true);
    }

    /// <exception cref="InvalidDataException">It is malformed: <c>path:line: message</c>.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static Lockfile Load(string path)
    {
        long size = new FileInfo(path).Length;
        return size <= MaximumSize
            ? Parse(File.ReadAllBytes(path), path)
            : throw new InvalidDataException($"{path}: {size} bytes are too many for a lock file");
    }

    /// <param name="name">The file's, for messages.</param>
    /// <inheritdoc cref="Load"/>
    public static Lockfile Parse(ReadOnlySpan<byte> bytes, string name = FileName)
    {
        try
        {
            CheckVersion(bytes, name);
            var lockfile = JsonSerializer.Deserialize(bytes, LockfileContext.Strict.Lockfile)
                ?? throw new InvalidDataException($"{name}:1: null is no lock file");
            lockfile.Check(name);
            return lockfile;
        }
        catch (JsonException e)
        {
            // The runtime appends the place to its own messages, as text.
            int place = e.Message.IndexOf(" Path: ", StringComparison.Ordinal);
            string message = place < 0 ? e.Message : e.Message[..place];
            string path = e.Path is null or "$" ? "" : $"{e.Path.TrimStart('$', '.')}: ";
            throw new InvalidDataException($"{name}:{e.LineNumber + 1}: {path}{message}", e);
        }
    }

    /// <summary>First, so that a later format is not reported as unknown properties.</summary>
    private static void CheckVersion(ReadOnlySpan<byte> bytes, string name)
    {
        var reader = new Utf8JsonReader(bytes);
        while (reader.Read())
        {
            if (reader.CurrentDepth == 1 && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("version"u8)
                && reader.Read() && (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out int version) || version != CurrentVersion))
            {
                throw new InvalidDataException($"{name}: has a format version other than {CurrentVersion}, which this Diecast reads: run diecast lock");
            }
        }
    }

    private void Check(string name)
    {
        foreach (var list in (ImmutableArray<LockedPackage>[])[Packages, Initrd])
        {
            var names = new HashSet<string>(StringComparer.Ordinal);
            foreach (var package in list)
            {
                if (!IsIdentity(package.Name, package.Version))
                {
                    throw new InvalidDataException($"{name}: {package.Name} {package.Version} is no package name and version");
                }
                if (!IsDebian && package.File.Contains('/', StringComparison.Ordinal))
                {
                    throw new InvalidDataException($"{name}: {package.File} is no file name");
                }
                if (!names.Add(package.Name))
                {
                    throw new InvalidDataException($"{name}: {package.Name} stands twice in a list");
                }
                if (!Repositories.Any(repository => repository.Name == package.Repository))
                {
                    throw new InvalidDataException($"{name}: {package} is of no repository in it");
                }
            }
        }
    }

    private bool IsDebian => Distribution is "debian" or "ubuntu";

    /// <summary>Whether they are a package's name and version in the distribution: both stand in paths and command lines.</summary>
    private bool IsIdentity(string name, string version) => IsDebian
        ? DebianIdentity.IsValid(name, version)
        : new PackageIdentity(name, version).IsValid;

    /// <summary>Checks that the file was made for this.</summary>
    /// <exception cref="InvalidDataException">It was not: one line that says what differs.</exception>
    public void RequireFit(LockRequest request, string name = FileName)
    {
        var differences = new List<string>();
        Compare("distribution", [Distribution], [request.Distribution]);
        Compare("release", [Release], [request.Release]);
        Compare("snapshot", [Snapshot ?? "none"], [request.Snapshot ?? "none"]);
        Compare("architecture", [Architecture], [request.Architecture]);
        Compare("repositories", [.. Repositories.Select(static repository => repository.Name)], request.Repositories);
        Compare("packages", Targets, request.Targets);
        Compare("packages of the initrd", InitrdTargets, request.InitrdTargets);
        Compare("recommended packages", [Recommends ? "yes" : "no"], [request.Recommends ? "yes" : "no"]);
        if (differences.Count > 0)
        {
            throw new InvalidDataException(
                $"{name} does not fit the configuration ({string.Join("; ", differences)}): run diecast lock");
        }

        void Compare(string what, ImmutableArray<string> locked, ImmutableArray<string> wanted)
        {
            if (locked.SequenceEqual(wanted, StringComparer.Ordinal))
            {
                return;
            }
            string[] added = [.. wanted.Except(locked, StringComparer.Ordinal)];
            string[] removed = [.. locked.Except(wanted, StringComparer.Ordinal)];
            differences.Add(added.Length + removed.Length == 0
                ? $"{what}: in another order"
                : $"{what}: {string.Join(' ', added.Select(static item => "+" + item).Concat(removed.Select(static item => "-" + item)))}");
        }
    }
}
