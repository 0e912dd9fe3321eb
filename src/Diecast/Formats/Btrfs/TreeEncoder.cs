using System.Diagnostics;
using Diecast.Binary;

namespace Diecast.Formats.Btrfs;

/// <summary>Writes the blocks of a tree one after the other: the leaves first, the root last.</summary>
/// <param name="tree">The shape, and the addresses.</param>
/// <param name="template">What all blocks' headers have in common.</param>
/// <param name="checksum">Of each block.</param>
/// <param name="output">What is written to.</param>
internal sealed class TreeEncoder(PlacedTree tree, Header template, ChecksumType checksum, Stream output)
{
    private readonly byte[] _block = new byte[Layout.NodeSize];
    private readonly List<(int EntriesEnd, int DataStart)> _bounds = new(tree.Addresses.Length);
    private int _written;

    /// <summary>Of each block written, where its entries end and where its data begins; in bytes.</summary>
    public IReadOnlyList<(int EntriesEnd, int DataStart)> Bounds => _bounds;

    /// <param name="items">Those that the shape was measured by: of the same keys and lengths.</param>
    public void Write(IEnumerable<LeafItem> items)
    {
        using var source = items.GetEnumerator();
        foreach (var leaf in tree.Shape.Levels[0])
        {
            int end = Layout.NodeSize;
            for (int i = 0; i < leaf.Count; i++)
            {
                Require(source.MoveNext());
                var item = source.Current;
                Require(i > 0 || item.Key == leaf.First);
                end -= item.Length;
                int entry = Header.Size + i * ItemHeader.HeaderSize;
                Require(end >= entry + ItemHeader.HeaderSize);
                OnDisk.Write(_block.AsSpan(entry), new ItemHeader
                {
                    Key = DiskKey.From(item.Key),
                    Offset = (uint)(end - Header.Size),
                    Size = (uint)item.Length,
                });
                item.Data.CopyTo(_block.AsSpan(end));
                item.Content?.Read(0, _block.AsSpan(end + item.Data.Length, item.Length - item.Data.Length));
            }
            Finish(0, leaf.Count, ItemHeader.HeaderSize, end);
        }
        Require(!source.MoveNext());
        WriteNodes();
    }

    private void WriteNodes()
    {
        int child = 0;
        for (byte level = 1; level <= tree.Shape.RootLevel; level++)
        {
            int below = 0;
            foreach (var node in tree.Shape.Levels[level])
            {
                for (int i = 0; i < node.Count; i++)
                {
                    OnDisk.Write(_block.AsSpan(Header.Size + i * KeyPointer.Size), new KeyPointer
                    {
                        Key = DiskKey.From(tree.Shape.Levels[level - 1][below++].First),
                        Blockptr = (ulong)tree.Addresses[child++],
                        Generation = Layout.Generation,
                    });
                }
                Finish(level, node.Count, KeyPointer.Size, Layout.NodeSize);
            }
        }
    }

    private void Finish(byte level, int count, int entrySize, int dataStart)
    {
        _bounds.Add((Header.Size + count * entrySize, dataStart));
        var header = template;
        header.Bytenr = (ulong)tree.Addresses[_written++];
        header.Owner = tree.Shape.Id;
        header.Nritems = (uint)count;
        header.Level = level;
        OnDisk.Write(_block, header);
        header.Csum = Checksums.Compute(checksum, _block.AsSpan(ChecksumBytes.Size));
        OnDisk.Write(_block, header);
        output.Write(_block);
        _block.AsSpan().Clear();
    }

    private void Require(bool condition)
    {
        if (!condition)
        {
            throw new UnreachableException($"the items of {ObjectId.Name(tree.Shape.Id)} are not those that were measured");
        }
    }
}
