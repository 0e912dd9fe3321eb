using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Diecast.Formats;
using Diecast.Formats.Fat;
using Diecast.Images;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Fat;

public sealed class FatLayoutTests
{
    private const long MiB = 1 << 20;

    [Fact]
    public void StructuresHaveTheSizesAndPlacesOfTheSpecification()
    {
        Assert.Equal(36, Unsafe.SizeOf<BootSector>());
        Assert.Equal(28, Unsafe.SizeOf<Fat32Fields>());
        Assert.Equal(26, Unsafe.SizeOf<BootSectorTail>());
        Assert.Equal(512, Unsafe.SizeOf<FsInfoSector>());
        Assert.Equal(32, Unsafe.SizeOf<ShortEntry>());
        Assert.Equal(32, Unsafe.SizeOf<LongEntry>());
        Assert.Equal(11, Offset<BootSector>(nameof(BootSector.BytsPerSec)));
        Assert.Equal(14, Offset<BootSector>(nameof(BootSector.RsvdSecCnt)));
        Assert.Equal(21, Offset<BootSector>(nameof(BootSector.Media)));
        Assert.Equal(28, Offset<BootSector>(nameof(BootSector.HiddSec)));
        Assert.Equal(44 - 36, Offset<Fat32Fields>(nameof(Fat32Fields.RootClus)));
        Assert.Equal(50 - 36, Offset<Fat32Fields>(nameof(Fat32Fields.BkBootSec)));
        Assert.Equal(71 - 64, Offset<BootSectorTail>(nameof(BootSectorTail.VolLab)));
        Assert.Equal(488, Offset<FsInfoSector>(nameof(FsInfoSector.FreeCount)));
        Assert.Equal(508, Offset<FsInfoSector>(nameof(FsInfoSector.TrailSig)));
        Assert.Equal(20, Offset<ShortEntry>(nameof(ShortEntry.FstClusHi)));
        Assert.Equal(28, Offset<ShortEntry>(nameof(ShortEntry.FileSize)));
        Assert.Equal(13, Offset<LongEntry>(nameof(LongEntry.Chksum)));
        Assert.Equal(28, Offset<LongEntry>(nameof(LongEntry.Name3)));

        static int Offset<T>(string field) => (int)Marshal.OffsetOf<T>(field);
    }

    /// <summary>Every size in sectors around each change of type or cluster size makes a volume that all readers take for the same.</summary>
    [Theory]
    [InlineData(512, null)]
    [InlineData(512, 12)]
    [InlineData(512, 16)]
    [InlineData(512, 32)]
    [InlineData(4096, null)]
    [InlineData(4096, 12)]
    [InlineData(4096, 16)]
    [InlineData(4096, 32)]
    public void SizesStayAwayFromTheThresholds(int sectorSize, int? bits)
    {
        var least = Layout.LeastSize(sectorSize, bits, 512, static _ => 1)!.Value;
        long[] around = [.. Changes(sectorSize, bits, least / sectorSize, uint.MaxValue)];
        Assert.True(around.Length >= (bits == 32 ? sectorSize == 512 ? 4 : 3 : 2), string.Join(' ', around));
        foreach (long change in around.Prepend(least / sectorSize))
        {
            for (long sectors = change - 40; sectors < change + 40; sectors++)
            {
                if (Layout.For(sectors * sectorSize, sectorSize, bits, 512) is { } layout)
                {
                    AssertSound(layout, sectors);
                }
            }
        }
    }

    /// <summary>The numbers of sectors at which the layout becomes another, found by halving.</summary>
    private static IEnumerable<long> Changes(int sectorSize, int? bits, long low, long high)
    {
        for (long step = low; step < high; step = Math.Min(high, step + step / 16 + 1))
        {
            long next = Math.Min(high, step + step / 16 + 1);
            if (Kind(step) == Kind(next))
            {
                continue;
            }
            long a = step;
            long b = next;
            while (b - a > 1)
            {
                long middle = (a + b) / 2;
                (a, b) = Kind(middle) == Kind(step) ? (middle, b) : (a, middle);
            }
            yield return b;
        }

        (int, int)? Kind(long sectors) => Layout.For(sectors * sectorSize, sectorSize, bits, 512) is { } layout
            ? (layout.Bits, layout.SectorsPerCluster) : null;
    }

