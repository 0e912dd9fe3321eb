using CsCheck;
using Diecast.Config;
using Diecast.Tests.Support;

namespace Diecast.Tests.Config;

public sealed class ConfigLoaderTests
{
    [Fact]
    public void EveryErrorIsReportedAtOnceWithItsPlace()
    {
        using var directory = new ConfigDirectory("""
            [Distribution]
            Distribution=arch
            Mirror=example.org

            [Match]
            Format=disk

            [Contnet]
            Packages=x

            [Content]
            Pakages=x
            Nonsense=x
            Packages=a
                     b
            Autologin=perhaps
            Bootloader=grub
            ExtraTrees=nowhere,
                       mkosi.conf:relative
            RootPassword=secret
            BuildPackages=gcc
            MicrocodeHost=yes

            [Output]
            Seed=random
            Format=ext4
            Output=a/b
            """);
        directory.Write("mkosi.prepare", "").Write("mkosi.conf.d/10.conf", "").Write("mkosi.version", "1");
        Tool.RunOk("chmod", "0500", directory["mkosi.version"]);
        Assert.Equal(
            [
                "mkosi.conf.d: is not supported yet",
                "mkosi.version: is a program, which is not supported yet: write the value into a text file",
                "mkosi.prepare: is not supported yet",
                "mkosi.conf:5: [Match] is not supported yet",
                "mkosi.conf:8: [Contnet] is unknown; did you mean Content?",
                "mkosi.conf:12: Pakages= is unknown; did you mean Packages?",
                "mkosi.conf:13: Nonsense= is unknown",
                "mkosi.conf:16: Autologin=: 'perhaps' is neither yes nor no",
                "mkosi.conf:17: Bootloader=: 'grub' is not supported yet (possible now: none, uki, systemd-boot)",
                "mkosi.conf:20: RootPassword=: a plain password would be hashed with a random salt: write hashed: and the hash that 'openssl passwd -6' prints",
                "mkosi.conf:21: BuildPackages=: is not supported yet",
                "mkosi.conf:22: MicrocodeHost=: the image would depend on the host's processor: leave it out, and the image carries the microcode of its packages",
                "mkosi.conf:25: Seed=: a random seed gives another image each time: write a UUID, or nothing to have one derived",
                "mkosi.conf:26: Format=: 'ext4' is unknown (possible now: disk, directory, cpio, tar)",
                "mkosi.conf:27: Output=: 'a/b' must be a file name, without directory or blanks",
                "mkosi.conf:3: Mirror=: 'example.org' is no URL (possible: http, https, file)",
                "mkosi.conf:18: ExtraTrees=: 'nowhere' does not exist",
                "mkosi.conf:19: ExtraTrees=: the target 'relative' must be an absolute path in the image, without '..'",
            ],
            directory.Errors());
    }

    [Fact]
    public void NothingIsTakenFromTheHost()
    {
        using var directory = new ConfigDirectory();
        Assert.Equal(
            "mkosi.conf: Distribution= is not given, and never taken from the host: write Distribution=arch (or debian, ubuntu) into [Distribution], or -d arch",
            directory.Error());
        Assert.Equal(Distribution.Arch, directory.Load(("Distribution", "arch")).Distribution);
        directory.HostArchitecture = "arm64";
        Assert.Equal(
            "mkosi.conf: Architecture=: x86-64 is not the host's, and building for another is not supported yet",
            directory.Error(("Distribution", "arch")));
        Assert.Equal("--distribution: 'fedora' is not supported yet (possible now: arch, debian, ubuntu)", directory.Errors(("Distribution", "fedora"))[0]);
    }

    [Fact]
    public void ListsGrowAndScalarsAreReplaced()
    {
        using var directory = ConfigDirectory.Arch("""
            [Content]
            Hostname=one
            Packages=linux, systemd
            Packages=bash
                     (foo or bar) linux
            Packages=/usr/bin/vi
            KernelCommandLine=console=ttyS0,115200 quiet
            KernelCommandLine=
            KernelCommandLine=root=LABEL=a,b
            Hostname=two
            """);
        var config = directory.Load(("Packages", "zsh"), ("KernelCommandLine", "debug systemd.show_status=1"));
        Assert.Equal(["bar)", "bash", "linux", "or", "systemd", "zsh", "/usr/bin/vi", "(foo"], config.Packages);
        Assert.Equal(["root=LABEL=a,b", "debug", "systemd.show_status=1"], config.KernelCommandLine);
        Assert.Equal("two", config.Hostname);
        Assert.Equal("three", directory.Load(("Hostname", "2"), ("Hostname", "three")).Hostname);
        Assert.Null(directory.Load(("Hostname", "2"), ("Hostname", "")).Hostname);
        Assert.Equal(["vim"], directory.Load(("Packages", "emacs"), ("Packages", ""), ("Packages", "vim")).Packages);
        Assert.Empty(directory.Load(("Packages", "")).Packages);
    }

