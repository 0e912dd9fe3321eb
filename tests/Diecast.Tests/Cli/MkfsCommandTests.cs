using System.Diagnostics;
using System.Security.Cryptography;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Cli;

/// <summary>The verb mkfs, as the process that users run.</summary>
public sealed class MkfsCommandTests
{
    private const string Seed = "0e9a6fe0-68f6-408c-bbeb-136054d20445";

    private static readonly string s_diecast = Path.Join(
        Path.GetDirectoryName(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)))!, "Diecast.Cli",
        Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "Diecast.Cli");

    private static Tool.Result Run(string[] arguments, Dictionary<string, string>? environment = null) =>
        Tool.Run(s_diecast, arguments, new Dictionary<string, string> { ["SOURCE_DATE_EPOCH"] = "" }.Concat(environment ?? [])
            .GroupBy(static pair => pair.Key, StringComparer.Ordinal).ToDictionary(static group => group.Key, static group => group.Last().Value, StringComparer.Ordinal), null);

    private static string Digest(params string[] arguments)
    {
        var result = Run(["mkfs", .. arguments]);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Empty(result.All);
        return Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(arguments[^1])));
    }

    /// <summary>The same tree, made in any order: what a host's directory order depends on.</summary>
    private static void MakeTree(string directory, IEnumerable<int> order)
    {
        byte[] root = Posix.Bytes(directory);
        Directory.CreateDirectory(directory);
        foreach (int i in order)
        {
            string parent = Path.Join(directory, i % 3 == 0 ? "Sub Directory" : "");
            Directory.CreateDirectory(parent);
            string file = Path.Join(parent, $"a file of some name {i}");
            File.WriteAllBytes(file, [.. Enumerable.Repeat((byte)i, i * 100)]);
            Posix.ChmodAt(Posix.AT_FDCWD, Posix.Bytes(file), i % 2 == 0 ? 0x1A4u : 0x1EDu);
            Posix.SetTimes(Posix.AT_FDCWD, Posix.Bytes(file), new Timestamp(1_600_000_000 + i, 123_456_789));
        }
        foreach (string path in new[] { Path.Join(directory, "Sub Directory"), directory })
        {
            Posix.ChmodAt(Posix.AT_FDCWD, Posix.Bytes(path), 0x1ED);
            Posix.SetTimes(Posix.AT_FDCWD, Posix.Bytes(path), new Timestamp(1_600_000_100));
        }
    }

    [Theory]
    [InlineData("ext4")]
    [InlineData("vfat")]
    [InlineData("btrfs")]
    public void TheBytesDoNotDependOnTheHost(string format)
    {
        if (!Directory.Exists("/dev/shm"))
        {
            Tool.Missing("/dev/shm does not exist");
        }
        using var disk = new TempDirectory("/var/tmp");
        using var memory = new TempDirectory("/dev/shm");
        MakeTree(disk["tree"], Enumerable.Range(1, 60));
        MakeTree(memory["other name"], Enumerable.Range(1, 60).OrderBy(static i => i * 37 % 61, Comparer<int>.Default));
        AddHostLabel(Path.Join(memory["other name"], "a file of some name 1"));
        string expected = Digest(format, disk["tree"], disk["image"]);
        Assert.Equal(expected, Digest(format, memory["other name"], memory["image"]));

        (string, string)[] environments =
        [
            ("TZ", "Asia/Kathmandu"), ("TZ", "America/St_Johns"), ("LC_ALL", "tr_TR.UTF-8"), ("LANG", "C"), ("TMPDIR", memory.Path),
            ("TMPDIR", disk.Path), ("HOME", "/nonexistent"), ("DOTNET_PROCESSOR_COUNT", "1"),
        ];
        foreach (var (name, value) in environments)
        {
            var result = Run(["mkfs", format, disk["tree"], disk["image"]], new Dictionary<string, string> { [name] = value });
            Assert.True(result.ExitCode == 0, result.All);
            Assert.Equal(expected, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(disk["image"]))));
        }
        Tool.RunOk("sh", "-c", "umask 077; cd \"$2\"; exec \"$0\" mkfs \"$1\" ./tree ./image", s_diecast, format, disk.Path);
        Assert.Equal(expected, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(disk["image"]))));
    }

    /// <summary>A label of the host's security module; where none can be set there is nothing to ignore.</summary>
    private static void AddHostLabel(string file)
    {
        try
        {
            Posix.SetXattr(Posix.Bytes(file), "security.selinux"u8, "system_u:object_r:tmp_t:s0\0"u8);
        }
        catch (PosixException error) when (error.Error is Posix.EPERM or Posix.EOPNOTSUPP or Posix.EACCES or Posix.EINVAL)
        {
        }
    }

    [Theory]
    [InlineData("ext4", "")]
    [InlineData("vfat", "")]
    [InlineData("ext4", "--gzip")]
    [InlineData("ext4", "--xz")]
    [InlineData("vfat", "--zstd")]
    [InlineData("btrfs", "")]
    public void ATarGivesTheSameImageAsItsDirectory(string format, string compression)
    {
        using var directory = new TempDirectory();
        MakeTree(directory["tree"], Enumerable.Range(1, 20));
        if (format != "vfat")
        {
            File.CreateSymbolicLink(directory["tree/link"], "nowhere");
            Posix.LinkAt(Posix.AT_FDCWD, Posix.Bytes(directory["tree/a file of some name 7"]), Posix.AT_FDCWD, Posix.Bytes(directory["tree/hard"]));
        }
        Tool.RunOk("tar", ["--format=pax", "--numeric-owner", .. compression.Length > 0 ? [compression] : Array.Empty<string>(), "-C", directory["tree"], "-cf", directory["tar"], "."]);
        Assert.Equal(Digest(format, directory["tree"], directory["image"]), Digest(format, directory["tar"], directory["image"]));
        File.CreateSymbolicLink(directory["tarlink"], "tar");
        Assert.Equal(Digest(format, directory["tree"], directory["image"]), Digest(format, directory["tarlink"], directory["image"]));
    }

    [Fact]
    public void TheSeedGivesTheIdThatTheDocumentationSays()
    {
        using var directory = new TempDirectory();
        MakeTree(directory["tree"], [1, 2, 3]);
        byte[] key = Convert.FromHexString(Seed.Replace("-", "", StringComparison.Ordinal));
        byte[] mac = HMACSHA256.HashData(key, "file-system-uuid"u8);
        Digest("vfat", "--seed", Seed, "--label", "my esp", directory["tree"], directory["image"]);
        string listing = Tool.RunOk("mdir", "-i", directory["image"], "::");
        Assert.Contains($"Volume Serial Number is {mac[0]:X2}{mac[1]:X2}-{mac[2]:X2}{mac[3]:X2}", listing, StringComparison.Ordinal);
        Assert.Contains("Volume in drive : is MY ESP", listing, StringComparison.Ordinal);
        Digest("vfat", "--uuid", Seed, directory["tree"], directory["image"]);
        Assert.Contains("Volume Serial Number is 0E9A-6FE0", Tool.RunOk("mdir", "-i", directory["image"], "::"), StringComparison.Ordinal);

        const string hashSeed = "a24031c1-fc68-453d-80fa-00ad057a5780";
        Digest("ext4", "--uuid", Seed, "--hash-seed", hashSeed, "--label", "root", directory["tree"], directory["image"]);
        string dump = Tool.RunOk("dumpe2fs", "-h", directory["image"]);
        Assert.Contains(Seed, dump, StringComparison.Ordinal);
        Assert.Contains($"Directory Hash Seed:      {hashSeed}", dump, StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutAnIdTheTreeGivesOne()
    {
        using var directory = new TempDirectory();
        MakeTree(directory["tree"], [1, 2, 3]);
        string before = Serial();
        Assert.Equal(before, Serial());
        File.AppendAllText(directory["tree/a file of some name 1"], "more");
        Assert.NotEqual(before, Serial());

        string Serial()
        {
            Digest("vfat", "--source-date-epoch", "1600000000", directory["tree"], directory["image"]);
            return Tool.RunOk("mdir", "-i", directory["image"], "::").Split('\n').Single(static line => line.Contains("Serial", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void TheOptionGoesBeforeTheVariableAndTimesAreClamped()
    {
        using var directory = new TempDirectory();
        MakeTree(directory["tree"], [1, 2, 3]);
        string[] arguments = ["mkfs", "ext4", "--uuid", Seed, directory["tree"], directory["image"]];
        Assert.Equal(1_600_000_100, Made());
        Assert.Equal(1_500_000_000, Made("1500000000"));
        arguments = [.. arguments, "--source-date-epoch", "1400000000"];
        Assert.Equal(1_400_000_000, Made("1500000000"));
        string inode = Tool.RunOk("debugfs", "-R", "stat \"/a file of some name 1\"", directory["image"]);
        Assert.Contains($"mtime: 0x{1_400_000_000:x8}:00000000", inode, StringComparison.Ordinal);

        long Made(string? variable = null)
        {
            var result = Run(arguments, variable is null ? null : new Dictionary<string, string> { ["SOURCE_DATE_EPOCH"] = variable });
            Assert.True(result.ExitCode == 0, result.All);
            string line = Tool.RunOk("dumpe2fs", "-h", directory["image"]).Split('\n').Single(static line => line.StartsWith("Filesystem created:", StringComparison.Ordinal));
            return DateTimeOffset.ParseExact(line[19..].Trim(), "ddd MMM d HH:mm:ss yyyy", System.Globalization.CultureInfo.InvariantCulture,
                System.Globalization.DateTimeStyles.AssumeUniversal | System.Globalization.DateTimeStyles.AllowInnerWhite).ToUnixTimeSeconds();
        }
    }

    [Theory]
    [InlineData("vfat", "--size", "64K", 65_536)]
    [InlineData("vfat", "--size", "40M", 40 << 20)]
    [InlineData("ext4", "--size", "1G", 1 << 30)]
    [InlineData("vfat", "--sector-size", "4096", 0)]
    [InlineData("vfat", "--size", "auto", 0)]
    public void TheSizeIsThatAskedFor(string format, string option, string value, long expected)
    {
        using var directory = new TempDirectory();
        MakeTree(directory["tree"], [1, 2, 3]);
        var result = Run(["mkfs", format, option, value, directory["tree"], directory["image"]]);
        Assert.True(result.ExitCode == 0, result.All);
        long length = new FileInfo(directory["image"]).Length;
        Assert.True(expected == 0 ? length % 4096 == 0 && length > 0 : length == expected, $"{length}");
        if (value == "4096")
        {
            Assert.Equal([0x00, 0x10], File.ReadAllBytes(directory["image"])[11..13]);
        }
    }

    [Theory]
    [InlineData("mkfs xfs TREE IMAGE", "mkfs: \"xfs\" is no file system; there are ext4, vfat, btrfs")]
    [InlineData("mkfs vfat --seed 1234 TREE IMAGE", "--seed: \"1234\" is no UUID")]
    [InlineData("mkfs vfat --size 1X TREE IMAGE", "--size: \"1X\" is neither auto nor a number of bytes with K, M, G or T")]
    [InlineData("mkfs vfat --size 9999999999G TREE IMAGE", "--size: \"9999999999G\" is neither auto nor")]
    [InlineData("mkfs vfat --sector-size 1024 TREE IMAGE", "--sector-size: \"1024\" is neither 512 nor 4096")]
    [InlineData("mkfs vfat --source-date-epoch now TREE IMAGE", "--source-date-epoch: \"now\" is not a number of seconds since 1970")]
    [InlineData("mkfs vfat --seed 0e9a6fe068f6408cbbeb136054d20445 --uuid 0e9a6fe068f6408cbbeb136054d20445 TREE IMAGE", "--seed and --uuid exclude each other")]
    [InlineData("mkfs vfat --hash-seed 0e9a6fe068f6408cbbeb136054d20445 TREE IMAGE", "--hash-seed: vfat has no hash seed")]
    [InlineData("mkfs ext4 --compress zstd TREE IMAGE", "--compress: ext4 does not compress")]
    [InlineData("mkfs ext4 --csum xxhash TREE IMAGE", "--csum: ext4 has no choice of checksums")]
    [InlineData("mkfs btrfs --csum md5 TREE IMAGE", "--csum: \"md5\" is not crc32c, xxhash, sha256 or blake2")]
    [InlineData("mkfs btrfs --compress zstd:x TREE IMAGE", "--compress: \"zstd:x\" is not zstd or zlib, with :LEVEL or without, lzo or none")]
    [InlineData("mkfs btrfs --compress lz4 TREE IMAGE", "--compress: \"lz4\" is not zstd or zlib")]
    [InlineData("mkfs btrfs --compress lzo:1 TREE IMAGE", "Lzo has no levels")]
    [InlineData("mkfs btrfs --compress zlib:10 TREE IMAGE", "Zlib has the levels 1 to 9 in btrfs, not 10")]
    [InlineData("mkfs btrfs --size 4K TREE IMAGE", "4096 bytes are too few")]
    [InlineData("mkfs vfat --size 4K TREE IMAGE", "vfat: 4096 bytes are too few")]
    [InlineData("mkfs vfat NOWHERE IMAGE", "NOWHERE")]
    [InlineData("mkfs vfat TREE/text IMAGE", "TREE/text: tar: ")]
    [InlineData("mkfs vfat /dev/null IMAGE", "/dev/null: neither a directory nor a file")]
    [InlineData("mkfs vfat TREE /dev/null", "/dev/null: exists and is no file")]
    [InlineData("mkfs vfat TREE TREE/image", "TREE/image: lies in TREE, and would be in the next image of it")]
    [InlineData("mkfs vfat TREE NOWHERE/image", "NOWHERE/")]
    public void AnErrorIsOneLineAndLeavesNothing(string command, string message)
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory["tree"]);
        File.WriteAllText(directory["tree/text"], "no archive\n");
        string[] arguments = [.. command.Split(' ').Select(Place)];
        var result = Run(arguments);
        Assert.Equal(1, result.ExitCode);
        Assert.Empty(result.Output);
        Assert.Contains(Place(message), result.Errors, StringComparison.Ordinal);
        Assert.Single(result.Errors.TrimEnd('\n').Split('\n'));
        Assert.DoesNotContain("   at ", result.Errors, StringComparison.Ordinal);
        Assert.Equal(["tree"], Directory.GetFileSystemEntries(directory.Path).Select(Path.GetFileName));

        string Place(string text) => text.Replace("TREE", directory["tree"], StringComparison.Ordinal)
            .Replace("IMAGE", directory["image"], StringComparison.Ordinal).Replace("NOWHERE", directory["nowhere"], StringComparison.Ordinal);
    }

    [Fact]
    public void AllOfTheTreesErrorsAreToldAndAnOldImageStays()
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory["tree"]);
        File.WriteAllText(directory["tree/x"], "");
        File.WriteAllText(directory["tree/X"], "");
        File.CreateSymbolicLink(directory["tree/link"], "x");
        File.WriteAllText(directory["image"], "old");
        var result = Run(["mkfs", "vfat", directory["tree"], directory["image"]]);
        Assert.Equal(1, result.ExitCode);
        Assert.Equal(
            ["error: /link: vfat has no symbolic links", "error: /x: the same name as /X to vfat, which ignores case"],
            result.Errors.TrimEnd('\n').Split('\n').Order(StringComparer.Ordinal));
        Assert.Equal("old", File.ReadAllText(directory["image"]));
    }

    [Fact]
    public void HelpNeedsNoArguments()
    {
        var result = Run(["mkfs", "--help"]);
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("--source-date-epoch <SECONDS>", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public void AnInterruptedRunLeavesNothing(string signal)
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory["tree"]);
        using (var file = File.Create(directory["tree/large"]))
        {
            file.SetLength(4_000_000_000);
        }
        Directory.CreateDirectory(directory["out"]);
        // A shell's background jobs ignore SIGINT, and so would all that they start.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", s_diecast, "mkfs", "vfat", "--uuid", Seed, directory["tree"], directory["out/image"]]) { RedirectStandardError = true };
        using var process = Process.Start(start)!;
        while (!process.HasExited && Directory.GetFileSystemEntries(directory["out"]).Length == 0)
        {
            Thread.Sleep(5);
        }
        Tool.RunOk("kill", "-" + signal, $"{process.Id}");
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(130, process.ExitCode);
        Assert.Equal("error: interrupted\n", errors);
        Assert.Empty(Directory.GetFileSystemEntries(directory["out"]));
    }
}
