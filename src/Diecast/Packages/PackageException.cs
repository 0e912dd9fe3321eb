namespace Diecast.Packages;

/// <summary>What the user asked for cannot be done: all that is wrong with it, one line each.</summary>
public sealed class PackageException(IReadOnlyList<string> errors) : Exception(string.Join('\n', errors))
{
    public IReadOnlyList<string> Errors { get; } = errors;
}
