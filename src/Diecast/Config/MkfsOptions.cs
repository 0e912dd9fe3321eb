using System.Collections.Immutable;
using System.Globalization;

namespace Diecast.Config;

/// <summary>
/// What <c>SYSTEMD_REPART_MKFS_OPTIONS_EXT4</c>, <c>_VFAT</c> and <c>_BTRFS</c> ask for. systemd-repart hands these words to
/// mkfs; here those that name an id or a checksum are understood, and any other is refused by name, as is what would draw an id
/// at random. <c>SYSTEMD_REPART_OVERRIDE_FSTYPE</c> names the file systems themselves.
/// </summary>
public sealed record MkfsOptions
{
    /// <summary>The variable that goes over every <c>Format=</c>, and the beginning of those for one type of partition.</summary>
    public const string OverrideVariable = "SYSTEMD_REPART_OVERRIDE_FSTYPE";

    private const string Prefix = "SYSTEMD_REPART_MKFS_OPTIONS_";

    // Those that systemd-repart knows to have a file system.
    private static readonly ImmutableArray<string> s_designators = ["root", "usr", "home", "srv", "esp", "xbootldr", "tmp", "var"];

    /// <summary><c>-U</c> of mke2fs.</summary>
    public Guid? Ext4Uuid { get; private init; }

    /// <summary><c>-E hash_seed=</c> of mke2fs.</summary>
    public Guid? Ext4HashSeed { get; private init; }

    /// <summary><c>-i</c> of mkfs.fat: the serial number.</summary>
    public uint? VfatVolumeId { get; private init; }

    /// <summary><c>-U</c> of mkfs.btrfs.</summary>
    public Guid? BtrfsUuid { get; private init; }

    /// <summary><c>--csum</c> of mkfs.btrfs: crc32c, xxhash, sha256 or blake2.</summary>
    public string? BtrfsChecksum { get; private init; }

    /// <summary>The file system in place of that which a definition writes down; null for that.</summary>
    public string? FormatOverride { get; private init; }

    /// <summary>The same for the partitions of one designator, whether they write one down or not: "root", "home".</summary>
    public ImmutableDictionary<string, string> FormatOverrides { get; private init; } =
        ImmutableDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>These options with those of one more variable; a variable of another name changes nothing.</summary>
    /// <exception cref="FormatException">An option is not understood; the message names it and the variable.</exception>
    public MkfsOptions With(string variable, string value)
    {
        if (variable.StartsWith(OverrideVariable, StringComparison.Ordinal))
        {
            return WithOverride(variable, value);
        }
        if (!variable.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return this;
        }
        try
        {
            return variable[Prefix.Length..] switch
            {
                "EXT4" => ParseExt4(this, value),
                "VFAT" => ParseVfat(this, value),
                "BTRFS" => ParseBtrfs(this, value),
                _ => throw new FormatException("mkfs options of this file system are not supported yet"),
            };
        }
        catch (FormatException error)
        {
            throw new FormatException($"{variable}: {error.Message}", error);
        }
    }

    private MkfsOptions WithOverride(string variable, string value)
    {
        if (value.Length == 0)
        {
            throw new FormatException($"{variable} names no file system");
        }
        if (variable == OverrideVariable)
        {
            return this with { FormatOverride = value };
        }
        string? designator = s_designators.FirstOrDefault(name => variable == VariableFor(name));
        return designator is null
            ? throw new FormatException($"{variable}: there is no such type of partition with a file system")
            : this with { FormatOverrides = FormatOverrides.SetItem(designator, value) };
    }

    /// <summary>The variable that goes over the file system of partitions of the designator.</summary>
    public static string VariableFor(string designator) => $"{OverrideVariable}_{designator.ToUpperInvariant()}";

    private static MkfsOptions ParseExt4(MkfsOptions options, string value)
    {
        foreach (var (option, argument) in Pairs(value, "-E", "-U"))
        {
            if (option == "-U")
            {
                options = options with { Ext4Uuid = Uuid(option, argument) };
                continue;
            }
            foreach (string extended in argument.Split(','))
            {
                string[] parts = extended.Split('=', 2);
                if (parts is not ["hash_seed", string seed])
                {
                    throw new FormatException($"the mkfs option -E {extended} is not supported");
                }
                options = options with { Ext4HashSeed = Uuid("-E hash_seed", seed) };
            }
        }
        return options;
    }

    private static MkfsOptions ParseVfat(MkfsOptions options, string value)
    {
        foreach (var (option, argument) in Pairs(value, "-i"))
        {
            options = uint.TryParse(argument, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint id)
                ? options with { VfatVolumeId = id }
                : throw new FormatException($"{option} {argument} is not 32 bits in hexadecimal");
        }
        return options;
    }

    private static MkfsOptions ParseBtrfs(MkfsOptions options, string value)
    {
        foreach (var (option, argument) in Pairs(value, "-U", "--uuid", "--csum", "--checksum"))
        {
            options = (option, argument) switch
            {
                ("-U" or "--uuid", _) => options with { BtrfsUuid = Uuid(option, argument) },
                (_, "crc32c" or "xxhash" or "sha256" or "blake2") => options with { BtrfsChecksum = argument },
                _ => throw new FormatException($"{option} {argument} is no checksum of btrfs"),
            };
        }
        return options;
    }

    private static IEnumerable<(string Option, string Argument)> Pairs(string value, params string[] known)
    {
        using var words = ShellWords.Split(value).GetEnumerator();
        while (words.MoveNext())
        {
            string word = words.Current;
            string option = known.FirstOrDefault(name => word.StartsWith(name, StringComparison.Ordinal))
                ?? throw new FormatException($"the mkfs option {word} is not supported");
            string argument = word.Length > option.Length ? word[option.Length..].TrimStart(option.Length > 2 ? '=' : '\0')
                : words.MoveNext() ? words.Current
                : throw new FormatException($"the mkfs option {option} has no value");
            yield return (option, argument);
        }
    }

    private static Guid Uuid(string option, string text) => Guid.TryParseExact(text, "D", out var id)
        ? id
        : throw new FormatException($"{option} {text} is no UUID");
}
