using Diecast.Trees;

namespace Diecast.Packages.Pacman;

/// <summary>libalpm's lists of patterns, in which <c>*</c> and <c>?</c> match slashes too.</summary>
public static class AlpmGlob
{
    /// <summary>
    /// The rule of NoExtract and of a hook's targets: the last pattern that matches decides; one with a "!" decides no.
    /// </summary>
    public static bool MatchesLast(IReadOnlyList<byte[]> patterns, ReadOnlySpan<byte> text)
    {
        for (int i = patterns.Count - 1; i >= 0; i--)
        {
            ReadOnlySpan<byte> pattern = patterns[i];
            bool inverted = pattern.StartsWith("!"u8);
            // A backslash is for a pattern that begins with "!".
            if (Glob.Matches(inverted || pattern.StartsWith("\\"u8) ? pattern[1..] : pattern, text))
            {
                return !inverted;
            }
        }
        return false;
    }
}
