using System.Text;
using Diecast.Formats.Tar;
using Diecast.Images;

namespace Diecast.Packages.Pacman;

/// <summary>
/// A package's <c>.MTREE</c>: mtree(5) as bsdtar writes it, compressed with gzip. It stands at the beginning of the package,
/// so that the list of files is known without reading all of it.
/// </summary>
internal static class PackageManifest
{
    private const int MaximumSize = 256 << 20;

    /// <summary>The paths in it, without those that begin with a dot, which are the package's own.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static List<PackagePath> Read(byte[] content)
    {
        using var stream = Decompressor.Open(new MemoryStream(content, writable: false), MaximumSize);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        var paths = new List<PackagePath>();
        string defaultType = "file";
        for (int number = 1; reader.ReadLine() is { } line; number++)
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0 || words[0][0] == '#')
            {
                continue;
            }
            string? type = Value(words, "type=");
            if (words[0] == "/set")
            {
                defaultType = type ?? defaultType;
                continue;
            }
            if (words[0] == "/unset")
            {
                defaultType = words.Contains("type") ? "file" : defaultType;
                continue;
            }
            if (!words[0].StartsWith("./", StringComparison.Ordinal))
            {
                throw new InvalidDataException($".MTREE: line {number} has no path");
            }
            byte[] path = Unescape(words[0].AsSpan(2), number);
            if (path is [not (byte)'.', ..])
            {
                type ??= defaultType;
                byte[]? target = type == "link" && Value(words, "link=") is { } link ? Unescape(link, number) : null;
                paths.Add(new PackagePath(TarPath.Normalize(path), type == "dir", target));
            }
        }
        return paths;
    }

    private static string? Value(string[] words, string key) =>
        words.FirstOrDefault(word => word.StartsWith(key, StringComparison.Ordinal))?[key.Length..];

    // Three octal digits follow every backslash.
    private static byte[] Unescape(ReadOnlySpan<char> text, int line)
    {
        var bytes = new List<byte>(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                bytes.Add((byte)text[i]);
                continue;
            }
            var digits = text.Slice(i + 1, Math.Min(3, text.Length - i - 1));
            if (digits.Length < 3 || digits.ContainsAnyExceptInRange('0', '7') || digits[0] > '3')
            {
                throw new InvalidDataException($".MTREE: line {line} has a backslash without an octal number");
            }
            bytes.Add((byte)(((digits[0] - '0') << 6) | ((digits[1] - '0') << 3) | (digits[2] - '0')));
            i += 3;
        }
        return [.. bytes];
    }
}
