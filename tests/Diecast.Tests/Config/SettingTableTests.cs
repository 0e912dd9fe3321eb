using Diecast.Cli;
using Diecast.Config;
using Diecast.Tests.Support;

namespace Diecast.Tests.Config;

/// <summary>Walks the table of settings: each row does what its group says.</summary>
public sealed class SettingTableTests
{
    public static TheoryData<string> Acting => Rows(SettingGroup.Acts);

    public static TheoryData<string> NotActing => [.. Rows(SettingGroup.NotYet), .. Rows(SettingGroup.Refused)];

    public static TheoryData<string> Ignored => Rows(SettingGroup.Ignored);

    [Fact]
    public void TheTableIsWhole()
    {
        Assert.Equal(188, SettingTable.All.Length);
        string[] names = [.. SettingTable.All.SelectMany(static row => row.OldNames.Prepend(row.Name))];
        Assert.Equal(names.Distinct(StringComparer.Ordinal), names);
        string[] options = [.. SettingTable.All.SelectMany(static row => row.Options)];
        Assert.Equal(options.Distinct(StringComparer.Ordinal), options);
        Assert.All(SettingTable.All, static row => Assert.Equal(row.Group == SettingGroup.Acts, row.Show is not null));
        Assert.Equal(
            ["Include", "Config", "Distribution", "Output", "Content", "Validation", "Build", "Runtime"], SettingTable.Sections);
    }

    [Theory]
    [MemberData(nameof(Acting))]
    public void WhatActsShowsInTheSummary(string name)
    {
        using var directory = ConfigDirectory.Arch().Write("some/file", "X=1\n").Write("some/tree/file", "");
        Tool.RunOk("chmod", "+x", directory["some/file"]);
        string value = Sample(name);
        if (name is "Distribution" or "Release" or "Architecture")
        {
            // There is but one value: another is an error that names the place.
            directory.Write("mkosi.conf", $"[Distribution]\n\n\n{name}=other\n");
            Assert.Contains(directory.Errors(), error => error.StartsWith($"mkosi.conf:4: {name}=: 'other' is ", StringComparison.Ordinal));
            return;
        }
        string before = Summary.Text(directory.Load());
        string byOption = Summary.Text(directory.Load((name, value)));
        directory.Write("mkosi.conf", $"[Distribution]\nDistribution=arch\n[{SettingTable.Get(name).Section}]\n{name}={value}\n");
        var config = directory.Load();
        Assert.NotEqual(before, byOption);
        Assert.Equal(byOption, Summary.Text(config));
        Assert.NotEqual(before, Summary.Json(config));
        string changed = Assert.Single(Blocks(byOption).Except(Blocks(before), StringComparer.Ordinal), block => block.StartsWith(name + "=", StringComparison.Ordinal));
        Assert.NotEqual(name + "=", changed);
    }

    [Theory]
    [MemberData(nameof(NotActing))]
    public void WhatDoesNotActIsAnErrorWithItsPlace(string name)
    {
        var setting = SettingTable.Get(name);
        string value = setting.Syntax == Syntax.Boolean && setting.Inert.Contains("yes", StringComparer.Ordinal) ? "no"
            : setting.Syntax == Syntax.Boolean || setting.Syntax == Syntax.Feature ? "yes" : "other";
        string message = setting.Group == SettingGroup.Refused ? setting.Instead : "is not supported yet";
        using var directory = ConfigDirectory.Arch($"[{setting.Section}]\n{name}={value}\n");
        Assert.Equal($"mkosi.conf:4: {name}=: {message}", directory.Error());
        using var empty = ConfigDirectory.Arch($"[{setting.Section}]\n{name}=\n");
        Assert.Equal($"{setting.LongOption}: {message}", empty.Error((name, value)));
        foreach (string inert in setting.Inert)
        {
            Assert.Equal(Summary.Text(empty.Load()), Summary.Text(empty.Load((name, inert))));
        }
    }

    [Theory]
    [MemberData(nameof(Ignored))]
    public void WhatIsIgnoredIsAccepted(string name)
    {
        using var directory = ConfigDirectory.Arch($"[{SettingTable.Get(name).Section}]\n{name}=%x any\n  'thing\n");
        using var empty = ConfigDirectory.Arch();
        Assert.Equal(Summary.Text(empty.Load()), Summary.Text(directory.Load((name, "other"))));
        Assert.Empty(directory.Load().Warnings);
    }

    [Fact]
    public void TheSummaryIsAsPinned()
    {
        using var directory = SummaryDirectory();
        Golden.Check("Config/summary.txt", Summary.Text(directory.Load()));
        Golden.Check("Config/summary.json", Summary.Json(directory.Load()));
    }

    [Fact]
    public void TheSummaryIsAConfigurationItself()
    {
        using var directory = SummaryDirectory();
        string summary = Summary.Text(directory.Load()).Replace("RootPassword=(set)", "RootPassword=hashed:x", StringComparison.Ordinal);
        directory.Write("mkosi.conf", summary);
        Assert.Equal(summary, Summary.Text(directory.Load()).Replace("RootPassword=(set)", "RootPassword=hashed:x", StringComparison.Ordinal));
    }

    [Fact]
    public void TheDocumentationIsMadeFromTheTable() =>
        Assert.Equal(File.ReadAllText(Repository.File("docs", "settings.md")), SettingsDocument.Markdown());

    private static ConfigDirectory SummaryDirectory() => ConfigDirectory.Arch("""
        Snapshot=2025/05/20
        Repositories=multilib
        [Output]
        ImageId=demo
        ImageVersion=1
        ManifestFormat=json
        SplitArtifacts=yes
        OutputDirectory=out
        Seed=0e9a6fe0-68f6-408c-bbeb-136054d20445
        [Content]
        Packages=linux systemd
        SourceDateEpoch=1662046009
        ExtraTrees=tree
                   tree:/opt/tree
        KernelCommandLine=console=ttyS0 100%%
        RootPassword=hashed:$6$salt$hash
        Bootable=yes
        [Build]
        Environment=A=1 "B=two words" "C=it's"
        """).Write("tree/a", "");

    // A setting with its continuation lines.
    private static string[] Blocks(string summary) => summary.Replace("\n ", " ", StringComparison.Ordinal).Split('\n');

    private static TheoryData<string> Rows(SettingGroup group) =>
        [.. SettingTable.All.Where(row => row.Group == group).Select(static row => row.Name)];

    private static string Sample(string name)
    {
        var syntax = SettingTable.Get(name).Syntax;
        return name switch
        {
            "Mirror" or "ProxyUrl" => "http://example.org/",
            "Snapshot" => "2025/05/20",
            "CompressLevel" => "9",
            "RootPassword" => "hashed:x",
            "Environment" => "A=1",
            "RootShell" => "/bin/sh",
            "RepartDirectories" => "some/tree",
            "WithDocs" or "RepositoryKeyCheck" => "no",
            _ when syntax.Paths == PathUse.Tree => "some/tree:/a",
            _ when syntax.Paths == PathUse.Path => "some/file",
            _ when syntax.IsBoolean => "yes",
            _ when syntax.Placeholder == "UUID" => "0e9a6fe0-68f6-408c-bbeb-136054d20445",
            _ when syntax.Placeholder is "SECONDS" => "7",
            _ when name is "ManifestFormat" => "json",
            _ when name is "SplitArtifacts" => "partitions",
            _ when syntax.Placeholder.Contains('|', StringComparison.Ordinal) => syntax.Placeholder.Split('|')[1],
            _ => "sample",
        };
    }
}
