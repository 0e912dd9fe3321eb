using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Diecast.Formats.Ext4;
using Diecast.Formats.Fat;
using Diecast.Images;
using Diecast.Tests.Inspect;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Cli;

/// <summary>The verbs inspect, ls, cat and extract, as the process that users run.</summary>
public sealed class LookCommandTests : IDisposable
{
    private static readonly string s_diecast = Path.Join(
        Path.GetDirectoryName(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)))!, "Diecast.Cli",
        Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "Diecast.Cli");

    private readonly TempDirectory _directory = new("/var/tmp");
    private readonly string _image;

    public LookCommandTests()
    {
        _image = _directory["foo.raw"];
        ImageFile.Write(ImageSamples.Disk(), _image);
    }

    public void Dispose() => _directory.Dispose();

    private static Tool.Result Run(params string[] arguments) => Tool.Run(s_diecast, arguments);

    private static string RunOk(params string[] arguments)
    {
        var result = Run(arguments);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Empty(result.Errors);
        return result.Output;
    }

    /// <summary>Fails the test unless there is exit status 1 and one line that has the text.</summary>
    private static void Fails(string expected, params string[] arguments)
    {
        var result = Run(arguments);
        Assert.Equal(1, result.ExitCode);
        Assert.Empty(result.Output);
        string line = Assert.Single(result.Errors.TrimEnd('\n').Split('\n'));
        Assert.StartsWith("error: ", line, StringComparison.Ordinal);
        Assert.Contains(expected, line, StringComparison.Ordinal);
    }

    [Fact]
    public void InspectTellsPeopleAndMachines()
    {
        Assert.Contains("2 root-x86-64  ext4\n", RunOk("inspect", _image), StringComparison.Ordinal);
        using var json = JsonDocument.Parse(RunOk("inspect", "--json", _image));
        Assert.Equal(3, json.RootElement.GetProperty("parts").GetArrayLength());
        Assert.StartsWith($"{_image}:esp  FAT16, 4 MiB", RunOk("inspect", $"{_image}:esp"), StringComparison.Ordinal);
        Assert.Contains("  cmdline     quiet\n", RunOk("inspect", $"{_image}:esp:/EFI/Linux/x.efi"), StringComparison.Ordinal);
        string[] lines = RunOk("inspect", "--layout", _image).TrimEnd('\n').Split('\n');
        Assert.Equal("              0             512  protective MBR", lines[0]);
        using var layout = JsonDocument.Parse(RunOk("inspect", "--layout", "--json", _image));
        Assert.Equal(lines.Length, layout.RootElement.GetArrayLength());
        Assert.Equal(16 << 20, layout.RootElement.EnumerateArray().Sum(static line => line.GetProperty("length").GetInt64()));
    }

    [Fact]
    public void DamageIsExitStatusOneWithTheRestOfTheReport()
    {
        byte[] bytes = File.ReadAllBytes(_image);
        bytes[(5 << 20) + 1024 + 8] ^= 1;
        File.WriteAllBytes(_image, bytes);
        var result = Run("inspect", _image);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("2 root-x86-64  damaged\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("  cmdline     quiet\n", result.Output, StringComparison.Ordinal);
        Assert.Equal(1, Run("inspect", "--json", _image).ExitCode);
        result = Run("inspect", "--layout", _image);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("error: 2: ext4 superblock", result.Errors, StringComparison.Ordinal);
        Fails("foo.raw:2: ext4 superblock", "ls", $"{_image}:2:/etc");
    }

    [Fact]
    public void ALargeSparseImageIsInspectedInUnderASecond()
    {
        // A disk of 8 GiB with a root partition of nearly that size, as a virtual machine has it.
        string image = _directory["large.raw"];
        ImageFile.Write(ImageSamples.Disk(grown: 8L << 30), image);
        RunOk("inspect", image);
        var watch = Stopwatch.StartNew();
        string text = RunOk("inspect", image);
        Assert.Matches(@"  2  root-x86-64 +5 MiB +8.0 GiB  .* ext4\n", text);
        // The debug build on a busy machine; the executable takes a tenth of a second.
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), watch.Elapsed.ToString());
    }

    [Fact]
    public void LsListsPartitionsFilesAndSections()
    {
        Assert.Equal("1  esp          system\n2  root-x86-64  first: root\n5  root-x86-64  other\n", RunOk("ls", _image));
        Assert.Equal("EFI\n", RunOk("ls", $"{_image}:esp"));
        Assert.Equal(".osrel\n.cmdline\n.uname\n.linux\n.initrd\n", RunOk("ls", $"{_image}:esp:/EFI/Linux/x.efi:"));
        Assert.Equal("/EFI/Linux/x.efi\n", RunOk("ls", $"{_image}:esp:/EFI/Linux/x.efi"));
        Assert.Equal("a\\x07b\na:b\nlink\npasswd\nx\\x5cx2dy\n", RunOk("ls", $"{_image}:2:/etc"));
        Assert.Equal("lrwxrwxrwx 0 0 7 2020-09-13 12:26:40.000000000 /lib -> usr/lib\n", RunOk("ls", "-l", $"{_image}:2:/lib").Replace("  ", " ", StringComparison.Ordinal).Replace("  ", " ", StringComparison.Ordinal).Replace("  ", " ", StringComparison.Ordinal));
        Assert.Equal("-rw-r--r-- 70000 0 8 2020-09-13 12:26:41.123456789 os-release\n", RunOk("ls", "-l", $"{_image}:2:/lib/"));
        Assert.Equal("/init\n/kernel\n/kernel/x86\n/kernel/x86/microcode\n/kernel/x86/microcode/x.bin\n/usr\n/usr/lib\n/usr/lib/os-release\n",
            RunOk("ls", "-R", $"{_image}:esp:/EFI/Linux/x.efi:.initrd"));
        using var json = JsonDocument.Parse(RunOk("ls", "--json", $"{_image}:2:/usr/lib"));
        Assert.Equal("2020-09-13T12:26:41.123456789Z", json.RootElement[0].GetProperty("mtime").GetString());
        Fails("no partition \"home\"; there are 1 (system), 2 (first: root), 5 (other)", "ls", $"{_image}:home");
        Fails("no such file", "ls", _directory["missing"]);
        Fails("foo.raw:5: holds nothing that can be listed", "ls", $"{_image}:5");
    }

    [Fact]
    public void LsShowsAForeignTreeAsDebugfsDoes()
    {
        Directory.CreateDirectory(_directory["tree/sub"]);
        File.WriteAllBytes(_directory["tree/sub/file"], new byte[12345]);
        File.WriteAllText(_directory["tree/text"], "text");
        Posix.SymlinkAt("sub/file"u8, Posix.AT_FDCWD, Posix.Bytes(_directory["tree/link"]));
        Tool.RunOk("mke2fs", "-q", "-t", "ext4", "-d", _directory["tree"], _directory["x.img"], "8M");
        Tool.RunOk("debugfs", "-w", "-R", "set_inode_field /text uid 70000", _directory["x.img"]);
        // "     13  100644 (1)  70000      0       4 23-Nov-2026 18:58 text"
        var foreign = Tool.RunOk("debugfs", "-R", "ls -l /", _directory["x.img"]).Split('\n')
            .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(static cells => cells.Length > 8 && cells[^1] is not ("." or ".."))
            .ToDictionary(static cells => cells[^1], static cells => (cells[1], cells[3], cells[4], cells[5]));
        using var json = JsonDocument.Parse(RunOk("ls", "--json", _directory["x.img"]));
        foreach (var entry in json.RootElement.EnumerateArray())
        {
            var (mode, uid, gid, size) = foreign[entry.GetProperty("name").GetString()!];
            Assert.EndsWith(entry.GetProperty("mode").GetString()![1..], mode, StringComparison.Ordinal);
            Assert.Equal(uid, entry.GetProperty("uid").GetUInt32().ToString(CultureInfo.InvariantCulture));
            Assert.Equal(gid, entry.GetProperty("gid").GetUInt32().ToString(CultureInfo.InvariantCulture));
            if (entry.TryGetProperty("size", out var ours))
            {
                Assert.Equal(size, ours.GetInt64().ToString(CultureInfo.InvariantCulture));
            }
        }
        Assert.Equal(foreign.Keys.Order(StringComparer.Ordinal), json.RootElement.EnumerateArray().Select(static entry => entry.GetProperty("name").GetString()!));
    }

    [Fact]
    public void CatWritesTheBytesAndFollowsLinks()
    {
        Assert.Equal("ID=inner\n", RunOk("cat", $"{_image}:esp:/EFI/Linux/x.efi:.initrd:/usr/lib/os-release"));
        Assert.Equal("root:x:0:0::/root:/bin/sh\n", RunOk("cat", $"{_image}:{ImageSamples.RootId}:/etc/link"));
        Tool.RunOk("sh", "-c", $"'{s_diecast}' cat '{_image}:esp' > '{_directory["esp"]}'; '{s_diecast}' cat '{_image}:2' >> '{_directory["esp"]}'");
        byte[] both = File.ReadAllBytes(_directory["esp"]);
        Assert.Equal(ImageSamples.Bytes(ImageSamples.Disk().Slice(1 << 20, 8 << 20)), both);
        Tool.RunOk("mcopy", "-i", _directory["esp"], "::/EFI/Linux/x.efi", _directory["x.efi"]);
        Assert.Equal(ImageSamples.Bytes(ImageSamples.Kernel()), File.ReadAllBytes(_directory["x.efi"]));
        Fails("go in circles", "cat", $"{_image}:2:/loop");
        Fails("is no regular file", "cat", $"{_image}:2:/etc");
        // A reader that has seen enough is no error.
        Assert.Equal("gone 141\n", Tool.RunOk("bash", "-c", $"'{s_diecast}' cat '{_image}' | head -c 1 > /dev/null; echo gone ${{PIPESTATUS[0]}}"));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("xz")]
    [InlineData("zstd")]
    public void CompressedImagesAreReachedInto(string program)
    {
        string packed = _directory["packed"];
        Tool.RunOk("sh", "-c", $"{Tool.Require(program)} -c '{_image}' > '{packed}'");
        Assert.Equal("ID=root\n", RunOk("cat", $"{packed}:2:/usr/lib/os-release"));
        Assert.Matches($@"GPT disk, 16 MiB \(16777216 bytes\), {program} of [\d.]+ KiB\n", RunOk("inspect", packed));
        Fails("packed: unpacks to more than the limit of 1048576 bytes", "ls", "--unpack-limit=1M", packed);
        Fails("--unpack-limit: \"much\" is no number of bytes", "ls", "--unpack-limit=much", packed);
    }

    [Fact]
    public void ExtractMakesADirectoryATarOrAFile()
    {
        RunOk("extract", $"{_image}:2:/usr", _directory["usr"]);
        Assert.Equal("ID=root\n", File.ReadAllText(_directory["usr/lib/os-release"]));
        Assert.Equal(new Timestamp(1_600_000_001, 123_456_789), Posix.Stat(Posix.AT_FDCWD, Posix.Bytes(_directory["usr/lib/os-release"])).Mtime);
        Fails("is not empty", "extract", $"{_image}:2:/usr", _directory["usr"]);

        RunOk("extract", $"{_image}:2", _directory["root.tar"]);
        string listing = Tool.RunOk("bsdtar", "-tvf", _directory["root.tar"], "--numeric-owner");
        Assert.Matches(@"-rw-r--r--\s+0 70000\s+0\s+8 Sep 13\s+2020 \./usr/lib/os-release", listing);
        Assert.Contains("./lib -> usr/lib", listing, StringComparison.Ordinal);
        Tool.RunOk("sh", "-c", $"'{s_diecast}' extract '{_image}:2' - | cmp - '{_directory["root.tar"]}'");
        Tool.RunOk("sh", "-c", $"'{s_diecast}' extract '{_image}:2' --tar - | cmp - '{_directory["root.tar"]}'");

        RunOk("extract", $"{_image}:esp:/EFI/Linux/x.efi:.initrd", _directory["initrd"]);
        Assert.Equal("microcode", File.ReadAllText(_directory["initrd/kernel/x86/microcode/x.bin"]));
        RunOk("extract", $"{_image}:esp:/EFI/Linux/x.efi", _directory["k.efi"]);
        Assert.Equal(ImageSamples.Bytes(ImageSamples.Kernel()), File.ReadAllBytes(_directory["k.efi"]));
        RunOk("extract", $"{_image}:esp:/EFI/Linux/x.efi:.uname", _directory["initrd"]);
        Assert.Equal("6.1.0", File.ReadAllText(_directory["initrd/.uname"]));

        Fails("is a disk; name one of its partitions: 1 (system), 2 (first: root), 5 (other)", "extract", _image, _directory["x"]);
        Fails("is one file", "extract", $"{_image}:2:/etc/passwd", "-");
        Fails("say either where to (DEST) or --tar FILE", "extract", $"{_image}:2");
    }

    /// <summary>An ordinary user is told once what is not as in the image; a tar has it all.</summary>
    [Fact]
    public void AnOrdinaryUserIsWarnedOnce()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Tool.Missing("becoming another user needs root");
        }
        Directory.CreateDirectory(_directory["theirs"]);
        Posix.ChmodAt(Posix.AT_FDCWD, Posix.Bytes(_directory["theirs"]), 0x1FF);
        Posix.ChmodAt(Posix.AT_FDCWD, Posix.Bytes(_directory.Path), 0x1ED);
        string[] asNobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "env", "HOME=/", s_diecast, "extract", $"{_image}:2", _directory["theirs/out"]];
        var result = Tool.Run("setpriv", asNobody);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Matches(@"^warning: \S+/out: 13 files have other owners than in the image\n$", result.Errors);
        Assert.Equal("ID=root\n", File.ReadAllText(_directory["theirs/out/usr/lib/os-release"]));
        result = Tool.Run("setpriv", [.. asNobody[..^1], "--no-same-owner", _directory["theirs/quiet"]]);
        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
    }

    [Fact]
    public void BareFileSystemsNeedNoPartition()
    {
        ImageFile.Write(new FatFormat().Write(ImageSamples.Tree(("a/b", "in fat")), ImageSamples.Options(4 << 20)), _directory["fat"]);
        Assert.Equal("in fat", RunOk("cat", $"{_directory["fat"]}:/A/B"));
        ImageFile.Write(new Ext4Format().Write(ImageSamples.Root(), ImageSamples.Options(4 << 20)), _directory["ext4"]);
        Assert.Equal("ID=root\n", RunOk("cat", $"{_directory["ext4"]}:/lib/os-release"));
        Fails("no file /A/B", "cat", $"{_directory["ext4"]}:/A/B");
    }

    [Fact]
    public void HelpIsOfTheVerb()
    {
        foreach (string verb in (string[])["inspect", "ls", "cat", "extract"])
        {
            Assert.Contains("--unpack-limit", RunOk(verb, "--help"), StringComparison.Ordinal);
        }
    }
}