    [Fact]
    public void AnEmptyAssignmentGivesTheDefault()
    {
        using var directory = ConfigDirectory.Arch("[Output]\nFormat=tar\nFormat=\nSplitArtifacts=\n[Content]\nBootable=yes\nBootable=\n");
        var config = directory.Load();
        Assert.Equal(OutputFormat.Disk, config.Format);
        Assert.Equal(Feature.Auto, config.Bootable);
        Assert.Empty(config.SplitArtifacts);
    }

    [Fact]
    public void TheConfigurationMayBeInADirectoryOfItsOwn()
    {
        using var directory = new ConfigDirectory();
        directory.Write("mkosi/mkosi.conf", "[Distribution]\nDistribution=arch\nRelease=1").Write("mkosi/mkosi.extra/etc/motd", "");
        Assert.Equal("mkosi/mkosi.conf:3: Release=: '1' is not supported yet (possible now: rolling)", directory.Error());
        var config = directory.Write("tree/a", "").Load(("Release", ""), ("ExtraTrees", "tree"));
        Assert.Equal([directory["mkosi/mkosi.extra"], directory["tree"]], config.ExtraTrees.Select(static tree => tree.Source));
        Assert.Equal(directory["mkosi/image.raw"], config.OutputPath);
    }

    [Fact]
    public void ScriptsAreThoseOfTheirNamesThenTheDirectorysThenTheSettings()
    {
        using var directory = ConfigDirectory.Arch("[Content]\nPostInstallationScripts=last\n");
        // U+FB01 comes before U+1F600 as bytes, and after it as UTF-16.
        string[] names = ["last", "mkosi.postinst.d/\U0001F600", "mkosi.postinst.d/\uFB01", "mkosi.postinst.d/a b", "mkosi.postinst.chroot", "mkosi.postinst", "mkosi.finalize"];
        foreach (string name in names)
        {
            directory.Write(name, "");
        }
        Assert.Equal(
            ["mkosi.postinst: PostInstallationScripts=: 'mkosi.postinst' is not executable", "mkosi.conf:4: PostInstallationScripts=: 'last' is not executable"],
            directory.Errors().Where(static error => error.EndsWith("'mkosi.postinst' is not executable", StringComparison.Ordinal) || error.Contains("conf", StringComparison.Ordinal)));
        Array.ForEach(names, name => Tool.RunOk("chmod", "0500", directory[name]));
        var config = directory.Load(("FinalizeScripts", "last"));
        Assert.Equal(names[..^1].Reverse().Select(name => directory[name]), config.PostInstallationScripts);
        Assert.Equal([directory["mkosi.finalize"], directory["last"]], config.FinalizeScripts);
        Assert.Equal("--finalize-script: 'no' does not exist", directory.Error(("FinalizeScripts", "no")));
        Directory.CreateDirectory(directory["mkosi.finalize.d/sub"]);
        Assert.Equal("mkosi.finalize.d/sub: FinalizeScripts=: 'mkosi.finalize.d/sub' is a directory", directory.Error());
    }

