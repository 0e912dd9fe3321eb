using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Diecast.Binary;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Ext4;

/// <summary>An inode as it was read: its fields, and all of its bytes for the attributes behind them.</summary>
internal sealed record StoredInode(uint Number, InodeRecord Record, byte[] Bytes)
{
    /// <summary>In bytes; the upper half means something else in what is no file.</summary>
    public long Size => Record.SizeLow | (Type == Posix.S_IFREG ? (long)Record.SizeHigh.Value << 32 : 0);

    public bool Has(uint flag) => (Record.Flags & flag) != 0;

    public int Type => Record.Mode & 0xF000;
}

/// <summary>
/// An ext2, ext3 or ext4 file system of any origin, down to its inodes. Nothing of it is trusted: what is wrong is an
/// <see cref="InvalidDataException"/> with the structure and its place.
/// </summary>
internal sealed class Volume
{
    private const IncompatibleFeatures Readable = IncompatibleFeatures.FileType | IncompatibleFeatures.Recover
        | IncompatibleFeatures.MetaBlockGroups | IncompatibleFeatures.Extents | IncompatibleFeatures.Bits64
        | IncompatibleFeatures.MultipleMountProtection | IncompatibleFeatures.FlexibleGroups
        | IncompatibleFeatures.ExtendedAttributeInode | IncompatibleFeatures.ChecksumSeed
        | IncompatibleFeatures.LargeDirectory | IncompatibleFeatures.InlineData | IncompatibleFeatures.CaseFold;

    private const int OldDescriptorSize = 32;

    private readonly Blob _blob;
    private readonly int _firstDataBlock;
    private long _mappedBlocks;

    /// <param name="blob">The file system.</param>
    /// <param name="verifies">Whether a wrong checksum is an error; not for who looks at what is damaged.</param>
    public Volume(Blob blob, bool verifies = true)
    {
        _blob = blob;
        if (!Recognizes(blob))
        {
            throw new InvalidDataException($"ext4 superblock at {Superblock.Offset}: no magic number");
        }
        Superblock = OnDisk.Read<Superblock>(blob.ReadBytes(Superblock.Offset, Superblock.Size));
        RefuseFeatures();
        var superblock = Superblock;
        Require(superblock.LogBlockSize <= 6, "block size");
        BlockSize = 1024 << (int)superblock.LogBlockSize.Value;
        Blocks = superblock.BlocksCountLow | (Has(IncompatibleFeatures.Bits64) ? (long)superblock.BlocksCountHigh.Value << 32 : 0);
        _firstDataBlock = BlockSize == 1024 ? 1 : 0;
        Require(superblock.FirstDataBlock == _firstDataBlock, "first data block");
        Require(Blocks > _firstDataBlock && Blocks <= blob.Length / BlockSize, $"{Blocks} blocks in {blob.Length} bytes");
        Require(superblock.BlocksPerGroup > 0 && superblock.BlocksPerGroup <= 8 * BlockSize, "blocks per group");
        Require(superblock.InodesPerGroup > 0 && superblock.InodesPerGroup <= 8 * BlockSize, "inodes per group");
        long groups = (Blocks - _firstDataBlock).DivideUp(superblock.BlocksPerGroup);
        Require(groups * superblock.InodesPerGroup == superblock.InodesCount, "inodes count");
        Require(groups <= int.MaxValue, "groups");
        Groups = (int)groups;
        InodeSize = superblock.Revision == 0 ? InodeRecord.OldSize : superblock.InodeSize;
        Require(InodeSize >= InodeRecord.OldSize && InodeSize <= BlockSize && BitOperations.IsPow2(InodeSize), "inode size");
        DescriptorSize = Has(IncompatibleFeatures.Bits64) ? superblock.DescriptorSize : OldDescriptorSize;
        int leastDescriptor = Has(IncompatibleFeatures.Bits64) ? GroupDescriptor.Size : OldDescriptorSize;
        Require(BitOperations.IsPow2(DescriptorSize) && DescriptorSize <= 1024 && DescriptorSize >= leastDescriptor,
            "descriptor size");
        Checksums = verifies ? StoredChecksums : null;
        Require(Checksums is null || superblock.Checksum == Checksums.Superblock(superblock), "checksum");
    }

    public Superblock Superblock { get; }

    public int BlockSize { get; }

    public long Blocks { get; }

    public int Groups { get; }

    public int InodeSize { get; }

    /// <summary>What to verify by. Null without metadata_csum, and where nothing is to be verified.</summary>
    public Checksums? Checksums { get; }

    /// <summary>Null without metadata_csum.</summary>
    public Checksums? StoredChecksums
    {
        get
        {
            var superblock = Superblock;
            return !Has(ReadOnlyCompatibleFeatures.MetadataChecksums) ? null
                : Has(IncompatibleFeatures.ChecksumSeed) ? new Checksums(superblock.ChecksumSeed) : new Checksums(superblock.Uuid);
        }
    }

