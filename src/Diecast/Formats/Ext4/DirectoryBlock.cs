using Diecast.Binary;

namespace Diecast.Formats.Ext4;

/// <summary>An entry of a directory block at its place in it; the length is that of all it takes, in bytes.</summary>
internal readonly record struct StoredEntry(int Offset, int Length, DirectoryEntryHeader Header)
{
    public bool IsUsed => Header.Inode != 0;

    public int NameEnd => Offset + DirectoryEntryHeader.Size + Header.NameLength;

    public ReadOnlySpan<byte> Name(ReadOnlySpan<byte> block) => block[(Offset + DirectoryEntryHeader.Size)..NameEnd];

    public bool IsDots(ReadOnlySpan<byte> block) => Name(block).SequenceEqual("."u8) || Name(block).SequenceEqual(".."u8);
}

/// <summary>Takes the blocks of a directory apart as far as they are sound, without a word about what is not.</summary>
internal static class DirectoryBlock
{
    /// <summary>The entries up to the first damaged one or to where the block's tail starts.</summary>
    public static IEnumerable<StoredEntry> Entries(byte[] block)
    {
        int end = block.Length - (HasTail(block) ? DirectoryTail.Size : 0);
        int length;
        for (int at = 0; at + DirectoryEntryHeader.Size <= end; at += length)
        {
            var header = OnDisk.Read<DirectoryEntryHeader>(block.AsSpan(at));
            // 64 KiB do not fit in the field.
            length = header.RecordLength.Value is 0 or ushort.MaxValue && block.Length == 65536 ? block.Length : header.RecordLength;
            if (length < DirectoryEntryHeader.Size || length > block.Length - at || length % 4 != 0
                || header.NameLength > length - DirectoryEntryHeader.Size)
            {
                yield break;
            }
            yield return new StoredEntry(at, length, header);
        }
    }

    /// <summary>Whether the block ends with a checksum.</summary>
    public static bool HasTail(ReadOnlySpan<byte> block)
    {
        if (block.Length < DirectoryTail.Size)
        {
            return false;
        }
        var tail = OnDisk.Read<DirectoryTail>(block[^DirectoryTail.Size..]);
        return tail.Inode == 0 && tail.RecordLength == DirectoryTail.Size && tail.NameLength == 0
            && tail.FileType == DirectoryTail.FileTypeValue;
    }

    /// <summary>
    /// Where the limit and count of an index block stand, or null in a leaf. The root has them after the dots, the others
    /// after an entry that takes the whole block.
    /// </summary>
    public static int? IndexStart(ReadOnlySpan<byte> block, long logical, bool hasChecksums)
    {
        const int afterDots = 24;
        int start = logical == 0 ? afterDots + IndexRootInfo.Size : DirectoryEntryHeader.Size;
        var header = OnDisk.Read<DirectoryEntryHeader>(block);
        bool fits = logical == 0
            || (header.Inode == 0 && header.NameLength == 0 && header.RecordLength == (block.Length == 65536 ? 0 : block.Length));
        int room = (block.Length - start - (hasChecksums ? IndexTail.Size : 0)) / IndexEntry.Size;
        return fits && (logical == 0 || OnDisk.Read<Le<ushort>>(block[start..]) == room) ? start : null;
    }
}
