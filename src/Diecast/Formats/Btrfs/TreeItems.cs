using System.Buffers.Binary;
using Diecast.Binary;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Btrfs;

/// <summary>
/// The items of each tree in the order of their keys. How long they are is known before the places are, so that the same
/// code measures and writes.
/// </summary>
internal sealed class TreeItems(Layout layout)
{
    private const uint StripeLength = ChunkFill.StripeLength;
    private const uint DirectoryMode = Posix.S_IFDIR | 0x1ED;

    /// <summary>BTRFS_INODE_ROOT_ITEM_INIT: the flags of the root item mean something.</summary>
    private const ulong RootItemInit = 1ul << 31;

    /// <summary>BTRFS_ROOT_SUBVOL_RDONLY.</summary>
    private const ulong ReadOnlySubvolume = 1;

    /// <summary>
    /// The most sectors that an item of the checksum tree has checksums of: that many, and another item's header, fill a leaf.
    /// </summary>
    private int SectorsPerItem => (TreeShape.Room - 2 * ItemHeader.HeaderSize) / ChecksumSize - 1;

    private int ChecksumSize { get; } = Btrfs.Checksums.Size(layout.Plan.Checksum);

    /// <summary>All trees, in the order of their places.</summary>
    public ulong[] MetadataTrees { get; } =
    [
        ObjectId.ChunkTree, ObjectId.RootTree, ObjectId.ExtentTree, ObjectId.DevTree,
        .. layout.Plan.Subvolumes.Select(static subvolume => subvolume.Id), ObjectId.CsumTree, ObjectId.UuidTree,
        ObjectId.FreeSpaceTree, ObjectId.DataReloc,
    ];

    private readonly DerivedIds _ids = layout.Plan.Ids;

    /// <summary>The data's checksums, those of the sectors in the order of the addresses; zeros while trees are measured.</summary>
    public Blob Checksums { get; init; } = new ComputedBlob(
        layout.Extents.Where(static extent => extent.HasChecksums).Sum(static extent => extent.Length) / Layout.SectorSize * Btrfs.Checksums.Size(layout.Plan.Checksum), static (_, _) => { });

    /// <summary>In bytes.</summary>
    public long DeviceSize { get; init; }

    /// <summary>Whether the lengths of the tree's items do not depend on the places of the metadata.</summary>
    public static bool IsFixed(ulong id) =>
        ObjectId.IsFileTree(id) || id is ObjectId.CsumTree or ObjectId.UuidTree or ObjectId.DataReloc;

    public IEnumerable<LeafItem> Of(ulong id) => id switch
    {
        ObjectId.ChunkTree => ChunkItems(),
        ObjectId.RootTree => RootItems(),
        ObjectId.ExtentTree => ExtentItems(),
        ObjectId.DevTree => DeviceItems(),
        ObjectId.CsumTree => ChecksumItems(),
        ObjectId.UuidTree => UuidItems(),
        ObjectId.FreeSpaceTree => FreeSpaceItems(),
        ObjectId.DataReloc => EmptyDirectory(ObjectId.FirstFree, ObjectId.FirstFree, default),
        _ => new FileItems(layout, layout.Plan.Subvolumes.First(subvolume => subvolume.Id == id)).All(),
    };

    /// <summary>The device's own record, in the chunk tree and in the superblock.</summary>
    public DevItem Device() => new()
    {
        Devid = Layout.DeviceId,
        TotalBytes = (ulong)DeviceSize,
        BytesUsed = (ulong)layout.Chunks.Sum(static fill => fill.Chunk.Length * fill.Chunk.Stripes.Length),
        IoAlign = Layout.SectorSize,
        IoWidth = Layout.SectorSize,
        SectorSize = Layout.SectorSize,
        Uuid = UuidBytes.From(_ids.Device),
        Fsid = UuidBytes.From(_ids.FileSystem),
    };

