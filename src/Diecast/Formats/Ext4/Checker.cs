using System.Collections;
using System.Numerics;
using Diecast.Binary;
using Diecast.Images;

namespace Diecast.Formats.Ext4;

/// <summary>
/// Says what is wrong with a file system and did not keep it from being read: what e2fsck(8) would, as far as counts,
/// claims and checksums go. This part: the groups; the other: inodes and directories.
/// </summary>
internal sealed partial class Checker
{
    /// <summary>4 TiB in blocks of 4 KiB: above, a bit for each block would take more than 128 MiB.</summary>
    private const long MostBlocks = 1L << 30;

    private const ushort CleanState = 1, ErrorState = 2;

    private readonly ProblemList _problems = new();
    private readonly Volume _volume;
    private readonly Volume _strict;
    private readonly Checksums? _checksums;
    private readonly BitArray _claimed;
    private long _freeBlocks;
    private long _freeInodes;

    private Checker(Blob blob)
    {
        _volume = new Volume(blob, verifies: false);
        _strict = new Volume(blob);
        _checksums = _volume.StoredChecksums;
        if (_volume.Blocks > MostBlocks || _volume.Superblock.InodesCount * (long)_volume.InodeSize > _volume.Length)
        {
            throw new InvalidDataException($"ext4: {_volume.Blocks} blocks and {_volume.Superblock.InodesCount.Value} inodes are not checked");
        }
        _claimed = new BitArray((int)_volume.Blocks);
    }

    /// <inheritdoc cref="FileSystemView.Check"/>
    public static IReadOnlyList<string> Check(Blob blob)
    {
        try
        {
            var checker = new Checker(blob);
            checker.Check();
            return checker._problems.Lines;
        }
        catch (InvalidDataException error)
        {
            return [error.Message];
        }
    }

    private void Check()
    {
        CheckState();
        ClaimGroups();
        for (int group = 0; group < _volume.Groups; group++)
        {
            CheckInodes(group);
        }
        CheckLinks();
        CheckSharedAttributes();
        for (int group = 0; group < _volume.Groups; group++)
        {
            CheckGroup(group);
        }
        var superblock = _volume.Superblock;
        long freeBlocks = superblock.FreeBlocksCountLow
            | (_volume.Has(IncompatibleFeatures.Bits64) ? (long)superblock.FreeBlocksCountHigh.Value << 32 : 0);
        _problems.Require(freeBlocks == _freeBlocks, $"superblock: {freeBlocks} free blocks, and there are {_freeBlocks}");
        _problems.Require(superblock.FreeInodesCount == _freeInodes, $"superblock: {superblock.FreeInodesCount.Value} free inodes, and there are {_freeInodes}");
    }

    private void CheckState()
    {
        var superblock = _volume.Superblock;
        _problems.Require((superblock.State & CleanState) != 0, "superblock: the file system was not unmounted cleanly");
        _problems.Require((superblock.State & ErrorState) == 0, "superblock: the kernel found errors (s_state)");
        _problems.Require(!_volume.Has(IncompatibleFeatures.Recover), "superblock: the journal holds what is not in its place yet (needs_recovery)");
        _problems.Require(superblock.LastOrphan == 0, $"superblock: inodes from {superblock.LastOrphan.Value} on are to be deleted (s_last_orphan)");
        for (int group = 1; group < _volume.Groups; group++)
        {
            if (_volume.HasSuperblock(group))
            {
                CheckCopy(group);
            }
        }
    }

    /// <summary>The kernel keeps the first superblock alone up to date: only what makes the file system must be the same.</summary>
    private void CheckCopy(int group)
    {
        string name = $"group {group} superblock copy";
        var main = _volume.Superblock;
        var copy = OnDisk.Read<Superblock>(_volume.Slice(_volume.GroupStart(group) * _volume.BlockSize, Superblock.Size).ReadBytes(0, Superblock.Size));
        if (copy.Magic != Superblock.MagicValue)
        {
            _problems.Add($"{name}: no magic number");
            return;
        }
        _problems.Require(_checksums is null || copy.Checksum == Checksums.Superblock(copy), $"{name}: wrong checksum");
        const uint changing = (uint)(IncompatibleFeatures.Recover | IncompatibleFeatures.Extents);
        bool isSame = Essence(copy) == Essence(main) && (copy.Incompatible & ~changing) == (main.Incompatible & ~changing)
            && ((ReadOnlySpan<byte>)copy.Uuid).SequenceEqual(main.Uuid);
        _problems.Require(isSame, $"{name}: differs from the superblock");
    }

