using System.Text.Json;
using Diecast.Formats;
using Diecast.Images;

namespace Diecast.Inspect.Reports;

/// <summary>
/// An inspection as JSON: docs/inspect.md has the schema. What is not known is left out; numbers of bytes are numbers,
/// fields of structures are text.
/// </summary>
public static class InspectionJson
{
    /// <summary>How JSON is written here: indented, and characters beyond ASCII as they are.</summary>
    public static JsonWriterOptions Options => new() { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the whole document and a line feed.</summary>
    public static void Write(Stream output, string image, Compression compression, Inspection inspection)
    {
        using (var json = new Utf8JsonWriter(output, Options))
        {
            json.WriteStartObject();
            json.WriteString("image", image);
            if (compression != Compression.None)
            {
                json.WriteString("compression", compression.ToString().ToLowerInvariant());
            }
            WriteMembers(json, inspection);
            json.WriteEndObject();
        }
        output.WriteByte((byte)'\n');
    }

    private static void WriteMembers(Utf8JsonWriter json, Inspection inspection)
    {
        json.WriteNumber("length", inspection.Length);
        WriteIfAny(json, "kind", inspection.Container?.Kind);
        WriteIfAny(json, "unread", inspection.Unread);
        WriteIfAny(json, "damage", inspection.Damage);
        if (inspection.Problems.Count > 0)
        {
            json.WriteStartArray("problems");
            foreach (string problem in inspection.Problems)
            {
                json.WriteStringValue(problem);
            }
            json.WriteEndArray();
        }
        if (inspection.Usage is { } usage)
        {
            json.WriteStartObject("usage");
            foreach (var (name, value) in (IEnumerable<(string, long?)>)[("total", usage.Total), ("used", usage.Used), ("free", usage.Free),
                ("inodes", usage.Inodes), ("free_inodes", usage.FreeInodes), ("files", usage.Files)])
            {
                if (value is { } number)
                {
                    json.WriteNumber(name, number);
                }
            }
            json.WriteEndObject();
        }
        WriteFields(json, inspection.Container?.Fields ?? []);
        if (inspection.Parts.Count > 0)
        {
            json.WriteStartArray("parts");
            foreach (var part in inspection.Parts)
            {
                WritePart(json, part);
            }
            json.WriteEndArray();
        }
        if (inspection.Kernels.Count > 0)
        {
            json.WriteStartArray("kernels");
            foreach (var kernel in inspection.Kernels)
            {
                json.WriteStartObject();
                json.WriteString("path", kernel.Path.ToString());
                WriteMembers(json, kernel.Content);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
    }

    private static void WritePart(Utf8JsonWriter json, InspectedPart part)
    {
        json.WriteStartObject();
        json.WriteString("name", part.Part.Name);
        if (part.Part.Aliases.Count > 0)
        {
            json.WriteStartArray("aliases");
            foreach (string alias in part.Part.Aliases)
            {
                json.WriteStringValue(alias);
            }
            json.WriteEndArray();
        }
        WriteFields(json, part.Part.Fields);
        WriteIfAny(json, "sha256", part.Digest is { } digest ? Convert.ToHexStringLower(digest) : null);
        WriteIfAny(json, "text", part.Text);
        json.WriteStartObject("content");
        WriteMembers(json, part.Content);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>An object; a name that comes again has an array of its values.</summary>
    private static void WriteFields(Utf8JsonWriter json, IReadOnlyList<NamedField> fields)
    {
        if (fields.Count == 0)
        {
            return;
        }
        json.WriteStartObject("fields");
        foreach (var group in fields.GroupBy(static field => field.Name, static field => field.Value, StringComparer.Ordinal))
        {
            var values = group.ToList();
            if (values.Count == 1)
            {
                json.WriteString(group.Key, values[0]);
                continue;
            }
            json.WriteStartArray(group.Key);
            values.ForEach(json.WriteStringValue);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void WriteIfAny(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }
}
