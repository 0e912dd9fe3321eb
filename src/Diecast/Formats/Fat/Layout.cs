using Diecast.Binary;

namespace Diecast.Formats.Fat;

/// <summary>Where the parts of a FAT file system lie. All counts are in sectors unless they say otherwise.</summary>
internal sealed record Layout
{
    /// <summary>The type by its number of clusters: fatgen103, "FAT Type Determination". Drivers do not agree to the
    /// last cluster, so a type keeps this far from the thresholds.</summary>
    public const int Margin = 16;

    private const int Fat12Limit = 4085;
    private const int Fat16Limit = 65525;
    private const long Fat32Limit = 0x0FFF_FFF5;
    private const int LargestCluster = 32 * 1024;
    private const int Grain = 4096;
    private const int Fat32ReservedSectors = 32;
    public const int FatCount = 2;

    /// <summary>12, 16 or 32.</summary>
    public required int Bits { get; init; }

    /// <summary>In bytes.</summary>
    public required int SectorSize { get; init; }

    public required int SectorsPerCluster { get; init; }
    public required int ReservedSectors { get; init; }
    public required long FatSectors { get; init; }

    /// <summary>Of 32 bytes each; none on FAT32, whose root is a chain of clusters.</summary>
    public required int RootEntries { get; init; }

    public required long Clusters { get; init; }
    public required long TotalSectors { get; init; }

    public int ClusterSize => SectorSize * SectorsPerCluster;
    public long FatOffset(int table) => (ReservedSectors + table * FatSectors) * SectorSize;
    public long FatLength => FatSectors * SectorSize;
    public long RootOffset => FatOffset(FatCount);
    public long RootLength => (long)RootEntries * ShortEntry.Size;
    public long DataOffset => RootOffset + RootLength;
    public long ClusterOffset(long cluster) => DataOffset + (cluster - 2) * ClusterSize;

    /// <summary>
    /// The layout that a size in bytes gets, or null where no layout of the wanted type has that size.
    /// </summary>
    public static Layout? For(long size, int sectorSize, int? bits, int rootEntries)
    {
        long sectors = size / sectorSize;
        foreach (var shape in Shapes(sectorSize, bits, rootEntries))
        {
            if (sectors >= shape.LeastSectors && sectors <= shape.MostSectors)
            {
                return shape.Place(sectors);
            }
        }
        return null;
    }

    /// <summary>
    /// The least size in bytes, a multiple of 4096 or what <paramref name="least"/> rounds down to, whose layout has the clusters that are needed
    /// at its cluster size; null where there is none.
    /// </summary>
    public static long? LeastSize(
        int sectorSize, int? bits, int rootEntries, Func<Layout, long> clustersNeeded, long least = 0)
    {
        foreach (var shape in Shapes(sectorSize, bits, rootEntries))
        {
            long needed = clustersNeeded(shape.Place(shape.LeastSectors));
            if (needed > shape.MostClusters)
            {
                continue;
            }
            long sectors = Math.Max(Math.Max(shape.SectorsFor(needed), shape.LeastSectors).AlignUp(Grain / sectorSize), least / sectorSize);
            if (sectors <= shape.MostSectors)
            {
                return sectors * sectorSize;
            }
        }
        return null;
    }

    /// <summary>
    /// Which type and cluster size stand for which range of sizes: ascending, without overlap. Without a wish the widest
    /// type that the size allows: firmware wants FAT32 on a fixed disk (UEFI specification, 13.3.1.1).
    /// </summary>
    private static IEnumerable<Shape> Shapes(int sectorSize, int? bits, int rootEntries)
    {
        int root = rootEntries * ShortEntry.Size / sectorSize;
        var small = new List<Shape>();
        var fat32 = Fat32Shapes(sectorSize);
        long end = bits is 12 or 16 ? long.MaxValue : fat32[0].LeastSectors;
        var fat16 = DoublingShapes(sectorSize, 16, root, end);
        if (bits is null or 16)
        {
            small = fat16;
        }
        if (bits is null or 12)
        {
            small = [.. DoublingShapes(sectorSize, 12, root, bits is null ? fat16[0].LeastSectors : end), .. small];
        }
        return bits is null ? small.Concat(fat32) : bits == 32 ? fat32 : small;
    }

