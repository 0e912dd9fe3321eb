using System.Globalization;
using System.Text.Json;
using Diecast.Formats.Btrfs;
using Diecast.Formats.Gpt;
using Diecast.Inspect.Verification;
using Diecast.Tests.Formats.Btrfs;
using Diecast.Tests.Support;

namespace Diecast.Tests.EndToEnd;

/// <summary>The mission's image with a root of btrfs: sound, the same under all conditions, and one that boots and grows.</summary>
public sealed class BtrfsImageTests
{
    // Emulated, on two cores that other tests use too.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(8);

    private const long GrownSize = 20L << 30;

    private const string Esp = """
        [Partition]
        Type=esp
        Format=vfat
        CopyFiles=/boot:/
        CopyFiles=/efi:/
        SizeMinBytes=300M
        SizeMaxBytes=300M

        """;

    private const string Subvolumes = """
        [Partition]
        Type=root
        Format=btrfs
        CopyFiles=/:/@
        CopyFiles=/home:/@home
        ExcludeFilesTarget=/@/efi/ /@/boot/ /@/home/
        MakeDirectories=/@/var/lib/machines
        Subvolumes=/@ /@home /@/var/lib/machines
        DefaultSubvolume=/@home
        Compression=zstd
        Minimize=guess

        """;

    /// <summary>mkosi's own definitions, with the file system of the root given beside them.</summary>
    [Fact]
    public void ARootOfBtrfsBootsAndGrows()
    {
        using var scene = new Scene();
        File.AppendAllText(scene["env"], "SYSTEMD_REPART_OVERRIDE_FSTYPE_ROOT=btrfs\n");
        Build(scene);
        IsSound(scene);
        IsTheSameWhenVerified(scene);
        Grow(scene["foo.raw"]);

        using var machine = Boot(scene["foo.raw"]);
        Assert.Equal("btrfs /", Answer(machine, "findmnt -no FSTYPE,FSROOT /"));
        HasGrown(machine, "/");
        IsUsable(machine, "/var/tmp");
        HasNothingToSay(machine);
    }

    /// <summary>
    /// Root and home in subvolumes, compressed. The command line says which the root is, against the default, and fstab
    /// where the other belongs.
    /// </summary>
    [Fact]
    public void ARootInASubvolumeBootsAndGrows()
    {
        using var scene = new Scene();
        Directory.CreateDirectory(scene["mkosi.repart"]);
        File.WriteAllText(scene["mkosi.repart/00-esp.conf"], Esp);
        File.WriteAllText(scene["mkosi.repart/10-root.conf"], Subvolumes);
        Directory.CreateDirectory(scene["mkosi.extra/home/somebody"]);
        File.WriteAllText(scene["mkosi.extra/home/somebody/file"], "here\n");
        Directory.CreateDirectory(scene["mkosi.extra/etc"]);
        File.WriteAllText(scene["mkosi.extra/etc/fstab"], "PARTUUID=9a914a15-37a6-422c-a924-0380869e7ede /home btrfs subvol=/@home 0 0\n");
        Build(scene, "--kernel-command-line=rootflags=subvol=/@");
        IsSound(scene);
        IsTheSameWhenVerified(scene, "--kernel-command-line=rootflags=subvol=/@");
        Grow(scene["foo.raw"]);

        using var machine = Boot(scene["foo.raw"]);
        Assert.Equal("btrfs /@", Answer(machine, "findmnt -no FSTYPE,FSROOT /"));
        Assert.Equal("btrfs /@home", Answer(machine, "findmnt -no FSTYPE,FSROOT /home"));
        Assert.Equal("here", Answer(machine, "cat /home/somebody/file"));
        Assert.Equal("@ @home var/lib/machines", Answer(machine, "echo $(btrfs subvolume list / | sed 's/.* path //' | LC_ALL=C sort)"));
        Assert.EndsWith("path @home", Answer(machine, "btrfs subvolume get-default /"), StringComparison.Ordinal);
        HasGrown(machine, "/");
        HasGrown(machine, "/home");
        IsUsable(machine, "/var/lib/machines");
        Answer(machine, "btrfs subvolume snapshot /home /home/snapshot && test -e /home/snapshot/somebody/file");
        Answer(machine, "btrfs scrub start -B / >&2");
        HasNothingToSay(machine);
    }

