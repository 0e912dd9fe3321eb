using Diecast.Formats;
using Diecast.Formats.Ext4;
using Diecast.Images;
using Diecast.Tests.Formats.Ext4;
using Diecast.Tests.Formats.Fat;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Formats;

/// <summary>What the readers say of where a file's bytes stand, against what the files hold.</summary>
public sealed class PlacedBlobTests
{
    [Fact]
    public void Ext4FilesAreWhereTheySay() =>
        Agree(new Ext4Format(), new Ext4Format().Write(Ext4Samples.Everything(), Ext4Samples.Options));

    [Fact]
    public void FatFilesAreWhereTheySay() =>
        Agree(FatSamples.Format, FatSamples.Write(FatSamples.Esp(), FatSamples.Options));

    /// <summary>Chains with gaps: every second file is deleted and a long one put in their place.</summary>
    [Fact]
    public void FragmentedFatFilesAreWhereTheySay()
    {
        using var directory = new TempDirectory();
        Tool.RunOk("truncate", "-s", "4M", directory["image"]);
        Tool.RunOk("mkfs.vfat", directory["image"]);
        File.WriteAllBytes(directory["part"], FatSamples.Content(5000, 1));
        File.WriteAllBytes(directory["long"], FatSamples.Content(3_600_000, 2));
        string[] names = [.. Enumerable.Range(0, 20).Select(static i => $"::part{i}")];
        Array.ForEach(names, name => Tool.RunOk("mcopy", "-i", directory["image"], directory["part"], name));
        Tool.RunOk("mdel", ["-i", directory["image"], .. names.Where(static (_, i) => i % 2 == 0)]);
        Tool.RunOk("mcopy", "-i", directory["image"], directory["long"], "::long");
        var image = new MemoryBlob(File.ReadAllBytes(directory["image"]));
        Agree(FatSamples.Format, image);
        var file = Assert.IsType<FileNode>(FatSamples.Format.Read(image).Tree.Find("/long"));
        Assert.True(Assert.IsAssignableFrom<PlacedBlob>(file.Content).Placements.Count() > 5);
    }

    /// <summary>Blocks that were reserved and never written read as zeros, so what stands there does not count.</summary>
    [Fact]
    public void UnwrittenExtentsAreNoPlacements()
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory["source"]);
        File.WriteAllBytes(directory["source/file"], Ext4Samples.Bytes(8192));
        Tool.RunOk("truncate", "-s", "8M", directory["image"]);
        Tool.RunOk("mke2fs", "-q", "-t", "ext4", "-b", "4096", "-d", directory["source"], directory["image"]);
        Tool.RunOk("debugfs", "-w", "-R", "fallocate /file 2 9", directory["image"]);
        Tool.RunOk("debugfs", "-w", "-R", "set_inode_field /file size 40960", directory["image"]);
        var image = new MemoryBlob(File.ReadAllBytes(directory["image"]));
        Agree(new Ext4Format(), image);
        var file = Assert.IsType<FileNode>(new Ext4Format().Read(image).Tree.Find("/file"));
        Assert.Equal(40960, file.Content.Length);
        var placement = Assert.Single(Assert.IsAssignableFrom<PlacedBlob>(file.Content).Placements);
        Assert.Equal((0, 8192), (placement.Offset, placement.Length));
    }

    private static void Agree(IFileSystemFormat format, Blob image)
    {
        int placements = 0;
        foreach (var file in format.Read(image).Tree.Walk().Select(static entry => entry.Node).OfType<FileNode>())
        {
            long end = 0;
            foreach (var placement in Assert.IsAssignableFrom<PlacedBlob>(file.Content).Placements)
            {
                AssertZeros(file.Content, end, placement.Offset);
                byte[] content = file.Content.ReadBytes(placement.Offset, (int)placement.Length);
                Assert.Equal(content, image.ReadBytes(placement.Place, (int)placement.Length));
                end = placement.Offset + placement.Length;
                placements++;
            }
            AssertZeros(file.Content, end, file.Content.Length);
        }
        Assert.True(placements > 0);
    }

    private static void AssertZeros(Blob content, long from, long to)
    {
        Assert.True(from <= to);
        Assert.False(content.ReadBytes(from, (int)(to - from)).AsSpan().ContainsAnyExcept((byte)0));
    }
}
