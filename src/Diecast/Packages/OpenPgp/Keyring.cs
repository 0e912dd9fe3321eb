using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;

namespace Diecast.Packages.OpenPgp;

/// <summary>
/// The keys of a distribution and how far they are trusted, as pacman-key --populate would set gpg up for them: the keys
/// listed in NAME-trusted are valid and introduce others with the owner trust given there, those listed in NAME-revoked
/// are disabled. Immutable, and safe for use by several threads.
/// </summary>
public sealed class Keyring
{
    private const long MaximumSize = 64 << 20;
    private const int MarginalsNeeded = 3;
    private static readonly string[] s_suffixes = [".gpg", "-trusted", "-revoked"];

    private readonly FrozenDictionary<string, Entry> _entries;
    private readonly ILookup<ulong, Entry> _byKeyId;
    private readonly FrozenDictionary<string, int> _ownerTrust;
    private readonly FrozenSet<string> _disabled;

    internal sealed record Entry(Certificate Certificate, Lazy<KeyFacts> Facts);

    private Keyring(
        string digest, IReadOnlyCollection<Certificate> certificates, Dictionary<string, int> ownerTrust,
        HashSet<string> disabled)
    {
        Digest = digest;
        _ownerTrust = ownerTrust.ToFrozenDictionary(StringComparer.Ordinal);
        _disabled = disabled.ToFrozenSet(StringComparer.Ordinal);
        var introducers = certificates.Select(static certificate => certificate.Primary)
            .Where(key => ownerTrust.GetValueOrDefault(key.Fingerprint) >= 4 && key.Weakness is null).ToList();
        _entries = certificates.ToFrozenDictionary(
            static certificate => certificate.Primary.Fingerprint,
            certificate => new Entry(certificate, new Lazy<KeyFacts>(() => KeyFacts.Of(certificate, FindKey, introducers))),
            StringComparer.Ordinal);
        _byKeyId = _entries.Values
            .SelectMany(static entry => entry.Certificate.Subkeys.Select(static subkey => subkey.Key)
                .Prepend(entry.Certificate.Primary), static (entry, key) => (entry, key.KeyId))
            .Distinct().ToLookup(static pair => pair.KeyId, static pair => pair.entry);
    }

    /// <summary>SHA-256 over the names, sizes and contents of the files, in lower-case hexadecimal.</summary>
    public string Digest { get; }

    /// <summary>Fingerprints of the primary keys, in byte order.</summary>
    public IEnumerable<string> Fingerprints => _entries.Keys.Order(StringComparer.Ordinal);

