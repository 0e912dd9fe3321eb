using System.Runtime.CompilerServices;
using CsCheck;
using Diecast.Formats;
using Diecast.Formats.Cpio;
using Diecast.Formats.Tar;
using Diecast.Images;
using Diecast.Inspect;
using Diecast.Tests.Fuzz;
using Diecast.Tests.Inspect;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Formats;

/// <summary>Where the members of archives stand, and what their fields are.</summary>
public sealed class ArchiveMapTests
{
    private static List<(long Offset, long Length, string Label)> Lines(Blob archive)
    {
        var layout = ContainerTable.Open(archive)!.Layout!();
        Assert.Equal(archive.Length, layout.Length);
        return [.. layout.Leaves().Select(static extent => (extent.Offset, extent.Length, extent.Label.ToString()))];
    }

    /// <summary>
    /// All bytes are in the layout; those of headers have fields that cover them (but for what fills up), contents have none.
    /// </summary>
    private static void Check(Blob archive)
    {
        var lines = Lines(archive);
        var find = ContainerTable.Open(archive)!.FieldFinder();
        long end = 0;
        foreach (var (offset, length, label) in lines)
        {
            Assert.Equal(end, offset);
            end += length;
            long[] places = [.. Enumerable.Range(0, (int)Math.Min(length, 3000)).Select(i => offset + i)];
            var unnamed = FieldChecks.Unnamed(find, places);
            if (label.StartsWith("file ", StringComparison.Ordinal) || label.EndsWith(" padding", StringComparison.Ordinal) || label.EndsWith(" data", StringComparison.Ordinal))
            {
                Assert.Equal(places, unnamed);
            }
            else
            {
                Assert.All(unnamed, place => Assert.Equal(0, archive.ReadBytes(place, 1)[0]));
            }
            Assert.All(places.Except(unnamed), place => Assert.InRange(find(place)!.Offset, offset, offset + length - 1));
            Assert.All(places.Except(unnamed).Take(1), place => Assert.Equal(label.Contains(" /", StringComparison.Ordinal) ? label[label.IndexOf('/', StringComparison.Ordinal)..] : null, find(place)!.Path));
        }
        Assert.Equal(archive.Length, end);
        Assert.Equal([-1, archive.Length, long.MaxValue], FieldChecks.Unnamed(find, [-1, archive.Length, long.MaxValue]));
    }

    [Fact]
    public void EveryByteHasALabelAndEveryByteOfAHeaderAField() => SampleTrees.Random.Sample(
        tree =>
        {
            Check(CpioWriter.Write(tree));
            if (TarWriter.Check(tree).Count == 0)
            {
                Check(TarWriter.Write(tree));
            }
        }, iter: 40);

    [Theory]
    [InlineData("cpio-gnu")]
    [InlineData("cpio-concatenated")]
    [InlineData("tar-gnu")]
    [InlineData("tar-pax")]
    [InlineData("tar-bsd")]
    [InlineData("tar-ustar")]
    [InlineData("tar-own")]
    public void TheArchivesOfOthersToo(string name) => Check(FuzzSeeds.Get(name).Image);

    [Fact]
    public void ALayoutIsThatOfTheArchive()
    {
        var tree = new TreeBuilder(ImageSamples.Plain with { Mode = 0x1ED });
        tree.AddFile("a", ImageSamples.Plain, "12345"u8.ToArray());
        tree.AddSymlink("b", ImageSamples.Plain, "target");
        Assert.Equal(
            [
                (0, 112, "cpio header /"), (112, 112, "cpio header /a"), (224, 5, "file /a"), (229, 3, "cpio padding"), (232, 118, "cpio header /b"),
                (350, 2, "cpio padding"), (352, 124, "cpio trailer"), (476, 36, "cpio padding"),
            ], Lines(CpioWriter.Write(tree.Build())));
        Assert.Equal(
            [
                (0, 512, "tar header /"), (512, 512, "tar header /a"), (1024, 5, "file /a"), (1029, 507, "tar padding"), (1536, 512, "tar header /b"),
                (2048, 1024, "tar trailer"), (3072, 7168, "tar padding"),
            ], Lines(TarWriter.Write(tree.Build())));
    }

