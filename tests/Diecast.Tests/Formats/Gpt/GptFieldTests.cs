using Diecast.Formats.Gpt;
using Diecast.Images;
using Diecast.Tests.Support;

namespace Diecast.Tests.Formats.Gpt;

public sealed class GptFieldTests
{
    [Fact]
    public void TablesAreThoseOfTheStructures()
    {
        FieldChecks.TableIsTheStructures<MbrPartitionRecord>(FieldFinder.MbrRecord);
        FieldChecks.TableIsTheStructures<GptHeader>(FieldFinder.Header);
        FieldChecks.TableIsTheStructures<GptEntry>(FieldFinder.Entry);
    }

    /// <summary>Two disks that sfdisk partitioned the same way: their random ids differ, and the checksums of them.</summary>
    [Fact]
    public void TwoOfSfdiskDifferInNamedFields()
    {
        using var directory = new TempDirectory();
        var disks = new List<byte[]>();
        foreach (string name in new[] { "a", "b" })
        {
            Tool.RunOk("truncate", "-s", "8M", directory[name]);
            var made = Tool.Run("sfdisk", [directory[name]], null, "label: gpt\nsize=2M, name=esp, type=U\nsize=1M, name=root\n"u8.ToArray());
            Assert.True(made.ExitCode == 0, made.All);
            disks.Add(File.ReadAllBytes(directory[name]));
        }
        var find = GptReader.Read(new MemoryBlob(disks[0])).FieldFinder();
        var names = new SortedSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < disks[0].Length; i++)
        {
            if (disks[0][i] != disks[1][i])
            {
                var span = find(i);
                Assert.NotNull(span);
                names.Add($"{span.Structure} {span.Name}");
            }
        }
        Assert.Equal(
            [
                "GPT header (backup) DiskGUID", "GPT header (backup) HeaderCRC32", "GPT header (backup) PartitionEntryArrayCRC32",
                "GPT header DiskGUID", "GPT header HeaderCRC32", "GPT header PartitionEntryArrayCRC32",
                "partition 1 (backup) UniquePartitionGUID", "partition 1 UniquePartitionGUID",
                "partition 2 (backup) UniquePartitionGUID", "partition 2 UniquePartitionGUID",
            ],
            names);
    }

    [Fact]
    public void EveryByteIsNamedAndAChangedOneChangesItsField()
    {
        var disk = Vector.Auto.Disk;
        var view = GptReader.Read(disk);
        var find = view.FieldFinder();
        foreach (var extent in view.Layout.Extents.Where(static extent => !extent.Label.ToString().StartsWith("partition", StringComparison.Ordinal)))
        {
            byte[] bytes = disk.ReadBytes(extent.Offset, (int)extent.Length);
            Assert.Empty(FieldChecks.Unnamed(find, Enumerable.Range(0, bytes.Length).Select(i => extent.Offset + i)));
            for (int i = 0; i < bytes.Length; i += 3)
            {
                bytes[i] ^= 0x21;
                var image = new ImageBuilder();
                image.Place(extent.Offset, bytes.ToArray(), "changed");
                // The reader would go by the other table: here the places stay, and the bytes change.
                var changed = new FieldFinder(
                    image.Build(disk.Length), [(512, 92, "GPT header"), (disk.Length - 512, 92, "GPT header (backup)")],
                    [new EntryArray(1024, 16384, 128, ""), new EntryArray(disk.Length - 512 - 16384, 16384, 128, " (backup)")]);
                var (before, after) = (find(extent.Offset + i), changed.Find(extent.Offset + i));
                Assert.Equal((before!.Structure, before.Name), (after!.Structure, after.Name));
                Assert.NotEqual(before.Value, after.Value);
                bytes[i] ^= 0x21;
            }
        }
        Assert.Null(find(-1));
        Assert.Null(find(512 + 92));
        Assert.Null(find(long.MaxValue));
        Assert.Equal("protective MBR PartitionRecord[0] OSType 0xee", find(446 + 4) is { } span ? $"{span.Structure} {span.Name} {span.Value}" : "");
    }
}
