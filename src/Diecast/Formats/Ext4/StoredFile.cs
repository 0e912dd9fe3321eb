using Diecast.Images;

namespace Diecast.Formats.Ext4;

/// <summary>The content of a stored file; where its blocks are is found out when it is first read.</summary>
internal sealed class StoredFile(Volume volume, StoredInode inode, bool isRemembered) : PlacedBlob
{
    private readonly Lazy<FileMap> _map = new(() =>
    {
        var map = FileMap.Of(volume, inode);
        if (isRemembered)
        {
            volume.CountMapped(map.BlockCount, $"ext4 inode {inode.Number}");
        }
        return map;
    });

    public override long Length => inode.Size;

    /// <summary>Without the unwritten runs, which read as zeros whatever their blocks hold.</summary>
    public override IEnumerable<Images.Placement> Placements
    {
        get
        {
            long blockSize = volume.BlockSize;
            foreach (var run in _map.Value.Runs)
            {
                long offset = run.Logical * blockSize;
                long length = Math.Min(run.Count * blockSize, Length - offset);
                if (length > 0 && !run.IsUnwritten)
                {
                    yield return new Images.Placement(offset, run.Physical * blockSize, length);
                }
            }
        }
    }

    public override string Describe() => $"ext4 inode {inode.Number}";

    protected override void ReadCore(long offset, Span<byte> destination)
    {
        destination.Clear();
        long blockSize = volume.BlockSize;
        long end = offset + destination.Length;
        var map = _map.Value;
        for (int i = map.FirstEndingAfter(offset / blockSize); i < map.Runs.Count; i++)
        {
            var run = map.Runs[i];
            long from = Math.Max(offset, run.Logical * blockSize);
            long to = Math.Min(end, run.End * blockSize);
            if (from >= to)
            {
                break;
            }
            if (!run.IsUnwritten)
            {
                long source = run.Physical * blockSize + (from - run.Logical * blockSize);
                volume.Read(source, destination[(int)(from - offset)..(int)(to - offset)]);
            }
        }
    }
}