    public LeafItem ChunkRecord(Chunk chunk)
    {
        var item = new ChunkItem
        {
            Length = (ulong)chunk.Length,
            Owner = ObjectId.ExtentTree,
            StripeLen = StripeLength,
            Type = (ulong)chunk.Type,
            IoAlign = StripeLength,
            IoWidth = StripeLength,
            SectorSize = Layout.SectorSize,
            NumStripes = (ushort)chunk.Stripes.Length,
            SubStripes = 1,
        };
        var bytes = new List<byte>(OnDisk.Bytes(item));
        foreach (long place in chunk.Stripes)
        {
            bytes.AddRange(OnDisk.Bytes(
                new Stripe { Devid = Layout.DeviceId, Offset = (ulong)place, DevUuid = UuidBytes.From(_ids.Device) }));
        }
        return new LeafItem(new Key(ObjectId.FirstChunkTree, ItemType.ChunkItem, (ulong)chunk.Logical), [.. bytes]);
    }

    private IEnumerable<LeafItem> ChunkItems()
    {
        yield return new LeafItem(new Key(1, ItemType.DevItem, Layout.DeviceId), OnDisk.Bytes(Device()));
        foreach (var fill in layout.Chunks)
        {
            yield return ChunkRecord(fill.Chunk);
        }
    }

    private IEnumerable<LeafItem> DeviceItems()
    {
        foreach (var fill in layout.Chunks)
        {
            foreach (long place in fill.Chunk.Stripes)
            {
                yield return new LeafItem(new Key(Layout.DeviceId, ItemType.DevExtent, (ulong)place), OnDisk.Bytes(new DevExtent
                {
                    ChunkTree = ObjectId.ChunkTree,
                    ChunkObjectid = ObjectId.FirstChunkTree,
                    ChunkOffset = (ulong)fill.Chunk.Logical,
                    Length = (ulong)fill.Chunk.Length,
                    ChunkTreeUuid = UuidBytes.From(_ids.ChunkTree),
                }));
            }
        }
    }

    private IEnumerable<LeafItem> RootItems()
    {
        var items = new List<LeafItem>
        {
            RootRecord(ObjectId.ExtentTree),
            RootRecord(ObjectId.DevTree),
            Reference(ObjectId.FsTree, ObjectId.RootTreeDir, "default"u8),
            new(new Key(ObjectId.RootTreeDir, ItemType.DirItem, DirectoryItems.NameHash("default"u8)),
                DirectoryItems.NameEntry(
                    "default"u8, new Key(layout.Plan.DefaultSubvolume, ItemType.RootItem, ulong.MaxValue),
                    FileType.Directory.ToEntryType())),
            RootRecord(ObjectId.CsumTree),
            RootRecord(ObjectId.UuidTree),
            RootRecord(ObjectId.FreeSpaceTree),
            RootRecord(ObjectId.DataReloc),
        };
        // A directory that holds one name: the subvolume that is mounted where none is asked for.
        items.AddRange(EmptyDirectory(ObjectId.RootTreeDir, ObjectId.RootTreeDir, layout.Plan.Options.Epoch));
        foreach (var subvolume in layout.Plan.Subvolumes)
        {
            items.Add(RootRecord(subvolume.Id, subvolume));
            if (subvolume.Parent is { } parent)
            {
                byte[] name =
                [
                    .. OnDisk.Bytes(new RootRef
                    {
                        Dirid = subvolume.Name.Directory,
                        Sequence = subvolume.Name.Index,
                        NameLen = (ushort)subvolume.Name.Name.Length,
                    }),
                    .. subvolume.Name.Name.Bytes,
                ];
                items.Add(new LeafItem(new Key(parent.Id, ItemType.RootRef, subvolume.Id), name));
                items.Add(new LeafItem(new Key(subvolume.Id, ItemType.RootBackref, parent.Id), name));
            }
        }
        return items.OrderBy(static item => item.Key, Comparer<Key>.Default);
    }

