using System.Globalization;
using System.Runtime.InteropServices;

namespace Diecast.Cli;

/// <summary>What the verbs share beyond the terminal: being interrupted, and values that several of them take.</summary>
internal static class Verbs
{
    /// <summary>The exit status of a run that a signal ended, as of a shell.</summary>
    public const int Interrupted = 130;

    /// <summary>Two signals within so many milliseconds are one that came twice: nobody presses Ctrl-C again so soon.</summary>
    private const int SameSignal = 1000;

    /// <summary>
    /// Does a verb's work. The first Ctrl-C (or SIGTERM, SIGHUP) cancels it, so that it can remove what is half done; the
    /// second Ctrl-C ends the program. One signal may well come twice at once: to the process group, and from the process
    /// outside, as timeout sends it. Errors are <see cref="Program"/>'s: a line each for those of the user and the input, a stack trace for a bug.
    /// </summary>
    public static int Run(Terminal terminal, Func<CancellationToken, int> work)
    {
        using var stop = new CancellationTokenSource();
        long stopped = 0;
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Cancel);
        try
        {
            return work(stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            terminal.Error("interrupted");
            return Interrupted;
        }

        void Cancel(PosixSignalContext context)
        {
            long now = Environment.TickCount64;
            long first = Interlocked.CompareExchange(ref stopped, now, 0);
            context.Cancel = context.Signal != PosixSignal.SIGINT || first == 0 || now - first < SameSignal;
            stop.Cancel();
        }
    }

    /// <summary>A number of bytes: digits, and K, M, G or T for powers of 1024. Null where it is none, or too large.</summary>
    public static long? ParseSize(string text)
    {
        int shift = text.Length == 0 ? 0 : text[^1] switch { 'K' => 10, 'M' => 20, 'G' => 30, 'T' => 40, _ => 0 };
        string digits = shift > 0 ? text[..^1] : text;
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number <= long.MaxValue >> shift
            ? number << shift
            : null;
    }

    /// <summary>A UUID, with or without its hyphens. Null where it is none.</summary>
    public static Guid? ParseUuid(string text) =>
        Guid.TryParseExact(text, "D", out var uuid) || Guid.TryParseExact(text, "N", out uuid) ? uuid : null;
}
