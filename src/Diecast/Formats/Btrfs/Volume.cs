using System.Numerics;
using Diecast.Binary;
using Diecast.Images;

namespace Diecast.Formats.Btrfs;

/// <summary>BTRFS_FEATURE_COMPAT_RO_*: what a writer must know.</summary>
[Flags]
internal enum CompatRoFeatures : ulong
{
    None = 0,
    FreeSpaceTree = 1 << 0,
    FreeSpaceTreeValid = 1 << 1,
}

/// <summary>BTRFS_FEATURE_INCOMPAT_*: what a reader must know.</summary>
[Flags]
internal enum IncompatFeatures : ulong
{
    None = 0,
    MixedBackref = 1 << 0,
    DefaultSubvol = 1 << 1,
    MixedGroups = 1 << 2,
    CompressLzo = 1 << 3,
    CompressZstd = 1 << 4,
    BigMetadata = 1 << 5,
    ExtendedIref = 1 << 6,
    Raid56 = 1 << 7,
    SkinnyMetadata = 1 << 8,
    NoHoles = 1 << 9,
    MetadataUuid = 1 << 10,
    Raid1C34 = 1 << 11,
    Zoned = 1 << 12,
    SimpleQuota = 1 << 16,
}

/// <summary>Where a tree begins. The id is that of its root item.</summary>
internal readonly record struct TreeRoot(ulong Id, ulong Bytenr, byte Level, ulong Generation);

/// <summary>
/// A btrfs file system on one device, of any origin, down to the blocks of its trees. Nothing of it is trusted: what is
/// wrong is an <see cref="InvalidDataException"/> with the structure and its place.
/// </summary>
internal sealed class Volume
{
    /// <summary>Where the superblock and its copies are, in bytes.</summary>
    public static readonly long[] SuperblockOffsets = [64 << 10, 64 << 20, 256L << 30];

    private const int LeastSize = 4096;
    private const int LargestNode = 64 << 10;
    private const int CacheSize = 256;

    private const IncompatFeatures Readable = IncompatFeatures.MixedBackref | IncompatFeatures.DefaultSubvol
        | IncompatFeatures.MixedGroups | IncompatFeatures.CompressLzo | IncompatFeatures.CompressZstd
        | IncompatFeatures.BigMetadata | IncompatFeatures.ExtendedIref | IncompatFeatures.SkinnyMetadata
        | IncompatFeatures.NoHoles | IncompatFeatures.MetadataUuid | IncompatFeatures.SimpleQuota;

    private readonly Blob _blob;
    private readonly Superblock _superblock;

    // Blocks that were read, each in the slot of its address. A block is replaced as a whole, so no lock is needed.
    private readonly TreeBlock?[] _cache = new TreeBlock?[CacheSize];

    /// <exception cref="InvalidDataException">It is no btrfs, is damaged, or is on several devices.</exception>
    public Volume(Blob blob)
    {
        _blob = blob;
        if (!Recognizes(blob))
        {
            throw new InvalidDataException($"btrfs superblock at {SuperblockOffsets[0]}: no magic number");
        }
        SuperblockBytes = blob.ReadBytes(SuperblockOffsets[0], Superblock.Size);
        _superblock = OnDisk.Read<Superblock>(SuperblockBytes);
        ChecksumType = (ChecksumType)_superblock.CsumType.Value;
        NodeSize = (int)_superblock.Nodesize.Value;
        SectorSize = (int)_superblock.Sectorsize.Value;
        CheckSuperblock();
        ChunkMap = new ChunkMap(SystemChunks());
        ChunkMap = new ChunkMap(ReadChunks());
        // The blocks so far came by the superblock's chunks; the chunk tree may have others.
        Array.Clear(_cache);
    }

    public ref readonly Superblock Superblock => ref _superblock;

    public byte[] SuperblockBytes { get; }

    public ChecksumType ChecksumType { get; }

    public ChunkMap ChunkMap { get; }

