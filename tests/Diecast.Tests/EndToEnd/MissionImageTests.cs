using System.Text.Json;
using System.Text.RegularExpressions;
using Diecast.Tests.Support;

namespace Diecast.Tests.EndToEnd;

/// <summary>What the mission's image is, as foreign tools see it.</summary>
public sealed partial class MissionImageTests(MissionImage mission)
{
    private const int Sector = 512;

    private sealed record Partition(long Offset, long Length, string Type, string Id, string Name, string Attributes);

    private List<Partition> Partitions()
    {
        using var table = JsonDocument.Parse(Tool.RunOk("sfdisk", "-J", mission.Image));
        return [.. table.RootElement.GetProperty("partitiontable").GetProperty("partitions").EnumerateArray().Select(static p => new Partition(
            p.GetProperty("start").GetInt64() * Sector, p.GetProperty("size").GetInt64() * Sector, p.GetProperty("type").GetString()!,
            p.GetProperty("uuid").GetString()!, p.GetProperty("name").GetString()!,
            p.TryGetProperty("attrs", out var attributes) ? attributes.GetString()! : ""))];
    }

    /// <summary>A partition in a sparse file of its own.</summary>
    private string Extract(TempDirectory directory, Partition partition)
    {
        string path = directory[partition.Name];
        Tool.RunOk("dd", $"if={mission.Image}", $"of={path}", "bs=4096", $"skip={partition.Offset / 4096}", $"count={partition.Length / 4096}", "conv=sparse", "status=none");
        return path;
    }

    [Fact]
    public void ThePartitionTableIsSystemdReparts()
    {
        var partitions = Partitions();
        Assert.Equal(["C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"], partitions.Select(static p => p.Type));
        Assert.Equal(["CB96A8E9-ADDC-4BE7-B68E-69B6D1EA59CB", "9A914A15-37A6-422C-A924-0380869E7EDE"], partitions.Select(static p => p.Id));
        Assert.Equal(["esp", "root-x86-64"], partitions.Select(static p => p.Name));
        Assert.Equal(["", "GUID:59"], partitions.Select(static p => p.Attributes));
        Assert.Equal(512L << 20, partitions[0].Length);
        Tool.RunOk("sfdisk", "--verify", mission.Image);
        Assert.Contains("No problems found", Tool.RunOk("sgdisk", "-v", mission.Image), StringComparison.Ordinal);
    }

    [Fact]
    public void TheFileSystemsAreClean()
    {
        using var directory = new TempDirectory("/var/tmp");
        var partitions = Partitions();
        string esp = Extract(directory, partitions[0]);
        string root = Extract(directory, partitions[1]);
        Tool.RunOk("fsck.fat", "-nv", esp);
        Tool.RunOk("e2fsck", "-fn", root);
        string fields = Tool.RunOk("dumpe2fs", "-h", root);
        Assert.Matches(@"Filesystem UUID:\s+6de632fe-7638-44c4-917c-ecf4170af3b4", fields);
        Assert.Matches(@"Directory Hash Seed:\s+a24031c1-fc68-453d-80fa-00ad057a5780", fields);
        Assert.DoesNotContain("orphan_file", fields, StringComparison.Ordinal);
    }

    [Fact]
    public void TheEspHasBootLoaderAndUnifiedKernelImage()
    {
        using var directory = new TempDirectory("/var/tmp");
        string esp = Extract(directory, Partitions()[0]);
        string listing = Tool.RunOk("mdir", "-b", "-/", "-i", esp, "::");
        Assert.Contains("::/EFI/BOOT/BOOTX64.EFI", listing, StringComparison.Ordinal);
        Assert.Contains("::/EFI/systemd/systemd-bootx64.efi", listing, StringComparison.Ordinal);
        Assert.Contains("::/loader/loader.conf", listing, StringComparison.Ordinal);
        Assert.DoesNotContain("random-seed", listing, StringComparison.Ordinal);
        string uki = UkiPath().Match(listing).Value;
        Assert.NotEmpty(uki);
        Tool.RunOk("mcopy", "-i", esp, uki, directory["uki.efi"]);
        Assert.Equal(Scene.Sha256(Path.Join(mission.Directory, "foo.efi")), Scene.Sha256(directory["uki.efi"]));
        string sections = Tool.RunOk("objdump", "-h", directory["uki.efi"]);
        foreach (string section in (string[])[".osrel", ".cmdline", ".uname", ".linux", ".initrd"])
        {
            Assert.Contains($" {section} ", sections, StringComparison.Ordinal);
        }
        Assert.Equal("console=ttyS0 systemd.firstboot=no", Dump(directory["uki.efi"], ".cmdline").TrimEnd('\0'));
    }

    [Fact]
    public void TheSplitArtifactsStandBesideIt()
    {
        Assert.Equal(["foo", "foo.efi", "foo.initrd", "foo.raw", "foo.vmlinuz"],
            System.IO.Directory.GetFileSystemEntries(mission.Directory, "foo*").Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal("foo.raw", File.ResolveLinkTarget(Path.Join(mission.Directory, "foo"), returnFinalTarget: false)!.Name);
    }

    /// <summary>A section's text, from objdump's lines of an address, four groups of eight digits, and the characters.</summary>
    private static string Dump(string file, string section) => string.Concat(
        DumpLine().Matches(Tool.RunOk("objdump", "-s", "-j", section, file)).Select(static line =>
            System.Text.Encoding.UTF8.GetString(Convert.FromHexString(line.Groups[1].Value.Replace(" ", "", StringComparison.Ordinal)))));

    [GeneratedRegex(@"^ [0-9a-f]+ ((?:[0-9a-f]{2,8} ){1,4})", RegexOptions.Multiline)]
    private static partial Regex DumpLine();

    [GeneratedRegex(@"::/EFI/Linux/\S+\.efi")]
    private static partial Regex UkiPath();
}