    [Theory]
    [InlineData(6 + 7, "c_ino", "2", "3")]
    [InlineData(14 + 7, "c_mode", "100644", "100645")]
    [InlineData(46 + 7, "c_mtime", "1600000000.000000000", "1600000001.000000000")]
    [InlineData(102 + 7, "c_check", "0x00000000", "0x00000001")]
    [InlineData(110, "name", "a", "c")]
    public void AChangedByteOfCpioIsSeenInItsField(int at, string name, string value, string changed)
    {
        byte[] archive = ImageSamples.Bytes(ImageSamples.Cpio(("a", "12345")));
        var (before, after) = FieldChecks.Flip(archive, 112 + at, (byte)(name == "name" ? 2 : 1), static blob => ContainerTable.Open(blob)!.FieldFinder(),
            ContainerTable.Open(new MemoryBlob(archive))!.FieldFinder());
        Assert.Equal(("cpio header", "/a", name, value), (before.Structure, before.Path, before.Name, before.Value));
        Assert.Equal((name, changed), (after!.Name, after.Value));
    }

    [Fact]
    public void TheRecordsOfAnExtendedHeaderAreFields()
    {
        var tree = new TreeBuilder(ImageSamples.Plain with { Mode = 0x1ED });
        var metadata = ImageSamples.Plain with { Mtime = new Timestamp(1_600_000_000, 500_000_000), Xattrs = [Xattr.Create("user.x"u8, "y"u8)] };
        tree.AddFile("a", metadata, "12345"u8.ToArray());
        var container = ContainerTable.Open(TarWriter.Write(tree.Build()))!;
        var member = container.Members!().Single(static member => member.Path == "/a");
        var fields = member.Fields();
        Assert.Contains(new NamedField("pax mtime", "1600000000.500000000"), fields);
        Assert.Contains(new NamedField("pax SCHILY.xattr.user.x", "y"), fields);
        Assert.Contains(new NamedField("exthdr.name", "././@PaxHeader"), fields);
        Assert.Contains(new NamedField("mode", "0644"), fields);
        Assert.Contains(new NamedField("size", "5"), fields);
        Assert.Equal(3 * 512, member.Header.Length);
    }

    [Fact]
    public void TheMembersOfPackedArchivesAreMembersToo()
    {
        var container = ContainerTable.Open(ImageSamples.Initrd())!;
        string[] paths = [.. container.Members!().Select(static member => member.Path)];
        Assert.Equal(["/", "/kernel", "/kernel/x86", "/kernel/x86/microcode", "/kernel/x86/microcode/x.bin", "/", "/init", "/usr", "/usr/lib", "/usr/lib/os-release"], paths);
        Assert.Contains(Lines(ImageSamples.Initrd()), static line => line.Label == "zstd data");
    }

    /// <summary>The index of an archive of very many members is small beside its tree.</summary>
    [Fact]
    public void ManyMembersTakeLittleMemory()
    {
        const int count = 100_000;
        var tree = new TreeBuilder(ImageSamples.Plain with { Mode = 0x1ED });
        for (int i = 0; i < count; i++)
        {
            tree.AddFile($"{i % 100}/{i}", ImageSamples.Plain, Blob.Empty);
        }
        byte[] archive = ImageSamples.Bytes(CpioWriter.Write(tree.Build()));
        var blob = new MemoryBlob(archive);
        MapOf(blob);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var map = MapOf(blob);
        long size = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.InRange(size, 1, 160L * count);
        Assert.Equal(count + 101, map.Members().Count());
    }

    // In a method of its own, so that nothing holds the tree.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ArchiveMap MapOf(Blob blob) => CpioReader.ReadMapped(blob, long.MaxValue).Map;
}
