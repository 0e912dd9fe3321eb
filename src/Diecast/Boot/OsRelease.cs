using Diecast.Trees;

namespace Diecast.Boot;

/// <summary>os-release(5), and what names a boot entry by it.</summary>
public static class OsRelease
{
    /// <summary>The fields of etc/os-release, else of usr/lib/os-release; empty where there is neither.</summary>
    public static IReadOnlyDictionary<string, string> Read(FileTree tree) =>
        Parse(TreeFiles.ReadText(tree, "etc/os-release") ?? TreeFiles.ReadText(tree, "usr/lib/os-release") ?? "");

    /// <summary>The fields of the text of such a file.</summary>
    public static IReadOnlyDictionary<string, string> Parse(string text)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string line in text.Split('\n'))
        {
            int equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && !line.StartsWith('#'))
            {
                fields[line[..equals].Trim()] = Unquote(line[(equals + 1)..].Trim());
            }
        }
        return fields;
    }

    /// <summary>
    /// What the names of boot entries start with, as kernel-install has it: etc/kernel/entry-token, else the machine's
    /// id where there is one already, else IMAGE_ID or ID of os-release; else <paramref name="fallback"/>.
    /// </summary>
    public static string EntryToken(FileTree tree, string fallback)
    {
        string? token = TreeFiles.ReadText(tree, "etc/kernel/entry-token")?.Trim();
        string? machineId = TreeFiles.ReadText(tree, "etc/machine-id")?.Trim();
        var fields = Read(tree);
        bool hasMachineId = machineId is { Length: 32 } && machineId.All(char.IsAsciiHexDigitLower);
        string?[] candidates = [token, hasMachineId ? machineId : null, fields.GetValueOrDefault("IMAGE_ID"), fields.GetValueOrDefault("ID"), fallback];
        return candidates.First(static candidate => !string.IsNullOrEmpty(candidate))!;
    }

    /// <summary>As a shell would: one pair of quotes, and backslashes before the characters that are special in them.</summary>
    private static string Unquote(string value)
    {
        if (value.Length < 2 || value[0] is not ('"' or '\'') || value[^1] != value[0])
        {
            return value;
        }
        if (value[0] == '\'')
        {
            return value[1..^1];
        }
        var text = new System.Text.StringBuilder();
        for (int i = 1; i < value.Length - 1; i++)
        {
            if (value[i] == '\\' && i + 2 < value.Length && value[i + 1] is ('"' or '\\' or '$' or '`'))
            {
                i++;
            }
            text.Append(value[i]);
        }
        return text.ToString();
    }
}
