namespace Diecast.Boot;

/// <summary>
/// The order of version strings: https://uapi-group.org/specifications/specs/version_format_specification/.
/// "6.1~rc1" is older than "6.1", "6.9" older than "6.10", "6.1-1" older than "6.1.1".
/// </summary>
public sealed class VersionOrder : IComparer<string>
{
    public static VersionOrder Instance { get; } = new();

    /// <summary>Characters that separate two components, from the one that makes a version the oldest.</summary>
    private const string Separators = "~\0-^.";

    public int Compare(string? x, string? y)
    {
        ReadOnlySpan<char> a = x, b = y;
        while (true)
        {
            a = SkipInvalid(a);
            b = SkipInvalid(b);
            foreach (char separator in Separators)
            {
                bool inA = separator == '\0' ? a.IsEmpty : a.StartsWith([separator]);
                bool inB = separator == '\0' ? b.IsEmpty : b.StartsWith([separator]);
                if (inA != inB)
                {
                    return inA ? -1 : 1;
                }
                if (inA)
                {
                    if (separator == '\0')
                    {
                        return 0;
                    }
                    a = a[1..];
                    b = b[1..];
                    break;
                }
            }
            if (StartsWithDigit(a) || StartsWithDigit(b))
            {
                var numberA = Take(ref a, char.IsAsciiDigit);
                var numberB = Take(ref b, char.IsAsciiDigit);
                // A missing number is older than any; leading zeros mean nothing.
                if (numberA.IsEmpty != numberB.IsEmpty)
                {
                    return numberA.IsEmpty ? -1 : 1;
                }
                numberA = numberA.TrimStart('0');
                numberB = numberB.TrimStart('0');
                int order = numberA.Length != numberB.Length ? numberA.Length.CompareTo(numberB.Length) : numberA.SequenceCompareTo(numberB);
                if (order != 0)
                {
                    return order;
                }
            }
            else
            {
                int order = CompareLetters(Take(ref a, char.IsAsciiLetter), Take(ref b, char.IsAsciiLetter));
                if (order != 0)
                {
                    return order;
                }
            }
        }
    }

    private static bool StartsWithDigit(ReadOnlySpan<char> text) => !text.IsEmpty && char.IsAsciiDigit(text[0]);

    private static int CompareLetters(ReadOnlySpan<char> a, ReadOnlySpan<char> b) => Math.Sign(a.SequenceCompareTo(b));

    private static ReadOnlySpan<char> SkipInvalid(ReadOnlySpan<char> text)
    {
        int i = 0;
        while (i < text.Length && !char.IsAsciiLetterOrDigit(text[i]) && !(text[i] != '\0' && Separators.Contains(text[i], StringComparison.Ordinal)))
        {
            i++;
        }
        return text[i..];
    }

    private static ReadOnlySpan<char> Take(ref ReadOnlySpan<char> text, Func<char, bool> belongs)
    {
        int i = 0;
        while (i < text.Length && belongs(text[i]))
        {
            i++;
        }
        var taken = text[..i];
        text = text[i..];
        return taken;
    }
}
