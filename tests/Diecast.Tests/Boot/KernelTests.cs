using System.Text;
using CsCheck;
using Diecast.Boot;
using Diecast.Formats.Cpio;
using Diecast.Images;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Boot;

public sealed class KernelTests
{
    private const string Modules = "usr/lib/modules/6.1/";

    // The order that systemd-analyze compare-versions gives.
    [Theory]
    [InlineData("6.1", "6.10")]
    [InlineData("6.9.9", "6.10")]
    [InlineData("6.1~rc1", "6.1")]
    [InlineData("6.1", "6.1-1")]
    [InlineData("6.1-1", "6.1.1")]
    [InlineData("6.1-1", "6.1^1")]
    [InlineData("6.12.1-arch1-1", "6.12.1-arch2-1")]
    [InlineData("6.a", "6.1")]
    [InlineData("", "0")]
    [InlineData("6.1a", "6.1b")]
    [InlineData("6.1B", "6.1a")]
    public void OlderVersionsComeFirst(string older, string newer)
    {
        Assert.Equal(-1, Math.Sign(VersionOrder.Instance.Compare(older, newer)));
        Assert.Equal(1, Math.Sign(VersionOrder.Instance.Compare(newer, older)));
    }

    [Theory]
    [InlineData("6.1", "6.01")]
    [InlineData("6_1", "6 1")]
    public void SomeVersionsAreEqual(string a, string b) => Assert.Equal(0, VersionOrder.Instance.Compare(a, b));

    [Fact]
    public void VersionOrderIsTotal() => Gen.String["0129a.-~^Z_"].Array[3].Sample(static v =>
    {
        var order = VersionOrder.Instance;
        Assert.Equal(Math.Sign(order.Compare(v[0], v[1])), -Math.Sign(order.Compare(v[1], v[0])));
        Assert.False(order.Compare(v[0], v[1]) <= 0 && order.Compare(v[1], v[2]) <= 0 && order.Compare(v[0], v[2]) > 0);
    }, iter: 20_000);

    [Fact]
    public void SystemdAgreesOnTheOrder()
    {
        string program = Tool.Require("systemd-analyze");
        string[] versions = ["6.1", "6.1~rc1", "6.1-1", "6.1^1", "6.1.1", "6.10", "6.1a", "6.12.1-arch1-1", "6.12.1+deb13-amd64", "6.a", "06.1", ""];
        foreach (string a in versions)
        {
            foreach (string b in versions.Where(static text => text.Length > 0))
            {
                int expected = Tool.Run(program, "compare-versions", a, b).ExitCode switch { 0 => 0, 11 => 1, 12 => -1, var code => code };
                Assert.True(expected == Math.Sign(VersionOrder.Instance.Compare(a, b)), $"{a} and {b}: {expected}");
            }
        }
    }

    [Fact]
    public void KernelsAreFoundNewestFirst()
    {
        var tree = BootSample.Tree(
            ("usr/lib/modules/6.9/vmlinuz", "9"), ("usr/lib/modules/6.10/vmlinuz", "10"), ("usr/lib/modules/6.10/vmlinux", "no"),
            ("usr/lib/modules/5/vmlinux", "5"), ("usr/lib/modules/7/vmlinuz-virt.efi", "uki"), ("usr/lib/modules/8/modules.dep", ""));
        Assert.Equal(["6.10", "6.9", "5"], KernelImage.FindAll(tree).Select(static kernel => kernel.Version));
        Assert.Equal("usr/lib/modules/5/vmlinux", KernelImage.FindAll(tree)[2].Path);
    }

    [Fact]
    public void TheImageKnowsItsVersion()
    {
        var image = new byte[0x500];
        "HdrS"u8.CopyTo(image.AsSpan(0x202));
        image[0x20f] = 1;
        "6.12.1-arch1-1 (linux@archlinux) #1 SMP"u8.CopyTo(image.AsSpan(0x300));
        Assert.Equal("6.12.1-arch1-1", KernelImage.ReadVersion(new MemoryBlob(image)));
        image[0x20f] = 0xff;
        Assert.Throws<InvalidDataException>(() => KernelImage.ReadVersion(new MemoryBlob(image)));
        Assert.Null(KernelImage.ReadVersion(new MemoryBlob(new byte[600])));
    }