    [Fact]
    public void FilesGiveValuesByTheirName()
    {
        using var directory = ConfigDirectory.Arch("""
            [Output]
            ImageId=demo
            [Content]
            ExtraTrees=more:/opt
            """);
        directory.Write("mkosi.extra/etc/motd", "").Write("mkosi.extra.tar", "").Write("mkosi.skeleton/a", "").Write("mkosi.sandbox/a", "")
            .Write("mkosi.repart/00-esp.conf", "").Write("mkosi.output/.keep", "").Write("more/a", "")
            .Write("mkosi.version", "1.2\n").Write("mkosi.seed", "0e9a6fe0-68f6-408c-bbeb-136054d20445\n")
            .Write("mkosi.snapshot", "2025/05/20\n").Write("mkosi.machine-id", "0e9a6fe068f6408cbbeb136054d20445\n")
            .Write("mkosi.env", "A=1\n").Write("mkosi.rootpw", "hashed:$6$x$y\n")
            .Write("mkosi.cache/x", "").Write("mkosi.profiles.md", "").Write("mkosi.nspawn", "");
        Directory.CreateDirectory(directory["mkosi.conf.d"]);
        var config = directory.Load();
        Assert.Equal(
            [new(directory["mkosi.extra"], "/"), new(directory["mkosi.extra.tar"], "/"), new(directory["more"], "/opt")],
            config.ExtraTrees);
        Assert.Equal(directory["mkosi.skeleton"], config.SkeletonTrees.Single().Source);
        Assert.Equal(directory["mkosi.sandbox"], config.SandboxTrees.Single().Source);
        Assert.Equal([directory["mkosi.repart"]], config.RepartDirectories);
        Assert.Equal(directory["mkosi.output/demo_1.2.raw"], config.OutputPath);
        Assert.Equal("2025/05/20", config.Snapshot);
        Assert.Equal(Guid.Parse("0e9a6fe0-68f6-408c-bbeb-136054d20445"), config.Seed);
        Assert.Equal(config.Seed, config.MachineId);
        Assert.Equal("$6$x$y", config.RootPassword);
        Assert.Equal("1", config.Environment["A"]);
        Assert.Equal("2", directory.Load(("ImageVersion", "2")).ImageVersion);
    }

    [Theory]
    [InlineData("mkosi.local.conf")]
    [InlineData("mkosi.local/mkosi.conf", "mkosi.local")]
    [InlineData("mkosi.conf.d/a.conf", "mkosi.conf.d")]
    [InlineData("mkosi.images/a.conf", "mkosi.images")]
    [InlineData("mkosi.profiles/a.conf", "mkosi.profiles")]
    [InlineData("mkosi.initrd.conf")]
    [InlineData("mkosi.uki-profiles/a.conf", "mkosi.uki-profiles")]
    [InlineData("mkosi.packages/a", "mkosi.packages")]
    [InlineData("mkosi.configure")]
    [InlineData("mkosi.prepare")]
    [InlineData("mkosi.prepare.chroot")]
    [InlineData("mkosi.build.chroot")]
    [InlineData("mkosi.build.d/a", "mkosi.build.d")]
    [InlineData("mkosi.postoutput")]
    [InlineData("mkosi.sync")]
    [InlineData("mkosi.clean")]
    [InlineData("mkosi.key")]
    [InlineData("mkosi.crt")]
    public void FilesThatWouldChangeTheImageAreErrors(string name, string? place = null)
    {
        using var directory = ConfigDirectory.Arch();
        directory.Write(name, "");
        Assert.Equal($"{place ?? name}: is not supported yet", directory.Error());
    }

