using System.Text;
using CsCheck;
using Diecast.Packages;
using Diecast.Packages.Apt;

namespace Diecast.Tests.Packages.Apt;

/// <summary>Damaged indexes, Release files and lock files give one kind of error, whatever is wrong with them.</summary>
public sealed class HostileInputTests
{
    private static readonly byte[] s_packages = """
        Package: a
        Version: 1:2.0-1
        Architecture: amd64
        Depends: b (>= 1.0) | c:any, d [amd64] <!nocheck>,
         e (= 3)
        Provides: v (= 2), w
        Conflicts: x (<< 1)
        Filename: pool/a.deb
        Size: 10
        SHA256: 0000000000000000000000000000000000000000000000000000000000000000

        Package: b
        Version: 1.0
        Architecture: all
        Multi-Arch: allowed
        Provides: d, e (= 3)
        Filename: pool/b.deb
        Size: 10
        SHA256: 0000000000000000000000000000000000000000000000000000000000000000

        """u8.ToArray();

    private static readonly byte[] s_release = """
        Suite: stable
        Codename: trixie
        Date: Wed, 30 Apr 2025 20:11:00 UTC
        Valid-Until: Thu, 1 May 2025 20:11:00 UTC
        Architectures: all amd64
        SHA256:
         0000000000000000000000000000000000000000000000000000000000000000 12 main/binary-amd64/Packages.gz

        """u8.ToArray();

    private static byte[] Mutate(byte[] original, int at, byte[] replacement, int removed)
    {
        at %= original.Length;
        return [.. original[..at], .. replacement, .. original[Math.Min(original.Length, at + removed)..]];
    }

    private static readonly Gen<byte[]> s_replacement = Gen.OneOf(Gen.Byte, Gen.Char["\n: ,|()<>=[]~-\t\r\0"].Select(static c => (byte)c)).Array[0, 4];

    [Fact]
    public void AnyIndexIsReadOrRefused() => Gen.Select(Gen.Int[0, 10_000], s_replacement, Gen.Int[0, 8]).Sample((at, replacement, removed) =>
    {
        try
        {
            var pool = new PackagePool([new AptIndex("main", 500, []) { Packages = Mutate(s_packages, at, replacement, removed), File = "Packages" }], "amd64");
            foreach (var resolved in AptResolver.Resolve(pool, [["a", "b"]]))
            {
                Assert.NotNull(resolved.Package.FileName + resolved.Package.Size + resolved.Package.Sha256);
            }
        }
        catch (InvalidDataException e)
        {
            Assert.StartsWith("Packages:", e.Message, StringComparison.Ordinal);
        }
        catch (PackageException e)
        {
            Assert.NotEmpty(e.Errors);
        }
    }, iter: 1000);

    [Fact]
    public void TheIndexIsSoundWhereNothingIsChanged()
    {
        var pool = new PackagePool([new AptIndex("main", 500, []) { Packages = s_packages, File = "Packages" }], "amd64");
        Assert.Equal(["b", "a"], AptResolver.Resolve(pool, [["a"]]).Select(resolved => resolved.Package.Name));
        var release = ReleaseFile.Parse(s_release, "Release");
        Assert.Equal(("stable", "trixie", 1746043860L, 1746130260L, 500, true),
            (release.Suite, release.Codename, release.Date, release.ValidUntil, release.Priority, release.SeparatesAll));
        Assert.Equal(12, release.Find("main/binary-amd64/Packages.gz")!.Value.Size);
    }

    [Fact]
    public void AnyReleaseIsReadOrRefused() => Gen.Select(Gen.Int[0, 10_000], s_replacement, Gen.Int[0, 8]).Sample((at, replacement, removed) =>
    {
        try
        {
            ReleaseFile.Parse(Mutate(s_release, at, replacement, removed), "Release");
        }
        catch (InvalidDataException e)
        {
            Assert.StartsWith("Release:", e.Message, StringComparison.Ordinal);
        }
    }, iter: 1000);

    [Theory]
    [InlineData("Date: Wed, 30 Apr", "Date: Thu, 30 Apr", "Release:3: Date is no date: Thu, 30 Apr 2025 20:11:00 UTC")]
    [InlineData("UTC\nValid", "CET\nValid", "Release:3: Date is no date: Wed, 30 Apr 2025 20:11:00 CET")]
    [InlineData("Date: ", "Dote: ", "Release:1: the paragraph has no Date")]
    [InlineData("SHA256:", "SHA1:", "Release:1: the paragraph has no SHA256")]
    [InlineData(" 12 main", " 12", "Release:7: SHA256 has a line other than digest, size and path: 0000000000000000000000000000000000000000")]
    public void WhatIsWrongWithAReleaseIsNamed(string text, string replacement, string message) => Assert.Equal(message,
        Assert.Throws<InvalidDataException>(() => ReleaseFile.Parse(
            Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(s_release).Replace(text, replacement, StringComparison.Ordinal)), "Release")).Message);

    [Theory]
    [InlineData("NotAutomatic: yes\n", 1)]
    [InlineData("NotAutomatic: yes\nButAutomaticUpgrades: yes\n", 100)]
    [InlineData("ButAutomaticUpgrades: yes\n", 500)]
    public void ASuiteSaysItsPriority(string fields, int priority) =>
        Assert.Equal(priority, ReleaseFile.Parse((byte[])[.. Encoding.ASCII.GetBytes(fields), .. s_release], "Release").Priority);

    private const string Lock = """
        {
          "version": 1, "distribution": "debian", "release": "trixie", "snapshot": null, "architecture": "x86-64",
          "targets": ["a"], "initrdTargets": [], "time": 1, "keyring": null,
          "repositories": [{"name": "trixie", "sha256": "0000000000000000000000000000000000000000000000000000000000000000"}],
          "packages": [{"name": "a", "version": "1:2", "repository": "trixie", "file": "pool/main/a/a_2_all.deb", "size": 1,
            "sha256": "0000000000000000000000000000000000000000000000000000000000000000", "signer": null, "buildDate": 1, "reason": "explicit"}],
          "initrd": []
        }
        """;

    [Theory]
    [InlineData("pool/main", "pool/..")]
    [InlineData("pool/main", "/pool")]
    [InlineData("pool/main", "pool//main")]
    [InlineData("pool/main", "pool/.main")]
    [InlineData("\"debian\"", "\"arch\"")]
    [InlineData("\"1:2\"", "\"1;2\"")]
    [InlineData("\"name\": \"a\"", "\"name\": \"-a\"")]
    public void ALockFileLeadsNowhereElse(string text, string replacement)
    {
        Assert.Equal("a", Lockfile.Parse(Encoding.UTF8.GetBytes(Lock)).Packages[0].Name);
        Assert.Throws<InvalidDataException>(() => Lockfile.Parse(Encoding.UTF8.GetBytes(Lock.Replace(text, replacement, StringComparison.Ordinal))));
    }
}
