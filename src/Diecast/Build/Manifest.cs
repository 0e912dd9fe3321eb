using System.Text.Encodings.Web;
using System.Text.Json;
using Diecast.Config;

namespace Diecast.Build;

/// <summary>A package in the image.</summary>
public sealed record ManifestEntry(string Type, string Name, string Version, string Architecture);

/// <summary>
/// <c>NAME.manifest</c>: mkosi's JSON manifest (version 1) of what is in the image, and the version of Diecast that made it.
/// </summary>
public static class Manifest
{
    public static byte[] Write(BuildConfig config, IEnumerable<ManifestEntry> packages, string toolVersion)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteNumber("manifest_version", 1);
            json.WriteStartObject("config");
            json.WriteString("name", config.ImageId ?? "image");
            json.WriteString("distribution", Names.Of(config.Distribution));
            json.WriteString("architecture", Names.Of(config.Architecture));
            if (config.ImageVersion is { } version)
            {
                json.WriteString("version", version);
            }
            json.WriteString("release", config.Release);
            json.WriteEndObject();
            json.WriteStartObject("tool");
            json.WriteString("name", "diecast");
            json.WriteString("version", toolVersion);
            json.WriteEndObject();
            json.WriteStartArray("packages");
            foreach (var package in packages.OrderBy(static package => package.Name, StringComparer.Ordinal))
            {
                json.WriteStartObject();
                json.WriteString("type", package.Type);
                json.WriteString("name", package.Name);
                json.WriteString("version", package.Version);
                json.WriteString("architecture", package.Architecture);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        buffer.WriteByte((byte)'\n');
        return buffer.ToArray();
    }
}
