using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace Diecast.Build.Partitioning;

/// <summary>The forms of values in definition files. Everything here throws a FormatException for what it refuses.</summary>
internal static class DefinitionValues
{
    private const long SizeUnit = 4096;

    private static readonly SearchValues<char> s_digits = SearchValues.Create("0123456789.");

    public static bool ParseBoolean(string value) => value.ToLowerInvariant() switch
    {
        "1" or "yes" or "y" or "true" or "t" or "on" => true,
        "0" or "no" or "n" or "false" or "f" or "off" => false,
        _ => throw new FormatException($"\"{value}\" is neither yes nor no"),
    };

    /// <summary>A boolean, or null for the empty value, which returns to the default.</summary>
    public static bool? ParseOptionalBoolean(string value) => value.Length == 0 ? null : ParseBoolean(value);

    /// <summary>Bytes, with K, M, G, T, P or E in powers of 1024.</summary>
    public static long ParseSize(string value)
    {
        int digits = value.AsSpan().IndexOfAnyExcept(s_digits);
        string number = digits < 0 ? value : value[..digits];
        string unit = digits < 0 ? "" : value[digits..].Trim();
        int exponent = unit is "" or "B" ? 0 : "KMGTPE".IndexOf(unit, StringComparison.Ordinal) + 1;
        if ((exponent == 0 && unit is not ("" or "B")) || unit.Length > 1
            || !decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal count))
        {
            throw new FormatException($"\"{value}\" is no size");
        }
        decimal bytes = count;
        for (int i = 0; i < exponent && bytes <= long.MaxValue; i++)
        {
            bytes *= 1024;
        }
        return bytes <= long.MaxValue - SizeUnit ? (long)bytes : throw new FormatException($"\"{value}\" is too large");
    }

    /// <summary>A size as a least one: rounded down to 4096, which is what systemd-repart does.</summary>
    public static long ParseLeastSize(string value) => ParseSize(value) / SizeUnit * SizeUnit;

    /// <summary>A size as a greatest one: rounded up to 4096, which is what systemd-repart does.</summary>
    public static long ParseGreatestSize(string value) => (ParseSize(value) + SizeUnit - 1) / SizeUnit * SizeUnit;

    public static int ParsePriority(string value) =>
        int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int priority)
            ? priority
            : throw new FormatException($"\"{value}\" is no whole number of 32 bits");

    public static int ParseWeight(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int weight) && weight <= 1_000_000
            ? weight
            : throw new FormatException($"\"{value}\" is not within 0 and 1000000");

    /// <summary>Decimal, or with 0x or 0b before it.</summary>
    public static ulong ParseFlags(string value)
    {
        bool valid = value.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? ulong.TryParse(value.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong flags)
            : value.StartsWith("0b", StringComparison.OrdinalIgnoreCase)
                ? ulong.TryParse(value.AsSpan(2), NumberStyles.AllowBinarySpecifier, CultureInfo.InvariantCulture, out flags)
                : ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out flags);
        return valid ? flags : throw new FormatException($"\"{value}\" is no number of 64 bits");
    }

    /// <summary>A UUID, with dashes or without.</summary>
    public static Guid ParseUuid(string value) =>
        Guid.TryParseExact(value, "D", out var id) || Guid.TryParseExact(value, "N", out id)
            ? id
            : throw new FormatException($"\"{value}\" is no UUID");

    public static int ParseSectorSize(string value) => ParseSize(value) switch
    {
        512 => 512,
        4096 => 4096,
        var size when size is > 0 and <= int.MaxValue && BitOperations.IsPow2(size) =>
            throw new FormatException($"sectors of {size} bytes are not supported yet, only those of 512 and 4096"),
        _ => throw new FormatException($"\"{value}\" is no power of two"),
    };

    /// <summary>An absolute path without empty parts and "."; a slash at the end stays if it is asked for.</summary>
    public static string ParsePath(string value, bool keepTrailingSlash = false)
    {
        string[] parts = value.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (!value.StartsWith('/') || parts.Contains(".."))
        {
            throw new FormatException($"\"{value}\" is not an absolute path without \"..\"");
        }
        if (value.Contains('\0', StringComparison.Ordinal) || parts.Any(static part => Encoding.UTF8.GetByteCount(part) > 255))
        {
            throw new FormatException($"\"{value}\" is no path");
        }
        string path = "/" + string.Join('/', parts.Where(static part => part != "."));
        return keepTrailingSlash && path.Length > 1 && value.EndsWith('/') ? path + "/" : path;
    }

    /// <summary>Words between blanks; quotes keep blanks together, a backslash takes the next character as it is.</summary>
    public static List<string> ParseWords(string value)
    {
        var words = new List<string>();
        StringBuilder? word = null;
        char quote = '\0';
        for (int i = 0; i < value.Length; i++)
        {
            char c = value[i];
            if (c == '\\')
            {
                i++;
                (word ??= new StringBuilder()).Append(i < value.Length ? value[i] : throw new FormatException("a backslash ends the value"));
            }
            else if (quote != '\0' ? c == quote : c is '"' or '\'')
            {
                quote = quote == '\0' ? c : '\0';
                word ??= new StringBuilder();
            }
            else if (quote == '\0' && char.IsWhiteSpace(c))
            {
                if (word is not null)
                {
                    words.Add(word.ToString());
                    word = null;
                }
            }
            else
            {
                (word ??= new StringBuilder()).Append(c);
            }
        }
        if (quote != '\0')
        {
            throw new FormatException($"the quote {quote} is not closed");
        }
        if (word is not null)
        {
            words.Add(word.ToString());
        }
        return words;
    }

    /// <summary>Fields between colons, with C's escapes: \n \t \r \a \b \f \v \e \s \\ \" \' \xNN \NNN.</summary>
    public static List<string> ParseFields(string value)
    {
        var fields = new List<string>();
        var field = new StringBuilder();
        for (int i = 0; i < value.Length; i++)
        {
            if (value[i] == ':')
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else if (value[i] == '\\')
            {
                field.Append(Unescape(value, ref i));
            }
            else
            {
                field.Append(value[i]);
            }
        }
        fields.Add(field.ToString());
        return fields;
    }

    private static char Unescape(string value, ref int i)
    {
        i++;
        char c = i < value.Length ? value[i] : throw new FormatException("a backslash ends the value");
        switch (c)
        {
            case 'n': return '\n';
            case 't': return '\t';
            case 'r': return '\r';
            case 'a': return '\a';
            case 'b': return '\b';
            case 'f': return '\f';
            case 'v': return '\v';
            case 'e': return '\e';
            case 's': return ' ';
            case '\\' or '"' or '\'': return c;
        }
        int code = -1;
        if (c == 'x' && i + 2 < value.Length
            && int.TryParse(value.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int hex))
        {
            code = hex;
        }
        else if (i + 2 < value.Length && value.AsSpan(i, 3).IndexOfAnyExceptInRange('0', '7') < 0)
        {
            code = (value[i] - '0') * 64 + (value[i + 1] - '0') * 8 + (value[i + 2] - '0');
        }
        i += 2;
        return code is > 0 and < 128 ? (char)code : throw new FormatException($"the escape \\{c} is unknown, or no ASCII character");
    }
}
