using System.Buffers.Binary;
using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace Diecast.Packages.OpenPgp;

/// <summary>A version 4 public key or subkey: RFC 4880 section 5.5.2, RFC 6637 and RFC 9580 for the curves.</summary>
internal sealed class PublicKey
{
    private const int MinimumBits = 2048;

    private readonly ReadOnlyMemory<byte> _body;
    private readonly ReadOnlyMemory<byte>[] _integers;
    private readonly Curve? _curve;

    /// <param name="Oid">In dotted form, for the runtime.</param>
    private sealed record Curve(string Oid, byte[] Encoded, int FieldSize, bool IsEdwards = false);

    private static readonly Curve[] s_curves =
    [
        new("1.2.840.10045.3.1.7", [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], 32),
        new("1.3.132.0.34", [0x2b, 0x81, 0x04, 0x00, 0x22], 48),
        new("1.3.132.0.35", [0x2b, 0x81, 0x04, 0x00, 0x23], 66),
        new("1.3.36.3.3.2.8.1.1.7", [0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07], 32),
        new("1.3.36.3.3.2.8.1.1.11", [0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0b], 48),
        new("1.3.36.3.3.2.8.1.1.13", [0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0d], 64),
        new("1.3.6.1.4.1.11591.15.1", [0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01], 32, IsEdwards: true),
    ];

    private PublicKey(ReadOnlyMemory<byte> body, uint created, int algorithm, Curve? curve, ReadOnlyMemory<byte>[] integers)
    {
        _body = body;
        _integers = integers;
        _curve = curve;
        Created = created;
        Algorithm = algorithm;
        byte[] fingerprint = Hash(HashAlgorithmName.SHA1).GetHashAndReset();
        Fingerprint = Convert.ToHexString(fingerprint);
        KeyId = BinaryPrimitives.ReadUInt64BigEndian(fingerprint.AsSpan(12));
    }

    /// <summary>Upper-case hexadecimal, 40 digits.</summary>
    public string Fingerprint { get; }

    public ulong KeyId { get; }

    /// <summary>Unix time.</summary>
    public uint Created { get; }

    /// <summary>RFC 4880 section 9.1.</summary>
    public int Algorithm { get; }

    /// <summary>Why the key is not good enough to trust what it signs; null where it is.</summary>
    public string? Weakness => Algorithm switch
    {
        1 or 3 or 17 when PacketReader.Bits(_integers[0]) is < MinimumBits and var bits =>
            $"a key of {bits} bits, which is too short",
        1 or 3 or 17 or 27 => null,
        19 or 22 when _curve is not null => null,
        19 or 22 => "a key on a curve that is not supported",
        _ => $"a key of algorithm {Algorithm}, which is not supported",
    };

    /// <summary>What the key may do where no signature says so: a key that can sign may.</summary>
    public bool CanSign => Algorithm is 1 or 3 or 17 or 19 or 22 or 27;

    /// <summary>A hash that has the key in it, as in a signature about the key: section 5.2.4.</summary>
    public IncrementalHash Hash(HashAlgorithmName name)
    {
        var hash = IncrementalHash.CreateHash(name);
        AppendTo(hash);
        return hash;
    }

    public void AppendTo(IncrementalHash hash)
    {
        Span<byte> header = [0x99, 0, 0];
        BinaryPrimitives.WriteUInt16BigEndian(header[1..], (ushort)_body.Length);
        hash.AppendData(header);
        hash.AppendData(_body.Span);
    }

    /// <summary>Whether the signature over a digest was made by this key. One with malformed values was not.</summary>
    public bool Verify(Signature signature, byte[] digest)
    {
        if (signature.KeyAlgorithm != Algorithm || signature.Digest is not { } name)
        {
            return false;
        }
        var values = new PacketReader(signature.Values, "signature value");
        try
        {
            return Algorithm switch
            {
                1 or 3 => VerifyRsa(values.Integer(), digest, name),
                17 => VerifyDsa(values.Integer(), values.Integer(), digest),
                19 when _curve is { IsEdwards: false } => VerifyEcdsa(values.Integer(), values.Integer(), digest),
                22 when _curve is { IsEdwards: true } => VerifyEd25519(values.Integer(), values.Integer(), digest),
                27 => Ed25519.Verify(values.Take(64).ToArray(), 0, _integers[0].ToArray(), 0, digest, 0, digest.Length),
                _ => false,
            };
        }
        catch (Exception e) when (e is CryptographicException or InvalidDataException)
        {
            // Too few integers, or some that cannot be a key of their algorithm (an even modulus, a point off the curve).
            return false;
        }
    }

