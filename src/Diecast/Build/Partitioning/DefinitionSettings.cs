using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Diecast.Config;
using Diecast.Formats;
using Diecast.Formats.Gpt;
using static Diecast.Build.Partitioning.DefinitionValues;

namespace Diecast.Build.Partitioning;

/// <summary>
/// The settings of the section [Partition] (repart.d(5)). Each one acts; those that do not act yet are refused by name.
/// </summary>
internal sealed class DefinitionSettings(RepartSpecifiers specifiers, bool overrideArchitecture)
{
    /// <summary>Gives the definition with the setting made. Throws a FormatException for a value that it refuses.</summary>
    private delegate PartitionDefinition Setter(
        DefinitionSettings settings, PartitionDefinition definition, string value, Location place);

    private static readonly FrozenDictionary<string, Setter> s_setters = new Dictionary<string, Setter>(StringComparer.Ordinal)
    {
        ["Type"] = static (settings, d, value, _) => d with { Type = settings.ParseType(value) },
        ["Label"] = static (settings, d, value, _) => d with { Label = settings.ParseLabel(value) },
        ["UUID"] = static (_, d, value, _) => d with
        {
            Uuid = value switch { "" => null, "null" => Guid.Empty, _ => ParseUuid(value) },
        },
        ["Priority"] = static (_, d, value, _) => d with { Priority = ParsePriority(value) },
        ["Weight"] = static (_, d, value, _) => d with { Weight = ParseWeight(value) },
        ["PaddingWeight"] = static (_, d, value, _) => d with { PaddingWeight = ParseWeight(value) },
        ["SizeMinBytes"] = static (_, d, value, _) => d with { SizeMin = ParseLeastSize(value) },
        ["SizeMaxBytes"] = static (_, d, value, _) => d with { SizeMax = ParseGreatestSize(value) },
        ["PaddingMinBytes"] = static (_, d, value, _) => d with { PaddingMin = ParseLeastSize(value) },
        ["PaddingMaxBytes"] = static (_, d, value, _) => d with { PaddingMax = ParseGreatestSize(value) },
        // Says what a factory reset of the running system removes, which is no matter of the image's bytes.
        ["FactoryReset"] = static (_, d, value, _) => ParseBoolean(value) ? d : d,
        ["CopyBlocks"] = static (settings, d, value, _) => d with { CopyBlocks = settings.ParseCopyBlocks(value) },
        ["Format"] = static (_, d, value, _) => d with { Format = ParseFormat(value) },
        ["CopyFiles"] = static (settings, d, value, place) => d with
        {
            CopyFiles = d.CopyFiles.Add(settings.ParseCopyFiles(value, place)),
        },
        ["ExcludeFiles"] = static (settings, d, value, _) => d with
        {
            ExcludeFiles = value.Length == 0 ? [] : d.ExcludeFiles.AddRange(settings.ParsePaths(value, keepTrailingSlash: true)),
        },
        ["ExcludeFilesTarget"] = static (settings, d, value, _) => d with
        {
            ExcludeFilesTarget = value.Length == 0
                ? [] : d.ExcludeFilesTarget.AddRange(settings.ParsePaths(value, keepTrailingSlash: true)),
        },
        ["MakeDirectories"] = static (settings, d, value, _) => d with
        {
            MakeDirectories = d.MakeDirectories.AddRange(settings.ParsePaths(value, keepTrailingSlash: false)),
        },
        ["MakeSymlinks"] = static (settings, d, value, place) => d with
        {
            MakeSymlinks = d.MakeSymlinks.AddRange(ParseWords(value).Select(word => settings.ParseSymlink(word, place))),
        },
        ["Minimize"] = static (_, d, value, _) => d with { Minimize = ParseMinimize(value) },
        ["Flags"] = static (_, d, value, _) => d with { Flags = (PartitionAttributes)ParseFlags(value) },
        ["NoAuto"] = static (_, d, value, _) => d with { NoAuto = ParseOptionalBoolean(value) },
        ["ReadOnly"] = static (_, d, value, _) => d with { ReadOnly = ParseOptionalBoolean(value) },
        ["GrowFileSystem"] = static (_, d, value, _) => d with { GrowFileSystem = ParseOptionalBoolean(value) },
        ["SplitName"] = static (settings, d, value, _) => d with { SplitName = settings.ParseSplitName(value) },
        ["FileSystemSectorSize"] = static (_, d, value, _) => d with
        {
            FileSystemSectorSize = value.Length == 0 ? null : ParseSectorSize(value),
        },
        ["Compression"] = static (_, d, value, _) => d with { Compression = ParseCompression(value) },
        ["CompressionLevel"] = static (_, d, value, _) => d with { CompressionLevel = value.Length == 0 ? null : ParseLevel(value) },
        ["Subvolumes"] = static (settings, d, value, _) => d with
        {
            Subvolumes = d.Subvolumes.AddRange(ParseWords(value).Select(settings.ParseSubvolume)),
        },
        ["DefaultSubvolume"] = static (settings, d, value, _) => d with
        {
            DefaultSubvolume = value.Length == 0 ? null : ParsePath(settings.Expand(value)),
        },
        ["AddValidateFS"] = static (_, d, value, _) => d with { AddValidateFs = ParseOptionalBoolean(value) },
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenSet<string> s_notYet = FrozenSet.Create(StringComparer.Ordinal,
        "VolumeLabel", "VolumeName", "Encrypt", "EncryptKDF", "EncryptedVolume", "TPM2PCRs", "KeyFile", "Integrity", "IntegrityAlgorithm",
        "Verity", "VerityMatchKey", "VerityDataBlockSizeBytes", "VerityHashBlockSizeBytes",
        "MountPoint", "SupplementFor", "Discard", "BlockDeviceReplace");

    /// <summary>The settings that act, by name.</summary>
    public static IEnumerable<string> Acting => s_setters.Keys;

    /// <summary>The settings that are refused by name.</summary>
    public static IEnumerable<string> NotYet => s_notYet;

    /// <summary>The definition with an assignment made; what is wrong with it is added to the errors.</summary>
    public PartitionDefinition Apply(PartitionDefinition definition, Assignment assignment, List<Diagnostic> errors)
    {
        string key = assignment.Key;
        if (assignment.Section != "Partition")
        {
            if (!assignment.Section.StartsWith("X-", StringComparison.Ordinal))
            {
                errors.Add(new Diagnostic(assignment.Location, assignment.Section.Length == 0
                    ? $"{key} stands before any section" : $"the section [{assignment.Section}] is unknown"));
            }
            return definition;
        }
        if (s_setters.TryGetValue(key, out var set))
        {
            try
            {
                return set(this, definition, assignment.Value, assignment.Location) with
                {
                    Text = definition.Text.Add($"{key}={assignment.Value}"),
                    Places = definition.Places.SetItem(key, assignment.Location),
                };
            }
            catch (FormatException error)
            {
                errors.Add(new Diagnostic(assignment.Location, $"{key}: {error.Message}"));
            }
        }
        else if (s_notYet.Contains(key))
        {
            errors.Add(new Diagnostic(assignment.Location, $"{key} is not supported yet"));
        }
        else if (!key.StartsWith("X-", StringComparison.Ordinal))
        {
            errors.Add(new Diagnostic(assignment.Location, $"the setting {key} is unknown"));
        }
        return definition;
    }

    private Guid ParseType(string value)
    {
        var type = PartitionType.Find(value, specifiers.Architecture);
        if (type is null)
        {
            try
            {
                var id = ParseUuid(value);
                type = PartitionType.Find(id);
                if (type is null)
                {
                    return id != Guid.Empty ? id : throw new FormatException("a type of zeros marks an unused entry");
                }
            }
            catch (FormatException)
            {
                throw new FormatException($"\"{value}\" is neither a partition type nor a UUID");
            }
        }
        return (overrideArchitecture ? type.ForArchitecture(specifiers.Architecture) : type).Id;
    }

    private string ParseLabel(string value)
    {
        string label = specifiers.Expand(value);
        return label.Length <= PartitionEntry.MaximumNameLength
            ? label
            : throw new FormatException($"\"{label}\" is longer than {PartitionEntry.MaximumNameLength} characters");
    }

    private string? ParseCopyBlocks(string value) => value switch
    {
        "" => null,
        "auto" => throw new FormatException("auto copies from the running system, which no image may depend on"),
        _ => ParsePath(specifiers.Expand(value)),
    };

    private static string ParseFormat(string value) =>
        value.Length > 0 && !value.Contains('/', StringComparison.Ordinal) ? value : throw new FormatException($"\"{value}\" is no file system");

    private CopyFiles ParseCopyFiles(string value, Location place)
    {
        var fields = ParseFields(value);
        if (fields.Count > 3)
        {
            throw new FormatException($"\"{value}\" has more than a source, a target and options");
        }
        foreach (string option in fields.ElementAtOrDefault(2)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [])
        {
            if (option != "fsverity=off")
            {
                throw new FormatException($"the option {option} is not supported yet");
            }
        }
        string source = ParsePath(specifiers.Expand(fields[0]));
        return new CopyFiles(source, fields.Count > 1 ? ParsePath(specifiers.Expand(fields[1])) : source, place);
    }

    private List<string> ParsePaths(string value, bool keepTrailingSlash) =>
        [.. ParseWords(value).Select(word => ParsePath(specifiers.Expand(word), keepTrailingSlash))];

    private MakeSymlink ParseSymlink(string word, Location place)
    {
        string[] parts = word.Split(':');
        if (parts.Length != 2 || parts[1].Length == 0 || Encoding.UTF8.GetByteCount(parts[1]) > 4095)
        {
            throw new FormatException($"\"{word}\" is not a path, a colon and a target");
        }
        string path = ParsePath(specifiers.Expand(parts[0]));
        return path != "/" ? new MakeSymlink(path, parts[1], place) : throw new FormatException("the root cannot be a link");
    }

    private string Expand(string value) => specifiers.Expand(value);

    private Subvolume ParseSubvolume(string word)
    {
        string[] parts = word.Split(':');
        if (parts.Length > 2)
        {
            throw new FormatException($"\"{word}\" has more than a path and flags");
        }
        var subvolume = new Subvolume(ParsePath(specifiers.Expand(parts[0])));
        foreach (string flag in parts.ElementAtOrDefault(1)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [])
        {
            subvolume = flag switch
            {
                "ro" => subvolume with { IsReadOnly = true },
                "nodatacow" => subvolume with { IsNoDataCow = true },
                _ => throw new FormatException($"\"{flag}\" is no flag of a subvolume; there are ro and nodatacow"),
            };
        }
        return subvolume;
    }

    private static FileCompression ParseCompression(string value) => value switch
    {
        "" => FileCompression.None,
        "lzo" => FileCompression.Lzo,
        "zlib" => FileCompression.Zlib,
        "zstd" => FileCompression.Zstd,
        _ => throw new FormatException($"\"{value}\" is none of zstd, zlib and lzo"),
    };

    private static int ParseLevel(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int level)
            ? level : throw new FormatException($"\"{value}\" is no level");

    private static MinimizeMode ParseMinimize(string value) => value switch
    {
        "guess" => MinimizeMode.Guess,
        "best" => MinimizeMode.Best,
        _ => ParseBoolean(value) ? MinimizeMode.Best : MinimizeMode.Off,
    };

    private string? ParseSplitName(string value)
    {
        if (value is "" or "-")
        {
            return value.Length == 0 ? "%t" : null;
        }
        // Expanded here for its errors only: the partition's own specifiers get their values later.
        string sample = specifiers.Expand(value, static specifier => specifier is 't' or 'T' or 'U' or 'n' ? "x" : null);
        return sample.Contains('/', StringComparison.Ordinal) ? throw new FormatException($"\"{value}\" is no part of a file name") : value;
    }
}
