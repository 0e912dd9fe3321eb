using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using Diecast.Formats;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Inspect.Kinds;

/// <summary>What the readers of single files share: the limits, and how values are said.</summary>
internal static class KindReader
{
    /// <summary>In bytes; a larger file is not taken to memory to be read.</summary>
    public const long MaximumSize = 64 << 20;

    /// <summary>Above it a file is refused: nobody reads as many names, and what has them may be made to fill the memory.</summary>
    public const int MaximumEntries = 200_000;

    private const int MaximumString = 4096;

    public static bool HasAt(Blob blob, long offset, ReadOnlySpan<byte> magic) =>
        blob.Length >= offset + magic.Length && blob.ReadBytes(offset, magic.Length).AsSpan().SequenceEqual(magic);

    /// <summary>All the bytes.</summary>
    /// <exception cref="InvalidDataException">There are more than <see cref="MaximumSize"/>.</exception>
    public static byte[] ReadAll(Blob blob, string kind) => blob.Length <= MaximumSize
        ? blob.ReadBytes(0, (int)blob.Length)
        : throw new InvalidDataException($"{kind}: {blob.Length} bytes; at most {MaximumSize} are read");

    /// <exception cref="InvalidDataException">There are more than <see cref="MaximumEntries"/>.</exception>
    public static void CheckCount(long count, string kind)
    {
        if (count > MaximumEntries)
        {
            throw new InvalidDataException($"{kind}: {count} entries; at most {MaximumEntries} are read");
        }
    }

    /// <summary>So many bytes at an offset.</summary>
    /// <exception cref="InvalidDataException">They are not within the file.</exception>
    public static ReadOnlySpan<byte> Slice(ReadOnlySpan<byte> bytes, long offset, long length, string structure) =>
        offset < 0 || length < 0 || offset > bytes.Length - length
            ? throw new InvalidDataException($"{structure}: {length} bytes at {offset} are outside of the file's {bytes.Length}")
            : bytes.Slice((int)offset, (int)length);

    /// <summary>The text up to a NUL, for people.</summary>
    /// <exception cref="InvalidDataException">It does not start within the bytes, or does not end soon enough.</exception>
    public static string CString(ReadOnlySpan<byte> bytes, long offset, string structure)
    {
        if (offset < 0 || offset >= bytes.Length)
        {
            throw new InvalidDataException($"{structure}: a text at {offset} is outside of {bytes.Length} bytes");
        }
        var rest = bytes[(int)offset..];
        int length = rest[..Math.Min(rest.Length, MaximumString)].IndexOf((byte)0);
        return length >= 0 ? FileName.Display(rest[..length]) : throw new InvalidDataException($"{structure}: the text at {offset} has no end");
    }

    /// <summary>Seconds since 1970, in the form of <see cref="Timestamp"/>.</summary>
    public static string Time(long seconds) => new Timestamp(seconds).ToString();

    /// <summary>Enough of the SHA-256 to tell values apart that are not to be shown.</summary>
    public static string Digest(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 4));

    public static NamedField Field<T>(string name, T value) where T : IBinaryInteger<T> =>
        new(name, value.ToString(null, CultureInfo.InvariantCulture));

    public static NamedField Hex<T>(string name, T value) where T : IBinaryInteger<T> =>
        new(name, "0x" + value.ToString("x", CultureInfo.InvariantCulture));

    /// <summary>The name, or the name with a number where it was there before: "x", "x#2", "x#3".</summary>
    public static string Unique(string name, Dictionary<string, int> seen)
    {
        int count = seen[name] = seen.GetValueOrDefault(name) + 1;
        return count == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}#{count}");
    }
}
