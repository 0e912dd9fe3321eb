using System.Diagnostics;
using System.Text;
using Diecast.Binary;
using Diecast.Images;

namespace Diecast.Formats.Btrfs;

/// <summary>Encodes a layout: the data stays where it is and is only read for its checksums, the blocks are kept in a file.</summary>
internal sealed class Writer
{
    private const int ReadSize = 1 << 20;

    private readonly Layout _layout;
    private readonly long _size;
    private readonly TreeItems _items;
    private readonly ImageBuilder _builder = new();

    private Writer(Layout layout, long size)
    {
        _layout = layout;
        _size = size;
        _items = new TreeItems(layout) { DeviceSize = size, Checksums = new MemoryBlob(ChecksumsOf([.. layout.Extents.Where(static extent => extent.HasChecksums)], layout.Plan.Checksum)) };
    }

    /// <summary>The image of a device of that size in bytes: the layout's, or larger.</summary>
    public static Image Write(Layout layout, long size)
    {
        var writer = new Writer(layout, size);
        writer.PlaceSuperblocks();
        writer.PlaceData();
        writer.PlaceTrees();
        return writer._builder.Build(size);
    }

    /// <summary>The checksum of each sector, in the order of the addresses.</summary>
    private static byte[] ChecksumsOf(IReadOnlyList<DataExtent> extents, ChecksumType type)
    {
        int size = Checksums.Size(type);
        var first = new int[extents.Count + 1];
        for (int i = 0; i < extents.Count; i++)
        {
            first[i + 1] = first[i] + (int)(extents[i].Length / Layout.SectorSize);
        }
        var checksums = new byte[first[^1] * size];
        Parallel.For(0, extents.Count, static () => new byte[ReadSize], (i, _, buffer) =>
        {
            var content = extents[i].Data.Content;
            int at = first[i] * size;
            for (long offset = 0; offset < content.Length; offset += ReadSize)
            {
                int length = (int)Math.Min(ReadSize, content.Length - offset);
                var sectors = buffer.AsSpan(0, (int)((long)length).AlignUp(Layout.SectorSize));
                content.Read(offset, sectors[..length]);
                sectors[length..].Clear();
                for (; !sectors.IsEmpty; sectors = sectors[Layout.SectorSize..], at += size)
                {
                    var checksum = Checksums.Compute(type, sectors[..Layout.SectorSize]);
                    checksum[..size].CopyTo(checksums.AsSpan(at, size));
                }
            }
            return buffer;
        }, static _ => { });
        return checksums;
    }

    private void PlaceData()
    {
        foreach (var extent in _layout.Extents)
        {
            _builder.Place(extent.Logical, extent.Data.Content, new Label(LayoutLabels.File, extent.Inode.Path));
        }
    }

    private void PlaceTrees()
    {
        var trees = _items.MetadataTrees.Select(id => _layout.Trees[id]).ToArray();
        var template = new Header
        {
            Fsid = UuidBytes.From(_layout.Plan.Ids.FileSystem),
            Flags = Header.WrittenMixedBackref,
            ChunkTreeUuid = UuidBytes.From(_layout.Plan.Ids.ChunkTree),
            Generation = Layout.Generation,
        };
        var bounds = new List<(int EntriesEnd, int DataStart)>();
        var blocks = SpillFile.Create(output =>
        {
            foreach (var tree in trees)
            {
                var encoder = new TreeEncoder(tree, template, _layout.Plan.Checksum, output);
                encoder.Write(_items.Of(tree.Shape.Id));
                bounds.AddRange(encoder.Bounds);
            }
        });
        int next = 0;
        foreach (var tree in trees)
        {
            foreach (var (address, level) in tree.Blocks())
            {
                var labels = new BlockLabels(tree.Shape.Id, level, (ulong)address);
                PlaceBlock(address, blocks.Slice((long)next * Layout.NodeSize, Layout.NodeSize), bounds[next], labels);
                next++;
            }
        }
        Debug.Assert((long)next * Layout.NodeSize == blocks.Length, "other blocks than the layout has");
    }

    private void PlaceBlock(long address, Blob block, (int EntriesEnd, int DataStart) bounds, BlockLabels labels)
    {
        var chunk = _layout.Chunks.Last(fill => fill.Chunk.Logical <= address).Chunk;
        for (int copy = 0; copy < chunk.Stripes.Length; copy++)
        {
            long place = chunk.Stripes[copy] + (address - chunk.Logical);
            foreach (var (range, isFree) in BlockLabels.Parts(bounds.EntriesEnd, bounds.DataStart, Layout.NodeSize))
            {
                _builder.Place(place + range.Offset, block.Slice(range.Offset, range.Length), labels.Of(isFree, copy));
            }
        }
    }

