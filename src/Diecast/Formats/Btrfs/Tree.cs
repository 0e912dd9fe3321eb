using Diecast.Binary;

namespace Diecast.Formats.Btrfs;

/// <summary>An item of a leaf: its key and its data.</summary>
internal readonly record struct TreeItem(TreeBlock Leaf, int Index)
{
    public Key Key => Leaf.Key(Index);

    public ReadOnlyMemory<byte> Data => Leaf.Data(Index);

    /// <summary>For error messages.</summary>
    public string Name => $"btrfs {Leaf.Name}, item {Index} {Key}";

    public InvalidDataException Damaged(string problem) => new($"{Name}: {problem}");

    /// <summary>The structure that the data starts with.</summary>
    /// <exception cref="InvalidDataException">The data is shorter.</exception>
    public T Read<T>(int offset = 0) where T : unmanaged
    {
        if (offset > Data.Length || Data.Length - offset < System.Runtime.CompilerServices.Unsafe.SizeOf<T>())
        {
            throw Damaged($"{Data.Length} bytes");
        }
        return OnDisk.Read<T>(Data.Span[offset..]);
    }
}

/// <summary>
/// A B-tree. Each step down is checked against the pointer that it follows (level, generation, first key, and that the
/// last key is before the next pointer's), so that a walk goes up in keys and comes to no block twice.
/// </summary>
internal sealed class Tree(Volume volume, TreeRoot root)
{
    public TreeRoot Root => root;

    /// <summary>The items whose keys are not before the one given, in order.</summary>
    /// <exception cref="InvalidDataException">A block on the way is damaged.</exception>
    public IEnumerable<TreeItem> Items(Key from = default)
    {
        var path = new Stack<(TreeBlock Node, int Index, Key? End)>();
        var block = ReadRoot();
        Key? end = null;
        while (true)
        {
            while (!block.IsLeaf)
            {
                // Below the last pointer that is not after the key; below the first where all are after it.
                int first = block.FirstNotBefore(from);
                int index = first < block.Count && block.Key(first) == from ? first : Math.Max(first - 1, 0);
                path.Push((block, index, end));
                (block, end) = ReadChild(block, index, end);
            }
            for (int i = block.FirstNotBefore(from); i < block.Count; i++)
            {
                yield return new TreeItem(block, i);
            }
            while (path.TryPeek(out var top) && top.Index + 1 == top.Node.Count)
            {
                path.Pop();
            }
            if (!path.TryPop(out var next))
            {
                yield break;
            }
            path.Push((next.Node, next.Index + 1, next.End));
            (block, end) = ReadChild(next.Node, next.Index + 1, next.End);
        }
    }

    /// <summary>The items of one object and type.</summary>
    public IEnumerable<TreeItem> Items(ulong objectid, ItemType type, ulong from = 0) =>
        Items(new Key(objectid, type, from)).TakeWhile(item => item.Key.Objectid == objectid && item.Key.Type == type);

    /// <summary>The item of exactly that key, or null.</summary>
    public TreeItem? Find(Key key)
    {
        foreach (var item in Items(key))
        {
            return item.Key == key ? item : null;
        }
        return null;
    }

    /// <summary>The last item whose key is not after the one given, or null.</summary>
    /// <exception cref="InvalidDataException">A block on the way is damaged.</exception>
    public TreeItem? LastNotAfter(Key key)
    {
        var block = ReadRoot();
        Key? end = null;
        while (true)
        {
            int first = block.FirstNotBefore(key);
            int index = first < block.Count && block.Key(first) == key ? first : first - 1;
            if (index < 0)
            {
                return null;
            }
            if (block.IsLeaf)
            {
                return new TreeItem(block, index);
            }
            (block, end) = ReadChild(block, index, end);
        }
    }

    /// <summary>
    /// The blocks, parents first. What is below a block for which <paramref name="enter"/> says no is left out, and so is
    /// the block: trees share what a snapshot has in common with its origin.
    /// </summary>
    public IEnumerable<TreeBlock> Blocks(Func<ulong, bool> enter)
    {
        if (!enter(root.Bytenr))
        {
            yield break;
        }
        var block = ReadRoot();
        yield return block;
        var path = new Stack<(TreeBlock Node, int Index, Key? End)>();
        Key? end = null;
        Enter();
        while (path.TryPop(out var top))
        {
            if (top.Index + 1 < top.Node.Count)
            {
                path.Push((top.Node, top.Index + 1, top.End));
            }
            if (enter(top.Node.Child(top.Index).Blockptr))
            {
                (block, end) = ReadChild(top.Node, top.Index, top.End);
                yield return block;
                Enter();
            }
        }

        void Enter()
        {
            if (!block.IsLeaf)
            {
                path.Push((block, 0, end));
            }
        }
    }

    private TreeBlock ReadRoot() =>
        volume.ReadBlock(root.Bytenr, root.Level, root.Generation, $"the root of the btrfs tree {ObjectId.Name(root.Id)}");

    /// <summary>A child, and the key that all of its keys are before.</summary>
    private (TreeBlock Child, Key? End) ReadChild(TreeBlock node, int index, Key? end)
    {
        var pointer = node.Child(index);
        var childEnd = index + 1 < node.Count ? node.Key(index + 1) : end;
        var child = volume.ReadBlock(
            pointer.Blockptr, (byte)(node.Header.Level - 1), pointer.Generation, $"btrfs {node.Name}, pointer {index}");
        if (child.Count == 0 || child.Key(0) != node.Key(index))
        {
            throw child.Damaged($"does not start with the key {node.Key(index)} that {node.Name} has");
        }
        return childEnd is not { } limit || child.Key(child.Count - 1) < limit ? (child, childEnd)
            : throw child.Damaged($"the key {child.Key(child.Count - 1)} is not before {limit}");
    }
}
