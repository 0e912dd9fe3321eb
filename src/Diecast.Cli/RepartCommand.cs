using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Diecast.Build.Partitioning;
using Diecast.Config;
using Diecast.Formats;
using Diecast.Formats.Gpt;
using Diecast.Trees;

namespace Diecast.Cli;

/// <summary><c>repart</c>: a disk image of repart.d definitions, as systemd-repart makes it offline.</summary>
internal sealed class RepartCommand(Terminal terminal)
{
    private const string DefaultArchitecture = "x86-64";

    private readonly Argument<string> _output = new("OUT.raw") { Description = "the image to make" };

    private readonly Option<string?> _empty = ParsedOption.Create("--empty", "create", "is not create, the only mode so far",
        "create: make a new image, the only mode so far", static text => text == "create" ? text : null);

    private readonly Option<SizeOption?> _size = ParsedOption.Create("--size", "BYTES", "is neither auto nor a number of bytes with K, M, G or T",
        "the image's size with K, M, G or T, or auto for the least (default)", SizeOption.Parse);

    private readonly Option<Guid?> _seed = ParsedOption.Create("--seed", "UUID", "is no UUID",
        "derive all ids from this (default: derived from the definitions and what they copy)", Verbs.ParseUuid);

    private readonly Option<string[]> _definitions = new("--definitions")
    {
        HelpName = "DIR", Description = "a directory of *.conf files; may be given again", Required = true,
    };

    private readonly Option<string> _root = new("--root")
    {
        HelpName = "DIR", Description = "the tree that CopyFiles and CopyBlocks copy from",
    };

    private readonly Option<int?> _sectorSize = ParsedOption.Create("--sector-size", "BYTES", "is neither 512 nor 4096",
        "512 (default) or 4096, for the disk and its file systems",
        static text => text switch { "512" => 512, "4096" => 4096, _ => (int?)null });

    private readonly Option<string?> _architecture = ParsedOption.Create("--architecture", "ARCHITECTURE", "is no architecture that partition types are for",
        $"what root and usr partitions are for (default: {DefaultArchitecture})", PartitionType.CanonicalArchitecture);

    private readonly Option<long?> _epoch = ParsedOption.Create("--source-date-epoch", "SECONDS", "is not a number of seconds since 1970",
        "the latest time in the image (default: SOURCE_DATE_EPOCH, else the newest time of what is copied)", ParsedOption.ParseSeconds);

    // No Option<bool>: its value may not be yes.
    private readonly Option<string?> _split = ParsedOption.Create("--split", "BOOL", "is neither yes nor no", "write each partition to a file of its own too",
        static text => text switch { "yes" or "true" or "1" => "yes", "no" or "false" or "0" => "no", _ => null });

    private readonly Option<string?> _json = ParsedOption.Create("--json", "FORMAT", "is not pretty, short or off",
        "describe the partitions as JSON: pretty, short or off (default)", static text => text is "pretty" or "short" or "off" ? text : null);


    public Command Create()
    {
        var command = new Command("repart", "make a partitioned disk image of repart.d definitions")
        {
            _output, _empty, _size, _seed, _definitions, _root, _sectorSize, _architecture, _epoch, _split, _json,
        };
        _empty.Required = true;
        command.SetAction(result => Verbs.Run(terminal, cancellation => Make(result, cancellation)));
        return command;
    }

    private int Make(ParseResult arguments, CancellationToken cancellation)
    {
        string? architecture = arguments.GetValue(_architecture);
        var root = arguments.GetValue(_root) is { } directory ? new SourceDirectory(directory) : null;
        var specifiers = RepartSpecifiers.ForTree(architecture ?? DefaultArchitecture, root?.ReadOsRelease());
        var definitions = DefinitionReader.Read(arguments.GetRequiredValue(_definitions), specifiers, architecture is not null);
        RequireSource(definitions, root);
        var epoch = arguments.GetValue(_epoch) ?? MkfsCommand.EpochOfEnvironment();
        var disk = new OfflineRepart
        {
            Definitions = definitions,
            Source = root?.Read(definitions, cancellation) ?? SourceDirectory.Nothing,
            Formats = FormatTable.Find,
            Geometry = Geometry(arguments),
            Seed = arguments.GetValue(_seed),
            Epoch = epoch is { } seconds ? new Timestamp(seconds) : null,
            Notice = terminal.Warning,
        }.Run();
        var files = new RepartFiles(arguments.GetRequiredValue(_output), disk, specifiers, arguments.GetValue(_split) == "yes");
        files.Write(cancellation);
        Describe(disk, files, arguments.GetValue(_json));
        return 0;
    }

    private DiskGeometry Geometry(ParseResult arguments)
    {
        var geometry = new DiskGeometry { Size = arguments.GetValue(_size)?.Bytes };
        return arguments.GetValue(_sectorSize) is { } size ? geometry with { SectorSize = size } : geometry;
    }

    private static void RequireSource(IReadOnlyList<PartitionDefinition> definitions, SourceDirectory? root)
    {
        var errors = definitions
            .Where(definition => root is null && (!definition.CopyFiles.IsEmpty || definition.CopyBlocks is not null))
            .Select(static definition => new Diagnostic(definition.Place(definition.CopyBlocks is null ? "CopyFiles" : "CopyBlocks"),
                "there is nothing to copy from; say --root=DIR"))
            .ToList();
        if (definitions.Count == 0)
        {
            errors.Add(new Diagnostic(new Location("--definitions"), "there are no *.conf files in the directories"));
        }
        if (errors.Count > 0)
        {
            throw new ConfigException(errors);
        }
    }

    private void Describe(RepartDisk disk, RepartFiles files, string? json)
    {
        if (json is "pretty" or "short")
        {
            terminal.Output.WriteLine(DescribeAsJson(disk, files, json == "pretty"));
            return;
        }
        foreach (var partition in disk.Plan.Partitions)
        {
            terminal.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{partition.Number} {partition.Identity.Id} {partition.Offset} {partition.Length} {partition.Identity.Label}"));
        }
    }

    /// <summary>The form of systemd-repart's --json, which scripts read ids and places from.</summary>
    private static string DescribeAsJson(RepartDisk disk, RepartFiles files, bool pretty)
    {
        using var stream = new MemoryStream();
        var form = new JsonWriterOptions { Indented = pretty, IndentCharacter = '\t', IndentSize = 1, NewLine = "\n" };
        using (var json = new Utf8JsonWriter(stream, form))
        {
            json.WriteStartArray();
            foreach (var partition in disk.Plan.Partitions)
            {
                json.WriteStartObject();
                json.WriteString("type", partition.Definition.KnownType?.Name ?? partition.Definition.Type.ToString());
                json.WriteString("label", partition.Identity.Label);
                json.WriteString("uuid", partition.Identity.Id);
                json.WriteNumber("partno", partition.Number - 1);
                json.WriteString("file", partition.Definition.Source);
                json.WriteString("node", files.Output + partition.Number.ToString(CultureInfo.InvariantCulture));
                json.WriteNumber("offset", partition.Offset);
                json.WriteNumber("old_size", 0);
                json.WriteNumber("raw_size", partition.Length);
                json.WriteNumber("old_padding", 0);
                json.WriteNumber("raw_padding", partition.Padding);
                json.WriteString("activity", "create");
                if (files.SplitPathOf(partition) is { } path)
                {
                    json.WriteString("split_path", path);
                }
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
