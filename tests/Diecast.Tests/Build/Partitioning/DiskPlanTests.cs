using CsCheck;
using Diecast.Binary;
using Diecast.Build.Partitioning;
using Diecast.Config;
using Diecast.Formats.Gpt;
using Diecast.Tests.Formats.Gpt;
using Diecast.Tests.Support;

namespace Diecast.Tests.Build.Partitioning;

public sealed class DiskPlanTests
{
    private const long MiB = 1 << 20;

    private static readonly RepartSpecifiers s_specifiers = new("x86-64", null);
    private static readonly RepartIds s_ids = new(Guid.Parse(Vector.Seed));

    private static DiskPlan Plan(DiskGeometry geometry, params string[] definitions) =>
        Plan(geometry, [.. definitions.Select(static (text, i) => DefinitionReader.Parse($"[Partition]\n{text}\n", $"{i}.conf", s_specifiers))]);

    private static DiskPlan Plan(DiskGeometry geometry, IReadOnlyList<PartitionDefinition> definitions, Func<PartitionIdentity, long?>? contentSize = null) =>
        DiskPlan.Create(PartitionIdentity.Derive(definitions, s_ids), s_ids.Disk, geometry, contentSize ?? (static _ => null));

    private static string Error(DiskGeometry geometry, params string[] definitions) =>
        Assert.Throws<ConfigException>(() => Plan(geometry, definitions)).Message;

    private static (long, long)[] Places(DiskPlan plan) => [.. plan.Partitions.Select(static p => (p.Offset, p.Length))];

    public static TheoryData<string, long, int> Vectors => new()
    {
        { "repart-auto", 0, 0 },
        { "repart-auto", 0, 512 },
        { "repart-fixed", 256 * MiB, 0 },
        { "repart-4k", 0, 4096 },
    };

    [Theory]
    [MemberData(nameof(Vectors))]
    public void TheTablesAreThoseOfSystemdRepartByteForByte(string name, long size, int sectorSize)
    {
        var vector = Vector.All.Single(vector => vector.Name == name);
        var geometry = new DiskGeometry { Size = size == 0 ? null : size };
        var disk = Plan(sectorSize == 0 ? geometry : geometry with { SectorSize = sectorSize }, DefinitionReader.Read([vector.Definitions], s_specifiers))
            .Assemble(static _ => null);
        Assert.Equal(vector.Length, disk.Length);
        Assert.Equal(vector.Primary, disk.ReadBytes(0, vector.Primary.Length));
        Assert.Equal(vector.Backup, disk.ReadBytes(vector.Length - vector.Backup.Length, vector.Backup.Length));
    }

    [Fact]
    public void WeightsDivideAFixedDisk()
    {
        var plan = Plan(new DiskGeometry { Size = 256 * MiB }, "Type=root\nSizeMinBytes=12M", "Type=root\nWeight=3000",
            "Type=linux-generic\nSizeMaxBytes=15M", "Type=root\nWeight=0\nPaddingWeight=500", "Type=home");
        Assert.Equal([43_843_584, 131_538_944, 15_728_640, 10_485_760, 43_847_680], plan.Partitions.Select(static p => p.Length));
        Assert.Equal([0, 0, 0, 21_921_792, 0], plan.Partitions.Select(static p => p.Padding));
    }

    [Fact]
    public void SmallDisksBeginRightAfterTheTable()
    {
        var plan = Plan(new DiskGeometry(), [DefinitionReader.Parse("[Partition]\nType=root\nCopyBlocks=/x\nSizeMinBytes=4K", "x", s_specifiers)],
            static _ => 1_003_520);
        Assert.Equal([(40L * 512, 2_031_616L)], Places(plan));
        // 3 MiB: as systemd-repart 257 lays it out.
        Assert.Equal([(40L * 512, 40L * 512), (80L * 512, 6024L * 512)], Places(Plan(new DiskGeometry { Size = 3 * MiB },
            "Type=home\nSizeMinBytes=4K\nSizeMaxBytes=20K", "Type=srv\nSizeMinBytes=4K")));
    }

