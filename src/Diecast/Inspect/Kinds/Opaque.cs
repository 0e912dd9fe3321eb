using Diecast.Formats;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Inspect.Kinds;

/// <summary>Files that are one value: an id, or random bytes that are not to be shown, only told apart.</summary>
internal static class Opaque
{
    private const int LongestId = 256;

    public static IReadOnlyList<ContainerKind> Kinds { get; } =
    [
        Kind("machine-id", ReadId, "etc/machine-id", "var/lib/dbus/machine-id"),
        Kind("random-seed", ReadDigest, "var/lib/systemd/random-seed", "loader/random-seed", "var/lib/urandom/random-seed"),
        Kind("secret", ReadDigest, "etc/ssh/ssh_host_*_key", "var/lib/systemd/credential.secret",
            "etc/pacman.d/gnupg/private-keys-v1.d/*", "etc/pacman.d/gnupg/openpgp-revocs.d/*", "etc/pacman.d/gnupg/secring.gpg"),
    ];

    private static ContainerKind Kind(string name, Func<Blob, NamedField> read, params string[] paths) => new(
        name,
        (_, path) => paths.Any(pattern => KnownPath.Matches(pattern, path)),
        blob => new Container { Kind = name, Fields = [KindReader.Field("size", blob.Length), read(blob)] });

    private static NamedField ReadId(Blob blob)
    {
        if (blob.Length > LongestId)
        {
            throw new InvalidDataException($"machine-id: {blob.Length} bytes");
        }
        return new NamedField("id", FileName.Display(blob.ReadBytes(0, (int)blob.Length).AsSpan().TrimEnd((byte)'\n')));
    }

    private static NamedField ReadDigest(Blob blob) => new("content", $"SHA-256 {KindReader.Digest(KindReader.ReadAll(blob, "secret"))}");
}
