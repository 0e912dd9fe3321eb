using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using Diecast.Packages;
using Diecast.Packages.Pacman;
using Diecast.Tests.Packages.OpenPgp;
using Diecast.Tests.Support;

namespace Diecast.Tests.Packages;

/// <summary>A mirror of a few signed packages, from the database to the lock file and back.</summary>
[Collection(nameof(KeyringFixture))]
public sealed class PacmanSourceTests : IDisposable
{
    private static readonly long s_time = GpgHome.Time("20250520T000000");

    private readonly KeyringFixture _keys;
    private readonly TempDirectory _directory = new();
    private readonly PackageStore _store;
    private readonly Dictionary<string, byte[]> _files = new(StringComparer.Ordinal);
    private readonly List<Entry> _entries = [];
    private readonly LoopbackServer _server;
    private readonly Downloader _downloader = new(new DownloadOptions { Attempts = 1 });

    private sealed record Entry(string Name, string Depends, string? Signer, bool Embedded, long BuildDate);

    public PacmanSourceTests(KeyringFixture keys)
    {
        _keys = keys;
        _store = new PackageStore(_directory["store"]);
        _server = new LoopbackServer(request =>
            _files.TryGetValue(Uri.UnescapeDataString(request.Target), out byte[]? content)
                ? LoopbackServer.Serve(content, request)
                : new LoopbackServer.Response(404, []));
        _entries.Add(new Entry("glibc", "", "good", true, s_time - 100));
        _entries.Add(new Entry("bash", "glibc", "rsa", true, s_time));
        _entries.Add(new Entry("kmod", "glibc", "subkeys", false, s_time - 5));
        _entries.Add(new Entry("linux", "kmod initramfs", "direct", false, s_time - 7));
        _entries.Add(new Entry("weak-signed", "glibc", "weak", true, s_time - 8));
        _entries.Add(new Entry("gone-signed", "", "listed", true, s_time - 8));
        _entries.Add(new Entry("not-signed", "", null, false, s_time - 8));
    }

    public void Dispose()
    {
        _downloader.Dispose();
        _server.Dispose();
        _directory.Dispose();
    }

    private static byte[] Content(string name) => Encoding.ASCII.GetBytes($"the package {name}");

    private static string FileName(string name) => $"{name}-1:1.0+r1-1-any.pkg.tar.zst";

    private static LockRequest Request(string[] targets, params string[] initrd) => new()
    {
        Distribution = "arch",
        Release = "rolling",
        Architecture = "x86-64",
        Repositories = ["core"],
        Targets = [.. targets],
        InitrdTargets = [.. initrd],
    };

