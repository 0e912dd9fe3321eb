using System.Globalization;
using System.Text;

namespace Diecast.Trees;

/// <summary>
/// One component of a path: bytes, compared as bytes. (UTF-16 ordinal order is another order: U+FB01 and U+1F600.)
/// </summary>
public readonly struct FileName : IEquatable<FileName>, IComparable<FileName>
{
    private readonly byte[] _bytes;

    public FileName(ReadOnlySpan<byte> bytes) => _bytes = bytes.ToArray();

    public FileName(string text) => _bytes = Encoding.UTF8.GetBytes(text);

    public ReadOnlySpan<byte> Bytes => _bytes;

    public int Length => _bytes.Length;

    /// <summary>Not empty, no "." or "..", no slash, no NUL, at most 255 bytes.</summary>
    public bool IsValid => _bytes is { Length: > 0 and <= 255 } && !_bytes.AsSpan().ContainsAny((byte)0, (byte)'/')
        && !_bytes.AsSpan().SequenceEqual("."u8) && !_bytes.AsSpan().SequenceEqual(".."u8);

    public static bool operator ==(FileName left, FileName right) => left.Equals(right);
    public static bool operator !=(FileName left, FileName right) => !left.Equals(right);
    public static bool operator <(FileName left, FileName right) => left.CompareTo(right) < 0;
    public static bool operator >(FileName left, FileName right) => left.CompareTo(right) > 0;
    public static bool operator <=(FileName left, FileName right) => left.CompareTo(right) <= 0;
    public static bool operator >=(FileName left, FileName right) => left.CompareTo(right) >= 0;

    public int CompareTo(FileName other) => Bytes.SequenceCompareTo(other.Bytes);

    public bool Equals(FileName other) => Bytes.SequenceEqual(other.Bytes);

    public override bool Equals(object? obj) => obj is FileName other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(_bytes);
        return hash.ToHashCode();
    }

    public override string ToString() => Display(_bytes);

    /// <summary>
    /// Bytes for people: UTF-8 as it is; control characters, backslashes and bytes that are no UTF-8 as <c>\xNN</c>.
    /// Injective.
    /// </summary>
    public static string Display(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        while (!bytes.IsEmpty)
        {
            bool valid = Rune.DecodeFromUtf8(bytes, out var rune, out int length) == System.Buffers.OperationStatus.Done;
            if (valid && !Rune.IsControl(rune) && rune.Value != '\\' && Rune.GetUnicodeCategory(rune) != UnicodeCategory.Format)
            {
                text.Append(rune);
            }
            else
            {
                foreach (byte b in bytes[..length])
                {
                    text.Append(CultureInfo.InvariantCulture, $"\\x{b:x2}");
                }
            }
            bytes = bytes[length..];
        }
        return text.ToString();
    }
}
