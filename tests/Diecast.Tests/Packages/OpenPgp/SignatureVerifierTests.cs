using CsCheck;
using Diecast.Images;
using Diecast.Packages.OpenPgp;

namespace Diecast.Tests.Packages.OpenPgp;

[Collection(nameof(KeyringFixture))]
public sealed class SignatureVerifierTests(KeyringFixture fixture)
{
    private const string AfterExpiry = "20250801T000000";

    private string Verify(string signature, byte[]? data = null, string time = KeyringFixture.Now) =>
        new SignatureVerifier(fixture.Keyring, GpgHome.Time(time)).Verify("a.pkg", data ?? fixture.Data, fixture.Signature(signature));

    [Theory]
    [InlineData("good", "good")]
    [InlineData("good, armored", "good")]
    [InlineData("good and rsa", "good")]
    [InlineData("rsa", "rsa")]
    [InlineData("ecdsa", "ecdsa")]
    [InlineData("dsa", "dsa")]
    [InlineData("direct", "direct")]
    [InlineData("subkey", "subkeys")]
    [InlineData("expiring subkey", "subkeys")]
    [InlineData("expiring", "expiring")]
    [InlineData("faded", "faded")]
    [InlineData("fading", "good")]
    [InlineData("SHA-1 of old", "rsa")]
    public void GoodOnesNameThePrimaryKey(string signature, string signer) =>
        Assert.Equal(fixture.Gpg.Fingerprint(signer), Verify(signature));