    /// <summary>FAT12 and FAT16: the smallest cluster that makes few enough of them.</summary>
    private static List<Shape> DoublingShapes(int sectorSize, int bits, int rootSectors, long end)
    {
        var shapes = new List<Shape>();
        int least = bits == 12 ? 1 : Fat12Limit + Margin;
        int most = (bits == 12 ? Fat12Limit : Fat16Limit) - 1 - Margin;
        long start = 0;
        for (int perCluster = 1; perCluster * sectorSize <= LargestCluster && start < end; perCluster *= 2)
        {
            var shape = new Shape(bits, sectorSize, perCluster, 1, rootSectors, most);
            start = Math.Max(start, shape.SectorsFor(least));
            shape = shape with { LeastSectors = start, MostSectors = Math.Min(shape.SectorsFor(most + 1), end) - 1 };
            shapes.Add(shape);
            start = shape.MostSectors + 1;
        }
        return shapes;
    }

    /// <summary>
    /// FAT32: clusters as mkfs.fat 4.2 chooses them: a sector up to 260 MiB, 4 KiB up to 8 GiB, and so on.
    /// </summary>
    private static List<Shape> Fat32Shapes(int sectorSize)
    {
        const long mebibyte = 1 << 20;
        const long gibibyte = 1 << 30;
        (long End, int ClusterSize)[] table =
        [
            (260 * mebibyte, 512), (8 * gibibyte, 4096), (16 * gibibyte, 8192), (32 * gibibyte, 16384),
            (long.MaxValue, 32768),
        ];
        var shapes = new List<Shape>();
        long start = 0;
        foreach (var (end, clusterSize) in table)
        {
            int perCluster = Math.Max(clusterSize, sectorSize) / sectorSize;
            int reserved = Math.Max(Fat32ReservedSectors, perCluster);
            var shape = new Shape(32, sectorSize, perCluster, reserved, 0, Fat32Limit - 1 - Margin);
            shape = shape with
            {
                LeastSectors = Math.Max(start, shape.SectorsFor(Fat16Limit + Margin)),
                MostSectors = Math.Min(end == long.MaxValue ? long.MaxValue : end / sectorSize, uint.MaxValue),
            };
            start = shape.MostSectors + 1;
            shapes.Add(shape);
        }
        return shapes;
    }

    /// <summary>A type with a cluster size, for sizes from one to another number of sectors.</summary>
    private sealed record Shape(int Bits, int SectorSize, int PerCluster, int Reserved, int RootSectors, long MostClusters)
    {
        public long LeastSectors { get; init; }
        public long MostSectors { get; init; }

        /// <summary>
        /// The sectors that a number of clusters takes. On FAT32 reserved area and tables are whole clusters, so that
        /// clusters lie at multiples of their size.
        /// </summary>
        public long SectorsFor(long clusters) => Reserved + FatCount * FatSectors(clusters) + RootSectors + clusters * PerCluster;

        private long FatSectors(long clusters) =>
            ((clusters + 2) * Bits).DivideUp(8).DivideUp(SectorSize).AlignUp(Bits == 32 ? PerCluster : 1);

        public Layout Place(long sectors)
        {
            long low = 0;
            long high = MostClusters;
            while (low < high)
            {
                long middle = (low + high + 1) / 2;
                (low, high) = SectorsFor(middle) <= sectors ? (middle, high) : (low, middle - 1);
            }
            // Readers count clusters by the data area's size, so it must not have room for one that the tables lack.
            long used = Math.Min(sectors, SectorsFor(low) + PerCluster - 1);
            return new Layout
            {
                Bits = Bits,
                SectorSize = SectorSize,
                SectorsPerCluster = PerCluster,
                ReservedSectors = Reserved,
                FatSectors = FatSectors(low),
                RootEntries = RootSectors * SectorSize / ShortEntry.Size,
                Clusters = low,
                TotalSectors = used,
            };
        }
    }
}