    private static void AssertSound(Layout layout, long sectors)
    {
        // fatgen103's own computation.
        long rootSectors = (layout.RootEntries * 32L + layout.SectorSize - 1) / layout.SectorSize;
        long data = layout.TotalSectors - (layout.ReservedSectors + 2 * layout.FatSectors + rootSectors);
        long clusters = data / layout.SectorsPerCluster;
        Assert.Equal(layout.Clusters, clusters);
        Assert.InRange(layout.TotalSectors, sectors - 64, sectors);
        Assert.True((clusters + 2) * layout.Bits <= layout.FatSectors * layout.SectorSize * 8);
        Assert.True(layout.ClusterSize <= 32 * 1024);
        switch (layout.Bits)
        {
            case 12:
                Assert.InRange(clusters, 1, 4085 - 1 - 16);
                break;
            case 16:
                Assert.InRange(clusters, 4085 + 16, 65525 - 1 - 16);
                break;
            default:
                Assert.InRange(clusters, 65525 + 16, 0x0FFF_FFF5 - 16);
                Assert.Equal(0, layout.DataOffset % layout.ClusterSize);
                break;
        }
    }

    /// <summary>
    /// The boot sector as systemd-repart's <c>mkfs.vfat -F 32 -S 4096</c> makes it; README.md explains each field that
    /// differs.
    /// </summary>
    [Theory]
    [InlineData(300, 512)]
    [InlineData(512, 512)]
    [InlineData(40, 512)]
    [InlineData(260, 4096)]
    [InlineData(512, 4096)]
    [InlineData(9000, 4096)]
    public void TheBootSectorIsThatOfMkfs(int mebibytes, int sectorSize)
    {
        using var directory = new TempDirectory();
        using (var file = File.Create(directory["theirs"]))
        {
            file.SetLength(mebibytes * MiB);
        }
        Tool.RunOk("mkfs.vfat", "-i", "e7b87c0d", "-n", "ESP", "-F", "32", "-S", $"{sectorSize}", directory["theirs"]);
        using var handle = File.OpenHandle(directory["theirs"]);
        var theirs = FatSamples.Format.Read(new FileBlob(handle));
        var ours = FatSamples.Format.Read(FatSamples.Write(new TreeBuilder(FatSamples.Meta()).Build(), FatSamples.Options with
        {
            FatBits = 32, SectorSize = sectorSize, Size = mebibytes * MiB,
        }));
        string[] different = [.. ours.Fields.Zip(theirs.Fields).Where(static pair => pair.First != pair.Second).Select(static pair => pair.First.Name)];
        string[] expected = (mebibytes, sectorSize) switch
        {
            (512, 4096) or (260, 4096) or (40, 512) => [],
            (9000, 4096) => ["BPB_SecPerClus", "BPB_SecPerTrk", "BPB_NumHeads", "BPB_TotSec32", "BPB_FATSz32", "FSI_Free_Count", "CountofClusters"],
            _ => ["BPB_SecPerTrk", "BPB_NumHeads", "BPB_TotSec32", "FSI_Free_Count", "CountofClusters"],
        };
        Assert.Equal(expected, different);
    }