    [Fact]
    public void PaddingRoundsAndPrioritiesDrop()
    {
        // Both as systemd-repart 257 lays them out.
        var padded = Plan(new DiskGeometry { Size = 40_961 << 10 }, "Type=home\nSizeMinBytes=4K\nSizeMaxBytes=20K\nPaddingMinBytes=5K\nPaddingMaxBytes=9K",
            "Type=srv\nSizeMinBytes=4K\nPriority=5", "Type=srv\nPriority=3\nSizeMinBytes=1M\nPaddingWeight=0",
            "Type=21686148-6449-6e6f-744e-656564454649\nSizeMaxBytes=12M\nLabel=", "Type=srv\nUUID=null\nLabel=srv-2", "Type=srv\nSizeMinBytes=4K\nUUID=null");
        Assert.Equal([(2048, 40), (2096, 12944), (15040, 12944), (27984, 20480), (48464, 20480), (68944, 12944)],
            Places(padded).Select(static p => ((int)(p.Item1 / 512), (int)(p.Item2 / 512))));
        Assert.Equal(["home", "srv", "srv-2", "", "srv-2", "srv-3"], padded.Partitions.Select(static p => p.Identity.Label));
        Assert.Equal(41_947_136, padded.Length);

        var dropped = Plan(new DiskGeometry { Size = 40_961 << 10 }, "Type=home\nSizeMinBytes=4K\nSizeMaxBytes=20K",
            "Type=srv\nSizeMinBytes=4K\nPriority=5", "Type=srv\nPriority=3\nSizeMinBytes=1G", "Type=srv\nSizeMinBytes=4K");
        Assert.Equal(["srv", "srv-2"], dropped.LeftOut.Select(static identity => identity.Label));
        Assert.Equal([(2048L * 512, 40L * 512), (2088L * 512, 79_800L * 512)], Places(dropped));
        // Ids count those that were dropped, too.
        Assert.Equal(Guid.Parse("25cb346b-ac45-4d4d-a00b-ab6900a75181"), dropped.Partitions[1].Identity.Id);
        Assert.Equal("srv-3", dropped.Partitions[1].Identity.Label);
    }

    [Theory]
    [InlineData("Type=root\nFormat=ext4", 0, 32)]
    [InlineData("Type=esp\nFormat=vfat", 0, 260)]
    [InlineData("Type=esp\nFormat=vfat", 512, 100)]
    [InlineData("Type=xbootldr\nFormat=vfat\nFileSystemSectorSize=512", 0, 100)]
    [InlineData("Type=esp\nFormat=vfat\nSizeMinBytes=512M\nSizeMaxBytes=512M", 0, 512)]
    [InlineData("Type=linux-generic\nFormat=vfat", 0, 10)]
    [InlineData("Type=root\nSizeMinBytes=5M", 0, 5)]
    [InlineData("Type=root\nFormat=btrfs", 0, 256)]
    [InlineData("Type=root\nFormat=ext4\nSizeMaxBytes=16M", 0, 32)]
    public void FileSystemsHaveLeastSizes(string definition, int sectorSize, long expected) =>
        Assert.Equal(expected * MiB, Plan(sectorSize == 0 ? new DiskGeometry() : new DiskGeometry { SectorSize = sectorSize }, definition).Partitions[0].Length);

    [Fact]
    public void SignaturesHaveAFixedSize() =>
        Assert.Equal(16384, Plan(new DiskGeometry { Size = 64 * MiB }, "Type=root-verity-sig").Partitions[0].Length);

    [Fact]
    public void WhatDoesNotFitIsAnErrorWithItsPlace()
    {
        Assert.Equal("1.conf:3: the partition needs 31457280 bytes, and a disk of 33554432 bytes has 21999616 left for it",
            Error(new DiskGeometry { Size = 32 * MiB }, "Type=root", "Type=root\nSizeMinBytes=30M"));
        Assert.Equal("size of the disk: 4096 bytes cannot be partitioned", Error(new DiskGeometry { Size = 1 }, "Type=root"));
        Assert.Equal("0.conf:3: no disk has 4611686018427387904 bytes", Error(new DiskGeometry(), "Type=root\nSizeMinBytes=4E"));
        Assert.Equal("128.conf: a disk has at most 128 partitions", Error(new DiskGeometry(), [.. Enumerable.Repeat("Type=home\nSizeMinBytes=4K", 129)]));
        Assert.Equal(128, Plan(new DiskGeometry(), [.. Enumerable.Repeat("Type=home\nSizeMinBytes=4K", 128)]).Partitions.Count);
    }

    [Fact]
    public void TheSameIdTwiceIsAnError() => Assert.Equal(
        "1.conf:3: another partition has the UUID 9a914a15-37a6-422c-a924-0380869e7ede too",
        Error(new DiskGeometry(), "Type=root", "Type=home\nUUID=9a914a15-37a6-422c-a924-0380869e7ede"));

