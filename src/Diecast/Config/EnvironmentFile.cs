namespace Diecast.Config;

/// <summary>
/// A file of EnvironmentFiles=: one NAME=VALUE a line, where the value is the rest of the line as it stands, without quotes
/// or escapes. Blank lines and lines that begin with <c>#</c> are skipped.
/// </summary>
internal static class EnvironmentFile
{
    public static IEnumerable<(string Name, SettingValue Value)> Parse(
        string text, string file, List<Diagnostic> diagnostics)
    {
        string[] lines = text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].Trim();
            var location = new Location(file, i + 1);
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }
            int equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || !ConfigResolver.VariableName().IsMatch(line[..equals]))
            {
                diagnostics.Add(new Diagnostic(location, $"'{line}' is not NAME=VALUE"));
                continue;
            }
            yield return (line[..equals], new SettingValue(line[(equals + 1)..], location));
        }
    }
}
