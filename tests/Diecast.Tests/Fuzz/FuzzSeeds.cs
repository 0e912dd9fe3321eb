using System.Collections.Concurrent;
using Diecast.Formats;
using Diecast.Formats.Btrfs;
using Diecast.Formats.Cpio;
using Diecast.Formats.Ext4;
using Diecast.Formats.Fat;
using Diecast.Formats.Tar;
using Diecast.Images;
using Diecast.Inspect;
using Diecast.Tests.Formats.Btrfs;
using Diecast.Tests.Formats.Ext4;
using Diecast.Tests.Formats.Fat;
using Diecast.Tests.Inspect;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Fuzz;

/// <summary>A sound image that is to be damaged.</summary>
/// <param name="Image">Its bytes.</param>
/// <param name="Hot">Where its structures are.</param>
/// <param name="Repair">Makes checksums right again, so that more than they is tried.</param>
/// <param name="Path">That the file has in its tree, for the kinds that are known by it.</param>
internal sealed record FuzzSeed(
    SparseImage Image, IReadOnlyList<(long Offset, long Length)> Hot, Action<SparseImage> Repair, string Path);

/// <summary>Small images of every kind, made by the real tools and by our writers when a test asks for them.</summary>
internal static class FuzzSeeds
{
    private const string Populate = """
        set -e; mkdir -p "$1"; cd "$1"; mkdir -p a/b/c many; echo hello > a/hello; ln a/hello a/b/hard; ln -s ../hello a/b/link
        ln -s $(printf 'long/%.0s' $(seq 40)) a/long; seq 1 20000 > a/text; head -c 70000 /dev/urandom > a/random; : > empty
        truncate -s 300000 sparse; printf x | dd of=sparse bs=1 seek=200000 conv=notrunc status=none; mkfifo fifo
        for i in $(seq 90); do echo $i > many/file-number-$i; done; setfattr -n user.name -v value a/hello
        setfattr -n user.large -v $(head -c 700 /dev/zero | tr '\0' x) a/hello; chmod 4755 a/text; touch -d '1970-01-02' a/b/c
        """;

