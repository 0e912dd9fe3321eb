using System.Buffers.Binary;
using System.IO.Hashing;
using SharpCompress.Compressors;
using SharpCompress.Compressors.Deflate;

namespace Diecast.Images;

/// <summary>Decodes one gzip member (RFC 1952) and knows where it ends, which the runtime's decoder does not tell.</summary>
internal sealed class GzipMember : ReadOnlyStream
{
    private const int TrailerSize = 8;

    private readonly Blob _blob;
    private readonly long _dataOffset;
    private readonly DeflateStream _decoder;
    private readonly Crc32 _crc = new();
    private uint _size;

    /// <param name="blob">What holds the member.</param>
    /// <param name="dataOffset">Where its header ends.</param>
    /// <param name="input">The blob's bytes from there on.</param>
    public GzipMember(Blob blob, long dataOffset, Stream input)
    {
        _blob = blob;
        _dataOffset = dataOffset;
        _decoder = new DeflateStream(input, CompressionMode.Decompress);
    }

    /// <summary>The first byte after the member, once all of it has been read.</summary>
    public long End => _dataOffset + _decoder.TotalIn + TrailerSize;

    public override int Read(Span<byte> buffer)
    {
        int count = _decoder.Read(buffer);
        if (count > 0)
        {
            _crc.Append(buffer[..count]);
            _size = unchecked(_size + (uint)count);
        }
        else if (!buffer.IsEmpty)
        {
            VerifyTrailer();
        }
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _decoder.Dispose();
        }
        base.Dispose(disposing);
    }

    /// <summary>Where the header of the member at an offset ends.</summary>
    /// <exception cref="InvalidDataException">It is malformed or cut off.</exception>
    public static long EndOfHeader(Blob blob, long offset)
    {
        const byte headerCrc = 2, extra = 4, name = 8, comment = 16;
        byte flags = blob.ReadBytes(offset, 10)[3];
        long position = offset + 10;
        if ((flags & extra) != 0)
        {
            position += 2 + BinaryPrimitives.ReadUInt16LittleEndian(blob.ReadBytes(position, 2));
        }
        foreach (byte text in (ReadOnlySpan<byte>)[name, comment])
        {
            if ((flags & text) != 0)
            {
                position = EndOfText(blob, position);
            }
        }
        position += (flags & headerCrc) != 0 ? 2 : 0;
        return position <= blob.Length ? position : throw new InvalidDataException($"gzip: the header at {offset} is cut off");
    }

    private static long EndOfText(Blob blob, long position)
    {
        const int longest = 64 << 10;
        byte[] bytes = blob.ReadBytes(position, (int)Math.Clamp(blob.Length - position, 0, longest));
        int end = bytes.AsSpan().IndexOf((byte)0);
        return end >= 0 ? position + end + 1 : throw new InvalidDataException($"gzip: the text at {position} is not terminated");
    }

    private void VerifyTrailer()
    {
        // A decoder at the end of what it is given gives what it has: only the checksum tells that something is missing.
        long offset = End - TrailerSize;
        byte[] trailer = _blob.ReadBytes(offset, TrailerSize);
        if (BinaryPrimitives.ReadUInt32LittleEndian(trailer) != _crc.GetCurrentHashAsUInt32()
            || BinaryPrimitives.ReadUInt32LittleEndian(trailer.AsSpan(4)) != _size)
        {
            throw new InvalidDataException($"gzip: the checksum at {offset} is not that of the data");
        }
    }
}
