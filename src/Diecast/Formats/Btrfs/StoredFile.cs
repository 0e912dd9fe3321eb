using Diecast.Images;

namespace Diecast.Formats.Btrfs;

/// <summary>
/// The content of a file: its extents are looked up in the tree for each read, so that nothing of a file is remembered.
/// What no extent covers, or one without a place on disk, is a hole.
/// </summary>
internal sealed class StoredFile(Volume volume, DecodedExtents decoded, Tree tree, ulong inode, long length) : Blob
{
    private const byte Inline = 0;
    private const byte Regular = 1;
    private const byte Preallocated = 2;

    public override long Length => length;

    public override string Describe() => $"btrfs inode {inode} of the tree {ObjectId.Name(tree.Root.Id)}";

    protected override void ReadCore(long offset, Span<byte> destination)
    {
        destination.Clear();
        ulong end = (ulong)offset + (ulong)destination.Length;
        var key = new Key(inode, ItemType.ExtentData, (ulong)offset);
        if (tree.LastNotAfter(key) is { } last && last.Key.Objectid == inode && last.Key.Type == ItemType.ExtentData)
        {
            key = last.Key;
        }
        foreach (var item in tree.Items(inode, ItemType.ExtentData, key.Offset))
        {
            if (item.Key.Offset >= end)
            {
                break;
            }
            ReadExtent(item, (ulong)offset, destination);
        }
    }

    /// <summary>Copies what an extent has of the range; the destination begins at the offset in the file.</summary>
    private void ReadExtent(TreeItem item, ulong offset, Span<byte> destination)
    {
        var header = item.Read<FileExtentHeader>();
        if (header.Encryption != 0 || header.OtherEncoding != 0)
        {
            throw item.Damaged("encrypted extents are not read");
        }
        ulong start = item.Key.Offset;
        var compression = (ExtentCompression)header.Compression;
        if (header.Type == Inline)
        {
            var bytes = item.Data[FileExtentHeader.Size..];
            if (compression != ExtentCompression.None)
            {
                bytes = Decode(item, compression, bytes, header.RamBytes);
            }
            CopyOverlap(bytes.Span, start, offset, destination);
            return;
        }
        var place = item.Read<FileExtentPlace>(FileExtentHeader.Size);
        if (header.Type is not (Regular or Preallocated) || place.NumBytes == 0 || place.NumBytes > ulong.MaxValue - start)
        {
            throw item.Damaged($"type {header.Type}, {place.NumBytes} bytes");
        }
        ulong from = Math.Max(start, offset);
        ulong to = Math.Min(start + place.NumBytes, offset + (ulong)destination.Length);
        if (from >= to || header.Type == Preallocated || place.DiskBytenr == 0)
        {
            return;
        }
        ulong within = place.Offset + (from - start);
        var target = destination[(int)(from - offset)..(int)(to - offset)];
        ulong available = compression == ExtentCompression.None ? place.DiskNumBytes : header.RamBytes;
        if (place.Offset > available || within > available || (ulong)target.Length > available - within
            || place.DiskBytenr > long.MaxValue || available > long.MaxValue)
        {
            throw item.Damaged($"{target.Length} bytes at {within} of {available}");
        }
        if (compression == ExtentCompression.None)
        {
            volume.ReadData(place.DiskBytenr + within, target, item.Name);
            return;
        }
        decoded.Get((place.DiskBytenr, header.RamBytes, compression), () => DecodeExtent(item, compression, place, header.RamBytes))
            .AsSpan((int)within, target.Length).CopyTo(target);
    }

    private byte[] DecodeExtent(TreeItem item, ExtentCompression compression, FileExtentPlace place, ulong length)
    {
        if (place.DiskNumBytes > ExtentDecoder.LargestExtent)
        {
            throw item.Damaged($"a compressed extent of {place.DiskNumBytes} bytes");
        }
        var source = new byte[(int)place.DiskNumBytes.Value];
        volume.ReadData(place.DiskBytenr, source, item.Name);
        return Decode(item, compression, source, length);
    }

    private byte[] Decode(TreeItem item, ExtentCompression compression, ReadOnlyMemory<byte> source, ulong length)
    {
        if (length > ExtentDecoder.LargestExtent)
        {
            throw item.Damaged($"a compressed extent of {length} bytes");
        }
        try
        {
            return ExtentDecoder.Decode(compression, source, (int)length, volume.SectorSize);
        }
        catch (InvalidDataException exception)
        {
            throw item.Damaged(exception.Message);
        }
    }

    private static void CopyOverlap(ReadOnlySpan<byte> bytes, ulong start, ulong offset, Span<byte> destination)
    {
        ulong from = Math.Max(start, offset);
        ulong to = Math.Min(start + (ulong)bytes.Length, offset + (ulong)destination.Length);
        if (from < to)
        {
            bytes[(int)(from - start)..(int)(to - start)].CopyTo(destination[(int)(from - offset)..]);
        }
    }
}

/// <summary>The last few extents that were decoded: a reader of a file comes to each several times.</summary>
internal sealed class DecodedExtents
{
    private const int Count = 8;

    private readonly Entry?[] _entries = new Entry?[Count];

    private sealed record Entry((ulong Bytenr, ulong Length, ExtentCompression Compression) Extent, byte[] Bytes);

    /// <summary>The data of the extent at a logical address.</summary>
    public byte[] Get((ulong Bytenr, ulong Length, ExtentCompression Compression) extent, Func<byte[]> decode)
    {
        int slot = (int)(extent.Bytenr / 4096 % Count);
        var entry = _entries[slot];
        if (entry is null || entry.Extent != extent)
        {
            _entries[slot] = entry = new Entry(extent, decode());
        }
        return entry.Bytes;
    }
}
