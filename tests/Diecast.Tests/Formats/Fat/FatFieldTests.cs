using CsCheck;
using Diecast.Formats.Fat;
using Diecast.Images;
using Diecast.Tests.Support;

namespace Diecast.Tests.Formats.Fat;

public sealed class FatFieldTests
{
    [Fact]
    public void TablesAreThoseOfTheStructures()
    {
        FieldChecks.TableIsTheStructures<BootSector>(FieldTables.BootSector);
        FieldChecks.TableIsTheStructures<Fat32Fields>(FieldTables.Fat32Fields);
        FieldChecks.TableIsTheStructures<BootSectorTail>(FieldTables.BootSectorTail);
        FieldChecks.TableIsTheStructures<FsInfoSector>(FieldTables.FsInfo);
        FieldChecks.TableIsTheStructures<ShortEntry>(FieldTables.ShortEntry);
        FieldChecks.TableIsTheStructures<LongEntry>(FieldTables.LongEntry);
        Assert.Equal(512, FieldTables.BootSector16.Length);
        Assert.Equal(512, FieldTables.BootSector32.Length);
    }

    [Fact]
    public void FieldsHaveTheirNamesValuesAndPaths()
    {
        var options = FatSamples.Options with { FatBits = 32 };
        var image = FatSamples.Write(FatSamples.Esp(), options);
        var find = FatSamples.Format.Read(image).FieldFinder();
        Check(67, "boot sector", "BS_VolID", "E7B8-7C0D", null);
        Check(71 + 3, "boot sector", "BS_VolLab", "ESP", null);
        Check(3, "boot sector", "BS_OEMName", null, null);
        Check(Place("fat backup boot sector") + 68, "backup boot sector", "BS_VolID", "E7B8-7C0D", null);
        Check(Place("fat FSInfo sector") + 489, "FSInfo sector", "FSI_Free_Count", null, null);
        Check(Place("fat table 1"), "FAT 1", "entry 0", "0xffffff8", null);
        Check(Place("fat table 2") + 8, "FAT 2", "entry 2", "3", "/");
        long linux = Place("directory /EFI/Linux");
        Check(linux, "directory /EFI/Linux", "DIR_Name", ".", "/EFI/Linux");
        Check(linux + 32 + 24, "directory /EFI/Linux", "DIR_WrtDate", "2017-07-14", "/EFI/Linux");
        byte[] entries = image.ReadBytes(linux, 512);
        int lfn = Enumerable.Range(0, 16).First(i => entries[i * 32 + 11] == LongEntry.Attribute) * 32;
        Check(linux + lfn + 1, "directory /EFI/Linux", "LDIR_Name1", "arch-", "/EFI/Linux/arch-6.0.efi");
        Check(linux + lfn + 32 + 22, "directory /EFI/Linux", "DIR_WrtTime", null, "/EFI/Linux/arch-6.0.efi");
        Assert.Null(find(Place("file /EFI/Linux/arch-6.0.efi") + 5));

        long Place(string label) => image.Extents.First(extent => extent.Label.ToString() == label).Offset;

        void Check(long offset, string structure, string name, string? value, string? path)
        {
            var span = find(offset);
            Assert.NotNull(span);
            Assert.Equal((structure, name, value ?? span.Value, path), (span.Structure, span.Name, span.Value, span.Path));
        }
    }

    [Theory]
    [InlineData(12, 4L << 20)]
    [InlineData(16, 16L << 20)]
    [InlineData(32, 40L << 20)]
    public void MetadataIsNamedAndAChangedByteChangesItsField(int bits, long size)
    {
        var image = FatSamples.Write(FatSamples.Esp(), FatSamples.Options with { FatBits = bits, Size = size });
        byte[] bytes = image.ReadBytes(0, (int)image.Length);
        var view = FatSamples.Format.Read(image);
        var find = view.FieldFinder();
        var extents = view.Layout().Extents.Where(static extent => extent.Label.Kind is not ("fat unused" or "file")).ToList();
        foreach (var extent in extents)
        {
            var offsets = Enumerable.Range(0, (int)Math.Min(extent.Length, 4096)).Select(i => extent.Offset + i).ToList();
            var unnamed = FieldChecks.Unnamed(find, offsets);
            // Entries of a directory after the last one are zeros.
            Assert.All(unnamed, offset => Assert.True(extent.Label.Kind == "directory" && bytes[offset] == 0, $"{extent.Label}: nothing at {offset}"));
        }
        int seen = 0;
        Gen.Select(Gen.Int[0, extents.Count - 1], Gen.Int[0, 511], Gen.Int[0, 7]).Sample((index, within, bit) =>
        {
            long offset = extents[index].Offset + within % extents[index].Length;
            // What says where the tables are is checked by the table alone: the volume may not be one any more.
            if (offset < 512 || find(offset) is null)
            {
                return;
            }
            var (before, after) = FieldChecks.Flip(bytes, offset, (byte)(1 << bit), FieldFinder.Of, find);
            Assert.True(after is not null && (before.Name, before.Value) != (after.Name, after.Value), $"{before} to {after}");
            Interlocked.Increment(ref seen);
        }, iter: 60, threads: 1);
        Assert.True(seen > 10);
    }

