using System.Text;
using Diecast.Formats.Tar;
using Diecast.Images;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Tar;

/// <summary>Archives of GNU tar and bsdtar, read back and compared with the directory that they were made of.</summary>
public sealed class ReaderTests
{
    /// <summary>A directory with all that an unprivileged user can make and an archive can hold.</summary>
    internal static void Fill(TempDirectory directory)
    {
        string longName = new('n', 200);
        Directory.CreateDirectory(directory["d/" + new string('p', 120) + "/" + longName]);
        File.WriteAllText(directory["d/file"], "content");
        File.WriteAllText(directory["d/empty"], "");
        File.WriteAllBytes(directory["d/block"], new byte[512]);
        File.WriteAllText(directory["d/" + new string('p', 120) + "/" + longName + "/deep"], "deep");
        int here = Posix.AT_FDCWD;
        Posix.LinkAt(here, Posix.Bytes(directory["d/file"]), here, Posix.Bytes(directory["d/z-link"]));
        Posix.SymlinkAt("file"u8, here, Posix.Bytes(directory["d/short"]));
        Posix.SymlinkAt(Posix.Bytes("../" + longName), here, Posix.Bytes(directory["d/long"]));
        Posix.MknodAt(here, Posix.Bytes(directory["d/fifo"]), Posix.S_IFIFO | 0x180, 0, 0);
        Posix.MkdirAt(here, [.. Posix.Bytes(directory["d/"]), 0xff, 0xfe, (byte)' ', 0xe4], 0x1C0);
        byte[] latin = [.. Posix.Bytes(directory["d/"]), 0xff, .. Enumerable.Repeat((byte)0xe4, 150)];
        Posix.SymlinkAt([0xfc], here, latin);
        Posix.ChmodAt(here, Posix.Bytes(directory["d/empty"]), 0x9C0);
        Posix.SetTimes(here, Posix.Bytes(directory["d/file"]), new Timestamp(1_600_000_000, 123_456_789));
        Posix.SetTimes(here, Posix.Bytes(directory["d/empty"]), new Timestamp(-2)); // bsdtar writes the fraction of an earlier time as if it went up
        Posix.SetTimes(here, Posix.Bytes(directory["d/block"]), new Timestamp(5_000_000_000));
        Posix.SetTimes(here, Posix.Bytes(directory["d/short"]), new Timestamp(7, 8));
    }

    [Theory]
    [InlineData("tar", "--format=pax", "--pax-option=delete=atime,delete=ctime")]
    [InlineData("tar", "--format=gnu", "")]
    [InlineData("bsdtar", "--format=pax", "")]
    public void ForeignArchivesGiveTheDirectory(string program, string format, string option)
    {
        using var directory = new TempDirectory();
        Fill(directory);
        string archive = directory["out.tar"];
        string[] options = [.. new[] { format, option }.Where(static text => text.Length > 0)];
        Tool.RunOk(program, ["-cf", archive, .. options, "-C", directory["d"], "."]);
        bool seconds = format == "--format=gnu";
        var expected = HostTree.Read(Posix.Bytes(directory["d"]), new HostTree.Options
        {
            Metadata = (_, status, xattrs) => new Metadata(status.Permissions, status.Uid, status.Gid,
                seconds ? new Timestamp(status.Mtime.Seconds) : status.Mtime) { Xattrs = [.. xattrs()] },
        });
        var actual = TarTree.Read(new MemoryBlob(File.ReadAllBytes(archive)));
        Assert.Equal(TreeText.Lines(expected), TreeText.Lines(actual));
    }

