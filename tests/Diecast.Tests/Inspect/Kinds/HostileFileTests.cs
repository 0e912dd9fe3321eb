using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using CsCheck;
using Diecast.Images;
using Diecast.Inspect;
using Diecast.Tests.Support;

namespace Diecast.Tests.Inspect.Kinds;

/// <summary>Files of each kind with bytes changed, cut off and repeated: InvalidDataException and nothing else, in bounded time.</summary>
public sealed class HostileFileTests
{
    private static readonly Gen<(int At, int Count, byte Value)[]> s_edits = Gen.Select(Gen.Int[0, 1 << 20], Gen.Int[1, 8], Gen.OneOf(Gen.Byte, Gen.OneOf(Gen.Const((byte)0), Gen.Const((byte)0xff)))).Array[1, 6];

    [Fact]
    public void DamagedFilesAreRefusedAndNothingElse()
    {
        foreach (var (path, bytes) in Samples())
        {
            Assert.True(Read(bytes, path), path);
            var clock = Stopwatch.StartNew();
            Gen.Select(s_edits, Gen.Int[0, 10], Gen.Int[0, 1 << 20]).Sample((edits, how, at) =>
            {
                byte[] damaged = how == 0 ? bytes[..(at % bytes.Length)] : [.. bytes];
                if (damaged.Length > 0)
                {
                    // Half of them in the first bytes, where the headers are.
                    foreach (var (place, count, value) in edits)
                    {
                        int start = place % (how % 2 == 0 ? damaged.Length : Math.Min(damaged.Length, 128));
                        damaged.AsSpan(start, Math.Min(count, damaged.Length - start)).Fill(value);
                    }
                }
                Read(damaged, path);
            }, iter: 400);
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), $"{path}: {clock.Elapsed}");
        }
    }

    [Fact]
    public void FilesThatClaimTooMuchAreRefused()
    {
        var cache = new byte[48];
        "glibc-ld.so.cache1.1"u8.CopyTo(cache);
        cache.AsSpan(20, 4).Fill(0xff);
        Assert.Throws<InvalidDataException>(() => KindSample.Open(cache));
        var huge = new ComputedBlob(65L << 20, static (offset, destination) =>
        {
            for (int i = 0; i < destination.Length; i++)
            {
                destination[i] = (byte)'\n';
            }
        });
        Assert.Throws<InvalidDataException>(() => ContainerTable.Open(huge, "/etc/shadow"));
        Assert.Throws<InvalidDataException>(() => ContainerTable.Open(huge.Slice(0, 1 << 20), "/etc/shadow"));
        Assert.Throws<InvalidDataException>(() => ContainerTable.Open(huge.Slice(0, 1 << 20), "/var/lib/dpkg/status"));
    }

    /// <summary>Reads everything there is; false where the file is refused.</summary>
    private static bool Read(byte[] bytes, string path)
    {
        // Of these kinds only: those of images are held against damage where they are tested.
        var kind = FileKinds.All.FirstOrDefault(kind => kind.Recognizes(new MemoryBlob(bytes), path));
        if (kind is null)
        {
            return false;
        }
        try
        {
            var container = kind.Read(new MemoryBlob(bytes));
            foreach (var part in container.Parts)
            {
                part.Content.ReadBytes(0, (int)Math.Min(part.Content.Length, 1 << 16));
            }
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static IEnumerable<(string Path, byte[] Bytes)> Samples()
    {
        using var directory = new TempDirectory();
        File.WriteAllText(directory["a.c"], "int main(void) { return 1; }\n");
        Tool.RunOk("gcc", "-s", "-o", directory["a"], directory["a.c"]);
        yield return ("/usr/bin/a", File.ReadAllBytes(directory["a"]));
        foreach (string sub in (string[])["usr/lib", "etc", "var/cache/ldconfig"])
        {
            Directory.CreateDirectory(directory[sub]);
        }
        File.WriteAllText(directory["etc/ld.so.conf"], "/usr/lib\n");
        Tool.RunOk("gcc", "-shared", "-Wl,-soname,libone.so.1", "-o", directory["usr/lib/libone.so.1"], directory["a.c"]);
        Tool.RunOk("ldconfig", "-c", "compat", "-r", directory.Path);
        yield return ("/etc/ld.so.cache", File.ReadAllBytes(directory["etc/ld.so.cache"]));
        yield return ("/var/cache/ldconfig/aux-cache", File.ReadAllBytes(directory["var/cache/ldconfig/aux-cache"]));
        File.WriteAllText(directory["a-name-longer-than-sixteen-bytes.txt"], "two2");
        Tool.RunOk("ar", "rcU", directory["x.a"], directory["a.c"], directory["a-name-longer-than-sixteen-bytes.txt"]);
        yield return ("/usr/lib/x.a", File.ReadAllBytes(directory["x.a"]));
        yield return ("/x.zip", Zip());
        yield return ("/x.pyc", [0xcb, 0x0d, 0x0d, 0x0a, 0, 0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0, 0xe3, 0, 0, 0]);
        var journal = new byte[512];
        "LPKSHHRH"u8.CopyTo(journal);
        journal[89] = 1;
        yield return ("/var/log/journal/x/system.journal", journal);
        yield return ("/usr/lib/udev/hwdb.bin", [.. "KSLPHHRH"u8, 0x01, 0x01, .. new byte[14], 80, .. new byte[200]]);
        var fonts = new byte[128];
        ((byte[])[0x04, 0xfc, 0x02, 0xfc, 9, 0, 0, 0, 128]).CopyTo(fonts, 0);
        (fonts[16], fonts[40]) = (64, 100);
        "/usr/share/fonts"u8.CopyTo(fonts.AsSpan(64));
        yield return ("/var/cache/fontconfig/0-le64.cache-9", fonts);
        yield return ("/etc/shadow", Encoding.UTF8.GetBytes("root:$6$salt$hash:19800:0:99999:7:::\nbin:!*:19800::::::\n"));
        yield return ("/var/lib/pacman/local/a-1/desc", Encoding.UTF8.GetBytes("%NAME%\na\n\n%INSTALLDATE%\n1714566600\n\n"));
        yield return ("/var/lib/dpkg/status", Encoding.UTF8.GetBytes("Package: a\nVersion: 1\nDescription: x\n y\n\nPackage: b\n"));
        yield return (".PKGINFO", Encoding.UTF8.GetBytes("pkgname = a\nbuilddate = 1714566600\n"));
        yield return ("/etc/machine-id", Encoding.UTF8.GetBytes("0123456789abcdef0123456789abcdef\n"));
    }

    private static byte[] Zip()
    {
        var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create))
        {
            foreach (string name in (string[])["a", "b/c"])
            {
                using var entry = archive.CreateEntry(name).Open();
                entry.Write(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("again ", 100))));
            }
        }
        return stream.ToArray();
    }
}