    private static (uint, uint, uint, uint, uint, uint, ushort, ushort) Essence(in Superblock s) =>
        (s.BlocksCountLow, s.InodesCount, s.LogBlockSize, s.BlocksPerGroup, s.InodesPerGroup, s.FirstDataBlock, s.InodeSize, s.DescriptorSize);

    private void ClaimGroups()
    {
        long tableBlocks = ((long)_volume.Superblock.InodesPerGroup * _volume.InodeSize).DivideUp(_volume.BlockSize);
        foreach (var (group, start, count, _, _) in _volume.DescriptorRuns())
        {
            Claim(start, count, $"group {group} descriptors");
        }
        for (int group = 0; group < _volume.Groups; group++)
        {
            var descriptor = _volume.Descriptor(group);
            if (_volume.HasSuperblock(group))
            {
                Claim(_volume.GroupStart(group), 1, $"group {group} superblock");
            }
            Claim(descriptor.BlockBitmap, 1, $"group {group} block bitmap");
            Claim(descriptor.InodeBitmap, 1, $"group {group} inode bitmap");
            Claim(descriptor.InodeTable, tableBlocks, $"group {group} inode table");
        }
        if (_volume.Has(IncompatibleFeatures.MultipleMountProtection))
        {
            CheckMmp((long)_volume.Superblock.MmpBlock.Value);
        }
    }

    private void CheckMmp(long block)
    {
        const string name = "multiple mount protection block";
        Claim(block, 1, name);
        byte[] bytes = _volume.ReadBlock(block, name);
        int end = FieldTables.Mmp.Length - sizeof(uint);
        _problems.Require(_checksums is null || _checksums.Bitmap(bytes.AsSpan(0, end)) == OnDisk.Read<Le<uint>>(bytes.AsSpan(end)),
            $"{name}: wrong checksum");
    }

    private void Claim(long start, long count, string owner)
    {
        if (start < 0 || count < 0 || start > _volume.Blocks - count)
        {
            _problems.Add($"{owner}: blocks {start} to {start + count - 1} of {_volume.Blocks}");
            return;
        }
        long shared = 0;
        long first = 0;
        for (long block = start; block < start + count; block++)
        {
            if (_claimed[(int)block])
            {
                first = shared++ == 0 ? block : first;
            }
            _claimed[(int)block] = true;
        }
        if (shared > 0)
        {
            _problems.Add(shared == 1 ? $"{owner}: block {first} belongs to something else too"
                : $"{owner}: {shared} blocks from {first} on belong to something else too");
        }
    }

    private void CheckGroup(int group)
    {
        var descriptor = _volume.Descriptor(group);
        int size = Math.Min(_volume.DescriptorSize, GroupDescriptor.Size);
        _problems.Require(
            _checksums is null || _volume.DescriptorSize > GroupDescriptor.Size
            || _checksums.Descriptor(group, descriptor with { Checksum = 0 }, size) == descriptor.Checksum,
            $"group {group} descriptor: wrong checksum");
        long free = CheckBlocks(group, descriptor, (InodeScan.Flags(_volume, descriptor) & GroupDescriptor.BlockUninitialized) != 0);
        long stored = descriptor.FreeBlocksCountLow | (long)descriptor.FreeBlocksCountHigh.Value << 16;
        _problems.Require(stored == free, $"group {group} descriptor: {stored} free blocks, and there are {free}");
        _freeBlocks += free;
        CheckInodeCounts(group, descriptor);
    }

