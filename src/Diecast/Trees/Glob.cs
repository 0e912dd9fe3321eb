using System.Text;

namespace Diecast.Trees;

/// <summary>Shell patterns: fnmatch(3) on bytes in the C locale. A leading dot is nothing special.</summary>
public static class Glob
{
    /// <summary>Whether the whole text matches. Takes time in proportion to the product of both lengths at most.</summary>
    /// <param name="pathname">Nothing but a slash matches a slash (FNM_PATHNAME, but for slashes within brackets).</param>
    public static bool Matches(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> text, bool pathname = false)
    {
        int p = 0;
        int t = 0;
        // Where to go on when what follows the last star did not match: only that star has to take more.
        int starPattern = -1;
        int starText = 0;
        while (true)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                starPattern = ++p;
                starText = t;
                continue;
            }
            if (t == text.Length && p == pattern.Length)
            {
                return true;
            }
            if (t < text.Length && p < pattern.Length && MatchOne(pattern[p..], text[t], pathname, out int length))
            {
                p += length;
                t++;
                continue;
            }
            if (starPattern < 0 || starText == text.Length || (pathname && text[starText] == '/'))
            {
                return false;
            }
            (p, t) = (starPattern, ++starText);
        }
    }

    /// <summary>Matches one byte with the element that a pattern begins with, and tells how long that is.</summary>
    private static bool MatchOne(ReadOnlySpan<byte> pattern, byte c, bool pathname, out int length)
    {
        length = 1;
        switch (pattern[0])
        {
            case (byte)'?':
                return !pathname || c != '/';
            case (byte)'\\':
                length = 2;
                return pattern.Length > 1 && pattern[1] == c;
            case (byte)'[' when Bracket.TryParse(pattern, c, out bool matches, out int end):
                length = end;
                return matches && !(pathname && c == '/');
            default:
                return pattern[0] == c;
        }
    }

    /// <summary>A bracket expression, read while it is matched. One that does not end is no bracket expression.</summary>
    private ref struct Bracket
    {
        private ReadOnlySpan<byte> _pattern;
        private bool _never;

        // glibc refuses a pattern with a collating symbol that does not end, though it takes an expression that does not end for text.
        private bool _isBroken;

        public static bool TryParse(ReadOnlySpan<byte> pattern, byte c, out bool matches, out int end)
        {
            int start = pattern.Length > 1 && pattern[1] is (byte)'!' or (byte)'^' ? 2 : 1;
            var bracket = new Bracket { _pattern = pattern[start..] };
            bool found = false;
            bool ended = false;
            for (bool first = true; !ended && !bracket._pattern.IsEmpty; first = false)
            {
                // First, a closing bracket is a member.
                ended = !first && bracket._pattern[0] == ']';
                if (ended)
                {
                    bracket._pattern = bracket._pattern[1..];
                }
                else
                {
                    found |= bracket.TakeMember(c);
                }
            }
            end = pattern.Length - bracket._pattern.Length;
            matches = !bracket._never && !bracket._isBroken && found != (start == 2);
            return ended || bracket._isBroken;
        }

        private bool TakeMember(byte c)
        {
            if (TakeNamed(':') is { } name)
            {
                return IsInClass(name, c);
            }
            if (TakeNamed('=') is { } equivalent)
            {
                _never |= equivalent.Length != 1;
                return equivalent.Length == 1 && equivalent[0] == c;
            }
            byte low = TakeCharacter();
            if (_pattern.Length < 2 || _pattern[0] != '-' || _pattern[1] == ']')
            {
                return low == c;
            }
            _pattern = _pattern[1..];
            byte high = TakeCharacter();
            return low <= c && c <= high;
        }

        private byte TakeCharacter()
        {
            if (TakeNamed('.') is { } symbol)
            {
                _never |= symbol.Length != 1;
                return symbol.Length == 1 ? (byte)symbol[0] : (byte)0;
            }
            _isBroken |= _pattern.StartsWith("[."u8);
            int escape = _pattern[0] == '\\' && _pattern.Length > 1 ? 1 : 0;
            byte character = _pattern[escape];
            _pattern = _pattern[(escape + 1)..];
            return character;
        }

        /// <summary>Takes <c>[:name:]</c> and the like; null where there is none.</summary>
        private string? TakeNamed(char kind)
        {
            ReadOnlySpan<byte> closing = [(byte)kind, (byte)']'];
            if (_pattern.Length < 2 || _pattern[0] != '[' || _pattern[1] != kind || _pattern[2..].IndexOf(closing) is not (>= 0 and var length))
            {
                return null;
            }
            var name = _pattern.Slice(2, length);
            if (kind == ':' && name.ContainsAnyExceptInRange((byte)'a', (byte)'y'))
            {
                return null;
            }
            _pattern = _pattern[(length + 4)..];
            return Encoding.Latin1.GetString(name);
        }

        private bool IsInClass(string name, byte c)
        {
            char character = (char)c;
            switch (name)
            {
                case "alpha": return char.IsAsciiLetter(character);
                case "digit": return char.IsAsciiDigit(character);
                case "alnum": return char.IsAsciiLetterOrDigit(character);
                case "upper": return char.IsAsciiLetterUpper(character);
                case "lower": return char.IsAsciiLetterLower(character);
                case "xdigit": return char.IsAsciiHexDigit(character);
                case "blank": return c is (byte)' ' or (byte)'\t';
                case "space": return c is (byte)' ' or (>= 9 and <= 13);
                case "cntrl": return c is < 32 or 127;
                case "print": return c is >= 32 and < 127;
                case "graph": return c is > 32 and < 127;
                case "punct": return c is > 32 and < 127 && !char.IsAsciiLetterOrDigit(character);
                default:
                    _never = true;
                    return false;
            }
        }
    }
}