    /// <summary>Of a group, in bytes.</summary>
    public int DescriptorSize { get; }

    public long Length => _blob.Length;

    public int DescriptorBlocks => (int)((long)Groups).DivideUp(DescriptorsPerBlock);

    public int DescriptorsPerBlock => BlockSize / DescriptorSize;

    public static bool Recognizes(Blob blob)
    {
        if (blob.Length < Superblock.Offset + Superblock.Size)
        {
            return false;
        }
        return OnDisk.Read<Superblock>(blob.ReadBytes(Superblock.Offset, Superblock.Size)).Magic == Superblock.MagicValue;
    }

    public bool Has(IncompatibleFeatures feature) => (Superblock.Incompatible & (uint)feature) != 0;

    public bool Has(ReadOnlyCompatibleFeatures feature) => (Superblock.ReadOnlyCompatible & (uint)feature) != 0;

    public bool Has(CompatibleFeatures feature) => (Superblock.Compatible & (uint)feature) != 0;

    public long GroupStart(int group) => _firstDataBlock + (long)group * Superblock.BlocksPerGroup;

    /// <summary>A copy of a block.</summary>
    public byte[] ReadBlock(long block, string structure)
    {
        RequireBlocks(block, 1, structure);
        return _blob.ReadBytes(block * BlockSize, BlockSize);
    }

    /// <summary>The part of the blob in the bytes from there on.</summary>
    public Blob Slice(long offset, long length) => _blob.Slice(offset, length);

    public void Read(long offset, Span<byte> destination) => _blob.Read(offset, destination);

    public void RequireBlocks(long start, long count, string structure)
    {
        if (start < _firstDataBlock || count < 0 || start > Blocks - count)
        {
            throw new InvalidDataException($"{structure}: blocks {start} to {start + count - 1} of {Blocks}");
        }
    }

    /// <summary>
    /// Counts the blocks of files whose places are remembered. Every block belongs to one file at most, so that a
    /// hostile image cannot make its reader remember more than it has.
    /// </summary>
    public void CountMapped(long blocks, string structure)
    {
        if (Interlocked.Add(ref _mappedBlocks, blocks) > Blocks)
        {
            throw new InvalidDataException($"{structure}: the files have more blocks than the {Blocks} of the file system");
        }
    }

    public GroupDescriptor Descriptor(int group)
    {
        long offset = DescriptorBlock(group / DescriptorsPerBlock) * BlockSize + group % DescriptorsPerBlock * DescriptorSize;
        var descriptor = new GroupDescriptor();
        var bytes = MemoryMarshal.AsBytes(new Span<GroupDescriptor>(ref descriptor));
        _blob.Read(offset, bytes[..Math.Min(DescriptorSize, Unsafe.SizeOf<GroupDescriptor>())]);
        if (Checksums is not null && DescriptorSize <= GroupDescriptor.Size)
        {
            var blank = descriptor with { Checksum = 0 };
            if (Checksums.Descriptor(group, blank, DescriptorSize) != descriptor.Checksum)
            {
                throw new InvalidDataException($"ext4 group descriptor {group} at {offset}: wrong checksum");
            }
        }
        return descriptor;
    }

    /// <summary>
    /// The place of a block of descriptors: after the superblock, or with meta_bg in the groups that it is about.
    /// </summary>
    private long DescriptorBlock(int index)
    {
        if (!Has(IncompatibleFeatures.MetaBlockGroups) || index < Superblock.FirstMetaBlockGroup)
        {
            return RequiredBlock(_firstDataBlock + 1L + index);
        }
        int group = index * DescriptorsPerBlock;
        return RequiredBlock(GroupStart(group) + (HasSuperblock(group) ? 1 : 0));
    }

    /// <summary>Where the descriptors stand, and their copies; the first one is the number of a block of them.</summary>
    public IEnumerable<(int Group, long Start, long Count, long First, bool IsCopy)> DescriptorRuns()
    {
        long together = Has(IncompatibleFeatures.MetaBlockGroups)
            ? Math.Min(Superblock.FirstMetaBlockGroup, DescriptorBlocks) : DescriptorBlocks;
        for (int group = 0; group < Groups && together > 0; group++)
        {
            if (HasSuperblock(group))
            {
                yield return (group, GroupStart(group) + 1, together, 0, group > 0);
            }
        }
        // With meta_bg the others stand in the first group that they are about, and copies in the second and the last.
        for (long index = together; index < DescriptorBlocks; index++)
        {
            int first = checked((int)(index * DescriptorsPerBlock));
            foreach (int group in new SortedSet<int> { first, first + 1, first + DescriptorsPerBlock - 1 })
            {
                if (group < Groups)
                {
                    yield return (group, GroupStart(group) + (HasSuperblock(group) ? 1 : 0), 1, index, group > first);
                }
            }
        }
    }

