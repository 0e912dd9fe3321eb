using System.Buffers;

namespace Diecast.Packages.Pacman;

/// <summary>The name and full version of a package, as they stand in file names: <c>name-[epoch:]version-release</c>.</summary>
public readonly record struct PackageIdentity(string Name, string Version)
{
    private static readonly SearchValues<char> s_nameCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@._+-");

    // A version stands in the command line of an install script, unquoted.
    private static readonly SearchValues<char> s_versionCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@._+-:~^%=,");

    /// <summary>Whether both can stand in a path and the version in a command line; the version has a release.</summary>
    public bool IsValid => Name is { Length: > 0 and <= 128 } && Name[0] is not ('-' or '.')
        && !Name.AsSpan().ContainsAnyExcept(s_nameCharacters)
        && Version is { Length: > 0 and <= 110 } && Version[0] is not ('-' or '.')
        && !Version.AsSpan().ContainsAnyExcept(s_versionCharacters)
        && Version.Contains('-', StringComparison.Ordinal);

    /// <summary>Splits at the last hyphen but one, as names have hyphens too; null where that gives nothing valid.</summary>
    public static PackageIdentity? TryParse(string text)
    {
        int release = text.LastIndexOf('-');
        int version = release <= 0 ? -1 : text.LastIndexOf('-', release - 1);
        var identity = version <= 0 ? default : new PackageIdentity(text[..version], text[(version + 1)..]);
        return version > 0 && identity.IsValid ? identity : null;
    }

    public override string ToString() => $"{Name}-{Version}";
}
