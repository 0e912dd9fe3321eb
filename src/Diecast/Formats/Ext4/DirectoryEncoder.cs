using System.Runtime.InteropServices;
using Diecast.Binary;
using Diecast.Trees;

namespace Diecast.Formats.Ext4;

/// <summary>A name in a directory with what it stands for.</summary>
internal readonly record struct Link(FileName Name, uint Inode, FileType Type);

/// <summary>
/// Encodes directories: one block of entries as a list, more as a hash tree, filled to the brim.
/// https://docs.kernel.org/filesystems/ext4/directory.html
/// </summary>
internal sealed class DirectoryEncoder(DirectoryHash hash, Checksums checksums)
{
    /// <summary>The bytes of a block that entries may take.</summary>
    private const int Room = Layout.BlockSize - DirectoryTail.Size;

    private const int DotsSize = 24;
    private const int RootOffset = DotsSize + IndexRootInfo.Size;
    private const int RootLimit = (Layout.BlockSize - RootOffset - IndexTail.Size) / IndexEntry.Size;
    private const int NodeOffset = DirectoryEntryHeader.Size;
    private const int NodeLimit = (Layout.BlockSize - NodeOffset - IndexTail.Size) / IndexEntry.Size;

    private readonly record struct HashedLink(uint Hash, Link Link);

    /// <summary>An index entry: the least hash of a block, with the continuation bit.</summary>
    private readonly record struct IndexedBlock(uint Hash, uint Block);

    /// <summary>Whether a directory with these names is one block; otherwise it is indexed.</summary>
    public static bool IsLinear(IEnumerable<FileName> names) => DotsSize + names.Sum(static name => SizeOf(name)) <= Room;

    /// <summary>The directory's blocks.</summary>
    /// <param name="inode">The directory's own number.</param>
    /// <param name="parent">The number of "..".</param>
    /// <param name="links">All the rest, in byte order.</param>
    /// <param name="error">Called where there are too many for an index of two levels.</param>
    public byte[] Encode(uint inode, uint parent, List<Link> links, Action<string> error)
    {
        if (IsLinear(links.Select(static link => link.Name)))
        {
            return EncodeLinear(inode, parent, links, minimumBlocks: 1);
        }
        var sorted = links.Select(link => new HashedLink(hash.Of(link.Name.Bytes), link)).ToArray();
        Array.Sort(sorted, static (a, b) =>
        {
            int order = a.Hash.CompareTo(b.Hash);
            return order != 0 ? order : a.Link.Name.CompareTo(b.Link.Name);
        });
        var leaves = CutLeaves(sorted);
        int nodes = leaves.Count <= RootLimit ? 0 : (int)((long)leaves.Count).DivideUp(NodeLimit);
        if (nodes > RootLimit)
        {
            error($"the directory has {links.Count} entries, more than an index of two levels holds");
            return [];
        }
        return EncodeIndexed(inode, parent, sorted, leaves, nodes);
    }

    /// <summary>A list of entries over as many blocks as it takes, without an index.</summary>
    public byte[] EncodeLinear(uint inode, uint parent, List<Link> links, int minimumBlocks)
    {
        var blocks = new List<byte[]>();
        uint seed = checksums.InodeSeed(inode);
        var block = new LeafWriter();
        WriteDots(block, inode, parent);
        foreach (var link in links)
        {
            if (!block.Fits(link.Name))
            {
                blocks.Add(block.Seal(seed));
                block = new LeafWriter();
            }
            block.Add(link);
        }
        blocks.Add(block.Seal(seed));
        while (blocks.Count < minimumBlocks)
        {
            blocks.Add(new LeafWriter().Seal(seed));
        }
        return Join(blocks);
    }

    private byte[] EncodeIndexed(uint inode, uint parent, HashedLink[] sorted, List<Range> leaves, int nodes)
    {
        uint seed = checksums.InodeSeed(inode);
        // The root, the nodes of the second level, the leaves.
        var blocks = new List<byte[]> { Array.Empty<byte>() };
        var indexed = new List<IndexedBlock>();
        for (int i = 0; i < leaves.Count; i++)
        {
            int start = leaves[i].Start.Value;
            bool continues = start > 0 && sorted[start - 1].Hash == sorted[start].Hash;
            indexed.Add(new IndexedBlock(sorted[start].Hash | (continues ? 1u : 0), (uint)(1 + nodes + i)));
        }
        if (nodes > 0)
        {
            var upper = new List<IndexedBlock>();
            for (int at = 0; at < indexed.Count; at += NodeLimit)
            {
                var part = indexed[at..Math.Min(at + NodeLimit, indexed.Count)];
                upper.Add(new IndexedBlock(part[0].Hash, (uint)blocks.Count));
                blocks.Add(EncodeNode(part, seed));
            }
            indexed = upper;
        }
        blocks[0] = EncodeRoot(inode, parent, indexed, nodes > 0 ? 1 : 0, seed);
        foreach (var leaf in leaves)
        {
            var block = new LeafWriter();
            foreach (var entry in sorted.AsSpan(leaf))
            {
                block.Add(entry.Link);
            }
            blocks.Add(block.Seal(seed));
        }
        return Join(blocks);
    }

