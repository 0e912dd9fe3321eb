using Diecast.Trees;

namespace Diecast.Formats.Fat;

/// <summary>
/// fatgen103, "Date and Time Formats": 1980 to 2107 in steps of two seconds. The format names no time zone; here it is
/// always UTC.
/// </summary>
internal readonly record struct DosTime(ushort Date, ushort Time)
{
    private static readonly DateTime s_first = new(1980, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly DateTime s_last = new(2107, 12, 31, 23, 59, 58, DateTimeKind.Utc);

    /// <summary>The last representable time that is not after <paramref name="time"/>; the first or the last one beyond them.</summary>
    public static DosTime From(Timestamp time)
    {
        long seconds = Math.Clamp(time.Seconds, Seconds(s_first), Seconds(s_last));
        var at = DateTime.UnixEpoch.AddSeconds(seconds);
        return new DosTime(
            (ushort)(((at.Year - 1980) << 9) | (at.Month << 5) | at.Day),
            (ushort)((at.Hour << 11) | (at.Minute << 5) | (at.Second / 2)));
    }

    /// <summary>
    /// The time. Fields out of their range, which the world's images have (a date of zero above all), are carried on
    /// as drivers do it and are no error.
    /// </summary>
    public Timestamp ToTimestamp()
    {
        int month = Math.Clamp((Date >> 5) & 0xF, 1, 12);
        var day = new DateTime(1980 + (Date >> 9), month, 1, 0, 0, 0, DateTimeKind.Utc).AddDays(Math.Max((Date & 0x1F) - 1, 0));
        return new Timestamp(Seconds(day) + (Time >> 11) * 3600 + ((Time >> 5) & 0x3F) * 60 + (Time & 0x1F) * 2);
    }

    private static long Seconds(DateTime time) => (time - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerSecond;
}
