using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Fat;

/// <summary>Reads a FAT file system of any origin. What a mount would show, with modes 0755 and 0644 and owner 0.</summary>
internal sealed class Reader
{
    private const int LargestDirectory = 65536 * ShortEntry.Size;

    /// <summary>Deeper than any real tree; so that a hostile one does not exhaust the stack of those who walk it.</summary>
    private const int DeepestDirectory = 1000;

    private readonly Blob _blob;
    private readonly BootRecord _boot;
    private readonly Chains _chains;

    public Reader(Blob blob)
    {
        _blob = blob;
        _boot = new BootRecord(blob);
        _chains = new Chains(blob, _boot);
    }

    public FileSystemView View()
    {
        var claimed = new ClaimedClusters(_boot.Clusters);
        // FAT has no entry, and so no time, for its root.
        var root = new DirectoryNode(DirectoryMetadata(new Timestamp(0)), () => Load(_boot.RootCluster, null, 0, claimed));
        return new FileSystemView
        {
            Tree = new FileTree(root),
            Fields = _boot.Fields(),
            Layout = Layout,
            FieldFinder = () => FieldFinder.Of(_blob),
            Check = () => Checker.Check(_blob),
        };
    }

    private IEnumerable<DirectoryEntry> Load(uint cluster, TreePath? path, int depth, ClaimedClusters claimed)
    {
        var (_, parsed) = ReadDirectory(cluster, path, depth, claimed);
        foreach (var entry in parsed)
        {
            var childPath = new TreePath(path, entry.Name);
            uint first = entry.Cluster(_boot.Bits);
            var mtime = new DosTime(entry.Short.WrtDate, entry.Short.WrtTime).ToTimestamp();
            Node node = entry.IsDirectory
                ? new DirectoryNode(DirectoryMetadata(mtime), () => Load(first, childPath, depth + 1, claimed))
                : new FileNode(FileMetadata(entry.Short, mtime), new ChainBlob(_blob, _chains, first, entry.Short.FileSize, childPath));
            yield return new DirectoryEntry(entry.Name, node);
        }
    }

    private (List<ByteRange> Ranges, List<ParsedEntry> Entries) ReadDirectory(
        uint cluster, TreePath? path, int depth, ClaimedClusters claimed)
    {
        if (depth > DeepestDirectory)
        {
            throw new InvalidDataException($"directory at cluster {cluster}: more than {DeepestDirectory} directories deep");
        }
        List<ByteRange> ranges;
        if (path is null && _boot.Bits != 32)
        {
            ranges = [new ByteRange(_boot.RootOffset, _boot.RootLength)];
        }
        else
        {
            var runs = _chains.Follow(cluster, path, Math.Max(1, LargestDirectory / _boot.ClusterSize));
            claimed.ClaimDirectory(cluster, runs, path);
            ranges = [.. _chains.Ranges(runs, long.MaxValue)];
        }
        var bytes = new byte[ranges.Sum(static range => range.Length)];
        int at = 0;
        foreach (var range in ranges)
        {
            _blob.Read(range.Offset, bytes.AsSpan(at, (int)range.Length));
            at += (int)range.Length;
        }
        return (ranges, DirectoryParser.Parse(bytes, path));
    }

    private static Metadata DirectoryMetadata(Timestamp mtime) => new(0x1ED, 0, 0, mtime);

    private static Metadata FileMetadata(in ShortEntry entry, Timestamp mtime) =>
        new((ushort)((entry.Attr & ShortEntry.ReadOnly) != 0 ? 0x124 : 0x1A4), 0, 0, mtime);

    /// <summary>All the bytes: the parts that the writer labels too, and what is left between them as "fat unused".</summary>
    private Image Layout()
    {
        var parts = new List<(ByteRange Range, Label Label)>(_boot.Parts());
        var claimed = new ClaimedClusters(_boot.Clusters);
        var pending = new Stack<(uint Cluster, TreePath? Path, int Depth)>([(_boot.RootCluster, null, 0)]);
        while (pending.TryPop(out var directory))
        {
            var (ranges, entries) = ReadDirectory(directory.Cluster, directory.Path, directory.Depth, claimed);
            parts.AddRange(ranges.Select(range => (range, new Label("directory", (object?)directory.Path ?? "/"))));
            foreach (var entry in entries)
            {
                var path = new TreePath(directory.Path, entry.Name);
                uint first = entry.Cluster(_boot.Bits);
                if (entry.IsDirectory)
                {
                    pending.Push((first, path, directory.Depth + 1));
                }
                else if (entry.Short.FileSize > 0)
                {
                    var runs = _chains.Follow(first, path);
                    claimed.Claim(runs, path);
                    parts.AddRange(_chains.Ranges(runs, entry.Short.FileSize).Select(range => (range, new Label("file", path))));
                }
            }
        }
        return WithGaps(parts);
    }

    private Image WithGaps(List<(ByteRange Range, Label Label)> parts)
    {
        parts.Sort(static (a, b) => a.Range.Offset.CompareTo(b.Range.Offset));
        var image = new ImageBuilder();
        long end = 0;
        foreach (var (range, label) in parts)
        {
            if (range.Offset < end)
            {
                throw new InvalidDataException($"{label} at {range.Offset}: overlaps what lies before it");
            }
            image.Place(end, _blob.Slice(end, range.Offset - end), "fat unused");
            image.Place(range.Offset, _blob.Slice(range.Offset, range.Length), label);
            end = range.End;
        }
        image.Place(end, _blob.Slice(end, _blob.Length - end), "fat unused");
        return image.Build(_blob.Length);
    }
}
