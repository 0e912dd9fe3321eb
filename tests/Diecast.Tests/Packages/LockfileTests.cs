using System.Text;
using CsCheck;
using Diecast.Packages;
using Diecast.Tests.Support;

namespace Diecast.Tests.Packages;

public sealed class LockfileTests
{
    private const string Text = """
        {
          "version": 1,
          "distribution": "arch",
          "release": "rolling",
          "snapshot": "2025/05/20",
          "architecture": "x86-64",
          "targets": [
            "base",
            "linux"
          ],
          "initrdTargets": [],
          "time": 1747699200,
          "keyring": "00000000000000000000000000000000000000000000000000000000000000aa",
          "repositories": [
            {
              "name": "core",
              "sha256": "00000000000000000000000000000000000000000000000000000000000000bb"
            }
          ],
          "packages": [
            {
              "name": "libstdc++",
              "version": "1:5.2.37+r2-1",
              "repository": "core",
              "file": "libstdc++-1:5.2.37+r2-1-x86_64.pkg.tar.zst",
              "size": 1234567,
              "sha256": "00000000000000000000000000000000000000000000000000000000000000cc",
              "signer": "AECED92FE33D4F1A045977228C86C3FA127937FD",
              "buildDate": 1747600000,
              "reason": "dependency"
            },
            {
              "name": "base",
              "version": "3-2",
              "repository": "core",
              "file": "base-3-2-any.pkg.tar.zst",
              "size": 7,
              "sha256": "00000000000000000000000000000000000000000000000000000000000000dd",
              "signer": null,
              "buildDate": 1747600001,
              "reason": "explicit"
            }
          ],
          "initrd": []
        }

        """;

    private static Lockfile Sample { get; } = Lockfile.Parse(Encoding.UTF8.GetBytes(Text));

    private static LockRequest Request { get; } = new()
    {
        Distribution = "arch",
        Release = "rolling",
        Snapshot = "2025/05/20",
        Architecture = "x86-64",
        Repositories = ["core"],
        Targets = ["base", "linux"],
    };

    [Fact]
    public void TheFormIsFixed() => Assert.Equal(Text, Encoding.UTF8.GetString(Sample.ToBytes()));

    [Fact]
    public void TheDigestIsThatOfTheContentNotOfItsForm()
    {
        string compact = Text.Replace("\n", "", StringComparison.Ordinal).Replace("  ", "", StringComparison.Ordinal);
        Assert.Equal("90b1a10b26a5944d49fb7605a897a148d249492643b7dd1000652c869fe6e17a", Sample.Digest);
        Assert.Equal(Sample.Digest, Lockfile.Parse(Encoding.UTF8.GetBytes(compact)).Digest);
        Assert.NotEqual(Sample.Digest, (Sample with { Time = Sample.Time + 1 }).Digest);
    }

    [Fact]
    public void ValuesAreRead()
    {
        var package = Sample.Packages[0];
        Assert.Equal(("libstdc++", "1:5.2.37+r2-1", 1234567, InstallReason.Dependency),
            (package.Name, package.Version, package.Size, package.Reason));
        Assert.Null(Sample.Packages[1].Signer);
        Assert.Equal("core/base-3-2", Sample.Packages[1].ToString());
    }

    [Fact]
    public void SavedAndLoadedItIsTheSame()
    {
        using var directory = new TempDirectory();
        Sample.Save(directory["diecast.lock"]);
        Assert.Equal(Sample.Digest, Lockfile.Load(directory["diecast.lock"]).Digest);
        Assert.Single(Directory.GetFiles(directory.Path));
    }

