using System.Diagnostics;
using Diecast.Binary;
using Diecast.Images;

namespace Diecast.Formats.Btrfs;

/// <summary>Encodes the blocks of a tree: the leaves first, the root last.</summary>
/// <param name="tree">The shape, and the addresses.</param>
/// <param name="template">What all blocks' headers have in common.</param>
/// <param name="checksum">Of each block.</param>
internal sealed class TreeEncoder(PlacedTree tree, Header template, ChecksumType checksum)
{
    /// <summary>How many leaves are in memory at a time.</summary>
    private const int BatchLeaves = 128;

    private BlockShape[] Leaves => tree.Shape.Levels[0];

    /// <summary>Writes all blocks one after the other.</summary>
    /// <param name="items">Those that the shape was measured by: of the same keys and lengths.</param>
    /// <param name="output">What is written to.</param>
    public void Write(IEnumerable<LeafItem> items, Stream output)
    {
        using var source = items.GetEnumerator();
        var blocks = new byte[BatchLeaves * Layout.NodeSize];
        for (int first = 0; first < Leaves.Length; first += BatchLeaves)
        {
            var batch = Leaves.Skip(first).Take(BatchLeaves).Select(leaf => Take(source, leaf)).ToArray();
            // Contents of files are read here.
            AllProcessors.For(batch.Length, i => EncodeLeaf(first + i, batch[i], blocks.AsSpan(i * Layout.NodeSize, Layout.NodeSize)));
            output.Write(blocks, 0, batch.Length * Layout.NodeSize);
        }
        Require(!source.MoveNext());
        foreach (byte[] node in Nodes())
        {
            output.Write(node);
        }
    }

    /// <summary>All blocks, of which the leaves are encoded when they are read.</summary>
    /// <inheritdoc cref="Write"/>
    public IReadOnlyList<Blob> Defer(IEnumerable<LeafItem> items)
    {
        using var source = items.GetEnumerator();
        var leaves = Leaves.Select(leaf => Take(source, leaf)).Select(Blob (content, index) =>
            new ComputedBlob(Layout.NodeSize, (offset, destination) =>
            {
                var block = new byte[Layout.NodeSize];
                EncodeLeaf(index, content, block);
                block.AsSpan((int)offset, destination.Length).CopyTo(destination);
            })).ToList();
        Require(!source.MoveNext());
        return [.. leaves, .. Nodes().Select(static Blob (node) => new MemoryBlob(node))];
    }

    private LeafItem[] Take(IEnumerator<LeafItem> source, BlockShape leaf)
    {
        var items = new LeafItem[leaf.Count];
        for (int i = 0; i < items.Length; i++)
        {
            Require(source.MoveNext());
            items[i] = source.Current;
            Require(i > 0 || items[i].Key == leaf.First);
        }
        return items;
    }

    private void EncodeLeaf(int index, LeafItem[] items, Span<byte> block)
    {
        block.Clear();
        int end = Layout.NodeSize;
        for (int i = 0; i < items.Length; i++)
        {
            var item = items[i];
            end -= item.Length;
            int entry = Header.Size + i * ItemHeader.HeaderSize;
            Require(end >= entry + ItemHeader.HeaderSize);
            OnDisk.Write(block[entry..], new ItemHeader
            {
                Key = DiskKey.From(item.Key),
                Offset = (uint)(end - Header.Size),
                Size = (uint)item.Length,
            });
            item.Data.CopyTo(block[end..]);
            item.Content?.Read(0, block.Slice(end + item.Data.Length, item.Length - item.Data.Length));
        }
        Finish(index, 0, items.Length, block);
    }

    /// <summary>All blocks that are no leaves.</summary>
    private IEnumerable<byte[]> Nodes()
    {
        int child = 0;
        int index = Leaves.Length;
        for (byte level = 1; level <= tree.Shape.RootLevel; level++)
        {
            int below = 0;
            foreach (var node in tree.Shape.Levels[level])
            {
                var block = new byte[Layout.NodeSize];
                for (int i = 0; i < node.Count; i++)
                {
                    OnDisk.Write(block.AsSpan(Header.Size + i * KeyPointer.Size), new KeyPointer
                    {
                        Key = DiskKey.From(tree.Shape.Levels[level - 1][below++].First),
                        Blockptr = (ulong)tree.Addresses[child++],
                        Generation = Layout.Generation,
                    });
                }
                Finish(index++, level, node.Count, block);
                yield return block;
            }
        }
    }

    private void Finish(int index, byte level, int count, Span<byte> block)
    {
        var header = template;
        header.Bytenr = (ulong)tree.Addresses[index];
        header.Owner = tree.Shape.Id;
        header.Nritems = (uint)count;
        header.Level = level;
        OnDisk.Write(block, header);
        header.Csum = Checksums.Compute(checksum, block[ChecksumBytes.Size..]);
        OnDisk.Write(block, header);
    }

    private void Require(bool condition)
    {
        if (!condition)
        {
            throw new UnreachableException($"the items of {ObjectId.Name(tree.Shape.Id)} are not those that were measured");
        }
    }
}
