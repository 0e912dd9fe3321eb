namespace Diecast.Config;

/// <summary>Where a value was written: a file and its line (from 1), or with line 0 a whole file or a command-line option.</summary>
public readonly record struct Location(string Source, int Line = 0)
{
    internal bool IsOption => Source.StartsWith('-');

    public override string ToString() => Line > 0 ? $"{Source}:{Line}" : Source;
}

/// <summary>One finding about the user's input. Its text is <c>file:line: message</c>.</summary>
public sealed record Diagnostic(Location Location, string Message)
{
    /// <summary>A finding about a value; where an option's name is the place, the setting's would only repeat it.</summary>
    internal static Diagnostic About(string setting, Location location, string message) =>
        new(location, location.IsOption ? message : $"{setting}=: {message}");

    public override string ToString() => $"{Location}: {Message}";
}

/// <summary>The configuration cannot be used. Carries every error found in it, not only the first.</summary>
public sealed class ConfigException : Exception
{
    public ConfigException(IReadOnlyList<Diagnostic> diagnostics)
        : base(string.Join('\n', diagnostics)) => Diagnostics = diagnostics;

    public ConfigException(Location location, string message)
        : this([new Diagnostic(location, message)])
    {
    }

    public IReadOnlyList<Diagnostic> Diagnostics { get; }
}
