using System.Text;
using CsCheck;
using Diecast.Formats.Cpio;
using Diecast.Images;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Cpio;

public sealed class CpioTests
{
    /// <summary>What is left of a tree in this format.</summary>
    private static FileTree Expected(FileTree tree) => SampleTrees.Map(tree, static metadata =>
        new Metadata(metadata.Mode, metadata.Uid, metadata.Gid, new Timestamp(Math.Clamp(metadata.Mtime.Seconds, 0, uint.MaxValue))));

    private static byte[] Bytes(FileTree tree)
    {
        var archive = CpioWriter.Write(tree);
        return archive.ReadBytes(0, (int)archive.Length);
    }

    [Fact]
    public void WhatIsWrittenIsReadBack()
    {
        var tree = SampleTrees.Everything();
        Assert.Equal(TreeText.Lines(Expected(tree)), TreeText.Lines(CpioReader.Read(CpioWriter.Write(tree))));
    }

    // A hard link that is a symbolic link or a device comes back as two: the kernel knows no others than files.
    [Fact]
    public void RandomTreesAreReadBack() => SampleTrees.Random.Sample(tree =>
        Unlinked(Expected(tree)) == Unlinked(CpioReader.Read(CpioWriter.Write(tree))));

    private static string Unlinked(FileTree tree)
    {
        var seen = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        var text = new StringBuilder();
        foreach (var entry in tree.Walk())
        {
            bool again = entry.Node is FileNode && !seen.Add(entry.Node);
            text.Append(entry).Append(' ').Append(entry.Node.Type).Append(again).Append(entry.Node.Metadata with { Xattrs = [] });
            if (entry.Node is FileNode file)
            {
                text.Append(Convert.ToHexString(ImageFile.Hash(file.Content)));
            }
        }
        return text.ToString();
    }

    /// <summary>Of a frame's start alone no length can be told: that must not be taken for progress.</summary>
    [Theory]
    [InlineData(4)]
    [InlineData(7)]
    [InlineData(8)]
    public void AZstdFrameThatIsCutOffIsNoArchive(int length)
    {
        var packed = Compressor.Compress(CpioWriter.Write(SampleTrees.Everything()), Compression.Zstd, 3);
        Assert.Throws<InvalidDataException>(() => CpioReader.Read(packed.Slice(0, length)));
    }

    [Fact]
    public void TheBytesArePinned()
    {
        var archive = CpioWriter.Write(SampleTrees.Everything());
        Assert.Equal("3bfc659675ab3fb23bce0814a776324c", Convert.ToHexStringLower(ImageFile.Hash(archive))[..32]);
        Assert.Equal(0, archive.Length % 512);
    }