    [Theory]
    [InlineData("\"version\": 1,", "\"version\": 2,", "diecast.lock: has a format version other than 1, which this Diecast reads: run diecast lock")]
    [InlineData("\"time\": 1747699200", "\"time\": -1", "diecast.lock:12: time: expected a number from 0 on")]
    [InlineData("\"time\": 1747699200", "\"time\": \"1\"", "diecast.lock:12: time: expected a number from 0 on")]
    [InlineData("\"size\": 7", "\"size\": 7.5", "diecast.lock:37: packages[1].size: expected a number from 0 on")]
    [InlineData("0000dd", "0000DD", "diecast.lock:38: packages[1].sha256: expected a SHA-256 in lower-case hexadecimal")]
    [InlineData("0000dd", "000dd", "diecast.lock:38: packages[1].sha256: expected a SHA-256 in lower-case hexadecimal")]
    [InlineData("AECED9", "AECED", "diecast.lock:28: packages[0].signer: expected a fingerprint in upper-case hexadecimal or null")]
    [InlineData("\"file\": \"base-3-2-any.pkg.tar.zst\"", "\"file\": \"../base\"", "diecast.lock:36: packages[1].file: expected a file name")]
    [InlineData("\"name\": \"core\"", "\"name\": \"../core\"", "diecast.lock:16: repositories[0].name: expected a repository's name")]
    [InlineData("\"explicit\"", "\"because\"", "diecast.lock:41: packages[1].reason: ")]
    [InlineData("\"explicit\"", "1", "diecast.lock:41: packages[1].reason: ")]
    [InlineData("\"release\": \"rolling\"", "\"release\": null", "diecast.lock:4: release: ")]
    [InlineData("\"release\": \"rolling\",", "", "diecast.lock:45: ")]
    [InlineData("\"release\":", "\"relief\": \"\", \"release\":", "diecast.lock:4: relief: ")]
    [InlineData("\"release\":", "\"distribution\": \"arch\", \"release\":", "diecast.lock:4: distribution: ")]
    [InlineData("\"initrd\": []", "\"initrd\": [],", "diecast.lock:45: ")]
    [InlineData("  \"initrd\": []\n}", "", "diecast.lock:4")]
    [InlineData("\"name\": \"base\"", "\"name\": \"../base\"", "diecast.lock: ../base 3-2 is no package name and version")]
    [InlineData("\"name\": \"base\"", "\"name\": \"libstdc++\"", "diecast.lock: libstdc++ stands twice in a list")]
    [InlineData("\"repository\": \"core\",\n      \"file\": \"base", "\"repository\": \"extra\",\n      \"file\": \"base", "diecast.lock: extra/base-3-2 is of no repository in it")]
    public void ErrorsNameTheLine(string old, string @new, string message)
    {
        string wrong = Text.Replace(old, @new, StringComparison.Ordinal);
        Assert.NotEqual(Text, wrong);
        var exception = Assert.Throws<InvalidDataException>(() => Lockfile.Parse(Encoding.UTF8.GetBytes(wrong)));
        Assert.StartsWith(message, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Path:", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("\u0000")]
    public void WhatIsNoLockFileIsRefused(string text) =>
        Assert.StartsWith("diecast.lock:1: ",
            Assert.Throws<InvalidDataException>(() => Lockfile.Parse(Encoding.UTF8.GetBytes(text))).Message, StringComparison.Ordinal);

    [Fact]
    public void DamageIsMalformedAtWorst()
    {
        byte[] original = Encoding.UTF8.GetBytes(Text);
        Gen.Select(Gen.Int[0, original.Length - 1], Gen.Byte, Gen.Int[0, original.Length], Gen.Bool).Sample((place, value, length, truncate) =>
        {
            byte[] damaged = truncate ? original[..length] : [.. original];
            if (place < damaged.Length)
            {
                damaged[place] = value;
            }
            try
            {
                _ = Lockfile.Parse(damaged).Digest;
            }
            catch (InvalidDataException)
            {
                // As it should be.
            }
        }, iter: 2000);
    }

    [Fact]
    public void AFittingRequestPasses() => Sample.RequireFit(Request);

    public static TheoryData<string, LockRequest> Misfits => new()
    {
        { "packages: +vim", Request with { Targets = ["base", "linux", "vim"] } },
        { "packages: -linux", Request with { Targets = ["base"] } },
        { "packages: in another order", Request with { Targets = ["linux", "base"] } },
        { "packages of the initrd: +kmod", Request with { InitrdTargets = ["kmod"] } },
        { "snapshot: +none -2025/05/20", Request with { Snapshot = null } },
        { "repositories: +extra", Request with { Repositories = ["core", "extra"] } },
        { "distribution: +debian -arch; release: +trixie -rolling", Request with { Distribution = "debian", Release = "trixie" } },
        { "architecture: +arm64 -x86-64", Request with { Architecture = "arm64" } },
    };

    [Theory]
    [MemberData(nameof(Misfits))]
    public void AMisfitSaysWhatDiffersAndWhatToDo(string difference, LockRequest request) => Assert.Equal(
        $"diecast.lock does not fit the configuration ({difference}): run diecast lock",
        Assert.Throws<InvalidDataException>(() => Sample.RequireFit(request)).Message);
}
