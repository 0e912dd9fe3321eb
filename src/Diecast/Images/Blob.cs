namespace Diecast.Images;

/// <summary>
/// Bytes of a known length that can be read at any place, any number of times, from any thread, always with the same
/// result. A file, a partition, a disk, an initrd inside a UKI: all are blobs.
/// </summary>
public abstract class Blob
{
    /// <summary>In bytes.</summary>
    public abstract long Length { get; }

    /// <summary>Fills the whole of <paramref name="destination"/> from <paramref name="offset"/> on.</summary>
    /// <exception cref="InvalidDataException">The range is not within the blob, or its source changed.</exception>
    public void Read(long offset, Span<byte> destination)
    {
        if (offset < 0 || destination.Length > Length - offset)
        {
            throw new InvalidDataException(
                $"{destination.Length} bytes at {offset} are outside of the {Length} bytes of {Describe()}");
        }
        if (!destination.IsEmpty)
        {
            ReadCore(offset, destination);
        }
    }

    /// <summary>A part of the blob.</summary>
    /// <exception cref="InvalidDataException">The range is not within the blob.</exception>
    public virtual Blob Slice(long offset, long length) =>
        offset < 0 || length < 0 || length > Length - offset
            ? throw new InvalidDataException($"{length} bytes at {offset} are outside of the {Length} bytes of {Describe()}")
            : offset == 0 && length == Length ? this : new SliceBlob(this, offset, length);

    /// <summary>A copy of a part of the blob; for structures, not for contents of unknown size.</summary>
    public byte[] ReadBytes(long offset, int length)
    {
        if (offset < 0 || length < 0 || length > Length - offset)
        {
            throw new InvalidDataException($"{length} bytes at {offset} are outside of the {Length} bytes of {Describe()}");
        }
        var bytes = new byte[length];
        Read(offset, bytes);
        return bytes;
    }

    /// <summary>
    /// The first place from <paramref name="offset"/> on where there may be anything but zeros, as far as is known without
    /// reading; the length where there is none. Known holes depend on the host: they save reading when blobs are compared,
    /// and never decide about a byte that is written.
    /// </summary>
    public virtual long NextData(long offset) => offset;

    /// <summary>Where the bytes come from, for error messages.</summary>
    public virtual string Describe() => "the blob";

    /// <summary>Like <see cref="Read"/>; the range has been checked and is not empty.</summary>
    protected abstract void ReadCore(long offset, Span<byte> destination);

    /// <summary>For subclasses that pass a read on to another blob.</summary>
    protected static void ReadCore(Blob blob, long offset, Span<byte> destination) => blob.ReadCore(offset, destination);

    public static Blob Empty { get; } = new MemoryBlob(ReadOnlyMemory<byte>.Empty);

    private sealed class SliceBlob(Blob source, long start, long length) : Blob
    {
        public override long Length => length;

        public override Blob Slice(long offset, long sliceLength) =>
            offset < 0 || sliceLength < 0 || sliceLength > length - offset
                ? base.Slice(offset, sliceLength)
                : source.Slice(start + offset, sliceLength);

        public override long NextData(long offset) =>
            offset >= length ? length : Math.Min(source.NextData(start + offset) - start, length);

        public override string Describe() => source.Describe();

        protected override void ReadCore(long offset, Span<byte> destination) =>
            ReadCore(source, start + offset, destination);
    }
}

/// <summary>A blob in memory. The memory must not be changed any more.</summary>
public sealed class MemoryBlob(ReadOnlyMemory<byte> memory) : Blob
{
    public override long Length => memory.Length;

    public ReadOnlyMemory<byte> Memory => memory;

    protected override void ReadCore(long offset, Span<byte> destination) =>
        memory.Span.Slice((int)offset, destination.Length).CopyTo(destination);
}

/// <summary>
/// A blob whose bytes are arithmetic on their place. <paramref name="read"/> gets a range within the blob and a
/// destination of zeros.
/// </summary>
public sealed class ComputedBlob(long length, ComputedBlob.Reader read) : Blob
{
    public delegate void Reader(long offset, Span<byte> destination);

    public override long Length => length;

    protected override void ReadCore(long offset, Span<byte> destination)
    {
        destination.Clear();
        read(offset, destination);
    }
}
