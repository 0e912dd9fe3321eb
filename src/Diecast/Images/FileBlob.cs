using Microsoft.Win32.SafeHandles;

namespace Diecast.Images;

/// <summary>An open file or block device of the host; it is closed when nobody refers to it any more.</summary>
/// <param name="file">Opened for reading.</param>
/// <param name="length">In bytes.</param>
/// <param name="description">For error messages.</param>
public sealed class FileBlob(SafeFileHandle file, long length, string description) : Blob
{
    public override long Length => length;

    public override long NextData(long offset) => FileHoles.NextData(file, offset, length);

    public override string Describe() => description;

    protected override void ReadCore(long offset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            int got = RandomAccess.Read(file, destination, offset);
            if (got == 0)
            {
                throw new IOException($"{description}: was cut off while it was read");
            }
            offset += got;
            destination = destination[got..];
        }
    }
}
