using System.Security.Cryptography;
using Diecast.Images;

namespace Diecast.Packages.OpenPgp;

/// <summary>Judges signatures by a keyring as of a time. Safe for use by several threads.</summary>
/// <param name="time">
/// A Unix time: that of the snapshot, which is its newest build date. Not today, when keys of an old snapshot have expired.
/// </param>
/// <param name="trustAll">Whether any key in the keyring will do that is not revoked or expired: pacman's TrustAll.</param>
public sealed class SignatureVerifier(Keyring keyring, long time, bool trustAll = false)
{
    private const int MaximumSignatureSize = 64 << 10;

    /// <summary>Fingerprints of the keys, primary or sub, of which one must have signed; empty for any.</summary>
    public IReadOnlyCollection<string> Signers { get; init; } = [];

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

    /// <summary>
    /// Verifies the index of a repository as apt does: one good signature by a key of the keyring suffices, as repositories are
    /// signed by several keys, but none may be wrong.
    /// </summary>
    /// <param name="name">The file's, for messages.</param>
    /// <param name="message">A cleartext signed message, or a file with its detached signature.</param>
    /// <inheritdoc cref="Verify(string, Blob, ReadOnlyMemory{byte})"/>
    public string VerifyAny(string name, SignedMessage message)
    {
        string? signer = null;
        var reasons = new List<string>();
        foreach (var packet in Split(name, message.Signature))
        {
            var judgement = JudgeAny(message, packet);
            if (judgement.IsBad)
            {
                throw new InvalidDataException($"{name}: {judgement.Reason}");
            }
            signer ??= judgement.Signer;
            reasons.Add(judgement.Reason ?? "");
        }
        return signer ?? throw new InvalidDataException($"{name}: {(reasons.Count == 0 ? "is not signed" : string.Join("; ", reasons.Distinct(StringComparer.Ordinal)))}");
    }

    private static IEnumerable<Packet> Split(string name, ReadOnlyMemory<byte> signature)
    {
        try
        {
            return signature.IsEmpty || signature.Length > MaximumSignatureSize
                ? throw new InvalidDataException($"a signature of {signature.Length} bytes")
                : [.. Packets.Split(Armor.Decode(signature))];
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{name}: {e.Message}", e);
        }
    }

    private Judgement JudgeAny(SignedMessage message, Packet packet)
    {
        try
        {
            // Those of other versions may stand beside one of version 4.
            return packet.Tag != PacketTag.Signature ? new Judgement($"the signature holds a packet of type {(int)packet.Tag}, which does not belong there", IsBad: true)
                : Signature.Parse(packet.Body) is not { } signature ? new Judgement($"signature version {packet.Body.Span[0]} is not supported")
                : message.DataFor(signature.Type) is not { } data ? new Judgement($"a signature of type {(int)signature.Type:x2}, which does not belong there")
                : Judge(signature, hash => hash.AppendData(data.Span));
        }
        catch (InvalidDataException e)
        {
            return new Judgement(e.Message, IsBad: true);
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
        var judgement = Judge(signature, append);
        return judgement.Signer ?? throw new InvalidDataException(judgement.Reason);
    }

    /// <param name="Reason">Why it is not to be relied on; null where it is.</param>
    /// <param name="IsBad">Whether it is not a signature of these data, or none at all.</param>
    private readonly record struct Judgement(string? Reason, bool IsBad = false, string? Signer = null);

    private Judgement Judge(Signature signature, Action<IncrementalHash> append)
    {
        if (FindKey(signature) is not var (entry, key))
        {
            return new Judgement(signature.IssuerFingerprint is null && signature.IssuerKeyId is null
                ? "the signature does not name its key"
                : $"signed by the unknown key {signature.IssuerFingerprint ?? $"{signature.IssuerKeyId:X16}"}");
        }
        string signer = $"signed by {entry.Certificate.Describe()}";
        var facts = entry.Facts.Value;
        var signing = facts.SigningKeys.Find(candidate => candidate.Key == key)!;
        if (signature.Defect(bySelf: false) is { } defect)
        {
            return new Judgement($"{signer}, but {defect}");
        }
        using (var hash = IncrementalHash.CreateHash(signature.Digest!.Value))
        {
            append(hash);
            if (!key.Verify(signature, signature.Finish(hash)))
            {
                return new Judgement($"bad signature: not what was {signer}; the contents were changed", IsBad: true);
            }
        }
        string? refusal = Signers.Count > 0 && !Signers.Contains(key.Fingerprint) && !Signers.Contains(entry.Certificate.Primary.Fingerprint)
            ? "whose key is not one of those named for this"
            : keyring.Refusal(entry, time, trustAll)
            ?? signing.Refusal
            ?? (key.Weakness is { } weakness ? $"with {weakness}" : null)
            ?? (Keyring.IsPast(signing.Expires, time) ? $"with a subkey that {Keyring.Expired(signing.Expires, time)}" : null)
            ?? (Keyring.IsPast(signature.Expires, time) ? $"but the signature {Keyring.Expired(signature.Expires, time)}" : null);
        return refusal is null
            ? new Judgement(null, Signer: entry.Certificate.Primary.Fingerprint)
            : new Judgement($"{signer}, {refusal}");
    }

    private (Keyring.Entry Entry, PublicKey Key)? FindKey(Signature signature)
    {
        ulong? keyId = signature.IssuerFingerprint is { } fingerprint
            ? Convert.ToUInt64(fingerprint[24..], 16)
            : signature.IssuerKeyId;
        if (keyId is null)
        {
            return null;
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
        return null;
    }
}
