using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using CsCheck;
using Diecast.Formats.Gpt;
using Diecast.Images;
using Diecast.Tests.Support;

namespace Diecast.Tests.Formats.Gpt;

public sealed class GptTests
{
    public static TheoryData<string> Vectors => [.. Vector.All.Select(static vector => vector.Name)];

    private static Vector Named(string name) => Vector.All.Single(vector => vector.Name == name);

    [Fact]
    public void StructuresHaveTheirSizesAndOffsets()
    {
        Assert.Equal(16, Unsafe.SizeOf<DiskGuid>());
        Assert.Equal(16, Unsafe.SizeOf<MbrPartitionRecord>());
        Assert.Equal(92, Unsafe.SizeOf<GptHeader>());
        Assert.Equal(128, Unsafe.SizeOf<GptEntry>());
        var header = new GptHeader();
        Assert.Equal(56, Unsafe.ByteOffset(ref Unsafe.As<GptHeader, byte>(ref header), ref Unsafe.As<DiskGuid, byte>(ref header.DiskGuid)));
        var entry = new GptEntry();
        Assert.Equal(56, Unsafe.ByteOffset(ref Unsafe.As<GptEntry, byte>(ref entry), ref Unsafe.As<GptEntryName, byte>(ref entry.PartitionName)));
    }

    [Theory]
    [MemberData(nameof(Vectors))]
    public void TheReaderAgreesWithSfdisk(string name)
    {
        var vector = Named(name);
        var view = GptReader.Read(vector.Disk);
        Assert.Empty(view.Problems);
        Assert.Equal(vector.SectorSize, view.Table.SectorSize);
        if (vector == Vector.FourK)
        {
            return;
        }
        Assert.Equal(vector.Table.GetProperty("id").GetGuid(), view.Table.DiskId);
        var expected = vector.Table.GetProperty("partitions").EnumerateArray().Select(Describe);
        Assert.Equal(expected, view.Table.Partitions.Select(p => string.Create(CultureInfo.InvariantCulture,
            $"{p.Offset / 512}+{p.Length / 512} {p.Type} {p.Id} {p.Name} {(p.Attributes == PartitionAttributes.GrowFileSystem ? "GUID:59" : "")}")));
    }

    private static string Describe(JsonElement partition) => string.Create(CultureInfo.InvariantCulture,
        $"{partition.GetProperty("start")}+{partition.GetProperty("size")} {partition.GetProperty("type").GetGuid()} {partition.GetProperty("uuid").GetGuid()} {partition.GetProperty("name")} {(partition.TryGetProperty("attrs", out var attributes) ? attributes.ToString() : "")}");

    [Theory]
    [MemberData(nameof(Vectors))]
    public void TheWriterGivesTheSameBytes(string name)
    {
        var vector = Named(name);
        var written = GptWriter.Write(GptReader.Read(vector.Disk).Table, static _ => null);
        Assert.Equal(vector.Length, written.Length);
        Assert.Equal(vector.Primary, written.ReadBytes(0, vector.Primary.Length));
        Assert.Equal(vector.Backup, written.ReadBytes(vector.Length - vector.Backup.Length, vector.Backup.Length));
    }

    [Fact]
    public void ADamagedPrimaryIsReplacedByTheBackupAndReported()
    {
        foreach (int offset in new[] { 0x200, 0x210, 0x238, 0x400 + 60, 0x400 + 128 * 127 })
        {
            byte[] primary = Vector.Auto.Primary;
            primary[offset] ^= 1;
            var view = GptReader.Read(new Vector.DiskOf(primary, Vector.Auto.Backup, Vector.Auto.Length).Image);
            Assert.Contains(view.Problems, static problem => problem.Contains("primary table is damaged", StringComparison.Ordinal));
            Assert.Equal(GptReader.Read(Vector.Auto.Disk).Table.Partitions, view.Table.Partitions);
        }
    }

