using Diecast.Packages;
using Diecast.Packages.Apt;
using Diecast.Tests.Support;

namespace Diecast.Tests.Packages.Apt;

public sealed class AptConfigurationTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public AptConfigurationTests()
    {
        Write("host/usr/share/keyrings/debian-archive-keyring.gpg", "debian");
        Write("host/usr/share/keyrings/ubuntu-archive-keyring.gpg", "ubuntu");
        Directory.CreateDirectory(_directory["tree"]);
    }

    public void Dispose() => _directory.Dispose();

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_directory[path])!);
        File.WriteAllText(_directory[path], text);
    }

    private AptSettings Settings(string distribution = "debian", string release = "trixie", string? mirror = "http://mirror.test/debian/") => new()
    {
        Distribution = distribution,
        Release = release,
        Mirror = mirror,
        SandboxTrees = [_directory["tree"]],
        HostRoot = _directory["host"],
    };

    private static string[] Describe(AptSettings settings) => [.. AptConfiguration.Read(settings).Repositories
        .Select(repository => $"{repository.Name}: {repository.Address} {repository.Suite} {string.Join(' ', repository.Components)}".TrimEnd())];

    private static string Fails(AptSettings settings) => Assert.Throws<PackageException>(() => AptConfiguration.Read(settings)).Message;

    [Fact]
    public void ADebianReleaseHasUpdatesAndSecurityUpdates()
    {
        Assert.Equal(
            ["trixie: http://mirror.test/debian trixie main contrib", "trixie-updates: http://mirror.test/debian trixie-updates main contrib",
                "trixie-security: http://mirror.test/debian-security trixie-security main contrib"],
            Describe(Settings() with { Repositories = ["contrib"] }));
        Assert.Equal(["sid: http://mirror.test/debian sid main"], Describe(Settings(release: "sid")));
    }

    [Fact]
    public void AnUbuntuReleaseHasThemInTheSameArchive() => Assert.Equal(
        ["noble: http://mirror.test/ubuntu noble main universe", "noble-updates: http://mirror.test/ubuntu noble-updates main universe",
            "noble-security: http://mirror.test/ubuntu noble-security main universe"],
        Describe(Settings("ubuntu", "noble", "http://mirror.test/ubuntu") with { Repositories = ["main", "universe"] }));

    [Fact]
    public void ASnapshotIsBelowTheDatedArchive()
    {
        var settings = Settings(mirror: "http://mirror.test/archive/debian") with { Snapshot = "20260101T000000Z" };
        Assert.Equal(
            ["trixie: http://mirror.test/archive/debian/20260101T000000Z trixie main",
                "trixie-security: http://mirror.test/archive/debian-security/20260101T000000Z trixie-security main"], Describe(settings));
        Assert.All(AptConfiguration.Read(settings).Repositories, repository => Assert.False(repository.ChecksValidity));
        Assert.StartsWith("Snapshot= needs Mirror=", Fails(settings with { Mirror = null }), StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutAMirrorTheAddressesAreThoseOfTheHostsApt()
    {
        Assert.Equal("there is no Mirror=, and this machine's apt gets nothing from Debian: write Mirror=ADDRESS in [Distribution], the address "
            + "(http, https or file) of the directory of a mirror that holds dists and pool", Fails(Settings(mirror: null)));
        Write("host/etc/apt/sources.list.d/other.sources", "Types: deb\nURIs: http://third.test/deb\nSuites: stable\nComponents: main\n\n"
            + "Types: deb\nURIs: http://docker.test/linux/debian\nSuites: bookworm\nComponents: stable\n");
        Assert.StartsWith("there is no Mirror=", Fails(Settings(mirror: null)), StringComparison.Ordinal);
        Write("host/etc/apt/sources.list", "# comment\ndeb-src http://near.test/debian bookworm main\ndeb [arch=amd64 signed-by=/x.gpg] http://near.test/debian bookworm main contrib # end\n"
            + "deb http://near.test/debian bookworm-updates main\ndeb http://secure.test/debian-security bookworm-security main\n");
        Assert.Equal(
            ["trixie: http://near.test/debian trixie main", "trixie-updates: http://near.test/debian trixie-updates main",
                "trixie-security: http://secure.test/debian-security trixie-security main"], Describe(Settings(mirror: null)));
        Assert.Contains("gets nothing from Ubuntu", Fails(Settings("ubuntu", "noble", null)), StringComparison.Ordinal);
        Write("host/etc/apt/sources.list.d/ubuntu.sources", "Types: deb\nURIs: http://u.test/ubuntu/\nSuites: jammy jammy-updates\nComponents: main\n\n"
            + "Types: deb\nURIs: http://us.test/ubuntu/\nSuites: jammy-security\nComponents: main\n");
        Assert.Equal(
            ["noble: http://u.test/ubuntu noble main", "noble-updates: http://u.test/ubuntu noble-updates main", "noble-security: http://us.test/ubuntu noble-security main"],
            Describe(Settings("ubuntu", "noble", null)));
    }

    /// <summary>As in Debian's cloud images.</summary>
    [Fact]
    public void TheHostsAptMayHaveAListOfMirrors()
    {
        Write("host/etc/apt/sources.list.d/debian.sources", "Types: deb\nURIs: mirror+file:///etc/apt/mirrors/debian.list\nSuites: bookworm bookworm-updates\nComponents: main\n\n"
            + "Types: deb\nURIs: mirror+file:///etc/apt/mirrors/debian-security.list\nSuites: bookworm-security\nComponents: main\n");
        Assert.StartsWith("there is no Mirror=", Fails(Settings(mirror: null)), StringComparison.Ordinal);
        Write("host/etc/apt/mirrors/debian.list", "# near\n\nhttps://near.test/debian/\tpriority:1\nhttps://far.test/debian\n");
        Write("host/etc/apt/mirrors/debian-security.list", "https://secure.test/debian-security\n");
        Assert.Equal(
            ["trixie: https://near.test/debian trixie main", "trixie-updates: https://near.test/debian trixie-updates main",
                "trixie-security: https://secure.test/debian-security trixie-security main"], Describe(Settings(mirror: null)));
    }

    [Fact]
    public void TheUsersOwnSourcesAreAddedInTheOrderOfTheirNames()
    {
        Write("tree/usr/share/keyrings/own.gpg", "own");
        Write("tree/etc/apt/trusted.gpg.d/trusted.asc", "trusted");
        Write("tree/etc/apt/sources.list.d/backports.sources",
            "# newer\nTypes: deb deb-src\nURIs: http://mirror.test/debian\nSuites: trixie-backports\nComponents: main contrib\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n");
        Write("tree/etc/apt/sources.list.d/zz.list",
            "deb [signed-by=/usr/share/keyrings/own.gpg check-valid-until=no] file:///pkgs/$(ARCH) ./\ndeb [trusted=yes] http://third.test trixie main\ndeb [arch=arm64] http://third.test x main\n");
        Write("tree/etc/apt/sources.list.d/off.sources", "Types: deb\nEnabled: no\nURIs: http://off.test\nSuites: x\nComponents: main\n");
        Assert.Equal(
            ["trixie-backports: http://mirror.test/debian trixie-backports main contrib", "trixie: http://mirror.test/debian trixie main",
                "trixie-updates: http://mirror.test/debian trixie-updates main", "trixie-security: http://mirror.test/debian-security trixie-security main",
                "flat: file:///pkgs/amd64 ./", "trixie+2: http://third.test trixie main"], Describe(Settings()));
        var repositories = AptConfiguration.Read(Settings()).Repositories;
        Assert.Equal(["debian", "debian", "debian", "debian", "own", "-"],
            repositories.Select(repository => repository.Keys is { } keys ? System.Text.Encoding.UTF8.GetString(keys.Single().Content) : "-"));
        Assert.Equal([true, true, true, true, false, true], repositories.Select(repository => repository.ChecksValidity));
        Assert.All(AptConfiguration.Read(Settings() with { KeyCheck = false }).Repositories, repository => Assert.Null(repository.Keys));
    }

    [Fact]
    public void AFileMkosiSourcesStandsForTheDefaults()
    {
        Write("tree/etc/apt/trusted.gpg.d/trusted.asc", "trusted");
        Write("tree/etc/apt/sources.list.d/mkosi.sources", "Types: deb\nURIs: http://own.test\nSuites: own\nComponents: main\n");
        var only = Assert.Single(AptConfiguration.Read(Settings(mirror: null)).Repositories);
        Assert.Equal("own", only.Suite);
        Assert.Equal("trusted", System.Text.Encoding.UTF8.GetString(only.Keys!.Value.Single().Content));
    }

    [Fact]
    public void KeysMayBeNamedOrStandInTheFile()
    {
        Write("tree/etc/apt/sources.list.d/a.sources", "Types: deb\nURIs: http://a.test\nSuites: x\nComponents: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQ==\n -----END PGP PUBLIC KEY BLOCK-----\n\n"
            + "Types: deb\nURIs: http://b.test\nSuites: y\nComponents: main\nSigned-By: 0123456789ABCDEF0123456789abcdef01234567!\n");
        var repositories = AptConfiguration.Read(Settings()).Repositories;
        Assert.Equal("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ==\n-----END PGP PUBLIC KEY BLOCK-----\n",
            System.Text.Encoding.UTF8.GetString(repositories[0].Keys!.Value.Single().Content).TrimStart('\n'));
        Assert.Equal(["0123456789ABCDEF0123456789ABCDEF01234567"], repositories[1].Signers);
    }

    [Theory]
    [InlineData("a.list", "rpm http://x.test y main", "1: rpm is neither deb nor deb-src")]
    [InlineData("a.list", "\ndeb http://x.test", "2: deb needs an address and a suite")]
    [InlineData("a.list", "deb [arch=amd64 http://x.test y main", "1: the options have no ]")]
    [InlineData("a.list", "deb cdrom:x y main", "1: cdrom:x is no http, https or file address")]
    [InlineData("a.list", "deb http://x.test y", "1: there are no components")]
    [InlineData("a.list", "deb http://x.test y/ main", "1: a suite that ends with / has no components")]
    [InlineData("a.list", "deb http://x.test y/../../z main", "1: .. leads out of the repository")]
    [InlineData("a.list", "deb [signed-by=/gone.gpg] http://x.test y main", "1: Signed-By: there is no /gone.gpg, neither in a sandbox tree nor on this machine")]
    [InlineData("a.sources", "Types: deb\nURIs: http://x.test\n", "1: has no Suites")]
    [InlineData("a.sources", "Types: deb\nnonsense\n", "2: neither a field (NAME: VALUE) nor the continuation of one")]
    [InlineData("a.sources", "Types: deb\nURIs: http://x.test\nSuites: y\nComponents: main\nSigned-By: me\n", "1: Signed-By: me is neither the path of a keyring nor a fingerprint")]
    public void WhatIsWrongIsSaidWithItsPlace(string file, string text, string message)
    {
        Write($"tree/etc/apt/sources.list.d/{file}", text);
        Assert.Equal($"{_directory[$"tree/etc/apt/sources.list.d/{file}"]}:{message}", Fails(Settings()));
    }

    [Fact]
    public void WithoutAKeyringItIsSaidWhatToInstall()
    {
        File.Delete(_directory["host/usr/share/keyrings/ubuntu-archive-keyring.gpg"]);
        Assert.Equal("there is no usr/share/keyrings/ubuntu-archive-keyring.gpg to check ubuntu's packages with: install the package ubuntu-keyring, or put the file below mkosi.sandbox",
            Fails(Settings("ubuntu", "noble")));
    }
}
