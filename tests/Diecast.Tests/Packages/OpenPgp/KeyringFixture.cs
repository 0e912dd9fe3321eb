using Diecast.Packages.OpenPgp;
using Diecast.Tests.Support;

namespace Diecast.Tests.Packages.OpenPgp;

[CollectionDefinition(nameof(KeyringFixture))]
public sealed class KeyringCollection : ICollectionFixture<KeyringFixture>;

/// <summary>A small web of trust with one key for each way in which a key can be good or bad, made by gpg once.</summary>
public sealed class KeyringFixture : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly Dictionary<string, byte[]> _signatures = new(StringComparer.Ordinal);

    internal const string Now = "20250501T000000";
    private const string Later = "20250601T000000";

    public KeyringFixture()
    {
        Tool.Require("gpg");
        Gpg = new GpgHome();
        string[] masters = ["master1", "master2", "master3", "master4"];
        foreach (string master in masters)
        {
            Gpg.Generate(master, usage: "cert");
        }
        MakeKeys();
        MakeSubkeys();
        Revoke();
        Sign();
        Directory = Gpg.Export(_directory["keyrings"], [.. masters, "direct"], ["listed"]);
        Keyring = Keyring.Load(Directory);
    }

    internal GpgHome Gpg { get; }

    internal byte[] Data { get; } = "the contents of a package"u8.ToArray();

    public Keyring Keyring { get; }

    public string Directory { get; }

    public IEnumerable<string> SignatureNames => _signatures.Keys;

    public byte[] Signature(string name) => _signatures[name];

    private void MakeKeys()
    {
        Gpg.Generate("rsa", "rsa2048");
        Gpg.Generate("ecdsa", "nistp256");
        Gpg.Generate("dsa", "dsa2048");
        Gpg.Generate("short", "rsa1024");
        Gpg.Generate("expiring", expire: "20250701T000000");
        foreach (string name in (string[])["good", "listed", "revoked", "weak", "unnamed", "sha1", "faded", "withdrawn", "subkeys", "direct", "stranger"])
        {
            Gpg.Generate(name);
        }
        foreach (string name in (string[])["rsa", "ecdsa", "dsa", "short", "expiring", "good", "listed", "revoked", "unnamed", "subkeys"])
        {
            CertifyThrice(name);
        }
        Gpg.Certify("master1", "weak");
        Gpg.Certify("master2", "weak");
        Gpg.Certify("master1", "sha1");
        Gpg.Certify("master2", "sha1");
        Gpg.Certify("master3", "sha1", "--cert-digest-algo", "SHA1", "--allow-weak-key-signatures");
        Gpg.Certify("master1", "faded");
        Gpg.Certify("master2", "faded");
        Gpg.Certify("master3", "faded", "--default-cert-expire", "20250701T000000");
        CertifyThrice("withdrawn");
        // gpg does not revoke the last user id of a key.
        Gpg.Run("--quick-add-uid", Gpg.Fingerprint("unnamed"), "another <another@example.org>");
    }

    private void CertifyThrice(string name)
    {
        foreach (string master in (string[])["master1", "master2", "master3"])
        {
            Gpg.Certify(master, name);
        }
    }

    private void MakeSubkeys()
    {
        Gpg.Run("--quick-add-key", Gpg.Fingerprint("subkeys"), "rsa2048", "sign", "never");
        Gpg.Run("--quick-add-key", Gpg.Fingerprint("subkeys"), "ed25519", "sign", "20250701T000000");
        Gpg.Run("--quick-add-key", Gpg.Fingerprint("subkeys"), "nistp384/ecdsa", "sign", "never");
        Subkeys = [.. Gpg.Run("--with-colons", "--list-keys", Gpg.Fingerprint("subkeys")).Split('\n')
            .Where(line => line.StartsWith("fpr:", StringComparison.Ordinal)).Skip(1).Select(line => line.Split(':')[9] + "!")];
    }

    private string[] Subkeys { get; set; } = [];

    private void Sign()
    {
        foreach (string name in (string[])["rsa", "ecdsa", "dsa", "short", "expiring", "good", "listed", "weak", "sha1", "faded", "withdrawn", "direct", "stranger"])
        {
            _signatures[name] = Gpg.Sign(Gpg.Fingerprint(name), Data);
        }
        _signatures["subkey"] = Gpg.Sign(Subkeys[0], Data);
        _signatures["expiring subkey"] = Gpg.Sign(Subkeys[1], Data);
        _signatures["good, armored"] = Gpg.Sign(Gpg.Fingerprint("good"), Data, "--armor");
        _signatures["good and weak"] = [.. _signatures["good"], .. _signatures["weak"]];
        _signatures["good and rsa"] = [.. _signatures["good"], .. _signatures["rsa"]];
        _signatures["SHA-1"] = Gpg.Sign(Gpg.Fingerprint("rsa"), Data, "--digest-algo", "SHA1");
        _signatures["SHA-1 of old"] = Faked("20181231T000000", () => Gpg.Sign(Gpg.Fingerprint("rsa"), Data, "--digest-algo", "SHA1", "--ignore-time-conflict"));
        _signatures["MD5"] = Gpg.Sign(Gpg.Fingerprint("rsa"), Data, "--digest-algo", "MD5", "--allow-weak-digest-algos");
        _signatures["text"] = Gpg.Sign(Gpg.Fingerprint("good"), Data, "--textmode");
        _signatures["fading"] = Gpg.Sign(Gpg.Fingerprint("good"), Data, "--default-sig-expire", "20250701T000000");
        // The keyring does not get to know this one.
        Gpg.Run("--delete-secret-and-public-key", Gpg.Fingerprint("stranger"));
    }

    private T Faked<T>(string time, Func<T> action)
    {
        string now = Gpg.Now;
        Gpg.Now = time;
        T result = action();
        Gpg.Now = now;
        return result;
    }

    /// <summary>All revocations are younger than the time that the keys are judged at.</summary>
    private void Revoke()
    {
        foreach (string name in (string[])["revoked", "unnamed"])
        {
            _signatures[name] = Gpg.Sign(Gpg.Fingerprint(name), Data);
        }
        _signatures["revoked subkey"] = Gpg.Sign(Subkeys[2], Data);
        Gpg.Now = Later;
        Gpg.Revoke("revoked");
        Gpg.Run("--quick-revoke-uid", Gpg.Fingerprint("unnamed"), "unnamed <unnamed@example.org>");
        Gpg.Edit(Gpg.Fingerprint("subkeys"), "key 3", "revkey", "y", "0", "", "y");
        Gpg.Run("--quick-revoke-sig", Gpg.Fingerprint("withdrawn"), Gpg.Fingerprint("master3"));
        Gpg.Now = Now;
    }

    public void Dispose()
    {
        Gpg.Dispose();
        _directory.Dispose();
    }
}
