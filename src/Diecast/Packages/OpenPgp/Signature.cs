using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Diecast.Packages.OpenPgp;

/// <summary>RFC 4880 section 5.2.1.</summary>
internal enum SignatureType : byte
{
    Binary = 0x00,
    Text = 0x01,
    GenericCertification = 0x10,
    PositiveCertification = 0x13,
    SubkeyBinding = 0x18,
    PrimaryKeyBinding = 0x19,
    DirectKey = 0x1f,
    KeyRevocation = 0x20,
    SubkeyRevocation = 0x28,
    CertificationRevocation = 0x30,
}

/// <summary>
/// A version 4 signature packet: RFC 4880 section 5.2.3. What it states counts only from its hashed part, but for the
/// issuer, which is a hint, and the embedded signature, which proves itself.
/// </summary>
internal sealed class Signature
{
    /// <summary>gpg's cut-off for SHA-1 made by others: 2019-01-19, after which collisions were affordable.</summary>
    private const long Sha1CutOff = 1_547_856_000;

    private readonly ReadOnlyMemory<byte> _hashed;

    private Signature(ReadOnlyMemory<byte> hashed) => _hashed = hashed;

    public required SignatureType Type { get; init; }

    public required int KeyAlgorithm { get; init; }

    public required int HashAlgorithm { get; init; }

    /// <summary>The signature's integers, as its algorithm has them.</summary>
    public required ReadOnlyMemory<byte> Values { get; init; }

    /// <summary>Unix time; null where it is missing, which makes the signature void.</summary>
    public uint? Created { get; private set; }

    /// <summary>Unix time after which the signature is void; null: never.</summary>
    public long? Expires { get; private set; }

    /// <summary>Seconds from the key's creation on; null: the key does not expire.</summary>
    public uint? KeyLifetime { get; private set; }

    /// <summary>The first byte of the key flags, section 5.2.3.21.</summary>
    public byte? KeyFlags { get; private set; }

    public ulong? IssuerKeyId { get; private set; }

    /// <summary>Upper-case hexadecimal.</summary>
    public string? IssuerFingerprint { get; private set; }

    /// <summary>The back-signature of a signing subkey.</summary>
    public Signature? Embedded { get; private set; }

    /// <summary>Fingerprints of keys that may revoke the signed key.</summary>
    public List<string> Revokers { get; } = [];

    /// <summary>A critical subpacket that is not known here: the signature must count as void (section 5.2.3.1).</summary>
    public int? UnknownCritical { get; private set; }

    public bool IsCertification => Type is >= SignatureType.GenericCertification and <= SignatureType.PositiveCertification;

    /// <summary>Whether the key says that it made this signature.</summary>
    public bool IsIssuedBy(PublicKey key) =>
        IssuerFingerprint is { } fingerprint ? fingerprint == key.Fingerprint : IssuerKeyId == key.KeyId;

    /// <summary>The digest's name; null where it is unknown or not offered by the runtime.</summary>
    public HashAlgorithmName? Digest => HashAlgorithm switch
    {
        2 => HashAlgorithmName.SHA1,
        8 => HashAlgorithmName.SHA256,
        9 => HashAlgorithmName.SHA384,
        10 => HashAlgorithmName.SHA512,
        _ => null,
    };

    /// <summary>
    /// Why the signature must not be relied on whatever its key; null where it may. SHA-1 is accepted in what an owner
    /// says about the own key, and from others before the cut-off, as gpg has it; MD5 never.
    /// </summary>
    public string? Defect(bool bySelf)
    {
        if (Created is null)
        {
            return "the signature has no creation time";
        }
        if (UnknownCritical is { } type)
        {
            return $"the signature depends on a critical subpacket of type {type}, which is not supported";
        }
        return HashAlgorithm switch
        {
            1 => "the signature uses MD5, which is broken",
            2 when !bySelf && Created > Sha1CutOff => "the signature uses SHA-1 and is younger than 2019-01-19, when that was broken",
            2 or 8 or 9 or 10 => null,
            _ => $"the signature uses digest algorithm {HashAlgorithm}, which is not supported",
        };
    }

