using Diecast.Build.Partitioning;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Tests.Build.Partitioning;

public sealed class PartitionContentsTests
{
    private static readonly Timestamp s_epoch = new(1_662_046_009);
    private static readonly RepartSpecifiers s_specifiers = new("x86-64", null);

    private readonly List<string> _notices = [];

    private static Metadata Meta(long time, ushort mode = 0x1A4) => new(mode, 7, 8, new Timestamp(time, 5));

    /// <summary>Each directory and file has a time of its own: its place in the list.</summary>
    private static FileTree Source(params string[] paths)
    {
        var builder = new TreeBuilder(Meta(1, 0x1ED));
        for (int i = 0; i < paths.Length; i++)
        {
            string path = paths[i];
            if (path.EndsWith('/'))
            {
                builder.AddDirectory(path, Meta(100 + i, 0x1ED));
            }
            else if (path.Split(" -> ") is [var link, var target])
            {
                builder.AddSymlink(link, Meta(100 + i, 0x1FF), target);
            }
            else
            {
                builder.AddFile(path, Meta(100 + i), Posix.Bytes(path));
            }
        }
        return builder.Build();
    }

    private FileTree Build(FileTree source, string settings, params string[] others)
    {
        var definitions = others.Prepend(settings).Select(static (text, i) =>
            DefinitionReader.Parse($"[Partition]\n{text}\n", $"{i}.conf", s_specifiers)).ToList();
        var all = PartitionIdentity.Derive(definitions, new RepartIds(Guid.Empty));
        return PartitionContents.Build(all[0], all, source, s_epoch, _notices.Add);
    }

    private static string[] Paths(FileTree tree) => [.. tree.Walk().Skip(1).Select(static entry => entry.ToString())];

    private static string Times(FileTree tree) => string.Join(' ', tree.Walk().Select(static entry =>
        $"{entry}={(entry.Node.Metadata.Mtime == s_epoch ? "epoch" : entry.Node.Metadata.Mtime.Seconds.ToString(System.Globalization.CultureInfo.InvariantCulture))}"));

    [Fact]
    public void TwoCopiesIntoOneFatKeepTheTimesOfTheirDirectories()
    {
        var source = Source("boot/", "boot/EFI/", "boot/EFI/Linux/", "boot/EFI/Linux/a.efi", "efi/", "efi/EFI/", "efi/EFI/BOOT/", "efi/EFI/BOOT/BOOTX64.EFI", "efi/l -> EFI");
        var tree = Build(source, "Type=esp\nFormat=vfat\nCopyFiles=/boot:/\nCopyFiles=/efi:/");
        Assert.Equal("/=100 /EFI=101 /EFI/BOOT=106 /EFI/BOOT/BOOTX64.EFI=107 /EFI/Linux=102 /EFI/Linux/a.efi=103", Times(tree));
        Assert.Equal(["/l: left out, vfat has only files and directories"], _notices);
        Assert.True(tree.Root.Metadata.Xattrs.IsEmpty);
    }

    [Fact]
    public void MountPointsOfOtherPartitionsAndOfTheKernelStayEmpty()
    {
        var source = Source("boot/x", "efi/x", "home/u", "proc/x", "sys/x", "dev/x", "tmp/x", "run/x", "var/tmp/x", "var/lib/x", "usr/x", "srv/x");
        Assert.Equal(["/boot", "/dev", "/efi", "/home", "/proc", "/run", "/srv", "/srv/x", "/sys", "/tmp", "/usr", "/usr/x", "/var", "/var/lib", "/var/lib/x", "/var/tmp"],
            Paths(Build(source, "Type=root\nCopyFiles=/", "Type=esp", "Type=home", "Type=linux-generic", "Type=root")));
        Assert.Contains("/boot/x", Paths(Build(source, "Type=root\nCopyFiles=/", "Type=home")));
        // Only of what lands at the root of a root file system.
        Assert.Contains("/a/home/u", Paths(Build(source, "Type=root\nCopyFiles=/:/a", "Type=home")));
        Assert.Contains("/home/u", Paths(Build(source, "Type=linux-generic\nCopyFiles=/", "Type=home")));
        Assert.DoesNotContain("/a/tmp/x", Paths(Build(source, "Type=root\nCopyFiles=/:/a")));
        Assert.Equal(["/x"], Paths(Build(source, "Type=linux-generic\nCopyFiles=/var/tmp/x:/x"))[..0].Append("/x"));
    }

