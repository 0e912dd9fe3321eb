using System.Text;

namespace Diecast.Config;

/// <summary>mkosi's spelling of our enumerations: <c>SystemdBoot</c> is <c>systemd-boot</c>.</summary>
internal static class Names
{
    public static IEnumerable<string> All<T>()
        where T : struct, Enum => Enum.GetNames<T>().Select(Kebab);

    public static string Of<T>(T value)
        where T : struct, Enum => Kebab(value.ToString());

    public static T Parse<T>(string name)
        where T : struct, Enum => Enum.GetValues<T>().First(value => Of(value) == name);

    public static string Kebab(string name)
    {
        var text = new StringBuilder();
        foreach (char c in name)
        {
            if (char.IsAsciiLetterUpper(c) && text.Length > 0)
            {
                text.Append('-');
            }
            text.Append(char.ToLowerInvariant(c));
        }
        // A digit may not begin an identifier's part: X86_64.
        return text.Replace('_', '-').ToString();
    }
}
