using System.Security.Cryptography;
using Diecast.Build.Partitioning;
using Diecast.Config;
using Diecast.Formats;
using Diecast.Formats.Gpt;
using Diecast.Images;
using Diecast.Tests.Formats.Btrfs;
using Diecast.Tests.Formats.Gpt;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Build.Partitioning;

public sealed class OfflineRepartTests
{
    private static readonly RepartSpecifiers s_specifiers = new("x86-64", null);
    private static readonly Timestamp s_epoch = new(1_662_046_009);

    private static readonly string[] s_definitions =
    [
        "Type=esp\nFormat=vfat\nCopyFiles=/boot:/\nCopyFiles=/efi:/\nSizeMinBytes=300M\nSizeMaxBytes=300M",
        "Type=root\nFormat=ext4\nCopyFiles=/\nMinimize=guess",
        "Type=home\nCopyFiles=/home:/\nMakeDirectories=/new/x\nLabel=A quite long label, and more",
        "Type=linux-generic\nCopyBlocks=/blocks\nSizeMinBytes=4K\nSplitName=data-%n",
    ];

    /// <summary>Without the boot partition, which is large.</summary>
    private static readonly string[] s_small = s_definitions[1..];

    private static OfflineRepart Repart(FileTree source, params string[] definitions) => new()
    {
        Definitions = [.. definitions.Select(static (text, i) => DefinitionReader.Parse($"[Partition]\n{text}\n", $"{i}.conf", s_specifiers))],
        Source = source,
        Formats = FormatTable.Find,
        Seed = Guid.Parse(Vector.Seed),
        Epoch = s_epoch,
    };

    /// <summary>A small system with links, hard links, owners and modes.</summary>
    private static void Populate(TempDirectory directory, string root)
    {
        foreach (string path in new[] { "boot/EFI/Linux", "efi/EFI/BOOT", "home/user/dir", "usr/lib", "etc", "tmp/x", "proc", "var/tmp", "srv" })
        {
            Directory.CreateDirectory(directory[$"{root}/{path}"]);
        }
        foreach (string path in new[] { "boot/EFI/Linux/arch.efi", "efi/EFI/BOOT/BOOTX64.EFI", "home/user/file", "usr/lib/os-release", "tmp/x/y", "etc/passwd", "var/tmp/t" })
        {
            File.WriteAllText(directory[$"{root}/{path}"], path);
        }
        File.WriteAllBytes(directory[$"{root}/blocks"], new byte[8192 + 512].Select(static (_, i) => (byte)(i % 251)).ToArray());
        File.CreateSymbolicLink(directory[$"{root}/etc/os-release"], "../usr/lib/os-release");
        Posix.LinkAt(Posix.AT_FDCWD, Posix.Bytes(directory[$"{root}/home/user/file"]), Posix.AT_FDCWD, Posix.Bytes(directory[$"{root}/home/user/dir/link"]));
        Posix.ChmodAt(Posix.AT_FDCWD, Posix.Bytes(directory[$"{root}/home/user"]), 0x1C0);
        long time = 1_500_000_000;
        foreach (var entry in HostTree.Read(Posix.Bytes(directory[root])).Walk().Reverse())
        {
            Posix.SetTimes(Posix.AT_FDCWD, Posix.Bytes(directory[root] + entry.Path), new Timestamp(time += 2_000));
        }
    }

    private static FileTree Read(TempDirectory directory) => HostTree.Read(Posix.Bytes(directory["r"]), new HostTree.Options { Xattrs = false });

