using Diecast.Boot;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Tests.Boot;

public sealed class BootTests
{
    [Theory]
    [InlineData("*.a", "x.a", true)]
    [InlineData("*.a", "dir/x.a", false)]
    [InlineData("a*b*c", "aXbYbZc", true)]
    [InlineData("a*b*c", "aXbYbZ", false)]
    [InlineData("[a-c]?", "b1", true)]
    [InlineData("[!a-c]?", "b1", false)]
    [InlineData("raid[0-9]*", "raid456", true)]
    [InlineData("raid[0-9]*", "raid_class", false)]
    [InlineData("[", "[", true)]
    [InlineData("", "", true)]
    [InlineData("**", "", true)]
    public void Globs(string pattern, string text, bool matches) => Assert.Equal(matches, PathGlob.Matches(pattern, text));

    [Fact]
    public void RemovalKeepsTheRest()
    {
        var tree = BootSample.Tree(("usr/lib/a.a", ""), ("usr/lib/b.so", ""), ("usr/lib/sub/c.a", ""), ("usr/include/x/y", ""), ("etc/services", ""), ("etc/other", ""));
        var removed = PathGlob.Remove(tree, ["/usr/lib/*.a", "/usr/include/*", "etc/services", "/nowhere/*"]);
        Assert.Equal(["etc", "etc/other", "usr", "usr/include", "usr/lib", "usr/lib/b.so", "usr/lib/sub", "usr/lib/sub/c.a"], BootSample.Paths(removed));
        Assert.Same(tree.Root, PathGlob.Remove(tree, ["/nowhere"]).Root);
    }

    [Fact]
    public void LinksAreFollowedInsideOfTheTree()
    {
        var tree = BootSample.Tree(("etc/os-release", "->../usr/lib/os-release"), ("usr/lib/os-release", "ID=x"), ("lib", "->/usr/lib"),
            ("up", "->../../../../usr"), ("loop", "->loop"), ("file/x", "->../etc/os-release/x"));
        Assert.Equal("usr/lib/os-release", TreeFiles.Resolve(tree, "/etc/os-release"));
        Assert.Equal("usr/lib/os-release", TreeFiles.Resolve(tree, "up/./lib/../lib/os-release"));
        Assert.Equal("ID=x", TreeFiles.ReadText(tree, "lib/os-release"));
        Assert.Null(TreeFiles.Resolve(tree, "loop"));
        Assert.Null(TreeFiles.Resolve(tree, "file/x"));
        Assert.Null(TreeFiles.Resolve(tree, "lib/nothing"));
    }

    [Fact]
    public void OsReleaseIsAShellsText()
    {
        var tree = BootSample.Tree(("usr/lib/os-release", "# c\nID=arch\nNAME=\"A \\\"B\\\" \\$C\"\nEMPTY=\nQ='x\\y'\n\nbad\n"));
        var fields = OsRelease.Read(tree);
        Assert.Equal(("arch", "A \"B\" $C", "", "x\\y"), (fields["ID"], fields["NAME"], fields["EMPTY"], fields["Q"]));
        Assert.Equal(4, fields.Count);
    }

    [Theory]
    [InlineData("custom\n", "", "", "ID=x", "custom")]
    [InlineData(null, "0123456789abcdef0123456789abcdef\n", "", "ID=x", "0123456789abcdef0123456789abcdef")]
    [InlineData(null, "uninitialized\n", "", "ID=x\nIMAGE_ID=image", "image")]
    [InlineData(null, "", "", "ID=x", "x")]
    [InlineData(null, "", "", "", "fallback")]
    public void TheEntryTokenIsKernelInstalls(string? token, string machineId, string _, string osRelease, string expected)
    {
        var files = new List<(string, string)> { ("etc/machine-id", machineId), ("etc/os-release", osRelease) };
        if (token is not null)
        {
            files.Add(("etc/kernel/entry-token", token));
        }
        Assert.Equal(expected, OsRelease.EntryToken(BootSample.Tree([.. files]), "fallback"));
    }

    [Fact]
    public void CommandLinesAreComposed()
    {
        var root = new Guid("9a914a15-37a6-422c-a924-0380869e7ede");
        var plain = BootSample.Tree(("x", ""));
        var own = BootSample.Tree(("usr/lib/kernel/cmdline", " quiet splash\n"));
        string[] words = ["console=ttyS0", "root=PARTUUID", "mount.usr=PARTUUID"];
        Assert.Equal("console=ttyS0 root=PARTUUID=9a914a15-37a6-422c-a924-0380869e7ede mount.usr=PARTUUID", KernelCommandLine.Compose(plain, null, words, root, null));
        Assert.Equal("quiet splash roothash=abc console=ttyS0 root=PARTUUID mount.usr=PARTUUID", KernelCommandLine.Compose(own, "roothash=abc", words, root, root));
        Assert.Equal("", KernelCommandLine.Compose(plain, null, [], null, null));
    }