    [Fact]
    public void NamesInACopiedDirectoryCountAsMountPointsToo()
    {
        var source = Source("abc/proc/x", "abc/home/x", "abc/keep/x");
        Assert.Equal(["/home", "/keep", "/keep/x", "/proc"], Paths(Build(source, "Type=root\nCopyFiles=/abc:/", "Type=home")));
    }

    [Fact]
    public void ExclusionsAreOfTheSourceOrOfTheTarget()
    {
        var source = Source("a/x", "a/b/y", "a/c/z", "l -> a/b");
        Assert.Equal(["/b", "/c", "/c/z", "/x"], Paths(Build(source, "Type=home\nCopyFiles=/a:/\nExcludeFiles=/a/b/")));
        Assert.Equal(["/c", "/c/z", "/x"], Paths(Build(source, "Type=home\nCopyFiles=/a:/\nExcludeFiles=/a/b")));
        Assert.Equal(["/c", "/c/z", "/x"], Paths(Build(source, "Type=home\nCopyFiles=/a:/\nExcludeFiles=/l")));
        Assert.Equal(["/b", "/b/y", "/c", "/c/z"], Paths(Build(source, "Type=home\nCopyFiles=/a:/\nExcludeFiles=/a/x /a/missing")));
        Assert.Equal(["/t", "/t/b", "/t/c", "/t/c/z", "/t/x"], Paths(Build(source, "Type=home\nCopyFiles=/a:/t\nExcludeFilesTarget=/t/b/ /b")));
        Assert.Empty(Paths(Build(source, "Type=home\nCopyFiles=/a/b:/t\nExcludeFiles=/a")));
        Assert.Empty(Paths(Build(source, "Type=home\nCopyFiles=/a/x:/t/x\nExcludeFilesTarget=/t")));
        Assert.Empty(Paths(Build(source, "Type=home\nCopyFiles=/a/b/y:/y\nExcludeFiles=/a/b/y")));
    }

    [Fact]
    public void TheFirstCopyToTheRootGivesItsMetadata()
    {
        var source = Source("f", "a/", "a/x", "b/");
        var root = Build(source, "Type=home\nCopyFiles=/f:/etc/f\nCopyFiles=/a:/\nCopyFiles=/b:/").Root.Metadata;
        Assert.Equal((7u, 8u), (root.Uid, root.Gid));
        // Something was made in it afterwards.
        Assert.Equal(s_epoch, root.Mtime);
        Assert.Equal(101, Build(source, "Type=home\nCopyFiles=/a:/").Root.Metadata.Mtime.Seconds);
        Assert.Equal(new Metadata(0x1ED, 0, 0, s_epoch), Build(source, "Type=home\nMakeDirectories=/x\nAddValidateFS=no").Root.Metadata);
    }

    [Fact]
    public void WhatIsMadeHasTheEpochsTime()
    {
        var source = Source("a/", "a/d/", "a/d/f", "a/l -> d", "x");
        var tree = Build(source, "Type=home\nCopyFiles=/a:/\nCopyFiles=/x:/l/new/x\nMakeDirectories=/d /p/q\nMakeSymlinks=/p/s:q");
        Assert.Equal("/=epoch /d=epoch /d/f=102 /d/new=epoch /d/new/x=104 /l=103 /p=epoch /p/q=epoch /p/s=epoch", Times(tree));
        Assert.Equal((ushort)0x1ED, tree.Find("/p/q")!.Metadata.Mode);
        Assert.Equal(0u, tree.Find("/p")!.Metadata.Uid);
    }