    private void Publish()
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var entry in _entries)
            {
                byte[] content = Content(entry.Name);
                _files["/core/" + FileName(entry.Name)] = content;
                string desc = $"%FILENAME%\n{FileName(entry.Name)}\n\n%NAME%\n{entry.Name}\n\n%VERSION%\n1:1.0+r1-1\n\n%CSIZE%\n{content.Length}\n\n"
                    + $"%ISIZE%\n1\n\n%SHA256SUM%\n{Convert.ToHexStringLower(SHA256.HashData(content))}\n\n%ARCH%\nany\n\n%BUILDDATE%\n{entry.BuildDate}\n\n"
                    + (entry.Depends.Length == 0 ? "" : $"%DEPENDS%\n{entry.Depends.Replace(' ', '\n')}\n\n");
                if (entry.Signer is not null)
                {
                    byte[] signature = _keys.Gpg.Sign(_keys.Gpg.Fingerprint(entry.Signer), content);
                    if (entry.Embedded)
                    {
                        desc += $"%PGPSIG%\n{Convert.ToBase64String(signature)}\n\n";
                    }
                    else
                    {
                        _files[$"/core/{FileName(entry.Name)}.sig"] = signature;
                    }
                }
                tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, $"{entry.Name}-1:1.0+r1-1/desc")
                {
                    DataStream = new MemoryStream(Encoding.ASCII.GetBytes(desc)),
                });
            }
        }
        _files["/core/core.db"] = stream.ToArray();
    }

    private PacmanSource Source(SigLevel? level = null, Downloader? downloader = null, string? server = null) => new(
        new PacmanConfiguration
        {
            Repositories = [new PacmanRepository("core", [server ?? _server.Address("core/").ToString()],
                level ?? new SigLevel(SignatureCheck.Required, false, SignatureCheck.Optional, false))],
            Architectures = ["x86_64"],
        },
        () => _keys.Keyring, _store, downloader ?? _downloader)
    {
        AssumeInstalled = ["initramfs"],
    };

    private string LockFails(SigLevel? level, params string[] targets) =>
        Assert.Throws<PackageException>(() => Source(level).Lock(Request(targets))).Message;

    [Fact]
    public void ALockHoldsAllThatWasResolvedAndChecked()
    {
        Publish();
        var lockfile = Source().Lock(Request(["bash", "linux"], "kmod"));
        Assert.Equal(["glibc", "bash", "kmod", "linux"], lockfile.Packages.Select(package => package.Name));
        Assert.Equal(["glibc", "kmod"], lockfile.Initrd.Select(package => package.Name));
        Assert.Equal(
            [InstallReason.Dependency, InstallReason.Explicit, InstallReason.Dependency, InstallReason.Explicit],
            lockfile.Packages.Select(package => package.Reason));
        Assert.Equal(["good", "rsa", "subkeys", "direct"],
            lockfile.Packages.Select(package => new[] { "good", "rsa", "subkeys", "direct" }.Single(name => _keys.Gpg.Fingerprint(name) == package.Signer)));
        Assert.Equal(s_time, lockfile.Time);
        Assert.Equal(_keys.Keyring.Digest, lockfile.Keyring);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(_files["/core/core.db"])), Assert.Single(lockfile.Repositories).Sha256);
        Assert.DoesNotContain("127.0.0.1", Encoding.UTF8.GetString(lockfile.ToBytes()), StringComparison.Ordinal);
        lockfile.RequireFit(Request(["bash", "linux"], "kmod"));
        Assert.Equal(lockfile.Digest, Lockfile.Parse(lockfile.ToBytes()).Digest);
    }

    [Fact]
    public void FromALockNoDatabaseIsNeededAndFromAWarmStoreNoServer()
    {
        Publish();
        var lockfile = Source().Lock(Request(["linux"], "kmod"));
        Directory.Delete(_store.Directory, recursive: true);
        Directory.CreateDirectory(_store.Directory);
        _files.Remove("/core/core.db");
        _server.Requests.Clear();
        using (var fetched = Source().Fetch(lockfile))
        {
            Assert.Equal(["glibc", "kmod", "linux"], fetched.Packages.Select(package => package.Locked.Name));
            Assert.Equal(["glibc", "kmod"], fetched.Initrd.Select(package => package.Locked.Name));
            Assert.Equal(Content("linux"), fetched.Packages[2].File.ReadBytes(0, (int)fetched.Packages[2].File.Length));
        }
        Assert.Equal(3, _server.Requests.Count);
        using (var fetched = Source(server: "http://127.0.0.1:1/").Fetch(lockfile))
        {
            Assert.Equal(3, fetched.Packages.Length);
        }
        Assert.Equal(3, _server.Requests.Count);
    }

    [Fact]
    public void FileMirrorsWork()
    {
        Publish();
        foreach (var (path, content) in _files)
        {
            Directory.CreateDirectory(_directory["core"]);
            File.WriteAllBytes(_directory.Path + path, content);
        }
        var lockfile = Source(server: "file://" + _directory["core"]).Lock(Request(["linux"]));
        Assert.Equal(3, lockfile.Packages.Length);
        Assert.Empty(_server.Requests);
        Assert.Equal("core.db: /nonexistent/core.db does not exist",
            Assert.Throws<DownloadException>(() => Source(server: "file:///nonexistent").Lock(Request(["linux"]))).Message);
        Assert.Equal("repository core: ftp://host is no http, https or file address",
            Assert.Throws<PackageException>(() => Source(server: "ftp://host").Lock(Request(["linux"]))).Message);
    }

    [Fact]
    public void BadSignersAreRefusedByNameAllAtOnce()
    {
        Publish();
        string[] lines = LockFails(null, "bash", "weak-signed", "gone-signed", "not-signed").Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.StartsWith("core/weak-signed-1:1.0+r1-1: signed by weak <weak@example.org> (", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("who is trusted only marginally (2 of 3 certifications by trusted keys)", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("core/gone-signed-1:1.0+r1-1: signed by listed <listed@example.org> (", lines[1], StringComparison.Ordinal);
        Assert.EndsWith("whose key the keyring lists as revoked", lines[1], StringComparison.Ordinal);
        Assert.Equal(
            $"core/{FileName("not-signed")}: is not signed (core/{FileName("not-signed")}.sig: 127.0.0.1:{_server.Port} answers 404 NotFound)", lines[2]);
    }

    [Fact]
    public void TheLevelsOfPacmanHold()
    {
        Publish();
        var optional = new SigLevel(SignatureCheck.Optional, false, SignatureCheck.Never, false);
        Assert.Null(Assert.Single(Source(optional).Lock(Request(["not-signed"])).Packages).Signer);
        Assert.Contains("only marginally", LockFails(optional, "weak-signed"), StringComparison.Ordinal);
        var trustAll = optional with { PackagesTrustAll = true };
        Assert.Equal(_keys.Gpg.Fingerprint("weak"), Source(trustAll).Lock(Request(["weak-signed"])).Packages[^1].Signer);
        Assert.Contains("lists as revoked", LockFails(trustAll, "gone-signed"), StringComparison.Ordinal);
        var never = Source(SigLevel.Never).Lock(Request(["weak-signed", "gone-signed", "not-signed"]));
        Assert.All(never.Packages, package => Assert.Null(package.Signer));
        Assert.Null(never.Keyring);
        Assert.Contains("core/glibc-1:1.0+r1-1: was locked without a check of its signature: run diecast lock",
            Assert.Throws<PackageException>(() => Source().Fetch(never)).Errors);
        Source(SigLevel.Never).Fetch(never).Dispose();
    }

    [Fact]
    public void DatabaseSignaturesAreChecked()
    {
        var required = new SigLevel(SignatureCheck.Required, false, SignatureCheck.Required, false);
        Publish();
        Assert.StartsWith("core/core.db: is not signed (", Assert.Throws<InvalidDataException>(
            () => Source(required).Lock(Request(["bash"]))).Message, StringComparison.Ordinal);
        _files["/core/core.db.sig"] = _keys.Gpg.Sign(_keys.Gpg.Fingerprint("good"), _files["/core/core.db"]);
        Source(required).Lock(Request(["bash"]));
        _files["/core/core.db.sig"] = _keys.Gpg.Sign(_keys.Gpg.Fingerprint("good"), Content("another"));
        Assert.StartsWith("core.db: bad signature: ", Assert.Throws<InvalidDataException>(
            () => Source().Lock(Request(["bash"]))).Message, StringComparison.Ordinal);
        Source(SigLevel.Never).Lock(Request(["bash"]));
    }

    [Fact]
    public void KeysAreJudgedAtTheTimeOfTheSnapshot()
    {
        _entries.Add(new Entry("expiring", "", "expiring", true, s_time - 1));
        Publish();
        Source().Lock(Request(["expiring"]));
        _entries.Add(new Entry("newer", "", "good", true, GpgHome.Time("20250801T000000")));
        Publish();
        Assert.EndsWith("whose key expired on 2025-07-01, before 2025-08-01", LockFails(null, "expiring"), StringComparison.Ordinal);
    }

    [Fact]
    public void ATamperedPackageIsNamed()
    {
        Publish();
        string sha256 = Convert.ToHexStringLower(SHA256.HashData(Content("bash")));
        _files["/core/" + FileName("bash")][0] ^= 1;
        string message = Assert.Throws<DownloadException>(() => Source().Lock(Request(["bash"]))).Message;
        Assert.StartsWith("core/bash-1:1.0+r1-1: ", message, StringComparison.Ordinal);
        Assert.EndsWith($"instead of {sha256}", message, StringComparison.Ordinal);
    }

    /// <summary>A mirror that also changes the database to fit cannot make the signature fit.</summary>
    [Fact]
    public void ATamperedPackageThatTheDatabaseFitsIsNamed()
    {
        Publish();
        byte[] signature = _keys.Gpg.Sign(_keys.Gpg.Fingerprint("direct"), Content("another"));
        _files[$"/core/{FileName("linux")}.sig"] = signature;
        Assert.StartsWith("core/linux-1:1.0+r1-1: bad signature: not what was signed by direct <direct@example.org> (",
            Assert.Throws<PackageException>(() => Source().Lock(Request(["linux"]))).Message, StringComparison.Ordinal);
    }
}
