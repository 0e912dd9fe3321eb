using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Diecast.Images;
using Diecast.Inspect;
using Diecast.Inspect.Reports;

namespace Diecast.Cli;

/// <summary><c>inspect</c>: what an image is made of, and what is wrong with it. Exit status 1 where anything is.</summary>
internal sealed class InspectCommand(Terminal terminal)
{
    private readonly ImageAddress _address = new();
    private readonly Option<bool> _json = new("--json") { Description = "print JSON" };
    private readonly Option<bool> _layout = new("--layout") { Description = "print what every byte is: offset, length, label" };
    private readonly Option<bool> _all = new("--all", "-a") { Description = "show the fields that are zero or empty too" };

    public Command Create()
    {
        var command = new Command("inspect", "say what an image is made of: partitions, file systems, kernel images") { _json, _layout, _all };
        _address.AddTo(command);
        command.SetAction(result => Verbs.Run(terminal, cancellation => Run(result, cancellation)));
        return command;
    }

    private int Run(ParseResult arguments, CancellationToken cancellation)
    {
        var place = _address.Find(arguments, followsLinks: true, cancellation);
        if (place.Content is null)
        {
            throw new InvalidDataException($"{place.Address}: is no regular file; ls lists directories");
        }
        // A compressed file in an image is what it holds, as a compressed image is.
        var content = place.Unpacked(cancellation);
        return arguments.GetValue(_layout)
            ? WriteLayout(content, arguments.GetValue(_json), cancellation)
            : WriteInspection(place, content, arguments, cancellation);
    }

    private int WriteInspection(Place place, Blob content, ParseResult arguments, CancellationToken cancellation)
    {
        var inspection = Inspection.Of(content, place.TreePath?.ToString() ?? "", cancellation);
        if (arguments.GetValue(_json))
        {
            var compression = place.Part is null && place.Node is null ? place.Source.Compression : Compression.None;
            StandardOutput.Run(output =>
            {
                using var buffered = new BufferedStream(output, 1 << 16);
                InspectionJson.Write(buffered, _address.Text(arguments), compression, inspection);
                return 0;
            });
        }
        else
        {
            string packed = place.Source.Compression == Compression.None || place.Part is not null || place.Node is not null ? ""
                : $"{place.Source.Compression.ToString().ToLowerInvariant()} of {Units.Size(place.Source.StoredLength)}";
            new InspectionText(terminal.Output, terminal.HasOutputColors, arguments.GetValue(_all)).Write(place.Address, inspection, packed);
        }
        return inspection.IsSound ? 0 : 1;
    }

    private int WriteLayout(Blob content, bool asJson, CancellationToken cancellation)
    {
        int damages = 0;
        var lines = LayoutLines.Of(content, message =>
        {
            damages++;
            terminal.Error(message);
        });
        int status = StandardOutput.Run(output =>
        {
            using var buffered = new BufferedStream(output, 1 << 16);
            if (asJson)
            {
                WriteJson(lines, buffered, cancellation);
                return 0;
            }
            using var text = new StreamWriter(buffered, leaveOpen: true);
            foreach (var line in lines)
            {
                cancellation.ThrowIfCancellationRequested();
                text.Write(string.Create(CultureInfo.InvariantCulture, $"{line.Offset,15} {line.Length,15}  {Units.Display(line.Label)}\n"));
            }
            return 0;
        });
        return damages > 0 ? 1 : status;
    }

    private static void WriteJson(IEnumerable<LayoutLine> lines, Stream output, CancellationToken cancellation)
    {
        using (var json = new Utf8JsonWriter(output, InspectionJson.Options with { Indented = false }))
        {
            json.WriteStartArray();
            foreach (var line in lines)
            {
                cancellation.ThrowIfCancellationRequested();
                json.WriteStartObject();
                json.WriteNumber("offset", line.Offset);
                json.WriteNumber("length", line.Length);
                json.WriteString("label", line.Label);
                json.WriteEndObject();
                json.Flush();
                output.WriteByte((byte)'\n');
            }
            json.WriteEndArray();
        }
        output.WriteByte((byte)'\n');
    }
}
