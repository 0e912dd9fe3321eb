using System.Runtime.InteropServices;

namespace Diecast.Config;

/// <summary>A setting given on the command line.</summary>
/// <param name="Option">As it was written, for messages.</param>
public readonly record struct CommandLineValue(Setting Setting, string Text, string Option);

/// <summary>What a configuration is loaded from. Nothing else of the host is looked at.</summary>
public sealed record ConfigSource
{
    /// <summary>The directory with mkosi.conf, which need not be there; absolute.</summary>
    public required string Directory { get; init; }

    /// <summary>The directory as messages name it; empty for the current one.</summary>
    public string DisplayDirectory { get; init; } = "";

    public IReadOnlyList<CommandLineValue> CommandLine { get; init; } = [];

    /// <summary>The caller's environment: SOURCE_DATE_EPOCH, the proxies, and what a path or the command line refers to.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Images are built for this only.</summary>
    public string HostArchitecture { get; init; } =
        RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.X64 ? "x86-64" : "other";
}

/// <summary>Reads mkosi.conf, the files beside it and the command line, and puts them together.</summary>
public sealed class ConfigLoader
{
    private readonly ConfigSource _source;
    private readonly string _directory;
    private readonly string _display;
    private readonly List<Diagnostic> _errors = [];
    private readonly List<Diagnostic> _warnings = [];
    private readonly SettingValues _files = new();
    private readonly SettingValues _commandLine = new();
    private readonly MergedValues _merged;
    private readonly Specifiers _specifiers;

    private ConfigLoader(ConfigSource source)
    {
        _source = source;
        // A project may keep its configuration in a directory named mkosi.
        bool nested = !File.Exists(Path.Join(source.Directory, "mkosi.conf"))
            && File.Exists(Path.Join(source.Directory, "mkosi", "mkosi.conf"));
        _directory = nested ? Path.Join(source.Directory, "mkosi") : source.Directory;
        _display = nested ? Path.Join(source.DisplayDirectory, "mkosi") : source.DisplayDirectory;
        _merged = new MergedValues(_files, _commandLine);
        _specifiers = new Specifiers(_merged, source.Directory, _directory);
    }

    /// <exception cref="ConfigException">With everything that is wrong.</exception>
    public static BuildConfig Load(ConfigSource source)
    {
        var loader = new ConfigLoader(source);
        loader.ReadCommandLine();
        loader.ReadConventions();
        loader.ReadFile();
        return loader.Resolve();
    }

    private void ReadCommandLine()
    {
        foreach (var (setting, text, option) in _source.CommandLine)
        {
            var location = new Location(option);
            // mkosi does not expand specifiers here.
            Assign(_commandLine, setting, [(text, location)], text.Length == 0, expand: false);
        }
    }