    [Theory]
    [InlineData(16)]
    [InlineData(32)]
    public void AChangedByteChangesTheBootSectorsField(int bits)
    {
        byte[] bytes = FatSamples.Write(FatSamples.Esp(), FatSamples.Options with { FatBits = bits }).ReadBytes(0, 512);
        var table = bits == 32 ? FieldTables.BootSector32 : FieldTables.BootSector16;
        for (int i = 0; i < bytes.Length; i++)
        {
            var before = table.Find(bytes, i);
            Assert.NotNull(before);
            bytes[i] ^= 0x41;
            Assert.NotEqual(before, table.Find(bytes, i));
            bytes[i] ^= 0x41;
        }
    }

    /// <summary>Two file systems made seconds apart, with the same file: the serial number and the times, all by name.</summary>
    [Fact]
    public void TwoOfMkfsDifferInNamedFields()
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory["EFI"]);
        File.WriteAllText(directory["EFI/a long name.conf"], "content");
        var images = new List<byte[]>();
        foreach (string name in new[] { "a", "b" })
        {
            Tool.RunOk("truncate", "-s", "4M", directory[name]);
            Tool.RunOk("mkfs.vfat", directory[name]);
            Tool.RunOk("mcopy", "-s", "-i", directory[name], directory["EFI"], "::");
            images.Add(File.ReadAllBytes(directory[name]));
            Thread.Sleep(name == "a" ? 2100 : 0);
        }
        var find = FatSamples.Format.Read(new MemoryBlob(images[0])).FieldFinder();
        var names = new SortedSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < images[0].Length; i++)
        {
            if (images[0][i] != images[1][i])
            {
                var span = find(i);
                Assert.True(span is not null, $"nothing at {i}");
                names.Add($"{span.Path} {span.Name}".Trim());
            }
        }
        Assert.Superset(new HashSet<string> { "BS_VolID", "/EFI/a long name.conf DIR_WrtTime", "/EFI DIR_WrtTime" }, names);
        string[] allowed = ["BS_VolID", "DIR_CrtTime", "DIR_CrtTimeTenth", "DIR_CrtDate", "DIR_WrtTime", "DIR_WrtDate", "DIR_LstAccDate"];
        Assert.All(names, name => Assert.Contains(name.Split(' ')[^1], allowed));
    }

    [Fact]
    public void DamageIsNoError()
    {
        byte[] image = FatSamples.Write(FatSamples.Esp(), FatSamples.Options with { FatBits = 16, Size = 4 << 20 }).ReadBytes(0, 4 << 20);
        long[] interesting = [.. FatSamples.Format.Read(new MemoryBlob(image)).Layout().Extents
            .Where(static e => e.Label.Kind is not ("fat unused" or "file")).Select(static e => e.Offset)];
        Gen.Select(Gen.Int[0, interesting.Length - 1], Gen.Int[0, 511], Gen.Byte.Array[1, 6]).Sample((place, within, patch) =>
        {
            byte[] damaged = image.ToArray();
            patch.CopyTo(damaged, interesting[place] + within);
            try
            {
                var find = FieldFinder.Of(new MemoryBlob(damaged));
                foreach (long offset in interesting)
                {
                    _ = find(offset + within);
                }
                Assert.Null(find(-1));
                Assert.Null(find(long.MaxValue));
            }
            catch (InvalidDataException error)
            {
                Assert.Contains("fat", error.Message, StringComparison.Ordinal);
            }
        }, iter: 200);
    }
}
