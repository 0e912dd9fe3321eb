using System.CommandLine;
using Diecast.Images;
using Diecast.Inspect;
using Diecast.Inspect.Reports;
using Diecast.Trees;

namespace Diecast.Cli;

/// <summary><c>diff</c>: says where, in what and why two images differ. Exit status as of diff(1): 0 the same, 1 different, 2 trouble.</summary>
internal sealed class DiffCommand(Terminal terminal)
{
    /// <summary>The exit status of what could not be compared.</summary>
    public const int Trouble = 2;

    private const int Different = 1;

    private readonly Argument<string> _before = new("A") { Description = "an image, or IMAGE:PARTITION:PATH… in one; a directory" };
    private readonly Argument<string> _after = new("B") { Description = "another" };

    private readonly Option<int?> _maximum = ParsedOption.Create("--max", "N", "is not a number from 1 on",
        "the most fields, lines and entries that are shown of one thing (default: 20)",
        static text => int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out int number) && number > 0 ? number : (int?)null);

    private readonly Option<bool> _json = new("--json") { Description = "print the differences as JSON" };

    public Command Create()
    {
        var command = new Command("diff", "say where, in what and why two images differ") { _before, _after, _maximum, _json };
        command.SetAction(result => Verbs.Run(terminal, cancellation => Run(result, cancellation)));
        return command;
    }

    private int Run(ParseResult arguments, CancellationToken cancellation)
    {
        string before = arguments.GetRequiredValue(_before);
        string after = arguments.GetRequiredValue(_after);
        int maximum = arguments.GetValue(_maximum) ?? 20;
        var options = new DiffOptions { MaximumLines = Math.Max(60, maximum), Cancellation = cancellation };
        var difference = ImageDiffer.Compare(Open(before), Open(after), options);
        if (arguments.GetValue(_json))
        {
            using var output = Console.OpenStandardOutput();
            JsonReport.Write(output, difference, before, after);
            output.WriteByte((byte)'\n');
        }
        else
        {
            new TextReport(terminal.Output, maximum, terminal.HasOutputColors).Write(difference, before, after);
        }
        return difference is null ? 0 : Different;
    }

    private static Blob Open(string path) => ((FileNode)HostTree.Read(Posix.Bytes(Path.GetDirectoryName(Path.GetFullPath(path))!)).Find(Path.GetFileName(path))!).Content;
}
