using System.Security.Cryptography;
using System.Text;
using Diecast.Packages;
using Diecast.Packages.Apt;
using Diecast.Tests.Packages.OpenPgp;
using Diecast.Tests.Support;

namespace Diecast.Tests.Packages.Apt;

/// <summary>Keys of an archive, made once.</summary>
public sealed class ArchiveKeys : IDisposable
{
    public ArchiveKeys()
    {
        Tool.Require("gpg");
        Gpg = new GpgHome();
        Gpg.Generate("archive", "rsa2048");
        Gpg.Generate("second");
        Gpg.Generate("short-lived", expire: "20250601T000000");
        Gpg.Run("--output", Gpg["archive.gpg"], "--export");
        Gpg.Generate("stranger");
        Keyring = File.ReadAllBytes(Gpg["archive.gpg"]);
    }

    internal GpgHome Gpg { get; }

    public byte[] Keyring { get; }

    public void Dispose() => Gpg.Dispose();
}

/// <summary>From signed repositories of the layouts of Debian and Ubuntu to the lock file, and from that to the packages.</summary>
public sealed class AptSourceTests : IClassFixture<ArchiveKeys>, IDisposable
{
    private static readonly long s_now = GpgHome.Time("20250501T000000");
    private static readonly long s_date = GpgHome.Time("20250430T201100");
    private static readonly string[] s_base = ["?essential", "base-files"];

    private readonly ArchiveKeys _keys;
    private readonly TempDirectory _directory = new();
    private readonly PackageStore _store;
    private readonly TestArchive _archive;
    private readonly LoopbackServer _server;
    private readonly Downloader _downloader = new(new DownloadOptions { Attempts = 1 });

    public AptSourceTests(ArchiveKeys keys)
    {
        _keys = keys;
        _store = new PackageStore(_directory["store"]);
        _archive = new TestArchive(keys.Gpg);
        _server = new LoopbackServer(request => _archive.Files.TryGetValue(Uri.UnescapeDataString(request.Target).TrimStart('/'), out byte[]? content)
            ? LoopbackServer.Serve(content, request)
            : new LoopbackServer.Response(404, []));
        Directory.CreateDirectory(_directory["host/usr/share/keyrings"]);
        foreach (string distribution in (string[])["debian", "ubuntu"])
        {
            File.WriteAllBytes(_directory[$"host/usr/share/keyrings/{distribution}-archive-keyring.gpg"], keys.Keyring);
        }
    }

    public void Dispose()
    {
        _downloader.Dispose();
        _server.Dispose();
        _directory.Dispose();
    }

    private void MakeDebian()
    {
        _archive.Add("trixie", "main", "base-files 13; Essential: yes; Depends: libc6");
        _archive.Add("trixie", "main", "libc6 2.41-1");
        _archive.Add("trixie", "main", "systemd 257-1; Depends: libc6 (>= 2.40), libssl3 | libnone");
        _archive.Add("trixie", "main", "libssl3 1:3.5+dfsg-1; Multi-Arch: same");
        _archive.Add("trixie", "contrib", "tool 1~rc1; Depends: systemd");
        _archive.Add("trixie-updates", "main", "unrelated 1");
        _archive.Add("trixie-updates", "contrib", "unrelated-too 1");
        _archive.Add("trixie-security", "main", "libssl3 1:3.5+dfsg-1+deb13u1");
        _archive.Add("trixie-security", "contrib", "unrelated-contrib 1");
        _archive.Publish();
        // Debian's security archive is one of its own.
        foreach (string path in _archive.Files.Keys.Where(path => path.StartsWith("dists/trixie-security/", StringComparison.Ordinal) || path.Contains("deb13u1", StringComparison.Ordinal)).ToList())
        {
            _archive.Files["debian-security/" + path] = _archive.Files[path];
            _archive.Files.Remove(path);
        }
        foreach (string path in _archive.Files.Keys.Where(path => !path.StartsWith("debian-security/", StringComparison.Ordinal)).ToList())
        {
            _archive.Files["debian/" + path] = _archive.Files[path];
            _archive.Files.Remove(path);
        }
    }

    private void MakeUbuntu()
    {
        _archive.Add("noble", "main", "base-files 13; Essential: yes; Depends: libc6");
        _archive.Add("noble", "main", "libc6 2.39-0ubuntu8");
        _archive.Add("noble", "universe", "tool 1; Depends: libc6");
        _archive.Add("noble-updates", "main", "libc6 2.39-0ubuntu8.2; Phased-Update-Percentage: 100");
        _archive.Add("noble-updates", "universe", "other 1");
        _archive.Add("noble-security", "main", "libc6 2.39-0ubuntu8.1");
        _archive.Add("noble-security", "universe", "other 1");
        foreach (string suite in (string[])["noble", "noble-updates", "noble-security"])
        {
            _archive.Field(suite, "Acquire-By-Hash: yes");
        }
        _archive.Publish();
    }

