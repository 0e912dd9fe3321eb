using System.CommandLine;
using System.Text.Json;
using Diecast.Cli;
using Diecast.Config;

namespace Diecast.Tests.Config;

/// <summary>The program's command line, from the words to the configuration.</summary>
public sealed class CommandLineTests
{
    [Fact]
    public void TheCommandOfTheMissionIsUnderstood()
    {
        using var directory = new ConfigDirectory();
        directory
            .Write("env", "SYSTEMD_REPART_MKFS_OPTIONS_EXT4=-E hash_seed=a24031c1-fc68-453d-80fa-00ad057a5780 -U 6de632fe-7638-44c4-917c-ecf4170af3b4\n")
            .Write("mkosi.sandbox/usr/share/pacman/keyrings/test.gpg", "");
        var options = new SettingOptions();
        var result = Program.CreateCommand(options, new Terminal(TextWriter.Null, TextWriter.Null)).Parse(
            [
                "-C", directory.Path, "-d", "arch", "-p", "systemd", "-p", "linux", "--seed", "0e9a6fe0-68f6-408c-bbeb-136054d20445",
                "--source-date-epoch", "1662046009", "-m", "https://mirror.example/repos", "--force", "-o", "foo", "--env-file", "env",
                "--remove-files", "var/cache/ldconfig/aux-cache", "--environment=SYSTEMD_LOG_LEVEL=debug", "--debug",
                "--kernel-command-line=console=ttyS0 systemd.firstboot=no",
            ],
            Program.Parsing);
        Assert.Empty(options.Errors(result));
        Assert.True(result.GetValue(options.Force));
        Assert.True(result.GetValue(options.Debug));
        Assert.False(result.GetValue(options.Locked));
        var config = options.Load(result, new Terminal(TextWriter.Null, TextWriter.Null));
        Assert.Equal(Distribution.Arch, config.Distribution);
        Assert.Equal(Architecture.X86_64, config.Architecture);
        Assert.Equal(OutputFormat.Disk, config.Format);
        Assert.Equal(["linux", "systemd"], config.Packages);
        Assert.Equal(Guid.Parse("0e9a6fe0-68f6-408c-bbeb-136054d20445"), config.Seed);
        Assert.Equal(1662046009, config.SourceDateEpoch);
        Assert.Equal("https://mirror.example/repos", config.Mirror);
        Assert.Equal(directory["foo.raw"], config.OutputPath);
        Assert.Equal(["var/cache/ldconfig/aux-cache"], config.RemoveFiles);
        Assert.Equal("debug", config.Environment["SYSTEMD_LOG_LEVEL"]);
        Assert.Equal(Guid.Parse("a24031c1-fc68-453d-80fa-00ad057a5780"), config.MkfsOptions.Ext4HashSeed);
        Assert.Equal(Guid.Parse("6de632fe-7638-44c4-917c-ecf4170af3b4"), config.MkfsOptions.Ext4Uuid);
        Assert.Equal(["console=ttyS0", "systemd.firstboot=no"], config.KernelCommandLine);
        Assert.Equal([new SourceTree(directory["mkosi.sandbox"], "/")], config.SandboxTrees);
    }

    [Theory]
    [InlineData("--checksum summary", "Checksum=yes")]
    [InlineData("--checksum no summary", "Checksum=no")]
    [InlineData("--checksum=yes summary", "Checksum=yes")]
    [InlineData("-o summary summary", "Output=summary")]
    [InlineData("-p a summary -p b", "Packages=a")]
    [InlineData("-p a --package= summary -p b", "Packages=b")]
    [InlineData("-pvim -ff summary", "Packages=vim")]
    [InlineData("-p @file summary", "Packages=@file")]
    [InlineData("--hostname one --hostname two summary", "Hostname=two")]
    [InlineData("--output=a=b:c summary", "Output=a=b:c")]
    [InlineData("--kernel-command-line=-x summary", "KernelCommandLine=-x")]
    [InlineData("--output-dir out summary", "OutputDirectory=out")]
    [InlineData("-i -T --ram 4G --tools-tree=default --no-pager summary", "Hostname=")]
    public void OptionsAreMkosis(string line, string expected)
    {
        using var directory = ConfigDirectory.Arch();
        var (status, output, errors) = Run(["-C", directory.Path, .. line.Split(' ')]);
        Assert.Equal("", errors);
        Assert.Equal(0, status);
        Assert.Contains(expected, output.Split('\n'));
    }

