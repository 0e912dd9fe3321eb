using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Diecast.Packages.Apt;

/// <summary>A file that a Release file vouches for.</summary>
/// <param name="Size">In bytes.</param>
internal readonly record struct ReleaseEntry(string Path, long Size, string Sha256);

/// <summary>What a suite says of itself and of its indexes: the fields of a Release file that matter here.</summary>
internal sealed class ReleaseFile
{
    private const int MaximumEntries = 1_000_000;

    private static readonly string[] s_dateFormats = ["ddd, d MMM yyyy HH:mm:ss 'UTC'", "ddd, d MMM yyyy HH:mm:ss 'GMT'", "ddd, d MMM yyyy HH:mm:ss '+0000'"];

    private readonly Dictionary<string, ReleaseEntry> _entries = new(StringComparer.Ordinal);

    private ReleaseFile(ControlParagraph paragraph)
    {
        Suite = paragraph["Suite"];
        Codename = paragraph["Codename"];
        Date = Time(paragraph, "Date") ?? throw paragraph.Error("the paragraph has no Date");
        ValidUntil = Time(paragraph, "Valid-Until");
        HasByHash = paragraph["Acquire-By-Hash"] == "yes";
        Priority = paragraph["NotAutomatic"] != "yes" ? 500 : paragraph["ButAutomaticUpgrades"] == "yes" ? 100 : 1;
        Architectures = [.. paragraph.Words("Architectures")];
        SeparatesAll = Architectures.Contains("all") && !paragraph.Words("No-Support-for-Architecture-all").Contains("Packages");
        ReadEntries(paragraph);
    }

    public string? Suite { get; }

    public string? Codename { get; }

    /// <summary>A Unix time.</summary>
    public long Date { get; }

    /// <summary>A Unix time; null: for ever.</summary>
    public long? ValidUntil { get; }

    /// <summary>Whether indexes are also to be had by their digests, where an update cannot replace them half-way.</summary>
    public bool HasByHash { get; }

    /// <summary>Of its packages, where nothing else is asked for: apt_preferences(5).</summary>
    public int Priority { get; }

    public ImmutableArray<string> Architectures { get; }

    /// <summary>Whether packages for all architectures stand in an index of their own, not in that of each architecture.</summary>
    public bool SeparatesAll { get; }

    /// <exception cref="InvalidDataException">It is malformed: <c>name:line: message</c>.</exception>
    public static ReleaseFile Parse(ReadOnlyMemory<byte> bytes, string name) => new(ControlFile.ParseSingle(bytes, name));

    /// <summary>The entry of a file below the suite's directory; null where there is none.</summary>
    public ReleaseEntry? Find(string path) => _entries.TryGetValue(path, out var entry) ? entry : null;

    private void ReadEntries(ControlParagraph paragraph)
    {
        foreach (string line in (paragraph["SHA256"] ?? throw paragraph.Error("the paragraph has no SHA256")).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words is not [var digest, var size, var path] || !Sha256.IsValid(digest)
                || !long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out long length))
            {
                throw paragraph.Error("SHA256", $"has a line other than digest, size and path: {Encoding.UTF8.GetString(paragraph.BytesOf("SHA256").Span[..Math.Min(40, line.Length)])}");
            }
            if (_entries.Count == MaximumEntries)
            {
                throw paragraph.Error("SHA256", $"has more than {MaximumEntries} files");
            }
            _entries[path.StartsWith("./", StringComparison.Ordinal) ? path[2..] : path] = new ReleaseEntry(path, length, digest);
        }
    }

    private static long? Time(ControlParagraph paragraph, string field)
    {
        if (paragraph[field] is not { } text)
        {
            return null;
        }
        return DateTime.TryParseExact(text, s_dateFormats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            && time >= DateTime.UnixEpoch
            ? (long)(time - DateTime.UnixEpoch).TotalSeconds
            : throw paragraph.Error(field, $"is no date: {text}");
    }
}
