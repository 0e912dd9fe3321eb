using System.Buffers;
using System.Security.Cryptography;
using Diecast.Images;

namespace Diecast.Packages;

/// <summary>A SHA-256 digest in the form in which it stands in files: 64 lower-case hexadecimal digits.</summary>
internal static class Sha256
{
    public static bool IsValid(string? text) => text is { Length: 64 } && text.All(char.IsAsciiHexDigitLower);

    public static string Of(Blob data)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(data);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Without an allocation of its own: hundreds of files are hashed at the same time.</summary>
    public static void AppendData(this IncrementalHash hash, Blob data)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(256 << 10);
        for (long offset = 0; offset < data.Length; offset += buffer.Length)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, data.Length - offset));
            data.Read(offset, part);
            hash.AppendData(part);
        }
        ArrayPool<byte>.Shared.Return(buffer);
    }
}