    [Theory]
    [InlineData("--packge x summary", "error: --packge: there is no such option; did you mean --package?")]
    [InlineData("summary --packge x", "error: --packge: there is no such option; did you mean --package?")]
    [InlineData("mkfs ext4 tree image --force", "error: --force: there is no such option\n")]
    [InlineData("summry", "error: summry: there is no such verb; did you mean summary?")]
    [InlineData("summary shell", "error: shell: summary takes no such argument")]
    [InlineData("shell", "error: shell: there is no such verb")]
    [InlineData("--with-docs no --with-docs summary", "error: --with-docs is given with a value and without")]
    [InlineData("--overlay summary", "error: --overlay: is not supported yet")]
    [InlineData("--microcode-host=yes summary", "error: --microcode-host: the image would depend on the host's processor")]
    [InlineData("-t oci summary", "error: -t: 'oci' is not supported yet (possible now: disk, directory, cpio, tar)")]
    [InlineData("--seed", "error: Required argument missing for option: '--seed'.")]
    [InlineData("-C /nonexistent summary", "error: --directory: '/nonexistent' is no directory")]
    public void MistakesAreOneLineAndStatusOne(string line, string expected)
    {
        var (status, output, errors) = Run(["-d", "arch", .. line.Split(' ')]);
        Assert.Equal(1, status);
        Assert.Equal("", output);
        Assert.StartsWith(expected, errors, StringComparison.Ordinal);
    }

    [Fact]
    public void EachDiagnosticIsALine()
    {
        using var directory = new ConfigDirectory("[Content]\nA=1\nB=2\n");
        var (status, _, errors) = Run(["-C", directory.Path, "-d", "arch", "summary"]);
        Assert.Equal(1, status);
        Assert.Equal(
            [$"error: {directory["mkosi.conf"]}:2: A= is unknown", $"error: {directory["mkosi.conf"]}:3: B= is unknown", ""],
            errors.Split('\n'));
    }

    [Fact]
    public void WarningsDoNotStopIt()
    {
        using var directory = ConfigDirectory.Arch("[Content]\nRAM=1G\n");
        var (status, _, errors) = Run(["-C", directory.Path, "summary"]);
        Assert.Equal(0, status);
        Assert.Equal($"warning: {directory["mkosi.conf"]}:4: RAM= belongs into [Runtime], not [Content]\n", errors);
    }

    [Fact]
    public void TheSummaryIsJsonToo()
    {
        using var directory = ConfigDirectory.Arch("[Content]\nPackages=b a\n");
        var json = JsonDocument.Parse(Run(["-C", directory.Path, "--json", "summary"]).Output).RootElement;
        Assert.Equal("arch", json.GetProperty("Distribution").GetProperty("Distribution").GetString());
        Assert.Equal(["a", "b"], json.GetProperty("Content").GetProperty("Packages").EnumerateArray().Select(static item => item.GetString()));
        Assert.Equal(3, json.GetProperty("Output").GetProperty("CompressLevel").GetInt32());
        Assert.Equal(JsonValueKind.Null, json.GetProperty("Output").GetProperty("Seed").ValueKind);
    }

    [Fact]
    public void HelpTellsOfAVerb()
    {
        Assert.Equal(Run(["diff", "--help"]).Output, Run(["help", "diff"]).Output);
        var (status, _, errors) = Run(["help", "dif"]);
        Assert.Equal((1, "error: help: no verb is called dif\n"), (status, errors));
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("help")]
    [InlineData("summary -h")]
    public void HelpNamesEverySettingThatActs(string line)
    {
        var (status, output, _) = Run(line.Split(' '));
        Assert.Equal(0, status);
        foreach (var setting in SettingTable.All)
        {
            bool named = output.Contains($"{setting.LongOption}=", StringComparison.Ordinal);
            Assert.Equal(setting.Group == SettingGroup.Acts, named);
        }
    }

