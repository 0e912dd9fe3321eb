using System.Globalization;
using Spectre.Console;

namespace Diecast.Cli;

/// <summary>Shows what the build is at: bars on a terminal, else a line for each stage. May be called from any thread.</summary>
internal sealed class Progress
{
    private readonly Lock _lock = new();
    private readonly Terminal _terminal;
    private readonly ProgressContext? _bars;
    private ProgressTask? _stage;
    private ProgressTask? _download;
    private long _lastTenth;

    private Progress(Terminal terminal, ProgressContext? bars) => (_terminal, _bars) = (terminal, bars);

    /// <summary>Does the work while showing it. The bars are gone when it ends, however it does.</summary>
    public static T Run<T>(Terminal terminal, Func<Progress, T> work)
    {
        if (!terminal.IsInteractive)
        {
            return work(new Progress(terminal, null));
        }
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            Interactive = InteractionSupport.Yes,
            Out = new AnsiConsoleOutput(terminal.Errors),
            ColorSystem = terminal.HasColors ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
        });
        return console.Progress()
            .AutoClear(true)
            .Columns(new SpinnerColumn(), new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new ElapsedTimeColumn())
            .Start(bars => work(new Progress(terminal, bars)));
    }

    /// <summary>The stage that begins now; the one before is done.</summary>
    public void Stage(string name)
    {
        lock (_lock)
        {
            Finish(_stage);
            Finish(_download);
            _download = null;
            _lastTenth = 0;
            _stage = _bars?.AddTask(Markup.Escape(name)).IsIndeterminate();
            if (_bars is null)
            {
                _terminal.Errors.WriteLine(name);
            }
        }
    }

    /// <summary>How many bytes have come of how many that this stage fetches.</summary>
    public void Download(long done, long total)
    {
        lock (_lock)
        {
            if (_bars is not null)
            {
                _download ??= _bars.AddTask("downloading");
                _download.MaxValue = total;
                _download.Value = done;
                return;
            }
            long tenth = total > 0 ? 10 * done / total : 0;
            if (tenth > _lastTenth)
            {
                _lastTenth = tenth;
                _terminal.Errors.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"  downloaded {Mebibytes(done)} of {Mebibytes(total)} MiB"));
            }
        }
    }

    private static void Finish(ProgressTask? task)
    {
        if (task is not null)
        {
            task.IsIndeterminate = false;
            task.Value = task.MaxValue;
            task.StopTask();
        }
    }

    private static string Mebibytes(long bytes) => (bytes / 1048576.0).ToString("F1", CultureInfo.InvariantCulture);
}
