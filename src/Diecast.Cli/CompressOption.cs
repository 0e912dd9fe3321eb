using System.Globalization;
using Diecast.Formats;

namespace Diecast.Cli;

/// <summary>What contents of files are compressed with: "zstd", "zlib:9", "none".</summary>
internal sealed record CompressOption(FileCompression Compression, int? Level)
{
    /// <summary>Null for what is neither; the format says which levels there are.</summary>
    public static CompressOption? Parse(string text)
    {
        var (name, level) = text.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon ? (text[..colon], text[(colon + 1)..]) : (text, null);
        FileCompression? compression = name switch
        {
            "none" => FileCompression.None,
            "lzo" => FileCompression.Lzo,
            "zlib" => FileCompression.Zlib,
            "zstd" => FileCompression.Zstd,
            _ => null,
        };
        if (compression is not { } known)
        {
            return null;
        }
        return level is null ? new CompressOption(known, null)
            : int.TryParse(level, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? new CompressOption(known, number) : null;
    }
}
