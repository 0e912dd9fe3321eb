namespace Diecast.Cli;

/// <summary>Where the program writes. Results go to the output, all that is said about them to the errors.</summary>
internal sealed record Terminal(TextWriter Output, TextWriter Errors)
{
    public static Terminal Standard => new(Console.Out, Console.Error)
    {
        IsInteractive = !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb"),
        HasOutputColors = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb")
            && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")),
        HasColors = !Console.IsErrorRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")),
    };

    /// <summary>Someone watches the errors, and lines may be overwritten there.</summary>
    public bool IsInteractive { get; init; }

    public bool HasColors { get; init; }

    /// <summary>The same for results: their reader is somebody else.</summary>
    public bool HasOutputColors { get; init; }

    public void Error(string message) => Errors.WriteLine(Coloured("31", "error: ") + OneLine(message));

    public void Warning(string message) => Errors.WriteLine(Coloured("33", "warning: ") + OneLine(message));

    /// <summary>What is only said when it is asked for: what scripts print, line by line.</summary>
    public void Detail(string message)
    {
        foreach (string line in message.Split('\n'))
        {
            Errors.WriteLine(OneLine(line));
        }
    }

    private string Coloured(string colour, string text) => HasColors && IsInteractive ? $"\e[1;{colour}m{text}\e[0m" : text;

    // A file name or a server's answer may hold anything, also what a terminal obeys.
    private static string OneLine(string message) =>
        string.Concat(message.Trim().Select(static c => c is '\n' or '\r' ? ' ' : char.IsControl(c) ? '\uFFFD' : c));
}