    [Fact]
    public void TimesAreClampedToTheEpoch()
    {
        var builder = new TreeBuilder(Meta(1));
        builder.AddFile("new", Meta(s_epoch.Seconds + 1), "x"u8.ToArray());
        builder.AddFile("old", Meta(s_epoch.Seconds - 1), "x"u8.ToArray());
        Assert.Equal("/=1 /new=epoch /old=1662046008", Times(Build(builder.Build(), "Type=home\nCopyFiles=/")));
    }

    [Fact]
    public void HardLinksStayWithinOneCopy()
    {
        var builder = new TreeBuilder(Meta(1));
        var file = new FileNode(Meta(2), new MemoryBlob("x"u8.ToArray()));
        builder.Add("a/f", file);
        builder.Add("a/g/h", file);
        var tree = Build(builder.Build(), "Type=home\nCopyFiles=/a:/1\nCopyFiles=/a:/2");
        Assert.Same(tree.Find("/1/f"), tree.Find("/1/g/h"));
        Assert.Same(tree.Find("/2/f"), tree.Find("/2/g/h"));
        Assert.NotSame(tree.Find("/1/f"), tree.Find("/2/f"));
    }

    [Fact]
    public void TheFileSystemIsMarkedWithItsPartition()
    {
        var marks = Build(Source("x"), "Type=esp\nFormat=ext4\nLabel=here").Root.Metadata.Xattrs
            .ToDictionary(static xattr => FileName.Display(xattr.Name.AsSpan()), static xattr => FileName.Display(xattr.Value.AsSpan()));
        Assert.Equal(new Dictionary<string, string>
        {
            ["user.validatefs.gpt_label"] = "here\\x00",
            ["user.validatefs.gpt_type_uuid"] = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b\\x00",
            ["user.validatefs.mount_point"] = "/efi\\x00/boot\\x00",
        }, marks);
        Assert.Equal(2, Build(Source("x"), "Type=linux-generic\nFormat=ext4").Root.Metadata.Xattrs.Length);
        Assert.Empty(Build(Source("x"), "Type=esp\nFormat=ext4\nAddValidateFS=no").Root.Metadata.Xattrs);
    }

    [Theory]
    [InlineData("CopyFiles=/missing:/", "0.conf:3: there is no /missing to copy")]
    [InlineData("CopyFiles=/f:/", "0.conf:3: the target is the root directory, and the source is a file")]
    [InlineData("CopyFiles=/f:/x\nCopyFiles=/f:/x", "0.conf:4: /x exists already")]
    [InlineData("CopyFiles=/f:/x\nCopyFiles=/f:/x/y", "0.conf:4: /x is no directory")]
    [InlineData("CopyFiles=/d:/x\nCopyFiles=/d:/x/f", "0.conf:4: /x/f is no directory")]
    [InlineData("CopyFiles=/loop/x:/", "0.conf:3: /loop/x: too many symbolic links")]
    [InlineData("CopyFiles=/d:/\nMakeSymlinks=/f:x", "0.conf:4: /f exists already")]
    [InlineData("MakeSymlinks=/no/f:x", "0.conf:3: there is no directory /no for the link /no/f")]
    [InlineData("Format=vfat\nMakeSymlinks=/f:x", "0.conf:4: vfat has no symbolic links")]
    public void WhatCannotBeDoneIsAnErrorWithItsPlace(string settings, string message)
    {
        var source = Source("f", "d/f", "loop -> loop");
        string found = Assert.ThrowsAny<Exception>(() => Build(source, $"Type=home\n{settings}")).Message;
        Assert.Equal(message, found);
    }

    [Fact]
    public void AMissingSourceIsNoticed()
    {
        Assert.Empty(Paths(Build(Source("f"), "Type=home\nCopyFiles=/missing:/x")));
        Assert.Equal(["0.conf:3: there is no /missing to copy"], _notices);
    }

    [Fact]
    public void LinksInTheTargetNeverLeadOutOfIt()
    {
        var source = Source("a/out -> ../../../etc", "a/abs -> /etc", "x");
        var tree = Build(source, "Type=home\nCopyFiles=/a:/\nCopyFiles=/x:/out/1\nCopyFiles=/x:/abs/2");
        Assert.Equal(["/abs", "/etc", "/etc/1", "/etc/2", "/out"], Paths(tree));
    }
}
