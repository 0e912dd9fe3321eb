using System.Text;
using Diecast.Images;
using Diecast.Inspect;
using Diecast.Tests.Support;

namespace Diecast.Tests.Inspect.Kinds;

/// <summary>Kinds of single files, as real tools make them.</summary>
public sealed class FileKindTests
{
    [Fact]
    public void SectionsBuildIdAndCompilerOfAProgramAreNamed()
    {
        using var directory = new TempDirectory();
        var before = Compile(directory, "int main(void) { return 1; }\n", "-Wl,--build-id=0x0123456789abcdef0123456789abcdef01234567");
        Assert.Equal("elf", before.Kind);
        Assert.Equal("0123456789abcdef0123456789abcdef01234567", before.Value("build-id"));
        Assert.Equal("64 bits", before.Value("EI_CLASS"));
        string comment = Encoding.UTF8.GetString(Assert.Single(before.Parts, static part => part.Name == ".comment").Bytes());
        Assert.Contains("GCC: (", comment, StringComparison.Ordinal);
        Assert.EndsWith("\n", comment, StringComparison.Ordinal);
        Assert.Contains(before.Fields, static field => field.Name.StartsWith("PT_LOAD[", StringComparison.Ordinal));
        string[] sections = [.. Tool.RunOk("readelf", "-SW", directory["a"]).Split('\n')
            .Select(static line => System.Text.RegularExpressions.Regex.Match(line, @"\]\s+(\.\S+)").Groups[1].Value).Where(static name => name.Length > 0)];
        Assert.Equal(sections, before.Parts.Select(static part => part.Name));
        Assert.Empty(Assert.Single(before.Parts, static part => part.Name == ".bss").Bytes());

        var after = Compile(directory, "int main(void) { return 2; }\n", "-Wl,--build-id=0x1123456789abcdef0123456789abcdef01234567");
        Assert.Equal(["build-id"], KindSample.Differing(before, after));
        Assert.Equal([".note.gnu.build-id", ".text"], KindSample.DifferingParts(before, after));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ProgramsOf32BitsAndBigEndianAreRead(bool isBig)
    {
        byte[] file = new byte[52 + 2 * 40 + 11];
        file[0] = 0x7f;
        "ELF"u8.CopyTo(file.AsSpan(1));
        (file[4], file[5], file[6]) = (1, (byte)(isBig ? 2 : 1), 1);
        Put16(16, 2);
        Put16(18, 8);
        Put32(24, 0x400000);
        Put32(32, 52);
        Put16(46, 40);
        Put16(48, 2);
        Put16(50, 1);
        // The second section: its own name, in a table at the end.
        Put32(92, 1);
        Put32(96, 3);
        Put32(92 + 16, 132);
        Put32(92 + 20, 11);
        ".shstrtab\0"u8.CopyTo(file.AsSpan(133));
        var elf = KindSample.Open(file);
        Assert.Equal("32 bits", elf.Value("EI_CLASS"));
        Assert.Equal(isBig ? "big-endian" : "little-endian", elf.Value("EI_DATA"));
        Assert.Equal("0x400000", elf.Value("e_entry"));
        Assert.Equal(".shstrtab", Assert.Single(elf.Parts).Name);

        void Put16(int at, int value) => (file[at], file[at + 1]) = isBig ? ((byte)(value >> 8), (byte)value) : ((byte)value, (byte)(value >> 8));

        void Put32(int at, int value)
        {
            Put16(isBig ? at : at + 2, value >> 16);
            Put16(isBig ? at + 2 : at, value);
        }
    }

    [Fact]
    public void CompiledPythonTellsTheTimeOfItsSource()
    {
        using var directory = new TempDirectory();
        File.WriteAllText(directory["a.py"], "x = 1\n");
        Tool.RunOk("touch", "-d", "@1714566600", directory["a.py"]);
        var timed = Python("TIMESTAMP");
        Assert.Equal("1714566600.000000000", timed.Value("source mtime"));
        Assert.Equal("6", timed.Value("source size"));
        Tool.RunOk("touch", "-d", "@1714566611", directory["a.py"]);
        Assert.Equal(["source mtime"], KindSample.Differing(timed, Python("TIMESTAMP")));
        Assert.Empty(KindSample.DifferingParts(timed, Python("TIMESTAMP")));
        var hashed = Python("CHECKED_HASH");
        Assert.Equal("checked hash", hashed.Value("flags"));
        Assert.Equal(16, hashed.Value("source hash").Length);
        Assert.Equal("unchecked hash", Python("UNCHECKED_HASH").Value("flags"));

        Container Python(string mode)
        {
            Tool.RunOk("python3", "-c",
                $"import py_compile as p; p.compile('{directory["a.py"]}', '{directory["a.pyc"]}', invalidation_mode=p.PycInvalidationMode.{mode})");
            return KindSample.OpenFile(directory["a.pyc"]);
        }
    }

    [Fact]
    public void MembersOfAnArTellTimesAndOwners()
    {
        using var directory = new TempDirectory();
        File.WriteAllText(directory["short.txt"], "one");
        File.WriteAllText(directory["a-name-longer-than-sixteen-bytes.txt"], "two2");
        Tool.RunOk("touch", "-d", "@1714566600", directory["short.txt"], directory["a-name-longer-than-sixteen-bytes.txt"]);
        Tool.RunOk("ar", "rcU", directory["x.a"], directory["short.txt"], directory["a-name-longer-than-sixteen-bytes.txt"]);
        var archive = KindSample.OpenFile(directory["x.a"]);
        Assert.Equal(["short.txt", "a-name-longer-than-sixteen-bytes.txt"], archive.Parts.Select(static part => part.Name));
        Assert.Equal("two2"u8, archive.Parts[1].Bytes());
        Assert.Equal("1714566600.000000000", archive.Parts[0].Fields.Single(static field => field.Name == "mtime").Value);
    }

    [Fact]
    public void MembersOfAZipAreDecodedAndTellTimes()
    {
        using var directory = new TempDirectory();
        File.WriteAllText(directory["a.txt"], string.Concat(Enumerable.Repeat("the same again\n", 1000)));
        File.WriteAllText(directory["b.txt"], "b");
        Tool.RunOk("touch", "-d", "2024-05-06T12:30:08Z", directory["a.txt"], directory["b.txt"]);
        Tool.RunOk("zip", "-q", "-j", directory["x.zip"], directory["a.txt"], directory["b.txt"]);
        var archive = KindSample.OpenFile(directory["x.zip"]);
        Assert.Equal(["a.txt", "b.txt"], archive.Parts.Select(static part => part.Name));
        Assert.Equal(File.ReadAllBytes(directory["a.txt"]), archive.Parts[0].Bytes());
        Assert.Equal("b"u8, archive.Parts[1].Bytes());
        Assert.Equal("2024-05-06 12:30:08", archive.Parts[0].Fields.Single(static field => field.Name == "mtime").Value);
        Assert.Equal("1714998608.000000000", archive.Parts[0].Fields.Single(static field => field.Name == "UT mtime").Value);

        byte[] lie = File.ReadAllBytes(directory["x.zip"]);
        int entry = lie.AsSpan().IndexOf("PK\x01\x02"u8);
        lie[entry + 24]++;
        Assert.Throws<InvalidDataException>(() => KindSample.Open(lie).Parts[0].Bytes());
    }

    [Fact]
    public void AccountsAreNamedAndPasswordsNotShown()
    {
        const string hash = "$6$saltsalt$abcdefghijklmnopqrstuvwxyz";
        string text = $"root:{hash}:19800:0:99999:7:::\nbin:!*:19800::::::\nnobody::0:0:::::\nbroken:x\n";
        var before = Shadow(text);
        Assert.Equal("shadow", before.Kind);
        Assert.Equal("19800 (2024-03-18)", before.Value("root last change"));
        Assert.StartsWith("sha512crypt, SHA-256 ", before.Value("root password"), StringComparison.Ordinal);
        Assert.Equal("locked (!), *", before.Value("bin password"));
        Assert.Equal("empty", before.Value("nobody password"));
        Assert.DoesNotContain(before.Fields, static field => field.Value.Contains("saltsalt", StringComparison.Ordinal));
        Assert.Equal(["root last change"], KindSample.Differing(before, Shadow(text.Replace("19800:0", "19801:0", StringComparison.Ordinal))));
        Assert.Equal(["root password"], KindSample.Differing(before, Shadow(text.Replace("wxyz", "wxyZ", StringComparison.Ordinal))));
        Assert.Equal(["line 4"], KindSample.Differing(before, Shadow(text.Replace("broken:x", "broken:y", StringComparison.Ordinal))));
        Assert.Equal(["end of file"], KindSample.Differing(before, Shadow(text[..^1])));
        Assert.Equal(["line 4", "order", "line 1"], KindSample.Differing(before, Shadow("broken:x\n" + text.Replace("broken:x\n", "", StringComparison.Ordinal))));
        var passwd = KindSample.Open("root:x:0:0:Super User:/root:/bin/bash\n"u8.ToArray(), "x/etc/passwd-");
        Assert.Equal("/bin/bash", passwd.Value("root shell"));
        Assert.Equal("wheel", KindSample.Open("a:x:10:wheel\n"u8.ToArray(), "/etc/group").Value("a members"));

        static Container Shadow(string text) => KindSample.Open(Encoding.UTF8.GetBytes(text), "/etc/shadow");
    }

    [Fact]
    public void PackageDatabasesHaveFields()
    {
        var desc = KindSample.Open("%NAME%\nbash\n\n%VERSION%\n5.2-1\n\n%INSTALLDATE%\n1714566600\n\n%DEPENDS%\na\nb\n\n"u8.ToArray(), "/var/lib/pacman/local/bash-5.2-1/desc");
        Assert.Equal("5.2-1", desc.Value("%VERSION%"));
        Assert.Equal("1714566600.000000000", desc.Value("%INSTALLDATE%"));
        Assert.Equal("a b", desc.Value("%DEPENDS%"));
        var information = KindSample.Open("# made\npkgname = bash\nbuilddate = 1714566600\n"u8.ToArray(), ".PKGINFO");
        Assert.Equal("1714566600.000000000", information.Value("builddate"));
        const string status = "Package: bash\nArchitecture: amd64\nMulti-Arch: foreign\nVersion: 5.2-1\nDescription: x\n y\n\nPackage: libc6\nArchitecture: amd64\nMulti-Arch: same\nVersion: 2\n";
        var dpkg = KindSample.Open(Encoding.UTF8.GetBytes(status), "var/lib/dpkg/status");
        Assert.Equal("5.2-1", dpkg.Value("bash Version"));
        Assert.Equal("2", dpkg.Value("libc6:amd64 Version"));
        Assert.Equal(["bash Version"], KindSample.Differing(dpkg, KindSample.Open(Encoding.UTF8.GetBytes(status.Replace("5.2-1", "5.2-2", StringComparison.Ordinal)), "var/lib/dpkg/status")));
        string other = string.Join("\n\n", status.TrimEnd('\n').Split("\n\n").Reverse()) + "\n";
        Assert.Equal(["order"], KindSample.Differing(dpkg, KindSample.Open(Encoding.UTF8.GetBytes(other), "var/lib/dpkg/status")));
    }

    [Fact]
    public void FontconfigCachesTellTheTimeOfTheirDirectory()
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory["fonts"]);
        File.WriteAllText(directory["fonts.conf"], $"<fontconfig><dir>{directory["fonts"]}</dir><cachedir>{directory["cache"]}</cachedir></fontconfig>");
        var before = Cache("1714566600");
        Assert.Equal(directory["fonts"], before.Value("directory"));
        Assert.Equal("1714566600.000000000", before.Value("directory mtime"));
        Assert.Equal(["directory mtime"], KindSample.Differing(before, Cache("1714566611")));

