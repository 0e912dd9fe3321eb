using Diecast.Binary;

namespace Diecast.Formats.Btrfs;

/// <summary>BTRFS_BLOCK_GROUP_*: what a chunk holds, and how.</summary>
[Flags]
internal enum ChunkType : ulong
{
    None = 0,
    Data = 1 << 0,
    System = 1 << 1,
    Metadata = 1 << 2,
    Raid0 = 1 << 3,
    Raid1 = 1 << 4,
    Dup = 1 << 5,
    Raid10 = 1 << 6,
    Raid5 = 1 << 7,
    Raid6 = 1 << 8,
    Raid1C3 = 1 << 9,
    Raid1C4 = 1 << 10,
    Raid = Raid0 | Raid1 | Raid10 | Raid5 | Raid6 | Raid1C3 | Raid1C4,
}

internal static class ChunkTypes
{
    private static readonly (ChunkType Type, string Name)[] s_names =
    [
        (ChunkType.Data, "DATA"), (ChunkType.System, "SYSTEM"), (ChunkType.Metadata, "METADATA"), (ChunkType.Raid0, "RAID0"),
        (ChunkType.Raid1, "RAID1"), (ChunkType.Dup, "DUP"), (ChunkType.Raid10, "RAID10"), (ChunkType.Raid5, "RAID5"),
        (ChunkType.Raid6, "RAID6"), (ChunkType.Raid1C3, "RAID1C3"), (ChunkType.Raid1C4, "RAID1C4"),
    ];

    /// <summary>"METADATA|DUP", "DATA|single"; bits without a name in hexadecimal.</summary>
    public static string Name(ChunkType type)
    {
        var names = s_names.Where(entry => (type & entry.Type) != 0).Select(static entry => entry.Name).ToList();
        if ((type & (ChunkType.Raid | ChunkType.Dup)) == 0)
        {
            names.Add("single");
        }
        ulong unknown = (ulong)type & ~(ulong)s_names.Aggregate(ChunkType.None, static (all, entry) => all | entry.Type);
        if (unknown != 0)
        {
            names.Add($"0x{unknown:x}");
        }
        return string.Join('|', names);
    }
}

/// <summary>A run of logical addresses and where each of its copies lies on the device; all in bytes.</summary>
internal sealed record Chunk(long Logical, long Length, ChunkType Type, long[] Stripes)
{
    public long End => Logical + Length;
}

/// <summary>
/// From the logical addresses of https://btrfs.readthedocs.io/en/latest/dev/On-disk-format.html to places on the one device,
/// and back. No two chunks overlap, on either side.
/// </summary>
internal sealed class ChunkMap
{
    private readonly List<Chunk> _chunks;
    private readonly (long Start, Chunk Chunk, int Copy)[] _stripes;

    /// <param name="chunks">In any order.</param>
    /// <exception cref="InvalidDataException">Chunks overlap.</exception>
    public ChunkMap(IEnumerable<Chunk> chunks)
    {
        _chunks = [.. chunks.OrderBy(static chunk => chunk.Logical, Comparer<long>.Default)];
        for (int i = 1; i < _chunks.Count; i++)
        {
            if (_chunks[i].Logical < _chunks[i - 1].End)
            {
                throw new InvalidDataException($"btrfs chunk {_chunks[i].Logical}: overlaps the chunk {_chunks[i - 1].Logical}");
            }
        }
        _stripes =
        [
            .. _chunks.SelectMany(static chunk => chunk.Stripes.Select((start, copy) => (start, chunk, copy)))
                .OrderBy(static stripe => stripe.start, Comparer<long>.Default),
        ];
        for (int i = 1; i < _stripes.Length; i++)
        {
            var before = _stripes[i - 1];
            if (_stripes[i].Start - before.Start < before.Chunk.Length)
            {
                throw new InvalidDataException(
                    $"btrfs chunk {_stripes[i].Chunk.Logical}: its stripe at {_stripes[i].Start} overlaps the chunk {before.Chunk.Logical}");
            }
        }
    }

    /// <summary>Ascending.</summary>
    public IReadOnlyList<Chunk> Chunks => _chunks;

    /// <summary>A chunk from its item; the key's offset is its logical address.</summary>
    /// <param name="length">Of the device.</param>
    /// <exception cref="InvalidDataException">It is damaged, or of a profile that needs several devices.</exception>
    public static Chunk Parse(Key key, ReadOnlySpan<byte> item, long length, ulong device)
    {
        string name = $"btrfs chunk {key.Offset}";
        Require(key.Type == ItemType.ChunkItem, name, $"a key of the type {Key.TypeName(key.Type)}");
        var chunk = OnDisk.Read<ChunkItem>(item);
        var type = (ChunkType)chunk.Type.Value;
        Require((type & ChunkType.Raid) == 0, name, $"{ChunkTypes.Name(type)}: file systems on several devices are not read");
        int copies = (type & ChunkType.Dup) != 0 ? 2 : 1;
        Require(chunk.NumStripes == copies, name, $"{chunk.NumStripes} stripes of {ChunkTypes.Name(type)}");
        Require(item.Length == ChunkItem.Size + copies * Stripe.Size, name, $"an item of {item.Length} bytes");
        Require(chunk.Length > 0 && chunk.Length <= (ulong)length, name, $"{chunk.Length} bytes on a device of {length}");
        Require(key.Offset <= long.MaxValue - chunk.Length, name, "the address is too large");
        var stripes = new long[copies];
        for (int i = 0; i < copies; i++)
        {
            var stripe = OnDisk.Read<Stripe>(item[(ChunkItem.Size + i * Stripe.Size)..]);
            Require(stripe.Devid == device, name, $"a stripe on the device {stripe.Devid}, and only {device} is there");
            Require(stripe.Offset <= (ulong)length - chunk.Length, name, $"a stripe at {stripe.Offset} of a device of {length} bytes");
            stripes[i] = (long)stripe.Offset.Value;
        }
        return new Chunk((long)key.Offset, (long)chunk.Length.Value, type, stripes);
    }

    /// <summary>The chunk that holds the whole of a range of logical addresses, or null.</summary>
    public Chunk? Find(ulong logical, long length)
    {
        if (logical > long.MaxValue)
        {
            return null;
        }
        int index = LastNotAfter(_chunks.Count, i => _chunks[i].Logical, (long)logical);
        return index >= 0 && length >= 0 && (long)logical < _chunks[index].End && length <= _chunks[index].End - (long)logical
            ? _chunks[index] : null;
    }

    /// <summary>The logical address of a byte of the device, and which copy it is of; null where no chunk is.</summary>
    public (long Logical, Chunk Chunk, int Copy)? ToLogical(long physical)
    {
        int index = LastNotAfter(_stripes.Length, i => _stripes[i].Start, physical);
        if (index < 0 || physical - _stripes[index].Start >= _stripes[index].Chunk.Length)
        {
            return null;
        }
        var (start, chunk, copy) = _stripes[index];
        return (chunk.Logical + (physical - start), chunk, copy);
    }

    /// <summary>The last index whose start is not after the value, or -1.</summary>
    private static int LastNotAfter(int count, Func<int, long> start, long value)
    {
        int low = 0;
        int high = count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = start(middle) <= value ? (middle + 1, high) : (low, middle);
        }
        return low - 1;
    }

    private static void Require(bool condition, string structure, string problem)
    {
        if (!condition)
        {
            throw new InvalidDataException($"{structure}: {problem}");
        }
    }
}
