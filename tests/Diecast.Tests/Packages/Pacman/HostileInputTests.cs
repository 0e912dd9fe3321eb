using System.Text;
using CsCheck;
using Diecast.Images;
using Diecast.Packages;
using Diecast.Packages.Pacman;
using Diecast.Tests.Support;

namespace Diecast.Tests.Packages.Pacman;

/// <summary>Databases and packages that are damaged, or made to do harm.</summary>
public sealed class HostileInputTests
{
    private const string Desc = "%FILENAME%\na.pkg.tar.zst\n\n%NAME%\na\n\n%VERSION%\n1-1\n\n%CSIZE%\n1\n\n%DEPENDS%\nb>=1\n\n";

    [Theory]
    [InlineData("a-1-1/desc", "%NAME%\nb\n\n%VERSION%\n1-1\n", "member a-1-1: is of b-1-1")]
    [InlineData("a-1-1/desc", "%NAME%\na\n\n%VERSION%\n1-1\n", "member a-1-1: has no %FILENAME%")]
    [InlineData("a-1-1/desc", "%NAME%\na\n\n%VERSION%\n1-1\n\n%FILENAME%\n../x\n", "%FILENAME% is no file name: ../x")]
    [InlineData("a-1-1/desc", "%NAME%\na\n\n%VERSION%\n1-1\n\n%FILENAME%\nx\n\n%CSIZE%\n-1\n", "%CSIZE% is no number")]
    [InlineData("a-1-1/desc", "%NAME%\na\n\n%VERSION%\n1-1\n\n%FILENAME%\nx\n\n%SHA256SUM%\n../../x\n", "%SHA256SUM% is no SHA-256")]
    [InlineData("a-1-1/desc", "NAME\na\n", "line 1 is neither a key nor in a block")]
    [InlineData("a/desc", Desc, "a is no name-version-release")]
    [InlineData("a-1;reboot-1/desc", Desc, "is no name-version-release")]
    [InlineData("a-1-1/desc/", "", null)]
    [InlineData("other", "ignored", null)]
    public void DatabasesNameTheMember(string path, string content, string? message)
    {
        byte[] tar = Tar((path, content));
        if (message is null)
        {
            Assert.Empty(SyncDatabase.Read("core", new MemoryStream(tar)).Packages);
            return;
        }
        var error = Assert.Throws<InvalidDataException>(() => SyncDatabase.Read("core", new MemoryStream(tar)));
        Assert.StartsWith("database core: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ANameThatStandsTwiceIsRefused()
    {
        string second = Desc.Replace("1-1", "2-1", StringComparison.Ordinal);
        var error = Assert.Throws<InvalidDataException>(() => SyncDatabase.Read("core", new MemoryStream(Tar(("a-1-1/desc", Desc), ("a-2-1/desc", second)))));
        Assert.Equal("database core: a stands in it twice", error.Message);
    }

    [Fact]
    public void ADatabaseThatIsDamagedIsReadOrRefused()
    {
        byte[] tar = Tar(("a-1-1/desc", Desc), ("b-1-1/desc", Desc.Replace('a', 'b')), ("b-1-1/depends", "%DEPENDS%\na\n"));
        Mutated(tar).Sample(bytes => OnlyInvalidData(() => SyncDatabase.Read("core", new MemoryStream(bytes))));
    }

    [Theory]
    [InlineData("pkgname = b\npkgver = 1-1\n", ".PKGINFO is of b-1-1")]
    [InlineData("pkgname = a\npkgver = 1-1\narch = armv7h\n", "is for \"armv7h\", not for x86_64")]
    [InlineData("pkgname = a\npkgver = $(reboot)-1\n", "are no name and version")]
    [InlineData("pkgname = ../a\npkgver = 1-1\n", "are no name and version")]
    [InlineData("pkgname = a\npkgver = 1-1\narch = any\nsize = many\n", "size is no number")]
    [InlineData("", "are no name and version")]
    public void PackagesAreWhatIsExpected(string info, string message)
    {
        var error = Assert.Throws<InvalidDataException>(() => Open(Tar((".PKGINFO", info))));
        Assert.StartsWith("package a-1-1: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void APackageWithoutADescriptionIsRefused() =>
        Assert.Equal("package a-1-1: has no .PKGINFO before what is installed",
            Assert.Throws<InvalidDataException>(() => Open(Tar(("usr/bin/x", "x")))).Message);

    [Fact]
    public void APackageThatIsDamagedIsReadOrRefused()
    {
        using var packages = new TestPackages();
        byte[] package = File.ReadAllBytes(packages.Add("a", "1-1", "", (".INSTALL", "post_install() { :; }"), ("usr/bin/x", new string('x', 3000)), ("usr/link", "-> bin")));
        byte[] tar = ReadAll(Decompressor.Open(new MemoryStream(package)));
        Gen.OneOf(Mutated(package), Mutated(tar)).Sample(bytes => OnlyInvalidData(() =>
        {
            using var archive = Open(bytes);
            archive.ReadPaths();
            while (archive.Next() is { } entry)
            {
                entry.Content.CopyTo(Stream.Null);
            }
        }), iter: 300);
        int end = tar.AsSpan().LastIndexOfAnyExcept((byte)0);
        for (int length = 0; length < end; length += 512)
        {
            Assert.Throws<InvalidDataException>(() => Consume(tar.AsSpan(0, length).ToArray()));
        }
        Consume(tar);
    }

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("usr/../../etc/passwd")]
    public void APackageStaysInItsRoot(string path)
    {
        using var directory = new TempDirectory();
        using var root = new Diecast.Packages.StagedRoot(directory["root"], default);
        byte[] tar = Tar((".PKGINFO", "pkgname = a\npkgver = 1-1\narch = any\n"), (path, "x"));
        var installer = new PacmanInstaller(root, static _ => throw new InvalidOperationException(), new PacmanInstaller.Options { InstallDate = 1 }, static _ => { });
        var error = Assert.Throws<InvalidDataException>(() => installer.Install(
            [new PackageToInstall(new PackageIdentity("a", "1-1"), InstallReason.Explicit, PackageValidation.None, () => new MemoryStream(tar))]));
        Assert.StartsWith("package a-1-1: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AHardLinkStaysInItsPackage()
    {
        using var directory = new TempDirectory();
        using var root = new Diecast.Packages.StagedRoot(directory["root"], default);
        root.Write("/etc/shadow", "secret");
        byte[] tar = Tar((".PKGINFO", "pkgname = a\npkgver = 1-1\narch = any\n"), ("usr/link", ""));
        // The second header, made a link.
        var header = tar.AsSpan(1024, 512);
        header[156] = (byte)'1';
        "etc/shadow"u8.CopyTo(header[157..]);
        header[148..156].Fill((byte)' ');
        int sum = 0;
        foreach (byte b in header)
        {
            sum += b;
        }
        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(header[148..]);
        var installer = new PacmanInstaller(root, static _ => throw new InvalidOperationException(), new PacmanInstaller.Options { InstallDate = 1 }, static _ => { });
        var error = Assert.Throws<InvalidDataException>(() => installer.Install(
            [new PackageToInstall(new PackageIdentity("a", "1-1"), InstallReason.Explicit, PackageValidation.None, () => new MemoryStream(tar))]));
        Assert.Equal("package a-1-1: /usr/link is a hard link to what the package has not installed before", error.Message);
    }

    [Theory]
    [InlineData("post_install() {\n}", "post_install", true)]
    [InlineData("#post_install() {\n}", "post_install", false)]
    [InlineData("x # post_install", "post_install", false)]
    [InlineData("my_post_install_x", "post_install", true)]
    [InlineData("", "post_install", false)]
    public void ScriptsAreSearchedAsPacmanDoes(string script, string function, bool found) =>
        Assert.Equal(found, InstallScript.Contains(Encoding.UTF8.GetBytes(script), Encoding.UTF8.GetBytes(function)));

    [Fact]
    public void ALongLineOfAScriptIsReadInPieces()
    {
        string comment = "#" + new string('x', 1021);
        Assert.False(InstallScript.Contains(Encoding.UTF8.GetBytes(comment + "\n"), "post_install"u8));
        // The comment ends with the piece.
        Assert.True(InstallScript.Contains(Encoding.UTF8.GetBytes(comment + "xpost_install"), "post_install"u8));
    }

    private static Gen<byte[]> Mutated(byte[] good) => Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte, Gen.Int[0, 3]).Array[1, 3].Select(changes =>
    {
        byte[] bytes = [.. good];
        foreach (var (at, value, kind) in changes)
        {
            int place = Math.Min(at, bytes.Length - 1);
            if (kind == 0)
            {
                bytes = bytes[..Math.Max(1, place)];
            }
            else
            {
                bytes[place] = value;
            }
        }
        return bytes;
    });

    private static void OnlyInvalidData(Action action)
    {
        try
        {
            action();
        }
        catch (InvalidDataException)
        {
            // As it should be.
        }
    }

    private static void Consume(byte[] bytes)
    {
        using var archive = Open(bytes);
        while (archive.Next() is { } entry)
        {
            entry.Content.CopyTo(Stream.Null);
        }
    }

    private static PackageArchive Open(byte[] bytes) => PackageArchive.Open(new MemoryStream(bytes), new PackageIdentity("a", "1-1"), ["x86_64"]);

    // By hand: a tree cannot have such paths.
    private static byte[] Tar(params (string Path, string Content)[] members)
    {
        using var tar = new MemoryStream();
        foreach (var (path, content) in members)
        {
            byte[] data = Encoding.UTF8.GetBytes(content);
            byte[] header = new byte[512];
            Encoding.UTF8.GetBytes(path).CopyTo(header, 0);
            Encoding.ASCII.GetBytes("0000644\00000000\00000000\0").CopyTo(header, 100);
            Encoding.ASCII.GetBytes(Convert.ToString(data.Length, 8).PadLeft(11, '0')).CopyTo(header, 124);
            Encoding.ASCII.GetBytes("00000000000\0        ").CopyTo(header, 136);
            header[156] = (byte)(path.EndsWith('/') ? '5' : '0');
            Encoding.ASCII.GetBytes("ustar\000").CopyTo(header, 257);
            Encoding.ASCII.GetBytes(Convert.ToString(header.Sum(static b => b), 8).PadLeft(6, '0') + "\0 ").CopyTo(header, 148);
            tar.Write(header);
            tar.Write(data);
            tar.Write(new byte[(512 - data.Length % 512) % 512]);
        }
        tar.Write(new byte[1024]);
        return tar.ToArray();
    }

    private static byte[] ReadAll(Stream stream)
    {
        using var all = new MemoryStream();
        stream.CopyTo(all);
        return all.ToArray();
    }
}
