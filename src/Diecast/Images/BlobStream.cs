namespace Diecast.Images;

/// <summary>A blob as a seekable stream, for decoders that want one.</summary>
public sealed class BlobStream(Blob blob) : ReadOnlyStream
{
    private long _position;

    public override bool CanSeek => true;

    public override long Length => blob.Length;

    public override long Position
    {
        get => _position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _position = value;
        }
    }

    public override int Read(Span<byte> buffer)
    {
        int count = (int)Math.Clamp(blob.Length - _position, 0, buffer.Length);
        blob.Read(Math.Min(_position, blob.Length), buffer[..count]);
        _position += count;
        return count;
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = offset + origin switch
    {
        SeekOrigin.Begin => 0,
        SeekOrigin.Current => _position,
        _ => blob.Length,
    };
}
