using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Fat;

/// <summary>A file or directory and its clusters, as far as they are sound.</summary>
/// <param name="Path">Null for the root.</param>
/// <param name="Entry">Null for the root, which has none.</param>
/// <param name="Runs">Of its chain.</param>
/// <param name="Damage">What is wrong with the chain, or with the directory; null for nothing.</param>
/// <param name="Shared">The first of its clusters that something else has too; 0 for none.</param>
internal sealed record ScannedFile(TreePath? Path, ParsedEntry? Entry, List<ClusterRun> Runs, string? Damage, uint Shared)
{
    public bool IsDirectory => Entry is not { } entry || entry.IsDirectory;
}

/// <summary>Goes through the tree of a volume that may be damaged: what is out of reach is said and left out.</summary>
internal sealed class TreeScan(Blob blob, BootRecord boot)
{
    private const int LargestDirectory = 65536 * ShortEntry.Size;
    private const int DeepestDirectory = 1000;

    private readonly Chains _chains = new(blob, boot);
    private long _followed;
    private readonly Stack<(TreePath? Path, ParsedEntry? Entry, int Depth)> _pending = new();

    /// <summary>All that has been come to.</summary>
    public ClaimedClusters Claimed { get; } = new(boot.Clusters);

    /// <summary>The bytes that a directory takes, in their order.</summary>
    public List<ByteRange> RangesOf(ScannedFile directory) => directory.Path is null && boot.Bits != 32
        ? [new ByteRange(boot.RootOffset, boot.RootLength)] : [.. _chains.Ranges(directory.Runs, LargestDirectory)];

    public byte[] ReadRanges(List<ByteRange> ranges)
    {
        var bytes = new byte[ranges.Sum(static range => range.Length)];
        int at = 0;
        foreach (var range in ranges)
        {
            blob.Read(range.Offset, bytes.AsSpan(at, (int)range.Length));
            at += (int)range.Length;
        }
        return bytes;
    }

    /// <summary>Every file and directory, parents first.</summary>
    public IEnumerable<ScannedFile> Walk()
    {
        _pending.Push((null, null, 0));
        while (_pending.TryPop(out var next))
        {
            uint first = next.Entry is { } entry ? entry.Cluster(boot.Bits) : boot.RootCluster;
            string? damage = null;
            if (_followed > 2 * boot.Clusters)
            {
                // Else a hostile volume could keep its reader busy with one chain for all of its files.
                yield return new ScannedFile(next.Path, next.Entry, [], "fat table: the files have more clusters than there are: not all were looked at", 0);
                yield break;
            }
            bool hasChain = next.Entry is null ? boot.Bits == 32 : first != 0 || next.Entry.Value.IsDirectory || next.Entry.Value.Short.FileSize != 0;
            var runs = hasChain ? _chains.FollowReadable(first, next.Path, out damage) : [];
            _followed += runs.Sum(static run => (long)run.Count);
            var file = new ScannedFile(next.Path, next.Entry, runs, damage, Claimed.ClaimFree(runs));
            // What is in a directory that is part of another one has been seen, or has no end.
            if (file.IsDirectory && file.Shared == 0 && next.Depth <= DeepestDirectory)
            {
                file = file with { Damage = damage ?? Push(file, next.Depth + 1) };
            }
            yield return file;
        }
    }

    private string? Push(ScannedFile directory, int depth)
    {
        try
        {
            foreach (var entry in DirectoryParser.Parse(ReadRanges(RangesOf(directory)), directory.Path))
            {
                _pending.Push((new TreePath(directory.Path, entry.Name), entry, depth));
            }
            return null;
        }
        catch (InvalidDataException error)
        {
            return error.Message;
        }
    }
}