    [Fact]
    public void PlansKeepTheRules() => DefinitionsGen.Sample((definitions, size, large) =>
    {
        var geometry = large ? new DiskGeometry { SectorSize = 4096 } : new DiskGeometry();
        DiskPlan plan;
        try
        {
            plan = Plan(geometry with { Size = size }, [.. definitions]);
        }
        catch (ConfigException)
        {
            Assert.NotNull(size);
            return;
        }
        var layout = new GptLayout(plan.Length, geometry.SectorSize);
        long start = (layout.FirstUsableLba * geometry.SectorSize).AlignUp(4096);
        long end = ((layout.LastUsableLba + 1) * geometry.SectorSize).AlignDown(4096);
        Assert.Equal(size?.AlignUp(4096) ?? plan.Length.AlignDown(4096), plan.Length);
        foreach (var partition in plan.Partitions)
        {
            Assert.Equal((start, 0L, 0L), (partition.Offset, partition.Offset % 4096, partition.Length % 4096));
            Assert.True(partition.Length >= Math.Max(4096, partition.Definition.SizeMin ?? 10 * MiB));
            Assert.True(partition.Length <= Math.Max(partition.Definition.SizeMax ?? long.MaxValue, partition.Definition.SizeMin ?? 10 * MiB));
            Assert.True(partition.Padding >= (partition.Definition.PaddingMin ?? 0));
            start = partition.Offset + partition.Length + partition.Padding;
        }
        Assert.True(start <= end, $"{start} > {end}");
        // Nothing is wasted while a partition could take it.
        Assert.True(start == end || plan.Partitions.All(p => p.Length == (p.Definition.SizeMax ?? -1) || p.Length == 10 * MiB || p.Length == p.Definition.SizeMin));
        Assert.Empty(GptReader.Read(plan.Assemble(static _ => null)).Problems);
    }, iter: 2000);

    [Fact]
    public void TablesAreThoseOfTheInstalledSystemdRepart()
    {
        int compared = 0;
        DefinitionsGen.Sample((definitions, size, large) =>
        {
            if (SystemdRepart.Find() is not { } repart)
            {
                return;
            }
            using var directory = new TempDirectory(repart.Temporary);
            Directory.CreateDirectory(directory["d"]);
            for (int i = 0; i < definitions.Length; i++)
            {
                File.WriteAllText(directory[$"d/{i}.conf"], $"[Partition]\n{definitions[i]}\n");
            }
            byte[]? expected = repart.Make(directory, size, large ? 4096 : null);
            var geometry = large ? new DiskGeometry { SectorSize = 4096, Size = size } : new DiskGeometry { Size = size };
            byte[]? actual;
            try
            {
                var disk = Plan(geometry, definitions).Assemble(static _ => null);
                actual = disk.ReadBytes(0, (int)disk.Length);
            }
            catch (ConfigException)
            {
                actual = null;
            }
            Assert.Equal(expected is null, actual is null);
            Assert.True(expected.AsSpan().SequenceEqual(actual), string.Join("\n\n", definitions));
            compared++;
        }, iter: 25, threads: 1);
        Assert.True(compared == 25 || SystemdRepart.Find() is null);
    }

    private static readonly string[] s_types = ["root", "home", "esp", "linux-generic", "srv", "21686148-6449-6e6f-744e-656564454649", "usr-arm64"];

    /// <summary>Up to six definitions on a disk of no or of up to 64 MiB, with sectors of 512 or 4096 bytes.</summary>
    private static Gen<(string[], long?, bool)> DefinitionsGen { get; } = Gen.Select(
        Gen.Select(Gen.Int[0, 6], Gen.Int[0, 4], Gen.Int[0, 9000], Gen.Int[0, 9000], Gen.Int[0, 3000], Gen.Int[0, 6], static (type, kind, a, b, weight, priority) =>
            $"Type={s_types[type]}" + kind switch
            {
                0 => "",
                1 => $"\nSizeMinBytes={Math.Min(a, b)}K\nSizeMaxBytes={Math.Max(a, b)}K\nWeight={weight}",
                2 => $"\nSizeMinBytes={a}K\nWeight={weight}\nPaddingWeight={b / 10}\nPriority={priority}",
                3 => $"\nSizeMinBytes=1K\nPaddingMinBytes={Math.Min(a, b) / 2}K\nPaddingMaxBytes={Math.Max(a, b) / 2}K\nWeight={weight}",
                _ => $"\nSizeMaxBytes={(long)a * 1000}\nPaddingWeight={weight}\nPriority={priority / 2}\nLabel=x{b % 3}",
            }).Array[1, 6],
        Gen.Long[1 << 18, 64 << 20], Gen.Bool, Gen.Bool, static (definitions, size, auto, large) => (definitions, auto ? (long?)null : size, large));
}
