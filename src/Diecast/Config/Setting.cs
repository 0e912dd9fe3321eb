using System.Collections.Immutable;

namespace Diecast.Config;

/// <summary>What is done with a setting that mkosi knows.</summary>
public enum SettingGroup
{
    /// <summary>It does what it does in mkosi.</summary>
    Acts,

    /// <summary>It would change the image and is not acted on yet: an error, unless the value says what happens anyway.</summary>
    NotYet,

    /// <summary>It cannot change the image.</summary>
    Ignored,

    /// <summary>It would make the image depend on the host: an error that says what to write instead.</summary>
    Refused,
}

/// <summary>A file or directory next to mkosi.conf that gives a setting's value by its name alone.</summary>
/// <param name="Name">What stands after <c>mkosi.</c>; a trailing slash means: a directory with something in it.</param>
/// <param name="IsText">The value is the file's text, not its path.</param>
public readonly record struct SettingFile(string Name, bool IsText);

/// <summary>One row of the table of settings: all that the file parser, the command line, the help and the documentation know.</summary>
public sealed record Setting(string Section, string Name, SettingGroup Group, Syntax Syntax, string Help)
{
    /// <summary>Options of the command line: the long one, perhaps a short one, and mkosi's earlier spellings.</summary>
    public required ImmutableArray<string> Options { get; init; }

    /// <summary>mkosi's earlier names for the setting, still understood.</summary>
    public ImmutableArray<string> OldNames { get; init; } = [];

    public ImmutableArray<SettingFile> Files { get; init; } = [];

    /// <summary>What holds when nothing is written, for people; empty when that is nothing.</summary>
    public string Default { get; init; } = "";

    /// <summary>Values of a setting that is not acted on which say what happens anyway, and so are accepted.</summary>
    public ImmutableArray<string> Inert { get; init; } = [];

    /// <summary>Of a refused setting: why, and what to write.</summary>
    public string Instead { get; init; } = "";

    /// <summary>The resolved value of a setting that acts: null, text, a truth value, a number, an id, a choice, or a list of text.</summary>
    public Func<BuildConfig, object?>? Show { get; init; }

    /// <summary>The option that the documentation names.</summary>
    public string LongOption => Options.First(static option => option.StartsWith("--", StringComparison.Ordinal));
}