    private static List<Range> CutLeaves(HashedLink[] sorted)
    {
        var leaves = new List<Range>();
        int start = 0;
        int used = 0;
        for (int i = 0; i < sorted.Length; i++)
        {
            int size = SizeOf(sorted[i].Link.Name);
            if (used + size > Room)
            {
                leaves.Add(start..i);
                (start, used) = (i, 0);
            }
            used += size;
        }
        leaves.Add(start..sorted.Length);
        return leaves;
    }

    private static byte[] EncodeRoot(uint inode, uint parent, List<IndexedBlock> entries, int levels, uint seed)
    {
        var block = new byte[Layout.BlockSize];
        WriteEntry(block, inode, "."u8, FileType.Directory, DotsSize / 2);
        WriteEntry(block.AsSpan(DotsSize / 2), parent, ".."u8, FileType.Directory, Layout.BlockSize - DotsSize / 2);
        OnDisk.Write(block.AsSpan(DotsSize), new IndexRootInfo
        {
            HashVersion = IndexRootInfo.HalfMd4,
            InfoLength = IndexRootInfo.Size,
            IndirectLevels = (byte)levels,
        });
        WriteIndex(block, RootOffset, RootLimit, entries, seed);
        return block;
    }

    private static byte[] EncodeNode(List<IndexedBlock> entries, uint seed)
    {
        var block = new byte[Layout.BlockSize];
        OnDisk.Write(block, new DirectoryEntryHeader { RecordLength = Layout.BlockSize });
        WriteIndex(block, NodeOffset, NodeLimit, entries, seed);
        return block;
    }

    private static void WriteIndex(byte[] block, int offset, int limit, List<IndexedBlock> entries, uint seed)
    {
        for (int i = 0; i < entries.Count; i++)
        {
            uint hash = i == 0 ? (uint)limit | (uint)entries.Count << 16 : entries[i].Hash;
            var entry = new IndexEntry { Hash = hash, Block = entries[i].Block };
            OnDisk.Write(block.AsSpan(offset + i * IndexEntry.Size), entry);
        }
        var used = block.AsSpan(0, offset + entries.Count * IndexEntry.Size);
        var tail = new IndexTail { Checksum = Checksums.IndexBlock(seed, used) };
        OnDisk.Write(block.AsSpan(offset + limit * IndexEntry.Size), tail);
    }

    private static void WriteDots(LeafWriter block, uint inode, uint parent)
    {
        block.Add(inode, "."u8, FileType.Directory);
        block.Add(parent, ".."u8, FileType.Directory);
    }

    private static void WriteEntry(Span<byte> at, uint inode, ReadOnlySpan<byte> name, FileType type, int length)
    {
        OnDisk.Write(at, new DirectoryEntryHeader
        {
            Inode = inode,
            RecordLength = (ushort)length,
            NameLength = (byte)name.Length,
            FileType = type.ToEntryType(),
        });
        name.CopyTo(at[DirectoryEntryHeader.Size..]);
    }

    private static int SizeOf(FileName name) => SizeOf(name.Length);

    private static int SizeOf(int nameLength) => (int)((long)DirectoryEntryHeader.Size + nameLength).AlignUp(4);

    private static byte[] Join(List<byte[]> blocks)
    {
        var bytes = new byte[blocks.Count * Layout.BlockSize];
        for (int i = 0; i < blocks.Count; i++)
        {
            blocks[i].CopyTo(bytes, i * Layout.BlockSize);
        }
        return bytes;
    }

    /// <summary>One block of entries; the last one is stretched up to the tail.</summary>
    private sealed class LeafWriter
    {
        private readonly byte[] _block = new byte[Layout.BlockSize];
        private int _used;
        private int _last = -1;

        public bool Fits(FileName name) => _used + SizeOf(name) <= Room;

        public void Add(Link link) => Add(link.Inode, link.Name.Bytes, link.Type);

        public void Add(uint inode, ReadOnlySpan<byte> name, FileType type)
        {
            WriteEntry(_block.AsSpan(_used), inode, name, type, SizeOf(name.Length));
            _last = _used;
            _used += SizeOf(name.Length);
        }

        public byte[] Seal(uint seed)
        {
            int last = Math.Max(_last, 0);
            MemoryMarshal.AsRef<DirectoryEntryHeader>(_block.AsSpan(last)).RecordLength = (ushort)(Room - last);
            OnDisk.Write(_block.AsSpan(Room), new DirectoryTail
            {
                RecordLength = DirectoryTail.Size,
                FileType = DirectoryTail.FileTypeValue,
                Checksum = Checksums.DirectoryBlock(seed, _block.AsSpan(0, Room)),
            });
            return _block;
        }
    }
}
