using System.Security.Cryptography;
using Diecast.Images;

namespace Diecast.Packages.OpenPgp;

/// <summary>Judges detached signatures by a keyring as of a time. Safe for use by several threads.</summary>
/// <param name="time">
/// A Unix time: that of the snapshot, which is its newest build date. Not today, when keys of an old snapshot have expired.
/// </param>
/// <param name="trustAll">Whether any key in the keyring will do that is not revoked or expired: pacman's TrustAll.</param>
public sealed class SignatureVerifier(Keyring keyring, long time, bool trustAll = false)
{
    private const int MaximumSignatureSize = 64 << 10;

    /// <summary>Verifies all signatures in detached signature data (binary or armored), as pacman does.</summary>
    /// <param name="name">The data's name, for messages.</param>
    /// <returns>The fingerprint of the (first) signer's primary key, upper-case hexadecimal.</returns>
    /// <exception cref="InvalidDataException">
    /// The signature is malformed, does not fit the data, or its key is not to be relied on: one line with name and reason.
    /// </exception>
    public string Verify(string name, Blob data, ReadOnlyMemory<byte> signature) =>
        Verify(name, signature, hash => hash.AppendData(data));

    /// <summary>As <see cref="Verify(string, Blob, ReadOnlyMemory{byte})"/>, for data in memory.</summary>
    public string Verify(string name, byte[] data, ReadOnlyMemory<byte> signature) =>
        Verify(name, signature, hash => hash.AppendData(data));

    private string Verify(string name, ReadOnlyMemory<byte> data, Action<IncrementalHash> append)
    {
        try
        {
            string? first = null;
            foreach (var signature in Parse(data))
            {
                string signer = VerifyOne(signature, append);
                first ??= signer;
            }
            return first!;
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{name}: {e.Message}", e);
        }
    }

    private static List<Signature> Parse(ReadOnlyMemory<byte> data)
    {
        if (data.IsEmpty || data.Length > MaximumSignatureSize)
        {
            throw new InvalidDataException($"a signature of {data.Length} bytes");
        }
        var signatures = new List<Signature>();
        foreach (var packet in Packets.Split(Armor.Decode(data)))
        {
            signatures.Add(packet.Tag != PacketTag.Signature
                ? throw new InvalidDataException($"the signature holds a packet of type {(int)packet.Tag}, which does not belong there")
                : Signature.Parse(packet.Body)
                    ?? throw new InvalidDataException($"signature version {packet.Body.Span[0]} is not supported"));
        }
        return signatures;
    }

    private string VerifyOne(Signature signature, Action<IncrementalHash> append)
    {
        if (signature.Type != SignatureType.Binary)
        {
            throw new InvalidDataException($"a signature of type {(int)signature.Type:x2}, not over a file");
        }
        var (entry, key) = FindKey(signature);
        string signer = $"signed by {entry.Certificate.Describe()}";
        var facts = entry.Facts.Value;
        var signing = facts.SigningKeys.Find(candidate => candidate.Key == key)!;
        if (signature.Defect(bySelf: false) is { } defect)
        {
            throw new InvalidDataException($"{signer}, but {defect}");
        }
        using (var hash = IncrementalHash.CreateHash(signature.Digest!.Value))
        {
            append(hash);
            if (!key.Verify(signature, signature.Finish(hash)))
            {
                throw new InvalidDataException($"bad signature: not what was {signer}; the contents were changed");
            }
        }
        string? refusal = keyring.Refusal(entry, time, trustAll)
            ?? signing.Refusal
            ?? (key.Weakness is { } weakness ? $"with {weakness}" : null)
            ?? (Keyring.IsPast(signing.Expires, time) ? $"with a subkey that {Keyring.Expired(signing.Expires, time)}" : null)
            ?? (Keyring.IsPast(signature.Expires, time) ? $"but the signature {Keyring.Expired(signature.Expires, time)}" : null);
        return refusal is null
            ? entry.Certificate.Primary.Fingerprint
            : throw new InvalidDataException($"{signer}, {refusal}");
    }

    private (Keyring.Entry Entry, PublicKey Key) FindKey(Signature signature)
    {
        ulong? keyId = signature.IssuerFingerprint is { } fingerprint
            ? Convert.ToUInt64(fingerprint[24..], 16)
            : signature.IssuerKeyId;
        if (keyId is null)
        {
            throw new InvalidDataException("the signature does not name its key");
        }
        foreach (var entry in keyring.Find(keyId.Value))
        {
            foreach (var candidate in entry.Facts.Value.SigningKeys)
            {
                if (signature.IsIssuedBy(candidate.Key))
                {
                    return (entry, candidate.Key);
                }
            }
        }
        throw new InvalidDataException($"signed by the unknown key {signature.IssuerFingerprint ?? $"{keyId.Value:X16}"}");
    }
}