    [Fact]
    public void AnInitrdIsFinished()
    {
        var tree = BootSample.Tree(("usr/lib/systemd/systemd", "elf"), ("usr/lib/systemd/catalog/x", ""), ("etc/udev/hwdb.d/x", ""), ("etc/udev/hwdb.bin", "kept"),
            ("usr/lib/modules/6/vmlinuz-6", ""), ("usr/lib/modules/6/System.map", ""), ("usr/lib/modules/6/modules.dep", ""), ("var/cache/ldconfig/aux-cache", ""),
            ("var/log/x", ""), ("var/lib/x", ""), ("usr/lib/libgomp.so.1", ""), ("usr/share/locale/de/x", ""), ("usr/lib/libc.a", ""), ("etc/os-release", ""));
        var initrd = InitrdTree.Finish(tree, BootSample.Epoch);
        Assert.Equal(
            ["etc/initrd-release", "etc/os-release", "etc/udev/hwdb.bin", "init", "usr/lib/modules/6/modules.dep",
                "usr/lib/systemd/system/systemd-cryptsetup@.service.d/credential.conf", "usr/lib/systemd/system-preset/99-diecast.preset", "usr/lib/systemd/systemd",
                "usr/lib/udev/rules.d/10-diecast-initrd.rules", "var/lib/x"],
            initrd.Walk().Where(static e => e.Node is not DirectoryNode).Select(static e => e.ToString()[1..]));
        Assert.Equal("/usr/lib/systemd/systemd"u8.ToArray(), ((SymlinkNode)initrd.Find("init")!).Target.AsSpan().ToArray());
        Assert.Equal(BootSample.Epoch, initrd.Find("init")!.Metadata.Mtime);
        Assert.Equal("disable *\n", BootSample.Text(initrd, "usr/lib/systemd/system-preset/99-diecast.preset"));
        Assert.Equal(TreeText.Lines(initrd), TreeText.Lines(InitrdTree.Finish(initrd, new Timestamp(9))));
    }

    [Fact]
    public void WithoutSystemdThereIsNoInit() => Assert.Null(InitrdTree.Finish(BootSample.Tree(("init2", "")), BootSample.Epoch).Find("init"));

    private static FileTree Programs(params string[] names) =>
        BootSample.Tree([("x", ""), .. names.Select(static name => ("usr/lib/systemd/boot/efi/" + name, name))]);

    private static readonly BootEntry[] s_entries = [new("arch-2.efi", new MemoryBlob("2"u8.ToArray())), new("arch-1.efi", new MemoryBlob("1"u8.ToArray()))];

    [Fact]
    public void SystemdBootIsInstalledAsBootctlDoes()
    {
        var esp = BootLoader.Install(Programs("systemd-bootx64.efi", "systemd-bootia32.efi", "systemd-bootx64.efi.signed", "linuxx64.efi.stub"),
            BootLoaderKind.SystemdBoot, "x86-64", s_entries, BootSample.Epoch);
        Assert.Equal(
            ["EFI", "EFI/BOOT", "EFI/BOOT/BOOTIA32.EFI", "EFI/BOOT/BOOTX64.EFI", "EFI/Linux", "EFI/Linux/arch-1.efi", "EFI/Linux/arch-2.efi", "EFI/systemd",
                "EFI/systemd/systemd-bootia32.efi", "EFI/systemd/systemd-bootx64.efi", "loader", "loader/entries", "loader/entries.srel", "loader/keys", "loader/loader.conf"],
            BootSample.Paths(esp));
        Assert.Equal("systemd-bootx64.efi.signed", BootSample.Text(esp, "EFI/BOOT/BOOTX64.EFI"));
        Assert.Equal("type1\n", BootSample.Text(esp, "loader/entries.srel"));
        Assert.Equal(30, BootSample.Text(esp, "loader/loader.conf")!.Length);
        Assert.All(esp.Walk(), static e => Assert.Equal(e.Node is DirectoryNode ? 0x1C0 : 0x180, e.Node.Metadata.Mode));
        Assert.Equal(BootSample.Meta.Mtime, esp.Find("EFI/systemd/systemd-bootx64.efi")!.Metadata.Mtime);
        Assert.Equal(BootSample.Epoch, esp.Find("EFI/Linux")!.Metadata.Mtime);
    }

    [Fact]
    public void TheOtherKinds()
    {
        Assert.Equal(["EFI", "EFI/BOOT", "EFI/BOOT/BOOTAA64.EFI", "loader", "loader/entries.srel"],
            BootSample.Paths(BootLoader.Install(Programs(), BootLoaderKind.Uki, "arm64", s_entries, BootSample.Epoch)));
        Assert.Equal("2", BootSample.Text(BootLoader.Install(Programs(), BootLoaderKind.Uki, "x86-64", s_entries, BootSample.Epoch), "EFI/BOOT/BOOTX64.EFI"));
        Assert.Equal(["EFI", "EFI/Linux", "EFI/Linux/arch-1.efi", "EFI/Linux/arch-2.efi", "loader", "loader/entries.srel"],
            BootSample.Paths(BootLoader.Install(Programs(), BootLoaderKind.None, "x86-64", s_entries, BootSample.Epoch)));
        var error = Assert.Throws<InvalidDataException>(() => BootLoader.Install(Programs("systemd-bootia32.efi"), BootLoaderKind.SystemdBoot, "x86-64", [], BootSample.Epoch));
        Assert.Contains("systemd-bootx64.efi does not exist", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FileNamesAreMadeOfTokenVersionHashAndTries()
    {
        Assert.Equal("arch-6.1.efi", BootLoader.UkiFileName(Programs(), "arch", "6.1", null));
        Assert.Equal("arch-6.1-abc+3.efi", BootLoader.UkiFileName(BootSample.Tree(("etc/kernel/tries", "3\n")), "arch", "6.1", "abc"));
        Assert.NotNull(BootLoader.FindStub(Programs("linuxx64.efi.stub"), "x86-64"));
        Assert.Null(BootLoader.FindStub(Programs(), "x86-64"));
    }
}
