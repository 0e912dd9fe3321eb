namespace Diecast.Build;

/// <summary>A program that is run inside of a user namespace, and under which conditions.</summary>
public sealed record InnerProcess
{
    public required string Program { get; init; }

    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>Lines of a shell, root in the namespace, before the program takes its place.</summary>
    public string Prologue { get; init; } = "";

    /// <summary>The namespace's host name can be changed without the host's.</summary>
    public bool HasOwnHostName { get; init; }

    /// <summary>How far the namespace's ids are moved from those that it has otherwise.</summary>
    public uint IdShift { get; init; }

    /// <summary>What is set in the program's environment, over the caller's.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Gets each line that the program prints, with whether it was an error, and null at the end; null lets it print here.</summary>
    public Action<string?, bool>? Output { get; init; }
}
