using System.Collections;
using System.Globalization;
using Diecast.Binary;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Fat;

/// <summary>Clusters that follow one another on the disk.</summary>
internal readonly record struct ClusterRun(uint First, uint Count);

/// <summary>Follows the chains of a file system of any origin.</summary>
internal sealed class Chains(Blob blob, BootRecord boot)
{
    private const int WindowSize = 4096;

    /// <summary>The whole chain that starts at a cluster.</summary>
    /// <exception cref="InvalidDataException">
    /// It leads out of the volume, to a free or bad cluster or back to itself, or is longer than allowed.
    /// </exception>
    public List<ClusterRun> Follow(uint first, TreePath? path, long mostClusters = long.MaxValue)
    {
        var runs = new List<ClusterRun>();
        Follow(first, path, mostClusters, runs);
        return runs;
    }

    /// <summary>What can be followed of a chain before the first damage, which is then said.</summary>
    public List<ClusterRun> FollowReadable(uint first, TreePath? path, out string? damage)
    {
        var runs = new List<ClusterRun>();
        damage = null;
        try
        {
            Follow(first, path, boot.Clusters, runs);
        }
        catch (InvalidDataException error)
        {
            damage = error.Message;
        }
        return runs;
    }

    private void Follow(uint first, TreePath? path, long mostClusters, List<ClusterRun> runs)
    {
        var window = new Window(blob, boot, boot.ActiveFat);
        uint cluster = first;
        // Brent's algorithm: a chain that comes back to a mark, which is moved at every power of two, is a loop.
        uint mark = 0;
        long untilNextMark = 1;
        for (long count = 1; ; count++)
        {
            if (cluster < 2 || cluster >= boot.Clusters + 2)
            {
                throw Damaged(path, count == 1 ? $"starts at cluster {cluster}" : $"has cluster {cluster} in its chain", cluster);
            }
            if (cluster == mark)
            {
                throw Damaged(path, $"has a loop in its chain at cluster {cluster}", cluster);
            }
            if (count > mostClusters)
            {
                throw Damaged(path, $"has more than {mostClusters} clusters", cluster);
            }
            if (count == untilNextMark)
            {
                (mark, untilNextMark) = (cluster, untilNextMark * 2);
            }
            Append(runs, cluster);
            uint next = window.Entry(cluster);
            if (next > boot.BadCluster)
            {
                return;
            }
            if (next == boot.BadCluster)
            {
                throw Damaged(path, $"has a bad cluster after cluster {cluster}", cluster);
            }
            cluster = next;
        }
    }

    /// <summary>The bytes of the first clusters of a chain.</summary>
    public IEnumerable<ByteRange> Ranges(List<ClusterRun> runs, long length)
    {
        foreach (var run in runs)
        {
            long part = Math.Min(length, (long)run.Count * boot.ClusterSize);
            if (part > 0)
            {
                yield return new ByteRange(boot.ClusterOffset(run.First), part);
            }
            length -= part;
        }
    }

    private static void Append(List<ClusterRun> runs, uint cluster)
    {
        if (runs.Count > 0 && runs[^1] is var last && last.First + last.Count == cluster)
        {
            runs[^1] = last with { Count = last.Count + 1 };
        }
        else
        {
            runs.Add(new ClusterRun(cluster, 1));
        }
    }

    private InvalidDataException Damaged(TreePath? path, string what, uint cluster) => new(string.Create(
        CultureInfo.InvariantCulture, $"fat table, entry {cluster} of {boot.Clusters + 2}: {path?.ToString() ?? "/"} {what}"));

    /// <summary>A part of the table: chains mostly ascend.</summary>
    public sealed class Window(Blob blob, BootRecord boot, int table)
    {
        private readonly byte[] _bytes = new byte[WindowSize];
        private long _start = -1;

        public uint Entry(uint cluster) => Raw(cluster) & 0x0FFF_FFFF;

