using System.IO.Compression;
using System.Runtime.ExceptionServices;

namespace Diecast.Images;

public enum Compression
{
    None,
    Gzip,
    Xz,
    Zstd,
}

/// <summary>
/// Decodes compressed data of any origin. That a gzip stream is cut off is noticed only with the runtime switch
/// System.IO.Compression.UseStrictValidation, which Directory.Build.props sets for every program here.
/// </summary>
public static class Decompressor
{
    /// <summary>The compression that the first six bytes (or fewer, where there are no more) tell of.</summary>
    public static Compression Detect(ReadOnlySpan<byte> start) => start switch
    {
        [0x1f, 0x8b, 8, ..] => Compression.Gzip,
        [0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, ..] => Compression.Xz,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression.Zstd,
        // A skippable frame.
        [>= 0x50 and < 0x60, 0x2a, 0x4d, 0x18, ..] => Compression.Zstd,
        _ => Compression.None,
    };

    /// <summary>
    /// The data of a stream, decompressed where its first bytes say that it is compressed. The stream stays open.
    /// Reading throws InvalidDataException where the data is damaged or cut off, or has more than
    /// <paramref name="limit"/> bytes.
    /// </summary>
    public static Stream Open(Stream source, long limit = long.MaxValue) => Open(source, limit, out _);

    /// <param name="compression">What the first bytes say.</param>
    /// <inheritdoc cref="Open(Stream, long)"/>
    public static Stream Open(Stream source, long limit, out Compression compression)
    {
        var input = new SourceStream(source);
        compression = Detect(input.Peek(6));
        Func<Stream> decoder = compression switch
        {
            Compression.Gzip => () => new GZipStream(input, CompressionMode.Decompress, leaveOpen: true),
            Compression.Xz => () => new XzStream(input),
            Compression.Zstd => () => new ZstdSharp.DecompressionStream(input, leaveOpen: true),
            _ => () => input,
        };
        return new GuardedStream(compression, input, decoder, limit);
    }

    /// <summary>The data of a blob, kept in an unnamed file where it has to be decompressed.</summary>
    /// <exception cref="InvalidDataException">It is damaged, cut off or too long.</exception>
    public static Blob Open(Blob blob, long limit = long.MaxValue)
    {
        if (Detect(blob.ReadBytes(0, (int)Math.Min(6, blob.Length))) == Compression.None)
        {
            return blob;
        }
        return SpillFile.Create(output =>
        {
            using var data = Open(new BlobStream(blob), limit);
            data.CopyTo(output, 1 << 20);
        });
    }

    /// <summary>
    /// Decodes what is compressed at an offset of a blob that may go on with something else, and returns where it ends:
    /// after one gzip member, one xz stream, or all the zstd frames that follow each other.
    /// </summary>
    /// <param name="blob">What holds it.</param>
    /// <param name="offset">Where <see cref="Detect"/> finds a compression.</param>
    /// <param name="write">Gets the data.</param>
    /// <exception cref="InvalidDataException">It is damaged or cut off.</exception>
    public static long ReadMember(Blob blob, long offset, WriteData write)
    {
        var compression = Detect(blob.ReadBytes(offset, (int)Math.Min(6, blob.Length - offset)));
        // Only of zstd the end can be told without decoding.
        long end = compression == Compression.Zstd ? offset + ZstdFrame.MeasureAll(blob, offset) : blob.Length;
        long start = compression == Compression.Gzip ? GzipMember.EndOfHeader(blob, offset) : offset;
        var input = new SourceStream(new BlobStream(blob.Slice(start, end - start)));
        Stream? decoder = null;
        using var data = new GuardedStream(compression, input, () => decoder = compression switch
        {
            Compression.Gzip => new GzipMember(blob, start, input),
            Compression.Xz => new XzStream(input, onlyOne: true),
            Compression.Zstd => new ZstdSharp.DecompressionStream(input, leaveOpen: true),
            _ => throw new InvalidDataException($"nothing is compressed at {offset}"),
        }, long.MaxValue);
        var buffer = new byte[1 << 20];
        int count;
        while ((count = data.Read(buffer)) > 0)
        {
            write(buffer.AsSpan(0, count));
        }
        return decoder switch
        {
            GzipMember gzip => gzip.End,
            XzStream xz => offset + xz.Consumed,
            _ => end,
        };
    }

    public delegate void WriteData(ReadOnlySpan<byte> data);

    /// <summary>What a decoder reads: remembers the errors that are the source's own.</summary>
    private sealed class SourceStream(Stream source) : ReadOnlyStream
    {
        private byte[] _peeked = [];
        private int _used;

        public ExceptionDispatchInfo? Failure { get; private set; }

        /// <summary>The next bytes, which remain to be read; called once, at the start.</summary>
        public ReadOnlySpan<byte> Peek(int count)
        {
            var peeked = new byte[count];
            _peeked = peeked[..source.ReadAtLeast(peeked, count, throwOnEndOfStream: false)];
            return _peeked;
        }

        public override int Read(Span<byte> buffer)
        {
            if (_used < _peeked.Length)
            {
                int count = Math.Min(buffer.Length, _peeked.Length - _used);
                _peeked.AsSpan(_used, count).CopyTo(buffer);
                _used += count;
                return count;
            }
            try
            {
                return source.Read(buffer);
            }
            catch (Exception exception)
            {
                Failure = ExceptionDispatchInfo.Capture(exception);
                throw;
            }
        }
    }

    /// <summary>Counts what a decoder gives, and makes InvalidDataException of whatever it throws at damaged data.</summary>
    private sealed class GuardedStream(Compression compression, SourceStream input, Func<Stream> open, long limit) : ReadOnlyStream
    {
        private Stream? _decoder;
        private long _count;

        public override int Read(Span<byte> buffer)
        {
            int count = Decode(buffer);
            _count += count;
            return _count <= limit
                ? count
                : throw new InvalidDataException($"{compression}: the data has more than {limit} bytes");
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _decoder?.Dispose();
            }
            base.Dispose(disposing);
        }

        // The decoders are foreign code that throws exceptions of many types, index errors among them.
        private int Decode(Span<byte> buffer)
        {
            try
            {
                return (_decoder ??= open()).Read(buffer);
            }
            catch (Exception exception)
            {
                input.Failure?.Throw();
                if (exception is InvalidDataException)
                {
                    throw;
                }
                throw new InvalidDataException($"{compression}: after {_count} bytes: {exception.Message}", exception);
            }
        }
    }
}
