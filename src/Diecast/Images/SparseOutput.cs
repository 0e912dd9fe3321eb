using Microsoft.Win32.SafeHandles;

namespace Diecast.Images;

/// <summary>Writes to a new file from its start on and leaves blocks of zeros as holes.</summary>
internal sealed class SparseOutput(SafeFileHandle file) : WriteOnlyStream
{
    private const int BlockSize = 4096;

    private long _position;

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            int zeros = Run(buffer, zero: true);
            _position += zeros;
            buffer = buffer[zeros..];
            int data = Run(buffer, zero: false);
            RandomAccess.Write(file, buffer[..data], _position);
            _position += data;
            buffer = buffer[data..];
        }
    }

    /// <summary>Gives the file its length, which a hole at the end does not, and returns it.</summary>
    public long Finish()
    {
        RandomAccess.SetLength(file, _position);
        return _position;
    }

    /// <summary>The length of the blocks at the start of the buffer that are all zero, or all not.</summary>
    private int Run(ReadOnlySpan<byte> buffer, bool zero)
    {
        int length = 0;
        while (length < buffer.Length)
        {
            int block = (int)Math.Min(BlockSize - (_position + length) % BlockSize, buffer.Length - length);
            if (buffer.Slice(length, block).ContainsAnyExcept((byte)0) == zero)
            {
                break;
            }
            length += block;
        }
        return length;
    }
}
