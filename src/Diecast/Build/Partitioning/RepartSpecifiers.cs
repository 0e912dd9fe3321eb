using System.Text;
using Diecast.Trees;

namespace Diecast.Build.Partitioning;

/// <summary>
/// The values of specifiers such as %M in definitions. Those that are facts of the host (its name, kernel, machine id,
/// temporary directories) have none: the image would depend on where it is built.
/// </summary>
/// <param name="Architecture">%a, and what "root" and "usr" mean: "x86-64".</param>
/// <param name="OsRelease">The fields of the image's os-release, or null where no tree is known.</param>
public sealed record RepartSpecifiers(string Architecture, IReadOnlyDictionary<string, string>? OsRelease)
{
    /// <summary>The specifiers for a tree that has an os-release.</summary>
    public static RepartSpecifiers ForTree(string architecture, FileTree? tree) =>
        new(architecture, tree is null ? null : ReadOsRelease(tree));

    /// <summary>Expands all specifiers of a text.</summary>
    /// <param name="more">Further specifiers; null for those it does not know.</param>
    /// <exception cref="FormatException">A specifier is unknown, or is a fact of the host.</exception>
    internal string Expand(string text, Func<char, string?>? more = null)
    {
        var expanded = new StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
            {
                expanded.Append(text[i]);
                continue;
            }
            i++;
            char specifier = i < text.Length ? text[i] : throw new FormatException("a % ends the value; write %% for a percent sign");
            expanded.Append(more?.Invoke(specifier) ?? Value(specifier));
        }
        return expanded.ToString();
    }

    private string Value(char specifier) => specifier switch
    {
        '%' => "%",
        'a' => Architecture,
        'A' => Field('A', "IMAGE_VERSION"),
        'B' => Field('B', "BUILD_ID"),
        'M' => Field('M', "IMAGE_ID"),
        'o' => Field('o', "ID"),
        'w' => Field('w', "VERSION_ID"),
        'W' => Field('W', "VARIANT_ID"),
        'b' or 'H' or 'l' or 'm' or 'q' or 'v' or 'T' or 'V' => throw new FormatException(
            $"%{specifier} is a fact of the host that the image would depend on; write the value instead"),
        _ => throw new FormatException($"%{specifier} is unknown; write %% for a percent sign"),
    };

    private string Field(char specifier, string name) => OsRelease is null
        ? throw new FormatException($"%{specifier} is {name} of the image's os-release, and no tree is given")
        : OsRelease.GetValueOrDefault(name, "");

    private static Dictionary<string, string> ReadOsRelease(FileTree tree)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        if ((TreeLookup.Resolve(tree, "/etc/os-release") ?? TreeLookup.Resolve(tree, "/usr/lib/os-release"))?.Node is not FileNode file
            || file.Content.Length > 1 << 20)
        {
            return fields;
        }
        foreach (string line in Encoding.UTF8.GetString(file.Content.ReadBytes(0, (int)file.Content.Length)).Split('\n'))
        {
            int equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && line[0] != '#')
            {
                fields[line[..equals].Trim()] = Unquote(line[(equals + 1)..].Trim());
            }
        }
        return fields;
    }

    private static string Unquote(string value)
    {
        try
        {
            return string.Join(' ', DefinitionValues.ParseWords(value));
        }
        catch (FormatException)
        {
            // A line that a shell could not read either: the image's own affair, and taken as it stands.
            return value;
        }
    }
}
