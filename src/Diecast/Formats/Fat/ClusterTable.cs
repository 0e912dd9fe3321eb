using System.Buffers.Binary;
using Diecast.Images;

namespace Diecast.Formats.Fat;

/// <summary>
/// The file allocation table of a volume whose chains are all contiguous and follow one another from cluster 2 on: it is
/// arithmetic on the chains' ends and never stands in memory.
/// </summary>
internal sealed class ClusterTable(int bits, byte media, IReadOnlyList<uint> chainEnds)
{
    // Two entries of FAT12 share three bytes; elsewhere an entry is a whole number of bytes.
    private readonly int _unitEntries = bits == 12 ? 2 : 1;
    private readonly int _unitBytes = bits == 12 ? 3 : bits / 8;
    private readonly uint _endOfChain = bits == 32 ? 0x0FFF_FFFF : (1u << bits) - 1;

    /// <summary>The table's bytes, zero after the last entry in use.</summary>
    /// <param name="length">In bytes.</param>
    public Blob ToBlob(long length) => new ComputedBlob(length, Read);

    private void Read(long offset, Span<byte> destination)
    {
        long firstUnit = offset / _unitBytes;
        int skip = (int)(offset - firstUnit * _unitBytes);
        int units = (skip + destination.Length + _unitBytes - 1) / _unitBytes;
        long entry = firstUnit * _unitEntries;
        if (entry >= FirstFree)
        {
            return;
        }
        var bytes = new byte[units * _unitBytes];
        int chain = FirstChainEndingAfter(entry);
        for (int unit = 0; unit < units; unit++, entry += _unitEntries)
        {
            var place = bytes.AsSpan(unit * _unitBytes, _unitBytes);
            uint value = Entry(entry, ref chain);
            switch (bits)
            {
                case 12:
                    value |= Entry(entry + 1, ref chain) << 12;
                    (place[0], place[1], place[2]) = ((byte)value, (byte)(value >> 8), (byte)(value >> 16));
                    break;
                case 16:
                    BinaryPrimitives.WriteUInt16LittleEndian(place, (ushort)value);
                    break;
                default:
                    BinaryPrimitives.WriteUInt32LittleEndian(place, value);
                    break;
            }
        }
        bytes.AsSpan(skip, destination.Length).CopyTo(destination);
    }

    private long FirstFree => chainEnds.Count == 0 ? 2 : chainEnds[^1] + 1L;

    /// <summary>
    /// The value of an entry. Entries 0 and 1 hold the media byte and the bits for "unmounted cleanly" and "no disk
    /// error", which are set.
    /// </summary>
    private uint Entry(long cluster, ref int chain)
    {
        if (cluster < 2)
        {
            return cluster == 0 ? _endOfChain & 0xFFFF_FF00 | media : _endOfChain;
        }
        while (chain < chainEnds.Count && chainEnds[chain] < cluster)
        {
            chain++;
        }
        return chain == chainEnds.Count ? 0 : chainEnds[chain] == cluster ? _endOfChain : (uint)cluster + 1;
    }

    private int FirstChainEndingAfter(long cluster)
    {
        int low = 0;
        int high = chainEnds.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = chainEnds[middle] < cluster ? (middle + 1, high) : (low, middle);
        }
        return low;
    }
}