    [Theory]
    [InlineData("--format=gnu", "")]
    [InlineData("--format=pax", "--sparse-version=0.0")]
    [InlineData("--format=pax", "--sparse-version=0.1")]
    [InlineData("--format=pax", "--sparse-version=1.0")]
    public void SparseFilesAreExpanded(string format, string version)
    {
        using var directory = new TempDirectory();
        using (var file = File.OpenHandle(directory["sparse"], FileMode.CreateNew, FileAccess.Write))
        {
            RandomAccess.SetLength(file, 40_000_000);
            for (int i = 0; i < 60; i++)
            {
                RandomAccess.Write(file, Encoding.ASCII.GetBytes($"segment {i}"), i * 600_011);
            }
        }
        File.WriteAllText(directory["z"], "after");
        string[] options = [.. new[] { format, version }.Where(static text => text.Length > 0)];
        Tool.RunOk("tar", ["-cSf", directory["out.tar"], .. options, "-C", directory.Path, "sparse", "z"]);
        byte[] archive = File.ReadAllBytes(directory["out.tar"]);
        Assert.InRange(archive.Length, 1, 2_000_000);
        byte[] expected = File.ReadAllBytes(directory["sparse"]);

        var tree = TarTree.Read(new MemoryBlob(archive));
        var content = ((FileNode)tree.Find("sparse")!).Content;
        Assert.Equal(ImageFile.Hash(new MemoryBlob(expected)), ImageFile.Hash(content));
        Assert.Equal("after"u8.ToArray(), ((FileNode)tree.Find("z")!).Content.ReadBytes(0, 5));

        var reader = new TarReader(new MemoryStream(archive));
        var entry = reader.Next()!;
        var streamed = new MemoryStream();
        entry.Content.CopyTo(streamed, 12_345);
        Assert.True(streamed.ToArray().AsSpan().SequenceEqual(expected));
        Assert.Equal("z"u8.ToArray(), reader.Next()!.Path.ToArray());
        Assert.Null(reader.Next());
    }

    [Theory]
    [InlineData("tar", "--format=pax", "--xattrs", "--xattrs-include=*", "--acls")]
    [InlineData("bsdtar", "--format=pax", "--xattrs", "--acls")]
    public void AttributesOfForeignArchiversAreRead(string program, params string[] options)
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory["d"]);
        byte[] path = Posix.Bytes(directory["d/f"]);
        File.WriteAllText(directory["d/f"], "x");
        try
        {
            Posix.SetXattr(path, "user.binary"u8, [0, 1, 0xff, (byte)'\n', (byte)'=']);
            Posix.SetXattr(path, "user.empty"u8, []);
            Posix.SetXattr(path, PosixAcl.AccessXattr, PosixAcl.Parse("user::rw-,user:4242:r--,group::r--,mask::r--,other::---"u8));
            if (Environment.IsPrivilegedProcess)
            {
                Posix.SetXattr(path, "security.capability"u8, [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            }
        }
        catch (PosixException exception)
        {
            Tool.Missing($"the directory for temporary files takes no attributes: {exception.Message}");
        }
        Tool.RunOk(program, ["-cf", directory["out.tar"], .. options, "-C", directory["d"], "."]);
        var expected = HostTree.Read(Posix.Bytes(directory["d"]));
        Assert.True(expected.Find("f")!.Metadata.Xattrs.Length >= 3);
        Assert.Equal(TreeText.Lines(expected), TreeText.Lines(TarTree.Read(new MemoryBlob(File.ReadAllBytes(directory["out.tar"])))));
    }

    [Fact]
    public void FractionsBefore1970AreThoseOfGnuTar()
    {
        using var directory = new TempDirectory();
        File.WriteAllText(directory["f"], "");
        Posix.SetTimes(Posix.AT_FDCWD, Posix.Bytes(directory["f"]), new Timestamp(-2, 250_000_000));
        Tool.RunOk("tar", "-cf", directory["out.tar"], "--format=pax", "-C", directory.Path, "f");
        var tree = TarTree.Read(new MemoryBlob(File.ReadAllBytes(directory["out.tar"])));
        Assert.Equal(new Timestamp(-2, 250_000_000), tree.Find("f")!.Metadata.Mtime);
    }

    [Fact]
    public void UnreadContentIsSkippedAndAnOldStreamIsRefused()
    {
        var archive = new ArchiveWriter().Add("a", '0', "first"u8).Add("b", '0', "second"u8).ToArray();
        var reader = new TarReader(new MemoryStream(archive));
        var a = reader.Next()!;
        Assert.Equal('f', a.Content.ReadByte());
        var b = reader.Next()!;
        Assert.Throws<InvalidOperationException>(() => a.Content.ReadByte());
        Assert.Equal("second", new StreamReader(b.Content).ReadToEnd());
        Assert.Null(reader.Next());
        Assert.Null(reader.Next());
    }
}
