using System.Text.RegularExpressions;
using Diecast.Tests.Support;

namespace Diecast.Tests.EndToEnd;

/// <summary>A directory with mkosi.conf and the files around it, and what each setting does to the image.</summary>
public sealed class ConfigurationTests : IDisposable
{
    private const string Hash = "hashed:$6$example$qxJKSNBLbKQxqLCb2dCNvU0LpRrryL8zvttVk4XH1qOw.BvcOrtYJlSQpel8dWNpl7xWL93RYfWHbD5Vj4AGU/";

    /// <summary>A line of mkosi.conf, a file of the image and what must be in it with the line and not without; null for the file's being gone.</summary>
    private static readonly Dictionary<string, (string File, string? Content)> s_settings = new(StringComparer.Ordinal)
    {
        ["[Content]\nHostname=elsewhere"] = ("etc/hostname", "^elsewhere\n$"),
        ["[Content]\nTimezone=Europe/Berlin"] = ("etc/localtime", "^-> ../usr/share/zoneinfo/Europe/Berlin\n$"),
        ["[Content]\nLocale=de_DE.UTF-8"] = ("etc/locale.conf", "^LANG=de_DE.UTF-8\n$"),
        ["[Content]\nKeymap=de"] = ("etc/vconsole.conf", "^KEYMAP=de\n$"),
        ["[Content]\nRootPassword=" + Hash] = ("etc/shadow", @"^root:\$6\$example\$qxJK"),
        ["[Content]\nRootShell=/bin/sh"] = ("etc/passwd", "^root:x:0:0:root:/root:/bin/sh\n"),
        ["[Content]\nAutologin=yes"] = ("usr/lib/systemd/system/console-getty.service.d/autologin.conf", "--autologin root"),
        ["[Content]\nRemoveFiles=/usr/share/kinds/o*\n            /etc/hosts"] = ("etc/hosts", null),
        ["[Content]\nRemovePackages=kinds"] = ("usr/share/kinds/old", null),
        ["[Content]\nCleanPackageMetadata=yes"] = ("var/lib/pacman/local/ALPM_DB_VERSION", null),
        ["[Content]\nMachineId=0e9a6fe0-68f6-408c-bbeb-136054d20445"] = ("etc/machine-id", "^0e9a6fe068f6408cbbeb136054d20445\n$"),
        ["[Output]\nImageId=img\nImageVersion=7"] = ("usr/lib/os-release", "IMAGE_ID=\"img\"\nIMAGE_VERSION=\"7\"\n"),
    };

    private readonly SmallBuild _build = new();

    public static TheoryData<string> Settings => [.. s_settings.Keys.Order(StringComparer.Ordinal)];

    private static string Base => $"[Distribution]\nDistribution=arch\nMirror={SmallBuild.MirrorUrl}\n[Output]\nFormat=tar\nOutput=foo\nCompressOutput=none\n"
        + "[Content]\nPackages=bash kinds\n";

    [Theory]
    [MemberData(nameof(Settings))]
    public void ASettingChangesTheImage(string setting)
    {
        var (file, content) = s_settings[setting];
        _build.WriteFile("mkosi.conf", Base);
        string without = _build.Build();
        string? before = FileOfTar(file);
        _build.WriteFile("mkosi.conf", Base + setting + "\n");
        Assert.NotEqual(without, _build.Build("--force"));
        string? after = FileOfTar(file);
        if (content is null)
        {
            Assert.NotNull(before);
            Assert.Null(after);
            return;
        }
        Assert.Matches(content, after!);
        Assert.DoesNotMatch(content, before ?? "");
    }

    [Fact]
    public void TheFileIsTheCommandLine()
    {
        _build.WriteFile("mkosi.conf", $"""
            # A comment, then lists in every form.
            [Distribution]
            Distribution=arch
            Mirror={SmallBuild.MirrorUrl}

            [Output]
            Format=tar
            Output=foo

            [Content]
            Packages=sed,no-such-package
            Packages=
            Packages=bash,
                     # inside of a list
                     kinds   odd-names
            Hostname=here # behind a value
            SourceDateEpoch=1700000000
            """);
        _build.WriteFile("mkosi.extra/etc/extra.conf", "extra\n");
        _build.WriteFile("mkosi.skeleton/etc/skeleton.conf", "skeleton\n");
        string fromFile = _build.Build();
        using var other = new SmallBuild();
        other.WriteFile("extra/etc/extra.conf", "extra\n");
        other.WriteFile("skeleton/etc/skeleton.conf", "skeleton\n");
        Assert.Equal(fromFile, other.Build(SmallBuild.Command(
            "-p", "kinds", "-p", "odd-names", "--hostname=here", "--source-date-epoch=1700000000", "--extra-tree=extra", "--skeleton-tree=skeleton")));
    }

    [Theory]
    [InlineData("disk")]
    [InlineData("directory")]
    [InlineData("cpio")]
    [InlineData("tar")]
    public void EveryFormatIsTheSameTwice(string format)
    {
        string[] command = ["-d", "arch", "-p", "bash", "-p", "kinds", "-m", SmallBuild.MirrorUrl, "-o", "foo", "--bootable=no", "--format=" + format];
        string first = Digest(_build, command);
        using var other = new SmallBuild();
        Assert.Equal(first, Digest(other, command));
        Assert.NotEqual(first, Digest(other, [.. command, "--force", "--hostname=other"]));
        other.AssertNothingIsLeft();
    }

