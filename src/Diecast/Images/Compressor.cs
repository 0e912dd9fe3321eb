using System.Buffers.Binary;
using System.IO.Hashing;
using SharpCompress.Compressors;
using SharpCompress.Compressors.Deflate;
using ZstdSharp.Unsafe;

namespace Diecast.Images;

/// <summary>
/// Encodes data with compiled-in encoders, so that the bytes depend on the data, the level and this release alone:
/// neither on the machine's libraries nor on its number of cores.
/// </summary>
public static class Compressor
{
    // A fixed number of workers: the format's job size depends on the level only, but one worker or none differ.
    private const int Workers = 4;
    private const int ChunkSize = 1 << 20;

    /// <summary>The encoded data, in an unnamed file.</summary>
    /// <param name="source">What is encoded.</param>
    /// <param name="compression">None gives the source itself; Xz cannot be written.</param>
    /// <param name="level">1 to 19 for Zstd, 1 to 9 for Gzip.</param>
    public static Blob Compress(Blob source, Compression compression, int level) => compression switch
    {
        Compression.None => source,
        Compression.Zstd => SpillFile.Create(output => WriteZstd(source, output, level)),
        Compression.Gzip => SpillFile.Create(output => WriteGzip(source, output, level)),
        _ => throw new NotSupportedException($"{compression} is only read"),
    };

    /// <summary>One frame with the content's size and checksum, as <c>zstd -T</c> makes it.</summary>
    private static void WriteZstd(Blob source, Stream output, int level)
    {
        using var encoder = new ZstdSharp.CompressionStream(output, level, leaveOpen: true);
        encoder.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
        encoder.SetParameter(ZSTD_cParameter.ZSTD_c_nbWorkers, Workers);
        encoder.SetPledgedSrcSize((ulong)source.Length);
        CopyTo(source, encoder);
    }

    /// <summary>RFC 1952: no name, no time.</summary>
    private static void WriteGzip(Blob source, Stream output, int level)
    {
        const byte unix = 3;
        output.Write([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, unix]);
        var crc = new Crc32();
        if (source.Length == 0)
        {
            // Of nothing the encoder makes nothing; an empty final block is meant.
            output.Write([3, 0]);
        }
        else
        {
            using var encoder = new DeflateStream(new KeptOpen(output), CompressionMode.Compress, (CompressionLevel)level);
            CopyTo(source, encoder, crc);
        }
        Span<byte> trailer = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, crc.GetCurrentHashAsUInt32());
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], unchecked((uint)source.Length));
        output.Write(trailer);
    }

    private static void CopyTo(Blob source, Stream encoder, Crc32? crc = null)
    {
        var chunk = new byte[ChunkSize];
        for (long offset = 0; offset < source.Length; offset += ChunkSize)
        {
            var part = chunk.AsSpan(0, (int)Math.Min(ChunkSize, source.Length - offset));
            source.Read(offset, part);
            crc?.Append(part);
            encoder.Write(part);
        }
    }

    // The encoder's own option to leave the output open also leaves out what it still holds.
    private sealed class KeptOpen(Stream output) : WriteOnlyStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => output.Write(buffer);
    }
}