    [Fact]
    public void TheDiskIsSound()
    {
        using var directory = new TempDirectory();
        Populate(directory, "r");
        var disk = Repart(Read(directory), s_definitions).Run();
        new RepartFiles(directory["disk.raw"], disk, s_specifiers, split: true).Write();
        Assert.Equal(["disk.data-3.raw", "disk.esp.raw", "disk.home.raw", "disk.raw", "disk.root-x86-64.raw"],
            Directory.GetFiles(directory.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        Tool.RunOk("fsck.fat", "-n", directory["disk.esp.raw"]);
        Tool.RunOk("e2fsck", "-fn", directory["disk.root-x86-64.raw"]);
        Tool.RunOk("e2fsck", "-fn", directory["disk.home.raw"]);
        Assert.Contains("No problems found", Tool.RunOk("sgdisk", "-v", directory["disk.raw"]), StringComparison.Ordinal);
        string superblock = Tool.RunOk("dumpe2fs", "-h", directory["disk.root-x86-64.raw"]);
        Assert.Contains("6de632fe-7638-44c4-917c-ecf4170af3b4", superblock, StringComparison.Ordinal);
        Assert.Contains("A quite long lab\n", Tool.RunOk("dumpe2fs", "-h", directory["disk.home.raw"]), StringComparison.Ordinal);
        Assert.Contains("Volume Serial Number is E7B8-7C0D", Tool.RunOk("mdir", "-i", directory["disk.esp.raw"], "::"), StringComparison.Ordinal);
        Assert.Contains("user.validatefs.gpt_label", Tool.RunOk("debugfs", "-R", "ea_list /", directory["disk.root-x86-64.raw"]), StringComparison.Ordinal);

        var view = GptReader.Read(disk.Image);
        Assert.Equal(disk.Plan.Partitions.Select(p => SHA256.HashData(File.ReadAllBytes(SplitFile(p)))),
            view.Table.Partitions.Select(p => ImageFile.Hash(view.Content(p))));

        string SplitFile(PlannedPartition partition) =>
            new RepartFiles(directory["other/disk.raw"], disk, s_specifiers, split: true).SplitPathOf(partition)!.Replace("/other/", "/", StringComparison.Ordinal);
    }

    [Fact]
    public void IdsAndPlacesNeedNoContent()
    {
        var definitions = Repart(SourceDirectory.Nothing, s_definitions[0], "Type=root\nSizeMinBytes=64M").Definitions;
        var ids = new RepartIds(Guid.Parse(Vector.Seed));
        var identities = PartitionIdentity.Derive(definitions, ids);
        Assert.Equal(Guid.Parse("9a914a15-37a6-422c-a924-0380869e7ede"), identities[1].Id);
        var geometry = new DiskGeometry();
        var plan = DiskPlan.Create(identities, ids.Disk, geometry, static _ => null);
        // The boot partition's content names the root partition's id.
        var metadata = new Metadata(0x1A4, 0, 0, s_epoch);
        var builder = new TreeBuilder(metadata with { Mode = 0x1ED });
        builder.AddFile("boot/cmdline", metadata, Posix.Bytes($"root=PARTUUID={identities[1].Id}"));
        builder.AddDirectory("efi", metadata with { Mode = 0x1ED });
        var formatter = new PartitionFormatter(identities, geometry, s_epoch, FormatTable.Find);
        var esp = formatter.Format(plan.Partitions[0], builder.Build());
        var disk = plan.Assemble(partition => partition.Number == 1 ? esp : null);
        var view = GptReader.Read(disk);
        var tree = FormatTable.Find("vfat")!.Read(view.Content(view.Table.Partitions[0])).Tree;
        Assert.Equal("root=PARTUUID=9a914a15-37a6-422c-a924-0380869e7ede"u8.ToArray(), ((FileNode)tree.Find("/cmdline")!).Content.ReadBytes(0, 50));
    }

    [Fact]
    public void MkfsOptionsOfTheUserCount()
    {
        var definition = Repart(SourceDirectory.Nothing, "Type=root\nFormat=ext4").Definitions;
        var identities = PartitionIdentity.Derive(definition, new RepartIds(Guid.Empty));
        var plan = DiskPlan.Create(identities, Guid.Empty, new DiskGeometry(), static _ => null);
        var uuid = Guid.Parse("6de632fe-7638-44c4-917c-ecf4170af3b4");
        var formatter = new PartitionFormatter(identities, plan.Geometry, s_epoch, FormatTable.Find)
        {
            Adjust = (_, options) => options with { Uuid = uuid },
        };
        byte[] superblock = formatter.Format(plan.Partitions[0], SourceDirectory.Nothing)!.ReadBytes(1024, 1024);
        Assert.Equal(uuid, new Guid(superblock.AsSpan(104, 16), bigEndian: true));
    }

    [Fact]
    public void TheDigestDependsOnNothingElse()
    {
        using var directory = new TempDirectory();
        Populate(directory, "r");
        byte[] digest = Digest(Repart(Read(directory), s_small));
        // What is never copied, and what the host has of its own.
        var time = Read(directory).Find("/tmp")!.Metadata.Mtime;
        File.WriteAllText(directory["r/tmp/later"], "x");
        Posix.SetTimes(Posix.AT_FDCWD, Posix.Bytes(directory["r/tmp"]), time);
        Tool.RunOk("cp", "-a", directory["r"], directory["copy"]);
        var copy = HostTree.Read(Posix.Bytes(directory["copy"]), new HostTree.Options { Xattrs = false });
        Assert.Equal(digest, Digest(Repart(copy, s_small)));
        Assert.NotEqual(digest, Digest(Repart(copy, s_small) with { Epoch = new Timestamp(1_400_000_000) }));
        Assert.NotEqual(digest, Digest(Repart(copy, s_small) with { Seed = Guid.Empty }));
    }

    private static byte[] Digest(OfflineRepart repart) => ImageFile.Hash(repart.Run().Image);

    [Fact]
    public void WithoutASeedTheContentGivesOne()
    {
        using var directory = new TempDirectory();
        Populate(directory, "r");
        var repart = Repart(Read(directory), s_small) with { Seed = null, Epoch = null };
        var seed = repart.Run().Seed;
        Assert.Equal(seed, (repart with { Source = Read(directory) }).Run().Seed);
        Assert.Equal(4, seed.Version);
        // What is never copied does not count; what is copied does, and so do the definitions.
        File.WriteAllText(directory["r/proc/x"], "x");
        Posix.SetTimes(Posix.AT_FDCWD, Posix.Bytes(directory["r/proc"]), repart.Source.Find("/proc")!.Metadata.Mtime);
        Assert.Equal(seed, (repart with { Source = Read(directory) }).Run().Seed);
        Assert.NotEqual(seed, (Repart(repart.Source, [.. s_small, "Type=srv"]) with { Seed = null, Epoch = null }).Run().Seed);
        File.WriteAllText(directory["r/etc/passwd"], "other");
        Assert.NotEqual(seed, (repart with { Source = Read(directory) }).Run().Seed);
    }

    [Fact]
    public void APartitionOfBtrfsIsSound()
    {
        using var directory = new TempDirectory();
        Populate(directory, "r");
        var disk = Repart(Read(directory), "Type=root\nFormat=btrfs\nCopyFiles=/\nMakeDirectories=/var/lib/machines\nMinimize=guess\n"
            + "Subvolumes=/home:nodatacow /var/lib/machines /usr:ro\nCompression=zstd\nCompressionLevel=5").Run();
        new RepartFiles(directory["disk.raw"], disk, s_specifiers, split: true).Write();
        BtrfsCheck.Clean(directory["disk.root-x86-64.raw"]);
        string dump = Tool.RunOk("btrfs", "inspect-internal", "dump-tree", "-t", "1", directory["disk.root-x86-64.raw"]);
        Assert.Equal(["home", "usr", "machines"], System.Text.RegularExpressions.Regex.Matches(dump, @"root backref key .* name (.*)")
            .Select(static match => match.Groups[1].Value));
        File.WriteAllBytes(directory["r/large"], RandomNumberGenerator.GetBytes(260 << 20));
        var best = Repart(Read(directory), "Type=root\nFormat=btrfs\nCopyFiles=/\nMinimize=best").Run();
        var options = new FileSystemOptions { Uuid = Guid.Empty, Epoch = s_epoch };
        var written = FormatTable.Find("btrfs")!.Read(GptReader.Read(best.Image).Content(GptReader.Read(best.Image).Table.Partitions[0]));
        Assert.Equal(FormatTable.Find("btrfs")!.Measure(written.Tree, options), best.Plan.Partitions[0].Length);
        var error = Assert.Throws<ConfigException>(() => Repart(Read(directory), "Type=root\nFormat=btrfs\nCopyFiles=/\nSubvolumes=/nowhere").Run());
        Assert.Equal("0.conf:3: /nowhere: is to be a subvolume, but there is no directory", error.Message);
    }

    /// <summary>
    /// The same tree and nearly the size that systemd-repart computes: it counts what the host's file system has allocated. Its
    /// partition is larger, as mkfs.btrfs then grows the file to what it takes the tree to need at the very most.
    /// </summary>
    [Fact]
    public void APartitionOfBtrfsIsThatOfTheInstalledSystemdRepart()
    {
        if (SystemdRepart.Find() is not { } repart)
        {
            return;
        }
        const string definition = "Type=root\nFormat=btrfs\nCopyFiles=/\nSubvolumes=/home /usr\nMinimize=guess\nAddValidateFS=no";
        using var directory = new TempDirectory(repart.Temporary);
        Directory.CreateDirectory(directory["r/usr"]);
        File.WriteAllBytes(directory["r/usr/large"], RandomNumberGenerator.GetBytes(200 << 20));
        Populate(directory, "r");
        Directory.CreateDirectory(directory["d"]);
        File.WriteAllText(directory["d/0.conf"], $"[Partition]\n{definition}\n");
        var result = repart.Run(directory, null, null, source: true);
        Assert.True(result.ExitCode == 0, result.All);
        var expected = GptReader.Read(BtrfsSamples.Open(directory["disk.raw"]));
        var actual = Repart(Read(directory), definition).Run();
        var partition = actual.Plan.Table.Partitions[0];
        Assert.Equal(expected.Table.Partitions[0] with { Length = partition.Length }, partition);
        var computed = System.Text.RegularExpressions.Regex.Match(result.All, @"Minimal partition size of btrfs .* is ([\d.]+)M");
        Assert.True(computed.Success, result.All);
        double size = double.Parse(computed.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture) * (1 << 20);
        Assert.InRange(partition.Length, size * 0.95, size * 1.05);
        Assert.True(expected.Table.Partitions[0].Length >= size);

        var theirs = FormatTable.Find("btrfs")!.Read(expected.Content(expected.Table.Partitions[0]));
        var ours = FormatTable.Find("btrfs")!.Read(actual.Contents[0]!);
        Assert.Equal(TreeText.Lines(theirs.Tree).Order(StringComparer.Ordinal), TreeText.Lines(ours.Tree).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void AllErrorsComeAtOnce()
    {
        var error = Assert.Throws<ConfigException>(() => Repart(SourceDirectory.Nothing,
            "Type=root\nFormat=xfs", "Type=home\nFormat=erofs\nCopyFiles=/").Run());
        Assert.Equal("0.conf:3: Format=xfs is not supported yet\n1.conf:3: Format=erofs is not supported yet", error.Message);
        error = Assert.Throws<ConfigException>(() => Repart(SourceDirectory.Nothing,
            "Type=root\nCopyBlocks=/x", "Type=home\nCopyFiles=/x:/", "Type=srv\nFormat=ext4").Run());
        Assert.Equal("0.conf:3: there is no /x to copy", error.Message);
        error = Assert.Throws<ConfigException>(() => Repart(SourceDirectory.Nothing, "Type=srv\nCopyFiles=/x:/", "Type=home\nCopyFiles=/x:/").Run());
        Assert.Equal("0.conf:3: there is no /x to copy\n1.conf:3: there is no /x to copy", error.Message);
    }

    [Fact]
    public void ContentThatDoesNotFitIsAnErrorWithItsPlace()
    {
        var metadata = new Metadata(0x1A4, 0, 0, s_epoch);
        var builder = new TreeBuilder(metadata);
        builder.AddFile("big", metadata, new ComputedBlob(200 << 20, static (_, span) => span.Fill(1)));
        builder.AddFile("odd", metadata, new byte[100]);
        var source = builder.Build();
        Assert.StartsWith("0.conf:5: the content takes", Assert.Throws<ConfigException>(() =>
            Repart(source, "Type=home\nCopyFiles=/\nFormat=ext4\nSizeMaxBytes=100M\nMinimize=guess").Run()).Message, StringComparison.Ordinal);
        Assert.StartsWith("0.conf:4: 67108864 bytes are too few", Assert.Throws<ConfigException>(() =>
            Repart(source, "Type=home\nCopyFiles=/\nFormat=ext4\nSizeMinBytes=64M\nSizeMaxBytes=64M").Run()).Message, StringComparison.Ordinal);
        Assert.Equal("0.conf:3: /odd has 100 bytes, which is no number of sectors",
            Assert.Throws<ConfigException>(() => Repart(source, "Type=home\nCopyBlocks=/odd").Run()).Message);
    }

    [Fact]
    public void SplitNamesMustDiffer()
    {
        var disk = Repart(SourceDirectory.Nothing, "Type=root", "Type=root", "Type=root\nSplitName=-", "Type=home\nSplitName=%T-%U").Run();
        Assert.Equal("1.conf: another partition's file is called /x/a.root-x86-64.raw too; say SplitName=",
            Assert.Throws<ConfigException>(() => new RepartFiles("/x/a.raw", disk, s_specifiers, split: true)).Message);
        var alone = Repart(SourceDirectory.Nothing, "Type=root\nSplitName=-", "Type=home\nSplitName=%T-%U").Run();
        var files = new RepartFiles("/x/a.img", alone, s_specifiers, split: true);
        Assert.Null(files.SplitPathOf(alone.Plan.Partitions[0]));
        Assert.Equal("/x/a.img.933ac7e12eb44f13b8440e14e2aef915-d944f8cb11e4412781ffa459aa46ef26",
            files.SplitPathOf(alone.Plan.Partitions[1]));
    }

    [Fact]
    public void ContentsAreThoseOfTheInstalledSystemdRepart()
    {
        if (SystemdRepart.Find() is not { } repart)
        {
            return;
        }
        string[] definitions =
        [
            "Type=root\nFormat=ext4\nCopyFiles=/\nExcludeFiles=/etc/passwd /boot/EFI/\nMakeDirectories=/new/a\nMakeSymlinks=/new/l:a\nAddValidateFS=no",
            "Type=home\nFormat=ext4\nCopyFiles=/home:/\nCopyFiles=/etc/passwd:/user/deep/passwd\nCopyFiles=/usr:/user\nAddValidateFS=no",
            "Type=xbootldr\nFormat=vfat\nSizeMinBytes=300M\nCopyFiles=/boot:/\nCopyFiles=/efi:/",
        ];
        using var directory = new TempDirectory(repart.Temporary);
        Populate(directory, "r");
        Directory.CreateDirectory(directory["d"]);
        for (int i = 0; i < definitions.Length; i++)
        {
            File.WriteAllText(directory[$"d/{i}.conf"], $"[Partition]\n{definitions[i]}\n");
        }
        Assert.NotNull(repart.Make(directory, null, null, source: true));
        var expected = GptReader.Read(new MemoryBlob(File.ReadAllBytes(directory["disk.raw"])));
        var actual = Repart(Read(directory), definitions).Run();
        Assert.Equal(expected.Table.Partitions, actual.Plan.Table.Partitions);
        foreach (var partition in expected.Table.Partitions)
        {
            string format = partition.Number == 3 ? "vfat" : "ext4";
            Assert.Equal(Tree(expected.Content(partition), format), Tree(actual.Contents[partition.Number - 1]!, format));
        }
    }

    /// <summary>
    /// A file system's tree but for lost+found, which mkfs.ext4 gives the current time, and for the root directory, which
    /// it gives that of SOURCE_DATE_EPOCH because it makes lost+found in it.
    /// </summary>
    private static string Tree(Blob fileSystem, string format) => string.Join('\n',
        TreeText.Lines(FormatTable.Find(format)!.Read(fileSystem).Tree)
            .Where(static line => !line.StartsWith("/ ", StringComparison.Ordinal) && !line.StartsWith("/lost+found ", StringComparison.Ordinal)));
}
