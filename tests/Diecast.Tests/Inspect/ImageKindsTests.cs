using System.Globalization;
using System.Text.Json;
using CsCheck;
using Diecast.Formats;
using Diecast.Formats.Tar;
using Diecast.Images;
using Diecast.Inspect;
using Diecast.Tests.Formats.Uki;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Inspect;

public sealed class ImageKindsTests
{
    private static string Field(IReadOnlyList<NamedField> fields, string name) => fields.Single(field => field.Name == name).Value;

    [Fact]
    public void APartitionHasTheFieldsThatForeignToolsShow()
    {
        using var directory = new TempDirectory();
        ImageFile.Write(ImageSamples.Disk(), directory["x.raw"]);
        using var table = JsonDocument.Parse(Tool.RunOk("sfdisk", "-J", directory["x.raw"]));
        var disk = ContainerTable.Open(ImageSamples.Disk())!;
        Assert.Equal("gpt", disk.Kind);
        Assert.Equal(["1", "2", "5"], disk.Parts.Select(static part => part.Name));
        var foreign = table.RootElement.GetProperty("partitiontable");
        Assert.Equal(foreign.GetProperty("id").GetString(), Field(disk.Fields, "DiskGUID"), ignoreCase: true);
        foreach (var (part, expected) in disk.Parts.Zip(foreign.GetProperty("partitions").EnumerateArray()))
        {
            Assert.Equal(expected.GetProperty("type").GetString(), Field(part.Fields, "type-uuid"), ignoreCase: true);
            Assert.Equal(expected.GetProperty("uuid").GetString(), Field(part.Fields, "id"), ignoreCase: true);
            Assert.Equal(expected.GetProperty("name").GetString(), Field(part.Fields, "label"));
            Assert.Equal(expected.GetProperty("start").GetInt64() * 512, long.Parse(Field(part.Fields, "offset"), CultureInfo.InvariantCulture));
            Assert.Equal(expected.GetProperty("size").GetInt64() * 512, long.Parse(Field(part.Fields, "length"), CultureInfo.InvariantCulture));
            Assert.Equal(part.Content.Length, long.Parse(Field(part.Fields, "length"), CultureInfo.InvariantCulture));
        }
        Assert.Equal("bit-50 grow-file-system read-only", Field(disk.Parts[1].Fields, "attributes"));
        Assert.Equal("GUID:50,59,60", foreign.GetProperty("partitions")[1].GetProperty("attrs").GetString());
        Assert.Equal(["first: root", "root-x86-64", "root", ImageSamples.RootId.ToString(), "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"], disk.Parts[1].Aliases);
    }

    [Fact]
    public void ASectionIsWhatForeignToolsTakeOut()
    {
        using var directory = new TempDirectory();
        var kernel = ImageSamples.Kernel();
        ImageFile.Write(kernel, directory["x.efi"]);
        var pe = ContainerTable.Open(kernel)!;
        Assert.Equal("pe", pe.Kind);
        Assert.Equal("0x8664", Field(pe.Fields, "Machine"));
        Assert.Equal("10", Field(pe.Fields, "Subsystem"));
        Assert.Equal(0x12345678.ToString(CultureInfo.InvariantCulture), Field(pe.Fields, "TimeDateStamp"));
        string headers = Tool.RunOk("objdump", "-h", directory["x.efi"]);
        foreach (var section in pe.Parts)
        {
            Tool.RunOk("objcopy", "--dump-section", $"{section.Name}={directory["section"]}", directory["x.efi"], directory["copy"]);
            Assert.Equal(File.ReadAllBytes(directory["section"]), ImageSamples.Bytes(section.Content));
            string address = Field(section.Fields, "VirtualAddress")[2..];
            Assert.Matches($@" {section.Name}\s+{section.Content.Length:x8}\s+0*{address}\s", headers);
        }
    }

    [Fact]
    public void SectionsOfOneNameAreToldApart()
    {
        var pe = ContainerTable.Open(new MemoryBlob(PeSample.Make(true, 0x600, (".dtb", [1]), (".dtb", [2]), (".dtb#2", [3]))))!;
        Assert.Equal([".dtb", ".dtb#2", ".dtb#2#2"], pe.Parts.Select(static part => part.Name));
    }

