using Diecast.Inspect.Kinds;

namespace Diecast.Inspect;

/// <summary>The kinds of single files whose fields are worth a name.</summary>
internal static class FileKinds
{
    /// <summary>First those that have a magic, then those that are known by their path.</summary>
    public static IReadOnlyList<ContainerKind> All { get; } =
    [
        Elf.Kind,
        LdCache.Kind,
        LdCache.AuxKind,
        ArArchive.Kind,
        ZipArchive.Kind,
        .. Headers.Kinds,
        Pyc.Kind,
        .. Accounts.Kinds,
        .. KeyedText.Kinds,
        .. Opaque.Kinds,
    ];
}
