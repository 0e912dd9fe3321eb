using System.Text;

namespace Diecast.Packages.Apt;

/// <summary>Goes through the alternatives of a relationship field.</summary>
internal ref struct RelationReader(ReadOnlySpan<byte> field, string architecture)
{
    private readonly ReadOnlySpan<byte> _field = field;
    private int _at;

    /// <summary>The next alternative.</summary>
    /// <param name="applies">Whether its restrictions to architectures or build profiles let it count.</param>
    /// <param name="hasAlternative">Whether another follows, of which one will do.</param>
    public bool Next(out PackageRelation relation, out bool applies, out bool hasAlternative)
    {
        (relation, applies, hasAlternative) = (default, true, false);
        SkipSpace();
        // A comma at the end is nothing.
        while (Peek() == ',')
        {
            _at++;
            SkipSpace();
        }
        if (_at == _field.Length)
        {
            return false;
        }
        string name = Qualify(Take(" \t\r\n()[]<>,|"u8, "a package name"));
        SkipSpace();
        var (comparison, version) = Peek() == '(' ? ReadVersion() : default;
        SkipSpace();
        if (Peek() == '[')
        {
            applies = ReadArchitectures();
            SkipSpace();
        }
        while (Peek() == '<')
        {
            // Build profiles are of no concern to binary packages; none is active.
            _at++;
            applies &= Take(">"u8, "a build profile").TrimStart((byte)' ').StartsWith("!"u8);
            _at++;
            SkipSpace();
        }
        hasAlternative = Peek() == '|';
        if (_at < _field.Length && Peek() is not (',' or '|'))
        {
            throw Malformed("a comma");
        }
        _at = Math.Min(_at + 1, _field.Length);
        relation = new PackageRelation(name, comparison, version);
        return true;
    }

    /// <summary>
    /// <c>:native</c> and the own architecture say nothing where packages of one architecture are installed. What is left is
    /// part of the name: a package provides <c>name:any</c> if it is Multi-Arch: allowed, and no package a foreign name.
    /// </summary>
    private readonly string Qualify(ReadOnlySpan<byte> name)
    {
        int colon = name.LastIndexOf((byte)':');
        if (colon > 0)
        {
            var qualifier = name[(colon + 1)..];
            if (qualifier.SequenceEqual("native"u8) || Ascii.Equals(qualifier, architecture))
            {
                name = name[..colon];
            }
        }
        return Encoding.UTF8.GetString(name);
    }

    private (VersionOperator, string) ReadVersion()
    {
        _at++;
        SkipSpace();
        int start = _at;
        while (Peek() is '<' or '=' or '>')
        {
            _at++;
        }
        var symbol = _field[start.._at];
        // The obsolete < and > mean "or equal"; no symbol, which apt takes too, means =.
        VersionOperator? known = symbol.Length switch
        {
            0 => VersionOperator.Equal,
            1 => symbol[0] switch { (byte)'<' => VersionOperator.EarlierOrEqual, (byte)'>' => VersionOperator.LaterOrEqual, _ => VersionOperator.Equal },
            2 when symbol[1] == '=' => symbol[0] switch { (byte)'<' => VersionOperator.EarlierOrEqual, (byte)'>' => VersionOperator.LaterOrEqual, _ => null },
            2 when symbol[0] == symbol[1] => symbol[0] == '<' ? VersionOperator.Earlier : VersionOperator.Later,
            _ => null,
        };
        SkipSpace();
        string version = Encoding.UTF8.GetString(Take(" \t\r\n)"u8, "a version"));
        SkipSpace();
        if (Peek() != ')')
        {
            throw Malformed(")");
        }
        _at++;
        return (known ?? throw Malformed("<<, <=, =, >= or >>"), version);
    }

    private bool ReadArchitectures()
    {
        _at++;
        bool isNegative = false;
        bool isListed = false;
        for (SkipSpace(); Peek() != ']'; SkipSpace())
        {
            var word = Take(" \t\r\n]"u8, "an architecture");
            isNegative |= word[0] == '!';
            var name = word.TrimStart((byte)'!');
            isListed |= Ascii.Equals(name, architecture) || name.SequenceEqual("any"u8) || name.SequenceEqual("linux-any"u8)
                || (name.StartsWith("any-"u8) && Ascii.Equals(name[4..], architecture));
        }
        _at++;
        return isListed != isNegative;
    }

    private readonly char Peek() => _at < _field.Length ? (char)_field[_at] : '\0';

    private void SkipSpace()
    {
        while (Peek() is ' ' or '\t' or '\r' or '\n')
        {
            _at++;
        }
    }

    /// <summary>What stands before one of the ends; at least one byte.</summary>
    private ReadOnlySpan<byte> Take(ReadOnlySpan<byte> ends, string expected)
    {
        int length = _field[_at..].IndexOfAny(ends);
        var taken = length < 0 ? _field[_at..] : _field.Slice(_at, length);
        if (taken.IsEmpty)
        {
            throw Malformed(expected);
        }
        _at += taken.Length;
        return taken;
    }

    private readonly InvalidDataException Malformed(string expected)
    {
        var rest = _field[_at..];
        return new InvalidDataException($"is malformed at \"{Printable(rest[..Math.Min(rest.Length, 30)])}\": expected {expected}");
    }

    private static string Printable(ReadOnlySpan<byte> bytes) =>
        string.Concat(Encoding.UTF8.GetString(bytes).Select(static c => char.IsControl(c) ? ' ' : c));
}
