using System.Text;
using Diecast.Config;
using Diecast.Formats.Gpt;

namespace Diecast.Build.Partitioning;

/// <summary>Reads the definition files of systemd-repart (repart.d(5)).</summary>
public sealed class DefinitionReader
{
    private readonly DefinitionSettings _settings;
    private readonly MkfsOptions _options;
    private readonly List<Diagnostic> _errors = [];

    private DefinitionReader(DefinitionSettings settings, MkfsOptions? options) =>
        (_settings, _options) = (settings, options ?? new MkfsOptions());

    /// <summary>
    /// The definitions in all *.conf files of the directories, ordered by the bytes of the file names, each with its
    /// drop-ins (NAME.conf.d/*.conf). Of files with the same name that of the earlier directory counts; an empty file
    /// hides those of its name.
    /// </summary>
    /// <param name="directories">In falling precedence.</param>
    /// <param name="specifiers">The values of specifiers.</param>
    /// <param name="overrideArchitecture">Whether types named for another architecture become those of the specifiers' one.</param>
    /// <param name="options">What goes over the definitions' file systems.</param>
    /// <exception cref="ConfigException">Something in the files is wrong; all of it is named.</exception>
    public static IReadOnlyList<PartitionDefinition> Read(
        IReadOnlyList<string> directories, RepartSpecifiers specifiers, bool overrideArchitecture = false, MkfsOptions? options = null)
    {
        var reader = new DefinitionReader(new DefinitionSettings(specifiers, overrideArchitecture), options);
        foreach (string missing in directories.Where(static directory => !Directory.Exists(directory)))
        {
            reader._errors.Add(new Diagnostic(new Location(missing), "there is no such directory"));
        }
        var definitions = ConfFiles(directories).Select(file => reader.ReadDefinition(file, directories)).ToList();
        return reader._errors.Count == 0 ? definitions : throw reader.Failure();
    }

    /// <summary>The definition in the text of one file, without drop-ins.</summary>
    /// <inheritdoc cref="Read"/>
    public static PartitionDefinition Parse(
        string text, string name, RepartSpecifiers specifiers, bool overrideArchitecture = false, MkfsOptions? options = null)
    {
        var reader = new DefinitionReader(new DefinitionSettings(specifiers, overrideArchitecture), options);
        var definition = reader.Finish(reader.Apply(new PartitionDefinition { Source = name }, Encoding.UTF8.GetBytes(text), name));
        return reader._errors.Count == 0 ? definition : throw reader.Failure();
    }

    /// <summary>The errors file by file, in the order of the lines.</summary>
    private ConfigException Failure() => new([.. _errors
        .GroupBy(static error => error.Location.Source, StringComparer.Ordinal)
        .SelectMany(static file => file.OrderBy(static error => error.Location.Line, Comparer<int>.Default))]);

    private PartitionDefinition ReadDefinition(string file, IReadOnlyList<string> directories)
    {
        var definition = Apply(new PartitionDefinition { Source = file }, File.ReadAllBytes(file), file);
        var dropIns = directories.Select(directory => Path.Join(directory, Path.GetFileName(file) + ".d"));
        foreach (string dropIn in ConfFiles(dropIns))
        {
            definition = Apply(definition, File.ReadAllBytes(dropIn), dropIn);
        }
        return Finish(definition);
    }

