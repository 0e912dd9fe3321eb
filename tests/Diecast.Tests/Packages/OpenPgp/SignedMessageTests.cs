using System.Text;
using CsCheck;
using Diecast.Packages.OpenPgp;

namespace Diecast.Tests.Packages.OpenPgp;

[Collection(nameof(KeyringFixture))]
public sealed class SignedMessageTests(KeyringFixture keys)
{
    private static readonly long s_time = GpgHome.Time(KeyringFixture.Now);

    private byte[] Clearsign(string text, params string[] signers)
    {
        File.WriteAllText(keys.Gpg["message"], text);
        keys.Gpg.Run([.. signers.SelectMany(signer => new[] { "--local-user", keys.Gpg.Fingerprint(signer) }),
            "--output", keys.Gpg["message.asc"], "--clearsign", keys.Gpg["message"]]);
        return File.ReadAllBytes(keys.Gpg["message.asc"]);
    }

    private string Verify(byte[] file, long? time = null, params string[] signers) =>
        new SignatureVerifier(keys.Keyring, time ?? s_time, trustAll: true) { Signers = signers }.VerifyAny("InRelease", SignedMessage.Cleartext(file));

    private string Fails(byte[] file, long? time = null) => Assert.Throws<InvalidDataException>(() => Verify(file, time)).Message;

    [Theory]
    [InlineData("Suite: stable\nDate: x\n", "Suite: stable\nDate: x\n")]
    [InlineData("- dash\n-----BEGIN PGP SIGNATURE-----\nFrom: x\n", "- dash\n-----BEGIN PGP SIGNATURE-----\nFrom: x\n")]
    [InlineData("\n\nblank \t\n  kept\r\n", "\n\nblank\n  kept\n")]
    [InlineData("no line feed", "no line feed\n")]
    public void WhatGpgSignsIsVerifiedAndRead(string text, string content)
    {
        byte[] file = Clearsign(text, "good");
        Assert.Equal(keys.Gpg.Fingerprint("good"), Verify(file));
        Assert.Equal(content, Encoding.UTF8.GetString(SignedMessage.Cleartext(file).Content.Span));
    }

    [Theory]
    [InlineData("rsa")]
    [InlineData("ecdsa")]
    [InlineData("dsa")]
    public void EveryAlgorithmWillDo(string signer) => Assert.Equal(keys.Gpg.Fingerprint(signer), Verify(Clearsign("text\n", signer)));

    [Fact]
    public void OneGoodSignatureSuffices()
    {
        byte[] file = Clearsign("text\n", "listed", "good");
        Assert.Equal(keys.Gpg.Fingerprint("good"), Verify(file));
        Assert.Contains("whose key the keyring lists as revoked", Fails(Clearsign("text\n", "listed")), StringComparison.Ordinal);
        Assert.Contains("expired on 2025-07-01", Fails(Clearsign("text\n", "expiring"), GpgHome.Time("20250702T000000")), StringComparison.Ordinal);
        Assert.Equal(keys.Gpg.Fingerprint("expiring"), Verify(Clearsign("text\n", "expiring")));
    }

    [Fact]
    public void OnlyTheNamedKeysWillDoWhereSomeAreNamed()
    {
        byte[] file = Clearsign("text\n", "good");
        Assert.Equal(keys.Gpg.Fingerprint("good"), Verify(file, null, keys.Gpg.Fingerprint("good")));
        Assert.Contains("not one of those named", Assert.Throws<InvalidDataException>(() => Verify(file, null, keys.Gpg.Fingerprint("rsa"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AChangedTextIsABadSignatureEvenBesideAnother()
    {
        byte[] file = Clearsign("text one\n", "good", "listed");
        int at = file.AsSpan().IndexOf("one"u8);
        file[at] = (byte)'O';
        Assert.Contains("InRelease: bad signature: not what was signed by good", Fails(file), StringComparison.Ordinal);
    }

    [Fact]
    public void UnknownKeysAreNamed()
    {
        using var other = new GpgHome();
        string stranger = other.Generate("stranger");
        File.WriteAllText(other["message"], "text\n");
        other.Run("--local-user", stranger, "--output", other["message.asc"], "--clearsign", other["message"]);
        Assert.Equal($"InRelease: signed by the unknown key {stranger}", Fails(File.ReadAllBytes(other["message.asc"])));
    }

    [Fact]
    public void ADetachedSignatureMayBeOverBytesOrText()
    {
        byte[] data = "line \nanother\r\nlast"u8.ToArray();
        foreach (string[] options in (string[][])[[], ["--armor"], ["--textmode"]])
        {
            byte[] signature = keys.Gpg.Sign(keys.Gpg.Fingerprint("good"), data, options);
            var verifier = new SignatureVerifier(keys.Keyring, s_time, trustAll: true);
            Assert.Equal(keys.Gpg.Fingerprint("good"), verifier.VerifyAny("Release", SignedMessage.Detached(data, signature)));
            Assert.Throws<InvalidDataException>(() => verifier.VerifyAny("Release", SignedMessage.Detached(data.AsMemory(1), signature)));
        }
    }

    [Fact]
    public void AMessageIsAllThatThereIs()
    {
        string file = Encoding.ASCII.GetString(Clearsign("text\n", "good"));
        Assert.Equal("line 1: no -----BEGIN PGP SIGNED MESSAGE-----", Malformed("Suite: evil\n" + file));
        Assert.EndsWith("something stands behind the signature", Malformed(file + "Suite: evil\n"), StringComparison.Ordinal);
        Assert.EndsWith("it is cut off", Malformed(file[..file.IndexOf("-----BEGIN PGP SIGNATURE", StringComparison.Ordinal)]), StringComparison.Ordinal);
        Assert.EndsWith("the signature has no end", Malformed(file[..^40]), StringComparison.Ordinal);
        Assert.EndsWith("neither a Hash header nor the end of the headers", Malformed(file.Replace("Hash: ", "Suite: evil\nHash: ", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.EndsWith("a line that begins with - and is not escaped", Malformed(file.Replace("text", "-text", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => Verify(Encoding.ASCII.GetBytes(file.Replace("text\n", "text\n\n", StringComparison.Ordinal))));
    }

    private static string Malformed(string file) =>
        Assert.Throws<InvalidDataException>(() => SignedMessage.Cleartext(Encoding.ASCII.GetBytes(file))).Message;

    [Fact]
    public void EveryFlippedBitOfTheTextAndMostOfTheSignatureAreNoticed()
    {
        byte[] file = Clearsign("Suite: stable\nCodename: x\n", "good");
        int end = file.AsSpan().IndexOf("-----BEGIN PGP SIGNATURE"u8);
        int start = file.AsSpan().IndexOf("\n\n"u8) + 2;
        Gen.Select(Gen.Int[start, end - 2], Gen.Int[0, 7]).Sample((at, bit) =>
        {
            byte[] changed = [.. file];
            changed[at] ^= (byte)(1 << bit);
            // White space at the end of a line is not signed, and not read.
            if (!char.IsWhiteSpace((char)changed[at]) || changed[at + 1] != '\n')
            {
                Assert.Throws<InvalidDataException>(() => Verify(changed));
            }
        }, iter: 60);
    }
}
