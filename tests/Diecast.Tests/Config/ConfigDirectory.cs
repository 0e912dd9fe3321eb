using Diecast.Config;
using Diecast.Tests.Support;

namespace Diecast.Tests.Config;

/// <summary>A directory with a mkosi.conf, and what may be asked of it.</summary>
internal sealed class ConfigDirectory : IDisposable
{
    private readonly TempDirectory _directory = new();

    public ConfigDirectory(string? config = null)
    {
        if (config is not null)
        {
            Write("mkosi.conf", config);
        }
    }

    public Dictionary<string, string> Environment { get; } = new(StringComparer.Ordinal) { ["HOME"] = "/home/someone" };

    public string HostArchitecture { get; set; } = "x86-64";

    public string Path => _directory.Path;

    public string this[string name] => _directory[name];

    public void Dispose() => _directory.Dispose();

    public ConfigDirectory Write(string name, string text)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(_directory[name])!);
        File.WriteAllText(_directory[name], text);
        return this;
    }

    /// <summary>Options as (setting, text); the option's long name is what messages show.</summary>
    public BuildConfig Load(params (string Setting, string Text)[] commandLine) => ConfigLoader.Load(new ConfigSource
    {
        Directory = Path,
        CommandLine = [.. commandLine.Select(static value =>
            new CommandLineValue(SettingTable.Get(value.Setting), value.Text, SettingTable.Get(value.Setting).LongOption))],
        Environment = Environment,
        HostArchitecture = HostArchitecture,
    });

    public string[] Errors(params (string Setting, string Text)[] commandLine) =>
        [.. Assert.Throws<ConfigException>(() => Load(commandLine)).Diagnostics.Select(static diagnostic => diagnostic.ToString())];

    /// <summary>The only error.</summary>
    public string Error(params (string Setting, string Text)[] commandLine) => Assert.Single(Errors(commandLine));

    /// <summary>A configuration of nothing but a distribution and these lines, the first of which is line 3.</summary>
    public static ConfigDirectory Arch(string lines = "") => new($"[Distribution]\nDistribution=arch\n{lines}");
}
