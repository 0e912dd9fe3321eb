using Diecast.Binary;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Ext4;

/// <summary>All bytes of the file system, each range with the label that the writer gives it.</summary>
internal sealed partial class Reader
{
    private Image Layout()
    {
        var extents = new List<Extent>();
        AddGroups(extents);
        AddOwnInodes(extents);
        AddTree(extents);
        extents.Sort(static (a, b) => a.Offset.CompareTo(b.Offset));
        var builder = new ImageBuilder();
        long end = 0;
        foreach (var extent in extents)
        {
            if (extent.Offset < end)
            {
                throw new InvalidDataException($"{extent.Label} at {extent.Offset} is claimed twice");
            }
            AddUnused(end, extent.Offset);
            builder.Place(extent.Offset, extent.Content, extent.Label);
            end = extent.End;
        }
        AddUnused(end, _volume.Length);
        return builder.Build(_volume.Length);

        void AddUnused(long from, long to)
        {
            if (to > from)
            {
                builder.Place(from, _volume.Slice(from, to - from), Writer.Unclaimed);
            }
        }
    }

    private void Add(List<Extent> extents, long block, long blocks, Label label)
    {
        _volume.RequireBlocks(block, blocks, label.ToString());
        extents.Add(new Extent(
            block * _volume.BlockSize, _volume.Slice(block * _volume.BlockSize, blocks * _volume.BlockSize), label));
    }

    private void AddGroups(List<Extent> extents)
    {
        extents.Add(new Extent(Superblock.Offset, _volume.Slice(Superblock.Offset, Superblock.Size), "ext4 superblock"));
        for (int group = 0; group < _volume.Groups; group++)
        {
            if (group > 0 && _volume.HasSuperblock(group))
            {
                Add(extents, _volume.GroupStart(group), 1, Writer.GroupLabel(group, Writer.SuperblockCopy));
            }
            AddTables(extents, group);
        }
        foreach (var (group, start, count, _, isCopy) in _volume.DescriptorRuns())
        {
            Add(extents, start, count,
                group == 0 ? Writer.Descriptors : Writer.GroupLabel(group, isCopy ? Writer.DescriptorsCopy : "descriptors"));
        }
    }

    private void AddTables(List<Extent> extents, int group)
    {
        var descriptor = _volume.Descriptor(group);
        // Without checksums of the groups the flags mean nothing, and everything is in use.
        bool lazy = _volume.Has(ReadOnlyCompatibleFeatures.MetadataChecksums | ReadOnlyCompatibleFeatures.GroupChecksums);
        int flags = lazy ? descriptor.Flags : 0;
        if ((flags & GroupDescriptor.BlockUninitialized) == 0)
        {
            Add(extents, descriptor.BlockBitmap, 1, Writer.GroupLabel(group, Writer.BlockBitmapPart));
        }
        if ((flags & GroupDescriptor.InodeUninitialized) == 0)
        {
            Add(extents, descriptor.InodeBitmap, 1, Writer.GroupLabel(group, Writer.InodeBitmapPart));
            long unused = lazy ? descriptor.UnusedInodesCountLow | (long)descriptor.UnusedInodesCountHigh.Value << 16 : 0;
            long used = Math.Clamp(_volume.Superblock.InodesPerGroup - unused, 0, _volume.Superblock.InodesPerGroup);
            Add(extents, descriptor.InodeTable, (used * _volume.InodeSize).DivideUp(_volume.BlockSize),
                Writer.GroupLabel(group, Writer.InodeTablePart));
        }
    }

    private void AddOwnInodes(List<Extent> extents)
    {
        if (_volume.Has(CompatibleFeatures.ResizeInode))
        {
            AddResizeInode(extents);
        }
        if (_volume.Has(CompatibleFeatures.OrphanFile))
        {
            AddContents(extents, _volume.Inode(_volume.Superblock.OrphanFileInode), "ext4 orphan file", "ext4 orphan file");
        }
        if (_volume.Has(CompatibleFeatures.HasJournal) && _volume.Superblock.JournalInode != 0)
        {
            AddContents(extents, _volume.Inode(_volume.Superblock.JournalInode), Writer.Journal, Writer.JournalExtents);
        }
    }

    /// <summary>
    /// The first block of its tree is its own; all others are descriptor blocks to come, or copies of them.
    /// </summary>
    private void AddResizeInode(List<Extent> extents)
    {
        var map = FileMap.Of(_volume, _volume.Inode(Plan.ResizeInode));
        for (int i = 0; i < map.TreeBlocks.Count; i++)
        {
            Add(extents, map.TreeBlocks[i], 1, i == 0 ? Writer.ResizeInodeLabel : Writer.ReservedDescriptor);
        }
        foreach (var run in map.Runs)
        {
            Add(extents, run.Physical, run.Count, Writer.ReservedDescriptor);
        }
    }

    private void AddContents(List<Extent> extents, StoredInode inode, Label content, Label tree)
    {
        if (inode.Has(InodeRecord.InlineDataFlag))
        {
            return;
        }
        var map = FileMap.Of(_volume, inode);
        foreach (var run in map.Runs)
        {
            Add(extents, run.Physical, run.Count, content);
        }
        foreach (long block in map.TreeBlocks)
        {
            Add(extents, block, 1, tree);
        }
    }

    /// <summary>A walk of its own over inode numbers: the tree's nodes do not know theirs.</summary>
    private void AddTree(List<Extent> extents)
    {
        var seen = new HashSet<uint>();
        var attributeBlocks = new HashSet<long>();
        var pending = new Stack<(TreePath? Path, uint Inode)>();
        pending.Push((null, Plan.RootInode));
        while (pending.TryPop(out var entry))
        {
            if (!seen.Add(entry.Inode))
            {
                continue;
            }
            var inode = _volume.Inode(entry.Inode);
            object path = (object?)entry.Path ?? "/";
            string kind = inode.Type switch
            {
                Posix.S_IFDIR => Writer.DirectoryKind,
                Posix.S_IFLNK => Writer.SymlinkKind,
                _ => Writer.FileKind,
            };
            if (HasBlocks(inode))
            {
                AddContents(extents, inode, new Label(kind, path), new Label(Writer.ExtentsKind, path));
            }
            long attributes = XattrReader.BlockOf(_volume, inode);
            if (attributes != 0 && attributeBlocks.Add(attributes))
            {
                Add(extents, attributes, 1, new Label(Writer.XattrsKind, path));
            }
            if (inode.Type == Posix.S_IFDIR)
            {
                // Backwards, so that of several names of a file the first one comes first.
                foreach (var (name, number) in Names(inode).OrderByDescending(static e => e.Name, Comparer<FileName>.Default))
                {
                    pending.Push((new TreePath(entry.Path, name), number));
                }
            }
        }
    }

    private static bool HasBlocks(StoredInode inode) => inode.Type switch
    {
        Posix.S_IFREG or Posix.S_IFDIR => true,
        Posix.S_IFLNK => inode.Has(InodeRecord.ExtentsFlag) || inode.Size > Plan.ShortTarget,
        _ => false,
    };
}
