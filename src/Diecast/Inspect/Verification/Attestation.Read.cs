using System.Text.Json;
using Diecast.Build;
using Diecast.Config;
using Diecast.Packages;

namespace Diecast.Inspect.Verification;

/// <content>Attestations made elsewhere, which are not trusted: what they say is compared with what is here.</content>
public sealed partial class Attestation
{
    private const int MaximumSize = 64 << 20;
    private const int MaximumDepth = 16;

    /// <exception cref="InvalidDataException">It is none of Diecast's: the file and the member are named.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static Attestation Load(string path)
    {
        long size = new FileInfo(path).Length;
        return size <= MaximumSize ? Parse(File.ReadAllBytes(path), path) : throw new InvalidDataException($"{path}: {size} bytes are too many for an attestation");
    }

    /// <param name="name">The file's, for messages.</param>
    /// <inheritdoc cref="Load"/>
    public static Attestation Parse(byte[] bytes, string name)
    {
        using var document = ParseJson(bytes, name);
        var statement = new Member(name, "", document.RootElement);
        statement["_type"].Require(StatementType);
        var subjects = statement["subject"].Items();
        string sha256 = subjects is [var subject] ? subject["digest"]["sha256"].Digest() : throw statement["subject"].Wrong("must be of one image");
        statement["predicateType"].Require(PredicateType);
        var predicate = statement["predicate"];
        var definition = predicate["buildDefinition"];
        definition["buildType"].Require(BuildType);
        _ = definition["externalParameters"]["settings"].Members();
        var dependencies = definition["resolvedDependencies"].Items();
        foreach (var dependency in dependencies)
        {
            _ = (dependency["name"].Text(), dependency["digest"]["sha256"].Digest());
        }
        if (dependencies is not [var first, ..] || first["name"].Text() != Lockfile.FileName)
        {
            throw definition["resolvedDependencies"].Wrong($"must begin with {Lockfile.FileName}");
        }
        var details = predicate["runDetails"];
        details["builder"]["id"].Require(BuilderId);
        _ = details["builder"]["version"]["diecast"].Text();
        details[VerificationName]["result"].Require("same");
        return new Attestation(bytes, name, sha256);
    }

    /// <summary>Checks that what is here is what it was made of: the lock file, the packages, the settings. Another version of the tool is a warning.</summary>
    /// <exception cref="ConfigException">It is not: with all that differs.</exception>
    public void RequireFit(BuildRequest build)
    {
        string lockPath = Path.Join(build.Config.Directory, Lockfile.FileName);
        if (!File.Exists(lockPath))
        {
            throw new ConfigException(new Location(lockPath), "there is no lock file: take the one that the attestation is of");
        }
        var lockfile = Lockfile.Load(lockPath);
        using var document = JsonDocument.Parse(_bytes);
        var predicate = new Member(_name, "", document.RootElement)["predicate"];
        var definition = predicate["buildDefinition"];
        var errors = new List<string>();
        var dependencies = definition["resolvedDependencies"].Items().Select(static item => (item["name"].Text(), item["digest"]["sha256"].Digest())).ToList();
        if (dependencies[0].Item2 != lockfile.Digest)
        {
            errors.Add($"is of a {Lockfile.FileName} with the digest {dependencies[0].Item2}, and that of {lockPath} is {lockfile.Digest}");
        }
        else if (!dependencies.Skip(1).SequenceEqual(Packages(lockfile).Select(static pair => (pair.Package.Name, pair.Package.Sha256))))
        {
            errors.Add($"lists other packages than the {Lockfile.FileName} that it names");
        }
        errors.AddRange(SettingsThatDiffer(definition["externalParameters"]["settings"], build.Config));
        if (errors.Count > 0)
        {
            throw new ConfigException([.. errors.Select(error => new Diagnostic(new Location(_name), error))]);
        }
        string version = predicate["runDetails"]["builder"]["version"]["diecast"].Text();
        if (version != build.ToolVersion)
        {
            build.Report.Warning($"{_name}: is of diecast {version}, and this is {build.ToolVersion}, which may write other bytes");
        }
    }

    private static IEnumerable<string> SettingsThatDiffer(Member attested, BuildConfig config)
    {
        using var here = JsonDocument.Parse(Summary.ForScripts(config));
        var theirs = attested.Members().ToDictionary(static member => member.Name, static member => member.Value, StringComparer.Ordinal);
        var ours = here.RootElement.EnumerateObject().ToDictionary(static member => member.Name, static member => member.Value, StringComparer.Ordinal);
        return [.. theirs.Keys.Union(ours.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal)
            .Where(name => !theirs.TryGetValue(name, out var their) || !ours.TryGetValue(name, out var our) || !JsonElement.DeepEquals(their, our))
            .Select(name => $"{name}= is {Show(theirs, name)} there, and {Show(ours, name)} here")];

        static string Show(Dictionary<string, JsonElement> settings, string name) => settings.TryGetValue(name, out var value) ? JsonSerialize(value) : "unknown";
    }

    private static string JsonSerialize(JsonElement value)
    {
        const int longest = 200;
        string text = string.Join(' ', value.GetRawText().Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
        return text.Length > longest ? text[..longest] + "…" : text;
    }

    private static JsonDocument ParseJson(byte[] bytes, string name)
    {
        try
        {
            return JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = MaximumDepth, AllowDuplicateProperties = false });
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{name}:{e.LineNumber + 1}: {e.Message}", e);
        }
    }

    /// <summary>A value in the file, with the way to it for messages.</summary>
    private readonly record struct Member(string File, string Place, JsonElement Value)
    {
        public Member this[string name] => Value.ValueKind == JsonValueKind.Object && Value.TryGetProperty(name, out var value)
            ? new Member(File, $"{Place}{(Place.Length > 0 ? "." : "")}{name}", value)
            : throw Wrong($"has no {name}");

        public string Text() => Value.ValueKind == JsonValueKind.String ? Value.GetString()! : throw Wrong("is no text");

        public string Digest() => Text() is { Length: 64 } text && text.All(char.IsAsciiHexDigitLower) ? text : throw Wrong("is no SHA-256 in lower-case hexadecimal");

        public List<Member> Items()
        {
            var self = this;
            return Value.ValueKind == JsonValueKind.Array
                ? [.. Value.EnumerateArray().Select((item, index) => new Member(self.File, $"{self.Place}[{index}]", item))]
                : throw Wrong("is no list");
        }

        public JsonElement.ObjectEnumerator Members() => Value.ValueKind == JsonValueKind.Object ? Value.EnumerateObject() : throw Wrong("is no object");

        public void Require(string text)
        {
            if (Text() != text)
            {
                throw Wrong($"is '{Text()}' and not '{text}'");
            }
        }

        public InvalidDataException Wrong(string what) => new($"{File}: {(Place.Length > 0 ? Place : "the file")} {what}");
    }
}