    private void ReadConventions()
    {
        var reported = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (setting, path, isText) in Conventions.In(_directory))
        {
            var location = new Location(Display(path), isText ? 1 : 0);
            if (setting is null || setting.Group == SettingGroup.NotYet)
            {
                if (reported.Add(path))
                {
                    _errors.Add(new Diagnostic(new Location(Display(path)), "is not supported yet"));
                }
            }
            else if (setting.Group == SettingGroup.Acts)
            {
                AssignFile(setting, path, isText, location);
            }
        }
    }

    private void AssignFile(Setting setting, string path, bool isText, Location location)
    {
        try
        {
            if (!isText)
            {
                // The path is the value as it is, whatever characters it has.
                _files.MarkGiven(setting);
                Accept(_files, setting, Path.GetRelativePath(_directory, path), location);
                return;
            }
            string text = Conventions.ReadText(path);
            Assign(_files, setting, [(text, location)], text.Length == 0, expand: false);
        }
        catch (Exception error) when (error is FormatException or IOException or UnauthorizedAccessException)
        {
            _errors.Add(new Diagnostic(new Location(location.Source), error.Message));
        }
    }

    private void ReadFile()
    {
        string path = Path.Join(_directory, "mkosi.conf");
        if (!File.Exists(path))
        {
            return;
        }
        var file = IniFile.Parse(File.ReadAllBytes(path), Display(path), _errors);
        foreach (var (section, location) in file.Sections)
        {
            CheckSection(section, location);
        }
        foreach (var assignment in file.Assignments.Where(static assignment => IsKnownSection(assignment.Section)))
        {
            Assign(assignment);
        }
    }

    private static bool IsKnownSection(string section) =>
        section == "Host" || SettingTable.Sections.Contains(section, StringComparer.Ordinal);

    private void CheckSection(string section, Location location)
    {
        if (section is "Match" or "TriggerMatch" or "Assert" or "TriggerAssert")
        {
            _errors.Add(new Diagnostic(location, $"[{section}] is not supported yet"));
        }
        else if (!IsKnownSection(section))
        {
            string suggestion = Spelling.Suggest(section, [.. SettingTable.Sections, "Match"]);
            _errors.Add(new Diagnostic(location, $"[{section}] is unknown{suggestion}"));
        }
    }

    private void Assign(Assignment assignment)
    {
        // mkosi once marked defaults so.
        string name = assignment.Key.TrimStart('@');
        if (SettingTable.Find(name) is not { } setting)
        {
            string suggestion = Spelling.Suggest(name, [.. SettingTable.All.Select(static row => row.Name)]);
            _errors.Add(new Diagnostic(assignment.Location, $"{name}= is unknown{suggestion}"));
            return;
        }
        if (name != setting.Name)
        {
            _warnings.Add(new Diagnostic(assignment.Location, $"{name}= is now {setting.Name}="));
        }
        // [Host] is what [Runtime] was.
        if (assignment.Section != setting.Section)
        {
            _warnings.Add(new Diagnostic(assignment.Location, $"{name}= belongs into [{setting.Section}], not [{assignment.Section}]"));
        }
        Assign(_files, setting, PlacedLines(setting, assignment), assignment.IsEmpty, expand: true);
    }

    // Of a list each line stands for itself, so that its items know their line; quotes may go on over the end of a line.
    private static IEnumerable<(string Text, Location Location)> PlacedLines(Setting setting, Assignment assignment) =>
        setting.Syntax is { IsList: true, IsDictionary: false }
            ? assignment.Lines.Select(line => (line.Text, new Location(assignment.File, line.Line)))
            : [(string.Join('\n', assignment.Lines.Select(static line => line.Text)).Trim(), assignment.Location)];

    private void Assign(
        SettingValues values, Setting setting, IEnumerable<(string Text, Location Location)> lines, bool isEmpty, bool expand)
    {
        if (isEmpty)
        {
            values.Reset(setting);
            return;
        }
        values.MarkGiven(setting);
        foreach (var (line, location) in lines)
        {
            try
            {
                foreach (string item in Items(setting, line, expand))
                {
                    Accept(values, setting, item, location);
                }
            }
            catch (FormatException error)
            {
                _errors.Add(Diagnostic.About(setting.Name, location, error.Message));
            }
        }
    }

    private IEnumerable<string> Items(Setting setting, string line, bool expand)
    {
        if (setting.Group == SettingGroup.Ignored)
        {
            return [];
        }
        if (!setting.Syntax.IsList && line.Contains('\n', StringComparison.Ordinal))
        {
            throw new FormatException("takes one line");
        }
        // Split first: a directory may have a blank in its name.
        var items = setting.Syntax.Split?.Invoke(line) ?? [line];
        return expand ? items.Select(item => _specifiers.Expand(item, setting.Syntax.Paths)) : items;
    }

    private void Accept(SettingValues values, Setting setting, string item, Location location)
    {
        if (setting.Group == SettingGroup.Acts)
        {
            string text = setting.Syntax.Check(item);
            bool fromCaller = setting.Syntax.IsDictionary && !item.Contains('=', StringComparison.Ordinal);
            values.Add(setting, new SettingValue(fromCaller ? FromCaller(item, location) : text, location));
        }
        else if (!IsInert(setting, item))
        {
            throw new FormatException(setting.Group == SettingGroup.Refused ? setting.Instead : "is not supported yet");
        }
    }

    // mkosi takes the value of a lone name from its caller; that is plain to see on a command line only.
    private string FromCaller(string name, Location location) => location.IsOption
        ? $"{name}={_source.Environment.GetValueOrDefault(name)}"
        : throw new FormatException($"the value of {name} would be the caller's: write {name}=VALUE, or give it on the command line");

    private static bool IsInert(Setting setting, string item) => setting.Inert.Any(inert =>
        item == inert || (Syntax.TryBoolean(inert) is { } value && Syntax.TryBoolean(item) == value));

    private BuildConfig Resolve()
    {
        var resolver = new ConfigResolver(_source, _directory, Display(Path.Join(_directory, "mkosi.conf")), _merged, _errors);
        var config = resolver.Resolve([.. _warnings]);
        return config is not null && _errors.Count == 0 ? config : throw new ConfigException(_errors);
    }

    private string Display(string path) => Path.Join(_display, Path.GetRelativePath(_directory, path));
}
