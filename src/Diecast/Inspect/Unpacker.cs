using Diecast.Formats.Cpio;
using Diecast.Images;

namespace Diecast.Inspect;

/// <summary>Unpacks gzip, xz and zstd.</summary>
internal static class Unpacker
{
    /// <summary>64 GiB: what an image, or a file in one, may unpack to where nobody says otherwise.</summary>
    public const long DefaultLimit = 64L << 30;

    public static Compression Detect(Blob blob) => Decompressor.Detect(blob.ReadBytes(0, (int)Math.Min(6, blob.Length)));

    /// <summary>
    /// All the data of a compressed blob, in an unnamed sparse file. Several members are one, with zeros between them left
    /// out; a cpio archive may follow, as in an initrd, and is taken as it is with all that comes after it.
    /// </summary>
    /// <exception cref="InvalidDataException">It is damaged or cut off, has more data than allowed, or something else follows.</exception>
    /// <exception cref="OperationCanceledException">Between two pieces.</exception>
    public static Blob Unpack(Blob blob, long limit, CancellationToken cancellation = default) => SpillFile.Create(output =>
    {
        long length = 0;
        long position = 0;
        for (; position < blob.Length; position = CpioReader.SkipZeros(blob, position))
        {
            byte[] start = blob.ReadBytes(position, (int)Math.Min(6, blob.Length - position));
            if (Decompressor.Detect(start) != Compression.None)
            {
                position = Decompressor.ReadMember(blob, position, Write);
            }
            else if (CpioReader.Recognizes(blob, position))
            {
                Copy(blob.Slice(position, blob.Length - position), Write);
                return;
            }
            else
            {
                throw new InvalidDataException($"something else follows the compressed data at {position}");
            }
        }

        void Write(ReadOnlySpan<byte> data)
        {
            cancellation.ThrowIfCancellationRequested();
            length += data.Length;
            if (length > limit)
            {
                throw new InvalidDataException($"unpacks to more than the limit of {limit} bytes");
            }
            output.Write(data);
        }
    });

    private static void Copy(Blob blob, Decompressor.WriteData write)
    {
        var buffer = new byte[1 << 20];
        for (long offset = 0; offset < blob.Length; offset += buffer.Length)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, blob.Length - offset));
            blob.Read(offset, part);
            write(part);
        }
    }
}
