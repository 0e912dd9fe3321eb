using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Diecast.Config;

/// <summary>The resolved configuration for people and for programs: every setting that acts, in the order of the table.</summary>
public static class Summary
{
    /// <summary>In the language of mkosi.conf. An empty value is one that is not set.</summary>
    public static string Text(BuildConfig config)
    {
        var text = new StringBuilder();
        string section = "";
        foreach (var setting in Acting())
        {
            if (setting.Section != section)
            {
                section = setting.Section;
                text.Append(CultureInfo.InvariantCulture, $"{(text.Length > 0 ? "\n" : "")}[{section}]\n");
            }
            string indent = "\n" + new string(' ', setting.Name.Length + 1);
            string value = setting.Show!(config) is IEnumerable<string> list
                ? string.Join(indent, list.Select(Escape))
                : Escape(Scalar(setting.Show(config)) ?? "");
            text.Append(CultureInfo.InvariantCulture, $"{setting.Name}={value}\n");
        }
        return text.ToString();
    }

    /// <summary>An object of sections, each an object of settings: null, text, a list of text, a number or a truth value.</summary>
    public static string Json(BuildConfig config)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            foreach (var section in Acting().GroupBy(static setting => setting.Section, StringComparer.Ordinal))
            {
                writer.WriteStartObject(section.Key);
                foreach (var setting in section)
                {
                    writer.WritePropertyName(setting.Name);
                    WriteValue(writer, setting.Show!(config));
                }
                writer.WriteEndObject();
            }
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    /// <summary>
    /// What scripts find at <c>$MKOSI_CONFIG</c>: as in mkosi one object of settings, sorted by name; of mkosi's only those that
    /// act here. Paths are relative to the configuration's directory, of which a script must not know where it is.
    /// </summary>
    public static string ForScripts(BuildConfig config)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, IndentSize = 4, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            WritePortable(writer, config);
        }
        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    /// <summary>The object that <see cref="ForScripts"/> gives: what of the configuration is the same on every host.</summary>
    internal static void WritePortable(Utf8JsonWriter writer, BuildConfig config)
    {
        writer.WriteStartObject();
        foreach (var setting in Acting().Where(static setting => !IsSecret(setting)).OrderBy(static setting => setting.Name, StringComparer.Ordinal))
        {
            writer.WritePropertyName(setting.Name);
            WriteForScripts(writer, setting, config);
        }
        writer.WriteEndObject();
    }

    private static void WriteForScripts(Utf8JsonWriter writer, Setting setting, BuildConfig config)
    {
        switch (setting.Show!(config))
        {
            case var _ when setting.Name == "Environment":
                WriteVariables(writer, config.Environment);
                break;
            case Feature feature:
                writer.WriteStringValue(feature switch { Feature.Yes => "enabled", Feature.No => "disabled", _ => "auto" });
                break;
            case IEnumerable<string> trees when setting.Syntax.Paths == PathUse.Tree:
                WriteTrees(writer, trees);
                break;
            case var value:
                WriteValue(writer, value);
                break;
        }
    }

    private static void WriteTrees(Utf8JsonWriter writer, IEnumerable<string> trees)
    {
        writer.WriteStartArray();
        foreach (string[] parts in trees.Select(static tree => tree.Split(':', 2)))
        {
            writer.WriteStartObject();
            writer.WriteString("Source", parts[0]);
            writer.WriteString("Target", parts.ElementAtOrDefault(1));
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    // What is the host's, and a password's hash, are nobody's in an image.
    private static bool IsSecret(Setting setting) =>
        setting.Name is "RootPassword" or "OutputDirectory" or "Mirror" or "SandboxTrees" or "EnvironmentFiles" || setting.Name.StartsWith("Proxy", StringComparison.Ordinal);

    private static void WriteVariables(Utf8JsonWriter writer, IEnumerable<KeyValuePair<string, string>> variables)
    {
        writer.WriteStartObject();
        foreach (var (name, value) in variables)
        {
            writer.WriteString(name, value);
        }
        writer.WriteEndObject();
    }

    private static IEnumerable<Setting> Acting() => SettingTable.All.Where(static setting => setting.Group == SettingGroup.Acts);

    private static void WriteValue(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case bool truth:
                writer.WriteBooleanValue(truth);
                break;
            case int or long:
                writer.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
            case IEnumerable<string> list:
                writer.WriteStartArray();
                foreach (string item in list)
                {
                    writer.WriteStringValue(item);
                }
                writer.WriteEndArray();
                break;
            default:
                writer.WriteStringValue(Scalar(value));
                break;
        }
    }

    private static string? Scalar(object? value) => value switch
    {
        null => null,
        bool truth => truth ? "yes" : "no",
        Enum choice => Names.Kebab(choice.ToString()),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };

    private static string Escape(string text) => text.Replace("%", "%%", StringComparison.Ordinal);
}
