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

/// <summary>diecast repart: a disk image of repart.d definitions, as systemd-repart makes it offline.</summary>
internal sealed class RepartCommand
{
    private readonly Argument<string> _output = new("OUT") { Description = "The image to make" };
    private readonly Option<string> _empty = new("--empty") { Description = "create: make a new image, the only mode so far", DefaultValueFactory = static _ => "refuse" };
    private readonly Option<string> _size = new("--size") { Description = "The image's size in bytes, with K, M, G or T, or auto", DefaultValueFactory = static _ => "auto" };
    private readonly Option<string?> _seed = new("--seed") { Description = "The UUID that all ids are derived from; without it, the content gives one" };
    private readonly Option<string[]> _definitions = new("--definitions") { Description = "A directory of *.conf files; may be given again", Required = true };
    private readonly Option<string?> _root = new("--root") { Description = "The directory that CopyFiles and CopyBlocks copy from" };
    private readonly Option<int?> _sectorSize = new("--sector-size") { Description = "512 or 4096" };
    private readonly Option<string?> _architecture = new("--architecture") { Description = "What root and usr partitions are for, as x86-64 or arm64" };
    private readonly Option<long?> _epoch = new("--source-date-epoch") { Description = "Seconds since 1970: the latest time in the image; without it, the newest time of what is copied" };
    private readonly Option<string> _split = new("--split") { Description = "yes: write each partition to a file of its own too", DefaultValueFactory = static _ => "no" };
    private readonly Option<string> _json = new("--json") { Description = "Describe the partitions as JSON: pretty, short or off", DefaultValueFactory = static _ => "off" };

    public static Command Create()
    {
        var verb = new RepartCommand();
        var command = new Command("repart", "Makes a partitioned disk image of repart.d definitions")
        {
            verb._output, verb._empty, verb._size, verb._seed, verb._definitions, verb._root, verb._sectorSize,
            verb._architecture, verb._epoch, verb._split, verb._json,
        };
        command.SetAction((result, cancellation) => Task.FromResult(verb.Run(result, cancellation)));
        return command;
    }

    private int Run(ParseResult arguments, CancellationToken cancellation)
    {
        try
        {
            Make(arguments, cancellation);
            return 0;
        }
        catch (ConfigException error)
        {
            foreach (var diagnostic in error.Diagnostics)
            {
                Console.Error.WriteLine(diagnostic);
            }
        }
        catch (Exception error) when (error is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine(error.Message);
        }
        return 1;
    }

    private void Make(ParseResult arguments, CancellationToken cancellation)
    {
        string output = arguments.GetValue(_output)!;
        var options = new Parser(this, arguments);
        var geometry = options.Geometry();
        var seed = options.Seed();
        string? architecture = options.Architecture();
        bool split = options.Split();
        var json = options.Json();
        options.Check();

        var root = arguments.GetValue(_root) is { } directory ? new SourceDirectory(directory) : null;
        var specifiers = RepartSpecifiers.ForTree(architecture ?? "x86-64", root?.ReadOsRelease());
        var definitions = DefinitionReader.Read(arguments.GetValue(_definitions)!, specifiers, architecture is not null);
        RequireRoot(definitions, root);
        var disk = new OfflineRepart
        {
            Definitions = definitions,
            Source = root?.Read(definitions) ?? SourceDirectory.Nothing,
            Formats = FileSystems.Find,
            Geometry = geometry,
            Seed = seed,
            Epoch = arguments.GetValue(_epoch) is { } seconds ? new Timestamp(seconds) : null,
            Notice = Console.Error.WriteLine,
        }.Run();
        var files = new RepartFiles(output, disk, specifiers, split);
        files.Write(cancellation);
        Describe(disk, files, json);
    }

    private static void RequireRoot(IReadOnlyList<PartitionDefinition> definitions, SourceDirectory? root)
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

    private static void Describe(RepartDisk disk, RepartFiles files, bool? indented)
    {
        if (indented is { } pretty)
        {
            Console.Out.WriteLine(DescribeAsJson(disk, files, pretty));
            return;
        }
        foreach (var partition in disk.Plan.Partitions)
        {
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{partition.Number} {partition.Identity.Id} {partition.Offset} {partition.Length} {partition.Identity.Label}"));
        }
    }

    /// <summary>The form of systemd-repart's --json, which scripts read ids and places from.</summary>
    private static string DescribeAsJson(RepartDisk disk, RepartFiles files, bool pretty)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = pretty, IndentCharacter = '\t', IndentSize = 1, NewLine = "\n" }))
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

    /// <summary>Reads the options' values; what is wrong with them is told together.</summary>
    private sealed class Parser(RepartCommand command, ParseResult arguments)
    {
        private readonly List<Diagnostic> _errors = [];

        public DiskGeometry Geometry()
        {
            string size = arguments.GetValue(command._size)!;
            long? length = null;
            if (size != "auto" && (length = DiskGeometry.ParseSize(size)) is null)
            {
                Refuse("--size", $"\"{size}\" is neither a size nor auto");
            }
            if (arguments.GetValue(command._empty) != "create")
            {
                Refuse("--empty", "only new images can be made so far; say --empty=create");
            }
            switch (arguments.GetValue(command._sectorSize))
            {
                case null:
                    return new DiskGeometry { Size = length };
                case 512 or 4096:
                    return new DiskGeometry { Size = length, SectorSize = arguments.GetValue(command._sectorSize)!.Value };
                default:
                    Refuse("--sector-size", "sectors have 512 or 4096 bytes");
                    return new DiskGeometry();
            }
        }

        public Guid? Seed()
        {
            string? text = arguments.GetValue(command._seed);
            if (text is null)
            {
                return null;
            }
            if (!Guid.TryParseExact(text, "D", out var seed) && !Guid.TryParseExact(text, "N", out seed))
            {
                Refuse("--seed", $"\"{text}\" is no UUID; the image's ids must be the same each time");
            }
            return seed;
        }

        public string? Architecture()
        {
            string? name = arguments.GetValue(command._architecture);
            string? canonical = name is null ? null : PartitionType.CanonicalArchitecture(name);
            if (name is not null && canonical is null)
            {
                Refuse("--architecture", $"\"{name}\" is unknown");
            }
            return canonical;
        }

        public bool Split()
        {
            string value = arguments.GetValue(command._split)!;
            if (value is not ("yes" or "no" or "true" or "false" or "1" or "0"))
            {
                Refuse("--split", $"\"{value}\" is neither yes nor no");
            }
            return value is "yes" or "true" or "1";
        }

        /// <summary>Whether JSON is wanted, and if so, indented.</summary>
        public bool? Json()
        {
            string value = arguments.GetValue(command._json)!;
            if (value is not ("pretty" or "short" or "off"))
            {
                Refuse("--json", $"\"{value}\" is not pretty, short or off");
            }
            return value == "off" ? null : value == "pretty";
        }

        public void Check()
        {
            if (_errors.Count > 0)
            {
                throw new ConfigException(_errors);
            }
        }

        private void Refuse(string option, string message) => _errors.Add(new Diagnostic(new Location(option), message));
    }
}
