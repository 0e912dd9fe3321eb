using System.Globalization;
using System.Text.RegularExpressions;

namespace Diecast.Inspect.Differences;

/// <summary>
/// What two values must be for a cause to explain them. A value that the cause cannot have made (an id of zeros, a time
/// before there was the tool) rules it out.
/// </summary>
internal static partial class CauseTests
{
    // 2000-01-01: earlier times were chosen by somebody.
    private const long FirstClock = 946_684_800;
    private const int FirstDay = 10_957;

    /// <summary>Any two values.</summary>
    public static bool Any(string before, string after) => true;

    /// <summary>Two ids that are not made of one digit alone.</summary>
    public static bool Ids(string before, string after) => IsId(before) && IsId(after);

    /// <summary>Two times that a clock may have shown.</summary>
    public static bool Clock(string before, string after) => IsClock(before) && IsClock(after);

    /// <summary>A time, and none or another.</summary>
    public static bool ClockOrNone(string before, string after) => IsClock(before) || IsClock(after);

    /// <summary>Times of day, of which the date is in another field.</summary>
    public static bool TimeOfDay(string before, string after) => (TimeOnlyForm().IsMatch(before) && TimeOnlyForm().IsMatch(after)) || Clock(before, after);

    public static bool Numbers(string before, string after) =>
        ulong.TryParse(before, NumberStyles.None, CultureInfo.InvariantCulture, out _) && ulong.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out _);

    /// <summary>Days since 1970, with their date.</summary>
    public static bool Days(string before, string after) => IsDay(before) && IsDay(after);

    /// <summary>Two hashes of the same scheme, which then differ in salt or password.</summary>
    public static bool SaltedHashes(string before, string after)
    {
        var (one, other) = (HashForm().Match(before), HashForm().Match(after));
        return one.Success && other.Success && one.Groups[1].Value == other.Groups[1].Value;
    }

    /// <summary>As many entries, of other names or in another order.</summary>
    public static bool SameCount(string before, string after) => before.Split(' ')[0] == after.Split(' ')[0];

    /// <summary>Types of a tar member, of which one is a file and the other a hard link.</summary>
    public static bool OneIsHardLink(string before, string after) => (before, after) is ("0" or "", "1") or ("1", "0" or "");

    public static bool OneIsEmpty(string before, string after) => before.Length == 0 != (after.Length == 0);

    /// <summary>More entries or fewer, which makes another order.</summary>
    public static bool OtherCount(string before, string after) => !SameCount(before, after);

    /// <summary>Permissions that differ in nothing but what a umask takes: bits of the group and of others.</summary>
    public static bool Umask(string before, string after) => Octal(before) is { } one && Octal(after) is { } other
        && ((one ^ other) & ~63) == 0 && ((one & other) == one || (one & other) == other);

    /// <summary>Root, and a person of the host.</summary>
    public static bool RootAndPerson(string before, string after) => (before == "0" && IsPerson(after)) || (after == "0" && IsPerson(before));

    /// <summary>Lines that differ in ids alone.</summary>
    public static bool IdsInText(string before, string after) => AreSameBut(Uuid(), before, after);

    /// <summary>Lines that differ in root hashes of verity alone.</summary>
    public static bool RootHashes(string before, string after) => AreSameBut(RootHash(), before, after);

    /// <summary>Lines that differ in times alone, of which none is impossible.</summary>
    public static bool TimesInText(string before, string after) => AreSameBut(TimeInText(), before, after);

    /// <summary>Lines that differ in the directory of a build alone.</summary>
    public static bool BuildPaths(string before, string after) => AreSameBut(BuildPath(), before, after);

    /// <summary>Lines that differ in the version of a kernel alone.</summary>
    public static bool KernelVersions(string before, string after) => AreSameBut(KernelVersion(), before, after);

    /// <summary>Lines of a tool that says its name, which differ in versions alone.</summary>
    public static bool ToolVersions(string before, string after) => ToolName().IsMatch(before) && AreSameBut(Version(), before, after);

    /// <summary>Lines of os-release that say which build of the image it is.</summary>
    public static bool ImageVersions(string before, string after) => ImageVersion().Match(before) is { Success: true } one
        && ImageVersion().Match(after) is { Success: true } other && one.Value == other.Value;

    private static bool AreSameBut(Regex pattern, string before, string after) =>
        before != after && pattern.IsMatch(before) && pattern.Replace(before, "\0") == pattern.Replace(after, "\0");

    private static bool IsId(string value)
    {
        var digits = value.AsSpan().TrimStart("0x").ToString().Replace("-", "", StringComparison.Ordinal);
        return digits.Length >= 4 && digits.All(char.IsAsciiHexDigit) && digits.AsSpan().ContainsAnyExcept(digits[0]);
    }

    private static bool IsClock(string value)
    {
        int point = value.IndexOf('.', StringComparison.Ordinal);
        string seconds = point < 0 ? value : value[..point];
        return long.TryParse(seconds, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long time)
            ? time >= FirstClock
            : DateForm().Match(value) is { Success: true } date && int.Parse(date.Groups[1].Value, CultureInfo.InvariantCulture) >= 2000;
    }

    private static bool IsDay(string value) =>
        int.TryParse(value.Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out int days) && days >= FirstDay;

    private static bool IsPerson(string value) => uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out uint id) && id is >= 1000 and < 65534;

    private static int? Octal(string value) => value.Length is > 0 and < 8 && value.All(static c => c is >= '0' and <= '7') ? Convert.ToInt32(value, 8) : null;

    private const string Hex = "[0-9a-fA-F]";

    [GeneratedRegex(@"^\d\d:\d\d:\d\d(\.\d+)?$", RegexOptions.CultureInvariant)]
    private static partial Regex TimeOnlyForm();

    [GeneratedRegex(@"^(\d{4})-\d\d-\d\d\b", RegexOptions.CultureInvariant)]
    private static partial Regex DateForm();

    [GeneratedRegex(@"^((?:locked \(!+\), )?(?:yescrypt|gost-yescrypt|scrypt|sha512crypt|sha256crypt|md5crypt|bcrypt)), SHA-256", RegexOptions.CultureInvariant)]
    private static partial Regex HashForm();

    [GeneratedRegex($@"\b{Hex}{{8}}-{Hex}{{4}}-{Hex}{{4}}-{Hex}{{4}}-{Hex}{{12}}\b|(?<=UUID=""?){Hex}{{4}}-{Hex}{{4}}\b", RegexOptions.CultureInvariant)]
    private static partial Regex Uuid();

    [GeneratedRegex($@"(?<=(root|usr)hash=){Hex}{{64}}\b", RegexOptions.CultureInvariant)]
    private static partial Regex RootHash();

    [GeneratedRegex(
        @"\b20\d\d-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)?|\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:\d\d? )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d{1,4}(?: +\d\d:\d\d:\d\d)?(?: [AP]M)?(?: [A-Z]{3,4})?(?: 20\d\d)?|\b\d\d:\d\d:\d\d\b|\b1\d{9}(?:\.\d+|\d{9})?\b",
        RegexOptions.CultureInvariant)]
    private static partial Regex TimeInText();

    [GeneratedRegex(@"(?<=(?<!/[\w.-]*)/(?:tmp|var/tmp|build|builds|home|root/rpmbuild|usr/src|workspace|srv/build)/)[^/\s""':]+", RegexOptions.CultureInvariant)]
    private static partial Regex BuildPath();

    [GeneratedRegex(@"\b\d+\.\d+(?:\.\d+)?[-.+][\w.+~-]*(?:arch|amd64|arm64|generic|default|lts|zen|hardened|cloud|fc\d|el\d|rc\d|microsoft|azure|aws|x86_64)[\w.+~-]*", RegexOptions.CultureInvariant)]
    private static partial Regex KernelVersion();

    [GeneratedRegex(@"\b(?:GCC|gcc|clang|rustc|LLD|GNU ld|GNU Make|Linker|mke2fs|mkfs|e2fsprogs|btrfs-progs|dosfstools|ldconfig|glibc|systemd|ukify|dracut|mkinitcpio|depmod|Python|perl|pacman|apt|dpkg|mkosi|go1)\b", RegexOptions.CultureInvariant)]
    private static partial Regex ToolName();

    [GeneratedRegex(@"\b\d+(?:\.\d+)+[\w.+~-]*|(?<=\([^)]*)\b\d[\w.+~-]*(?=\))|\b\d{8}\b", RegexOptions.CultureInvariant)]
    private static partial Regex Version();

    [GeneratedRegex(@"^(?:IMAGE_VERSION|IMAGE_ID|BUILD_ID)=", RegexOptions.CultureInvariant)]
    private static partial Regex ImageVersion();
}
