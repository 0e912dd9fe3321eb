using Diecast.Packages.OpenPgp;
using Diecast.Tests.Support;

namespace Diecast.Tests.Packages.OpenPgp;

[Collection(nameof(KeyringFixture))]
public sealed class KeyringTests(KeyringFixture fixture)
{
    /// <summary>Arch's own keyring, as Debian ships it.</summary>
    [Fact]
    public void TheArchKeyringIsJudgedAsByGpg()
    {
        string directory = Path.Join(Fixture.Trixie, "usr/share/keyrings");
        using var copy = new TempDirectory();
        foreach (string path in Directory.GetFiles(directory, "archlinux*"))
        {
            File.Copy(path, copy[Path.GetFileName(path)]);
        }
        // gpg knows no key and no certification of its future, so the time has to be after that of the keyring.
        AssertSameAsGpg(copy.Path, "20270101T000000");
    }

    /// <summary>All but the short key, which gpg would accept.</summary>
    [Theory]
    [InlineData("20250615T000000")]
    [InlineData("20250801T000000")]
    public void ASmallKeyringIsJudgedAsByGpg(string time) =>
        AssertSameAsGpg(fixture.Directory, time, fixture.Gpg.Fingerprint("short"));

    private static void AssertSameAsGpg(string directory, string time, params string[] except)
    {
        var keyring = Keyring.Load(directory);
        string[] valid = [.. keyring.Fingerprints.Where(fingerprint => keyring.IsValid(fingerprint, GpgHome.Time(time)))];
        using var gpg = new GpgHome { Now = time };
        Assert.Equal(gpg.ValidKeys(directory).Except(except), valid);
        Assert.NotEmpty(valid);
        Assert.True(valid.Length < keyring.Fingerprints.Count());
    }

    [Fact]
    public void OneFullyTrustedIntroducerIsEnough()
    {
        using var directory = new TempDirectory();
        string path = fixture.Gpg.Export(directory["keyrings"], ["master1"], [], ownerTrust: 5);
        var keyring = Keyring.Load(path);
        Assert.True(keyring.IsValid(fixture.Gpg.Fingerprint("weak"), GpgHome.Time(KeyringFixture.Now)));
        Assert.False(keyring.IsValid(fixture.Gpg.Fingerprint("master2"), GpgHome.Time(KeyringFixture.Now)));
    }

    [Fact]
    public void ARevokedMasterIntroducesNobody()
    {
        using var directory = new TempDirectory();
        string path = fixture.Gpg.Export(directory["keyrings"], ["master1", "master2", "master3"], ["master3"]);
        Assert.False(Keyring.Load(path).IsValid(fixture.Gpg.Fingerprint("good"), GpgHome.Time(KeyringFixture.Now)));
    }

    [Fact]
    public void ArmoredBlocksInSequenceAreAllRead()
    {
        using var directory = new TempDirectory();
        string path = fixture.Gpg.Export(directory["keyrings"], ["master1", "master2", "master3", "direct"], []);
        string[] blocks = [.. Keyring.Load(path).Fingerprints.Select(key => fixture.Gpg.Run("--armor", "--export", key))];
        File.WriteAllText(Path.Join(path, "test.gpg"), "comment\n" + string.Concat(blocks));
        File.WriteAllText(Path.Join(path, "other.gpg"), blocks[0]);
        Assert.True(blocks.Length > 10);
        var keyring = Keyring.Load(path);
        Assert.Equal(blocks.Length, keyring.Fingerprints.Count());
        Assert.True(keyring.IsValid(fixture.Gpg.Fingerprint("good"), GpgHome.Time(KeyringFixture.Now)));
    }

    [Fact]
    public void OnlyTheNamedKeyringsAreRead()
    {
        using var directory = new TempDirectory();
        string path = fixture.Gpg.Export(directory["keyrings"], ["master1"], []);
        string digest = Keyring.Load(path).Digest;
        File.WriteAllText(Path.Join(path, "other.gpg"), "no keyring");
        Assert.Equal(digest, Keyring.Load(path, "test").Digest);
        Assert.Throws<InvalidDataException>(() => Keyring.Load(path));
        Assert.Throws<InvalidDataException>(() => Keyring.Load(path, "tes"));
    }

    [Fact]
    public void TheDigestCoversNamesAndContents()
    {
        using var directory = new TempDirectory();
        string path = fixture.Gpg.Export(directory["keyrings"], ["master1"], []);
        string digest = Keyring.Load(path).Digest;
        Assert.Equal(digest, Keyring.Load(path).Digest);
        Assert.Equal(64, digest.Length);
        File.AppendAllText(Path.Join(path, "test-revoked"), fixture.Gpg.Fingerprint("good") + "\n");
        Assert.NotEqual(digest, Keyring.Load(path).Digest);
        File.WriteAllText(Path.Join(path, "test-revoked"), "");
        File.Move(Path.Join(path, "test.gpg"), Path.Join(path, "toast.gpg"));
        Assert.NotEqual(digest, Keyring.Load(path).Digest);
    }

    [Theory]
    [InlineData("test.gpg", "no key", "test.gpg: neither binary nor armored OpenPGP data")]
    [InlineData("test.gpg", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ\n", "test.gpg: line 1: the armored block has no end")]
    [InlineData("test.gpg", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n%%%%\n-----END PGP X", "test.gpg: line 1: the armored block is not base64")]
    [InlineData("test.gpg", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQEB\n=AAAA\n-----END PGP X", "test.gpg: line 5: the armor's checksum is wrong")]
    [InlineData("test.gpg", "", "holds no keyring")]
    [InlineData("test-trusted", "\n1234:4:\n", "test-trusted:2: not FINGERPRINT:OWNERTRUST:")]
    [InlineData("test-revoked", "nobody\n", "test-revoked:1: not a fingerprint")]
    public void MalformedFilesAreNamed(string name, string content, string message)
    {
        using var directory = new TempDirectory();
        File.WriteAllText(directory[name], content);
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => Keyring.Load(directory.Path)).Message, StringComparison.Ordinal);
    }
}
