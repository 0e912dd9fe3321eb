using Diecast.Binary;

namespace Diecast.Formats.Btrfs;

/// <summary>A tree's block, whose checksum, order and bounds have been checked: a leaf (level 0) or a node.</summary>
internal sealed class TreeBlock
{
    public const int MaximumLevel = 7;

    private readonly byte[] _bytes;

    /// <exception cref="InvalidDataException">What it holds is not in order.</exception>
    public TreeBlock(byte[] bytes)
    {
        _bytes = bytes;
        Header = OnDisk.Read<Header>(bytes);
        if (Header.Level > MaximumLevel)
        {
            throw Damaged($"level {Header.Level}");
        }
        int entry = IsLeaf ? ItemHeader.HeaderSize : KeyPointer.Size;
        if (Header.Nritems > (uint)((bytes.Length - Header.Size) / entry) || (!IsLeaf && Header.Nritems == 0))
        {
            throw Damaged($"{Header.Nritems} items in {bytes.Length} bytes");
        }
        if (IsLeaf)
        {
            CheckItems();
        }
        for (int i = 1; i < Count; i++)
        {
            if (Key(i) <= Key(i - 1))
            {
                throw Damaged($"item {i}: the key {Key(i)} stands after {Key(i - 1)}");
            }
        }
    }

    public Header Header { get; }

    public bool IsLeaf => Header.Level == 0;

    public ulong Bytenr => Header.Bytenr;

    public int Count => (int)Header.Nritems.Value;

    /// <summary>"FS_TREE leaf at 30441472", where the place is the logical address.</summary>
    public string Name => IsLeaf
        ? $"{ObjectId.Name(Header.Owner)} leaf at {Bytenr}" : $"{ObjectId.Name(Header.Owner)} node of level {Header.Level} at {Bytenr}";

    /// <summary>The end of the items' headers or of the pointers, in bytes.</summary>
    public int EntriesEnd => EntryOffset(Count);

    /// <summary>Where the items' data begins, in bytes: at the block's end in a node and in an empty leaf.</summary>
    public int DataStart => IsLeaf && Count > 0 ? DataOffset(Count - 1) : _bytes.Length;

    public ReadOnlyMemory<byte> Bytes => _bytes;

    public int EntryOffset(int index) => Header.Size + index * (IsLeaf ? ItemHeader.HeaderSize : KeyPointer.Size);

    public Key Key(int index) => Btrfs.Key.From(OnDisk.Read<DiskKey>(_bytes.AsSpan(EntryOffset(index))));

    /// <summary>Where an item's data begins in the block, in bytes.</summary>
    public int DataOffset(int index) => Header.Size + (int)Item(index).Offset.Value;

    public ReadOnlyMemory<byte> Data(int index)
    {
        var item = Item(index);
        return _bytes.AsMemory(Header.Size + (int)item.Offset.Value, (int)item.Size.Value);
    }

    public KeyPointer Child(int index) => OnDisk.Read<KeyPointer>(_bytes.AsSpan(EntryOffset(index)));

    /// <summary>The index of the first entry whose key is not before the one given, or the count.</summary>
    public int FirstNotBefore(Key key)
    {
        int low = 0;
        int high = Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = Key(middle) < key ? (middle + 1, high) : (low, middle);
        }
        return low;
    }

    public InvalidDataException Damaged(string problem) => new($"btrfs {Name}: {problem}");

    private ItemHeader Item(int index) => OnDisk.Read<ItemHeader>(_bytes.AsSpan(EntryOffset(index)));

    /// <summary>The items' data lies without gaps, from the end of the leaf downwards.</summary>
    private void CheckItems()
    {
        long end = _bytes.Length - Header.Size;
        for (int i = 0; i < Count; i++)
        {
            var item = Item(i);
            if (item.Offset + (long)item.Size.Value != end || item.Offset + Header.Size < EntriesEnd)
            {
                throw Damaged($"item {i}: {item.Size} bytes at {item.Offset}");
            }
            end = item.Offset;
        }
    }
}
