namespace Diecast.Inspect;

/// <summary>The kinds of single files whose fields are worth a name.</summary>
internal static class FileKinds
{
    public static IReadOnlyList<ContainerKind> All { get; } = [];
}
