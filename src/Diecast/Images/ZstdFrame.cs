using System.Buffers.Binary;

namespace Diecast.Images;

/// <summary>The outside of a zstd frame: RFC 8878, section 3.1.</summary>
internal static class ZstdFrame
{
    private const uint Magic = 0xFD2FB528;
    private const uint SkippableMagic = 0x184D2A50;

    /// <summary>The length in bytes of the frames that follow each other from an offset on; there is one at least.</summary>
    /// <exception cref="InvalidDataException">A frame is cut off or malformed, or there is none.</exception>
    public static long MeasureAll(Blob blob, long offset)
    {
        long end = offset;
        while (blob.Length - end >= 8)
        {
            uint magic = ReadUInt32(blob, end);
            if (magic == Magic)
            {
                end = EndOfFrame(blob, end + 4);
            }
            else if ((magic & ~0xfu) == SkippableMagic)
            {
                end += 8L + ReadUInt32(blob, end + 4);
            }
            else
            {
                break;
            }
            if (end > blob.Length)
            {
                throw new InvalidDataException($"zstd: the frames at {offset} are cut off");
            }
        }
        return end > offset ? end - offset : throw new InvalidDataException($"zstd: there is no whole frame at {offset}");
    }

    private static long EndOfFrame(Blob blob, long position)
    {
        byte descriptor = blob.ReadBytes(position, 1)[0];
        bool singleSegment = (descriptor & 0x20) != 0;
        int contentSizeBytes = (descriptor >> 6) switch { 0 => singleSegment ? 1 : 0, 1 => 2, 2 => 4, _ => 8 };
        int dictionaryIdBytes = (descriptor & 3) switch { 3 => 4, var size => size };
        position += 1 + (singleSegment ? 0 : 1) + dictionaryIdBytes + contentSizeBytes;
        bool last;
        do
        {
            byte[] header = blob.ReadBytes(position, 3);
            uint block = header[0] | ((uint)header[1] << 8) | ((uint)header[2] << 16);
            last = (block & 1) != 0;
            // Of a block of one repeated byte only that byte is stored.
            position += 3 + (((block >> 1) & 3) == 1 ? 1 : block >> 3);
        }
        while (!last);
        bool hasChecksum = (descriptor & 4) != 0;
        return position + (hasChecksum ? 4 : 0);
    }

    private static uint ReadUInt32(Blob blob, long offset) => BinaryPrimitives.ReadUInt32LittleEndian(blob.ReadBytes(offset, 4));
}
