using System.Diagnostics;
using Diecast.Binary;

namespace Diecast.Formats.Btrfs;

/// <summary>Data that one file has in one piece.</summary>
/// <param name="Logical">The address, in bytes.</param>
/// <param name="Inode">Whose it is.</param>
/// <param name="Data">What it is.</param>
internal readonly record struct DataExtent(long Logical, PlannedInode Inode, FileData Data)
{
    public bool HasChecksums => !Inode.Subvolume.IsNoDataCow;

    /// <summary>Of what is stored, in bytes; filled up with zeros to a whole sector.</summary>
    public long Length => Data.Content.Length.AlignUp(Layout.SectorSize);

    /// <summary>Of what the file shows, in bytes, as whole sectors.</summary>
    public long DecodedLength => Data.Length.AlignUp(Layout.SectorSize);
}

/// <summary>
/// Where everything stands: the system chunk, the data, the metadata. It is a function of the tree alone; what a size leaves
/// over is not allocated to any chunk, and the kernel makes chunks of it when it needs them.
/// </summary>
internal sealed class Layout
{
    public const int NodeSize = 16384;
    public const int SectorSize = 4096;

    /// <summary>Of all blocks: everything comes of one transaction.</summary>
    public const ulong Generation = 1;

    /// <summary>Of the one device.</summary>
    public const ulong DeviceId = 1;

    /// <summary>BTRFS_MAX_EXTENT_SIZE: 128 MiB, in bytes.</summary>
    public const long LargestExtent = 128 << 20;

    private const long MiB = 1 << 20;

    /// <summary>BTRFS_DEVICE_RANGE_RESERVED: 1 MiB at the start of the device is nobody's.</summary>
    private const long FirstChunk = MiB;

    private const long SystemChunkLength = 4 * MiB;
    private const long LargestChunk = 1024 * MiB;

    /// <summary>As mkfs.btrfs(8) makes it.</summary>
    private const long LeastDataChunk = 8 * MiB;

    /// <summary>
    /// What is free of the metadata in bytes, so that the kernel can change something where it cannot make a chunk: it keeps
    /// about 5 MiB for itself, and reserves 256 KiB for every item that a system call may touch.
    /// </summary>
    private const long SpareMetadata = 16 * MiB;

    private readonly List<ChunkFill> _chunks = [];
    private readonly List<DataExtent> _extents = [];
    private readonly Dictionary<PlannedInode, (int First, int Count)> _extentsOf = new(ReferenceEqualityComparer.Instance);
    private readonly ulong[] _metadataTrees;
    private int _dataEnd;

    public Layout(Plan plan)
    {
        Plan = plan;
        var system = new ChunkFill(Dup(ChunkType.System, FirstChunk, SystemChunkLength));
        _chunks.Add(system);
        PlaceData(system.PhysicalEnd);
        var items = new TreeItems(this);
        _metadataTrees = items.MetadataTrees;
        var shapes = _metadataTrees.ToDictionary(static id => id, id => TreeShape.Measure(id, TreeItems.IsFixed(id) ? items.Of(id) : []));
        // The trees that describe the blocks describe their own too. They only grow from step to step: more blocks are
        // more items.
        for (bool settled = false; !settled;)
        {
            PlaceMetadata(shapes);
            settled = true;
            foreach (ulong id in _metadataTrees.Where(id => !TreeItems.IsFixed(id)))
            {
                int before = shapes[id].Blocks;
                shapes[id] = TreeShape.Measure(id, items.Of(id));
                settled &= shapes[id].Blocks >= before
                    ? shapes[id].Blocks == before : throw new UnreachableException($"{ObjectId.Name(id)} became smaller");
            }
        }
        Trees = _metadataTrees.ToDictionary(static id => id, id => Trees[id] with { Shape = shapes[id] });
    }

    public Plan Plan { get; }

    /// <summary>Ascending by address: the system's, then those of the data, then those of the metadata.</summary>
    public IReadOnlyList<ChunkFill> Chunks => _chunks;

    /// <summary>Ascending by address.</summary>
    public IReadOnlyList<DataExtent> Extents => _extents;

    public IReadOnlyDictionary<ulong, PlacedTree> Trees { get; private set; } = new Dictionary<ulong, PlacedTree>();

    /// <summary>The least size of the device in bytes.</summary>
    public long Size => _chunks[^1].PhysicalEnd;

    /// <summary>What is in use, copies counted once; in bytes.</summary>
    public long BytesUsed => _chunks.Sum(static fill => fill.Used);

