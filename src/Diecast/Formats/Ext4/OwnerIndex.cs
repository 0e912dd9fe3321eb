using Diecast.Binary;
using Diecast.Trees;

namespace Diecast.Formats.Ext4;

/// <summary>
/// Which inode the blocks of metadata outside of the groups' tables belong to, and the paths of the inodes. Made by one pass
/// over the inode tables and directories; what of them is damaged is left out.
/// </summary>
internal sealed class OwnerIndex
{
    private const int FirstIndirect = 12;

    private readonly Volume _volume;
    private readonly List<BlockRun> _runs = [];
    private long _blocks;

    public OwnerIndex(Volume volume)
    {
        _volume = volume;
        // Tables that claim to be larger than the file system stand one in the other.
        if (volume.Superblock.InodesCount * (long)volume.InodeSize > volume.Length)
        {
            throw new InvalidDataException($"ext4: {volume.Superblock.InodesCount.Value} inodes in {volume.Length} bytes");
        }
        for (int group = 0; group < volume.Groups; group++)
        {
            AddGroup(group);
        }
        if (volume.Has(IncompatibleFeatures.MultipleMountProtection))
        {
            _runs.Add(new BlockRun((long)volume.Superblock.MmpBlock.Value, 1, BlockKind.MultipleMountProtection, 0));
        }
        Blocks = new BlockIndex(_runs);
    }

    public BlockIndex Blocks { get; }

    public PathIndex Paths { get; } = new();

    private void AddGroup(int group)
    {
        try
        {
            foreach (var inode in InodeScan.Used(_volume, group))
            {
                if (inode.Record.LinksCount != 0 || inode.Number < Layout.FirstInode)
                {
                    Add(inode);
                }
            }
        }
        catch (InvalidDataException)
        {
            // A group without a table: nothing of it is found.
        }
    }

    private void Add(StoredInode inode)
    {
        long attributes = XattrReader.BlockOf(_volume, inode);
        if (attributes != 0)
        {
            _runs.Add(new BlockRun(attributes, 1, BlockKind.Attributes, inode.Number));
        }
        try
        {
            if (inode.Has(InodeRecord.InlineDataFlag))
            {
                AddInlineNames(inode);
            }
            else if (KindOf(inode) is { } kind)
            {
                AddBlocks(inode, kind);
            }
            else if (HasTree(inode))
            {
                AddTree(inode, Map(inode));
            }
        }
        catch (InvalidDataException)
        {
            // Names out of reach, or no end of blocks: the rest of what belongs to it is not known.
        }
    }

    private BlockKind? KindOf(StoredInode inode) =>
        inode.Type == Posix.S_IFDIR ? (inode.Has(InodeRecord.IndexFlag) ? BlockKind.IndexedDirectory : BlockKind.Directory)
        : _volume.Has(CompatibleFeatures.HasJournal) && inode.Number == _volume.Superblock.JournalInode ? BlockKind.Journal
        : _volume.Has(CompatibleFeatures.OrphanFile) && inode.Number == _volume.Superblock.OrphanFileInode ? BlockKind.OrphanFile
        : null;

    /// <summary>Whether there are blocks of the extent tree or of block numbers.</summary>
    private static bool HasTree(StoredInode inode)
    {
        var block = inode.Record.Block;
        if (inode.Has(InodeRecord.ExtentsFlag))
        {
            return OnDisk.Read<ExtentHeader>(block).Depth > 0;
        }
        return inode.Type == Posix.S_IFREG && block[(FirstIndirect * sizeof(uint))..].ContainsAnyExcept((byte)0);
    }

    private void AddBlocks(StoredInode inode, BlockKind kind)
    {
        var map = Map(inode);
        AddTree(inode, map);
        foreach (var run in map.Runs)
        {
            _runs.Add(new BlockRun(run.Physical, run.Count, kind, inode.Number, run.Logical));
            for (long i = 0; i < run.Count && inode.Type == Posix.S_IFDIR && !run.IsUnwritten; i++)
            {
                AddNames(inode.Number, _volume.ReadBlock(run.Physical + i, "ext4 directory"));
            }
        }
    }

    private FileMap Map(StoredInode inode)
    {
        // No block is in two trees: else a hostile image could keep its reader busy for as long as it likes.
        if (_blocks > _volume.Blocks)
        {
            throw new InvalidDataException("ext4: the files have more blocks than the file system");
        }
        var map = FileMap.ReadableOf(_volume, inode, out _);
        _blocks += map.BlockCount;
        return map;
    }

    private void AddTree(StoredInode inode, FileMap map)
    {
        var kind = inode.Has(InodeRecord.ExtentsFlag) ? BlockKind.ExtentNode : BlockKind.Pointers;
        for (int i = 0; i < map.TreeBlocks.Count; i++)
        {
            _runs.Add(new BlockRun(map.TreeBlocks[i], 1, kind, inode.Number, i));
        }
    }

    private void AddNames(uint directory, byte[] block)
    {
        foreach (var entry in DirectoryBlock.Entries(block))
        {
            if (entry.IsUsed && !entry.IsDots(block))
            {
                Paths.Add(entry.Header.Inode, directory, entry.Name(block));
            }
        }
    }

    private void AddInlineNames(StoredInode inode)
    {
        if (inode.Type == Posix.S_IFDIR)
        {
            var block = inode.Record.Block;
            AddNames(inode.Number, block[sizeof(uint)..].ToArray());
            AddNames(inode.Number, new XattrReader(_volume).InlineData(inode));
        }
    }
}
