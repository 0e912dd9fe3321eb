namespace Diecast.Packages.Pacman;

/// <summary>
/// The order of pacman's versions, <c>[epoch:]version[-release]</c>; vercmp(8). It is that of rpm 4.8: <c>~</c> and
/// <c>^</c> are separators like any other.
/// </summary>
public static class PacmanVersion
{
    /// <summary>
    /// Negative where <paramref name="left"/> is older. The release counts only where both have one, so that "1.2"
    /// equals "1.2-5"; among versions that all have a release (or all have none) the order is total.
    /// </summary>
    public static int Compare(string left, string right)
    {
        if (left == right)
        {
            return 0;
        }
        var a = Parts.Of(left);
        var b = Parts.Of(right);
        int order = CompareSegments(a.Epoch, b.Epoch);
        if (order == 0)
        {
            order = CompareSegments(a.Version, b.Version);
        }
        return order == 0 && a.HasRelease && b.HasRelease ? CompareSegments(a.Release, b.Release) : order;
    }

    private readonly ref struct Parts
    {
        public ReadOnlySpan<char> Epoch { get; private init; }
        public ReadOnlySpan<char> Version { get; private init; }
        public ReadOnlySpan<char> Release { get; private init; }
        public bool HasRelease { get; private init; }

        public static Parts Of(ReadOnlySpan<char> text)
        {
            int digits = DigitRun(text, 0);
            var epoch = "0".AsSpan();
            if (digits < text.Length && text[digits] == ':')
            {
                epoch = digits == 0 ? epoch : text[..digits];
                text = text[(digits + 1)..];
            }
            int dash = text.LastIndexOf('-');
            return new Parts
            {
                Epoch = epoch,
                Version = dash < 0 ? text : text[..dash],
                Release = text[(dash + 1)..],
                HasRelease = dash >= 0,
            };
        }
    }

    private static int CompareSegments(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        if (left.SequenceEqual(right))
        {
            return 0;
        }
        int i = 0;
        int j = 0;
        while (i < left.Length && j < right.Length)
        {
            int leftStart = SkipSeparators(left, i);
            int rightStart = SkipSeparators(right, j);
            (int leftGap, int rightGap) = (leftStart - i, rightStart - j);
            (i, j) = (leftStart, rightStart);
            if (i == left.Length || j == right.Length)
            {
                break;
            }
            if (leftGap != rightGap)
            {
                return leftGap < rightGap ? -1 : 1;
            }
            // The left side decides what kind of run is compared.
            bool numeric = char.IsAsciiDigit(left[i]);
            int leftEnd = numeric ? DigitRun(left, i) : LetterRun(left, i);
            int rightEnd = numeric ? DigitRun(right, j) : LetterRun(right, j);
            if (rightEnd == j)
            {
                return numeric ? 1 : -1;
            }
            int order = numeric
                ? CompareNumbers(left[i..leftEnd], right[j..rightEnd])
                : left[i..leftEnd].SequenceCompareTo(right[j..rightEnd]);
            if (order != 0)
            {
                return order < 0 ? -1 : 1;
            }
            (i, j) = (leftEnd, rightEnd);
        }
        return CompareRests(left[i..], right[j..]);
    }

    // A remaining word makes a version older ("1.0rc1" < "1.0"), any other rest newer.
    private static int CompareRests(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        if (left.IsEmpty && right.IsEmpty)
        {
            return 0;
        }
        bool leftIsWord = !left.IsEmpty && char.IsAsciiLetter(left[0]);
        bool rightIsWord = !right.IsEmpty && char.IsAsciiLetter(right[0]);
        return (left.IsEmpty && !rightIsWord) || leftIsWord ? -1 : 1;
    }

    private static int CompareNumbers(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        left = left.TrimStart('0');
        right = right.TrimStart('0');
        return left.Length != right.Length ? left.Length.CompareTo(right.Length) : left.SequenceCompareTo(right);
    }

    private static int SkipSeparators(ReadOnlySpan<char> text, int at)
    {
        while (at < text.Length && !char.IsAsciiLetterOrDigit(text[at]))
        {
            at++;
        }
        return at;
    }

    private static int DigitRun(ReadOnlySpan<char> text, int at)
    {
        while (at < text.Length && char.IsAsciiDigit(text[at]))
        {
            at++;
        }
        return at;
    }

    private static int LetterRun(ReadOnlySpan<char> text, int at)
    {
        while (at < text.Length && char.IsAsciiLetter(text[at]))
        {
            at++;
        }
        return at;
    }
}
