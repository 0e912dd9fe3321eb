using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Diecast.Formats.Ext4;
using Diecast.Formats.Fat;
using Diecast.Images;
using Diecast.Inspect;
using Diecast.Inspect.Reports;
using Diecast.Tests.Support;

namespace Diecast.Tests.Inspect;

public sealed partial class InspectionTests
{
    private static string Text(Inspection inspection, bool all = false)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        new InspectionText(text, false, all).Write("foo.raw", inspection, "");
        return text.ToString();
    }

    private static JsonElement Json(Inspection inspection)
    {
        using var stream = new MemoryStream();
        InspectionJson.Write(stream, "foo.raw", Compression.Zstd, inspection);
        return JsonDocument.Parse(stream.ToArray()).RootElement;
    }

    private static MemoryBlob WithByte(Blob blob, long place)
    {
        byte[] bytes = ImageSamples.Bytes(blob);
        bytes[place] ^= 0x55;
        return new MemoryBlob(bytes);
    }

    [Fact]
    public void TheTextSaysWhatPeopleLookFor()
    {
        string text = Text(Inspection.Of(ImageSamples.Disk()));
        Assert.StartsWith("foo.raw  GPT disk, 16 MiB (16777216 bytes)\n  id          0e9a6fe0-68f6-408c-bbeb-136054d20445\n", text, StringComparison.Ordinal);
        Assert.Contains(
            """
              #  TYPE         OFFSET   SIZE  LABEL        FLAGS                              CONTENT
              1  esp           1 MiB  4 MiB  system                                          FAT16
              2  root-x86-64   5 MiB  4 MiB  first: root  bit-50 grow-file-system read-only  ext4
              5  root-x86-64   9 MiB  1 MiB  other                                           unknown content

            1 esp  FAT16
              PARTUUID    cb96a8e9-addc-4be7-b68e-69b6d1ea59cb
              type        c12a7328-f81f-11d2-ba4b-00a0c93ec93b
              place       1048576 + 4194304 bytes

            """, text, StringComparison.Ordinal);
        Assert.Contains("\n  /EFI/Linux/x.efi  unified kernel image, ", text, StringComparison.Ordinal);
        Assert.Contains("\n    system      Outer OS\n    osrel       ID=outer\n                PRETTY_NAME=\"Outer OS\"\n    cmdline     quiet\n    uname       6.1.0\n", text, StringComparison.Ordinal);
        string digest = Convert.ToHexStringLower(ImageFile.Hash(ImageSamples.Initrd()));
        Assert.Matches($@"\n    \.initrd   0x[0-9a-f]+ +{ImageSamples.Initrd().Length}  {digest}\n", text);
        Assert.Contains("\n  made        2020-09-13 12:26:40 UTC\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("s_mmp_block", text, StringComparison.Ordinal);
        Assert.Contains("s_mmp_block", Text(Inspection.Of(ImageSamples.Disk()), all: true), StringComparison.Ordinal);
    }

    [Fact]
    public void AllThatIsKnownIsInTheJson()
    {
        var json = Json(Inspection.Of(ImageSamples.Disk()));
        Assert.Equal("foo.raw", json.GetProperty("image").GetString());
        Assert.Equal("zstd", json.GetProperty("compression").GetString());
        Assert.Equal("gpt", json.GetProperty("kind").GetString());
        var esp = json.GetProperty("parts")[0];
        Assert.Equal("esp", esp.GetProperty("fields").GetProperty("type").GetString());
        Assert.Equal("vfat", esp.GetProperty("content").GetProperty("kind").GetString());
        var kernel = esp.GetProperty("content").GetProperty("kernels");
        Assert.Throws<KeyNotFoundException>(() => json.GetProperty("parts")[2].GetProperty("content").GetProperty("kind"));
        Assert.Equal("ext4", json.GetProperty("parts")[1].GetProperty("content").GetProperty("kind").GetString());
        Assert.Equal("/EFI/Linux/x.efi", kernel[0].GetProperty("path").GetString());
        var sections = kernel[0].GetProperty("parts").EnumerateArray().ToDictionary(static part => part.GetProperty("name").GetString()!, static part => part);
        Assert.Equal("quiet", sections[".cmdline"].GetProperty("text").GetString());
        Assert.Equal("6.1.0", sections[".uname"].GetProperty("text").GetString());
        Assert.Equal("ID=outer\nPRETTY_NAME=\"Outer OS\"", sections[".osrel"].GetProperty("text").GetString());
        Assert.Equal(Convert.ToHexStringLower(ImageFile.Hash(ImageSamples.Initrd())), sections[".initrd"].GetProperty("sha256").GetString());
        Assert.False(sections[".initrd"].TryGetProperty("text", out _));
    }

    [Fact]
    public void ADamagedPartitionIsReportedInItsPlaceAndTheRestIsShown()
    {
        Assert.True(Inspection.Of(ImageSamples.Disk()).IsSound);
        // A byte of the superblock: its checksum notices.
        var inspection = Inspection.Of(WithByte(ImageSamples.Disk(), (5 << 20) + 1024 + 8));
        Assert.False(inspection.IsSound);
        Assert.Null(inspection.Damage);
        Assert.Contains("ext4 superblock", inspection.Parts[1].Content.Damage, StringComparison.Ordinal);
        Assert.Equal("vfat", inspection.Parts[0].Content.Container!.Kind);
        string text = Text(inspection);
        Assert.Contains("2 root-x86-64  damaged\n", text, StringComparison.Ordinal);
        Assert.Contains("  damaged     ext4 superblock", text, StringComparison.Ordinal);
        Assert.Contains("  cmdline     quiet", text, StringComparison.Ordinal);
        Assert.Contains("ext4 superblock", Json(inspection).GetProperty("parts")[1].GetProperty("content").GetProperty("damage").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void ADamagedTableIsReplacedByTheBackupAndSaidToBe()
    {
        var inspection = Inspection.Of(WithByte(ImageSamples.Disk(), 512 + 20));
        Assert.Contains(inspection.Problems, static problem => problem.Contains("this is the backup", StringComparison.Ordinal));
        Assert.Equal(3, inspection.Parts.Count);
        Assert.Contains("  problem     GPT header at 512: wrong checksum\n", Text(inspection), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatCannotBeReadIsNamed()
    {
        byte[] luks = [.. "LUKS"u8, 0xba, 0xbe, .. new byte[1000]];
        Assert.Equal("LUKS", Inspection.Of(new MemoryBlob(luks)).Unread);
        Assert.Contains("LUKS (not read)", Text(Inspection.Of(new MemoryBlob(luks))), StringComparison.Ordinal);
        Assert.Contains("unknown content", Text(Inspection.Of(new MemoryBlob(new byte[100]))), StringComparison.Ordinal);
    }

    [Fact]
    public void NothingThatATerminalObeysIsWritten()
    {
        byte[] bytes = ImageSamples.Bytes(ImageSamples.Disk());
        int at = bytes.AsSpan().IndexOf("6.1.0"u8);
        "\e[31m"u8.CopyTo(bytes.AsSpan(at));
        string text = Text(Inspection.Of(new MemoryBlob(bytes)));
        Assert.DoesNotContain('\e', text);
        Assert.Contains("\\x1b[31m", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-t", "ext4", "-b", "1024")]
    [InlineData("-t", "ext4", "-O", "^metadata_csum,^64bit")]
    [InlineData("-t", "ext2")]
    public void TheUsageOfAForeignExt4IsWhatDumpe2fsSays(params string[] options)
    {
        using var directory = new TempDirectory("/var/tmp");
        Directory.CreateDirectory(directory["tree/sub"]);
        File.WriteAllBytes(directory["tree/sub/file"], new byte[300_000]);
        Tool.RunOk("mke2fs", ["-q", .. options, "-d", directory["tree"], directory["x.img"], "20M"]);
        string foreign = Tool.RunOk("dumpe2fs", "-h", directory["x.img"]);
        long Foreign(string name) => long.Parse(Regex.Match(foreign, $@"{name}:\s+(\d+)").Groups[1].Value, CultureInfo.InvariantCulture);
        var inspection = Inspection.Of(ImageSource.Open(directory["x.img"]).Content!);
        Assert.Equal(new Usage(Foreign("Block count") * Foreign("Block size"), Foreign("Free blocks") * Foreign("Block size"),
            Foreign("Inode count"), Foreign("Free inodes"), null), inspection.Usage);
        string text = Text(inspection);
        foreach (string feature in Regex.Match(foreign, @"Filesystem features:\s+(.*)").Groups[1].Value.Split(' '))
        {
            Assert.Matches($@"\b{feature}\b", text);
        }
        Assert.Contains(Regex.Match(foreign, @"UUID:\s+(\S+)").Groups[1].Value, text, StringComparison.Ordinal);
        Assert.Contains(Regex.Match(foreign, @"Hash Seed:\s+(\S+)").Groups[1].Value, text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(12, 2 << 20)]
    [InlineData(16, 20 << 20)]
    [InlineData(32, 40 << 20)]
    public void TheFreeSpaceOfAForeignFatIsWhatMtoolsSay(int bits, long size)
    {
        using var directory = new TempDirectory("/var/tmp");
        string image = directory["x.img"];
        File.WriteAllBytes(directory["file"], new byte[123_456]);
        Tool.RunOk("mkfs.fat", "-C", "-F", bits.ToString(CultureInfo.InvariantCulture), image, (size >> 10).ToString(CultureInfo.InvariantCulture));
        Tool.RunOk("mmd", "-i", image, "::/dir");
        Tool.RunOk("mcopy", "-i", image, directory["file"], "::/dir/file");
        string free = MtoolsFree().Match(Tool.RunOk("mdir", "-i", image, "::/")).Groups[1].Value.Replace(" ", "", StringComparison.Ordinal);
        var inspection = Inspection.Of(ImageSource.Open(image).Content!);
        Assert.Equal(free, inspection.Usage!.Free!.Value.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(3, inspection.Usage.Files);
        Assert.StartsWith($"foo.raw  FAT{bits},", Text(inspection), StringComparison.Ordinal);
    }

    [Fact]
    public void EveryByteHasALineOfTheLayout()
    {
        var disk = ImageSamples.Disk();
        var lines = LayoutLines.Of(disk, Assert.Fail).ToList();
        long end = 0;
        foreach (var line in lines)
        {
            Assert.Equal(end, line.Offset);
            Assert.True(line.Length > 0);
            end += line.Length;
        }
        Assert.Equal(disk.Length, end);
        string[] labels = [.. lines.Select(static line => line.Label)];
        Assert.Equal(["protective MBR", "GPT header", "unused", "GPT entries", "unused", "1: fat boot sector"], labels[..6]);
        Assert.Contains("1: file /EFI/Linux/x.efi", labels);
        Assert.Contains("2: file /usr/lib/os-release", labels);
        Assert.Contains("2: ext4 superblock", labels);
        Assert.Contains("5: unknown content", labels);
        Assert.Equal(["GPT backup entries", "GPT backup header", "unused"], labels[^3..]);
        // Where the content of a file lies is not only said: it is there.
        var file = lines.Single(static line => line.Label == "2: file /usr/lib/os-release");
        Assert.Equal("ID=root\n", ImageSamples.Text(disk.Slice(file.Offset, 8)));
    }

    [Fact]
    public void DamageIsOneLineOfTheLayout()
    {
        var damages = new List<string>();
        var lines = LayoutLines.Of(WithByte(ImageSamples.Disk(), (5 << 20) + 1024 + 8), damages.Add).ToList();
        Assert.StartsWith("2: ext4 superblock", Assert.Single(damages), StringComparison.Ordinal);
        Assert.Equal(new LayoutLine(5 << 20, 4 << 20, "2: damaged"), lines.Single(static line => line.Label.StartsWith("2:", StringComparison.Ordinal)));
        Assert.Equal(16 << 20, lines.Sum(static line => line.Length));
    }

    [Fact]
    public void BareFileSystemsAreInspectedToo()
    {
        Assert.Equal("ext4", Inspection.Of(new Ext4Format().Write(ImageSamples.Root(), ImageSamples.Options(4 << 20))).Container!.Kind);
        Assert.Equal("vfat", Inspection.Of(new FatFormat().Write(ImageSamples.Tree(("a", "b")), ImageSamples.Options(4 << 20))).Container!.Kind);
        Assert.Contains("3 files and directories", Text(Inspection.Of(ImageSamples.Cpio(("a/b", "c")))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1 KiB")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData((1 << 20) - 1, "1.0 MiB")]
    [InlineData(536870912, "512 MiB")]
    [InlineData(761958400, "727 MiB")]
    [InlineData(long.MaxValue, "8 EiB")]
    [InlineData(-5, "-5 B")]
    public void SizesAreShort(long bytes, string text) => Assert.Equal(text, Units.Size(bytes));

    [GeneratedRegex(@"([\d ]+) bytes free")]
    private static partial Regex MtoolsFree();
}
