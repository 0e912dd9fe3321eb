using System.Buffers.Binary;
using Diecast.Binary;
using Diecast.Trees;

namespace Diecast.Formats.Ext4;

/// <summary>Inodes, the blocks that they have, and the names that lead to them.</summary>
internal sealed partial class Checker
{
    private const uint BadBlocksInode = 1;
    private const int SectorSize = 512;

    // By inode: how many names lead to it, and how many it says do.
    private readonly Dictionary<uint, int> _names = [];
    private readonly Dictionary<uint, ushort> _links = [];
    private readonly Dictionary<int, long> _directories = [];
    private readonly Dictionary<long, uint> _attributeBlocks = [];
    private long _mapped;

    private void CheckInodes(int group)
    {
        try
        {
            foreach (var inode in InodeScan.Used(_volume, group))
            {
                CheckInode(inode, group);
            }
        }
        catch (InvalidDataException error)
        {
            _problems.Add(error.Message);
        }
    }

    private void CheckInode(StoredInode inode, int group)
    {
        string name = $"inode {inode.Number}";
        _problems.Require(_checksums is null || _volume.IsSound(inode, _checksums), $"{name}: wrong checksum");
        bool isReserved = inode.Number < Layout.FirstInode && inode.Number != Plan.RootInode;
        if (inode.Record.LinksCount == 0 && !isReserved)
        {
            _problems.Add($"{name}: in use without a link");
            return;
        }
        if (!isReserved && !IsOwn(inode))
        {
            _links[inode.Number] = inode.Record.LinksCount;
        }
        CheckAttributes(inode, name);
        long blocks = 0;
        if (!inode.Has(InodeRecord.InlineDataFlag) && HasBlocks(inode))
        {
            blocks = ClaimBlocks(inode, name);
        }
        long attributes = XattrReader.BlockOf(_volume, inode);
        long sectors = (blocks + (attributes != 0 ? 1 : 0)) * (_volume.BlockSize / SectorSize);
        long stored = (inode.Record.BlocksLow | (long)inode.Record.BlocksHigh.Value << 32)
            * (inode.Has(InodeRecord.HugeFileFlag) ? _volume.BlockSize / SectorSize : 1);
        // Attributes in inodes of their own count too, with a share that no field tells.
        _problems.Require(stored == sectors || isReserved || _volume.Has(IncompatibleFeatures.ExtendedAttributeInode),
            $"{name}: i_blocks counts {stored} sectors, and there are {sectors}");
        if (inode.Type == Posix.S_IFDIR)
        {
            _directories[group] = _directories.GetValueOrDefault(group) + 1;
            CheckDirectory(inode);
        }
    }

    /// <summary>What the file system itself has, or what holds an attribute: no name leads there.</summary>
    private bool IsOwn(StoredInode inode) =>
        (_volume.Has(CompatibleFeatures.OrphanFile) && inode.Number == _volume.Superblock.OrphanFileInode)
        || inode.Number == _volume.Superblock.ProjectQuotaInode || inode.Number == _volume.Superblock.JournalInode
        || inode.Has(InodeRecord.ExtendedAttributeInodeFlag);

    private static bool HasBlocks(StoredInode inode) =>
        inode.Type is Posix.S_IFREG or Posix.S_IFDIR || inode.Number is BadBlocksInode or Plan.ResizeInode
        || (inode.Type == Posix.S_IFLNK && (inode.Has(InodeRecord.ExtentsFlag) || inode.Size > Plan.ShortTarget));

    private long ClaimBlocks(StoredInode inode, string name)
    {
        // Nothing real has many more blocks in its files than there are.
        if (_mapped > 2 * _volume.Blocks)
        {
            throw new InvalidDataException("the files have more blocks than the file system: not all of them were looked at");
        }
        var map = FileMap.ReadableOf(_volume, inode, out string? damage);
        _mapped += map.BlockCount;
        if (damage is null && map.TreeBlocks.Count > 0 && inode.Has(InodeRecord.ExtentsFlag))
        {
            FileMap.ReadableOf(_strict, inode, out damage);
        }
        _problems.Require(damage is null, damage ?? "");
        foreach (long block in map.TreeBlocks)
        {
            Claim(block, 1, name);
        }
        foreach (var run in map.Runs)
        {
            Claim(run.Physical, run.Count, name);
        }
        CheckOwnFile(inode, map);
        return map.BlockCount;
    }

    private void CheckAttributes(StoredInode inode, string name)
    {
        long block = XattrReader.BlockOf(_volume, inode);
        if (block != 0)
        {
            if (!_attributeBlocks.TryGetValue(block, out uint references))
            {
                Claim(block, 1, name);
            }
            _attributeBlocks[block] = references + 1;
        }
        try
        {
            new XattrReader(_strict).Read(inode);
        }
        catch (InvalidDataException error)
        {
            _problems.Add(error.Message);
        }
    }

    private void CheckSharedAttributes()
    {
        foreach (var (block, references) in _attributeBlocks)
        {
            if (block < _volume.Blocks)
            {
                var header = OnDisk.Read<XattrHeader>(_volume.ReadBlock(block, "attribute block"));
                _problems.Require(header.ReferenceCount == references,
                    $"attribute block {block}: {header.ReferenceCount.Value} references, and there are {references}");
            }
        }
    }