    [Fact]
    public void HiddenSectorsAreWhereThePartitionStarts()
    {
        var tree = new TreeBuilder(FatSamples.Meta()).Build();
        Assert.Equal("0", Hidden(FatSamples.Options));
        Assert.Equal("2048", Hidden(FatSamples.Options with { PartitionOffset = MiB }));
        Assert.Equal("256", Hidden(FatSamples.Options with { PartitionOffset = MiB, SectorSize = 4096 }));
        Assert.Equal("0", Hidden(FatSamples.Options with { PartitionOffset = 34 * 512, SectorSize = 4096 }));

        string Hidden(FileSystemOptions options) => FatSamples.Field(FatSamples.Format.Read(FatSamples.Write(tree, options)), "BPB_HiddSec");
    }

    [Theory]
    [InlineData("", "NO NAME")]
    [InlineData("NO NAME", "NO NAME")]
    [InlineData("esp", "ESP")]
    [InlineData("root-x86-64-verity", "ROOT-X86-64")]
    [InlineData("a.b:c/d", "A_B_C_D")]
    [InlineData("größe", "GR__E")]
    [InlineData("tab\there", "TAB_HERE")]
    public void LabelsAreAsRepartMakesThem(string label, string stored)
    {
        using var directory = new TempDirectory();
        var image = FatSamples.Write(FatSamples.Esp(), FatSamples.Options with { Label = label, FatBits = 16 });
        Assert.Equal(stored, FatSamples.Field(FatSamples.Format.Read(image), "BS_VolLab"));
        FatSamples.Verify(FatSamples.Esp(), image, directory["fat"]);
        string listing = Tool.RunOk("mdir", "-i", directory["fat"], "::");
        Assert.Contains(stored == "NO NAME" ? "Volume in drive : has no label" : $"Volume in drive : is {stored}", listing, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(32, 4096, 100 * MiB, "FAT32: 104857600 bytes are too few in sectors of 4096 bytes; at least 269119488")]
    [InlineData(32, 512, 32 * MiB, "FAT32: 33554432 bytes are too few in sectors of 512 bytes; at least 34099200")]
    [InlineData(16, 512, 3 * MiB / 2, "FAT16: 1572864 bytes are too few in sectors of 512 bytes; at least 2134016")]
    [InlineData(16, 512, 5000 * MiB, "FAT16: 5242880000 bytes are more than it can have in sectors of 512 bytes")]
    [InlineData(null, 512, 3L << 40, "vfat: 3298534883328 bytes are more than it can have in sectors of 512 bytes")]
    [InlineData(null, 512, 70_000, "vfat: the tree does not fit into 70000 bytes; at least 135168")]
    [InlineData(null, 512, 1_000, "vfat: 1000 bytes are too few in sectors of 512 bytes; at least 135168")]
    [InlineData(24, 512, MiB, "vfat: there is no FAT24, only FAT12, FAT16 and FAT32")]
    [InlineData(null, 1024, MiB, "vfat: a sector size of 1024 bytes is neither 512 nor 4096")]
    public void BadSizesAreRefusedWithTheLeastGoodOne(int? bits, int sectorSize, long size, string error)
    {
        var options = FatSamples.Options with { FatBits = bits, SectorSize = sectorSize, Size = size };
        Assert.Equal([error], FatSamples.Format.Check(FatSamples.Esp(), options));
        int at = error.LastIndexOf("at least ", StringComparison.Ordinal);
        if (at >= 0)
        {
            long least = long.Parse(error[(at + 9)..], System.Globalization.CultureInfo.InvariantCulture);
            Assert.Empty(FatSamples.Format.Check(FatSamples.Esp(), options with { Size = least }));
            Assert.NotEmpty(FatSamples.Format.Check(FatSamples.Esp(), options with { Size = least - 4096 }));
        }
    }

    /// <summary>An open file, read in place: volumes of gigabytes are sparse.</summary>
    internal sealed class FileBlob(Microsoft.Win32.SafeHandles.SafeFileHandle handle) : Blob
    {
        public override long Length { get; } = RandomAccess.GetLength(handle);

        protected override void ReadCore(long offset, Span<byte> destination) => RandomAccess.Read(handle, destination, offset);
    }
}
