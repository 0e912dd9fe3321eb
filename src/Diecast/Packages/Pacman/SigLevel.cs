namespace Diecast.Packages.Pacman;

/// <summary>Whether a signature must be there. One that is there must be good, but for <see cref="Never"/>.</summary>
public enum SignatureCheck
{
    Never,
    Optional,
    Required,
}

/// <summary>
/// What SigLevel of pacman.conf(5) says. TrustAll accepts good signatures by keys that are in the keyring without being
/// trusted.
/// </summary>
public sealed record SigLevel(SignatureCheck Packages, bool PackagesTrustAll, SignatureCheck Databases, bool DatabasesTrustAll)
{
    /// <summary>As in pacman since 7.1, where nothing is said: everything must be signed by a trusted key.</summary>
    public static SigLevel BuiltIn { get; } = new(SignatureCheck.Required, false, SignatureCheck.Required, false);

    public static SigLevel Never { get; } = new(SignatureCheck.Never, false, SignatureCheck.Never, false);

    /// <summary>Applies one word, such as <c>DatabaseOptional</c>; null where there is no such word.</summary>
    public SigLevel? With(string word)
    {
        bool packages = !word.StartsWith("Database", StringComparison.Ordinal);
        bool databases = !word.StartsWith("Package", StringComparison.Ordinal);
        string what = packages == databases ? word : word[(packages ? "Package" : "Database").Length..];
        return what switch
        {
            "Never" => WithCheck(SignatureCheck.Never),
            "Optional" => WithCheck(SignatureCheck.Optional),
            "Required" => WithCheck(SignatureCheck.Required),
            "TrustedOnly" => WithTrustAll(false),
            "TrustAll" => WithTrustAll(true),
            _ => null,
        };

        SigLevel WithCheck(SignatureCheck check) =>
            this with { Packages = packages ? check : Packages, Databases = databases ? check : Databases };

        SigLevel WithTrustAll(bool all) =>
            this with { PackagesTrustAll = packages ? all : PackagesTrustAll, DatabasesTrustAll = databases ? all : DatabasesTrustAll };
    }
}