    /// <summary>Appends the signature's own part to the hash of what it signs (section 5.2.4) and ends it.</summary>
    public byte[] Finish(IncrementalHash hash)
    {
        hash.AppendData(_hashed.Span);
        Span<byte> trailer = [4, 0xff, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt32BigEndian(trailer[2..], (uint)_hashed.Length);
        hash.AppendData(trailer);
        return hash.GetHashAndReset();
    }

    /// <summary>The signature of a packet's body; null where its version is not 4.</summary>
    /// <exception cref="InvalidDataException">It is malformed.</exception>
    public static Signature? Parse(ReadOnlyMemory<byte> body) => Parse(body, embedded: false);

    private static Signature? Parse(ReadOnlyMemory<byte> body, bool embedded)
    {
        var reader = new PacketReader(body, "signature");
        if (reader.Byte() != 4)
        {
            return null;
        }
        var type = (SignatureType)reader.Byte();
        int keyAlgorithm = reader.Byte();
        int hashAlgorithm = reader.Byte();
        var hashedSubpackets = reader.Take(reader.UInt16());
        var hashed = body[..(body.Length - reader.Left)];
        var unhashedSubpackets = reader.Take(reader.UInt16());
        reader.UInt16(); // The digest's first two bytes: only a hint.
        var signature = new Signature(hashed)
        {
            Type = type,
            KeyAlgorithm = keyAlgorithm,
            HashAlgorithm = hashAlgorithm,
            Values = reader.Take(reader.Left),
        };
        signature.ReadSubpackets(hashedSubpackets, isHashed: true, embedded);
        signature.ReadSubpackets(unhashedSubpackets, isHashed: false, embedded);
        return signature;
    }

    private void ReadSubpackets(ReadOnlyMemory<byte> area, bool isHashed, bool embedded)
    {
        uint? lifetime = null;
        var reader = new PacketReader(area, "signature subpackets");
        while (reader.Left > 0)
        {
            var subpacket = new PacketReader(reader.Take(reader.SubpacketLength()), "signature subpacket");
            byte header = subpacket.Byte();
            int type = header & 0x7f;
            if (ReadUnhashed(type, subpacket, embedded) || !isHashed)
            {
                continue;
            }
            switch (type)
            {
                case 2: Created = subpacket.UInt32(); break;
                case 3: lifetime = subpacket.UInt32(); break;
                case 9: KeyLifetime = subpacket.UInt32() is > 0 and var seconds ? seconds : null; break;
                case 12:
                    subpacket.Take(2); // The class and the algorithm say nothing that the fingerprint does not.
                    Revokers.Add(Convert.ToHexString(subpacket.Take(20).Span));
                    break;
                case 27: KeyFlags = subpacket.Left > 0 ? subpacket.Byte() : (byte)0; break;
                // Exportable, trust, regular expression, revocable, preferences, server, primary, policy, signer, reason,
                // features, target: known, and without meaning here.
                case 4 or 5 or 7 or 11 or 21 or 22 or 23 or 24 or 25 or 26 or 28 or 29 or 30 or 31 or 34: break;
                default:
                    if ((header & 0x80) != 0)
                    {
                        UnknownCritical = type;
                    }
                    break;
            }
        }
        if (lifetime is > 0 && Created is { } created)
        {
            Expires = (long)created + lifetime;
        }
    }

    /// <summary>The subpackets that need no protection by the hash.</summary>
    private bool ReadUnhashed(int type, PacketReader subpacket, bool embedded)
    {
        switch (type)
        {
            case 16:
                IssuerKeyId ??= BinaryPrimitives.ReadUInt64BigEndian(subpacket.Take(8).Span);
                return true;
            case 33:
                if (subpacket.Byte() == 4)
                {
                    IssuerFingerprint ??= Convert.ToHexString(subpacket.Take(20).Span);
                }
                return true;
            case 32:
                // One inside an embedded one has no meaning, and would nest without end.
                Embedded ??= embedded ? null : Parse(subpacket.Take(subpacket.Left), embedded: true);
                return true;
            default:
                return false;
        }
    }
}