    /// <summary>In bytes, as that of a tree's block.</summary>
    public int NodeSize { get; }

    /// <summary>In bytes: the unit of data.</summary>
    public int SectorSize { get; }

    public long Length => _blob.Length;

    public TreeRoot RootTree =>
        new(ObjectId.RootTree, Superblock.Root, Superblock.RootLevel, Superblock.Generation);

    public TreeRoot ChunkTree =>
        new(ObjectId.ChunkTree, Superblock.ChunkRoot, Superblock.ChunkRootLevel, Superblock.ChunkRootGeneration);

    /// <summary>The tree of what fsync(2) wrote since the last commit; null where there is none.</summary>
    public TreeRoot? LogRootTree => Superblock.LogRoot == 0 ? null
        : new TreeRoot(ObjectId.TreeLog, Superblock.LogRoot, Superblock.LogRootLevel, Superblock.Generation + 1);

    public static bool Recognizes(Blob blob) =>
        blob.Length >= SuperblockOffsets[0] + Superblock.Size
        && OnDisk.Read<Superblock>(blob.ReadBytes(SuperblockOffsets[0], Superblock.Size)).Magic == Superblock.MagicValue;

    public bool Has(IncompatFeatures feature) => (Superblock.IncompatFlags & (ulong)feature) != 0;

    /// <summary>Reads from the device; the offset is a place on it.</summary>
    public Blob Slice(long physical, long length) => _blob.Slice(physical, length);

    /// <summary>Reads data, the first copy of it.</summary>
    /// <exception cref="InvalidDataException">No chunk holds all of the range.</exception>
    public void ReadData(ulong logical, Span<byte> destination, string structure)
    {
        var chunk = ChunkMap.Find(logical, destination.Length)
            ?? throw new InvalidDataException($"{structure}: no chunk has {destination.Length} bytes at {logical}");
        _blob.Read(chunk.Stripes[0] + ((long)logical - chunk.Logical), destination);
    }

    /// <summary>A block of a tree; of several copies the first that is sound.</summary>
    /// <exception cref="InvalidDataException">All copies are damaged, or the block is another one.</exception>
    public TreeBlock ReadBlock(ulong bytenr, byte level, ulong generation, string structure)
    {
        int slot = (int)(bytenr / (uint)SectorSize % CacheSize);
        var block = _cache[slot];
        if (block is null || block.Bytenr != bytenr)
        {
            _cache[slot] = block = ReadBlock(bytenr, structure);
        }
        if (block.Header.Level != level)
        {
            throw block.Damaged($"level {block.Header.Level} where {structure} has {level}");
        }
        return block.Header.Generation == generation ? block
            : throw block.Damaged($"generation {block.Header.Generation} where {structure} has {generation}");
    }

    /// <summary>One copy of a block; null where it is damaged, and why.</summary>
    public TreeBlock? TryReadCopy(ulong bytenr, Chunk chunk, int copy, out string problem)
    {
        var block = TryReadBlockAt(chunk.Stripes[copy] + ((long)bytenr - chunk.Logical), out problem);
        if (block is null || block.Bytenr == bytenr)
        {
            return block;
        }
        problem = $"claims to be at {block.Bytenr}";
        return null;
    }

    /// <summary>The block that stands at a place on the device, whatever its address; null where there is none, and why.</summary>
    public TreeBlock? TryReadBlockAt(long place, out string problem)
    {
        byte[] bytes = _blob.ReadBytes(place, NodeSize);
        problem = !Checksums.IsRight(ChecksumType, bytes) ? "wrong checksum"
            : !HasFsid(place) ? $"is of the file system {OnDisk.Read<Header>(bytes).Fsid.ToGuid()}"
            : "";
        if (problem.Length > 0)
        {
            return null;
        }
        try
        {
            return new TreeBlock(bytes);
        }
        catch (InvalidDataException exception)
        {
            problem = exception.Message;
            return null;
        }
    }

