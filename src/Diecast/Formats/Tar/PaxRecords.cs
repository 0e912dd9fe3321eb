using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Diecast.Trees;

namespace Diecast.Formats.Tar;

/// <summary>
/// The records of an extended header: <c>length key=value\n</c>. Keys are bytes too (an attribute's name is part of
/// one); as text they are Latin-1, where each byte is one character.
/// </summary>
internal static class PaxRecords
{
    /// <summary>Parses the body of an extended header that stands at <paramref name="offset"/> of the archive.</summary>
    public static List<KeyValuePair<string, byte[]>> Parse(ReadOnlySpan<byte> body, long offset)
    {
        var records = new List<KeyValuePair<string, byte[]>>();
        while (!body.IsEmpty)
        {
            records.Add(ParseFirst(body, offset, out int length));
            body = body[length..];
        }
        return records;
    }

    /// <summary>Parses the record that a body begins with, and gives its length in bytes.</summary>
    public static KeyValuePair<string, byte[]> ParseFirst(ReadOnlySpan<byte> body, long offset, out int length)
    {
        if (!Utf8Parser.TryParse(body, out length, out int digits) || length <= digits + 1 || length > body.Length
            || body[digits] != ' ' || body[length - 1] != '\n')
        {
            throw new InvalidDataException($"tar: the extended header at {offset} has a malformed record");
        }
        var record = body[(digits + 1)..(length - 1)];
        int equals = record.IndexOf((byte)'=');
        return equals > 0
            ? new(Encoding.Latin1.GetString(record[..equals]), record[(equals + 1)..].ToArray())
            : throw new InvalidDataException($"tar: the extended header at {offset} has a record without a key");
    }

    /// <summary>Appends a record; the length counts its own digits.</summary>
    public static void Append(List<byte> body, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        int rest = key.Length + value.Length + " =\n".Length;
        int length = rest + 1;
        while (length != rest + Digits(length))
        {
            length = rest + Digits(length);
        }
        body.AddRange(Encoding.ASCII.GetBytes(length.ToString(CultureInfo.InvariantCulture)));
        body.Add((byte)' ');
        body.AddRange(key);
        body.Add((byte)'=');
        body.AddRange(value);
        body.Add((byte)'\n');
    }

    /// <summary>A decimal number without sign.</summary>
    public static long ParseNumber(string key, ReadOnlySpan<byte> value) =>
        Utf8Parser.TryParse(value, out ulong number, out int used) && used == value.Length && number <= long.MaxValue
            ? (long)number
            : throw Malformed(key, value);

    /// <summary>Seconds with an optional sign and fraction; digits past the nanoseconds are dropped (towards the past).</summary>
    public static Timestamp ParseTime(string key, ReadOnlySpan<byte> value)
    {
        var text = value;
        bool negative = text.StartsWith("-"u8);
        text = negative ? text[1..] : text;
        int point = text.IndexOf((byte)'.');
        var whole = point < 0 ? text : text[..point];
        var fraction = point < 0 ? [] : text[(point + 1)..];
        if (whole.IsEmpty || whole.Length > 18 || whole.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            || fraction.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            throw Malformed(key, value);
        }
        long seconds = 0;
        foreach (byte digit in whole)
        {
            seconds = seconds * 10 + (digit - '0');
        }
        uint nanoseconds = 0;
        for (int i = 0; i < 9; i++)
        {
            nanoseconds = nanoseconds * 10 + (i < fraction.Length ? (uint)(fraction[i] - '0') : 0);
        }
        if (!negative)
        {
            return new Timestamp(seconds, nanoseconds);
        }
        bool exact = fraction.Length <= 9 || !fraction[9..].ContainsAnyExcept((byte)'0');
        long total = nanoseconds + (exact ? 0 : 1);
        return total == 0 ? new Timestamp(-seconds) : new Timestamp(-seconds - 1, (uint)(1_000_000_000 - total));
    }

    /// <summary>The shortest form of a time that <see cref="ParseTime"/> understands.</summary>
    public static string FormatTime(Timestamp time)
    {
        bool borrow = time is { Seconds: < 0, Nanoseconds: > 0 };
        long seconds = borrow ? time.Seconds + 1 : time.Seconds;
        uint nanoseconds = borrow ? 1_000_000_000 - time.Nanoseconds : time.Nanoseconds;
        string sign = time.Seconds < 0 ? "-" : "";
        string fraction = nanoseconds == 0
            ? "" : "." + nanoseconds.ToString("D9", CultureInfo.InvariantCulture).TrimEnd('0');
        return string.Create(CultureInfo.InvariantCulture, $"{sign}{Math.Abs(seconds)}{fraction}");
    }

    public static InvalidDataException Malformed(string key, ReadOnlySpan<byte> value) =>
        new($"tar: \"{FileName.Display(value[..Math.Min(value.Length, 40)])}\" is no value of the extended header's {key}");

    private static int Digits(int value) => value.ToString(CultureInfo.InvariantCulture).Length;
}
