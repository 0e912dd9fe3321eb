namespace Diecast.Packages.OpenPgp;

/// <summary>
/// What is proved about a key by its own signatures and those of the keys that introduce others: everything but the
/// comparison with a time, so that it is worked out once.
/// </summary>
internal sealed class KeyFacts
{
    private const byte SignFlag = 0x02;

    /// <summary>A user id that its owner signed and did not revoke. Times are Unix times; null: never.</summary>
    internal sealed record UserId(long? Expires, List<Certification> Certifications);

    /// <summary>The statement of another key that the user id is right.</summary>
    internal readonly record struct Certification(PublicKey By, long? Expires);

    /// <summary>A key that may make signatures over data.</summary>
    /// <param name="Refusal">Why it may not; null where it may. Expiry is apart.</param>
    internal sealed record SigningKey(PublicKey Key, long? Expires, string? Refusal);

    public required bool IsRevoked { get; init; }

    /// <summary>Unix time; null: never.</summary>
    public required long? Expires { get; init; }

    public required List<UserId> UserIds { get; init; }

    /// <summary>The primary key and the subkeys.</summary>
    public required List<SigningKey> SigningKeys { get; init; }

    /// <param name="find">Keys by fingerprint: those that the owner lets revoke the key.</param>
    /// <param name="introducers">Keys whose certifications matter.</param>
    public static KeyFacts Of(
        Certificate certificate, Func<string, PublicKey?> find, IReadOnlyCollection<PublicKey> introducers)
    {
        var primary = certificate.Primary;
        var direct = Newest(certificate.Direct.Where(signature =>
            signature.Type == SignatureType.DirectKey && IsOwn(signature, primary) && certificate.VerifyDirect(signature, primary)));
        var statements = new List<Signature>();
        var userIds = new List<UserId>();
        foreach (var userId in certificate.UserIds)
        {
            if (SelfSignature(certificate, userId) is { } self)
            {
                statements.Add(self);
                userIds.Add(new UserId(self.Expires, Certifications(certificate, userId, introducers)));
            }
        }
        // As in gpg: a direct key signature takes precedence, then the newest statement of a user id that has one.
        uint? lifetime = direct?.KeyLifetime ?? Newest(statements.Where(static s => s.KeyLifetime is not null))?.KeyLifetime;
        byte? flags = direct?.KeyFlags ?? Newest(statements.Where(static s => s.KeyFlags is not null))?.KeyFlags;
        var keys = new List<SigningKey> { new(primary, null, MaySign(flags, primary) ? null : "which is not for signing data") };
        keys.AddRange(certificate.Subkeys.Select(subkey => OfSubkey(certificate, subkey)));
        return new KeyFacts
        {
            IsRevoked = IsKeyRevoked(certificate, direct, statements, find),
            Expires = primary.Created + (long?)lifetime,
            UserIds = userIds,
            SigningKeys = keys,
        };
    }

    private static bool IsOwn(Signature signature, PublicKey primary) =>
        signature.IsIssuedBy(primary) && signature.Defect(bySelf: true) is null;

    private static Signature? Newest(IEnumerable<Signature> signatures) => signatures.MaxBy(static s => s.Created);

    private static bool MaySign(byte? flags, PublicKey key) => key.CanSign && (flags is not { } set || (set & SignFlag) != 0);

    /// <summary>The newest statement of the owner about a user id; null where that is a revocation, or there is none.</summary>
    private static Signature? SelfSignature(Certificate certificate, Certificate.UserId userId)
    {
        var primary = certificate.Primary;
        var newest = userId.Signatures
            .Where(s => (s.IsCertification || s.Type == SignatureType.CertificationRevocation) && IsOwn(s, primary)
                && certificate.VerifyUserId(s, userId, primary))
            .MaxBy(static s => (s.Created, s.Type == SignatureType.CertificationRevocation));
        return newest is { IsCertification: true } ? newest : null;
    }

    private static List<Certification> Certifications(
        Certificate certificate, Certificate.UserId userId, IReadOnlyCollection<PublicKey> introducers)
    {
        var certifications = new List<Certification>();
        foreach (var by in introducers.Where(by => by.Fingerprint != certificate.Primary.Fingerprint))
        {
            // A newer certification stands against an older revocation; the newest that verifies decides.
            var newest = userId.Signatures
                .Where(s => s.IsIssuedBy(by) && (s.IsCertification
                    ? s.Defect(bySelf: false) is null
                    : s.Type == SignatureType.CertificationRevocation && s.Defect(bySelf: true) is null))
                .OrderByDescending(static s => (s.Created, s.Type == SignatureType.CertificationRevocation),
                    Comparer<(uint?, bool)>.Default)
                .FirstOrDefault(s => certificate.VerifyUserId(s, userId, by));
            if (newest is { IsCertification: true })
            {
                certifications.Add(new Certification(by, newest.Expires));
            }
        }
        return certifications;
    }

    private static bool IsKeyRevoked(
        Certificate certificate, Signature? direct, List<Signature> statements, Func<string, PublicKey?> find)
    {
        var revokers = statements.Append(direct).SelectMany(static s => s?.Revokers ?? []).Distinct(StringComparer.Ordinal)
            .Select(find).OfType<PublicKey>().Append(certificate.Primary).ToList();
        return certificate.Direct.Any(signature =>
            signature.Type == SignatureType.KeyRevocation && signature.Defect(bySelf: true) is null
            && revokers.Any(by => signature.IsIssuedBy(by) && certificate.VerifyDirect(signature, by)));
    }

    private static SigningKey OfSubkey(Certificate certificate, Certificate.Subkey subkey)
    {
        var primary = certificate.Primary;
        var own = subkey.Signatures
            .Where(s => s.Type is SignatureType.SubkeyBinding or SignatureType.SubkeyRevocation && IsOwn(s, primary)
                && certificate.VerifySubkey(s, subkey.Key, primary))
            .ToList();
        var binding = Newest(own.Where(static s => s.Type == SignatureType.SubkeyBinding));
        long? expires = subkey.Key.Created + (long?)binding?.KeyLifetime;
        string? refusal = binding is null ? "with a subkey that its owner did not bind"
            : own.Exists(static s => s.Type == SignatureType.SubkeyRevocation) ? "with a subkey that is revoked"
            : !MaySign(binding.KeyFlags, subkey.Key) ? "with a subkey that is not for signing data"
            : !IsBackSigned(certificate, subkey.Key, binding) ? "with a subkey that did not sign its owner back"
            : null;
        return new SigningKey(subkey.Key, expires, refusal);
    }

    private static bool IsBackSigned(Certificate certificate, PublicKey subkey, Signature binding) =>
        binding.Embedded is { Type: SignatureType.PrimaryKeyBinding } back && back.Defect(bySelf: true) is null
        && certificate.VerifySubkey(back, subkey, subkey);
}