    [Fact]
    public void EveryByteOfAPeFileIsLabelledAndEveryHeaderFieldFound()
    {
        var pe = ContainerTable.Open(ImageSamples.Kernel())!;
        var layout = pe.Layout!();
        Assert.Equal(ImageSamples.Bytes(ImageSamples.Kernel()), ImageSamples.Bytes(layout));
        Assert.Equal(layout.Length, layout.Leaves().Sum(static extent => extent.Length));
        Assert.Contains("pe section .cmdline", layout.Leaves().Select(static extent => extent.Label.ToString()));
        var find = pe.FieldFinder();
        var found = find(0x80 + 10)!;
        Assert.Equal(("COFF header", "TimeDateStamp", "305419896", 0x88L, 4L), (found.Structure, found.Name, found.Value, found.Offset, found.Length));
        Assert.Equal("CheckSum", find(0x80 + 24 + 64)!.Name);
        Assert.Equal("section header 1 .osrel", find(0x80 + 24 + 112 + 128)!.Structure);
        Assert.Null(find(0));
        Assert.Null(find(layout.Length));
        Assert.Null(find(long.MaxValue));
    }

    [Fact]
    public void OverlappingSectionsAreAnErrorOfTheLayout()
    {
        byte[] file = PeSample.Make(true, 0x600, (".a", new byte[600]), (".b", new byte[600]));
        int second = 0x80 + 24 + 112 + 128 + 40;
        file[second + 21] = 0x6;
        Assert.Throws<InvalidDataException>(() => ContainerTable.Open(new MemoryBlob(file))!.Layout!());
    }

    [Fact]
    public void ArchivesAreTrees()
    {
        var tar = TarWriter.Write(ImageSamples.Tree(("a/b", "in the tar")));
        var container = ContainerTable.Open(tar)!;
        Assert.Equal("tar", container.Kind);
        Assert.Equal("in the tar", ImageSamples.Text(((FileNode)container.Tree!.Find("/a/b")!).Content));
        Assert.Equal("cpio", ContainerTable.Open(ImageSamples.Initrd())!.Kind);
        Assert.NotNull(ContainerTable.Open(ImageSamples.Initrd())!.Tree!.Find("/init"));
    }

    [Theory]
    [InlineData(Compression.Gzip, "gzip")]
    [InlineData(Compression.Zstd, "zstd")]
    public void NothingIsUnpackedBeforeItIsLookedAt(Compression compression, string kind)
    {
        var packed = Compressor.Compress(new MemoryBlob(new byte[1000]), compression, 1);
        // Cut off: what unpacks it throws.
        var container = ContainerTable.Open(packed.Slice(0, packed.Length - 4))!;
        Assert.Equal(kind, container.Kind);
        var data = Assert.Single(container.Parts);
        Assert.Equal("data", data.Name);
        Assert.Throws<InvalidDataException>(() => data.Content.Length);
        Assert.Equal(1000, ContainerTable.Open(packed)!.Parts[0].Content.Length);
    }

    [Fact]
    public void WhatIsNothingIsNothing()
    {
        Assert.Null(ContainerTable.Open(Blob.Empty));
        Assert.Null(ContainerTable.Open(new MemoryBlob("MZ"u8.ToArray())));
        Assert.Null(ContainerTable.Open(new MemoryBlob(new byte[5000])));
        Gen.Byte.Array[0, 600].Sample(static bytes => ContainerTable.Recognize(new MemoryBlob(bytes), ""));
    }

    [Fact]
    public void MutatedProgramsAreUnderstoodOrRefused()
    {
        byte[] file = ImageSamples.Bytes(ImageSamples.Kernel());
        Gen.Select(Gen.Int[0, 0x400], Gen.Byte).Array[1, 6].Sample(changes =>
        {
            byte[] mutated = [.. file];
            foreach (var (place, value) in changes)
            {
                mutated[place] = value;
            }
            try
            {
                var container = ContainerTable.Open(new MemoryBlob(mutated));
                container?.FieldFinder()(0x90);
                container?.Layout?.Invoke();
            }
            catch (InvalidDataException)
            {
            }
        }, iter: 3000);
    }
}
