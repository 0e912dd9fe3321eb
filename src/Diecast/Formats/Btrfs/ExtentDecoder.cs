using System.IO.Compression;
using Diecast.Images;
using ZstdSharp.Unsafe;

namespace Diecast.Formats.Btrfs;

/// <summary>BTRFS_COMPRESS_*.</summary>
internal enum ExtentCompression : byte
{
    None = 0,
    Zlib = 1,
    Lzo = 2,
    Zstd = 3,
}

/// <summary>Decodes the data of a compressed extent.</summary>
internal static class ExtentDecoder
{
    /// <summary>The most that a compressed extent holds, in bytes, compressed or not.</summary>
    public const int LargestExtent = 128 << 10;

    /// <summary>The largest window that btrfs lets zstd use.</summary>
    public const int ZstdWindowLog = 17;

    /// <param name="length">Of the decoded data; where there is less, zeros follow.</param>
    /// <exception cref="InvalidDataException">The data is damaged.</exception>
    public static byte[] Decode(ExtentCompression compression, ReadOnlyMemory<byte> source, int length, int sectorSize)
    {
        var decoded = new byte[length];
        try
        {
            switch (compression)
            {
                case ExtentCompression.Zlib:
                    using (var zlib = new ZLibStream(AsStream(source), CompressionMode.Decompress))
                    {
                        zlib.ReadAtLeast(decoded, length, throwOnEndOfStream: false);
                    }
                    break;
                case ExtentCompression.Lzo:
                    Lzo.DecodeSegments(source.Span, decoded, sectorSize);
                    break;
                case ExtentCompression.Zstd:
                    // After the frame the sector is filled with zeros, which are no frame.
                    int frame = (int)ZstdFrame.MeasureAll(new MemoryBlob(source), 0);
                    using (var zstd = new ZstdSharp.DecompressionStream(AsStream(source[..frame])))
                    {
                        zstd.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, ZstdWindowLog);
                        zstd.ReadAtLeast(decoded, length, throwOnEndOfStream: false);
                    }
                    break;
                default:
                    throw new InvalidDataException($"compression {(byte)compression} is not known");
            }
            return decoded;
        }
        catch (Exception exception) when (exception is not InvalidDataException)
        {
            // The decoders are foreign code that throws exceptions of many types at damaged data.
            throw new InvalidDataException($"{compression}: {exception.Message}", exception);
        }
    }

    private static MemoryStream AsStream(ReadOnlyMemory<byte> source) => new(source.ToArray(), writable: false);
}
