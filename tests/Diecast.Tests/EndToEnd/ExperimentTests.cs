using Diecast.Tests.Support;

namespace Diecast.Tests.EndToEnd;

/// <summary>
/// The experiments by which people learn why their images differ, with the real tools: each tool runs twice, seconds apart,
/// over the same files, and the differences are named.
/// </summary>
public sealed class ExperimentTests : IDisposable
{
    private const string Id = "6de632fe-7638-44c4-917c-ecf4170af3b4";

    private readonly TempDirectory _directory = new("/var/tmp");

    public ExperimentTests()
    {
        Run($"mkdir -p tree/etc tree/usr/bin tree/many; cp /bin/sh tree/usr/bin/; echo root:x:0:0 >tree/etc/passwd; ln -s passwd tree/etc/link; " +
            "for i in $(seq 300); do echo $i >tree/many/file-$i; done; touch -d 2020-01-01 tree/etc tree/etc/* tree/many/*");
    }

    public void Dispose() => _directory.Dispose();

    /// <summary>-U sets one id; the seed of the hashes and the times are left to chance and the clock.</summary>
    [Fact]
    public void TwoExt4()
    {
        Tool.Require("mkfs.ext4");
        Twice($"truncate -s 64M IMAGE; mkfs.ext4 -q -U {Id} -d tree IMAGE");
        var diff = Diff();
        Assert.Contains(diff.Fields, static f => f is { Field: "s_hash_seed", Cause: "ext4-hash-seed" });
        Assert.Contains(diff.Fields, static f => f is { Field: "s_checksum", Cause: "follows-checksum" });
        Assert.Contains(diff.Fields, static f => f is { Field: "s_mkfs_time", Cause: "superblock-times" });
        Assert.Contains(diff.Fields, static f => f is { Field: "i_crtime", Cause: "inode-times" });
        AssertAllNamed(diff);
    }

    [Fact]
    public void TwoBtrfs()
    {
        Tool.Require("mkfs.btrfs");
        // mkfs.btrfs refuses an id that any block device of the host has at the time.
        Twice($"truncate -s 128M IMAGE; mkfs.btrfs -q -U {Guid.NewGuid()} --rootdir tree IMAGE");
        var diff = Diff();
        Assert.Contains("btrfs-ids", diff.Causes.Keys);
        Assert.Contains(diff.Fields, static f => f.Field.EndsWith("otime", StringComparison.Ordinal) || f.Field.EndsWith("ctime", StringComparison.Ordinal));
        AssertAllNamed(diff);
    }

    /// <summary>mcopy stamps what it copies with the clock.</summary>
    [Fact]
    public void TwoFat()
    {
        Tool.Require("mkfs.vfat");
        Twice("truncate -s 40M IMAGE; mkfs.vfat -F 32 -s 1 -i 12345678 IMAGE >/dev/null; mcopy -s -i IMAGE tree/usr tree/etc ::");
        var diff = Diff();
        Assert.Contains(diff.Fields, static f => f.Place.EndsWith("/usr/bin", StringComparison.Ordinal) && f is { Field: "mtime", Cause: "fat-times" });
        Assert.Contains(diff.Fields, static f => f is { Field: "DIR_CrtTime" or "DIR_CrtDate", Cause: "fat-times" });
        AssertAllNamed(diff);
    }

    /// <summary>Two disks of which one has another time for a directory of its ESP, and nothing else.</summary>
    [Fact]
    public void ADirectoryTimeInAnEsp()
    {
        Tool.Require("sfdisk");
        Tool.Require("faketime");
        foreach (string image in (string[])["a", "b"])
        {
            string time = image == "a" ? "2022-09-01 12:00:00" : "2022-09-01 12:00:10";
            Run($"truncate -s 33M esp; mkfs.vfat -F 32 -s 1 -i 12345678 --invariant esp >/dev/null;" +
                "faketime -f '2022-09-01 11:00:00' mmd -i esp ::/EFI;" +
                $"faketime -f '{time}' mmd -i esp ::/EFI/Linux; faketime -f '2022-09-01 13:00:00' mcopy -i esp tree/etc/passwd ::/EFI/Linux;" +
                $"truncate -s 36M {image}; sfdisk -q {image} >/dev/null <<-'E'\nlabel: gpt\nlabel-id: {Id}\nstart=2048, size=67584, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid={Id}, name=esp\nE\n" +
                $"dd if=esp of={image} bs=1M seek=1 conv=notrunc status=none");
        }
        var diff = Diff();
        var fields = diff.Fields.ToList();
        Assert.All(fields, static f => Assert.Equal("//1 (esp)//EFI/Linux", f.Place));
        Assert.Contains(fields, static f => f is { Field: "mtime", Cause: "fat-times" });
        AssertAllNamed(diff);
    }

    private void Twice(string script)
    {
        Run(script.Replace("IMAGE", "a", StringComparison.Ordinal));
        // FAT's times are even seconds.
        Thread.Sleep(2100);
        Run(script.Replace("IMAGE", "b", StringComparison.Ordinal));
    }

    private DiffRun Diff() => DiffRun.Of(Path.Join(_directory.Path, "a"), Path.Join(_directory.Path, "b"));

    private static void AssertAllNamed(DiffRun diff) =>
        Assert.True(!diff.Causes.ContainsKey("unknown"), $"without a cause:\n{diff.Unknown}");

    private void Run(string script) => Tool.RunOk("/bin/sh", "-ec", $"cd '{_directory.Path}'; {script}");
}