    [Fact]
    public void OtherVerbsHaveOptionsAndHelpOfTheirOwn()
    {
        var output = new StringWriter();
        var terminal = new Terminal(output, TextWriter.Null);
        var options = new SettingOptions();
        var root = Program.CreateCommand(options, terminal);
        var seed = new Option<string>("--seed") { Description = "another seed" };
        var source = new Argument<string>("SOURCE");
        root.Add(new Command("other", "does something else") { seed, source });
        var result = root.Parse(["other", "--seed", "mine", "build"], Program.Parsing);
        Assert.Empty(options.Errors(result));
        Assert.Equal(("mine", "build"), (result.GetValue(seed), result.GetValue(source)));
        Assert.Empty(options.CommandLine(result));
        root.Parse(["other", "--help"]).Invoke(new InvocationConfiguration { Output = output });
        Assert.Contains("another seed", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("--package", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void VersionIsTheAssemblys() =>
        Assert.Equal($"diecast {typeof(BuildConfig).Assembly.GetName().Version!.ToString(3)}\n", Run(["--version"]).Output);

    [Fact]
    public void CleanRemovesOutputsOnly()
    {
        using var directory = ConfigDirectory.Arch("[Output]\nImageId=x\nImageVersion=1\n");
        string[] outputs = ["x_1.raw", "x_1.raw.zst", "x_1.efi", "x_1.vmlinuz", "x_1.initrd", "x_1.root-x86-64.raw", "x_1.manifest", "x_1.SHA256SUMS"];
        string[] others = ["mkosi.conf", "x_1.txt", "x_10.raw", "x_1", "other.raw"];
        foreach (string name in outputs.Concat(others.Skip(1)))
        {
            directory.Write(name, "");
        }
        var (status, _, errors) = Run(["-C", directory.Path, "clean"]);
        Assert.Equal(0, status);
        Assert.Equal(outputs.Length, errors.Split('\n').Length - 1);
        Assert.Equal(others.Order(StringComparer.Ordinal), Directory.GetFiles(directory.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void MessagesCannotSteerATerminal()
    {
        var errors = new StringWriter { NewLine = "\n" };
        new Terminal(TextWriter.Null, errors) { IsInteractive = true, HasColors = true }.Error("a\e[2J\nb");
        Assert.Equal("\e[1;31merror: \e[0ma\uFFFD[2J b\n", errors.ToString());
        errors.GetStringBuilder().Clear();
        new Terminal(TextWriter.Null, errors).Error("plain");
        Assert.Equal("error: plain\n", errors.ToString());
    }

    [Fact]
    public void ProgressIsLinesWithoutATerminal()
    {
        var errors = new StringWriter { NewLine = "\n" };
        int status = Progress.Run(new Terminal(TextWriter.Null, errors), static progress =>
        {
            progress.Stage("fetch");
            for (int i = 0; i <= 100; i++)
            {
                progress.Download(i * 1048576L / 2, 50L * 1048576);
            }
            progress.Stage("install");
            return 7;
        });
        Assert.Equal(7, status);
        string[] lines = errors.ToString().Split('\n');
        Assert.Equal(13, lines.Length);
        Assert.Equal(["fetch", "  downloaded 5.0 of 50.0 MiB", "  downloaded 50.0 of 50.0 MiB", "install", ""], [lines[0], lines[1], lines[10], lines[11], lines[12]]);
    }

    [Fact]
    public void ProgressIsBarsOnATerminal()
    {
        var errors = new StringWriter();
        var terminal = new Terminal(TextWriter.Null, errors) { IsInteractive = true };
        int status = Progress.Run(terminal, static progress =>
        {
            progress.Stage("fetch [all]");
            progress.Download(1, 2);
            return 7;
        });
        Assert.Equal(7, status);
        Assert.Contains("fetch [all]", errors.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("\e[3", errors.ToString(), StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => Progress.Run<int>(terminal, static _ => throw new InvalidDataException("x")));
    }

    private static (int Status, string Output, string Errors) Run(string[] arguments)
    {
        var output = new StringWriter { NewLine = "\n" };
        var errors = new StringWriter { NewLine = "\n" };
        int status = Program.Run(arguments, new Terminal(output, errors));
        return (status, output.ToString(), errors.ToString());
    }
}
