using System.Text;

namespace Diecast.Config;

/// <summary>
/// Expands mkosi's <c>%x</c> in a value from a file, by what is known at that point of the file; what the command line says
/// counts as known from the start.
/// </summary>
internal sealed class Specifiers(MergedValues values, string invocationDirectory, string directory)
{
    /// <exception cref="FormatException">A specifier is unknown, not yet known, or a fact of the host.</exception>
    public string Expand(string text, PathUse use)
    {
        if (!text.Contains('%', StringComparison.Ordinal))
        {
            return text;
        }
        var result = new StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            bool specifier = text[i] == '%' && i + 1 < text.Length;
            _ = specifier ? result.Append(Value(text[++i], use)) : result.Append(text[i]);
        }
        return result.ToString();
    }

    private string Value(char specifier, PathUse use) => specifier switch
    {
        '%' => "%",
        'd' => Known(specifier, "Distribution", values.Text("Distribution")),
        'r' => Known(specifier, "Release", values.Text("Release") ?? Defaults.Release(values.Text("Distribution"))),
        'a' => Known(specifier, "Architecture", values.Text("Architecture") ?? Names.Of(Defaults.Architecture)),
        't' => Known(specifier, "Format", values.Text("Format") ?? Names.Of(Defaults.Format)),
        'o' => Defaults.Output(values),
        'i' => Known(specifier, "ImageId", values.Text("ImageId")),
        'v' => Known(specifier, "ImageVersion", values.Text("ImageVersion")),
        'I' => "main",
        'F' => "ext4",
        'O' => HostPath(specifier, use, values.Text("OutputDirectory") ?? directory),
        'D' => HostPath(specifier, use, invocationDirectory),
        'C' or 'P' => HostPath(specifier, use, directory),
        _ => throw new FormatException($"the specifier %{specifier} is unknown (a percent sign is %%)"),
    };

    private static string Known(char specifier, string setting, string? value) =>
        value ?? throw new FormatException($"%{specifier} stands before {setting}= has been given");

    // Where the checkout lies may decide what is read, never what is written.
    private static string HostPath(char specifier, PathUse use, string path) => use != PathUse.None
        ? path
        : throw new FormatException($"%{specifier} is a directory of the host, and may stand only where a path is asked for");
}
