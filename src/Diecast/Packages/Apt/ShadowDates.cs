using System.Globalization;
using System.Text;
using Diecast.Trees;

namespace Diecast.Packages.Apt;

/// <summary>
/// The days in /etc/shadow on which passwords were last changed. useradd and its like take that of SOURCE_DATE_EPOCH, but not
/// where the clock is behind it: then they take today.
/// </summary>
internal sealed class ShadowDates
{
    private const string File = "etc/shadow";
    private const long SecondsADay = 86_400;

    private readonly StagedRoot _root;
    private readonly HashSet<string> _own;

    /// <param name="root">Before any script runs: what is there now, with its days, is the user's.</param>
    public ShadowDates(StagedRoot root)
    {
        _root = root;
        _own = Encoding.Latin1.GetString(root.ReadFile(Posix.Bytes(File)) ?? []).Split('\n')
            .Select(static line => line.Split(':')[0]).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>Writes the day of the epoch wherever a script wrote one.</summary>
    public void Settle()
    {
        // Day 0 would mean that the password must be changed at once (shadow(5)).
        string day = Math.Max(1, _root.Epoch.Seconds / SecondsADay).ToString(CultureInfo.InvariantCulture);
        _root.Edit(File, text => string.Join('\n', text.Split('\n').Select(line =>
        {
            string[] fields = line.Split(':');
            if (fields.Length < 3 || fields[2].Length == 0 || _own.Contains(fields[0]))
            {
                return line;
            }
            fields[2] = day;
            return string.Join(':', fields);
        })));
    }
}
