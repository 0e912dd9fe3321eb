using System.Text.Encodings.Web;
using System.Text.Json;
using Diecast.Inspect.Reports;

namespace Diecast.Inspect.Verification;

/// <summary>Tells people, or programs, how a verification ended.</summary>
public sealed class VerifyReport(TextWriter output, bool hasColors)
{
    private const int FormatVersion = 1;
    private const int PathColumn = 48;

    /// <summary>Runs and what they were under; where something differs, why, and then what.</summary>
    /// <param name="maximum">The most lines of each kind for one thing that differs.</param>
    public void Write(string image, VerifyResult result, int maximum)
    {
        foreach (var (run, number) in result.Runs.Select(static (run, index) => (run, index + 1)))
        {
            output.WriteLine($"rebuild {number}: {(run.Sha256 == result.Sha256 ? "the same" : "DIFFERENT")}");
            foreach (var varied in run.Varied)
            {
                output.WriteLine($"  varied      {varied.Name,-12} {varied.Description}");
            }
            foreach (var not in run.NotVaried)
            {
                output.WriteLine($"  NOT varied  {not.Name,-12} {not.Reason}");
            }
        }
        output.WriteLine();
        if (result.IsSame)
        {
            output.WriteLine($"{image} is verified: {result.Sha256}");
            return;
        }
        output.WriteLine($"{image} is NOT what is built now: {result.Sha256} is {result.Runs[^1].Sha256}");
        foreach (var finding in result.Findings)
        {
            string place = finding.Field.Length > 0 ? $"{finding.Path}: {finding.Field}" : finding.Path;
            output.WriteLine($"  {place.PadRight(PathColumn)} {Explain(finding)}");
        }
        output.WriteLine();
        if (result.Difference is { } difference)
        {
            new TextReport(output, maximum, hasColors).Write(difference, image, "the rebuild");
        }
        else
        {
            output.WriteLine("There is no image here to compare byte by byte: name it as IMAGE.");
        }
    }

    private static string Explain(Finding finding) => finding.Kind switch
    {
        FindingKind.Variations => $"caused by {string.Join(" or ", finding.Variations)}",
        FindingKind.EveryRun => "differs on every run: randomness",
        FindingKind.TimePasses => "differs on every run: time passes",
        FindingKind.EveryRunOrTime => "differs on every run: randomness, or time that passes (libfaketime would tell)",
        FindingKind.Combination => "no variation alone causes it: only a combination",
        _ => "differs without any variation: the image is of another configuration, lock file or tool",
    };

    /// <summary>The same as JSON (docs/verify.md).</summary>
    public static void WriteJson(Stream output, string image, VerifyResult result)
    {
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteNumber("format_version", FormatVersion);
            json.WriteString("image", image);
            json.WriteString("sha256", result.Sha256);
            json.WriteBoolean("same", result.IsSame);
            WriteRuns(json, result);
            if (!result.IsSame)
            {
                WriteFindings(json, result.Findings);
            }
            if (result.Difference is { } difference)
            {
                json.WritePropertyName("difference");
                JsonReport.Write(json, difference);
            }
            json.WriteEndObject();
        }
        output.WriteByte((byte)'\n');
    }

    internal static void WriteRuns(Utf8JsonWriter json, VerifyResult result)
    {
        json.WriteStartArray("runs");
        foreach (var run in result.Runs)
        {
            json.WriteStartObject();
            json.WriteString("sha256", run.Sha256);
            json.WriteString("result", run.Sha256 == result.Sha256 ? "same" : "different");
            WritePairs(json, "varied", "description", run.Varied.Select(static varied => (varied.Name, varied.Description)));
            WritePairs(json, "notVaried", "reason", run.NotVaried.Select(static not => (not.Name, not.Reason)));
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WritePairs(Utf8JsonWriter json, string name, string second, IEnumerable<(string Name, string Text)> pairs)
    {
        json.WriteStartArray(name);
        foreach (var pair in pairs)
        {
            json.WriteStartObject();
            json.WriteString("name", pair.Name);
            json.WriteString(second, pair.Text);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteFindings(Utf8JsonWriter json, IReadOnlyList<Finding> findings)
    {
        json.WriteStartArray("findings");
        foreach (var finding in findings)
        {
            json.WriteStartObject();
            json.WriteString("path", finding.Path);
            if (finding.Field.Length > 0)
            {
                json.WriteString("field", finding.Field);
            }
            json.WriteString("cause", Config.Names.Kebab(finding.Kind.ToString()));
            json.WriteStartArray("variations");
            foreach (string variation in finding.Variations)
            {
                json.WriteStringValue(variation);
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
