using System.Collections.Immutable;

namespace Diecast.Config;

/// <summary>
/// All settings of mkosi, in its order. The file parser, the command line, the help, the summary and docs/settings.md are
/// made from these rows.
/// </summary>
public static partial class SettingTable
{
    public static ImmutableArray<Setting> All { get; } =
        [.. Image(), .. Packages(), .. Scripts(), .. Boot(), .. FirstBoot(), .. Validation(), .. Build(), .. Runtime()];

    private static readonly Dictionary<string, Setting> s_byName = All
        .SelectMany(static row => row.OldNames.Prepend(row.Name).Select(name => (name, row)))
        .ToDictionary(static pair => pair.name, static pair => pair.row, StringComparer.Ordinal);

    public static IEnumerable<string> Sections => All.Select(static row => row.Section).Distinct(StringComparer.Ordinal);

    /// <summary>By its name or one that mkosi once had for it; null if there is none.</summary>
    public static Setting? Find(string name) => s_byName.GetValueOrDefault(name);

    /// <summary>The row of a setting that the code itself names.</summary>
    internal static Setting Get(string name) => s_byName[name];

    // Options are written as in a manual: "-d --distribution". The last one is the name on its own where there is none.
    private static Setting Acts(string section, string name, Syntax syntax, string options, string help, Func<BuildConfig, object?> show) =>
        new(section, name, SettingGroup.Acts, syntax, help) { Options = [.. options.Split(' ')], Show = show };

    private static Setting NotYet(string section, string name, Syntax syntax, string options, string help, params string[] inert) =>
        new(section, name, SettingGroup.NotYet, syntax, help) { Options = [.. options.Split(' ')], Inert = [.. inert] };

    private static Setting Ignored(string section, string name, Syntax syntax, string options, string help) =>
        new(section, name, SettingGroup.Ignored, syntax, help) { Options = [.. options.Split(' ')] };

    private static Setting Refused(string section, string name, Syntax syntax, string options, string help, string instead) =>
        new(section, name, SettingGroup.Refused, syntax, help) { Options = [.. options.Split(' ')], Inert = ["no"], Instead = instead };

    private static ImmutableArray<SettingFile> Files(params string[] names) => [.. names.Select(static name => new SettingFile(name, false))];

    private static ImmutableArray<SettingFile> TextFile(string name) => [new SettingFile(name, true)];
}