    private static FileTree ModuleTree() => BootSample.Tree(
        (Modules + "modules.dep",
            "kernel/fs/ext4/ext4.ko.zst: kernel/fs/jbd2/jbd2.ko.zst kernel/fs/mbcache.ko.zst\nkernel/fs/jbd2/jbd2.ko.zst:\nkernel/fs/mbcache.ko.zst:\n"
            + "kernel/drivers/net/wifi.ko:\nkernel/crypto/crc32c_generic.ko:\nkernel/lib/soft-a.ko:\nkernel/lib/weak.ko:\nkernel/drivers/ata/ahci.ko: kernel/drivers/ata/libahci.ko\n"
            + "kernel/drivers/ata/libahci.ko:\nkernel/drivers/ata/pata_via.ko:\nupdates/extra.ko:\n"),
        (Modules + "modules.softdep", "# comment\nsoftdep ext4 pre: crc32c post: soft_a nowhere\n"),
        (Modules + "modules.weakdep", "weakdep soft_a weak\n"),
        (Modules + "modules.alias", "alias pci:v* ahci\nalias crc32c crc32c_generic\n"),
        (Modules + "modules.order", "order"), (Modules + "modules.dep.bin", "bin"), (Modules + "vmlinuz", "no"),
        (Modules + "kernel/fs/ext4/ext4.ko.zst", "x"), (Modules + "kernel/fs/jbd2/jbd2.ko.zst", "x"), (Modules + "kernel/fs/mbcache.ko.zst", "x"),
        (Modules + "kernel/drivers/net/wifi.ko", BootSample.Module("wifi/a.bin", "wifi/b-*", "missing")), (Modules + "kernel/crypto/crc32c_generic.ko", "x"),
        (Modules + "kernel/lib/soft-a.ko", "x"), (Modules + "kernel/lib/weak.ko", "x"), (Modules + "kernel/drivers/ata/ahci.ko", "x"),
        (Modules + "kernel/drivers/ata/libahci.ko", "x"), (Modules + "kernel/drivers/ata/pata_via.ko", "x"), (Modules + "updates/extra.ko", "x"));

    private static string[] Selected(FileTree tree, params string[] patterns) =>
        [.. KernelModules.Select(tree, "6.1", patterns).Where(static path => !path.Contains("/modules.", StringComparison.Ordinal))
            .Select(static path => path.Replace(Modules, "", StringComparison.Ordinal))];

    [Fact]
    public void HardSoftAndWeakDependenciesComeAlong() => Assert.Equal(
        ["kernel/crypto/crc32c_generic.ko", "kernel/fs/ext4/ext4.ko.zst", "kernel/fs/jbd2/jbd2.ko.zst", "kernel/fs/mbcache.ko.zst", "kernel/lib/soft-a.ko", "kernel/lib/weak.ko"],
        Selected(ModuleTree(), "ext4"));