    [Fact]
    public void APlainPasswordInAFileIsRefused()
    {
        using var directory = ConfigDirectory.Arch();
        directory.Write("mkosi.rootpw", "secret");
        Assert.StartsWith("mkosi.rootpw:1: RootPassword=: a plain password", directory.Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void OldNamesAndSectionsAreUnderstood()
    {
        using var directory = ConfigDirectory.Arch("[Content]\n@PackageManagerTrees=tree\n[Host]\nQemuMem=4G\n");
        directory.Write("tree/a", "");
        var config = directory.Load();
        Assert.Equal(directory["tree"], config.SandboxTrees.Single().Source);
        Assert.Equal(
            [
                "mkosi.conf:4: PackageManagerTrees= is now SandboxTrees=",
                "mkosi.conf:4: PackageManagerTrees= belongs into [Build], not [Content]",
                "mkosi.conf:6: QemuMem= is now RAM=",
                "mkosi.conf:6: QemuMem= belongs into [Runtime], not [Host]",
            ],
            config.Warnings.Select(static warning => warning.ToString()));
    }

    [Fact]
    public void SpecifiersAreWhatIsKnownSoFar()
    {
        using var directory = ConfigDirectory.Arch("""
            [Output]
            ImageId=demo
            ImageVersion=7
            Output=%d-%r-%a-%t-%i-%v-%F-%I-100%%
            ImageId=other
            [Content]
            KernelCommandLine=%o%
            ExtraTrees=%D/tree:/%i
            """);
        directory.Write("tree/a", "");
        var config = directory.Load();
        Assert.Equal("arch-rolling-x86-64-disk-demo-7-ext4-main-100%", config.Output);
        Assert.Equal([config.Output + "%"], config.KernelCommandLine);
        Assert.Equal(new SourceTree(directory["tree"], "/other"), config.ExtraTrees.Single());
        Assert.Contains("-given-7-", directory.Load(("ImageId", "given")).Output, StringComparison.Ordinal);
        Assert.Equal("%i", directory.Load(("Output", "%i")).Output);
    }

    [Theory]
    [InlineData("Hostname=%v", "Hostname=: %v stands before ImageVersion= has been given")]
    [InlineData("Hostname=%D", "Hostname=: %D is a directory of the host, and may stand only where a path is asked for")]
    [InlineData("Packages=a %C", "Packages=: %C is a directory of the host, and may stand only where a path is asked for")]
    [InlineData("Hostname=%m", "Hostname=: the specifier %m is unknown (a percent sign is %%)")]
    public void SpecifiersThatAreNotKnownAreErrors(string line, string message)
    {
        using var directory = ConfigDirectory.Arch($"[Content]\n{line}\n");
        Assert.Equal($"mkosi.conf:4: {message}", directory.Error());
    }

    [Fact]
    public void PathsMayNameVariablesOfTheCaller()
    {
        using var directory = ConfigDirectory.Arch("[Output]\nOutputDirectory=~/${OUT}/$OUT/$UNSET\n");
        directory.Environment["OUT"] = "images";
        Assert.Equal("/home/someone/images/images/$UNSET", directory.Load().OutputDirectory);
    }

    [Fact]
    public void TheEpochIsTheFirstOfSettingEnvironmentAndCaller()
    {
        using var directory = ConfigDirectory.Arch();
        Assert.Null(directory.Load().SourceDateEpoch);
        directory.Environment["SOURCE_DATE_EPOCH"] = "1";
        Assert.Equal(1, directory.Load().SourceDateEpoch);
        directory.Write("mkosi.env", "SOURCE_DATE_EPOCH=2");
        Assert.Equal(2, directory.Load().SourceDateEpoch);
        Assert.Equal(3, directory.Load(("Environment", "SOURCE_DATE_EPOCH=3")).SourceDateEpoch);
        var config = directory.Load(("Environment", "SOURCE_DATE_EPOCH=3"), ("SourceDateEpoch", "0"));
        Assert.Equal(0, config.SourceDateEpoch);
        Assert.Equal("0", config.Environment["SOURCE_DATE_EPOCH"]);
        Assert.Equal("--source-date-epoch: '-1' is no whole number from 0 up", directory.Error(("SourceDateEpoch", "-1")));
        directory.Write("mkosi.env", "# comment\nSOURCE_DATE_EPOCH=now");
        Assert.Equal("mkosi.env:2: SOURCE_DATE_EPOCH: 'now' is no whole number of seconds from 0 up", directory.Error());
    }

    [Fact]
    public void TheEnvironmentIsThatOfFilesAndOverItThatOfSettings()
    {
        using var directory = ConfigDirectory.Arch("""
            [Build]
            EnvironmentFiles=one two
            Environment=A=setting "B=with blanks" C='x'y
                        D="over
                        lines"
            """);
        directory.Write("one", "A=1\nE=one two 'three'\n").Write("two", "F=a=b # no comment\nE=two\n");
        directory.Environment["G"] = "caller";
        var config = directory.Load(("Environment", "G"), ("Environment", "C=option"), ("Environment", "H"));
        Assert.Equal(
            ["A=setting", "B=with blanks", "C=option", "D=over\nlines", "E=two", "F=a=b # no comment", "G=caller", "H="],
            config.Environment.Select(static pair => $"{pair.Key}={pair.Value}"));
    }

    [Fact]
    public void TheCallersEnvironmentIsNotTakenByAFile()
    {
        using var directory = ConfigDirectory.Arch("[Build]\nEnvironment=A=1 NAME\nEnvironment='x\n").Write("mkosi.env", "A=1\nwords here=1\n");
        Assert.Equal(
            [
                "mkosi.conf:4: Environment=: the value of NAME would be the caller's: write NAME=VALUE, or give it on the command line",
                "mkosi.conf:5: Environment=: the quote ' in ''x' has no end",
                "mkosi.env:2: 'words here=1' is not NAME=VALUE",
            ],
            directory.Errors());
    }

    [Fact]
    public void MkfsOptionsAreUnderstood()
    {
        using var directory = ConfigDirectory.Arch().Write("mkosi.env", """
            SYSTEMD_REPART_MKFS_OPTIONS_EXT4=-E hash_seed=a24031c1-fc68-453d-80fa-00ad057a5780 -U 6de632fe-7638-44c4-917c-ecf4170af3b4
            SYSTEMD_REPART_MKFS_OPTIONS_VFAT=-i E7B87C0D
            SYSTEMD_REPART_MKFS_OPTIONS_BTRFS=--uuid=a24031c1-fc68-453d-80fa-00ad057a5780 --csum xxhash
            SYSTEMD_REPART_OVERRIDE_FSTYPE=ext4
            SYSTEMD_REPART_OVERRIDE_FSTYPE_ROOT=btrfs
            SYSTEMD_REPART_OVERRIDE_FSTYPE_HOME=vfat
            """);
        var options = directory.Load().MkfsOptions;
        Assert.Equal(Guid.Parse("a24031c1-fc68-453d-80fa-00ad057a5780"), options.Ext4HashSeed);
        Assert.Equal(Guid.Parse("6de632fe-7638-44c4-917c-ecf4170af3b4"), options.Ext4Uuid);
        Assert.Equal(0xE7B87C0D, options.VfatVolumeId);
        Assert.Equal(Guid.Parse("a24031c1-fc68-453d-80fa-00ad057a5780"), options.BtrfsUuid);
        Assert.Equal("xxhash", options.BtrfsChecksum);
        Assert.Equal("ext4", options.FormatOverride);
        Assert.Equal([("home", "vfat"), ("root", "btrfs")],
            options.FormatOverrides.Select(static pair => (pair.Key, pair.Value)).Order());
    }

    [Theory]
    [InlineData("MKFS_OPTIONS_EXT4=-O ^metadata_csum", "the mkfs option -O is not supported")]
    [InlineData("MKFS_OPTIONS_EXT4=-E hash_seed=a24031c1-fc68-453d-80fa-00ad057a5780,root_owner=1:1", "the mkfs option -E root_owner=1:1 is not supported")]
    [InlineData("MKFS_OPTIONS_EXT4=-U random", "-U random is no UUID")]
    [InlineData("MKFS_OPTIONS_EXT4=-U", "the mkfs option -U has no value")]
    [InlineData("MKFS_OPTIONS_VFAT=-F 16", "the mkfs option -F is not supported")]
    [InlineData("MKFS_OPTIONS_VFAT=-i xyz", "-i xyz is not 32 bits in hexadecimal")]
    [InlineData("MKFS_OPTIONS_BTRFS=--csum md5", "--csum md5 is no checksum of btrfs")]
    [InlineData("MKFS_OPTIONS_BTRFS=-O block-group-tree", "the mkfs option -O is not supported")]
    [InlineData("MKFS_OPTIONS_XFS=-K", "mkfs options of this file system are not supported yet")]
    [InlineData("OVERRIDE_FSTYPE_SWAP=btrfs", "there is no such type of partition with a file system")]
    [InlineData("OVERRIDE_FSTYPE=", "names no file system")]
    public void OtherMkfsOptionsAreRefusedByName(string line, string message)
    {
        using var directory = ConfigDirectory.Arch().Write("mkosi.env", $"A=1\nSYSTEMD_REPART_{line}\n");
        string error = directory.Error();
        Assert.StartsWith($"mkosi.env:2: SYSTEMD_REPART_{line.Split('=')[0]}", error, StringComparison.Ordinal);
        Assert.EndsWith(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public void TheProxyIsGivenOrTheCallers()
    {
        using var directory = ConfigDirectory.Arch();
        directory.Environment["https_proxy"] = "http://caller:1";
        directory.Environment["no_proxy"] = "localhost,.local";
        Assert.Equal("http://caller:1", directory.Load().Proxy.Url);
        Assert.Equal(["localhost", ".local"], directory.Load().Proxy.Exclude);
        var proxy = directory.Load(("ProxyUrl", "https://given:2"), ("ProxyExclude", "a")).Proxy;
        Assert.Equal("https://given:2", proxy.Url);
        Assert.Equal(["a"], proxy.Exclude);
        string summary = Summary.Text(directory.Load(("ProxyUrl", "http://user:pass@host:3128/")));
        Assert.Contains("\nProxyUrl=http://host:3128/\n", summary, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Format", "tar", "image.tar.zst")]
    [InlineData("Format", "cpio", "image.cpio.zst")]
    [InlineData("Format", "directory", "image")]
    [InlineData("Format", "disk", "image.raw")]
    [InlineData("CompressOutput", "gz", "image.raw.gz")]
    [InlineData("CompressOutput", "yes", "image.raw.zst")]
    [InlineData("ImageVersion", "3", "image_3.raw")]
    public void TheOutputIsNamedByFormat(string setting, string value, string name)
    {
        using var directory = ConfigDirectory.Arch();
        Assert.Equal(directory[name], directory.Load((setting, value)).OutputPath);
    }

    [Theory]
    [InlineData("Snapshot", "yesterday", "'yesterday' is no day of the archive: write YYYY/MM/DD")]
    [InlineData("CompressLevel", "99", "99 is no level of compression")]
    [InlineData("CompressOutput", "xz", "'xz' is not supported yet (possible now: none, zstd, gz)")]
    [InlineData("Seed", "1", "'1' is no UUID")]
    [InlineData("RepartDirectories", "mkosi.conf", "'mkosi.conf' is no directory")]
    [InlineData("EnvironmentFiles", ".", "'.' is a directory")]
    [InlineData("SkeletonTrees", "mkosi.conf:/a/../b", "the target '/a/../b' must be an absolute path in the image, without '..'")]
    [InlineData("Hostname", "a b", "'a b' is no host name: up to 64 letters, digits, '-' and '.'")]
    [InlineData("Timezone", "../etc/passwd", "'../etc/passwd' is no time zone, as in Europe/Berlin")]
    [InlineData("RootShell", "/bin/sh:x", "'/bin/sh:x' is no absolute path of a shell")]
    [InlineData("Locale", "de\nX=1", "takes one line")]
    [InlineData("ImageVersion", "1/2", "'1/2' must be a file name, without directory or blanks")]
    [InlineData("RemoveFiles", "/usr/../../x", "'/usr/../../x' must not have '..' in it")]
    [InlineData("Environment", "1A=x", "'1A' is no name of a variable")]
    [InlineData("ManifestFormat", "json,changelog", "'changelog' is not supported yet (possible now: json)")]
    public void WrongValuesAreErrors(string setting, string value, string message)
    {
        using var directory = ConfigDirectory.Arch();
        Assert.Equal($"{SettingTable.Get(setting).LongOption}: {message}", directory.Error((setting, value)));
    }

    [Fact]
    public void AnyTextGivesAConfigurationOrErrors()
    {
        using var directory = new ConfigDirectory().Write("some/tree/file", "A=1");
        var line = Gen.OneOf(
            OneOf([.. SettingTable.Sections, "Match", "Host"]).Select(static section => $"[{section}]"),
            Gen.Select(
                OneOf([.. SettingTable.All.Select(static row => row.Name)]),
                OneOf("", "yes", "no", "auto", "arch", "some/tree", "some/tree/file:/a", "7", "%i", "%", "A='b", "-1", "http://x", "a b", "\n  b"))
                .Select(static (name, value) => $"{name}={value}"),
            Gen.Char["[]=#%'\"\\ ,:/.~$a\t"].Array[0, 12].Select(static c => new string(c)));
        line.Array[0, 12].Sample(
            lines =>
            {
                directory.Write("mkosi.conf", "[Distribution]\nDistribution=arch\n" + string.Join('\n', lines));
                try
                {
                    Assert.NotEmpty(Summary.Text(directory.Load()));
                }
                catch (ConfigException error)
                {
                    Assert.All(error.Diagnostics, static diagnostic => Assert.StartsWith("mkosi.conf:", diagnostic.ToString(), StringComparison.Ordinal));
                }
            },
            iter: 500,
            threads: 1);
    }

    private static Gen<string> OneOf(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    [Theory]
    [InlineData("arch", "linux")]
    [InlineData("debian", "linux-image-amd64")]
    public void TheExamplesLoad(string name, string kernel)
    {
        var config = ConfigLoader.Load(new ConfigSource { Directory = Repository.File("examples", name), HostArchitecture = "x86-64" });
        Assert.Empty(config.Warnings);
        Assert.Contains(kernel, config.Packages);
        Assert.NotEmpty(config.RepartDirectories);
        Assert.NotEmpty(config.ExtraTrees);
    }
}