    private bool VerifyRsa(ReadOnlyMemory<byte> value, byte[] digest, HashAlgorithmName name)
    {
        int size = _integers[0].Length;
        if (value.Length > size)
        {
            return false;
        }
        using var rsa = RSA.Create(new RSAParameters { Modulus = _integers[0].ToArray(), Exponent = _integers[1].ToArray() });
        return rsa.VerifyHash(digest, Padded(value, size), name, RSASignaturePadding.Pkcs1);
    }

    private bool VerifyDsa(ReadOnlyMemory<byte> r, ReadOnlyMemory<byte> s, byte[] digest)
    {
        int primeSize = _integers[0].Length;
        int orderSize = _integers[1].Length;
        if (r.Length > orderSize || s.Length > orderSize || _integers[2].Length > primeSize || _integers[3].Length > primeSize)
        {
            return false;
        }
        using var dsa = DSA.Create(new DSAParameters
        {
            P = _integers[0].ToArray(),
            Q = _integers[1].ToArray(),
            G = Padded(_integers[2], primeSize),
            Y = Padded(_integers[3], primeSize),
        });
        return dsa.VerifySignature(
            digest.AsSpan(0, Math.Min(digest.Length, orderSize)), [.. Padded(r, orderSize), .. Padded(s, orderSize)]);
    }

    private bool VerifyEcdsa(ReadOnlyMemory<byte> r, ReadOnlyMemory<byte> s, byte[] digest)
    {
        int size = _curve!.FieldSize;
        var point = _integers[0];
        if (point.Length != 1 + 2 * size || point.Span[0] != 4 || r.Length > size || s.Length > size)
        {
            return false;
        }
        using var ecdsa = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.CreateFromValue(_curve.Oid),
            Q = new ECPoint { X = point.Slice(1, size).ToArray(), Y = point.Slice(1 + size, size).ToArray() },
        });
        byte[] signature = [.. Padded(r, size), .. Padded(s, size)];
        return ecdsa.VerifyHash(digest, signature);
    }

    private bool VerifyEd25519(ReadOnlyMemory<byte> r, ReadOnlyMemory<byte> s, byte[] digest)
    {
        var point = _integers[0];
        if (point.Length != 33 || point.Span[0] != 0x40 || r.Length > 32 || s.Length > 32)
        {
            return false;
        }
        byte[] signature = [.. Padded(r, 32), .. Padded(s, 32)];
        return Ed25519.Verify(signature, 0, point[1..].ToArray(), 0, digest, 0, digest.Length);
    }

    private static byte[] Padded(ReadOnlyMemory<byte> integer, int size)
    {
        var bytes = new byte[size];
        integer.CopyTo(bytes.AsMemory(size - integer.Length));
        return bytes;
    }

    /// <summary>The key of a packet's body; null where its version is not 4.</summary>
    /// <exception cref="InvalidDataException">It is malformed.</exception>
    public static PublicKey? Parse(ReadOnlyMemory<byte> body)
    {
        var reader = new PacketReader(body, "public key");
        if (reader.Byte() != 4)
        {
            return null;
        }
        if (body.Length > ushort.MaxValue)
        {
            throw new InvalidDataException($"OpenPGP public key: {body.Length} bytes");
        }
        uint created = reader.UInt32();
        int algorithm = reader.Byte();
        Curve? curve = null;
        var integers = new List<ReadOnlyMemory<byte>>();
        if (algorithm is 19 or 22)
        {
            var encoded = reader.Take(reader.Byte());
            curve = s_curves.FirstOrDefault(known => encoded.Span.SequenceEqual(known.Encoded));
        }
        if (algorithm == 27)
        {
            integers.Add(reader.Take(32));
        }
        for (int i = algorithm switch { 1 or 3 => 2, 17 => 4, 19 or 22 => 1, _ => 0 }; i > 0; i--)
        {
            integers.Add(reader.Integer());
        }
        return new PublicKey(body, created, algorithm, curve, [.. integers]);
    }
}