    private AptConfiguration Configuration(string distribution = "debian", string? mirror = null, string? snapshot = null) => AptConfiguration.Read(new AptSettings
    {
        Distribution = distribution,
        Release = distribution == "debian" ? "trixie" : "noble",
        Mirror = mirror ?? _server.Address(distribution == "debian" ? "debian" : "").ToString(),
        Snapshot = snapshot,
        Repositories = [distribution == "debian" ? "contrib" : "universe"],
        HostRoot = _directory["host"],
    });

    private AptSource Source(AptConfiguration? configuration = null, long? now = null) => new(configuration ?? Configuration(), _store, _downloader) { Now = now ?? s_now, BaseTargets = s_base };

    private static LockRequest Request(string distribution, params string[] targets) => new()
    {
        Distribution = distribution,
        Release = distribution == "debian" ? "trixie" : "noble",
        Architecture = "x86-64",
        Repositories = ["main"],
        Targets = [.. targets],
    };

    private string LockFails(params string[] targets) =>
        Assert.ThrowsAny<Exception>(() => Source().Lock(Request("debian", targets))) is var e and (PackageException or InvalidDataException or DownloadException)
            ? e.Message
            : throw new InvalidOperationException("another exception");

    [Fact]
    public void ALockOfDebianHoldsAllThatWasResolvedAndChecked()
    {
        MakeDebian();
        var lockfile = Source().Lock(Request("debian", "tool") with { InitrdTargets = ["systemd"] });
        Assert.Equal(["libc6", "base-files", "libssl3", "systemd", "tool"], lockfile.Packages.Select(package => package.Name));
        Assert.Equal(["libc6", "base-files", "libssl3", "systemd"], lockfile.Initrd.Select(package => package.Name));
        Assert.Equal(["trixie", "trixie-updates", "trixie-security"], lockfile.Repositories.Select(repository => repository.Name));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(_archive.Files["debian/dists/trixie/InRelease"])), lockfile.Repositories[0].Sha256);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(_archive.Files["debian-security/dists/trixie-security/InRelease"])), lockfile.Repositories[2].Sha256);
        Assert.Equal((s_date, 64), (lockfile.Time, lockfile.Keyring!.Length));
        var security = lockfile.Packages.Single(package => package.Name == "libssl3");
        Assert.Equal(("1:3.5+dfsg-1+deb13u1", "trixie-security", "pool/main/l/libssl3/libssl3_1%3a3.5+dfsg-1+deb13u1_amd64.deb", s_date, InstallReason.Dependency, _keys.Gpg.Fingerprint("archive")),
            (security.Version, security.Repository, security.File, security.BuildDate, security.Reason, security.Signer));
        Assert.Equal(InstallReason.Explicit, lockfile.Packages[^1].Reason);
        Assert.Equal(lockfile.Digest, Lockfile.Parse(lockfile.ToBytes()).Digest);
        Assert.DoesNotContain("127.0.0.1", Encoding.UTF8.GetString(lockfile.ToBytes()), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatBothSetsHaveIsDecompressedOnce()
    {
        MakeDebian();
        using var fetched = Source().Fetch(Source().Lock(Request("debian", "tool") with { InitrdTargets = ["systemd"] }));
        Assert.Null(fetched.Packages.Single(static package => package.Locked.Name == "tool").SharedData);
        foreach (var package in fetched.Initrd)
        {
            var data = fetched.Packages.Single(other => other.Locked.Name == package.Locked.Name).SharedData;
            Assert.NotNull(data);
            Assert.Same(data, package.SharedData);
            Assert.False(data.IsValueCreated);
            // Here the files are no packages, which both sets are told.
            Assert.Same(Assert.Throws<InvalidDataException>(() => data.Value), Assert.Throws<InvalidDataException>(() => package.SharedData!.Value));
        }
    }

    [Fact]
    public void WhatIsLockedIsFetchedByItsDigest()
    {
        MakeDebian();
        var lockfile = Source().Lock(Request("debian", "tool"));
        using (var fetched = Source().Fetch(lockfile))
        {
            Assert.Equal("the package libssl3 1:3.5+dfsg-1+deb13u1", Encoding.ASCII.GetString(fetched.Packages[2].File.ReadBytes(0, (int)fetched.Packages[2].File.Length)));
        }
        int requests = _server.Requests.Count;
        Source().Fetch(lockfile).Dispose();
        Assert.Equal(requests, _server.Requests.Count);
        // A mirror that has other bytes under the name is not believed.
        string path = "debian/" + lockfile.Packages.Single(package => package.Name == "tool").File;
        _archive.Files[path] = [.. _archive.Files[path].Reverse()];
        Directory.Delete(_directory["store"], recursive: true);
        Directory.CreateDirectory(_directory["store"]);
        Assert.Contains("trixie/tool-1~rc1: ", Assert.Throws<DownloadException>(() => Source().Fetch(lockfile)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(".xz")]
    [InlineData(".zst")]
    [InlineData("")]
    public void AnyCompressionWillDo(string compression)
    {
        _archive.Compressions = [compression];
        MakeDebian();
        Assert.Equal(5, Source().Lock(Request("debian", "tool")).Packages.Length);
    }

    [Fact]
    public void ADetachedSignatureWillDoAndSeveral()
    {
        _archive.IsDetached = true;
        _archive.Signers = ["stranger", "second", "archive"];
        MakeDebian();
        var lockfile = Source().Lock(Request("debian", "tool"));
        Assert.Equal(_keys.Gpg.Fingerprint("second"), lockfile.Packages[0].Signer);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(_archive.Files["debian/dists/trixie/Release"])), lockfile.Repositories[0].Sha256);
    }

    [Fact]
    public void AnUnchangedIndexIsNotFetchedAgain()
    {
        MakeDebian();
        Source().Lock(Request("debian", "tool"));
        int before = _server.Requests.Count;
        Source().Lock(Request("debian", "systemd"));
        Assert.Equal(["/debian-security/dists/trixie-security/InRelease", "/debian/dists/trixie-updates/InRelease", "/debian/dists/trixie/InRelease"],
            _server.Requests.Skip(before).Select(request => request.Target).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void UbuntuHasItsSuitesInOneArchiveAndIndexesByHash()
    {
        MakeUbuntu();
        var configuration = Configuration("ubuntu");
        var lockfile = Source(configuration).Lock(Request("ubuntu", "tool"));
        Assert.Equal(["libc6 2.39-0ubuntu8.2 noble-updates", "base-files 13 noble", "tool 1 noble"],
            lockfile.Packages.Select(package => $"{package.Name} {package.Version} {package.Repository}"));
        Assert.Contains(_server.Requests, request => request.Target.StartsWith("/dists/noble/universe/binary-amd64/by-hash/SHA256/", StringComparison.Ordinal));
        Assert.DoesNotContain(_server.Requests, request => request.Target.EndsWith("Packages.gz", StringComparison.Ordinal));
        Source(configuration).Fetch(lockfile).Dispose();
    }

    [Fact]
    public void ADirectoryWillDoForAMirror()
    {
        MakeDebian();
        foreach (var (path, content) in _archive.Files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_directory["www/" + path])!);
            File.WriteAllBytes(_directory["www/" + path], content);
        }
        var configuration = Configuration(mirror: "file://" + _directory["www/debian"]);
        var lockfile = Source(configuration).Lock(Request("debian", "tool"));
        Source(configuration).Fetch(lockfile).Dispose();
        Assert.Empty(_server.Requests);
        Assert.Equal(lockfile.Digest, Source().Lock(Request("debian", "tool")).Digest);
    }

    [Fact]
    public void AChangedIndexIsRefused()
    {
        MakeDebian();
        byte[] index = _archive.Files["debian/dists/trixie/main/binary-amd64/Packages.gz"];
        index[^9] ^= 1;
        Assert.Contains("trixie/main/binary-amd64/Packages.gz: ", LockFails("tool"), StringComparison.Ordinal);
    }

    [Fact]
    public void AChangedOrForeignReleaseIsRefused()
    {
        MakeDebian();
        byte[] release = _archive.Files["debian/dists/trixie/InRelease"];
        byte[] original = [.. release];
        release[release.AsSpan().IndexOf("Packages.gz"u8)] ^= 1;
        Assert.Contains("trixie/InRelease: bad signature: not what was signed by archive", LockFails("tool"), StringComparison.Ordinal);
        _archive.Files["debian/dists/trixie/InRelease"] = _archive.Files["debian/dists/trixie-updates/InRelease"];
        Assert.Equal("trixie/InRelease: is the suite trixie-updates (trixie-updates), not trixie", LockFails("tool"));
        _archive.Files["debian/dists/trixie/InRelease"] = original[..^60];
        Assert.Contains("trixie/InRelease: line ", LockFails("tool"), StringComparison.Ordinal);
        _archive.Files.Remove("debian/dists/trixie/InRelease");
        Assert.Contains("trixie/InRelease", LockFails("tool"), StringComparison.Ordinal);
        Assert.Contains("404", LockFails("tool"), StringComparison.Ordinal);
    }

    [Fact]
    public void AnUnknownKeyIsRefused()
    {
        _archive.Signers = ["stranger"];
        MakeDebian();
        Assert.Equal($"trixie/InRelease: signed by the unknown key {_keys.Gpg.Fingerprint("stranger")}", LockFails("tool"));
    }

    [Fact]
    public void AnArchiveOfThePastIsJudgedAsOfItsOwnDate()
    {
        _archive.Signers = ["short-lived"];
        foreach (string suite in (string[])["trixie", "trixie-updates", "trixie-security"])
        {
            _archive.Field(suite, "Valid-Until: Thu, 08 May 2025 00:00:00 UTC");
        }
        MakeDebian();
        long later = GpgHome.Time("20250602T000000");
        Assert.Contains("whose key expired on 2025-06-01", Assert.Throws<InvalidDataException>(() => Source(now: later).Lock(Request("debian", "tool"))).Message, StringComparison.Ordinal);
        Assert.Equal("trixie/InRelease: was valid until 2025-05-08 00:00:00 UTC and is expired: the mirror is not kept up to date, or the clock is wrong (a source of your own with Check-Valid-Until: no accepts it)",
            Assert.Throws<InvalidDataException>(() => Source(now: GpgHome.Time("20250510T000000")).Lock(Request("debian", "tool"))).Message);
        Assert.Equal("trixie/InRelease: is of 2025-04-30 20:11:00 UTC, which is still to come: the clock is wrong",
            Assert.Throws<InvalidDataException>(() => Source(now: GpgHome.Time("20250430T201000")).Lock(Request("debian", "tool"))).Message);
        var configuration = Configuration();
        var past = new AptSource(configuration, _store, _downloader) { Now = null, BaseTargets = s_base };
        Assert.Equal(5, past.Lock(Request("debian", "tool")).Packages.Length);
    }

    [Fact]
    public void WithoutAKeyCheckNothingIsSignedAndWhatWasLockedSoIsNotUsedWithOne()
    {
        _archive.Signers = ["stranger"];
        MakeDebian();
        var configuration = Configuration();
        var unchecked_ = configuration with { Repositories = [.. configuration.Repositories.Select(repository => repository with { Keys = null })] };
        var lockfile = Source(unchecked_).Lock(Request("debian", "libc6"));
        Assert.Null(lockfile.Keyring);
        Assert.All(lockfile.Packages, package => Assert.Null(package.Signer));
        Source(unchecked_).Fetch(lockfile).Dispose();
        Assert.Equal("trixie/libc6-2.41-1: was locked without a check of its repository's signature: run diecast lock\n"
            + "trixie/base-files-13: was locked without a check of its repository's signature: run diecast lock",
            Assert.Throws<PackageException>(() => Source().Fetch(lockfile)).Message);
    }

    [Fact]
    public void WhatIsMissingIsNamed()
    {
        MakeDebian();
        Assert.Equal("gone: there is no package of this name", LockFails("gone"));
        var other = Configuration();
        other = other with { Repositories = [other.Repositories[0] with { Components = ["main", "restricted"] }] };
        Assert.Equal("trixie/InRelease: has no component restricted for amd64",
            Assert.Throws<InvalidDataException>(() => Source(other).Lock(Request("debian", "tool"))).Message);
        Assert.Equal("trixie/InRelease: has no packages for riscv64, only for amd64, arm64",
            Assert.Throws<InvalidDataException>(() => Source(Configuration() with { Architecture = "riscv64" }).Lock(Request("debian", "tool"))).Message);
    }

    [Theory]
    [InlineData("Filename: ../../etc/passwd", "Filename is no path in the repository")]
    [InlineData("Filename: /etc/passwd", "Filename is no path in the repository")]
    [InlineData("Filename: pool/./x", "Filename is no path in the repository")]
    [InlineData("Size: 1x", "Size is no number")]
    [InlineData("SHA256: 00", "package evil has no valid SHA256")]
    public void AMaliciousIndexIsRefused(string field, string message)
    {
        var text = new StringBuilder("Package: evil\nVersion: 1\nArchitecture: all\n");
        foreach (string line in (string[])["Filename: pool/x", "Size: 1", $"SHA256: {new string('0', 64)}"])
        {
            text.Append(line.Split(':')[0] == field.Split(':')[0] ? field : line).Append('\n');
        }
        var pool = new PackagePool([new AptIndex("main", 500, []) { Packages = Encoding.UTF8.GetBytes(text.ToString()), File = "Packages" }], "amd64");
        var package = AptResolver.Resolve(pool, [["evil"]])[0].Package;
        Assert.EndsWith(message, Assert.Throws<InvalidDataException>(() => $"{package.FileName}{package.Size}{package.Sha256}").Message, StringComparison.Ordinal);
    }
}
