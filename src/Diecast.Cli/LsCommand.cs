using System.CommandLine;
using System.Text.Json;
using Diecast.Inspect;
using Diecast.Inspect.Reports;
using Diecast.Trees;

namespace Diecast.Cli;

/// <summary><c>ls</c>: the files of a directory in an image, the partitions of a disk, the sections of a program.</summary>
internal sealed class LsCommand(Terminal terminal)
{
    private readonly ImageAddress _address = new();
    private readonly Option<bool> _long = new("-l", "--long") { Description = "type, mode, owner, size and time (UTC, to the nanosecond) too" };
    private readonly Option<bool> _recursive = new("-R", "--recursive") { Description = "what is below, too, with paths" };
    private readonly Option<bool> _xattrs = new("--xattrs") { Description = "extended attributes below each file" };
    private readonly Option<bool> _json = new("--json") { Description = "print JSON, with all that is known" };

    public Command Create()
    {
        var command = new Command("ls", "list files, partitions or sections in an image") { _long, _recursive, _xattrs, _json };
        _address.AddTo(command);
        command.SetAction(result => Verbs.Run(terminal, cancellation => StandardOutput.Run(output =>
        {
            using var buffered = new BufferedStream(output, 1 << 16);
            List(result, buffered, cancellation);
            return 0;
        })));
        return command;
    }

    private void List(ParseResult arguments, Stream output, CancellationToken cancellation)
    {
        var place = _address.Find(arguments, followsLinks: false, cancellation);
        if (place is { Node: { } single and not DirectoryNode, IsInside: false })
        {
            ListNodes(arguments, output, [(place.TreePath!.ToString(), single)], cancellation);
            return;
        }
        if (place.Node is DirectoryNode directory)
        {
            ListNodes(arguments, output, Entries(arguments, directory), cancellation);
            return;
        }
        var container = place.Open(cancellation) ?? throw new InvalidDataException($"{place.Address}: holds nothing that can be listed");
        if (container.Tree is { } tree)
        {
            ListNodes(arguments, output, Entries(arguments, tree.Root), cancellation);
        }
        else
        {
            ListParts(arguments, output, container);
        }
    }

    private IEnumerable<(string Name, Node Node)> Entries(ParseResult arguments, DirectoryNode directory) => arguments.GetValue(_recursive)
        ? new FileTree(directory).Walk().Skip(1).Select(static entry => (entry.ToString(), entry.Node))
        : directory.Entries.Select(static entry => (entry.Name.ToString(), entry.Node));

    private void ListNodes(ParseResult arguments, Stream output, IEnumerable<(string Name, Node Node)> entries, CancellationToken cancellation)
    {
        bool xattrs = arguments.GetValue(_xattrs);
        if (arguments.GetValue(_json))
        {
            WriteArray(output, entries, (json, entry) =>
            {
                cancellation.ThrowIfCancellationRequested();
                Listing.WriteJson(json, entry.Name, entry.Node, xattrs);
            });
            return;
        }
        bool isLong = arguments.GetValue(_long);
        var widths = Listing.Widths.Usual;
        if (isLong && !arguments.GetValue(_recursive))
        {
            var all = entries.ToList();
            (entries, widths) = (all, Listing.Widths.Of([.. all.Select(static entry => entry.Node)]));
        }
        using var text = new StreamWriter(output, leaveOpen: true);
        foreach (var (name, node) in entries)
        {
            cancellation.ThrowIfCancellationRequested();
            text.Write((isLong ? Listing.Line(name, node, widths) : name) + "\n");
            foreach (string line in xattrs ? Listing.XattrLines(node) : [])
            {
                text.Write(line + "\n");
            }
        }
    }

    private void ListParts(ParseResult arguments, Stream output, Container container)
    {
        if (arguments.GetValue(_json))
        {
            WriteArray(output, container.Parts, static (json, part) =>
            {
                json.WriteStartObject();
                json.WriteString("name", part.Name);
                json.WriteNumber("size", part.Content.Length);
                foreach (var field in part.Fields)
                {
                    json.WriteString(field.Name, field.Value);
                }
                json.WriteEndObject();
            });
            return;
        }
        string[] columns = container.Kind == "gpt"
            ? arguments.GetValue(_long) ? ["type", "offset", "length", "id", "label"] : ["type", "label"]
            : arguments.GetValue(_long) ? ["VirtualAddress", "VirtualSize", "Characteristics"] : [];
        string[][] rows = [.. container.Parts.Select(part => (string[])[
            Units.Display(part.Name), .. columns.Select(column => Units.Display(part.Fields.First(field => field.Name == column).Value))])];
        using var text = new StreamWriter(output, leaveOpen: true);
        foreach (string[] row in rows)
        {
            text.Write(string.Join("  ", row.Select((cell, i) => cell.PadRight(rows.Max(other => other[i].Length)))).TrimEnd() + "\n");
        }
    }

    private static void WriteArray<T>(Stream output, IEnumerable<T> items, Action<Utf8JsonWriter, T> write)
    {
        using (var json = new Utf8JsonWriter(output, InspectionJson.Options with { Indented = false }))
        {
            json.WriteStartArray();
            foreach (var item in items)
            {
                write(json, item);
                json.Flush();
                output.WriteByte((byte)'\n');
            }
            json.WriteEndArray();
        }
        output.WriteByte((byte)'\n');
    }
}
