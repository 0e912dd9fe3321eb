using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Diecast.Packages.OpenPgp;

/// <summary>
/// A primary key with all that is said about it (RFC 4880 section 11.1), unverified. Signatures stand with what they
/// are about; those that are nowhere in place are dropped.
/// </summary>
internal sealed class Certificate(PublicKey primary)
{
    public PublicKey Primary => primary;

    public List<Signature> Direct { get; } = [];

    public List<UserId> UserIds { get; } = [];

    public List<Subkey> Subkeys { get; } = [];

    /// <summary>A user id is bytes: not every one is UTF-8.</summary>
    internal sealed record UserId(ReadOnlyMemory<byte> Bytes, List<Signature> Signatures);

    internal sealed record Subkey(PublicKey Key, List<Signature> Signatures);

    /// <summary>For messages: the first user id and the fingerprint.</summary>
    public string Describe()
    {
        string name = UserIds.Count == 0 ? "" : Encoding.UTF8.GetString(UserIds[0].Bytes.Span[..Math.Min(UserIds[0].Bytes.Length, 100)]);
        return $"{string.Concat(name.Select(static c => char.IsControl(c) ? '?' : c))} ({primary.Fingerprint})".TrimStart();
    }

    /// <summary>Whether a signature about the primary key alone was made by that key.</summary>
    public bool VerifyDirect(Signature signature, PublicKey signer) => Check(signature, signer, static (_, _) => { }, primary);

    public bool VerifyUserId(Signature signature, UserId userId, PublicKey signer) => Check(signature, signer, static (hash, bytes) =>
    {
        Span<byte> header = [0xb4, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt32BigEndian(header[1..], (uint)bytes.Length);
        hash.AppendData(header);
        hash.AppendData(bytes.Span);
    }, userId.Bytes);

    /// <summary>Whether a binding, its back-signature or a revocation of a subkey was made by that key.</summary>
    public bool VerifySubkey(Signature signature, PublicKey subkey, PublicKey signer) =>
        Check(signature, signer, static (hash, key) => key.AppendTo(hash), subkey);

    private bool Check<T>(Signature signature, PublicKey signer, Action<IncrementalHash, T> append, T subject)
    {
        if (signature.Digest is not { } digest)
        {
            return false;
        }
        using var hash = primary.Hash(digest);
        append(hash, subject);
        return signer.Verify(signature, signature.Finish(hash));
    }

    /// <summary>The certificates of a keyring, in its order; those of versions other than 4 are left out, as in gpg.</summary>
    /// <exception cref="InvalidDataException">It is malformed.</exception>
    public static List<Certificate> ParseAll(ReadOnlyMemory<byte> keyring)
    {
        var certificates = new List<Certificate>();
        Certificate? current = null;
        List<Signature>? about = null;
        foreach (var packet in Packets.Split(Armor.Decode(keyring)))
        {
            try
            {
                switch (packet.Tag)
                {
                    case PacketTag.PublicKey:
                        current = PublicKey.Parse(packet.Body) is { } key ? new Certificate(key) : null;
                        about = current?.Direct;
                        if (current is not null)
                        {
                            certificates.Add(current);
                        }
                        break;
                    case PacketTag.UserId when current is not null:
                        current.UserIds.Add(new UserId(packet.Body, about = []));
                        break;
                    case PacketTag.PublicSubkey when current is not null:
                        about = null;
                        if (PublicKey.Parse(packet.Body) is { } subkey)
                        {
                            current.Subkeys.Add(new Subkey(subkey, about = []));
                        }
                        break;
                    case PacketTag.Signature when about is not null:
                        if (Signature.Parse(packet.Body) is { } signature)
                        {
                            about.Add(signature);
                        }
                        break;
                    case PacketTag.UserAttribute:
                        about = null; // A picture: certifications of it do not make a key valid.
                        break;
                }
            }
            catch (InvalidDataException e)
            {
                throw new InvalidDataException($"packet at {packet.Offset}: {e.Message}", e);
            }
        }
        return certificates;
    }

    /// <summary>Adds what another copy of the same certificate says.</summary>
    public void Merge(Certificate other)
    {
        Direct.AddRange(other.Direct);
        foreach (var userId in other.UserIds)
        {
            var known = UserIds.Find(mine => mine.Bytes.Span.SequenceEqual(userId.Bytes.Span));
            if (known is null)
            {
                UserIds.Add(userId);
            }
            else
            {
                known.Signatures.AddRange(userId.Signatures);
            }
        }
        foreach (var subkey in other.Subkeys)
        {
            var known = Subkeys.Find(mine => mine.Key.Fingerprint == subkey.Key.Fingerprint);
            if (known is null)
            {
                Subkeys.Add(subkey);
            }
            else
            {
                known.Signatures.AddRange(subkey.Signatures);
            }
        }
    }
}
