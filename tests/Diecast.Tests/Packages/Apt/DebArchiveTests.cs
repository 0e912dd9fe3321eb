using System.Text;
using CsCheck;
using Diecast.Formats.Tar;
using Diecast.Packages.Apt;
using Diecast.Tests.Formats.Tar;
using Diecast.Tests.Support;

namespace Diecast.Tests.Packages.Apt;

public sealed class DebArchiveTests
{
    private static readonly byte[] s_version = "2.0\n"u8.ToArray();
    private static readonly byte[] s_control = new ArchiveWriter().Add("./", '5').Add("./control", '0', "Package: x\n"u8).Add("./postinst", '0', "#!/bin/sh\n"u8).ToArray();
    private static readonly byte[] s_data = new ArchiveWriter().Add("./", '5').Add("./usr/x", '0', "content"u8).ToArray();

    [Theory]
    [InlineData("", "")]
    [InlineData(".gz", "gzip")]
    [InlineData(".xz", "xz")]
    [InlineData(".zst", "zstd -q")]
    public void ReadsEveryCompression(string suffix, string program)
    {
        byte[] deb = TestDebs.Ar(("debian-binary", s_version), ($"control.tar{suffix}", Compressed(s_control, program)),
            ("_gpgorigin", [1, 2, 3]), ($"data.tar{suffix}", Compressed(s_data, program)));
        var control = DebArchive.ReadControl(new MemoryStream(deb));
        Assert.Equal(["control", "postinst"], control.Select(static file => file.Name));
        Assert.Equal("#!/bin/sh\n", Encoding.ASCII.GetString(control[1].Content));
        Assert.Equal("usr/x content", Data(deb));
    }

    [Fact]
    public void ReadsWhatDpkgDebMakes()
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory["tree/DEBIAN"]);
        Directory.CreateDirectory(directory["tree/usr/share/odd ü"]);
        File.WriteAllText(directory["tree/DEBIAN/control"], "Package: made\nVersion: 1\nArchitecture: all\nMaintainer: T <t@example.invalid>\nDescription: x\n");
        string large = string.Concat(Enumerable.Range(0, 100_000).Select(static i => $"line {i}\n"));
        File.WriteAllText(directory["tree/usr/share/odd ü/file"], large);
        foreach (string compression in (string[])["xz", "gzip", "none"])
        {
            Tool.RunOk("dpkg-deb", "--root-owner-group", $"-Z{compression}", "-b", directory["tree"], directory["made.deb"]);
            byte[] deb = File.ReadAllBytes(directory["made.deb"]);
            Assert.Equal("made", DebPackage.Read(new DebToInstall("made", "1", false, () => new MemoryStream(deb)), "amd64").Name);
            Assert.Equal("usr/share/odd ü/file " + large, Data(deb));
        }
    }

    [Fact]
    public void RefusesWhatIsNoPackage()
    {
        (byte[] Deb, string Message)[] cases =
        [
            ([], "no archive"), ("!<arch>\n"u8.ToArray(), "does not begin with debian-binary"),
            (TestDebs.Ar(("control.tar", s_control)), "does not begin with debian-binary"),
            (TestDebs.Ar(("debian-binary", "3.0\n"u8.ToArray())), "other than 2.0"),
            (TestDebs.Ar(("debian-binary", s_version)), "there is no control.tar"),
            (TestDebs.Ar(("debian-binary", s_version), ("data.tar", s_data)), "data.tar where control.tar should be"),
            (TestDebs.Ar(("debian-binary", s_version), ("control.tar.bz2", s_control)), "not supported"),
            (TestDebs.Ar(("debian-binary", s_version), ("control.tar.xz", s_control)), "not compressed as its name says"),
            (TestDebs.Ar(("debian-binary", s_version), ("control.tar", s_control)), "there is no data.tar"),
            (TestDebs.Ar(("debian-binary", s_version), ("control.tar", new ArchiveWriter().Add("control", '2', link: "/etc/passwd").ToArray())), "control is no file"),
            (TestDebs.Ar(("debian-binary", s_version), ("control.tar", new ArchiveWriter().Add("a/control", '0').ToArray())), "a/control is no file"),
            (TestDebs.Ar(("debian-binary", s_version), ("control.tar", new ArchiveWriter().Add("../control", '0').ToArray())), "not safe"),
            (TestDebs.Ar(("debian-binary", s_version), ("control.tar", new ArchiveWriter().Add("control", '0').Add("./control", '0').ToArray())), "twice"),
        ];
        foreach (var (deb, message) in cases)
        {
            var error = Assert.Throws<InvalidDataException>(() => { _ = DebArchive.ReadControl(new MemoryStream(deb)); _ = Data(deb); });
            Assert.Contains(message, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void DamageIsInvalidData()
    {
        byte[] whole = TestDebs.Ar(("debian-binary", s_version), ("control.tar.xz", Compressed(s_control, "xz")), ("data.tar.gz", Compressed(s_data, "gzip")));
        // The last byte may be padding.
        for (int length = 0; length < whole.Length - 1; length++)
        {
            Assert.Throws<InvalidDataException>(() => ReadAll(whole[..length]));
        }
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte).Sample((at, value) =>
        {
            byte[] changed = [.. whole];
            changed[at] = value;
            try
            {
                ReadAll(changed);
            }
            catch (InvalidDataException)
            {
                // What it must be, where it is anything.
            }
        }, iter: 3000);
    }

    private static void ReadAll(byte[] deb)
    {
        _ = DebArchive.ReadControl(new MemoryStream(deb));
        _ = Data(deb);
    }

    private static string Data(byte[] deb)
    {
        using var stream = DebArchive.OpenData(new MemoryStream(deb));
        var reader = new TarReader(stream);
        var text = new StringBuilder();
        while (reader.Next() is { } entry)
        {
            if (entry.Type == TarEntryType.File)
            {
                using var content = new StreamReader(entry.Content, Encoding.UTF8);
                text.Append(Encoding.UTF8.GetString(TarPath.Normalize(entry.Path.AsSpan()))).Append(' ').Append(content.ReadToEnd());
            }
        }
        return text.ToString();
    }

    private static byte[] Compressed(byte[] data, string program)
    {
        if (program.Length == 0)
        {
            return data;
        }
        using var directory = new TempDirectory();
        File.WriteAllBytes(directory["in"], data);
        Tool.Require(program.Split(' ')[0]);
        Tool.RunOk("sh", "-ec", $"{program} -c '{directory["in"]}' > '{directory["out"]}'");
        return File.ReadAllBytes(directory["out"]);
    }
}