    private void PlaceSuperblocks()
    {
        var superblock = MakeSuperblock();
        for (int i = 0; i < Volume.SuperblockOffsets.Length; i++)
        {
            long offset = Volume.SuperblockOffsets[i];
            if (offset + Superblock.Size <= _size)
            {
                superblock.Bytenr = (ulong)offset;
                superblock.Csum = default;
                byte[] bytes = OnDisk.Bytes(superblock);
                superblock.Csum = Checksums.Compute(_layout.Plan.Checksum, bytes.AsSpan(ChecksumBytes.Size));
                _builder.Place(offset, OnDisk.Bytes(superblock), LayoutLabels.Superblock(i));
            }
        }
    }

    private Superblock MakeSuperblock()
    {
        var root = _layout.Trees[ObjectId.RootTree];
        var chunks = _layout.Trees[ObjectId.ChunkTree];
        var system = _items.ChunkRecord(_layout.Chunks[0].Chunk);
        byte[] systemChunk = [.. OnDisk.Bytes(DiskKey.From(system.Key)), .. system.Data];
        var superblock = new Superblock
        {
            Fsid = UuidBytes.From(_layout.Plan.Ids.FileSystem),
            Flags = 1,
            Magic = Superblock.MagicValue,
            Generation = Layout.Generation,
            Root = root.Root,
            ChunkRoot = chunks.Root,
            TotalBytes = (ulong)_size,
            BytesUsed = (ulong)_layout.BytesUsed,
            RootDirObjectid = ObjectId.RootTreeDir,
            NumDevices = 1,
            Sectorsize = Layout.SectorSize,
            Nodesize = Layout.NodeSize,
            Leafsize = Layout.NodeSize,
            Stripesize = Layout.SectorSize,
            SysChunkArraySize = (uint)systemChunk.Length,
            ChunkRootGeneration = Layout.Generation,
            CompatRoFlags = (ulong)(CompatRoFeatures.FreeSpaceTree | CompatRoFeatures.FreeSpaceTreeValid),
            IncompatFlags = (ulong)(IncompatFeatures.MixedBackref | IncompatFeatures.BigMetadata | IncompatFeatures.ExtendedIref
                | IncompatFeatures.SkinnyMetadata | IncompatFeatures.NoHoles
                | FeatureOf(_layout.Plan.Compression)
                | (_layout.Plan.DefaultSubvolume != ObjectId.FsTree ? IncompatFeatures.DefaultSubvol : IncompatFeatures.None)),
            CsumType = (ushort)_layout.Plan.Checksum,
            RootLevel = root.Shape.RootLevel,
            ChunkRootLevel = chunks.Shape.RootLevel,
            DevItem = _items.Device(),
            // Else the kernel would look through all subvolumes at the first mount.
            UuidTreeGeneration = Layout.Generation,
        };
        Encoding.UTF8.GetBytes(_layout.Plan.Options.Label, superblock.Label);
        systemChunk.CopyTo(superblock.SysChunkArray);
        ((Span<RootBackup>)superblock.SuperRoots)[0] = Backup();
        return superblock;
    }

    private static IncompatFeatures FeatureOf(ExtentCompression compression) => compression switch
    {
        ExtentCompression.Lzo => IncompatFeatures.CompressLzo,
        ExtentCompression.Zstd => IncompatFeatures.CompressZstd,
        _ => IncompatFeatures.None,
    };

    private RootBackup Backup()
    {
        var root = _layout.Trees[ObjectId.RootTree];
        var chunks = _layout.Trees[ObjectId.ChunkTree];
        var extents = _layout.Trees[ObjectId.ExtentTree];
        var files = _layout.Trees[ObjectId.FsTree];
        var devices = _layout.Trees[ObjectId.DevTree];
        var checksums = _layout.Trees[ObjectId.CsumTree];
        return new RootBackup
        {
            TreeRoot = root.Root,
            TreeRootGen = Layout.Generation,
            ChunkRoot = chunks.Root,
            ChunkRootGen = Layout.Generation,
            ExtentRoot = extents.Root,
            ExtentRootGen = Layout.Generation,
            FsRoot = files.Root,
            FsRootGen = Layout.Generation,
            DevRoot = devices.Root,
            DevRootGen = Layout.Generation,
            CsumRoot = checksums.Root,
            CsumRootGen = Layout.Generation,
            TotalBytes = (ulong)_size,
            BytesUsed = (ulong)_layout.BytesUsed,
            NumDevices = 1,
            TreeRootLevel = root.Shape.RootLevel,
            ChunkRootLevel = chunks.Shape.RootLevel,
            ExtentRootLevel = extents.Shape.RootLevel,
            FsRootLevel = files.Shape.RootLevel,
            DevRootLevel = devices.Shape.RootLevel,
            CsumRootLevel = checksums.Shape.RootLevel,
        };
    }
}