    /// <summary>The journal's superblock and the blocks of the orphan file.</summary>
    private void CheckOwnFile(StoredInode inode, FileMap map)
    {
        if (_volume.Has(CompatibleFeatures.HasJournal) && inode.Number == _volume.Superblock.JournalInode && map.Runs.Count > 0)
        {
            byte[] bytes = _volume.ReadBlock(map.Runs[0].Physical, "journal superblock")[..JournalTables.Superblock.Length];
            const int checksum = 0xFC, versions = 0x18;
            uint stored = OnDisk.Read<Be<uint>>(bytes.AsSpan(checksum));
            bool has = (OnDisk.Read<JournalSuperblock>(bytes).Incompatible & versions) != 0;
            bytes.AsSpan(checksum, sizeof(uint)).Clear();
            _problems.Require(!has || Crc32C.Append(~0u, bytes) == stored, "journal superblock: wrong checksum");
        }
        if (_checksums is { } checksums && _volume.Has(CompatibleFeatures.OrphanFile) && inode.Number == _volume.Superblock.OrphanFileInode)
        {
            foreach (var (logical, block) in Blocks(map))
            {
                byte[] bytes = _volume.ReadBlock(block, "orphan file");
                uint sum = Crc32C.Append(Crc32C.Append(checksums.InodeSeed(inode.Number, inode.Record.Generation), (uint)block), (uint)(block >> 32));
                sum = Crc32C.Append(sum, bytes.AsSpan(0, bytes.Length - FieldTables.OrphanTail.Length));
                _problems.Require(sum == OnDisk.Read<Le<uint>>(bytes.AsSpan(bytes.Length - sizeof(uint))), $"orphan file, block {logical}: wrong checksum");
            }
        }
    }

    private static IEnumerable<(long Logical, long Physical)> Blocks(FileMap map)
    {
        foreach (var run in map.Runs)
        {
            for (long i = 0; i < run.Count && !run.IsUnwritten; i++)
            {
                yield return (run.Logical + i, run.Physical + i);
            }
        }
    }

    private void CheckDirectory(StoredInode directory)
    {
        if (directory.Has(InodeRecord.InlineDataFlag))
        {
            var block = directory.Record.Block;
            ReadOnlySpan<byte> bytes = block;
            Count(directory.Number);
            Count(BinaryPrimitives.ReadUInt32LittleEndian(bytes));
            CountNames(bytes[sizeof(uint)..].ToArray(), $"directory {directory.Number}");
            CountNames(new XattrReader(_volume).InlineData(directory), $"directory {directory.Number}");
            return;
        }
        foreach (var (logical, physical) in Blocks(FileMap.ReadableOf(_volume, directory, out _)))
        {
            byte[] bytes = _volume.ReadBlock(physical, "directory");
            string name = $"directory {directory.Number}, block {logical}";
            int? index = directory.Has(InodeRecord.IndexFlag)
                ? DirectoryBlock.IndexStart(bytes, logical, _checksums is not null) : null;
            if (_checksums is not null)
            {
                CheckDirectoryBlock(directory, bytes, index, name);
            }
            CountNames(bytes, name);
        }
    }

    private void CheckDirectoryBlock(StoredInode directory, byte[] bytes, int? index, string name)
    {
        uint seed = _checksums!.InodeSeed(directory.Number, directory.Record.Generation);
        if (index is not { } start)
        {
            bool isSound = DirectoryBlock.HasTail(bytes)
                && Checksums.DirectoryBlock(seed, bytes.AsSpan(0, bytes.Length - DirectoryTail.Size))
                    == OnDisk.Read<DirectoryTail>(bytes.AsSpan(bytes.Length - DirectoryTail.Size)).Checksum;
            _problems.Require(isSound, $"{name}: wrong checksum");
            return;
        }
        int tail = start + OnDisk.Read<Le<ushort>>(bytes.AsSpan(start)) * IndexEntry.Size;
        int end = start + OnDisk.Read<Le<ushort>>(bytes.AsSpan(start + sizeof(ushort))) * IndexEntry.Size;
        _problems.Require(end <= tail && tail + IndexTail.Size <= bytes.Length
            && Checksums.IndexBlock(seed, bytes.AsSpan(0, end)) == OnDisk.Read<IndexTail>(bytes.AsSpan(tail)).Checksum,
            $"{name}: wrong checksum");
    }

    private void CountNames(byte[] block, string name)
    {
        int end = 0;
        foreach (var entry in DirectoryBlock.Entries(block))
        {
            end = entry.Offset + entry.Length;
            if (entry.IsUsed)
            {
                Count(entry.Header.Inode);
            }
        }
        int last = block.Length - (DirectoryBlock.HasTail(block) ? DirectoryTail.Size : 0);
        _problems.Require(end == last, $"{name}: the entry at {end} is damaged");
    }

    private void Count(uint inode) => _names[inode] = _names.GetValueOrDefault(inode) + 1;

    private void CheckLinks()
    {
        foreach (var (inode, links) in _links)
        {
            int names = _names.GetValueOrDefault(inode);
            // With dir_nlink a directory of too many has one link.
            bool isUncounted = links == 1 && names > 1 && _volume.Has(ReadOnlyCompatibleFeatures.DirectoryLinks) && names > Plan.MaximumLinks;
            _problems.Require(links == names || isUncounted, names == 0 ? $"inode {inode}: in use, and no name leads to it"
                : $"inode {inode}: {links} links, and {names} names lead to it");
        }
        foreach (uint inode in _names.Keys)
        {
            _problems.Require(_links.ContainsKey(inode), $"inode {inode}: a name leads to it, and it is not in use");
        }
    }
}