    private LeafItem RootRecord(ulong id, PlannedSubvolume? subvolume = null)
    {
        var tree = layout.Trees[id];
        var item = new RootItem
        {
            Inode = new InodeItem
            {
                Generation = Layout.Generation,
                Size = 3,
                Nbytes = Layout.NodeSize,
                Nlink = 1,
                Mode = DirectoryMode,
                Flags = subvolume is null ? 0 : RootItemInit,
            },
            Generation = Layout.Generation,
            RootDirid = subvolume is not null || id == ObjectId.DataReloc ? ObjectId.FirstFree : 0,
            Bytenr = tree.Root,
            BytesUsed = (ulong)tree.Addresses.Length * Layout.NodeSize,
            Flags = subvolume is { IsReadOnly: true } ? ReadOnlySubvolume : 0,
            Refs = 1,
            Level = tree.Shape.RootLevel,
        };
        var rest = new RootItemRest { GenerationV2 = Layout.Generation };
        if (subvolume is not null)
        {
            rest.Uuid = UuidBytes.From(UuidOf(subvolume));
            rest.Ctransid = Layout.Generation;
            rest.Otransid = Layout.Generation;
            rest.Ctime = rest.Otime = TimeSpec.From(layout.Plan.Options.Epoch);
        }
        return new LeafItem(new Key(id, ItemType.RootItem, 0), [.. OnDisk.Bytes(item), .. OnDisk.Bytes(rest)]);
    }

    private Guid UuidOf(PlannedSubvolume subvolume) => _ids.Subvolume(subvolume.Path is { } path ? path.ToBytes() : "/"u8);

    /// <summary>A directory of mode 0755 that is its own parent.</summary>
    private static IEnumerable<LeafItem> EmptyDirectory(ulong number, ulong parent, Timestamp time)
    {
        var stamp = TimeSpec.From(time);
        yield return new LeafItem(new Key(number, ItemType.InodeItem, 0), OnDisk.Bytes(new InodeItem
        {
            Generation = Layout.Generation,
            Nlink = 1,
            Mode = DirectoryMode,
            Atime = stamp,
            Ctime = stamp,
            Mtime = stamp,
            Otime = stamp,
        }));
        yield return Reference(number, parent, ".."u8);
    }

    private static LeafItem Reference(ulong number, ulong parent, ReadOnlySpan<byte> name) => new(
        new Key(number, ItemType.InodeRef, parent), [.. OnDisk.Bytes(new InodeRef { NameLen = (ushort)name.Length }), .. name]);

    /// <summary>Each extent and block with what refers to it, each chunk with what is in use of it.</summary>
    private IEnumerable<LeafItem> ExtentItems()
    {
        using var allocations = Allocations().GetEnumerator();
        bool more = allocations.MoveNext();
        foreach (var fill in layout.Chunks)
        {
            // Where both have the same address, the extent's key is the lower one.
            var group = BlockGroup(fill);
            bool pending = true;
            for (; more && allocations.Current.Key.Objectid < (ulong)fill.Chunk.End; more = allocations.MoveNext())
            {
                if (pending && group.Key < allocations.Current.Key)
                {
                    yield return group;
                    pending = false;
                }
                yield return allocations.Current;
            }
            if (pending)
            {
                yield return group;
            }
        }
    }

    private static LeafItem BlockGroup(ChunkFill fill) => new(
        new Key((ulong)fill.Chunk.Logical, ItemType.BlockGroupItem, (ulong)fill.Chunk.Length),
        OnDisk.Bytes(new BlockGroupItem
        {
            Used = (ulong)fill.Used,
            ChunkObjectid = ObjectId.FirstChunkTree,
            Flags = (ulong)fill.Chunk.Type,
        }));

    /// <summary>Ascending: the system chunk, the data and the metadata follow each other.</summary>
    private IEnumerable<LeafItem> Allocations()
    {
        foreach (ulong id in MetadataTrees)
        {
            foreach (var (address, level, _) in layout.Trees[id].Blocks())
            {
                yield return BlockRecord(id, address, level);
            }
            if (id == ObjectId.ChunkTree)
            {
                foreach (var extent in layout.Extents)
                {
                    yield return DataRecord(extent);
                }
            }
        }
    }

