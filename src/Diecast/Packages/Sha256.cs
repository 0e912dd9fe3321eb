namespace Diecast.Packages;

/// <summary>A SHA-256 digest in the form in which it stands in files: 64 lower-case hexadecimal digits.</summary>
internal static class Sha256
{
    public static bool IsValid(string? text) => text is { Length: 64 } && text.All(char.IsAsciiHexDigitLower);
}
