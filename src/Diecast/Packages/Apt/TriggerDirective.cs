using System.Text;

namespace Diecast.Packages.Apt;

/// <summary>A line of a package's <c>triggers</c>: deb-triggers(5).</summary>
/// <param name="IsInterest">The package wants to be told; else it tells.</param>
/// <param name="NoAwait">Who tells need not wait.</param>
/// <param name="Name">Of the trigger; a path, with its leading slash, for a trigger of files.</param>
internal sealed record TriggerDirective(bool IsInterest, bool NoAwait, string Name)
{
    public bool IsFile => Name[0] == '/';

    /// <exception cref="InvalidDataException">A line is malformed.</exception>
    public static IReadOnlyList<TriggerDirective> Parse(byte[] content)
    {
        var directives = new List<TriggerDirective>();
        foreach (string line in Encoding.Latin1.GetString(content).Split('\n').Select(static line => line.Trim(' ', '\t', '\r')))
        {
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }
            string[] words = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (words is not [var directive, var name] || !IsValid(name))
            {
                throw new InvalidDataException($"triggers: \"{line}\" is malformed");
            }
            directives.Add(directive switch
            {
                "interest" or "interest-await" => new TriggerDirective(true, false, name),
                "interest-noawait" => new TriggerDirective(true, true, name),
                "activate" or "activate-await" => new TriggerDirective(false, false, name),
                "activate-noawait" => new TriggerDirective(false, true, name),
                _ => throw new InvalidDataException($"triggers: \"{directive}\" is no directive"),
            });
        }
        return directives;
    }

    // The name becomes a file's, in dpkg's database.
    private static bool IsValid(string name) => name.All(static c => c is > ' ' and < '\x7f')
        && (name[0] == '/' ? !name.EndsWith('/') && !name.Contains("//", StringComparison.Ordinal)
            : char.IsAsciiLetterOrDigit(name[0]) && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '+' or '-' or '.' or ':'));
}
