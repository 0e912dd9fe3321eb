namespace Diecast.Trees;

/// <summary>Shell patterns on the bytes of one name (glob(7)): *, ?, [abc], [a-z], [!a]. A leading dot is nothing special.</summary>
public static class Glob
{
    public static bool Matches(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> name)
    {
        // On a mismatch the last * takes one more byte.
        int p = 0, n = 0, starPattern = -1, starName = 0;
        while (n < name.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                starPattern = ++p;
                starName = n;
            }
            else if (p < pattern.Length && MatchesOne(pattern[p..], name[n], out int used))
            {
                p += used;
                n++;
            }
            else if (starPattern >= 0)
            {
                p = starPattern;
                n = ++starName;
            }
            else
            {
                return false;
            }
        }
        return !pattern[p..].ContainsAnyExcept((byte)'*');
    }

    private static bool MatchesOne(ReadOnlySpan<byte> pattern, byte value, out int used)
    {
        used = 1;
        if (pattern[0] == '?')
        {
            return true;
        }
        if (pattern[0] == '[' && Bracket(pattern, value, out used) is { } inBracket)
        {
            return inBracket;
        }
        used = 1;
        return pattern[0] == value;
    }

    /// <summary>Null where the bracket is not closed: then it stands for itself.</summary>
    private static bool? Bracket(ReadOnlySpan<byte> pattern, byte value, out int used)
    {
        int at = 1;
        bool negated = at < pattern.Length && pattern[at] is (byte)'!' or (byte)'^';
        at += negated ? 1 : 0;
        bool found = false;
        for (int first = at; at < pattern.Length; at++)
        {
            if (pattern[at] == ']' && at > first)
            {
                used = at + 1;
                return found != negated;
            }
            byte low = pattern[at];
            byte high = low;
            if (at + 2 < pattern.Length && pattern[at + 1] == '-' && pattern[at + 2] != ']')
            {
                high = pattern[at += 2];
            }
            found |= low <= value && value <= high;
        }
        used = 0;
        return null;
    }
}