    [Theory]
    [InlineData("cpio", "-idm", "--quiet", "--no-absolute-filenames")]
    [InlineData("bsdtar", "-xpf", "-")]
    public void ForeignArchiversExtractTheTree(string program, params string[] options)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Tool.Missing("extracting owners and devices needs root");
        }
        using var directory = new TempDirectory();
        // Times after 2038 are negative to bsdtar.
        var tree = SampleTrees.Map(Expected(SampleTrees.Everything()), static metadata =>
            metadata with { Mtime = metadata.Mtime.ClampTo(new Timestamp(2_000_000_000)) });
        ImageFile.Write(CpioWriter.Write(tree), directory["a.cpio"]);
        Directory.CreateDirectory(directory["out"]);
        Tool.RunOk("sh", ["-c", "cd \"$0\" && exec \"$@\" <../a.cpio", directory["out"], Tool.Require(program), .. options]);
        var extracted = HostTree.Read(Posix.Bytes(directory["out"]));
        // Neither restores all times of directories and links (the listing below knows them), and cpio nothing of ".".
        int skipped = program == "cpio" ? 1 : 0;
        Assert.Equal(WithoutTimes(tree).Skip(skipped), WithoutTimes(extracted).Skip(skipped));
    }

    private static IEnumerable<string> WithoutTimes(FileTree tree) => TreeText.Lines(SampleTrees.Map(tree, static metadata => metadata with { Mtime = default }));

    [Fact]
    public void ForeignArchivesAreReadAlsoSeveralAndCompressed()
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory["d/sub"]);
        File.WriteAllText(directory["d/a"], "linked");
        Posix.LinkAt(Posix.AT_FDCWD, Posix.Bytes(directory["d/a"]), Posix.AT_FDCWD, Posix.Bytes(directory["d/sub/b"]));
        Posix.SymlinkAt("a"u8, Posix.AT_FDCWD, Posix.Bytes(directory["d/l"]));
        Tool.RunOk("sh", "-c", $"cd '{directory["d"]}' && find . | cpio -o -H newc --quiet >'{directory["a.cpio"]}'");
        byte[] archive = File.ReadAllBytes(directory["a.cpio"]);
        var host = Expected(HostTree.Read(Posix.Bytes(directory["d"])));
        Assert.Equal(TreeText.Lines(host), TreeText.Lines(CpioReader.Read(new MemoryBlob(archive))));

        byte[] early = Bytes(Tree(("kernel/x86/microcode/x.bin", "microcode"), ("a", "replaced")));
        var packed = Compressor.Compress(new MemoryBlob(archive), Compression.Zstd, 3);
        byte[] late = Bytes(Tree(("late", "later")));
        byte[] several = [.. early, .. new byte[1024], .. packed.ReadBytes(0, (int)packed.Length), .. new byte[3], .. late];
        var tree = CpioReader.Read(new MemoryBlob(several));
        Assert.Equal("microcode", Content(tree, "kernel/x86/microcode/x.bin"));
        Assert.Equal("linked", Content(tree, "sub/b"));
        Assert.Equal("later", Content(tree, "late"));
        Assert.Same(tree.Find("a"), tree.Find("sub/b"));
        Assert.Throws<InvalidDataException>(() => CpioReader.Read(new MemoryBlob(several), limit: 1000));
    }

    [Fact]
    public void TheForeignListingIsTheTree()
    {
        using var directory = new TempDirectory();
        File.WriteAllBytes(directory["a.cpio"], Bytes(Tree(("usr/bin/x", "xx"), ("etc/y", "y"))));
        string listing = Tool.RunOk("sh", "-c", $"cpio -tv --numeric-uid-gid --quiet <'{directory["a.cpio"]}'");
        Assert.Equal(
            ["drwxr-xr-x 4 0 0 0 Sep 13 2020 .", "drwxr-xr-x 2 0 0 0 Sep 13 2020 etc", "-rw-r--r-- 1 5 6 1 Sep 13 2020 etc/y",
                "drwxr-xr-x 3 0 0 0 Sep 13 2020 usr", "drwxr-xr-x 2 0 0 0 Sep 13 2020 usr/bin", "-rw-r--r-- 1 5 6 2 Sep 13 2020 usr/bin/x"],
            listing.Trim().Split('\n').Select(static line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))));
    }

    [Fact]
    public void TheForeignArchiverNoticesAFlippedByte()
    {
        using var directory = new TempDirectory();
        byte[] archive = Bytes(Tree(("x", "xx")));
        archive[CpioHeader.Size + 3] ^= 0x40;
        File.WriteAllBytes(directory["a.cpio"], archive);
        Assert.Contains("junk", Tool.Run("sh", "-c", $"cpio -t <'{directory["a.cpio"]}'").All, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../evil")]
    [InlineData("link/evil")]
    public void NothingLeavesTheTree(string path)
    {
        var builder = new TreeBuilder(s_root);
        builder.AddSymlink("link", s_root, "/etc");
        byte[] attack = [.. Bytes(builder.Build()), .. Rename(Bytes(Tree(("k", "evil"))), path)];
        Assert.Throws<InvalidDataException>(() => CpioReader.Read(new MemoryBlob(attack)));
    }

    // The one file's member, under another name, and the trailer.
    private static byte[] Rename(byte[] archive, string path)
    {
        byte[] name = Encoding.ASCII.GetBytes(path);
        int member = 112;
        var header = CpioHeader.Parse(archive.AsSpan(member, CpioHeader.Size), member);
        byte[] renamed = [.. (header with { NameSize = (uint)name.Length + 1 }).ToBytes(), .. name, 0];
        return [.. renamed, .. new byte[-renamed.Length & 3], .. archive.AsSpan(member + 112)];
    }

    [Fact]
    public void MutatedArchivesAreUnderstoodOrRefused()
    {
        byte[] archive = [.. Bytes(SampleTrees.Everything()), .. Bytes(Tree(("x", "y")))];
        Gen.Select(Gen.Int[0, archive.Length - 1], Gen.Int[0, 20].Select(static i => "0123456789abcdefF\0/.x"u8[i])).Array[1, 8].Sample(changes =>
        {
            byte[] mutated = [.. archive];
            foreach (var (place, value) in changes)
            {
                mutated[place] = value;
            }
            try
            {
                TreeText.Format(CpioReader.Read(new MemoryBlob(mutated)));
            }
            catch (InvalidDataException)
            {
            }
        }, iter: 2000);
    }

    [Fact]
    public void EveryCutIsNoticed()
    {
        byte[] archive = Bytes(Tree(("x", "yyyyy")));
        int end = archive.AsSpan().IndexOf(CpioHeader.Trailer) + CpioHeader.Trailer.Length + 1;
        for (int length = 1; length < end; length++)
        {
            Assert.Throws<InvalidDataException>(() => CpioReader.Read(new MemoryBlob(archive.AsMemory(0, length))));
        }
    }

    private static readonly Metadata s_root = new(0x1ED, 0, 0, new Timestamp(1_600_000_000));

    private static FileTree Tree(params (string Path, string Content)[] files)
    {
        var builder = new TreeBuilder(s_root);
        foreach (var (path, content) in files)
        {
            builder.AddFile(path, new Metadata(0x1A4, 5, 6, new Timestamp(1_600_000_000)), Encoding.ASCII.GetBytes(content));
        }
        return builder.Build();
    }

    private static string Content(FileTree tree, string path)
    {
        var content = ((FileNode)tree.Find(path)!).Content;
        return Encoding.ASCII.GetString(content.ReadBytes(0, (int)content.Length));
    }
}
