using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Diecast.Packages.Apt;

namespace Diecast.Packages;

/// <summary>Converters that refuse what cannot be right at the line where it stands.</summary>
internal static class LockfileJson
{
    internal abstract class Text(string expected, Func<string, bool> isValid, bool isOptional = false) : JsonConverter<string?>
    {
        public override bool HandleNull => true;

        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (isOptional && reader.TokenType == JsonTokenType.Null)
            {
                return null;
            }
            return reader.TokenType == JsonTokenType.String && reader.GetString() is { } text && isValid(text)
                ? text
                : throw new JsonException($"expected {expected}");
        }

        public override void Write(Utf8JsonWriter writer, string? value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value);
    }

    internal sealed class Digest() : Text("a SHA-256 in lower-case hexadecimal", Sha256.IsValid);

    internal sealed class OptionalDigest() : Text("a SHA-256 in lower-case hexadecimal or null", Sha256.IsValid, isOptional: true);

    internal sealed class Fingerprint() : Text(
        "a fingerprint in upper-case hexadecimal or null",
        static text => text.Length == 40 && text.All(char.IsAsciiHexDigitUpper), isOptional: true);

    /// <summary>Components of a path and of an address, none of which leads upwards.</summary>
    internal sealed class File() : Text("a file name", AptPackage.IsRelativePath);

    internal sealed class RepositoryName() : Text("a repository's name", static text =>
        text.Length > 0 && text[0] != '.' && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '+' or '@'));

    internal sealed class NonNegative : JsonConverter<long>
    {
        public override long Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long value) && value >= 0
                ? value
                : throw new JsonException("expected a number from 0 on");

        public override void Write(Utf8JsonWriter writer, long value, JsonSerializerOptions options) => writer.WriteNumberValue(value);
    }

    internal sealed class Reason() : JsonStringEnumConverter<InstallReason>(JsonNamingPolicy.CamelCase, allowIntegerValues: false);
}

[JsonSourceGenerationOptions(
    WriteIndented = true,
    IndentSize = 2,
    NewLine = "\n",
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    AllowDuplicateProperties = false,
    Converters = [typeof(LockfileJson.Reason)])]
[JsonSerializable(typeof(Lockfile))]
internal sealed partial class LockfileContext : JsonSerializerContext
{
    /// <summary>Versions have '+' in them, which the default encoder writes as an escape.</summary>
    public static LockfileContext Strict => field ??=
        new LockfileContext(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