        /// <summary>With the upper four bits of FAT32, which are no part of the number.</summary>
        public uint Raw(uint cluster)
        {
            long bit = (long)cluster * boot.Bits;
            uint value = Byte(bit / 8) | (uint)Byte(bit / 8 + 1) << 8;
            return boot.Bits switch
            {
                12 => (value >> (int)(bit % 8)) & 0xFFF,
                16 => value,
                _ => (value | (uint)Byte(bit / 8 + 2) << 16 | (uint)Byte(bit / 8 + 3) << 24),
            };
        }

        private byte Byte(long offset)
        {
            long start = offset.AlignDown(WindowSize);
            if (start != _start)
            {
                int length = (int)Math.Min(WindowSize, boot.FatLength - start);
                blob.Read(boot.FatOffset(table) + start, _bytes.AsSpan(0, length));
                _start = start;
            }
            return _bytes[offset - start];
        }
    }
}

/// <summary>The content of a file: the first bytes of its chain, which is followed when it is first read.</summary>
internal sealed class ChainBlob(Blob source, Chains chains, uint firstCluster, uint size, TreePath path) : PlacedBlob
{
    private readonly Lazy<ByteRange[]> _ranges = new(() => Follow(chains, firstCluster, size, path));

    public override long Length => size;

    public override IEnumerable<Placement> Placements
    {
        get
        {
            long offset = 0;
            foreach (var range in _ranges.Value)
            {
                yield return new Placement(offset, range.Offset, range.Length);
                offset += range.Length;
            }
        }
    }

    public override string Describe() => path.ToString();

    protected override void ReadCore(long offset, Span<byte> destination)
    {
        long start = 0;
        foreach (var range in _ranges.Value)
        {
            long end = start + range.Length;
            if (offset < end && !destination.IsEmpty)
            {
                int part = (int)Math.Min(destination.Length, end - offset);
                source.Read(range.Offset + (offset - start), destination[..part]);
                destination = destination[part..];
                offset += part;
            }
            start = end;
        }
    }

    private static ByteRange[] Follow(Chains chains, uint firstCluster, uint size, TreePath path)
    {
        if (size == 0)
        {
            return [];
        }
        ByteRange[] ranges = [.. chains.Ranges(chains.Follow(firstCluster, path), size)];
        long found = ranges.Sum(static range => range.Length);
        return found == size ? ranges
            : throw new InvalidDataException($"fat table: the chain of {path} has {found} of its {size} bytes");
    }
}

/// <summary>Which clusters something has: none may belong to two.</summary>
internal sealed class ClaimedClusters(long clusters)
{
    private readonly BitArray _claimed = new(checked((int)clusters + 2));
    private readonly Dictionary<uint, TreePath?> _directories = [];
    private readonly Lock _lock = new();

    /// <summary>Claims the chain of a directory; one that was let go of may be read again at the same path.</summary>
    /// <inheritdoc cref="Claim"/>
    public void ClaimDirectory(uint first, List<ClusterRun> runs, TreePath? path)
    {
        lock (_lock)
        {
            if (_directories.TryGetValue(first, out var owner) && owner == path)
            {
                return;
            }
            Claim(runs, path);
            _directories[first] = path;
        }
    }

    public bool this[uint cluster] => _claimed[(int)cluster];

    /// <summary>Claims what nothing else has; gives the first cluster that something has, or 0.</summary>
    public uint ClaimFree(List<ClusterRun> runs)
    {
        uint taken = 0;
        foreach (var run in runs)
        {
            for (uint cluster = run.First; cluster < run.First + run.Count; cluster++)
            {
                taken = taken == 0 && _claimed[(int)cluster] ? cluster : taken;
                _claimed[(int)cluster] = true;
            }
        }
        return taken;
    }

    /// <exception cref="InvalidDataException">A cluster of the chain has been claimed before.</exception>
    public void Claim(List<ClusterRun> runs, TreePath? path)
    {
        lock (_lock)
        {
            foreach (var run in runs)
            {
                for (uint cluster = run.First; cluster < run.First + run.Count; cluster++)
                {
                    if (_claimed[(int)cluster])
                    {
                        throw new InvalidDataException(
                            $"fat table: cluster {cluster} of {path?.ToString() ?? "/"} belongs to something else too");
                    }
                    _claimed[(int)cluster] = true;
                }
            }
        }
    }
}
