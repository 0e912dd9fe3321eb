using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Diecast.Config;

/// <summary>Turns checked values into a <see cref="BuildConfig"/>: defaults, paths, and what settings mean together.</summary>
internal sealed partial class ConfigResolver(
    ConfigSource source, string directory, string configFile, MergedValues values, List<Diagnostic> errors)
{
    private const string EpochVariable = "SOURCE_DATE_EPOCH";

    /// <summary>Null where there are errors.</summary>
    public BuildConfig? Resolve(ImmutableArray<Diagnostic> warnings)
    {
        CheckDistribution();
        var variables = Environment();
        var environment = variables.ToImmutableSortedDictionary(
            static pair => pair.Key, static pair => pair.Value.Text, StringComparer.Ordinal);
        long? epoch = Epoch(variables);
        if (environment.ContainsKey(EpochVariable) && epoch is { } seconds)
        {
            // Hooks and scripts see the time that the image has.
            environment = environment.SetItem(EpochVariable, seconds.ToString(CultureInfo.InvariantCulture));
        }
        var format = values.Choice("Format", Defaults.Format);
        var config = new BuildConfig
        {
            Directory = directory,
            SourceDirectory = source.Directory,
            Distribution = values.Choice("Distribution", Distribution.Arch),
            Release = values.Text("Release") ?? Defaults.Release(values.Text("Distribution")),
            Architecture = values.Choice("Architecture", Defaults.Architecture),
            Repositories = values.Texts("Repositories"),
            Mirror = Url("Mirror", "http", "https", "file"),
            Snapshot = values.Text("Snapshot"),
            RepositoryKeyCheck = values.Boolean("RepositoryKeyCheck", true),
            Format = format,
            Output = Defaults.Output(values),
            OutputDirectory = values.Scalar("OutputDirectory") is { } output
                ? Absolute(output.Location, output.Text)
                : directory,
            ImageId = values.Text("ImageId"),
            ImageVersion = values.Text("ImageVersion"),
            CompressOutput = values.Choice("CompressOutput",
                format is OutputFormat.Cpio or OutputFormat.Tar ? Compression.Zstd : Compression.None),
            CompressLevel = CompressLevel(),
            ManifestFormat = values.Choices<ManifestFormat>("ManifestFormat"),
            SplitArtifacts = SplitArtifacts(),
            RepartDirectories = Paths("RepartDirectories"),
            Seed = values.Uuid("Seed"),
            Packages = Packages(),
            RemovePackages = Distinct("RemovePackages"),
            RemoveFiles = values.Texts("RemoveFiles"),
            CleanPackageMetadata = values.Choice("CleanPackageMetadata", Feature.Auto),
            WithDocs = values.Boolean("WithDocs", true),
            WithRecommends = values.Boolean("WithRecommends", false),
            SkeletonTrees = Trees("SkeletonTrees"),
            ExtraTrees = Trees("ExtraTrees"),
            SourceDateEpoch = epoch,
            PostInstallationScripts = Scripts("PostInstallationScripts"),
            FinalizeScripts = Scripts("FinalizeScripts"),
            Bootable = values.Choice("Bootable", Feature.Auto),
            Bootloader = values.Choice("Bootloader", Bootloader.SystemdBoot),
            UnifiedKernelImages = values.Choice("UnifiedKernelImages", UnifiedKernelImages.Auto),
            Initrds = Paths("Initrds"),
            KernelCommandLine = values.Texts("KernelCommandLine"),
            Locale = values.Text("Locale"),
            LocaleMessages = values.Text("LocaleMessages"),
            Keymap = values.Text("Keymap"),
            Timezone = values.Text("Timezone"),
            Hostname = values.Text("Hostname"),
            RootPassword = values.Text("RootPassword")?["hashed:".Length..],
            RootShell = values.Text("RootShell"),
            MachineId = values.Uuid("MachineId"),
            Autologin = values.Boolean("Autologin", false),
            Checksum = values.Boolean("Checksum", false),
            SandboxTrees = Trees("SandboxTrees"),
            Environment = environment,
            EnvironmentFiles = Paths("EnvironmentFiles"),
            MkfsOptions = MkfsOptions(variables),
            Proxy = new Proxy(
                ProxyUrl(environment),
                ProxyExclude(environment),
                Path("ProxyPeerCertificate"), Path("ProxyClientCertificate"), Path("ProxyClientKey")),
            Warnings = warnings,
        };
        return errors.Count == 0 ? config : null;
    }

    private void CheckDistribution()
    {
        if (values.Text("Distribution") is null && !values.WasGiven("Distribution"))
        {
            errors.Add(new Diagnostic(new Location(configFile),
                "Distribution= is not given, and never taken from the host: write Distribution=arch (or debian, ubuntu) into [Distribution], or -d arch"));
        }
        bool isArch = values.Choice("Distribution", Distribution.Arch) == Distribution.Arch;
        string only = Defaults.Release("arch");
        if (values.Scalar("Release") is { } release && (isArch ? release.Text != only : !Suite().IsMatch(release.Text)))
        {
            Report(release, "Release", isArch ? $"'{release.Text}' is not supported yet (possible now: {only})"
                : $"'{release.Text}' is no name of a release, as trixie is one");
        }
        string architecture = values.Text("Architecture") ?? Names.Of(Defaults.Architecture);
        if (architecture != source.HostArchitecture)
        {
            errors.Add(Diagnostic.About("Architecture", values.Scalar("Architecture")?.Location ?? new Location(configFile),
                $"{architecture} is not the host's, and building for another is not supported yet"));
        }
        if (values.Scalar("Snapshot") is { } snapshot && !(isArch ? Day() : Moment()).IsMatch(snapshot.Text))
        {
            Report(snapshot, "Snapshot", $"'{snapshot.Text}' is no {(isArch ? "day of the archive: write YYYY/MM/DD" : "time of the archive: write YYYYMMDDTHHMMSSZ")}");
        }
    }

    [GeneratedRegex(@"^\d{4}/(0[1-9]|1[0-2])/(0[1-9]|[12]\d|3[01])\z", RegexOptions.CultureInvariant)]
    private static partial Regex Day();

    [GeneratedRegex(@"^\d{8}T\d{6}Z\z", RegexOptions.CultureInvariant)]
    private static partial Regex Moment();

    [GeneratedRegex(@"^[a-z0-9][a-z0-9.-]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Suite();

    private int CompressLevel()
    {
        if (values.Scalar("CompressLevel") is not { } level)
        {
            return 3;
        }
        if (int.TryParse(level.Text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number <= 22)
        {
            return number;
        }
        Report(level, "CompressLevel", $"{level.Text} is no level of compression");
        return 3;
    }

    // Unset and reset differ here: SplitArtifacts= alone asks for none.
    private ImmutableArray<SplitArtifact> SplitArtifacts() =>
        values.List("SplitArtifacts").Count == 0 && !values.WasReset("SplitArtifacts")
            ? [SplitArtifact.Uki, SplitArtifact.Kernel, SplitArtifact.Initrd]
            : values.Choices<SplitArtifact>("SplitArtifacts");

    // As mkosi hands them to the package manager, whose order of installation follows from it: names, paths, conditions.
    private ImmutableArray<string> Packages() =>
    [
        .. Distinct("Packages")
            .OrderBy(static name => name[0] switch { '(' => 2, '/' => 1, _ => 0 }, Comparer<int>.Default)
            .ThenBy(static name => name, StringComparer.Ordinal),
    ];

    private ImmutableArray<string> Distinct(string name) => [.. values.Texts(name).Distinct(StringComparer.Ordinal)];

    private string? Url(string name, params string[] schemes)
    {
        if (values.Scalar(name) is not { } value)
        {
            return null;
        }
        if (!schemes.Any(scheme => value.Text.StartsWith(scheme + "://", StringComparison.Ordinal)))
        {
            Report(value, name, $"'{value.Text}' is no URL (possible: {string.Join(", ", schemes)})");
        }
        return value.Text;
    }

    private string? ProxyUrl(ImmutableSortedDictionary<string, string> environment) =>
        Url("ProxyUrl", "http", "https", "socks4", "socks5")
        ?? Variable(environment, "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY");

    private ImmutableArray<string> ProxyExclude(ImmutableSortedDictionary<string, string> environment) =>
        values.List("ProxyExclude").Count > 0
            ? values.Texts("ProxyExclude")
            : [.. Syntax.SplitList(Variable(environment, "no_proxy", "NO_PROXY") ?? "")];

    private string? Variable(ImmutableSortedDictionary<string, string> environment, params string[] names) => names
        .Select(name => environment.GetValueOrDefault(name) ?? source.Environment.GetValueOrDefault(name))
        .FirstOrDefault(static value => !string.IsNullOrEmpty(value));

    private SortedDictionary<string, SettingValue> Environment()
    {
        var variables = new SortedDictionary<string, SettingValue>(StringComparer.Ordinal);
        foreach (string path in Paths("EnvironmentFiles").Where(File.Exists))
        {
            string shown = System.IO.Path.Join(source.DisplayDirectory, System.IO.Path.GetRelativePath(source.Directory, path));
            foreach (var (name, value) in EnvironmentFile.Parse(File.ReadAllText(path), shown, errors))
            {
                variables[name] = value;
            }
        }
        foreach (var item in values.List("Environment"))
        {
            string[] parts = item.Text.Split('=', 2);
            if (!VariableName().IsMatch(parts[0]))
            {
                Report(item, "Environment", $"'{parts[0]}' is no name of a variable");
            }
            variables[parts[0]] = item with { Text = parts[1] };
        }
        return variables;
    }

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_]*\z", RegexOptions.CultureInvariant)]
    internal static partial Regex VariableName();

    private long? Epoch(SortedDictionary<string, SettingValue> variables)
    {
        var value = values.Scalar("SourceDateEpoch")
            ?? (variables.TryGetValue(EpochVariable, out var variable) ? variable
                : new SettingValue(source.Environment.GetValueOrDefault(EpochVariable) ?? "", new Location(EpochVariable)));
        if (value.Text.Length == 0)
        {
            return null;
        }
        if (long.TryParse(value.Text, NumberStyles.None, CultureInfo.InvariantCulture, out long seconds))
        {
            return seconds;
        }
        errors.Add(new Diagnostic(value.Location, $"SOURCE_DATE_EPOCH: '{value.Text}' is no whole number of seconds from 0 up"));
        return null;
    }

    private MkfsOptions MkfsOptions(SortedDictionary<string, SettingValue> variables)
    {
        var options = new MkfsOptions();
        foreach (var (name, value) in variables)
        {
            try
            {
                options = options.With(name, value.Text);
            }
            catch (FormatException error)
            {
                errors.Add(new Diagnostic(value.Location, error.Message));
            }
        }
        return options;
    }

    private string? Path(string name) => values.Scalar(name) is { } value ? Input(name, value, value.Text) : null;

    private ImmutableArray<string> Paths(string name) =>
        [.. values.List(name).Select(value => Input(name, value, value.Text)).Distinct(StringComparer.Ordinal)];

    // In the order given, and as often: each has its effect.
    private ImmutableArray<string> Scripts(string name) => [.. values.List(name).Select(value => Script(name, value))];

    private string Script(string name, SettingValue value)
    {
        const UnixFileMode executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        string path = Input(name, value, value.Text);
        if (!OperatingSystem.IsWindows() && File.Exists(path) && (File.GetUnixFileMode(path) & executable) == 0)
        {
            Report(value, name, $"'{value.Text}' is not executable");
        }
        return path;
    }

    private ImmutableArray<SourceTree> Trees(string name) => [.. values.List(name).Select(value => Tree(name, value)).Distinct()];

    private SourceTree Tree(string name, SettingValue value)
    {
        string[] parts = value.Text.Split(':', 2);
        string target = parts.Length < 2 || parts[1].Length == 0 ? "/" : parts[1];
        if (!target.StartsWith('/') || target.Split('/').Contains("..", StringComparer.Ordinal))
        {
            Report(value, name, $"the target '{target}' must be an absolute path in the image, without '..'");
        }
        if (parts[0].EndsWith(".raw", StringComparison.Ordinal))
        {
            Report(value, name, $"'{parts[0]}' is a disk image, which is not supported yet (possible: a directory, a file, a .tar)");
        }
        return new SourceTree(Input(name, value, parts[0]), target);
    }

    // What is to be read must be there, and be a directory where only that makes sense.
    private string Input(string name, SettingValue value, string text)
    {
        string path = Absolute(value.Location, text);
        bool isDirectory = Directory.Exists(path);
        string? wrong = !isDirectory && !File.Exists(path) ? "does not exist"
            : name == "RepartDirectories" && !isDirectory ? "is no directory"
            : name is "EnvironmentFiles" or "Initrds" or "PostInstallationScripts" or "FinalizeScripts" && isDirectory ? "is a directory"
            : null;
        if (wrong is not null)
        {
            Report(value, name, $"'{text}' {wrong}");
        }
        return path;
    }

    // The command line speaks of the directory it is given in, which may be the parent of the configuration's.
    private string Absolute(Location location, string text) =>
        System.IO.Path.GetFullPath(ExpandVariables(text), location.IsOption ? source.Directory : directory);

    // Where an input is found may depend on the caller; what is in it may not.
    private string ExpandVariables(string text)
    {
        string home = source.Environment.GetValueOrDefault("HOME") ?? "~";
        string path = text == "~" || text.StartsWith("~/", StringComparison.Ordinal) ? home + text[1..] : text;
        return VariableReference().Replace(path, match =>
            source.Environment.GetValueOrDefault(match.Groups[1].Value + match.Groups[2].Value) ?? match.Value);
    }

    [GeneratedRegex(@"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))", RegexOptions.CultureInvariant)]
    private static partial Regex VariableReference();

    private void Report(SettingValue value, string name, string message)
    {
        var diagnostic = Diagnostic.About(name, value.Location, message);
        if (!errors.Contains(diagnostic))
        {
            errors.Add(diagnostic);
        }
    }
}