    /// <summary>Whether what stands at a place on the device is, by its header, a block of this file system.</summary>
    public bool HasFsid(long place)
    {
        var fsid = Has(IncompatFeatures.MetadataUuid) ? _superblock.MetadataUuid : _superblock.Fsid;
        return OnDisk.Read<Header>(_blob.ReadBytes(place, Header.Size)).Fsid.ToGuid() == fsid.ToGuid();
    }

    private TreeBlock ReadBlock(ulong bytenr, string structure)
    {
        string name = $"btrfs tree block at {bytenr}";
        var chunk = ChunkMap.Find(bytenr, NodeSize);
        if (chunk is null || bytenr % (uint)SectorSize != 0)
        {
            throw new InvalidDataException($"{structure}: no chunk has a block at {bytenr}");
        }
        string problem = "";
        for (int copy = 0; copy < chunk.Stripes.Length; copy++)
        {
            if (TryReadCopy(bytenr, chunk, copy, out problem) is { } block)
            {
                return block;
            }
        }
        throw new InvalidDataException($"{name}: {problem}");
    }

    private void CheckSuperblock()
    {
        ref readonly var s = ref _superblock;
        Require(Checksums.Size(ChecksumType) > 0, $"checksum type {s.CsumType}");
        Require(Checksums.IsRight(ChecksumType, SuperblockBytes), "wrong checksum");
        Require(s.Bytenr == (ulong)SuperblockOffsets[0], $"claims to be at {s.Bytenr}");
        ulong unknown = s.IncompatFlags & ~(ulong)Readable;
        Require(unknown == 0, $"incompat_flags 0x{unknown:x} are not read");
        Require(s.NumDevices == 1, $"file systems on {s.NumDevices} devices are not read");
        Require(IsSize(s.Sectorsize), $"sectorsize {s.Sectorsize}");
        Require(IsSize(s.Nodesize) && s.Nodesize >= s.Sectorsize, $"nodesize {s.Nodesize}");
        Require(s.SysChunkArraySize <= SystemChunkArray.Size, $"sys_chunk_array_size {s.SysChunkArraySize}");
    }

    private static bool IsSize(uint value) => value is >= LeastSize and <= LargestNode && BitOperations.IsPow2(value);

    /// <summary>The chunks that the superblock holds itself: those with the chunk tree.</summary>
    private List<Chunk> SystemChunks()
    {
        ReadOnlySpan<byte> array = _superblock.SysChunkArray;
        array = array[..(int)_superblock.SysChunkArraySize.Value];
        var chunks = new List<Chunk>();
        while (!array.IsEmpty)
        {
            Require(array.Length >= DiskKey.Size + ChunkItem.Size, "sys_chunk_array is cut off");
            var key = Key.From(OnDisk.Read<DiskKey>(array));
            int stripes = OnDisk.Read<ChunkItem>(array[DiskKey.Size..]).NumStripes;
            int length = ChunkItem.Size + stripes * Stripe.Size;
            Require(array.Length - DiskKey.Size >= length, "sys_chunk_array is cut off");
            chunks.Add(ChunkMap.Parse(key, array.Slice(DiskKey.Size, length), Length, Superblock.DevItem.Devid));
            array = array[(DiskKey.Size + length)..];
        }
        return chunks;
    }

    private List<Chunk> ReadChunks()
    {
        var chunks = new List<Chunk>();
        foreach (var item in new Tree(this, ChunkTree).Items())
        {
            if (item.Key.Type == ItemType.ChunkItem)
            {
                chunks.Add(ChunkMap.Parse(item.Key, item.Data.Span, Length, Superblock.DevItem.Devid));
            }
        }
        return chunks;
    }

    private static void Require(bool condition, string problem)
    {
        if (!condition)
        {
            throw new InvalidDataException($"btrfs superblock at {SuperblockOffsets[0]}: {problem}");
        }
    }
}
