using Diecast.Binary;
using Diecast.Images;

namespace Diecast.Formats.Btrfs;

/// <summary>All bytes of the device, each range with its label.</summary>
internal sealed class LayoutBuilder
{
    private readonly Volume _volume;
    private readonly TreeIndex _index;
    private readonly PathFinder _paths;
    private readonly List<Extent> _extents = [];
    private readonly Dictionary<ulong, DataExtent> _data = [];

    /// <summary>Data and the file that it was first found in; a tree of 0 where no file has it.</summary>
    private readonly record struct DataExtent(ulong Length, ulong Tree, ulong Inode);

    private sealed record Owner(PathFinder Paths, ulong Tree, ulong Inode)
    {
        public override string ToString() => Paths.Describe(Tree, Inode);
    }

    public LayoutBuilder(Volume volume)
    {
        _volume = volume;
        _index = new TreeIndex(volume);
        _paths = new PathFinder(_index);
    }

    /// <exception cref="InvalidDataException">A tree is damaged, or two things claim the same bytes.</exception>
    public Image Build()
    {
        AddSuperblocks();
        foreach (var (block, root) in _index.Blocks())
        {
            AddBlock(block);
            if (block.IsLeaf)
            {
                AddDataOf(block, root);
            }
        }
        foreach (var (bytenr, extent) in _data)
        {
            AddData(bytenr, extent);
        }
        return WithGaps();
    }

    private void AddSuperblocks()
    {
        for (int i = 0; i < Volume.SuperblockOffsets.Length; i++)
        {
            long offset = Volume.SuperblockOffsets[i];
            if (_volume.Length - offset >= Superblock.Size)
            {
                _extents.Add(new Extent(offset, _volume.Slice(offset, Superblock.Size), LayoutLabels.Superblock(i)));
            }
        }
    }

    private void AddBlock(TreeBlock block)
    {
        var labels = new BlockLabels(block.Header.Owner, block.Header.Level, block.Bytenr);
        foreach (var (range, isFree) in BlockLabels.Parts(block.EntriesEnd, block.DataStart, _volume.NodeSize))
        {
            AddCopies(block.Bytenr + (ulong)range.Offset, range.Length, copy => labels.Of(isFree, copy));
        }
    }

    /// <summary>Notes the data that a leaf refers to: as extents, or as what files have.</summary>
    private void AddDataOf(TreeBlock leaf, ulong root)
    {
        const ulong dataFlag = 1;
        for (int i = 0; i < leaf.Count; i++)
        {
            var item = new TreeItem(leaf, i);
            var key = item.Key;
            if (key.Type == ItemType.ExtentItem && root == ObjectId.ExtentTree)
            {
                if ((item.Read<Le<ulong>>(16) & dataFlag) != 0)
                {
                    _data.TryAdd(key.Objectid, new DataExtent(key.Offset, 0, 0));
                }
            }
            else if (key.Type == ItemType.ExtentData)
            {
                AddFileExtent(item, root);
            }
        }
    }

    private void AddFileExtent(TreeItem item, ulong root)
    {
        if (item.Read<FileExtentHeader>().Type == 0)
        {
            return;
        }
        var place = item.Read<FileExtentPlace>(FileExtentHeader.Size);
        if (place.DiskBytenr != 0 && (!_data.TryGetValue(place.DiskBytenr, out var known) || known.Tree == 0))
        {
            _data[place.DiskBytenr] = new DataExtent(place.DiskNumBytes, root, item.Key.Objectid);
        }
    }

    private void AddData(ulong bytenr, DataExtent extent)
    {
        if (extent.Length > long.MaxValue)
        {
            throw new InvalidDataException($"btrfs data extent at {bytenr}: {extent.Length} bytes");
        }
        var label = extent.Tree == 0 ? new Label("btrfs data extent")
            : ObjectId.IsFileTree(extent.Tree) ? new Label(LayoutLabels.File, new Owner(_paths, extent.Tree, extent.Inode))
            : new Label($"btrfs data extent of {ObjectId.Name(extent.Tree)}, inode", extent.Inode);
        AddCopies(bytenr, (long)extent.Length, _ => label);
    }

    private void AddCopies(ulong logical, long length, Func<int, Label> label)
    {
        if (length == 0)
        {
            return;
        }
        var chunk = _volume.ChunkMap.Find(logical, length)
            ?? throw new InvalidDataException($"{label(0)}: no chunk has {length} bytes at {logical}");
        for (int copy = 0; copy < chunk.Stripes.Length; copy++)
        {
            long physical = chunk.Stripes[copy] + ((long)logical - chunk.Logical);
            _extents.Add(new Extent(physical, _volume.Slice(physical, length), label(copy)));
        }
    }

    private Image WithGaps()
    {
        _extents.Sort(static (a, b) => a.Offset.CompareTo(b.Offset));
        var builder = new ImageBuilder();
        long end = 0;
        foreach (var extent in _extents)
        {
            if (extent.Offset < end)
            {
                throw new InvalidDataException($"{extent.Label} at {extent.Offset} is claimed twice");
            }
            builder.Place(end, _volume.Slice(end, extent.Offset - end), LayoutLabels.Unused);
            builder.Place(extent.Offset, extent.Content, extent.Label);
            end = extent.End;
        }
        builder.Place(end, _volume.Slice(end, _volume.Length - end), LayoutLabels.Unused);
        return builder.Build(_volume.Length);
    }
}