    private static readonly Dictionary<string, Func<TempDirectory, FuzzSeed>> s_makers = new(StringComparer.Ordinal)
    {
        ["gpt"] = _ => WithoutLayout(ImageSamples.Disk(), FuzzRepair.Gpt, (0, 17408), ((16 << 20) - 16896, 16896)),
        ["fat12"] = directory => Fat(directory, 12, 1 << 20),
        ["fat16"] = directory => Fat(directory, 16, 8 << 20),
        ["fat32"] = directory => Fat(directory, 32, 36 << 20),
        ["fat-own"] = _ => FromLayout(new FatFormat().Write(FatSamples.Esp(), FatSamples.Options)),
        ["ext2"] = directory => Ext(directory, "-t", "ext2", "-b", "1024"),
        ["ext2-revision-0"] = directory => Ext(directory, "-t", "ext2", "-r", "0", "-b", "1024"),
        ["ext3"] = directory => Ext(directory, "-t", "ext3", "-b", "4096"),
        ["ext4"] = directory => Ext(directory, "-t", "ext4"),
        ["ext4-no-checksums"] = directory => Ext(directory, "-t", "ext4", "-O", "^metadata_csum,^uninit_bg"),
        ["ext4-inline-data"] = directory => Ext(directory, "-t", "ext4", "-I", "512", "-O", "inline_data,^metadata_csum"),
        ["ext4-meta-bg"] = directory => Ext(directory, "-t", "ext4", "-b", "1024", "-O", "meta_bg,^resize_inode,^metadata_csum,^64bit"),
        ["ext4-ea-inode"] = directory => Ext(directory, "-t", "ext4", "-O", "ea_inode,quota,project,^metadata_csum"),
        ["ext4-sparse-super2"] = directory => Ext(directory, "-t", "ext4", "-O", "sparse_super2,^resize_inode,^has_journal,^metadata_csum,casefold"),
        ["ext4-own"] = _ => FromLayout(new Ext4Format().Write(Ext4Samples.Everything(100), Ext4Samples.Options)),
        ["ext4-used"] = Ext4Used,
        ["btrfs"] = directory => Btrfs(BtrfsSamples.Make(directory, "image", Source(directory), 128 << 20, "-m", "single")),
        ["btrfs-mixed"] = directory => Btrfs(BtrfsSamples.Make(directory, "image", Source(directory), 32 << 20, "--mixed", "-n", "4096", "-d", "single", "-m", "single")),
        ["btrfs-used"] = BtrfsUsed,
        ["btrfs-own"] = _ => BtrfsOwn(BtrfsTrees.Everything(100), BtrfsTrees.Options with
        {
            Compression = FileCompression.Zstd, Subvolumes = [new Subvolume("/collisions", IsReadOnly: true)], DefaultSubvolume = "/collisions",
        }),
        ["btrfs-own-zlib"] = _ => BtrfsOwn(BtrfsTrees.ManyLinks(), BtrfsTrees.Options with
        {
            Compression = FileCompression.Zlib, Checksum = FileSystemChecksum.XxHash64,
        }),
        ["cpio"] = _ => WithoutLayout(CpioWriter.Write(Ext4Samples.Everything(40))),
        ["cpio-gnu"] = directory => FromTool(directory, "find . | cpio -o -H newc --quiet"),
        ["cpio-zstd"] = _ => WithoutLayout(Compressor.Compress(ImageSamples.Cpio(("a/b", "content"), ("c", "more")), Compression.Zstd, 3)),
        ["cpio-concatenated"] = _ => WithoutLayout(ImageSamples.Initrd()),
        ["tar-own"] = _ => WithoutLayout(TarWriter.Write(SampleTrees.Everything()), FuzzRepair.Tar),
        ["tar-gnu"] = directory => FromTool(directory, "tar --format=gnu --sparse -cf - .", FuzzRepair.Tar),
        ["tar-pax"] = directory => FromTool(directory, "tar --format=pax --sparse --xattrs --sort=name -cf - .", FuzzRepair.Tar),
        ["tar-bsd"] = directory => FromTool(directory, "bsdtar --format=pax -cf - .", FuzzRepair.Tar),
        ["tar-ustar"] = directory => FromTool(directory, "tar --format=ustar -cf - --exclude a/long a many", FuzzRepair.Tar),
        ["pe"] = _ => WithoutLayout(ImageSamples.Kernel(), static _ => { }, (0, 0x600)),
        ["gzip"] = directory => FromTool(directory, "gzip -9 < a/text"),
        ["xz"] = directory => FromTool(directory, "cat a/text a/random | xz"),
        ["xz-x86"] = directory => FromTool(directory, "xz --check=sha256 --x86 --lzma2=preset=0 --block-size=30000 < a/text"),
        ["zstd"] = directory => FromTool(directory, "cat a/text a/random | zstd -q --long=20"),
        ["tar-gzip"] = directory => FromTool(directory, "tar -cf - a many | gzip"),
        ["elf"] = _ => WithoutLayout(BtrfsSamples.Open("/bin/true")),
        ["ld-cache"] = _ => WithoutLayout(BtrfsSamples.Open("/etc/ld.so.cache")) with { Path = "/etc/ld.so.cache" },
        ["ld-aux-cache"] = LdAuxCache,
        ["pyc"] = directory => FromTool(directory, """
            echo 'def f(x): return {x: [1, 2.5, "a"], "b": (None, True)}' > m.py; python3 -m py_compile m.py; cat __pycache__/*.pyc
            """) with { Path = "/usr/lib/python3/__pycache__/m.cpython-311.pyc" },
        ["passwd"] = _ => Text("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:Nobody:/:/usr/bin/nologin\n"),
        ["shadow"] = _ => Text("/etc/shadow", "root:$6$salt$hash:19600:0:99999:7:::\nbin:!*:19237::::::\n"),
    };

    private static readonly ConcurrentDictionary<string, FuzzSeed> s_made = [];

    public static IReadOnlyCollection<string> Names => s_makers.Keys;

    /// <summary>A seed, which is made once.</summary>
    public static FuzzSeed Get(string name) => s_made.GetOrAdd(name, static name =>
    {
        using var directory = new TempDirectory();
        return s_makers[name](directory);
    });

    /// <summary>The structures are what is not called a file and not unused.</summary>
    private static FuzzSeed FromLayout(Blob source, Action<SparseImage>? repair = null)
    {
        var image = SparseImage.Load(source);
        var container = ContainerTable.Open(image) ?? throw new InvalidDataException("no kind");
        var hot = container.Layout!().Leaves()
            .Where(static extent => extent.Label.Kind is not "file" && !extent.Label.Kind.Contains("unused", StringComparison.Ordinal)
                && !extent.Label.Kind.Contains("free space", StringComparison.Ordinal))
            .Select(static extent => (extent.Offset, extent.Length)).ToList();
        return new FuzzSeed(image, hot, repair ?? (static _ => { }), "");
    }

