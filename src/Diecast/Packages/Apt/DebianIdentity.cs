using System.Buffers;

namespace Diecast.Packages.Apt;

/// <summary>Names of Debian's packages: section 5.6.1 of the Debian Policy Manual.</summary>
public static class DebianIdentity
{
    private static readonly SearchValues<char> s_characters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._");

    /// <summary>Whether it can be a package's name. Some third parties' have capitals and underscores, which dpkg takes too.</summary>
    public static bool IsName(string name) =>
        name.Length is > 0 and <= 128 && char.IsAsciiLetterOrDigit(name[0]) && !name.AsSpan().ContainsAnyExcept(s_characters);

    /// <summary>Whether both can stand in a path and in a command line.</summary>
    public static bool IsValid(string name, string version) => IsName(name) && DebVersion.IsValid(version);
}
