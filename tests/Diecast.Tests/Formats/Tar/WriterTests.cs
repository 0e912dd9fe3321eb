using CsCheck;
using Diecast.Formats.Tar;
using Diecast.Images;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Tar;

public sealed class WriterTests
{
    [Fact]
    public void WhatIsWrittenIsReadBack()
    {
        var tree = SampleTrees.Everything();
        Assert.Equal(TreeText.Lines(tree), TreeText.Lines(TarTree.Read(TarWriter.Write(tree))));
    }

    [Fact]
    public void RandomTreesAreReadBack() => SampleTrees.Random.Sample(tree =>
        TreeText.Format(tree) == TreeText.Format(TarTree.Read(TarWriter.Write(tree))));

    [Fact]
    public void TheBytesArePinned()
    {
        var archive = TarWriter.Write(SampleTrees.Everything());
        Assert.Equal("6a1f77d6fde4e4929c692639b0b762a4e241d326a36b4dc36a", Convert.ToHexStringLower(ImageFile.Hash(archive))[..50]);
        Assert.Equal(0, archive.Length % 10240);
    }

    [Theory]
    [InlineData(Compression.Zstd)]
    [InlineData(Compression.Gzip)]
    public void CompressedArchivesAreReadToo(Compression compression)
    {
        var tree = SampleTrees.Everything();
        var packed = Compressor.Compress(TarWriter.Write(tree), compression, 3);
        Assert.Equal(TreeText.Lines(tree), TreeText.Lines(TarTree.Read(packed)));
    }

    /// <summary>As root the foreign archiver restores everything; otherwise owners and devices are left out.</summary>
    [Theory]
    [InlineData("tar", "--xattrs", "--xattrs-include=*", "--acls")]
    [InlineData("bsdtar", "--xattrs", "--acls", "-p")]
    public void ForeignArchiversExtractTheTree(string program, params string[] options)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Tool.Missing("extracting owners and devices needs root");
        }
        using var directory = new TempDirectory();
        var tree = SampleTrees.Everything();
        ImageFile.Write(TarWriter.Write(tree), directory["a.tar"]);
        Directory.CreateDirectory(directory["out"]);
        Tool.RunOk(program, ["-xpf", directory["a.tar"], "-C", directory["out"], .. options]);
        var extracted = HostTree.Read(Posix.Bytes(directory["out"]));
        // bsdtar does not set the time of the directory that it extracts into, nor does it know GNU tar's way to write "=".
        bool bsd = program == "bsdtar";
        Assert.Equal(
            TreeText.Lines(tree).Skip(bsd ? 1 : 0).Select(line => bsd ? line.Replace("a=b%c", "a%3Db%25c", StringComparison.Ordinal) : line),
            TreeText.Lines(extracted).Skip(bsd ? 1 : 0));
    }

    [Fact]
    public void ForeignArchiversNoticeAFlippedByte()
    {
        using var directory = new TempDirectory();
        var archive = TarWriter.Write(SampleTrees.Everything());
        byte[] bytes = archive.ReadBytes(0, (int)archive.Length);
        bytes[110] ^= 1;
        File.WriteAllBytes(directory["a.tar"], bytes);
        Assert.NotEqual(0, Tool.Run("tar", "-tf", directory["a.tar"]).ExitCode);
        Assert.NotEqual(0, Tool.Run("bsdtar", "-tf", directory["a.tar"]).ExitCode);
    }

    [Fact]
    public void AccessControlListsAreText()
    {
        var builder = new TreeBuilder(new Metadata(0x1ED, 0, 0, default));
        byte[] acl = PosixAcl.Parse("user::rw-,user:1000:rw-,group::r--,mask::rw-,other::---"u8);
        builder.AddFile("f", new Metadata(0x1B0, 0, 0, default) { Xattrs = [Xattr.Create(PosixAcl.AccessXattr, acl)] }, "x"u8.ToArray());
        var tree = builder.Build();
        var archive = TarWriter.Write(tree);
        Assert.True(archive.ReadBytes(0, (int)archive.Length).AsSpan().IndexOf("SCHILY.acl.access=user::rw-,user:1000:rw-"u8) > 0);
        Assert.Equal(TreeText.Lines(tree), TreeText.Lines(TarTree.Read(archive)));
    }

    [Fact]
    public void ASocketIsNamed()
    {
        var builder = new TreeBuilder(new Metadata(0x1ED, 0, 0, default));
        builder.Add("run/s"u8, new SpecialNode(new Metadata(0x1ED, 0, 0, default), FileType.Socket));
        Assert.Equal(["/run/s: a tar archive cannot hold a socket"], TarWriter.Check(builder.Build()));
    }

    [Fact]
    public void LargeFilesAreReferenced()
    {
        var builder = new TreeBuilder(new Metadata(0x1ED, 0, 0, default));
        builder.AddFile("big", new Metadata(0x1A4, 0, 0, default), new ComputedBlob(10L << 30, static (_, _) => { }));
        builder.AddFile("next", new Metadata(0x1A4, 0, 0, default), "n"u8.ToArray());
        var archive = TarWriter.Write(builder.Build());
        var tree = TarTree.Read(archive);
        Assert.Equal(10L << 30, ((FileNode)tree.Find("big")!).Content.Length);
        Assert.Equal("n"u8.ToArray(), ((FileNode)tree.Find("next")!).Content.ReadBytes(0, 1));
    }
}
