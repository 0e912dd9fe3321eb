using System.Globalization;

namespace Diecast.Config;

/// <summary>
/// What <c>SYSTEMD_REPART_MKFS_OPTIONS_EXT4</c> and <c>_VFAT</c> ask for. systemd-repart hands these words to mkfs; here
/// those that name an id are understood, and any other is refused by name, as is what would draw an id at random.
/// </summary>
public sealed record MkfsOptions
{
    private const string Prefix = "SYSTEMD_REPART_MKFS_OPTIONS_";

    /// <summary><c>-U</c> of mke2fs.</summary>
    public Guid? Ext4Uuid { get; private init; }

    /// <summary><c>-E hash_seed=</c> of mke2fs.</summary>
    public Guid? Ext4HashSeed { get; private init; }

    /// <summary><c>-i</c> of mkfs.fat: the serial number.</summary>
    public uint? VfatVolumeId { get; private init; }

    /// <summary>These options with those of one more variable; a variable of another name changes nothing.</summary>
    /// <exception cref="FormatException">An option is not understood; the message names it and the variable.</exception>
    public MkfsOptions With(string variable, string value)
    {
        if (variable.StartsWith("SYSTEMD_REPART_OVERRIDE_FSTYPE", StringComparison.Ordinal))
        {
            throw new FormatException($"{variable} is not supported: write Format= in the partition's definition");
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
                _ => throw new FormatException("mkfs options of this file system are not supported yet"),
            };
        }
        catch (FormatException error)
        {
            throw new FormatException($"{variable}: {error.Message}", error);
        }
    }

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

    private static IEnumerable<(string Option, string Argument)> Pairs(string value, params string[] known)
    {
        using var words = ShellWords.Split(value).GetEnumerator();
        while (words.MoveNext())
        {
            string word = words.Current;
            string option = known.FirstOrDefault(name => word.StartsWith(name, StringComparison.Ordinal))
                ?? throw new FormatException($"the mkfs option {word} is not supported");
            string argument = word.Length > option.Length ? word[option.Length..]
                : words.MoveNext() ? words.Current
                : throw new FormatException($"the mkfs option {option} has no value");
            yield return (option, argument);
        }
    }

    private static Guid Uuid(string option, string text) => Guid.TryParseExact(text, "D", out var id)
        ? id
        : throw new FormatException($"{option} {text} is no UUID");
}
