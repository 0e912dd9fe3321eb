using System.Buffers;

namespace Diecast.Packages.Apt;

/// <summary>The order of Debian's versions, <c>[epoch:]upstream[-revision]</c>: deb-version(7).</summary>
public static class DebVersion
{
    private const int MaximumLength = 256;

    private static readonly SearchValues<char> s_characters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.+-:~");

    /// <summary>Whether it has the characters of a version, a number for its epoch, and an upstream part.</summary>
    public static bool IsValid(string version)
    {
        if (version.Length is 0 or > MaximumLength || version.AsSpan().ContainsAnyExcept(s_characters))
        {
            return false;
        }
        int colon = version.IndexOf(':', StringComparison.Ordinal);
        return (colon < 0 || (colon is > 0 and < 10 && !version.AsSpan(0, colon).ContainsAnyExceptInRange('0', '9')))
            && colon + 1 < version.Length && char.IsAsciiLetterOrDigit(version[colon + 1]) && version[^1] != '-';
    }

    /// <summary>Negative where <paramref name="left"/> is older. A total order, in which "1.0", "1.00" and "1.0-0" are equal.</summary>
    public static int Compare(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        if (left.SequenceEqual(right))
        {
            return 0;
        }
        var a = Split(left);
        var b = Split(right);
        int order = CompareNumbers(a.Epoch, b.Epoch);
        if (order == 0)
        {
            order = ComparePart(a.Upstream, b.Upstream);
        }
        return order != 0 ? order : ComparePart(a.Revision, b.Revision);
    }

    private ref struct Parts
    {
        public ReadOnlySpan<char> Epoch;
        public ReadOnlySpan<char> Upstream;
        public ReadOnlySpan<char> Revision;
    }

    private static Parts Split(ReadOnlySpan<char> version)
    {
        int colon = version.IndexOf(':');
        var rest = version[(colon + 1)..];
        int dash = rest.LastIndexOf('-');
        return new Parts
        {
            Epoch = colon < 0 ? default : version[..colon],
            Upstream = dash < 0 ? rest : rest[..dash],
            Revision = dash < 0 ? default : rest[(dash + 1)..],
        };
    }

    /// <summary>Runs of other characters and of digits by turns: the former by <see cref="Weight"/>, the latter as numbers.</summary>
    private static int ComparePart(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        while (!left.IsEmpty || !right.IsEmpty)
        {
            int i = 0;
            while (Weight(left, i) is var x && Weight(right, i) is var y && (x != 0 || y != 0))
            {
                if (x != y)
                {
                    return x.CompareTo(y);
                }
                i++;
            }
            left = left[i..];
            right = right[i..];
            (int leftDigits, int rightDigits) = (DigitRun(left), DigitRun(right));
            int order = CompareNumbers(left[..leftDigits], right[..rightDigits]);
            if (order != 0)
            {
                return order;
            }
            left = left[leftDigits..];
            right = right[rightDigits..];
        }
        return 0;
    }

    /// <summary>A tilde comes before the end, which is like a digit; then letters, then all else.</summary>
    private static int Weight(ReadOnlySpan<char> text, int at) => at >= text.Length || char.IsAsciiDigit(text[at]) ? 0
        : text[at] == '~' ? -1
        : char.IsAsciiLetter(text[at]) ? text[at]
        : text[at] + 256;

    private static int DigitRun(ReadOnlySpan<char> text)
    {
        int end = text.IndexOfAnyExceptInRange('0', '9');
        return end < 0 ? text.Length : end;
    }

    private static int CompareNumbers(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        left = left.TrimStart('0');
        right = right.TrimStart('0');
        return left.Length != right.Length ? left.Length.CompareTo(right.Length) : left.SequenceCompareTo(right);
    }
}
