using Diecast.Binary;

namespace Diecast.Formats.Ext4;

/// <summary>A run of a file's blocks; at most <see cref="ExtentTree.MaximumLength"/> of them.</summary>
internal readonly record struct FileExtent(uint Logical, long Physical, int Count);

/// <summary>A block of the file system with its bytes.</summary>
internal readonly record struct PlacedBlock(long Block, byte[] Bytes);

/// <summary>Encodes extents as a tree. https://docs.kernel.org/filesystems/ext4/ifork.html#extent-tree</summary>
internal static class ExtentTree
{
    /// <summary>In blocks; a greater number in the field would mean an unwritten extent.</summary>
    public const int MaximumLength = 32768;

    private const int EntrySize = 12;
    private const int RootEntries = (60 - ExtentHeader.Size) / EntrySize;
    private const int BlockEntries = (Layout.BlockSize - ExtentHeader.Size) / EntrySize;
    private const int TailOffset = ExtentHeader.Size + BlockEntries * EntrySize;

    /// <summary>How many blocks the tree of that many extents takes beside the root in the inode.</summary>
    public static int BlocksFor(int extents)
    {
        int blocks = 0;
        for (int entries = extents; entries > RootEntries;)
        {
            entries = (int)((long)entries).DivideUp(BlockEntries);
            blocks += entries;
        }
        return blocks;
    }

    /// <summary>The root as it stands in the inode, and through <paramref name="place"/> every other node.</summary>
    /// <param name="extents">Ascending.</param>
    /// <param name="blocks">As many as <see cref="BlocksFor"/> says.</param>
    /// <param name="inodeSeed">Of the blocks' checksums.</param>
    /// <param name="place">Gets each node; null where only the root is wanted.</param>
    public static Bytes60 Encode(
        ReadOnlySpan<FileExtent> extents, ReadOnlySpan<long> blocks, uint inodeSeed, Action<PlacedBlock>? place)
    {
        var root = new Bytes60();
        int depth = 0;
        var children = new List<(uint Logical, long Block)>();
        if (extents.Length <= RootEntries)
        {
            WriteHeader(root, extents.Length, RootEntries, depth);
            WriteLeaf(root, extents);
            return root;
        }
        for (int at = 0; at < extents.Length; at += BlockEntries)
        {
            var part = extents[at..Math.Min(at + BlockEntries, extents.Length)];
            children.Add((part[0].Logical, blocks[children.Count]));
            if (place is not null)
            {
                var bytes = new byte[Layout.BlockSize];
                WriteHeader(bytes, part.Length, BlockEntries, depth);
                WriteLeaf(bytes, part);
                place(Sealed(children[^1].Block, bytes, inodeSeed));
            }
        }
        blocks = blocks[children.Count..];
        for (depth = 1; children.Count > RootEntries; depth++)
        {
            var parents = new List<(uint Logical, long Block)>();
            for (int at = 0; at < children.Count; at += BlockEntries)
            {
                var part = children[at..Math.Min(at + BlockEntries, children.Count)];
                parents.Add((part[0].Logical, blocks[parents.Count]));
                if (place is not null)
                {
                    var bytes = new byte[Layout.BlockSize];
                    WriteHeader(bytes, part.Count, BlockEntries, depth);
                    WriteIndex(bytes, part);
                    place(Sealed(parents[^1].Block, bytes, inodeSeed));
                }
            }
            blocks = blocks[parents.Count..];
            children = parents;
        }
        WriteHeader(root, children.Count, RootEntries, depth);
        WriteIndex(root, children);
        return root;
    }

    private static PlacedBlock Sealed(long block, byte[] bytes, uint inodeSeed)
    {
        OnDisk.Write(bytes.AsSpan(TailOffset), (Le<uint>)Checksums.ExtentBlock(inodeSeed, bytes.AsSpan(0, TailOffset)));
        return new PlacedBlock(block, bytes);
    }

    private static void WriteHeader(Span<byte> node, int entries, int maximum, int depth) =>
        OnDisk.Write(node, new ExtentHeader
        {
            Magic = ExtentHeader.MagicValue,
            Entries = (ushort)entries,
            Maximum = (ushort)maximum,
            Depth = (ushort)depth,
        });

    private static void WriteLeaf(Span<byte> node, ReadOnlySpan<FileExtent> extents)
    {
        for (int i = 0; i < extents.Length; i++)
        {
            OnDisk.Write(node[(ExtentHeader.Size + i * EntrySize)..], new ExtentLeafEntry
            {
                Block = extents[i].Logical,
                Length = (ushort)extents[i].Count,
                StartHigh = (ushort)(extents[i].Physical >> 32),
                StartLow = (uint)extents[i].Physical,
            });
        }
    }

    private static void WriteIndex(Span<byte> node, List<(uint Logical, long Block)> children)
    {
        for (int i = 0; i < children.Count; i++)
        {
            OnDisk.Write(node[(ExtentHeader.Size + i * EntrySize)..], new ExtentIndexEntry
            {
                Block = children[i].Logical,
                LeafLow = (uint)children[i].Block,
                LeafHigh = (ushort)(children[i].Block >> 32),
            });
        }
    }
}
