using System.Text;
using System.Text.Json;
using Diecast.Inspect.Reports;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Inspect;

public sealed class ListingTests
{
    /// <summary>What ls itself says of the same files, without what no tree tells.</summary>
    [Fact]
    public void TheLinesAreThoseOfLs()
    {
        using var directory = new TempDirectory("/var/tmp");
        byte[] root = Posix.Bytes(directory.Path);
        foreach (uint mode in (uint[])[0x0, 0x1FF, 0x1A4, 0x9ED, 0x5ED, 0x3ED, 0xFFF, 0xE00, 0x1C0])
        {
            string file = directory[$"mode{mode}"];
            File.WriteAllText(file, new string('x', (int)mode));
            Posix.ChmodAt(Posix.AT_FDCWD, Posix.Bytes(file), mode);
            Posix.SetTimes(Posix.AT_FDCWD, Posix.Bytes(file), new Timestamp(1_600_000_000 + mode, 123_000_000 + mode));
        }
        Posix.SymlinkAt("a target"u8, Posix.AT_FDCWD, [.. root, .. "/link"u8]);
        Posix.MknodAt(Posix.AT_FDCWD, [.. root, .. "/pipe"u8], Posix.S_IFIFO | 0x180, 0, 0);
        var nodes = HostTree.Read(root).Root.Entries;
        var widths = Listing.Widths.Of([.. nodes.Select(static entry => entry.Node)]);
        string[] foreign = Tool.RunOk("ls", "-ln", "--time-style=+%Y-%m-%d %H:%M:%S.%N", directory.Path).TrimEnd().Split('\n')[1..];
        Assert.Equal(
            foreign.Select(static line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is var cells ? [cells[0], .. cells[2..]] : [])),
            nodes.Select(entry => string.Join(' ', Listing.Line(entry.Name.ToString(), entry.Node, widths)
                .Replace(" - 2", " 0 2", StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries))));
    }

    [Fact]
    public void OddEntriesStayInTheirLines()
    {
        var metadata = new Metadata(0x1FF, 1, 2, new Timestamp(long.MaxValue, 5))
        {
            Xattrs = [Xattr.Create("user.text"u8, "hello"u8), Xattr.Create("user.\e"u8, [0, 0xff])],
        };
        var device = new DeviceNode(metadata, FileType.BlockDevice, 259, 1);
        Assert.Equal("brwxrwxrwx 1 2 259, 1 @9223372036854775807.000000005 x", Listing.Line("x", device, Listing.Widths.Of([device])));
        Assert.Equal(["    user.\\x1b=0x00ff", "    user.text=\"hello\""], Listing.XattrLines(device));
        var link = new SymlinkNode(metadata, [.. "a\nb"u8]);
        Assert.EndsWith("x -> a\\x0ab", Listing.Line("x", link, Listing.Widths.Usual), StringComparison.Ordinal);

        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            Listing.WriteJson(json, "x", device, xattrs: true);
        }
        Assert.Equal(
            """{"name":"x","type":"block device","mode":"0777","uid":1,"gid":2,"mtime":"@9223372036854775807.000000005","major":259,"minor":1,"xattrs":{"user.\\x1b":"00ff","user.text":"68656c6c6f"}}""",
            Encoding.UTF8.GetString(stream.ToArray()));
    }

    [Theory]
    [InlineData(0, 0, "1970-01-01 00:00:00.000000000")]
    [InlineData(-62135596800, 1, "0001-01-01 00:00:00.000000001")]
    [InlineData(-62135596801, 1, "@-62135596801.000000001")]
    [InlineData(253402300799, 999999999, "9999-12-31 23:59:59.999999999")]
    [InlineData(253402300800, 0, "@253402300800.000000000")]
    public void TimesAreExact(long seconds, uint nanoseconds, string text) => Assert.Equal(text, Units.Time(new Timestamp(seconds, nanoseconds)));
}
