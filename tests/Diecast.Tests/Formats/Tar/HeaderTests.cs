using System.Text;
using CsCheck;
using Diecast.Formats.Tar;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Tar;

/// <summary>Headers, extended headers and hostile ones, written by hand.</summary>
public sealed class HeaderTests
{
    private static TarEntry Single(byte[] archive) => new TarReader(new MemoryStream(archive)).Next()!;

    private static string Text(IEnumerable<byte> bytes) => Encoding.Latin1.GetString([.. bytes]);

    [Theory]
    [InlineData(new byte[] { 0x80, 0, 0, 0, 0, 0, 0, 5 }, 5L)]
    [InlineData(new byte[] { 0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff }, 0xffffffffL)]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe }, -2L)]
    [InlineData(new byte[] { 0x20, 0x20, 0x31, 0x37, 0x20, 0, 0, 0 }, 15L)]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0 }, 0L)]
    [InlineData(new byte[] { 0x37, 0x37, 0x37, 0x37, 0x37, 0x37, 0x37, 0x37 }, 0xffffffL)]
    [InlineData(new byte[] { 0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0 }, null)]
    [InlineData(new byte[] { 0x38, 0, 0, 0, 0, 0, 0, 0 }, null)]
    public void Numbers(byte[] field, long? value) => Assert.Equal(value, TarNumber.Parse(field));

    [Theory]
    [InlineData("1", 1, 0)]
    [InlineData("1.5", 1, 500_000_000)]
    [InlineData("1.0000000019", 1, 1)]
    [InlineData("-1.5", -2, 500_000_000)]
    [InlineData("-0.0000000001", -1, 999_999_999)]
    [InlineData("-3.000", -3, 0)]
    public void Times(string text, long seconds, uint nanoseconds) =>
        Assert.Equal(new Timestamp(seconds, nanoseconds), PaxRecords.ParseTime("mtime", Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void TimesRoundTrip() => Gen.Select(Gen.Long[-1_000_000_000_000, 1_000_000_000_000], Gen.UInt[0, 999_999_999]).Sample((seconds, nanoseconds) =>
    {
        var time = new Timestamp(seconds, nanoseconds);
        return PaxRecords.ParseTime("mtime", Encoding.ASCII.GetBytes(PaxRecords.FormatTime(time))) == time;
    });

    [Fact]
    public void RecordsRoundTrip() => Gen.Select(Gen.Byte.Array[0, 200], Gen.Int[1, 120]).Sample((value, keyLength) =>
    {
        var body = new List<byte>();
        string key = new('k', keyLength);
        PaxRecords.Append(body, Encoding.ASCII.GetBytes(key), value);
        var record = Assert.Single(PaxRecords.Parse(body.ToArray(), 0));
        return record.Key == key && record.Value.AsSpan().SequenceEqual(value);
    });

    [Fact]
    public void ExtendedHeadersWinOverTheHeaderAndGlobalOnes()
    {
        var entry = Single(new ArchiveWriter()
            .AddPax('g', "path=global", "uid=7", "gid=7", "comment=x", "mtime=5")
            .AddPax('x', "path=p\xff/\xe4", "gid=8", "mtime=")
            .Add("name", '0', "abc"u8).ToArray());
        Assert.Equal("p\xff/\xe4", Text(entry.Path));
        Assert.Equal((7u, 8u), (entry.Metadata.Uid, entry.Metadata.Gid));
        Assert.Equal(new Timestamp(1_000_000_000), entry.Metadata.Mtime);
        Assert.Equal(3, entry.Length);
    }

    [Fact]
    public void AnExtendedHeaderHoldsForOneMember()
    {
        var reader = new TarReader(new MemoryStream(new ArchiveWriter()
            .AddPax('x', "path=other", "uid=4294967295").Add("a", '0').Add("b", '5').ToArray()));
        var first = reader.Next()!;
        Assert.Equal(("other", uint.MaxValue), (Text(first.Path), first.Metadata.Uid));
        var second = reader.Next()!;
        Assert.Equal(("b", 1u, TarEntryType.Directory), (Text(second.Path), second.Metadata.Uid, second.Type));
    }

    [Fact]
    public void AttributesKeepTheirBytes()
    {
        var entry = Single(new ArchiveWriter().AddPax('x',
            "SCHILY.xattr.security.capability=\x01\0\0\x02\0\x04\0\0\n=\xff",
            "SCHILY.xattr.user.a%3Db%25c=",
            "LIBARCHIVE.xattr.user.%3D%FF=AP8",
            "SCHILY.acl.access=user::rwx,user:daemon:r-x:1,group::r-x,mask::rwx,other::---").Add("f", '0').ToArray());
        Assert.Equal(
            ["security.capability=\x01\0\0\x02\0\x04\0\0\n=\xff",
                "system.posix_acl_access=\x02\0\0\0\x01\0\x07\0\xff\xff\xff\xff\x02\0\x05\0\x01\0\0\0\x04\0\x05\0\xff\xff\xff\xff"
                    + "\x10\0\x07\0\xff\xff\xff\xff\x20\0\0\0\xff\xff\xff\xff",
                "user.=\xff=\0\xff", "user.a=b%c="],
            entry.Metadata.Xattrs.Select(xattr => $"{Text(xattr.Name)}={Text(xattr.Value)}"));
    }

    [Fact]
    public void AclTextRoundTrips()
    {
        byte[] text = "user::rw-,user:0:r--,user:4000000000:rwx,group::---,group:5:--x,mask::rwx,other::r--"u8.ToArray();
        Assert.Equal(text, PosixAcl.Format(PosixAcl.Parse(text)));
        Assert.Null(PosixAcl.Format("no acl"u8));
    }

    [Fact]
    public void DevicesLinksAndOldForms()
    {
        var reader = new TarReader(new MemoryStream(new ArchiveWriter()
            .Add("dev", '3', change: static header =>
            {
                TarNumber.FormatOctal(header.AsSpan(TarHeader.DeviceMajor), 10);
                TarNumber.FormatOctal(header.AsSpan(TarHeader.DeviceMinor), 229);
            })
            .Add("old/", '\0', change: static header => header.AsSpan(TarHeader.Magic.Start.Value).Clear())
            .Add("v7", '\0', "x"u8)
            .Add("link", '2', link: "target")
            .Add("long", 'L', [.. Enumerable.Repeat((byte)'q', 300), 0])
            .Add("hard", '1', link: "v7", change: static header => TarNumber.FormatOctal(header.AsSpan(TarHeader.Size), 1))
            .Add("tail", '0', change: static header => "prefix"u8.CopyTo(header.AsSpan(TarHeader.Prefix)))
            .ToArray()));
        var device = reader.Next()!;
        Assert.Equal((TarEntryType.CharacterDevice, 10u, 229u), (device.Type, device.Major, device.Minor));
        Assert.Equal(TarEntryType.Directory, reader.Next()!.Type);
        var v7 = reader.Next()!;
        Assert.Equal((TarEntryType.File, 1), (v7.Type, v7.Length));
        Assert.Equal("target", Text(reader.Next()!.LinkTarget));
        var hard = reader.Next()!;
        Assert.Equal((300, TarEntryType.HardLink, 0), (hard.Path.Length, hard.Type, hard.Length));
        Assert.Equal("prefix/tail", Text(reader.Next()!.Path));
        Assert.Null(reader.Next());
    }

    [Theory]
    [InlineData("./usr//bin/./x/", "usr/bin/x")]
    [InlineData("/etc/passwd", "etc/passwd")]
    [InlineData("./", "")]
    [InlineData("a..b/...", "a..b/...")]
    public void PathsAreNormalized(string path, string normal) =>
        Assert.Equal(normal, Text(TarPath.Normalize(Encoding.Latin1.GetBytes(path))));

    [Theory]
    [InlineData("..")]
    [InlineData("a/../../b")]
    [InlineData("/..")]
    [InlineData("a\0b")]
    public void UnsafePathsAreRefused(string path) =>
        Assert.Throws<InvalidDataException>(() => TarPath.Normalize(Encoding.Latin1.GetBytes(path)));

    public static TheoryData<string, byte[]> Bad => new()
    {
        { "ends at 1024 after an extended header", new ArchiveWriter().AddPax('x', "path=a").ToArray() },
        { "says again", new ArchiveWriter().AddPax('x', "path=a").AddPax('x', "path=b").Add("f", '0').ToArray() },
        { "unknown type", new ArchiveWriter().Add("f", 'M').ToArray() },
        { "cut off", new ArchiveWriter().Add("f", '0', "content"u8).ToArray()[..600] },
        { "cut off", new ArchiveWriter().Add("f", '0').ToArray()[..512] },
        { "malformed record", new ArchiveWriter().Add("p", 'x', "99 path=a\n"u8).ToArray() },
        { "malformed record", new ArchiveWriter().Add("p", 'x', "9 path=a "u8).ToArray() },
        { "without a key", new ArchiveWriter().Add("p", 'x', "5 =a\n"u8).ToArray() },
        { "no value of the extended header's size", new ArchiveWriter().AddPax('x', "size=-1").Add("f", '0').ToArray() },
        { "no value of the extended header's mtime", new ArchiveWriter().AddPax('x', "mtime=1e5").Add("f", '0').ToArray() },
        { "past the end of any file", new ArchiveWriter().AddPax('x', "size=9223372036854775807").Add("f", '0').ToArray() },
        { "no uid", new ArchiveWriter().AddPax('x', "uid=4294967296").Add("f", '0').ToArray() },
        { "no ACL entry", new ArchiveWriter().AddPax('x', "SCHILY.acl.access=user:bin:rwx").Add("f", '0').ToArray() },
        { "sparse map", new ArchiveWriter().AddPax('x', "GNU.sparse.size=5", "GNU.sparse.map=4,2").Add("f", '0', "ab"u8).ToArray() },
        { "sparse map", new ArchiveWriter().AddPax('x', "GNU.sparse.size=5", "GNU.sparse.map=0,1").Add("f", '0', "ab"u8).ToArray() },
        { "has no size", new ArchiveWriter().AddPax('x', "GNU.sparse.map=0,2").Add("f", '0', "ab"u8).ToArray() },
        { "leaves the entry", new ArchiveWriter().AddPax('x', "GNU.sparse.major=1", "GNU.sparse.realsize=5").Add("f", '0').ToArray() },
        { "extended header at 0 has", new ArchiveWriter().Add("p", 'L', default, "", static header =>
            TarNumber.FormatOctal(header.AsSpan(TarHeader.Size), 1 << 30)).ToArray() },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void BadArchivesAreNamed(string message, byte[] archive)
    {
        var error = Assert.Throws<InvalidDataException>(() => TarTree.Read(new MemoryBlob(archive)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFlippedBitInAHeaderIsNoticed()
    {
        byte[] archive = new ArchiveWriter().Add("f", '0', "content"u8).ToArray();
        for (int i = 0; i < TarHeader.BlockSize; i++)
        {
            byte[] flipped = [.. archive];
            flipped[i] ^= 1;
            // The end of the checksum's field, after its terminator, says nothing.
            if (i is not (154 or 155))
            {
                Assert.Throws<InvalidDataException>(() => TarTree.Read(new MemoryBlob(flipped)));
            }
        }
    }

    [Theory]
    [InlineData("../evil", "is not safe")]
    [InlineData("link/evil", "leads through a file")]
    public void NothingLeavesTheTree(string path, string message)
    {
        byte[] archive = new ArchiveWriter().Add("link", '2', link: "/etc").Add(path, '0', "x"u8).ToArray();
        var error = Assert.Throws<InvalidDataException>(() => TarTree.Read(new MemoryBlob(archive)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nowhere")]
    [InlineData("../../etc/shadow")]
    [InlineData("d")]
    public void AHardLinkNeedsAnEarlierFile(string target)
    {
        byte[] archive = new ArchiveWriter().Add("d", '5').Add("h", '1', link: target).ToArray();
        Assert.Throws<InvalidDataException>(() => TarTree.Read(new MemoryBlob(archive)));
    }

    [Fact]
    public void MutatedArchivesAreUnderstoodOrRefused()
    {
        byte[] archive = new ArchiveWriter()
            .AddPax('g', "comment=c")
            .AddPax('x', "path=dir/long", "mtime=1.5", "SCHILY.xattr.user.a=b").Add("a", '0', "content"u8)
            .AddPax('x', "GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.realsize=20", "GNU.sparse.name=s")
            .Add("s", '0', [.. "1\n5\n3\n"u8, .. new byte[506], .. "abc"u8])
            .Add("l", '1', link: "dir/long").Add("c", '3').ToArray();
        Gen.Select(Gen.Int[0, archive.Length - 1], Gen.Byte, Gen.Bool).Array[1, 6].Sample(changes =>
        {
            byte[] mutated = [.. archive];
            foreach (var (place, value, _) in changes)
            {
                mutated[place] = value;
            }
            // With right checksums too, so that the mutation gets past the first check.
            for (int i = 0; changes[0].Item3 && i < mutated.Length; i += TarHeader.BlockSize)
            {
                var block = mutated.AsSpan(i, TarHeader.BlockSize);
                if (block[TarHeader.Magic].SequenceEqual(TarHeader.UstarMagic))
                {
                    TarNumber.FormatOctal(block[TarHeader.Checksum], TarHeader.Sum(block));
                }
            }
            try
            {
                foreach (var entry in TarTree.Read(new MemoryBlob(mutated)).Walk())
                {
                    if (entry.Node is FileNode { Content: { Length: < 100_000 } content })
                    {
                        content.ReadBytes(0, (int)content.Length);
                    }
                }
            }
            catch (InvalidDataException)
            {
            }
        }, iter: 3000);
    }
}
