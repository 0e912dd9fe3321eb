using System.Text.Encodings.Web;
using System.Text.Json;
using Diecast.Inspect.Differences;

namespace Diecast.Inspect.Reports;

/// <summary>
/// Differences as JSON (docs/diff.md has the schema): the summary, then the tree of what differs. Members that would be empty
/// are left out.
/// </summary>
public static class JsonReport
{
    /// <summary>The version of the form; raised when a member changes its meaning or goes away.</summary>
    public const int FormatVersion = 1;

    public static void Write(Stream output, Difference? difference, string before, string after)
    {
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteNumber("format_version", FormatVersion);
        json.WriteString("before", before);
        json.WriteString("after", after);
        json.WriteBoolean("same", difference is null);
        if (difference is not null)
        {
            WriteSummary(json, DifferenceSummary.Of(difference));
            json.WritePropertyName("difference");
            Write(json, difference);
        }
        json.WriteEndObject();
    }

    private static void WriteSummary(Utf8JsonWriter json, DifferenceSummary summary)
    {
        json.WriteNumber("differing_bytes", summary.DifferingBytes);
        json.WriteNumber("files", summary.Files);
        json.WriteStartArray("causes");
        foreach (var entry in summary.Causes)
        {
            json.WriteStartObject();
            json.WriteString("id", entry.Cause?.Id ?? "unknown");
            json.WriteString("title", entry.Cause?.Title ?? "unknown cause");
            WriteText(json, "advice", entry.Cause?.Advice);
            json.WriteNumber("count", entry.Count);
            WriteTexts(json, "places", entry.Places);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    internal static void Write(Utf8JsonWriter json, Difference difference)
    {
        json.WriteStartObject();
        json.WriteString("kind", difference.Kind);
        json.WriteString("name", difference.Name);
        WriteText(json, "format", difference.Format);
        if (difference.Change != Change.Changed)
        {
            json.WriteString("change", difference.Change == Change.Added ? "added" : "removed");
        }
        WriteText(json, "cause", difference.Cause?.Id);
        if (difference.DifferingBytes > 0)
        {
            json.WriteNumber("differing_bytes", difference.DifferingBytes);
        }
        WriteFields(json, difference.Fields);
        WriteTexts(json, "notes", difference.Notes);
        WriteTexts(json, "lines", difference.Lines);
        if (difference.Children.Count > 0)
        {
            json.WriteStartArray("children");
            foreach (var child in difference.Children)
            {
                Write(json, child);
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void WriteFields(Utf8JsonWriter json, IReadOnlyList<FieldChange> fields)
    {
        if (fields.Count == 0)
        {
            return;
        }
        json.WriteStartArray("fields");
        foreach (var field in fields)
        {
            json.WriteStartObject();
            WriteText(json, "structure", field.Structure);
            json.WriteString("name", field.Name);
            json.WriteString("before", field.Before);
            json.WriteString("after", field.After);
            WriteText(json, "cause", field.Cause?.Id);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteText(Utf8JsonWriter json, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            json.WriteString(name, value);
        }
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyList<string> values)
    {
        if (values.Count > 0)
        {
            json.WriteStartArray(name);
            foreach (string value in values)
            {
                json.WriteStringValue(value);
            }
            json.WriteEndArray();
        }
    }
}
