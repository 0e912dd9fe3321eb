using Diecast.Tests.Support;

namespace Diecast.Tests.EndToEnd;

/// <summary>The mission's image boots by nothing but its own EFI system partition, whatever its disk is attached to.</summary>
public sealed class BootTests(MissionImage mission)
{
    // Emulated, on two cores that other tests use too.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(8);

    public static TheoryData<DiskBus> Buses => [.. Enum.GetValues<DiskBus>()];

    [Theory]
    [MemberData(nameof(Buses))]
    public void ItReachesALoginPromptWithNoFailedUnit(DiskBus bus) => VirtualMachine.AssertBoots(mission.Image, bus, s_patience);

    /// <summary>A disk that is larger than the image: the partition grown on the host, the file system by systemd on the first boot.</summary>
    [Fact]
    public void TheRootGrowsOnTheFirstBoot()
    {
        const long size = 20L << 30;
        using var directory = new TempDirectory("/var/tmp");
        Tool.RunOk("cp", "--sparse=always", mission.Image, directory["disk.raw"]);
        Tool.RunOk("truncate", "-s", $"{size}", directory["disk.raw"]);
        Tool.RunOk("sgdisk", "-e", directory["disk.raw"]);
        var grown = Tool.Run("sfdisk", ["--no-reread", "-N", "2", directory["disk.raw"]], null, ", +\n"u8.ToArray());
        Assert.True(grown.ExitCode == 0, grown.All);
        using var machine = VirtualMachine.Start(directory["disk.raw"], DiskBus.VirtioBlk);
        machine.LogIn(s_patience);
        machine.Execute("systemctl is-system-running --wait", s_patience);
        var (_, state) = machine.Execute("systemctl is-system-running", s_patience);
        Assert.True(state == "running", machine.Transcript);
        var (_, bytes) = machine.Execute("findmnt -bno SIZE /", s_patience);
        Assert.True(long.Parse(bytes, System.Globalization.CultureInfo.InvariantCulture) > size * 9 / 10, $"{bytes}\n{machine.Transcript}");
        var (code, output) = machine.Execute("dd if=/dev/urandom of=/var/tmp/x bs=1M count=64 status=none && sync && rm /var/tmp/x && mkdir /var/tmp/d && touch /var/tmp/d/$(seq -s ' /var/tmp/d/' 500)", s_patience);
        Assert.True(code == 0, output);
        var (_, messages) = machine.Execute("dmesg", s_patience);
        Assert.Contains("EXT4-fs", messages, StringComparison.Ordinal);
        Assert.DoesNotMatch("(?i)ext4.*(error|corrupt|warning)", messages);
    }
}
