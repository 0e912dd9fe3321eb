using System.CommandLine;
using System.Globalization;
using Diecast.Inspect.Differences;
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
    private const int DefaultMaximum = 20;

    // A page folds what is long.
    private const int HtmlMaximum = 500;

    private readonly Argument<string> _before = new("A") { Description = "an image, or IMAGE:PARTITION:PATH… in one; a directory" };
    private readonly Argument<string> _after = new("B") { Description = "another" };

    private readonly Option<int?> _maximum = ParsedOption.Create("--max", "N", "is not a number from 1 on",
        "the most fields, lines and entries that are shown of one thing (default: 20)",
        static text => int.TryParse(text, CultureInfo.InvariantCulture, out int number) && number > 0 ? number : (int?)null);

    private readonly Option<bool> _json = new("--json") { Description = "print the differences as JSON" };
    private readonly Option<string> _html = new("--html") { HelpName = "FILE", Description = "write them as a page of HTML too, which needs nothing beside it" };

    public Command Create()
    {
        var command = new Command("diff", "say where, in what and why two images differ") { _before, _after, _maximum, _json, _html };
        command.SetAction(result => Verbs.Run(terminal, cancellation => Run(result, cancellation)));
        return command;
    }

    private int Run(ParseResult arguments, CancellationToken cancellation)
    {
        string before = arguments.GetRequiredValue(_before);
        string after = arguments.GetRequiredValue(_after);
        int maximum = arguments.GetValue(_maximum) ?? DefaultMaximum;
        var reach = new Reach { FollowsLinks = true, Cancellation = cancellation };
        var options = new DiffOptions { MaximumLines = Math.Max(new DiffOptions().MaximumLines, maximum), Cancellation = cancellation };
        var difference = Compare(reach.Find(before), reach.Find(after), options);
        if (arguments.GetValue(_html) is { } page)
        {
            WriteFile(page, output => HtmlReport.Write(output, difference, before, after, HtmlMaximum));
        }
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

    /// <summary>In place of what is there only when it is whole.</summary>
    private static void WriteFile(string path, Action<Stream> write)
    {
        string temporary = path + ".part";
        try
        {
            using (var output = File.Create(temporary))
            {
                write(output);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Two trees, two contents, or a directory and the files of an image.</summary>
    private static Difference? Compare(Place before, Place after, DiffOptions options)
    {
        if (before.Content is { } left && after.Content is { } right)
        {
            return ImageDiffer.Compare(left, right, options, before.TreePath?.ToString() ?? "");
        }
        return ImageDiffer.Compare(Tree(before), Tree(after), options);
    }

    private static FileTree Tree(Place place) =>
        place.Node is DirectoryNode directory ? new FileTree(directory)
            : place.Open()?.Tree ?? throw new InvalidDataException($"{place.Address}: neither a directory nor an image with files");
}