    private static List<string> ConfFiles(IEnumerable<string> directories)
    {
        var byName = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string directory in directories.Where(Directory.Exists))
        {
            foreach (string file in Directory.GetFiles(directory, "*.conf"))
            {
                string name = Path.GetFileName(file);
                if (name[0] != '.')
                {
                    byName.TryAdd(name, file);
                }
            }
        }
        var files = byName.ToArray();
        Array.Sort(files, static (a, b) => Encoding.UTF8.GetBytes(a.Key).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b.Key)));
        return [.. files.Select(static file => file.Value).Where(static file => !IsMasked(file))];
    }

    private static bool IsMasked(string file) =>
        new FileInfo(file).ResolveLinkTarget(true)?.FullName == "/dev/null" || File.ReadAllBytes(file).Length == 0;

    private PartitionDefinition Apply(PartitionDefinition definition, byte[] content, string file)
    {
        foreach (var assignment in DefinitionSyntax.Parse(content, file, _errors))
        {
            definition = _settings.Apply(definition, assignment, _errors);
        }
        return definition;
    }

    /// <summary>Checks the settings against each other and fills in defaults.</summary>
    private PartitionDefinition Finish(PartitionDefinition definition)
    {
        if (definition.Format is not null && _options.FormatOverride is { } format)
        {
            definition = Override(definition, format, MkfsOptions.OverrideVariable);
        }
        CheckSizes(definition);
        CheckContent(definition);
        CheckAttributes(definition);
        definition = WithAttributes(WithFormat(definition));
        if (definition.KnownType is { Designator: var designator } && _options.FormatOverrides.TryGetValue(designator, out string? other))
        {
            definition = Override(definition, other, MkfsOptions.VariableFor(designator));
        }
        CheckFileSystem(definition);
        return definition;
    }

    /// <summary>What mkosi hands to systemd-repart in the environment goes over the definition.</summary>
    private PartitionDefinition Override(PartitionDefinition d, string format, string variable)
    {
        Refuse(d.KnownType?.Designator is "esp" or "xbootldr" && format != "vfat", d.Place("Format"),
            $"{variable}={format} means this {d.KnownType?.Name} too, and firmware reads vfat only; say {MkfsOptions.VariableFor("root")}={format} for the root alone");
        return d with { Format = format };
    }

    private void CheckSizes(PartitionDefinition d)
    {
        bool isSound = !_errors.Any(error => error.Location.Source == d.Source);
        Refuse(d.Type == Guid.Empty && isSound, d.Place("Type"), "Type is missing");
        Refuse(d.SizeMin > d.SizeMax, d.Place("SizeMinBytes"), "SizeMinBytes is larger than SizeMaxBytes");
        Refuse(d.PaddingMin > d.PaddingMax, d.Place("PaddingMinBytes"), "PaddingMinBytes is larger than PaddingMaxBytes");
    }

    private void CheckContent(PartitionDefinition d)
    {
        bool populated = !d.CopyFiles.IsEmpty || !d.MakeDirectories.IsEmpty || !d.MakeSymlinks.IsEmpty || d.AddValidateFs == true;
        Refuse(d.CopyBlocks is not null && (populated || d.Format is not null), d.Place("CopyBlocks"),
            "CopyBlocks cannot be combined with Format, CopyFiles, MakeDirectories, MakeSymlinks and AddValidateFS");
        Refuse(d.Format is "swap" or "empty" && populated, d.Place("Format"),
            $"Format={d.Format} cannot be combined with CopyFiles, MakeDirectories, MakeSymlinks and AddValidateFS");
        Refuse(d.Format is "vfat" && d.AddValidateFs == true, d.Place("AddValidateFS"), "vfat has no place for AddValidateFS");
        Refuse(d.Minimize != MinimizeMode.Off && d.Format is null or "empty" && !populated, d.Place("Minimize"),
            "Minimize needs a Format");
        Refuse(d.KnownType?.Designator == "swap" && d.Format is null && d.CopyBlocks is null, d.Place("Type"),
            "a partition of type swap is formatted as such, and Format=swap is not supported yet; write Format=empty");
    }

    /// <summary>What depends on the file system that it is in the end.</summary>
    private void CheckFileSystem(PartitionDefinition d)
    {
        foreach (string setting in new[] { "Compression", "CompressionLevel", "Subvolumes", "DefaultSubvolume" })
        {
            Refuse(d.Format is not "btrfs" && d.Places.ContainsKey(setting), d.Place(setting), $"{setting} needs Format=btrfs");
        }
        Refuse(d.Minimize == MinimizeMode.Best && d.Format is not "btrfs", d.Place("Minimize"),
            "Minimize=best is for btrfs and file systems that are never written to, and none of those is supported yet; write guess");
    }

    private void CheckAttributes(PartitionDefinition d)
    {
        var known = d.KnownType?.KnownAttributes ?? PartitionAttributes.None;
        RefuseUnknown(d.NoAuto, PartitionAttributes.NoAuto, "NoAuto");
        RefuseUnknown(d.ReadOnly, PartitionAttributes.ReadOnly, "ReadOnly");
        RefuseUnknown(d.GrowFileSystem, PartitionAttributes.GrowFileSystem, "GrowFileSystem");

        void RefuseUnknown(bool? value, PartitionAttributes attribute, string setting) =>
            Refuse(value is not null && d.Type != Guid.Empty && !known.HasFlag(attribute), d.Place(setting),
                $"{setting} means nothing for the type {d.KnownType?.Name ?? d.Type.ToString()}");
    }

    private static PartitionDefinition WithFormat(PartitionDefinition d) => d.Format switch
    {
        null when d.IsPopulated => d with { Format = d.KnownType?.Designator is "esp" or "xbootldr" ? "vfat" : "ext4" },
        "empty" => d with
        {
            Format = null,
            NoAuto = d.NoAuto ?? (Knows(d, PartitionAttributes.NoAuto) ? true : null),
            Label = d.Label ?? "_empty",
        },
        _ => d,
    };

    private static PartitionDefinition WithAttributes(PartitionDefinition d)
    {
        bool isVerity = d.KnownType?.Designator is "root-verity" or "root-verity-sig" or "usr-verity" or "usr-verity-sig";
        bool? readOnly = d.ReadOnly ?? (isVerity ? true : null);
        return d with
        {
            ReadOnly = readOnly,
            GrowFileSystem = d.GrowFileSystem ?? (Knows(d, PartitionAttributes.GrowFileSystem) && readOnly != true ? true : null),
        };
    }

    private static bool Knows(PartitionDefinition d, PartitionAttributes attribute) =>
        d.KnownType is { } type && type.KnownAttributes.HasFlag(attribute);

    private void Refuse(bool condition, Location place, string message)
    {
        if (condition)
        {
            _errors.Add(new Diagnostic(place, message));
        }
    }
}