    [Theory]
    [InlineData("weak", "who is trusted only marginally (2 of 3")]
    [InlineData("withdrawn", "who is trusted only marginally (2 of 3")]
    [InlineData("sha1", "who is trusted only marginally (2 of 3")]
    [InlineData("good and weak", "who is trusted only marginally (2 of 3")]
    [InlineData("listed", "whose key the keyring lists as revoked")]
    [InlineData("revoked", "whose key is revoked")]
    [InlineData("unnamed", "whom no trusted key certifies")]
    [InlineData("revoked subkey", "with a subkey that is revoked")]
    [InlineData("short", "who has a key of 1024 bits, which is too short")]
    [InlineData("stranger", "signed by the unknown key ")]
    [InlineData("SHA-1", "the signature uses SHA-1 and is younger than 2019-01-19")]
    [InlineData("MD5", "the signature uses MD5, which is broken")]
    [InlineData("text", "a signature of type 01, not over a file")]
    public void BadOnesAreRefusedWithTheReason(string signature, string reason)
    {
        string message = Assert.Throws<InvalidDataException>(() => Verify(signature)).Message;
        Assert.StartsWith("a.pkg: ", message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData("expiring", "whose key expired on 2025-07-01, before 2025-08-01")]
    [InlineData("expiring subkey", "with a subkey that expired on 2025-07-01, before 2025-08-01")]
    [InlineData("fading", "but the signature expired on 2025-07-01, before 2025-08-01")]
    [InlineData("faded", "who is trusted only marginally (2 of 3")]
    public void ExpiryIsJudgedAtTheTime(string signature, string reason) => Assert.Contains(
        reason, Assert.Throws<InvalidDataException>(() => Verify(signature, time: AfterExpiry)).Message, StringComparison.Ordinal);

    /// <summary>gpg accepts what is weak, and leaves it to pacman to look at whether a key is disabled.</summary>
    [Theory]
    [InlineData("20250615T000000")]
    [InlineData(AfterExpiry)]
    public void GpgIsOfTheSameOpinion(string time)
    {
        string[] stricter = ["short", "SHA-1", "SHA-1 of old", "text", "listed"];
        using var gpg = new GpgHome { Now = time };
        gpg.ValidKeys(fixture.Directory);
        var verdicts = fixture.SignatureNames.Except(stricter).Select(name =>
            (name, Gpg: gpg.Accepts(fixture.Data, fixture.Signature(name)), Own: Accepts(name, time))).ToList();
        Assert.Equal(verdicts.Select(verdict => (verdict.name, verdict.Gpg)), verdicts.Select(verdict => (verdict.name, verdict.Own)));
        Assert.True(verdicts.Count(verdict => verdict.Gpg) > 5);
        Assert.True(verdicts.Count(verdict => !verdict.Gpg) > 5);
        Assert.False(gpg.Accepts([.. fixture.Data, 1], fixture.Signature("good")));
    }

    private bool Accepts(string signature, string time)
    {
        try
        {
            Verify(signature, time: time);
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    [Fact]
    public void ExpiryCountsFromItsSecondOn()
    {
        Verify("expiring", time: "20250630T235959");
        Assert.Throws<InvalidDataException>(() => Verify("expiring", time: "20250701T000000"));
    }

    [Theory]
    [InlineData("good")]
    [InlineData("rsa")]
    [InlineData("ecdsa")]
    [InlineData("dsa")]
    public void EveryFlippedByteOfTheDataIsNoticed(string signature)
    {
        for (int i = 0; i < fixture.Data.Length; i++)
        {
            byte[] changed = [.. fixture.Data];
            changed[i] ^= 0x20;
            Assert.Contains("the contents were changed",
                Assert.Throws<InvalidDataException>(() => Verify(signature, changed)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void ABlobIsReadWhole()
    {
        byte[] data = new byte[3_000_000];
        data[^1] = 1;
        byte[] signature = fixture.Gpg.Sign(fixture.Gpg.Fingerprint("good"), data);
        var verifier = new SignatureVerifier(fixture.Keyring, GpgHome.Time(KeyringFixture.Now));
        Assert.Equal(fixture.Gpg.Fingerprint("good"), verifier.Verify("a.pkg", new MemoryBlob(data), signature));
        data[^1] = 2;
        Assert.Throws<InvalidDataException>(() => verifier.Verify("a.pkg", new MemoryBlob(data), signature));
    }

    /// <summary>What is not protected by the hash may change; then the signer is the same. Else it is a clear refusal.</summary>
    [Theory]
    [InlineData("good", "good")]
    [InlineData("subkey", "subkeys")]
    public void ADamagedSignatureIsNeverSomeoneElses(string signature, string signer)
    {
        var verifier = new SignatureVerifier(fixture.Keyring, GpgHome.Time(KeyringFixture.Now));
        byte[] original = fixture.Signature(signature);
        Damage(original).Sample(damaged =>
        {
            try
            {
                return verifier.Verify("a.pkg", fixture.Data, damaged) == fixture.Gpg.Fingerprint(signer);
            }
            catch (InvalidDataException)
            {
                return true;
            }
        }, iter: 2000);
    }

    [Fact]
    public void ADamagedKeyringIsMalformedAtWorst()
    {
        string path = Path.Join(fixture.Directory, "test.gpg");
        byte[] original = File.ReadAllBytes(path);
        using var copy = new Support.TempDirectory();
        File.Copy(Path.Join(fixture.Directory, "test-trusted"), copy["test-trusted"]);
        Damage(original).Sample(damaged =>
        {
            File.WriteAllBytes(copy["test.gpg"], damaged);
            try
            {
                var keyring = Keyring.Load(copy.Path);
                _ = keyring.Fingerprints.Count(fingerprint => keyring.IsValid(fingerprint, 0));
            }
            catch (InvalidDataException e)
            {
                Assert.Contains(copy.Path, e.Message, StringComparison.Ordinal);
            }
        }, iter: 60, threads: 1);
    }

    private static Gen<byte[]> Damage(byte[] original) => Gen.Select(
        Gen.Int[0, original.Length - 1], Gen.Byte, Gen.Int[0, original.Length], Gen.Bool, (place, value, length, truncate) =>
        {
            byte[] damaged = truncate ? original[..length] : [.. original];
            if (place < damaged.Length)
            {
                damaged[place] = value;
            }
            return damaged;
        });
}