    private static string[] Command(string[] more) => [.. Scene.Command(Scene.MirrorUrl), "-p", "probe", "-p", "btrfs-progs", .. more];

    private static void Build(Scene scene, params string[] more)
    {
        var result = scene.Run("", Command(more));
        Assert.True(result.ExitCode == 0, result.All);
    }

    /// <summary>What btrfs check says of the partition, in both its modes, and that ours finds what it wrote.</summary>
    private static void IsSound(Scene scene)
    {
        var image = BtrfsSamples.Open(scene["foo.raw"]);
        var disk = GptReader.Read(image);
        var root = disk.Table.Partitions.Single(static partition => partition.Name == "root-x86-64");
        Assert.Empty(BtrfsReader.Read(disk.Content(root)).Check());
        Tool.RunOk("dd", $"if={scene["foo.raw"]}", $"of={scene["root"]}", "bs=4096", $"skip={root.Offset / 4096}", $"count={root.Length / 4096}", "conv=sparse", "status=none");
        BtrfsCheck.Clean(scene["root"]);
        File.Delete(scene["root"]);
    }

    private static void IsTheSameWhenVerified(Scene scene, params string[] more)
    {
        var locked = scene.Run("", ["lock", .. Command(more)]);
        Assert.True(locked.ExitCode == 0, locked.All);
        var result = scene.Run("", ["verify", scene["foo.raw"], "--no-attestation", "--json", .. Command(more)]);
        Assert.True(result.ExitCode == 0, result.All);
        using var json = JsonDocument.Parse(result.Output);
        Assert.Equal(Scene.Sha256(scene["foo.raw"]), json.RootElement.GetProperty("sha256").GetString());
        Assert.All(json.RootElement.GetProperty("runs").EnumerateArray(), static run => Assert.Equal(
            VariationTable.Names, run.GetProperty("varied").EnumerateArray().Select(static varied => varied.GetProperty("name").GetString())));
    }

    /// <summary>The disk and its last partition; the file system is for systemd to grow.</summary>
    private static void Grow(string image)
    {
        Tool.RunOk("truncate", "-s", $"{GrownSize}", image);
        Tool.RunOk("sgdisk", "-e", image);
        var grown = Tool.Run("sfdisk", ["--no-reread", "-N", "2", image], null, ", +\n"u8.ToArray());
        Assert.True(grown.ExitCode == 0, grown.All);
    }

    private static VirtualMachine Boot(string image)
    {
        var machine = VirtualMachine.Start(image, DiskBus.VirtioBlk);
        machine.LogIn(s_patience);
        // Until it is up, systemd reports its units on the same console, amid the answer.
        machine.Execute("systemctl is-system-running --wait", s_patience);
        Assert.Equal("running", Answer(machine, "systemctl is-system-running"));
        Assert.Equal("", Answer(machine, "systemctl list-units --failed --plain --no-legend --no-pager"));
        return machine;
    }

    private static string Answer(VirtualMachine machine, string command)
    {
        var (code, output) = machine.Execute(command, s_patience);
        Assert.True(code == 0, $"{command}: {output}\n{machine.Transcript}");
        return output;
    }

    private static void HasGrown(VirtualMachine machine, string path) => Assert.InRange(
        long.Parse(Answer(machine, $"findmnt -bno SIZE {path}"), CultureInfo.InvariantCulture), GrownSize * 9 / 10, GrownSize);

    private static void IsUsable(VirtualMachine machine, string path) => Answer(machine,
        $"cd {path} && dd if=/dev/urandom of=x bs=1M count=64 status=none && sync && rm x && mkdir d && touch d/$(seq -s ' d/' 500) && sync");

    /// <summary>Neither the kernel nor a unit complains of the file system.</summary>
    private static void HasNothingToSay(VirtualMachine machine)
    {
        string messages = Answer(machine, "dmesg");
        Assert.Matches(@"BTRFS info[^\n]*: resize device", messages);
        Assert.DoesNotMatch("(?i)btrfs[^\n]*(error|corrupt|warning|critical)", messages);
        Assert.DoesNotMatch("(?i)btrfs|growfs", Answer(machine, "journalctl -b --no-pager -q -p warning"));
    }
}
