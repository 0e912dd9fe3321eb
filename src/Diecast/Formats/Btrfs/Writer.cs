using System.Diagnostics;
using System.Text;
using Diecast.Binary;
using Diecast.Images;

namespace Diecast.Formats.Btrfs;

/// <summary>Encodes a layout: the data stays where it is, the blocks are kept in a file; those of the checksums wait until the data is read.</summary>
internal sealed class Writer
{
    private readonly Layout _layout;
    private readonly long _size;
    private readonly DataChecksums _checksums;
    private readonly TreeItems _items;
    private readonly ImageBuilder _builder = new();

    private Writer(Layout layout, long size)
    {
        _layout = layout;
        _size = size;
        _checksums = new DataChecksums([.. layout.Extents.Where(static extent => extent.HasChecksums)], layout.Plan.Checksum);
        _items = new TreeItems(layout) { DeviceSize = size, Checksums = _checksums.Values };
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

    private void PlaceData()
    {
        int next = 0;
        foreach (var extent in _layout.Extents)
        {
            var content = extent.HasChecksums ? _checksums.ContentOf(next++) : extent.Data.Content;
            _builder.Place(extent.Logical, content, new Label(LayoutLabels.File, extent.Inode.Path));
        }
    }

    private void PlaceTrees()
    {
        var template = new Header
        {
            Fsid = UuidBytes.From(_layout.Plan.Ids.FileSystem),
            Flags = Header.WrittenMixedBackref,
            ChunkTreeUuid = UuidBytes.From(_layout.Plan.Ids.ChunkTree),
            Generation = Layout.Generation,
        };
        // What its leaves hold is known when the data has been read.
        PlaceBlocks(ObjectId.CsumTree, Encoder(ObjectId.CsumTree).Defer(_items.Of(ObjectId.CsumTree)));
        ulong[] others = [.. _items.MetadataTrees.Where(static id => id != ObjectId.CsumTree)];
        var blocks = SpillFile.Create(output =>
        {
            foreach (ulong id in others)
            {
                Encoder(id).Write(_items.Of(id), output);
            }
        });
        long offset = 0;
        foreach (ulong id in others)
        {
            int count = _layout.Trees[id].Addresses.Length;
            long start = offset;
            PlaceBlocks(id, Enumerable.Range(0, count).Select(i => blocks.Slice(start + (long)i * Layout.NodeSize, Layout.NodeSize)));
            offset += (long)count * Layout.NodeSize;
        }
        Debug.Assert(offset == blocks.Length, "other blocks than the layout has");

        TreeEncoder Encoder(ulong id) => new(_layout.Trees[id], template, _layout.Plan.Checksum);
    }

    private void PlaceBlocks(ulong tree, IEnumerable<Blob> blocks)
    {
        foreach (var ((address, level, shape), block) in _layout.Trees[tree].Blocks().Zip(blocks))
        {
            int entriesEnd = Header.Size + shape.Count * (level == 0 ? ItemHeader.HeaderSize : KeyPointer.Size);
            var parts = BlockLabels.Parts(entriesEnd, Layout.NodeSize - shape.DataLength, Layout.NodeSize).ToArray();
            PlaceBlock(address, block, parts, new BlockLabels(tree, level, (ulong)address));
        }
    }

    private void PlaceBlock(long address, Blob block, (ByteRange Range, bool IsFree)[] parts, BlockLabels labels)
    {
        var chunk = _layout.Chunks.Last(fill => fill.Chunk.Logical <= address).Chunk;
        for (int copy = 0; copy < chunk.Stripes.Length; copy++)
        {
            long place = chunk.Stripes[copy] + (address - chunk.Logical);
            foreach (var (range, isFree) in parts)
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
