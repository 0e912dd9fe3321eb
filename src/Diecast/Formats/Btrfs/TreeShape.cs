using System.Diagnostics;
using Diecast.Images;

namespace Diecast.Formats.Btrfs;

/// <summary>An item to be written: its data, and after it the content where that is a file's.</summary>
internal readonly record struct LeafItem(Key Key, byte[] Data, Blob? Content = null)
{
    public int Length => Data.Length + (int)(Content?.Length ?? 0);
}

/// <summary>A block to be written.</summary>
/// <param name="First">Of its keys.</param>
/// <param name="Count">Of its items or children.</param>
/// <param name="DataLength">Of the data of all its items, in bytes; a node has none.</param>
internal readonly record struct BlockShape(Key First, int Count, int DataLength = 0);

/// <summary>
/// How a tree of sorted items is cut into blocks: full leaves, and full nodes over them. Only lengths and keys matter.
/// </summary>
internal sealed class TreeShape
{
    /// <summary>What a block has behind its header, in bytes.</summary>
    public const int Room = Layout.NodeSize - Header.Size;

    /// <summary>BTRFS_MAX_ITEM_SIZE, in bytes.</summary>
    public const int LargestItem = Room - ItemHeader.HeaderSize;

    private const int NodeEntries = Room / KeyPointer.Size;

    private TreeShape(ulong id, List<BlockShape[]> levels)
    {
        Id = id;
        Levels = levels;
    }

    /// <summary>Of <see cref="ObjectId"/>, or a subvolume's.</summary>
    public ulong Id { get; }

    /// <summary>From the leaves to the one block that is the root.</summary>
    public IReadOnlyList<BlockShape[]> Levels { get; }

    public int Blocks => Levels.Sum(static level => level.Length);

    public byte RootLevel => (byte)(Levels.Count - 1);

    public static TreeShape Measure(ulong id, IEnumerable<LeafItem> items)
    {
        var leaves = new List<BlockShape>();
        var first = default(Key);
        int count = 0;
        int room = Room;
        foreach (var item in items)
        {
            int size = ItemHeader.HeaderSize + item.Length;
            if (size > room)
            {
                leaves.Add(Leaf());
                (count, room) = (0, Room);
            }
            first = count == 0 ? item.Key : first;
            count++;
            room -= size;
            Debug.Assert(room >= 0, $"{item.Key} has {item.Length} bytes");
        }
        // Also a tree without items has a leaf.
        leaves.Add(Leaf());
        var levels = new List<BlockShape[]> { leaves.ToArray() };
        while (levels[^1].Length > 1)
        {
            levels.Add([.. levels[^1].Chunk(NodeEntries).Select(static children => new BlockShape(children[0].First, children.Length))]);
        }
        return new TreeShape(id, levels);

        BlockShape Leaf() => new(first, count, Room - room - count * ItemHeader.HeaderSize);
    }
}

/// <summary>A tree and the logical addresses of its blocks: the leaves first, the root last.</summary>
internal sealed record PlacedTree(TreeShape Shape, long[] Addresses)
{
    public ulong Root => (ulong)Addresses[^1];

    /// <summary>Each block with its level and shape, in the order of the addresses.</summary>
    public IEnumerable<(long Address, int Level, BlockShape Shape)> Blocks()
    {
        int next = 0;
        for (int level = 0; level < Shape.Levels.Count; level++)
        {
            foreach (var shape in Shape.Levels[level])
            {
                yield return (Addresses[next++], level, shape);
            }
        }
    }
}