    public IEnumerable<ChunkFill> DataChunks => _chunks.Where(static fill => fill.Chunk.Type == ChunkType.Data);

    /// <summary>The data of a file, ascending by its offset.</summary>
    public IEnumerable<DataExtent> ExtentsOf(PlannedInode inode)
    {
        var (first, count) = _extentsOf.GetValueOrDefault(inode);
        for (int i = first; i < first + count; i++)
        {
            yield return _extents[i];
        }
    }

    private static Chunk Dup(ChunkType type, long start, long length) =>
        new(start, length, type | ChunkType.Dup, [start, start + length]);

    private void PlaceData(long start)
    {
        var fill = NewDataChunk(start);
        foreach (var inode in Plan.Inodes)
        {
            int first = _extents.Count;
            foreach (var data in inode.Data)
            {
                for (long at = 0; at < data.Content.Length;)
                {
                    long rest = (data.Content.Length - at).AlignUp(SectorSize);
                    // What is compressed cannot be cut.
                    long least = data.Compression == ExtentCompression.None ? SectorSize : rest;
                    if (fill.Take(Math.Min(rest, LargestExtent), least) is { } place)
                    {
                        _extents.Add(new DataExtent(place.Offset, inode, Part(data, at, place.Length)));
                        at += place.Length;
                    }
                    else
                    {
                        fill = NewDataChunk(fill.PhysicalEnd);
                    }
                }
            }
            if (_extents.Count > first)
            {
                _extentsOf.Add(inode, (first, _extents.Count - first));
            }
        }
        fill.Trim(LeastDataChunk, MiB);
        _dataEnd = _chunks.Count;
    }

    private static FileData Part(FileData data, long offset, long length)
    {
        if (data.Compression != ExtentCompression.None)
        {
            return data;
        }
        var content = data.Content.Slice(offset, Math.Min(length, data.Content.Length - offset));
        return new FileData(data.FileOffset + offset, content.Length, content, data.Compression);
    }

    private ChunkFill NewDataChunk(long start)
    {
        var fill = new ChunkFill(new Chunk(start, LargestChunk, ChunkType.Data, [start]));
        _chunks.Add(fill);
        return fill;
    }

    /// <summary>Gives all trees their places: the chunk tree in the system chunk, the others behind the data.</summary>
    private void PlaceMetadata(Dictionary<ulong, TreeShape> shapes)
    {
        _chunks[0] = new ChunkFill(_chunks[0].Chunk);
        _chunks.RemoveRange(_dataEnd, _chunks.Count - _dataEnd);
        var trees = new Dictionary<ulong, PlacedTree>
        {
            [ObjectId.ChunkTree] = new(shapes[ObjectId.ChunkTree], PlaceBlocks(shapes[ObjectId.ChunkTree].Blocks, static () =>
                throw new UnreachableException("the chunk tree is larger than the system chunk"))),
        };
        long needed = _metadataTrees.Where(static id => id != ObjectId.ChunkTree).Sum(id => (long)shapes[id].Blocks) * NodeSize;
        AddMetadataChunk(needed);
        foreach (ulong id in _metadataTrees.Where(static id => id != ObjectId.ChunkTree))
        {
            trees.Add(id, new PlacedTree(shapes[id], PlaceBlocks(shapes[id].Blocks, () =>
                AddMetadataChunk(needed - _chunks.Skip(_dataEnd).Sum(static fill => fill.Used)))));
        }
        Trees = trees;

        long[] PlaceBlocks(int count, Action full)
        {
            var addresses = new long[count];
            for (int i = 0; i < count;)
            {
                int chunk = _chunks.Count == _dataEnd ? 0 : _chunks.Count - 1;
                if (_chunks[chunk].Take(NodeSize, NodeSize) is { } place)
                {
                    addresses[i++] = place.Offset;
                }
                else
                {
                    full();
                }
            }
            return addresses;
        }
    }

    private void AddMetadataChunk(long needed)
    {
        // Where one chunk is too small for what is needed and to spare, the next one gets something to hold as well.
        long length = needed + SpareMetadata <= LargestChunk
            ? (needed + SpareMetadata).AlignUp(MiB) : Math.Min((needed - SpareMetadata).AlignUp(MiB), LargestChunk);
        _chunks.Add(new ChunkFill(Dup(ChunkType.Metadata, _chunks[^1].PhysicalEnd, length)));
    }
}
