using System.Globalization;
using System.Text;
using Diecast.Trees;

namespace Diecast.Inspect.Reports;

/// <summary>Sizes, times and names for people; they depend on the value alone.</summary>
public static class Units
{
    /// <summary>"512 B", "1.5 KiB", "512 MiB": at most four digits.</summary>
    public static string Size(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        double value = bytes;
        int unit = 0;
        // What would be rounded to 1024 is one of the next unit.
        while (Math.Abs(value) >= 1023.5 && unit < units.Length - 1)
        {
            value /= 1024;
            unit++;
        }
        string format = unit == 0 || value == Math.Floor(value) || Math.Abs(value) >= 99.95 ? "0" : "0.0";
        return $"{value.ToString(format, CultureInfo.InvariantCulture)} {units[unit]}";
    }

    /// <summary>"2022-09-01 15:26:49.123456789" in UTC; "@" and the seconds where no calendar reaches.</summary>
    public static string Time(Timestamp time) => Seconds(time.Seconds) is { } text
        ? $"{text}.{time.Nanoseconds.ToString("D9", CultureInfo.InvariantCulture)}"
        : $"@{time}";

    /// <summary>"2022-09-01T15:26:49.123456789Z"; "@" and the seconds where no calendar reaches.</summary>
    public static string TimeForMachines(Timestamp time) =>
        Time(time) is var text && text[0] == '@' ? text : text.Replace(' ', 'T') + "Z";

    /// <summary>
    /// Text of an image for people: as it is, or where it holds what a terminal obeys as <see cref="FileName.Display"/> gives
    /// it. (Readers have escaped most of it already.)
    /// </summary>
    public static string Display(string text) =>
        text.EnumerateRunes().Any(static rune => Rune.IsControl(rune) || Rune.GetUnicodeCategory(rune) == UnicodeCategory.Format)
            ? FileName.Display(Encoding.UTF8.GetBytes(text)) : text;

    private static string? Seconds(long seconds)
    {
        const long first = -62_135_596_800;
        const long last = 253_402_300_799;
        return seconds is >= first and <= last
            ? DateTimeOffset.FromUnixTimeSeconds(seconds).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)
            : null;
    }
}
