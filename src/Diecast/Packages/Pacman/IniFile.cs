using System.Text;

namespace Diecast.Packages.Pacman;

/// <summary>A line of an ini file that says something. The key is null where a section begins.</summary>
internal readonly record struct IniLine(int Number, string? Section, string? Key, byte[]? Value)
{
    /// <summary>The value in UTF-8, or null where there is no "=".</summary>
    public string? Text => Value is null ? null : Encoding.UTF8.GetString(Value);
}

/// <summary>
/// The syntax of pacman.conf and of hooks: sections, <c>key = value</c> or a key alone, and comments, which are whole lines.
/// </summary>
internal static class IniFile
{
    public static IEnumerable<IniLine> Read(byte[] content)
    {
        string? section = null;
        int number = 0;
        foreach (byte[] raw in Lines(content))
        {
            number++;
            byte[] line = Trim(raw);
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }
            if (line[0] == '[' && line[^1] == ']')
            {
                section = line.Length < 2 ? "" : Encoding.UTF8.GetString(line.AsSpan(1, line.Length - 2));
                yield return new IniLine(number, section, null, null);
                continue;
            }
            int equals = Array.IndexOf(line, (byte)'=');
            string key = Encoding.UTF8.GetString(Trim(equals < 0 ? line : line.AsSpan(0, equals)));
            yield return new IniLine(number, section, key, equals < 0 ? null : Trim(line.AsSpan(equals + 1)));
        }
    }

    public static bool IsBlank(byte b) => b is (byte)' ' or (>= 9 and <= 13);

    private static IEnumerable<byte[]> Lines(byte[] content)
    {
        for (int start = 0; start < content.Length;)
        {
            int end = Array.IndexOf(content, (byte)'\n', start);
            end = end < 0 ? content.Length : end;
            yield return content[start..end];
            start = end + 1;
        }
    }

    private static byte[] Trim(ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty && IsBlank(text[0]))
        {
            text = text[1..];
        }
        while (!text.IsEmpty && IsBlank(text[^1]))
        {
            text = text[..^1];
        }
        return text.ToArray();
    }
}