    /// <summary>The bitmap against what has been claimed; gives the free blocks.</summary>
    private long CheckBlocks(int group, in GroupDescriptor descriptor, bool isImplied)
    {
        long start = _volume.GroupStart(group);
        int count = (int)Math.Min(_volume.Superblock.BlocksPerGroup, _volume.Blocks - start);
        byte[]? bitmap = isImplied ? null : _volume.ReadBlock(descriptor.BlockBitmap, $"group {group} block bitmap");
        if (bitmap is not null)
        {
            CheckBitmap($"group {group} block bitmap", bitmap, count, _volume.Superblock.ClustersPerGroup,
                descriptor.BlockBitmapChecksumLow | (uint)descriptor.BlockBitmapChecksumHigh.Value << 16);
        }
        long free = 0;
        (bool IsUsed, long First) run = (false, -1);
        for (int i = 0; i <= count; i++)
        {
            bool claimed = i < count && _claimed[(int)(start + i)];
            bool used = i < count && (bitmap is null ? claimed : (bitmap[i / 8] >> (i % 8) & 1) != 0);
            free += i < count && !used ? 1 : 0;
            if (run.First >= 0 && (claimed == used || used != run.IsUsed))
            {
                long last = start + i - 1;
                string blocks = run.First == last ? $"block {last} is" : $"blocks {run.First} to {last} are";
                _problems.Add($"group {group} block bitmap: {blocks} {(run.IsUsed ? "marked used, and nothing has them" : "in use, and marked free")}");
                run = (false, -1);
            }
            if (run.First < 0 && claimed != used)
            {
                run = (used, start + i);
            }
        }
        return free;
    }

    /// <param name="name">Of the bitmap.</param>
    /// <param name="bitmap">A block.</param>
    /// <param name="count">Of the bits that stand for something; those after them are to be set.</param>
    /// <param name="covered">By the checksum: more in a last group that is not whole.</param>
    /// <param name="stored">The checksum in the descriptor.</param>
    private void CheckBitmap(string name, byte[] bitmap, long count, uint covered, uint stored)
    {
        bool hasHole = bitmap.AsSpan((int)count.DivideUp(8)).ContainsAnyExcept((byte)0xFF)
            || (count % 8 != 0 && bitmap[count / 8] >> (int)(count % 8) != 0xFF >> (int)(count % 8));
        _problems.Require(!hasHole, $"{name}: the bits after its end are not set");
        uint sum = _checksums?.Bitmap(bitmap.AsSpan(0, (int)Math.Min(covered / 8, (uint)bitmap.Length))) ?? stored;
        // Descriptors of 32 bytes have room for the lower half alone.
        uint mask = _volume.DescriptorSize >= GroupDescriptor.Size ? uint.MaxValue : ushort.MaxValue;
        _problems.Require((sum & mask) == (stored & mask), $"{name}: wrong checksum");
    }

    private void CheckInodeCounts(int group, in GroupDescriptor descriptor)
    {
        uint perGroup = _volume.Superblock.InodesPerGroup;
        byte[]? bitmap = InodeScan.Bitmap(_volume, group);
        long used = 0;
        for (int i = 0; bitmap is not null && i < (perGroup + 7) / 8; i++)
        {
            int valid = (int)Math.Min(8, perGroup - i * 8);
            used += BitOperations.PopCount((uint)bitmap[i] & (0xFFu >> (8 - valid)));
        }
        if (bitmap is not null)
        {
            CheckBitmap($"group {group} inode bitmap", bitmap, perGroup, perGroup,
                descriptor.InodeBitmapChecksumLow | (uint)descriptor.InodeBitmapChecksumHigh.Value << 16);
        }
        long stored = descriptor.FreeInodesCountLow | (long)descriptor.FreeInodesCountHigh.Value << 16;
        _problems.Require(stored == perGroup - used, $"group {group} descriptor: {stored} free inodes, and there are {perGroup - used}");
        _freeInodes += perGroup - used;
        long directories = descriptor.UsedDirectoriesCountLow | (long)descriptor.UsedDirectoriesCountHigh.Value << 16;
        long counted = _directories.GetValueOrDefault(group);
        _problems.Require(directories == counted, $"group {group} descriptor: {directories} directories, and there are {counted}");
    }
}