    /// <summary>
    /// Reads all NAME.gpg (binary, armored, or several armored blocks), NAME-trusted and NAME-revoked of a directory, such
    /// as /usr/share/pacman/keyrings.
    /// </summary>
    /// <param name="names">The NAMEs to read where the directory has others too; none: all.</param>
    /// <exception cref="InvalidDataException">A file is malformed, or there is none; the message names it.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static Keyring Load(string directory, params string[] names)
    {
        string[] paths = [.. Directory.GetFiles(directory)
            .Where(path => s_suffixes.Any(suffix => path.EndsWith(suffix, StringComparison.Ordinal)
                && (names.Length == 0 || names.Contains(Path.GetFileName(path)[..^suffix.Length], StringComparer.Ordinal))))
            .Order(StringComparer.Ordinal)];
        var certificates = new Dictionary<string, Certificate>(StringComparer.Ordinal);
        var ownerTrust = new Dictionary<string, int>(StringComparer.Ordinal);
        var disabled = new HashSet<string>(StringComparer.Ordinal);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string path in paths)
        {
            byte[] bytes = ReadAll(path);
            hash.AppendData(Encoding.UTF8.GetBytes($"{Path.GetFileName(path)}\0{bytes.Length}\0"));
            hash.AppendData(bytes);
            if (path.EndsWith(".gpg", StringComparison.Ordinal))
            {
                AddCertificates(path, bytes, certificates);
            }
            else if (path.EndsWith("-trusted", StringComparison.Ordinal))
            {
                ReadTrusted(path, bytes, ownerTrust);
            }
            else
            {
                ReadRevoked(path, bytes, disabled);
            }
        }
        return certificates.Count > 0
            ? new Keyring(Convert.ToHexStringLower(hash.GetHashAndReset()), certificates.Values, ownerTrust, disabled)
            : throw new InvalidDataException($"{directory}: holds no keyring (NAME.gpg with a key in it)");
    }

    /// <summary>
    /// The keys in files (binary or armored), none of which says how far they are trusted: for repositories, where the files are
    /// named that hold the keys to be trusted.
    /// </summary>
    /// <exception cref="InvalidDataException">A file is malformed, or no key is in them; the message names it.</exception>
    public static Keyring Parse(IReadOnlyList<(string Name, byte[] Content)> files)
    {
        var certificates = new Dictionary<string, Certificate>(StringComparer.Ordinal);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, content) in files)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{Path.GetFileName(name)}\0{content.Length}\0"));
            hash.AppendData(content);
            AddCertificates(name, content, certificates);
        }
        return certificates.Count > 0
            ? new Keyring(Convert.ToHexStringLower(hash.GetHashAndReset()), certificates.Values, [], [])
            : throw new InvalidDataException($"{string.Join(", ", files.Select(static file => file.Name))}: there is no key in it");
    }

    /// <summary>The certificates that have a key, primary or sub, with that id.</summary>
    internal IEnumerable<Entry> Find(ulong keyId) => _byKeyId[keyId];

    /// <summary>
    /// Why a key must not be relied on as of a Unix time; null where it may. Only expiry is judged at that time; a
    /// revocation counts whenever it was made.
    /// </summary>
    internal string? Refusal(Entry entry, long time, bool trustAll = false)
    {
        if (StandingRefusal(entry, time) is { } refusal)
        {
            return refusal;
        }
        if (trustAll || _ownerTrust.ContainsKey(entry.Certificate.Primary.Fingerprint))
        {
            return null;
        }
        int most = 0;
        foreach (var userId in entry.Facts.Value.UserIds.Where(userId => !IsPast(userId.Expires, time)))
        {
            int marginals = 0;
            foreach (var (by, expires) in userId.Certifications)
            {
                if (IsPast(expires, time) || StandingRefusal(_entries[by.Fingerprint], time) is not null)
                {
                    continue;
                }
                marginals += _ownerTrust[by.Fingerprint] >= 5 ? MarginalsNeeded : 1;
            }
            most = Math.Max(most, marginals);
        }
        return most switch
        {
            >= MarginalsNeeded => null,
            0 => "whom no trusted key certifies",
            _ => $"who is trusted only marginally ({most} of {MarginalsNeeded} certifications by trusted keys)",
        };
    }

    /// <summary>Whether the primary key of that fingerprint is known and valid as of a Unix time.</summary>
    public bool IsValid(string fingerprint, long time) =>
        _entries.TryGetValue(fingerprint, out var entry) && Refusal(entry, time) is null;

    /// <summary>What the key's owner and the distribution say against it.</summary>
    private string? StandingRefusal(Entry entry, long time)
    {
        var primary = entry.Certificate.Primary;
        var facts = entry.Facts.Value;
        return primary.Weakness is { } weakness ? $"who has {weakness}"
            : facts.IsRevoked ? "whose key is revoked"
            : _disabled.Contains(primary.Fingerprint) ? "whose key the keyring lists as revoked"
            : IsPast(facts.Expires, time) ? $"whose key {Expired(facts.Expires, time)}"
            : !facts.UserIds.Exists(userId => !IsPast(userId.Expires, time)) ? "whose key has no valid user id"
            : null;
    }

    internal static bool IsPast(long? expires, long time) => expires <= time;

    internal static string Expired(long? expires, long time) => $"expired on {Date(expires!.Value)}, before {Date(time)}";

    private static string Date(long time) =>
        DateTimeOffset.FromUnixTimeSeconds(time).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);

    private PublicKey? FindKey(string fingerprint) => _entries.GetValueOrDefault(fingerprint)?.Certificate.Primary;

    private static byte[] ReadAll(string path)
    {
        long size = new FileInfo(path).Length;
        return size <= MaximumSize
            ? File.ReadAllBytes(path)
            : throw new InvalidDataException($"{path}: {size} bytes are too many for a keyring");
    }

    private static void AddCertificates(string path, byte[] bytes, Dictionary<string, Certificate> certificates)
    {
        try
        {
            foreach (var certificate in Certificate.ParseAll(bytes))
            {
                if (!certificates.TryAdd(certificate.Primary.Fingerprint, certificate))
                {
                    certificates[certificate.Primary.Fingerprint].Merge(certificate);
                }
            }
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>Lines FINGERPRINT:OWNERTRUST: as gpg --export-ownertrust writes them.</summary>
    private static void ReadTrusted(string path, byte[] bytes, Dictionary<string, int> ownerTrust)
    {
        foreach (var (number, line) in Lines(bytes))
        {
            string[] fields = line.Split(':');
            if (fields.Length < 2 || !IsFingerprint(fields[0])
                || fields[1] is not [>= '2' and <= '6'])
            {
                throw new InvalidDataException($"{path}:{number}: not FINGERPRINT:OWNERTRUST:");
            }
            ownerTrust[fields[0].ToUpperInvariant()] = fields[1][0] - '0';
        }
    }

    private static void ReadRevoked(string path, byte[] bytes, HashSet<string> disabled)
    {
        foreach (var (number, line) in Lines(bytes))
        {
            disabled.Add(IsFingerprint(line)
                ? line.ToUpperInvariant()
                : throw new InvalidDataException($"{path}:{number}: not a fingerprint"));
        }
    }

    private static IEnumerable<(int Number, string Text)> Lines(byte[] bytes) => Encoding.Latin1.GetString(bytes).Split('\n')
        .Select(static (line, index) => (index + 1, line.Trim()))
        .Where(static line => line.Item2.Length > 0 && line.Item2[0] != '#');

    private static bool IsFingerprint(string text) => text.Length == 40 && text.All(char.IsAsciiHexDigit);
}