        Container Cache(string time)
        {
            Tool.RunOk("touch", "-d", "@" + time, directory["fonts"]);
            var environment = new Dictionary<string, string> { ["FONTCONFIG_FILE"] = directory["fonts.conf"] };
            Assert.Equal(0, Tool.Run("fc-cache", ["-f"], environment, null).ExitCode);
            return KindSample.OpenFile(Directory.GetFiles(directory["cache"], "*-le64.cache-*").Single());
        }
    }

    [Fact]
    public void HeadersOfBinaryDatabasesAreNamed()
    {
        var journal = new byte[512];
        "LPKSHHRH"u8.CopyTo(journal);
        journal[88] = 0;
        journal[89] = 1;
        journal[40] = 0xab;
        BitConverter.TryWriteBytes(journal.AsSpan(184), 1_714_566_600_000_001L);
        var container = KindSample.Open(journal);
        Assert.Equal("ab" + new string('0', 30), container.Value("machine_id"));
        Assert.Equal("1714566600.000001000", container.Value("head_entry_realtime"));
        Assert.Equal(256, container.Parts[0].Content.Length);

        byte[] hwdb = [.. "KSLPHHRH"u8, 0x01, 0x01, .. new byte[78]];
        hwdb[24] = 80;
        Assert.Equal("257", KindSample.Open(hwdb).Value("tool_version"));
        Assert.Equal("0x20001", KindSample.Open([0xb0, 0x07, 0xf4, 0x57, 0, 2, 0, 1, 0x20, 0, 0, 0x0c]).Value("version"));
    }

    [Fact]
    public void IdsAreShownAndSecretsAreNot()
    {
        Assert.Equal("0123abcd", KindSample.Open("0123abcd\n"u8.ToArray(), "/etc/machine-id").Value("id"));
        Assert.StartsWith("SHA-256 ", KindSample.Open("-----BEGIN"u8.ToArray(), "/etc/ssh/ssh_host_rsa_key").Value("content"), StringComparison.Ordinal);
        Assert.Equal("random-seed", KindSample.Open(new byte[32], "/loader/random-seed").Kind);
        Assert.Null(ContainerTable.Open(new MemoryBlob("x"u8.ToArray()), "/etc/machine-info"));
    }

    [Fact]
    public void GzipSaysWhenItWasMade()
    {
        using var directory = new TempDirectory();
        File.WriteAllText(directory["a"], "text");
        Tool.RunOk("touch", "-d", "@1714566600", directory["a"]);
        Tool.RunOk("gzip", "-k", directory["a"]);
        var named = KindSample.OpenFile(directory["a.gz"]);
        Assert.Equal("1714566600.000000000", named.Value("MTIME"));
        Assert.Equal("a", named.Value("FNAME"));
        Assert.Equal("3", named.Value("OS"));
        Tool.RunOk("gzip", "-k", "-n", "-f", directory["a"]);
        Assert.Equal("0.000000000", KindSample.OpenFile(directory["a.gz"]).Value("MTIME"));
    }

    private static Container Compile(TempDirectory directory, string source, string option)
    {
        File.WriteAllText(directory["a.c"], source);
        Tool.RunOk("gcc", option, "-o", directory["a"], directory["a.c"]);
        return KindSample.OpenFile(directory["a"]);
    }
}
