using System.Text.Encodings.Web;
using System.Text.Json;
using Diecast.Build;
using Diecast.Build.Distributions;
using Diecast.Config;
using Diecast.Packages;

namespace Diecast.Inspect.Verification;

/// <summary>
/// What is known of an image and who may check it: an in-toto Statement (v1) with SLSA provenance (v1), of the image's digest,
/// the settings, the lock file, every package, and how the image was verified. It has no time and no host in it, so that the
/// same verification gives the same bytes.
/// https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md, https://slsa.dev/spec/v1.0/provenance
/// </summary>
public sealed partial class Attestation
{
    /// <summary>What is appended to the image's name.</summary>
    public const string Extension = OutputWriter.AttestationExtension;

    private const string StatementType = "https://in-toto.io/Statement/v1";
    private const string PredicateType = "https://slsa.dev/provenance/v1";
    private const string BuildType = "urn:diecast:build:1";
    private const string BuilderId = "urn:diecast:diecast";
    private const string VerificationName = "diecast_verification";
    private const string InImage = "image";
    private const string InInitrd = "initrd";

    private readonly byte[] _bytes;
    private readonly string _name;

    private Attestation(byte[] bytes, string name, string sha256) => (_bytes, _name, Sha256) = (bytes, name, sha256);

    /// <summary>Of the image, in lower-case hexadecimal.</summary>
    public string Sha256 { get; }

    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>That of an image that came out the same in every rebuild.</summary>
    /// <param name="image">The image's file name.</param>
    public static Attestation Create(BuildRequest build, VerifyResult result, string image)
    {
        if (!result.IsSame)
        {
            throw new ArgumentException("a verification that failed is not to be attested", nameof(result));
        }
        using var buffer = new MemoryStream();
        // Versions have '+' in them, which the default encoder writes as an escape.
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("_type", StatementType);
            json.WriteStartArray("subject");
            WriteDescriptor(json, image, result.Sha256);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteString("predicateType", PredicateType);
            json.WriteStartObject("predicate");
            WriteDefinition(json, build.Config, result.Lockfile);
            WriteDetails(json, build, result);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        buffer.WriteByte((byte)'\n');
        return new Attestation(buffer.ToArray(), image + Extension, result.Sha256);
    }

    /// <summary>Writes the file through a temporary name.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Save(string path)
    {
        string temporary = path + ".tmp";
        File.WriteAllBytes(temporary, _bytes);
        File.Move(temporary, path, overwrite: true);
    }

    private static void WriteDefinition(Utf8JsonWriter json, BuildConfig config, Lockfile lockfile)
    {
        json.WriteStartObject("buildDefinition");
        json.WriteString("buildType", BuildType);
        json.WriteStartObject("externalParameters");
        json.WritePropertyName("settings");
        Summary.WritePortable(json, config);
        json.WriteEndObject();
        json.WriteStartArray("resolvedDependencies");
        WriteDescriptor(json, Lockfile.FileName, lockfile.Digest);
        json.WriteEndObject();
        foreach (var (package, places) in Packages(lockfile))
        {
            WriteDescriptor(json, package.Name, package.Sha256);
            json.WriteString("uri", PackageUrl(config, package));
            json.WriteStartObject("annotations");
            json.WriteString("version", package.Version);
            json.WriteString("installedIn", places);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteDetails(Utf8JsonWriter json, BuildRequest build, VerifyResult result)
    {
        json.WriteStartObject("runDetails");
        json.WriteStartObject("builder");
        json.WriteString("id", BuilderId);
        json.WriteStartObject("version");
        json.WriteString("diecast", build.ToolVersion);
        json.WriteEndObject();
        json.WriteEndObject();
        // An extension is to have its maker's name before an underscore.
        json.WriteStartObject(VerificationName);
        json.WriteString("result", "same");
        VerifyReport.WriteRuns(json, result);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>A ResourceDescriptor, left open for what it has besides.</summary>
    private static void WriteDescriptor(Utf8JsonWriter json, string name, string sha256)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteStartObject("digest");
        json.WriteString("sha256", sha256);
        json.WriteEndObject();
    }

    /// <summary>Each package file once, in the order of installation, with where it is installed.</summary>
    private static IEnumerable<(LockedPackage Package, string Places)> Packages(Lockfile lockfile)
    {
        var initrd = lockfile.Initrd.Select(static package => package.Sha256).ToHashSet(StringComparer.Ordinal);
        var image = lockfile.Packages.Select(static package => package.Sha256).ToHashSet(StringComparer.Ordinal);
        return lockfile.Packages.Select(package => (package, initrd.Contains(package.Sha256) ? $"{InImage}, {InInitrd}" : InImage))
            .Concat(lockfile.Initrd.Where(package => !image.Contains(package.Sha256)).Select(static package => (package, InInitrd)));
    }

    /// <summary>https://github.com/package-url/purl-spec: types alpm and deb.</summary>
    private static string PackageUrl(BuildConfig config, LockedPackage package)
    {
        var distribution = DistributionInstaller.For(config);
        string version = Uri.EscapeDataString(package.Version).Replace("%3A", ":", StringComparison.Ordinal);
        return $"pkg:{distribution.PackageUrlType}/{Names.Of(config.Distribution)}/{Uri.EscapeDataString(package.Name)}@{version}?arch={distribution.ArchitectureOf(package)}";
    }
}