    private static FuzzSeed WithoutLayout(Blob source, Action<SparseImage>? repair = null, params (long, long)[] hot)
    {
        var image = SparseImage.Load(source);
        return new FuzzSeed(image, hot.Length > 0 ? hot : [(0, image.Length)], repair ?? (static _ => { }), "");
    }

    private static FuzzSeed Text(string path, string text) => WithoutLayout(new MemoryBlob(Posix.Bytes(text))) with { Path = path };

    private static string Source(TempDirectory directory)
    {
        Tool.RunOk("bash", "-c", Populate, "-", directory["source"]);
        return directory["source"];
    }

    /// <summary>What a command prints, run in a directory with files.</summary>
    private static FuzzSeed FromTool(TempDirectory directory, string command, Action<SparseImage>? repair = null)
    {
        Tool.RunOk("bash", "-ec", $"cd \"$1\"; set -o pipefail; ( {command}\n) > \"$2\"", "-", Source(directory), directory["output"]);
        return WithoutLayout(BtrfsSamples.Open(directory["output"]), repair);
    }

    private static FuzzSeed Ext(TempDirectory directory, params string[] options)
    {
        Tool.RunOk("mke2fs", ["-q", "-F", "-d", Source(directory), "-E", "hash_seed=6de632fe-7638-44c4-917c-ecf4170af3b4", .. options, directory["image"], "16M"]);
        return FromLayout(BtrfsSamples.Open(directory["image"]));
    }

    private static FuzzSeed Ext4Used(TempDirectory directory)
    {
        Tool.RunOk("mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-O", "^metadata_csum", directory["image"], "16M");
        using (var mount = new LoopMount(directory, "image", "rw"))
        {
            Tool.RunOk("bash", "-ec", "cp -a \"$1/.\" \"$2\"; cd \"$2\"; for i in $(seq 400); do : > many/another-$i; done; rm many/file*; fallocate -l 100000 prealloc",
                "-", Source(directory), mount.Path);
        }
        return FromLayout(BtrfsSamples.Open(directory["image"]));
    }

    private static FuzzSeed Fat(TempDirectory directory, int bits, int size)
    {
        Tool.RunOk("mkfs.fat", "-F", $"{bits}", "-s", "1", "-C", directory["image"], $"{size / 1024}");
        Tool.RunOk("bash", "-ec", "cd \"$1\"; rm -f fifo a/b/link a/long; mcopy -s -Q -i \"$2\" a many empty ::", "-", Source(directory), directory["image"]);
        return FromLayout(BtrfsSamples.Open(directory["image"]));
    }

    private static FuzzSeed Btrfs(string path)
    {
        var blob = BtrfsSamples.Open(path);
        return FromLayout(blob, FuzzRepair.Btrfs(blob));
    }

    private static FuzzSeed BtrfsOwn(FileTree tree, FileSystemOptions options)
    {
        var image = new BtrfsFormat().Write(tree, options);
        return FromLayout(image, FuzzRepair.Btrfs(image));
    }

    private static FuzzSeed BtrfsUsed(TempDirectory directory)
    {
        string source = Source(directory);
        string image = BtrfsSamples.Make(directory, "image", null, 128 << 20, "-n", "4096", "-m", "single");
        using (var mount = new BtrfsMount(directory, image, "rw,compress-force=zstd"))
        {
            mount.Run($"""
                btrfs subvolume create sub; cp -a {source}/. sub; mount -o remount,compress-force=lzo .; cp sub/a/text lzo
                mount -o remount,compress-force=zlib .; cp sub/a/text zlib; sync; btrfs subvolume snapshot sub snap; rm sub/many/*7
                fallocate -l 1M prealloc; for i in $(seq 100); do ln lzo link-with-a-rather-long-name-$i; done
                """);
        }
        return Btrfs(image);
    }

    private static FuzzSeed LdAuxCache(TempDirectory directory)
    {
        Tool.RunOk("bash", "-ec", "mkdir -p \"$1/etc\" \"$1/lib\" \"$1/var/cache/ldconfig\"; cp /lib/x86_64-linux-gnu/libc.so.6 \"$1/lib\"; echo /lib > \"$1/etc/ld.so.conf\"; ldconfig -r \"$1\"",
            "-", directory["root"]);
        return WithoutLayout(BtrfsSamples.Open(directory["root/var/cache/ldconfig/aux-cache"])) with { Path = "/var/cache/ldconfig/aux-cache" };
    }
}