    [Theory]
    [InlineData("drivers/ata/ -pata_*", "ahci libahci")]
    [InlineData("drivers/ata/ -drivers/ata/ah* ", "libahci pata_via")]
    [InlineData("*", "")]
    [InlineData("pata-via", "pata_via")]
    [InlineData("soft_a", "soft-a weak")]
    [InlineData("drivers/*/ahci", "ahci libahci")]
    [InlineData("updates/", "extra")]
    [InlineData("drivers/ata/ahci", "ahci libahci")]
    [InlineData("at/", "none")]
    public void PatternsChoose(string patterns, string names)
    {
        string[] chosen = [.. Selected(ModuleTree(), patterns.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Select(static path => Path.GetFileName(path).Split('.')[0]).Order(StringComparer.Ordinal)];
        string[] expected = names switch { "" => chosen, "none" => [], _ => names.Split(' ') };
        Assert.Equal(expected, chosen);
        Assert.Equal(names.Length == 0 ? 11 : expected.Length, chosen.Length);
    }

    [Fact]
    public void FirmwareComesWithItsLinks()
    {
        var builder = new TreeBuilder(BootSample.Meta);
        builder.AddTree(ModuleTree());
        builder.AddTree(BootSample.Tree(
            ("usr/lib/firmware/wifi/a.bin.zst", "->../vendor/real-a.bin.zst"), ("usr/lib/firmware/vendor", "->store"),
            ("usr/lib/firmware/store/real-a.bin.zst", "->last"), ("usr/lib/firmware/store/last", "firmware"),
            ("usr/lib/firmware/wifi/b-1", "b"), ("usr/lib/firmware/wifi/b-2.xz", "b"), ("usr/lib/firmware/wifi/c", "c"),
            ("usr/lib/firmware/loop", "->loop")));
        Assert.Equal(
            [.. new[] { "store/last", "store/real-a.bin.zst", "vendor", "wifi/a.bin.zst", "wifi/b-1", "wifi/b-2.xz" }.Select(static name => "usr/lib/firmware/" + name),
                "kernel/drivers/net/wifi.ko"],
            Selected(builder.Build(), "wifi"));
    }

    [Fact]
    public void TheTreeHasParentsAndIndexesOnly()
    {
        var tree = ModuleTree();
        var selected = KernelModules.SelectTree(tree, "6.1", ["ahci"]);
        Assert.Equal(
            ["usr", "usr/lib", "usr/lib/modules", "usr/lib/modules/6.1", Modules + "kernel", Modules + "kernel/drivers", Modules + "kernel/drivers/ata",
                Modules + "kernel/drivers/ata/ahci.ko", Modules + "kernel/drivers/ata/libahci.ko", Modules + "modules.alias", Modules + "modules.dep",
                Modules + "modules.dep.bin", Modules + "modules.order", Modules + "modules.softdep", Modules + "modules.weakdep"],
            BootSample.Paths(selected));
        Assert.Equal(tree.Find("usr/lib")!.Metadata, selected.Find("usr/lib")!.Metadata);
        Assert.Equal(TreeText.Lines(SampleTrees.Map(selected, static m => new Metadata(m.Mode, m.Uid, m.Gid, m.Mtime))), TreeText.Lines(CpioReader.Read(CpioWriter.Write(selected))));
    }

    [Fact]
    public void DamageIsNamed()
    {
        Refused("depmod has to run first", BootSample.Tree((Modules + "vmlinuz", "x")));
        Refused("a line without a colon", BootSample.Tree((Modules + "modules.dep", "kernel/a.ko\n")));
        Refused("does not exist", BootSample.Tree((Modules + "modules.dep", "kernel/a.ko:\n"), ("usr/lib/firmware/f", "f")));
        Refused("kernel/a.ko: module: not a little-endian ELF", BootSample.Tree((Modules + "modules.dep", "kernel/a.ko:\n"), (Modules + "kernel/a.ko", "x"), ("usr/lib/firmware/f", "f")));

        static void Refused(string message, FileTree tree) => Assert.Contains(
            message, Assert.Throws<InvalidDataException>(() => KernelModules.SelectTree(tree, "6.1", ["*"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CompressedAndMutatedModulesAreReadOrRefused()
    {
        byte[] module = Encoding.Latin1.GetBytes(BootSample.Module("one", "two/three"));
        Assert.Equal(["one", "two/three"], ModuleInfo.FirmwareOf(Compressor.Compress(new MemoryBlob(module), Compression.Zstd, 3)));
        Gen.Select(Gen.Int[0, module.Length - 1], Gen.Byte).Array[1, 4].Sample(changes =>
        {
            byte[] mutated = [.. module];
            foreach (var (place, value) in changes)
            {
                mutated[place] = value;
            }
            try
            {
                ModuleInfo.FirmwareOf(new MemoryBlob(mutated));
            }
            catch (InvalidDataException)
            {
            }
        }, iter: 3000);
    }
}