    [Fact]
    public void DefinitionsSeedAndSplitPartitions()
    {
        string[] command = ["-d", "arch", "-p", "bash", "-m", SmallBuild.MirrorUrl, "-o", "foo", "--bootable=no", "--force", "--seed=0e9a6fe0-68f6-408c-bbeb-136054d20445"];
        _build.WriteFile("mkosi.repart/10-root.conf", "[Partition]\nType=root\nFormat=ext4\nCopyFiles=/\nLabel=the-root\nSizeMinBytes=200M\nSplitName=root\n");
        _build.WriteFile("mkosi.repart/20-home.conf", "[Partition]\nType=home\nFormat=ext4\nSizeMinBytes=40M\nSizeMaxBytes=40M\n");
        string seeded = _build.Build([.. command, "--split-artifacts=partitions"]);
        string table = Tool.RunOk("sfdisk", "-d", _build["foo.raw"]);
        Assert.Contains("name=\"the-root\"", table, StringComparison.Ordinal);
        Assert.Equal(2, Regex.Count(table, "foo.raw[12] : "));
        Tool.RunOk("e2fsck", "-fn", Directory.GetFiles(_build.Root, "foo.root*.raw").Single());
        Assert.NotEqual(seeded, _build.Build([.. command[..^1], "--seed=1e9a6fe0-68f6-408c-bbeb-136054d20445"]));
    }

    [Fact]
    public void CompressionChecksumAndManifest()
    {
        string plain = _build.Build(SmallBuild.Command("--compress-output=none"));
        Assert.Equal(plain, Scene.Sha256(_build["foo.tar"]));
        _build.Build(SmallBuild.Command("--force", "--compress-output=gz", "--checksum=yes", "--manifest-format=json"));
        Assert.False(File.Exists(_build["foo.tar"]) && !File.Exists(_build["foo.tar.gz"]));
        Tool.RunOk("/bin/sh", "-c", $"cd '{_build.Root}' && sha256sum -c foo.SHA256SUMS && gunzip -c foo.tar.gz > plain && zstd -q --version");
        Assert.Equal(plain, Scene.Sha256(_build["plain"]));
        Assert.Contains("\"name\": \"bash\"", File.ReadAllText(_build["foo.manifest"]), StringComparison.Ordinal);
        _build.Build(SmallBuild.Command("--force", "--compress-output=zstd"));
        Tool.RunOk("zstd", "-dqf", _build["foo.tar.zst"], "-o", _build["plain"]);
        Assert.Equal(plain, Scene.Sha256(_build["plain"]));
    }

    /// <summary>With an initrd of the user's own, which is quick.</summary>
    [Fact]
    public void BootLoadersCommandLineAndInitrds()
    {
        using var scene = new Scene();
        File.WriteAllText(scene["initrd"], "an initrd of the user's own");
        string[] command = ["-d", "arch", "-p", "systemd", "-p", "linux", "-m", Scene.MirrorUrl, "-o", "foo", "--force", "--initrd=initrd", "--kernel-command-line=quiet a=b"];
        string[] loaders = ["systemd-boot", "uki", "none"];
        var listings = loaders.Select(loader =>
        {
            var result = scene.Run("", [.. command, "--bootloader=" + loader]);
            Assert.True(result.ExitCode == 0, result.All);
            bool hasEsp = Tool.RunOk("sfdisk", "-d", scene["foo.raw"]).Contains("C12A7328-F81F-11D2-BA4B-00A0C93EC93B", StringComparison.Ordinal);
            return hasEsp ? Tool.RunOk("mdir", "-b", "-/", "-i", scene["foo.raw"] + "@@1M", "::") : "no ESP";
        }).ToList();
        Assert.Contains("::/EFI/systemd/systemd-bootx64.efi", listings[0], StringComparison.Ordinal);
        Assert.Contains("::/EFI/Linux/", listings[0], StringComparison.Ordinal);
        Assert.Contains("::/EFI/BOOT/BOOTX64.EFI", listings[1], StringComparison.Ordinal);
        Assert.DoesNotContain("systemd-boot", listings[1], StringComparison.Ordinal);
        Assert.Equal("no ESP", listings[2]);
        byte[] uki = File.ReadAllBytes(scene["foo.efi"]);
        Assert.True(uki.AsSpan().IndexOf("quiet a=b"u8) > 0);
        Assert.True(uki.AsSpan().IndexOf("an initrd of the user's own"u8) > 0);
    }

    public void Dispose() => _build.Dispose();

    /// <summary>Of the output, or of what is in the directory.</summary>
    private static string Digest(SmallBuild build, string[] command)
    {
        var result = build.Run(command);
        Assert.True(result.ExitCode == 0, result.All);
        return Directory.Exists(build["foo"]) && !File.Exists(build["foo.raw"]) && new DirectoryInfo(build["foo"]).LinkTarget is null
            ? Convert.ToHexString(Diecast.Trees.TreeText.Digest(Diecast.Trees.HostTree.Read(Diecast.Trees.Posix.Bytes(build["foo"])), TestContext.Current.CancellationToken))
            : result.Output.Split(' ')[0];
    }

    private string? FileOfTar(string path)
    {
        var listing = Tool.Run("tar", "-tvf", _build["foo.tar"], "./" + path);
        if (listing.ExitCode != 0)
        {
            return null;
        }
        int link = listing.Output.IndexOf("-> ", StringComparison.Ordinal);
        return link >= 0 ? listing.Output[link..] : Tool.RunOk("tar", "-xOf", _build["foo.tar"], "./" + path);
    }
}