    private static LeafItem BlockRecord(ulong tree, long address, int level)
    {
        var item = new ExtentItem { Refs = 1, Generation = Layout.Generation, Flags = ExtentItem.TreeBlock };
        var reference = new InlineBlockRef { Type = (byte)ItemType.TreeBlockRef, Root = tree };
        return new LeafItem(
            new Key((ulong)address, ItemType.MetadataItem, (ulong)level), [.. OnDisk.Bytes(item), .. OnDisk.Bytes(reference)]);
    }

    private static LeafItem DataRecord(DataExtent extent)
    {
        var item = new ExtentItem { Refs = 1, Generation = Layout.Generation, Flags = ExtentItem.Data };
        var reference = new InlineDataRef
        {
            Type = (byte)ItemType.ExtentDataRef,
            Root = extent.Inode.Subvolume.Id,
            Objectid = extent.Inode.Number,
            Offset = (ulong)extent.Data.FileOffset,
            Count = 1,
        };
        return new LeafItem(
            new Key((ulong)extent.Logical, ItemType.ExtentItem, (ulong)extent.Length), [.. OnDisk.Bytes(item), .. OnDisk.Bytes(reference)]);
    }

    private IEnumerable<LeafItem> ChecksumItems()
    {
        long done = 0;
        foreach (var run in ChecksumRuns())
        {
            for (long at = run.Offset; at < run.End;)
            {
                long sectors = Math.Min((run.End - at) / Layout.SectorSize, SectorsPerItem);
                yield return new LeafItem(
                    new Key(ObjectId.ExtentCsum, ItemType.ExtentCsum, (ulong)at), [],
                    Checksums.Slice(done, sectors * ChecksumSize));
                done += sectors * ChecksumSize;
                at += sectors * Layout.SectorSize;
            }
        }
    }

    /// <summary>The data that has checksums, each piece as large as it is in one chunk.</summary>
    private IEnumerable<ByteRange> ChecksumRuns()
    {
        var starts = layout.DataChunks.Select(static fill => fill.Chunk.Logical).ToHashSet();
        var run = default(ByteRange);
        foreach (var extent in layout.Extents.Where(static extent => extent.HasChecksums))
        {
            if (extent.Logical == run.End && !starts.Contains(extent.Logical))
            {
                run = run with { Length = run.Length + extent.Length };
                continue;
            }
            if (run.Length > 0)
            {
                yield return run;
            }
            run = new ByteRange(extent.Logical, extent.Length);
        }
        if (run.Length > 0)
        {
            yield return run;
        }
    }

    private IEnumerable<LeafItem> UuidItems()
    {
        foreach (var (uuid, id) in layout.Plan.Subvolumes.Select(subvolume => (UuidOf(subvolume).ToByteArray(bigEndian: true), subvolume.Id))
            .OrderBy(static entry => UuidKey(entry.Item1), Comparer<Key>.Default))
        {
            yield return new LeafItem(UuidKey(uuid), OnDisk.Bytes((Le<ulong>)id));
        }
    }

    private static Key UuidKey(byte[] uuid) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(uuid), ItemType.UuidKeySubvol, BinaryPrimitives.ReadUInt64LittleEndian(uuid.AsSpan(sizeof(ulong))));

    private IEnumerable<LeafItem> FreeSpaceItems()
    {
        foreach (var fill in layout.Chunks)
        {
            var free = fill.Free().ToArray();
            yield return new LeafItem(
                new Key((ulong)fill.Chunk.Logical, ItemType.FreeSpaceInfo, (ulong)fill.Chunk.Length),
                OnDisk.Bytes(new FreeSpaceInfo { ExtentCount = (uint)free.Length }));
            foreach (var range in free)
            {
                yield return new LeafItem(new Key((ulong)range.Offset, ItemType.FreeSpaceExtent, (ulong)range.Length), []);
            }
        }
    }
}