    [Fact]
    public void ADamagedBackupIsReported()
    {
        byte[] backup = Vector.Auto.Backup;
        backup[^500] ^= 1;
        var view = GptReader.Read(new Vector.DiskOf(Vector.Auto.Primary, backup, Vector.Auto.Length).Image);
        Assert.StartsWith("GPT backup header at 55594496: wrong checksum", Assert.Single(view.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void AGrownDiskIsReported()
    {
        var view = GptReader.Read(Grown());
        Assert.Contains("the backup is at sector", Assert.Single(view.Problems), StringComparison.Ordinal);
        Assert.Equal(5, view.Table.Partitions.Count);

        static Image Grown()
        {
            var image = new ImageBuilder();
            image.Place(0, Vector.Auto.Disk, "disk");
            return image.Build(Vector.Auto.Length + 4096);
        }
    }

    [Fact]
    public void WithoutATableTheReaderRefuses()
    {
        Assert.False(GptReader.Recognizes(new MemoryBlob(new byte[100_000])));
        Assert.Throws<InvalidDataException>(() => GptReader.Read(new MemoryBlob(new byte[100_000])));
        Assert.Throws<InvalidDataException>(() => GptReader.Read(Blob.Empty));
    }

    [Fact]
    public void MutatedTablesGiveInvalidDataOnly()
    {
        byte[] primary = Vector.Auto.Primary;
        byte[] backup = Vector.Auto.Backup;
        // Both tables get the same mutations, with right checksums, so that they are reached behind the checksums.
        Gen.Select(Gen.Int[0, 91].Array[0, 4], Gen.Byte.Array[4], Gen.Int[0, 128 * 6], Gen.Byte).Sample((places, values, entryByte, value) =>
        {
            byte[] first = [.. primary];
            for (int i = 0; i < places.Length; i++)
            {
                first[512 + places[i]] = values[i];
            }
            first[1024 + entryByte] = value;
            Reseal(first);
            try
            {
                var view = GptReader.Read(new Vector.DiskOf(first, backup, Vector.Auto.Length).Image);
                Assert.All(view.Table.Partitions, p => Assert.Equal(p.Length, view.Content(p).Length));
            }
            catch (InvalidDataException)
            {
            }
        }, iter: 20_000);
    }

    private static void Reseal(byte[] primary)
    {
        uint entries = System.IO.Hashing.Crc32.HashToUInt32(primary.AsSpan(1024, 128 * 128));
        BitConverter.TryWriteBytes(primary.AsSpan(512 + 88), entries);
        primary.AsSpan(512 + 16, 4).Clear();
        BitConverter.TryWriteBytes(primary.AsSpan(512 + 16), System.IO.Hashing.Crc32.HashToUInt32(primary.AsSpan(512, 92)));
    }

    [Fact]
    public void WhatIsWrittenIsRead() => TableGen.Sample(table =>
    {
        var view = GptReader.Read(GptWriter.Write(table, static _ => null));
        Assert.Empty(view.Problems);
        Assert.Equal(table.Partitions, view.Table.Partitions);
        Assert.Equal((table.DiskId, table.SectorSize, table.Length), (view.Table.DiskId, view.Table.SectorSize, view.Table.Length));
    }, iter: 300);

    /// <summary>Disks of 1 to 64 MiB with up to six partitions in order, gaps between them, any names and attributes.</summary>
    internal static Gen<PartitionTable> TableGen { get; } =
        from sectorSize in Gen.Bool.Select(static large => large ? 4096 : 512)
        from disk in Gen.Guid
        from partitions in Gen.Select(Gen.Long[1, 2000], Gen.Long[0, 50], Gen.Guid, Gen.ULong, Gen.Char['a', '\u05ff'].Array[0, 36]).Array[0, 6]
        from rest in Gen.Long[0, 100]
        select Lay(sectorSize, disk, partitions, rest);

    private static PartitionTable Lay(int sectorSize, Guid disk, (long Length, long Gap, Guid Id, ulong Attributes, char[] Name)[] parts, long rest)
    {
        long sectors = parts.Sum(static p => p.Length + p.Gap) + rest + 70;
        var layout = new GptLayout(sectors * sectorSize, sectorSize);
        if (layout.FirstUsableLba + sectors > layout.LastUsableLba)
        {
            sectors += layout.FirstUsableLba + (4 << 20) / sectorSize;
        }
        long next = new GptLayout(sectors * sectorSize, sectorSize).FirstUsableLba;
        var partitions = new List<PartitionEntry>();
        foreach (var (length, gap, id, attributes, name) in parts)
        {
            partitions.Add(new PartitionEntry
            {
                Number = partitions.Count + 1,
                Type = PartitionType.All[(int)(attributes % (ulong)PartitionType.All.Count)].Id,
                Id = id,
                Offset = next * sectorSize,
                Length = length * sectorSize,
                Attributes = (PartitionAttributes)attributes,
                Name = new string(name),
            });
            next += length + gap;
        }
        return new PartitionTable { DiskId = disk, SectorSize = sectorSize, Length = sectors * sectorSize, Partitions = partitions };
    }

    [Fact]
    public void ForeignToolsFindNothingWrong() => TableGen.Where(static table => table.SectorSize == 512).Sample(table =>
    {
        using var directory = new TempDirectory();
        ImageFile.Write(GptWriter.Write(table, static _ => null), directory["disk"]);
        Assert.Contains("No problems found", Tool.RunOk("sgdisk", "-v", directory["disk"]), StringComparison.Ordinal);
        string verified = Tool.RunOk("sfdisk", "--verify", directory["disk"]);
        Assert.Contains("No errors detected", verified, StringComparison.Ordinal);
        var json = JsonDocument.Parse(Tool.RunOk("sfdisk", "-J", directory["disk"])).RootElement.GetProperty("partitiontable");
        Assert.Equal(table.DiskId, json.GetProperty("id").GetGuid());
        var partitions = json.TryGetProperty("partitions", out var list) ? list.EnumerateArray().ToArray() : [];
        Assert.Equal(table.Partitions.Select(static p => (p.Offset / 512, p.Length / 512, p.Type, p.Id)), partitions.Select(static p =>
            (p.GetProperty("start").GetInt64(), p.GetProperty("size").GetInt64(), p.GetProperty("type").GetGuid(), p.GetProperty("uuid").GetGuid())));
    }, iter: 10, threads: 1);

    [Fact]
    public void TheOraclesNoticeAFlippedByte()
    {
        using var directory = new TempDirectory();
        ImageFile.Write(Vector.Auto.Disk, directory["disk"]);
        Assert.True(IsClean("sgdisk", "-v") && IsClean("sfdisk", "--verify"));
        foreach (long offset in new[] { 0x200 + 60, 0x400 + 70, Vector.Auto.Length - 512 + 60 })
        {
            byte[] bytes = Vector.Auto.Disk.ReadBytes(0, (int)Vector.Auto.Length);
            bytes[offset] ^= 0x10;
            File.WriteAllBytes(directory["disk"], bytes);
            Assert.False(IsClean("sgdisk", "-v"), $"sgdisk, {offset}");
            Assert.False(IsClean("sfdisk", "--verify"), $"sfdisk, {offset}");
        }

        bool IsClean(string tool, string argument)
        {
            var result = Tool.Run(tool, argument, directory["disk"]);
            return result.ExitCode == 0 && s_complaints.All(word => !result.All.Contains(word, StringComparison.OrdinalIgnoreCase));
        }
    }

    private static readonly string[] s_complaints = ["invalid", "corrupt", "CRC", "Caution"];

    [Fact]
    public void ContentsStandInTheirPlaces()
    {
        var table = GptReader.Read(Vector.Auto.Disk).Table;
        var disk = GptWriter.Write(table, static p => p.Number == 3 ? new MemoryBlob("content"u8.ToArray()) : null);
        Assert.Equal("content\0"u8.ToArray(), disk.ReadBytes(table.Partitions[2].Offset, 8));
        Assert.Contains("partition 3 \"linux-generic\"", disk.Extents.Select(static extent => extent.Label.ToString()));
        var view = GptReader.Read(disk);
        Assert.Equal("content"u8.ToArray(), view.Content(view.Table.Partitions[2]).ReadBytes(0, 7));
        Assert.Equal(["protective MBR", "GPT header", "GPT entries", "partition 1 \"root-x86-64\""],
            view.Layout.Extents.Take(4).Select(static extent => extent.Label.ToString()));
    }

    [Fact]
    public void ATableThatCannotBeIsABug()
    {
        var table = GptReader.Read(Vector.Auto.Disk).Table;
        var first = table.Partitions[0];
        foreach (var wrong in new[]
        {
            first with { Number = 2 }, first with { Number = 129 }, first with { Offset = first.Offset - 512 },
            first with { Length = first.Length + 512 }, first with { Length = 100 }, first with { Type = Guid.Empty },
            first with { Name = new string('x', 37) },
        })
        {
            Assert.Throws<ArgumentException>(() => GptWriter.Write(table with { Partitions = [wrong, .. table.Partitions.Skip(1)] }, static _ => null));
        }
        Assert.Throws<ArgumentException>(() => GptWriter.Write(table, p => new MemoryBlob(new byte[p.Length + 1])));
    }

    [Fact]
    public void TypesAreKnownByNameAndAlias()
    {
        Assert.Equal(135, PartitionType.All.Count);
        Assert.Equal(PartitionType.All.Count, PartitionType.All.Select(static type => type.Id).Distinct().Count());
        Assert.All(PartitionType.All, static type => Assert.Equal(type, PartitionType.Find(type.Name, "x86-64")));
        Assert.Equal("root-x86-64-verity", PartitionType.Find("root-verity", "x86-64")!.Name);
        Assert.Equal("usr-arm64-verity-sig", PartitionType.Find("usr-aarch64-verity-sig", "x86-64")!.Name);
        Assert.Equal(Guid.Parse("b921b045-1df0-41c3-af44-4c6f280d3fae"), PartitionType.Find("root", "arm64")!.Id);
        Assert.Equal("usr-arm64", PartitionType.Find("usr-amd64", "x86-64")!.ForArchitecture("arm64").Name);
        Assert.Equal("esp", PartitionType.Find("esp", "x86-64")!.ForArchitecture("arm64").Name);
        Assert.Null(PartitionType.Find("root-vax", "x86-64"));
        Assert.Equal("x86-64", PartitionType.CanonicalArchitecture("x86_64"));
        Assert.Null(PartitionType.CanonicalArchitecture("vax"));
        Assert.Null(PartitionType.Find(Guid.Parse("21686148-6449-6e6f-744e-656564454649")));
    }
}
