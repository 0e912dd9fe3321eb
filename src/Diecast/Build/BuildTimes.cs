using System.Diagnostics;
using System.Globalization;

namespace Diecast.Build;

/// <summary>Where the time of a build went, by the clock. It is told to the user; no image knows of it.</summary>
public sealed class BuildTimes
{
    internal const string Install = "install";

    private readonly List<(string Name, Stopwatch Time)> _stages = [];

    /// <summary>In the programs of the image's packages, which is a part of its installation.</summary>
    internal Stopwatch Scripts { get; } = new();

    /// <summary>The making of the default initrd, beside the installation of the image.</summary>
    internal Stopwatch Initrd { get; } = new();

    internal Stopwatch InitrdScripts { get; } = new();

    /// <summary>Ends the stage before, and begins another.</summary>
    internal void Begin(string stage)
    {
        End();
        _stages.Add((stage, Stopwatch.StartNew()));
    }

    internal void End() => _stages.ForEach(static stage => stage.Time.Stop());

    /// <summary>As in <c>resolve 0.6 s, fetch 0.1 s, install 6.0 s (scripts 3.1 s; beside it the initrd 5.5 s, scripts 2.4 s), image 1.5 s</c>.</summary>
    public override string ToString() => string.Join(", ", _stages.Select(stage =>
        $"{stage.Name} {Seconds(stage.Time)}{(stage.Name == Install ? $" ({Parts()})" : "")}"));

    private string Parts() => $"scripts {Seconds(Scripts)}"
        + (Initrd.Elapsed > TimeSpan.Zero ? $"; beside it the initrd {Seconds(Initrd)}, scripts {Seconds(InitrdScripts)}" : "");

    private static string Seconds(Stopwatch time) => string.Create(CultureInfo.InvariantCulture, $"{time.Elapsed.TotalSeconds:F1} s");
}