    private long RequiredBlock(long block)
    {
        RequireBlocks(block, 1, "ext4 group descriptors");
        return block;
    }

    public bool HasSuperblock(int group) =>
        Has(CompatibleFeatures.SparseSuper2)
            ? group == 0 || group == Superblock.BackupGroup0 || group == Superblock.BackupGroup1
            : !Has(ReadOnlyCompatibleFeatures.SparseSuper) || Layout.HasSuperblock(group);

    public StoredInode Inode(uint number)
    {
        if (number == 0 || number > Superblock.InodesCount)
        {
            throw new InvalidDataException($"ext4 inode {number}: there are {Superblock.InodesCount.Value}");
        }
        uint perGroup = Superblock.InodesPerGroup;
        long table = Descriptor((int)((number - 1) / perGroup)).InodeTable;
        RequireBlocks(table, (perGroup * (long)InodeSize).DivideUp(BlockSize), $"ext4 inode table of inode {number}");
        long offset = table * BlockSize + (number - 1) % perGroup * InodeSize;
        var inode = Parse(number, _blob.ReadBytes(offset, InodeSize), offset);
        CheckInode(inode, offset);
        return inode;
    }

    /// <summary>The bytes of an inode, which are at that offset, as one; its checksum is not looked at.</summary>
    public StoredInode Parse(uint number, byte[] bytes, long offset)
    {
        var record = new InodeRecord();
        int known = Math.Min(bytes.Length, Unsafe.SizeOf<InodeRecord>());
        bytes.AsSpan(0, known).CopyTo(MemoryMarshal.AsBytes(new Span<InodeRecord>(ref record)));
        if (InodeSize > InodeRecord.OldSize)
        {
            if (record.ExtraSize % 4 != 0 || InodeRecord.OldSize + record.ExtraSize > InodeSize)
            {
                throw new InvalidDataException($"ext4 inode {number} at {offset}: {record.ExtraSize} extra bytes");
            }
            ClearUnknown(ref record);
        }
        return new StoredInode(number, record, bytes);
    }

    /// <summary>What an inode has no room for is attributes or nothing, and not a field.</summary>
    private static void ClearUnknown(ref InodeRecord record)
    {
        var bytes = MemoryMarshal.AsBytes(new Span<InodeRecord>(ref record));
        int end = InodeRecord.OldSize + Math.Max((int)record.ExtraSize, sizeof(ushort));
        if (end < bytes.Length)
        {
            bytes[end..].Clear();
        }
    }

    private void CheckInode(StoredInode inode, long offset)
    {
        if (Checksums is { } checksums && !IsSound(inode, checksums))
        {
            throw new InvalidDataException($"ext4 inode {inode.Number} at {offset}: wrong checksum");
        }
    }

    /// <summary>Whether the inode has the checksum of its bytes; one that was never used needs none.</summary>
    public bool IsSound(StoredInode inode, Checksums checksums)
    {
        if (!inode.Bytes.AsSpan().ContainsAnyExcept((byte)0))
        {
            return true;
        }
        byte[] blank = inode.Bytes.ToArray();
        const int low = 0x7C, high = 0x82;
        bool hasHigh = InodeSize > InodeRecord.OldSize && inode.Record.ExtraSize >= sizeof(uint);
        blank.AsSpan(low, sizeof(ushort)).Clear();
        uint mask = ushort.MaxValue;
        if (hasHigh)
        {
            blank.AsSpan(high, sizeof(ushort)).Clear();
            mask = uint.MaxValue;
        }
        uint stored = inode.Record.ChecksumLow | (hasHigh ? (uint)inode.Record.ChecksumHigh.Value << 16 : 0);
        return (checksums.Inode(inode.Number, inode.Record.Generation, blank) & mask) == stored;
    }

    private void RefuseFeatures()
    {
        if (Superblock.Revision == 0)
        {
            return;
        }
        var unknown = (IncompatibleFeatures)Superblock.Incompatible.Value & ~Readable;
        if (unknown != 0)
        {
            throw new InvalidDataException(
                $"ext4 superblock at {Superblock.Offset}: the feature {FeatureNames.Of(unknown)} is not read");
        }
        if (Has(ReadOnlyCompatibleFeatures.BigAllocation))
        {
            throw new InvalidDataException($"ext4 superblock at {Superblock.Offset}: the feature bigalloc is not read");
        }
    }

    private static void Require(bool condition, string what)
    {
        if (!condition)
        {
            throw new InvalidDataException($"ext4 superblock at {Superblock.Offset}: wrong {what}");
        }
    }
}
