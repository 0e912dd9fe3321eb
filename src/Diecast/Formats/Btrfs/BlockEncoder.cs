using System.Diagnostics;
using Diecast.Binary;
using Diecast.Images;
using SharpCompress.Compressors;
using SharpCompress.Compressors.Deflate;
using ZstdSharp.Unsafe;

namespace Diecast.Formats.Btrfs;

/// <summary>Encodes one block of a file after the other, each as if it were the first. Not for several threads at a time.</summary>
internal sealed class BlockEncoder(ExtentCompression compression, int level) : IDisposable
{
    /// <summary>
    /// Up to this level an encoder of zstd is used again, which saves a fifth of the time. The next ones look matches up in rows
    /// whose hashes are salted anew with each use, and what they find is not promised to be the same.
    /// </summary>
    private const int HighestReusedLevel = 3;

    private readonly byte[] _source = new byte[ExtentDecoder.LargestExtent];
    private readonly byte[] _encoded = new byte[ZstdSharp.Compressor.GetCompressBound(ExtentDecoder.LargestExtent)];
    private ZstdSharp.Compressor? _zstd;

    /// <summary>The encoded form of a block of at most 128 KiB, until the next call; empty where lzo makes nothing smaller of it.</summary>
    /// <exception cref="InvalidDataException">The source of the content changed.</exception>
    public ReadOnlySpan<byte> Encode(Blob content)
    {
        var source = _source.AsSpan(0, (int)content.Length);
        content.Read(0, source);
        return _encoded.AsSpan(0, compression switch
        {
            ExtentCompression.Zstd => Zstd(source),
            ExtentCompression.Zlib => Zlib(source),
            ExtentCompression.Lzo => Lzo(source),
            _ => throw new UnreachableException(),
        });
    }

    private int Zstd(ReadOnlySpan<byte> source)
    {
        if (_zstd is null || level > HighestReusedLevel)
        {
            _zstd?.Dispose();
            _zstd = new ZstdSharp.Compressor(level);
            _zstd.SetParameter(ZSTD_cParameter.ZSTD_c_windowLog, ExtentDecoder.ZstdWindowLog);
        }
        return _zstd.Wrap(source, _encoded);
    }

    private int Zlib(ReadOnlySpan<byte> source)
    {
        var output = new MemoryStream();
        using (var encoder = new ZlibStream(output, CompressionMode.Compress, (CompressionLevel)level))
        {
            encoder.Write(source);
        }
        byte[] bytes = output.ToArray();
        bytes.CopyTo(_encoded, 0);
        return bytes.Length;
    }

    private int Lzo(ReadOnlySpan<byte> source)
    {
        // What takes more is of no use, in a leaf or out of it.
        long room = Math.Max(((long)source.Length).AlignUp(Layout.SectorSize) - Layout.SectorSize, Plan.LongestInline);
        return Math.Max(0, LzoEncoder.EncodeSegments(source, _encoded.AsSpan(0, (int)room)));
    }

    public void Dispose() => _zstd?.Dispose();
}
