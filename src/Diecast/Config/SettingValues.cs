using System.Collections.Immutable;

namespace Diecast.Config;

/// <summary>One item of a setting's value, in its canonical spelling, and where it was written.</summary>
internal readonly record struct SettingValue(string Text, Location Location);

/// <summary>What one source, the files or the command line, says of each setting.</summary>
internal sealed class SettingValues
{
    private readonly Dictionary<Setting, List<SettingValue>> _values = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Setting> _given = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Setting> _reset = new(ReferenceEqualityComparer.Instance);

    /// <summary>An empty assignment: nothing written so far counts, nor what another source says beneath this one.</summary>
    public void Reset(Setting setting)
    {
        _values.Remove(setting);
        _reset.Add(setting);
    }

    /// <summary>A list grows; of a scalar the last one holds.</summary>
    public void Add(Setting setting, SettingValue value)
    {
        if (!setting.Syntax.IsList || !_values.TryGetValue(setting, out var items))
        {
            _values[setting] = items = [];
        }
        items.Add(value);
    }

    /// <summary>Notes that a value was written, be it a good one or not.</summary>
    public void MarkGiven(Setting setting) => _given.Add(setting);

    public bool WasGiven(Setting setting) => _given.Contains(setting);

    public bool WasReset(Setting setting) => _reset.Contains(setting);

    public IReadOnlyList<SettingValue> Get(Setting setting) => _values.GetValueOrDefault(setting) ?? [];
}

/// <summary>The command line over the files.</summary>
internal sealed class MergedValues(SettingValues files, SettingValues commandLine)
{
    public IReadOnlyList<SettingValue> List(string name)
    {
        var setting = SettingTable.Get(name);
        return commandLine.WasReset(setting)
            ? commandLine.Get(setting)
            : [.. files.Get(setting), .. commandLine.Get(setting)];
    }

    public bool WasGiven(string name) => files.WasGiven(SettingTable.Get(name)) || commandLine.WasGiven(SettingTable.Get(name));

    public bool WasReset(string name) => files.WasReset(SettingTable.Get(name)) || commandLine.WasReset(SettingTable.Get(name));

    public SettingValue? Scalar(string name) => List(name) is [.., var last] ? last : null;

    public string? Text(string name) => Scalar(name)?.Text;

    public ImmutableArray<string> Texts(string name) => [.. List(name).Select(static value => value.Text)];

    public bool Boolean(string name, bool fallback) => Text(name) is { } text ? Syntax.ParseBoolean(text) : fallback;

    public T Choice<T>(string name, T fallback)
        where T : struct, Enum => Text(name) is { } text ? Names.Parse<T>(text) : fallback;

    public ImmutableArray<T> Choices<T>(string name)
        where T : struct, Enum => [.. Texts(name).Select(Names.Parse<T>).Distinct().Order(Comparer<T>.Default)];

    public Guid? Uuid(string name) => Text(name) is { } text ? Guid.ParseExact(text, "D") : null;
}
