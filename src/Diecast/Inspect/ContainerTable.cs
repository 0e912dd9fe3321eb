using Diecast.Images;

namespace Diecast.Inspect;

/// <summary>The kinds of containers that Diecast reads.</summary>
public static class ContainerTable
{
    /// <summary>In the order in which they are tried.</summary>
    public static IReadOnlyList<ContainerKind> All { get; } = [.. ImageKinds.All, .. FileKinds.All];

    /// <summary>What the bytes claim to be, or null.</summary>
    /// <param name="blob">The bytes.</param>
    /// <param name="path">Of the file in its tree ("/etc/shadow"), else empty.</param>
    public static ContainerKind? Recognize(Blob blob, string path) => All.FirstOrDefault(kind => kind.Recognizes(blob, path));

    /// <summary>The container that the bytes claim to be, or null.</summary>
    /// <inheritdoc cref="Recognize" path="/param"/>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static Container? Open(Blob blob, string path = "") => Recognize(blob, path)?.Read(blob);
}
