using CsCheck;
using Diecast.Build.Partitioning;
using Diecast.Config;
using Diecast.Formats;
using Diecast.Formats.Gpt;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Build.Partitioning;

public sealed class DefinitionReaderTests
{
    private static readonly RepartSpecifiers s_specifiers = new("x86-64", new Dictionary<string, string>
    {
        ["ID"] = "arch", ["IMAGE_ID"] = "img", ["IMAGE_VERSION"] = "7",
    });

    private static PartitionDefinition Parse(string settings, string type = "Type=root") =>
        DefinitionReader.Parse($"[Partition]\n{type}\n{settings}\n", "x.conf", s_specifiers);

    private static string Errors(string text) =>
        Assert.Throws<ConfigException>(() => DefinitionReader.Parse(text, "x.conf", s_specifiers)).Message;

    [Fact]
    public void DefaultsAreThoseOfSystemdRepart()
    {
        var definition = Parse("");
        Assert.Equal((1000, 0, 0, "%t"), (definition.Weight, definition.PaddingWeight, definition.Priority, definition.SplitName));
        Assert.Equal(PartitionAttributes.GrowFileSystem, definition.Attributes);
        Assert.Null(definition.Format);
        Assert.Null(definition.Label);
        Assert.Equal(PartitionAttributes.None, Parse("", "Type=linux-generic").Attributes);
        Assert.Equal(PartitionAttributes.ReadOnly, Parse("", "Type=usr-verity").Attributes);
        Assert.Equal("ext4", Parse("MakeDirectories=/a").Format);
        Assert.Equal("vfat", Parse("CopyFiles=/a", "Type=xbootldr").Format);
    }

    [Fact]
    public void EverySettingActs()
    {
        var cases = new Dictionary<string, (string Text, Func<PartitionDefinition, object?> Get, object? Expected)>
        {
            ["Type"] = ("Type=b921b045-1df0-41c3-af44-4c6f280d3fae", static d => d.KnownType?.Name, "root-arm64"),
            ["Label"] = ("Label=%M_%A-%o %a %%", static d => d.Label, "img_7-arch x86-64 %"),
            ["UUID"] = ("UUID=9a914a1537a6422ca9240380869e7ede", static d => d.Uuid, Guid.Parse("9a914a15-37a6-422c-a924-0380869e7ede")),
            ["Priority"] = ("Priority=-3", static d => d.Priority, -3),
            ["Weight"] = ("Weight=0", static d => d.Weight, 0),
            ["PaddingWeight"] = ("PaddingWeight=1000000", static d => d.PaddingWeight, 1_000_000),
            ["SizeMinBytes"] = ("SizeMinBytes=12582913", static d => d.SizeMin, 12_582_912L),
            ["SizeMaxBytes"] = ("SizeMaxBytes=12590081", static d => d.SizeMax, 12_591_104L),
            ["PaddingMinBytes"] = ("PaddingMinBytes=5K", static d => d.PaddingMin, 4096L),
            ["PaddingMaxBytes"] = ("PaddingMaxBytes=1.5 M", static d => d.PaddingMax, 1_572_864L),
            ["FactoryReset"] = ("FactoryReset=yes", static d => d.Text[^1], "FactoryReset=yes"),
            ["CopyBlocks"] = ("CopyBlocks=//a/./%M/", static d => d.CopyBlocks, "/a/img"),
            ["Format"] = ("Format=empty", static d => $"{d.Label} {d.Format} {d.NoAuto}", "_empty  True"),
            ["CopyFiles"] = ("CopyFiles=/a\\x3a\\tb:/c/%o:fsverity=off", static d => $"{d.CopyFiles[0].Source}>{d.CopyFiles[0].Target} {d.CopyFiles[0].Location}", "/a:\tb>/c/arch x.conf:3"),
            ["ExcludeFiles"] = ("ExcludeFiles=/x\nExcludeFiles=\nExcludeFiles=/a/ '/b c' /d\\ e", static d => string.Join('|', d.ExcludeFiles), "/a/|/b c|/d e"),
            ["ExcludeFilesTarget"] = ("ExcludeFilesTarget=/a", static d => string.Join('|', d.ExcludeFilesTarget), "/a"),
            ["MakeDirectories"] = ("MakeDirectories=/a /b/\nMakeDirectories=/c", static d => string.Join('|', d.MakeDirectories), "/a|/b|/c"),
            ["MakeSymlinks"] = ("MakeSymlinks=/a:../b /c:/d", static d => string.Join('|', d.MakeSymlinks.Select(static l => $"{l.Path}>{l.Target}")), "/a>../b|/c>/d"),
            ["Minimize"] = ("Minimize=guess\nFormat=ext4", static d => d.Minimize, MinimizeMode.Guess),
            ["Compression"] = ("Compression=zstd\nCompression=lzo\nFormat=btrfs", static d => d.Compression, FileCompression.Lzo),
            ["CompressionLevel"] = ("CompressionLevel=9\nFormat=btrfs", static d => d.CompressionLevel, 9),
            ["Subvolumes"] = ("Subvolumes=/a /b:ro\nSubvolumes=/c/:nodatacow /d:nodatacow,ro\nFormat=btrfs", static d => string.Join('|', d.Subvolumes.Select(static s => $"{s.Path} {s.IsReadOnly} {s.IsNoDataCow}")), "/a False False|/b True False|/c False True|/d True True"),
            ["DefaultSubvolume"] = ("DefaultSubvolume=/%M/\nFormat=btrfs", static d => d.DefaultSubvolume, "/img"),
            ["Flags"] = ("Flags=0x1000000000000005", static d => (ulong)d.Attributes, 0x1800_0000_0000_0005ul),
            ["NoAuto"] = ("NoAuto=on", static d => d.Attributes, PartitionAttributes.NoAuto | PartitionAttributes.GrowFileSystem),
            ["ReadOnly"] = ("ReadOnly=1", static d => d.Attributes, PartitionAttributes.ReadOnly),
            ["GrowFileSystem"] = ("GrowFileSystem=no\nFlags=0b11", static d => d.Attributes, PartitionAttributes.Required | PartitionAttributes.NoBlockIoProtocol),
            ["SplitName"] = ("SplitName=-", static d => d.SplitName, null),
            ["FileSystemSectorSize"] = ("FileSystemSectorSize=512", static d => d.FileSystemSectorSize, 512),
            ["AddValidateFS"] = ("AddValidateFS=no\nFormat=ext4", static d => d.MarksFileSystem, false),
        };
        Assert.Equal(DefinitionSettings.Acting.Order(StringComparer.Ordinal), cases.Keys.Order(StringComparer.Ordinal));
        foreach (var (text, get, expected) in cases.Values)
        {
            Assert.Equal(expected, get(Parse(text)));
        }
        Assert.NotEqual(Parse("Weight=1"), Parse("Weight=2"));
    }

    [Fact]
    public void WhatDoesNotActYetIsRefusedByName()
    {
        foreach (string setting in DefinitionSettings.NotYet)
        {
            Assert.Equal($"x.conf:4: {setting} is not supported yet", Errors($"[Partition]\nType=root\n# comment\n{setting}=x\n"));
        }
    }

    [Theory]
    [InlineData("Label", "a%m", "%m is a fact of the host that the image would depend on; write the value instead")]
    [InlineData("Label", "a%H", "%H is a fact of the host that the image would depend on; write the value instead")]
    [InlineData("Label", "%Z", "%Z is unknown; write %% for a percent sign")]
    [InlineData("Label", "100%", "a % ends the value; write %% for a percent sign")]
    [InlineData("Label", "0123456789012345678901234567890123456", "\"0123456789012345678901234567890123456\" is longer than 36 characters")]
    [InlineData("UUID", "x", "\"x\" is no UUID")]
    [InlineData("Priority", "3000000000", "\"3000000000\" is no whole number of 32 bits")]
    [InlineData("Weight", "1000001", "\"1000001\" is not within 0 and 1000000")]
    [InlineData("SizeMinBytes", "1MiB", "\"1MiB\" is no size")]
    [InlineData("SizeMinBytes", "-1", "\"-1\" is no size")]
    [InlineData("SizeMaxBytes", "9E", "\"9E\" is too large")]
    [InlineData("FactoryReset", "maybe", "\"maybe\" is neither yes nor no")]
    [InlineData("CopyBlocks", "auto", "auto copies from the running system, which no image may depend on")]
    [InlineData("Format", "a/b", "\"a/b\" is no file system")]
    [InlineData("CopyFiles", "a:b", "\"a\" is not an absolute path without \"..\"")]
    [InlineData("CopyFiles", "/a:/../b", "\"/../b\" is not an absolute path without \"..\"")]
    [InlineData("CopyFiles", "/a:/b:fsverity=copy", "the option fsverity=copy is not supported yet")]
    [InlineData("CopyFiles", "/a:/b::x", "\"/a:/b::x\" has more than a source, a target and options")]
    [InlineData("CopyFiles", "/a\\q", "the escape \\q is unknown, or no ASCII character")]
    [InlineData("ExcludeFiles", "/a 'b", "the quote ' is not closed")]
    [InlineData("MakeSymlinks", "/a", "\"/a\" is not a path, a colon and a target")]
    [InlineData("Minimize", "least", "\"least\" is neither yes nor no")]
    [InlineData("Compression", "lz4", "\"lz4\" is none of zstd, zlib and lzo")]
    [InlineData("CompressionLevel", "-1", "\"-1\" is no level")]
    [InlineData("Subvolumes", "/a:ro,nodatasum", "\"nodatasum\" is no flag of a subvolume; there are ro and nodatacow")]
    [InlineData("Subvolumes", "/a:ro:x", "\"/a:ro:x\" has more than a path and flags")]
    [InlineData("DefaultSubvolume", "a", "\"a\" is not an absolute path without \"..\"")]
    [InlineData("Flags", "0xg", "\"0xg\" is no number of 64 bits")]
    [InlineData("SplitName", "a/b", "\"a/b\" is no part of a file name")]
    [InlineData("FileSystemSectorSize", "1000", "\"1000\" is no power of two")]
    [InlineData("FileSystemSectorSize", "8192", "sectors of 8192 bytes are not supported yet, only those of 512 and 4096")]
    [InlineData("Type", "root-vax", "\"root-vax\" is neither a partition type nor a UUID")]
    public void BadValuesAreErrorsWithTheirPlace(string key, string value, string message) =>
        Assert.Equal($"x.conf:3: {key}: {message}", Errors($"[Partition]\n{(key == "Type" ? "" : "Type=root")}\n{key}={value}\n"));

    [Theory]
    [InlineData("Type=root\nSizeMinBytes=2M\nSizeMaxBytes=1M", "x.conf:3: SizeMinBytes is larger than SizeMaxBytes")]
    [InlineData("Type=root\nPaddingMinBytes=2M\nPaddingMaxBytes=1M", "x.conf:3: PaddingMinBytes is larger than PaddingMaxBytes")]
    [InlineData("Label=x", "x.conf: Type is missing")]
    [InlineData("Type=root\nCopyBlocks=/x\nFormat=ext4", "x.conf:3: CopyBlocks cannot be combined with Format, CopyFiles, MakeDirectories, MakeSymlinks and AddValidateFS")]
    [InlineData("Type=root\nFormat=empty\nCopyFiles=/", "x.conf:3: Format=empty cannot be combined with CopyFiles, MakeDirectories, MakeSymlinks and AddValidateFS")]
    [InlineData("Type=esp\nFormat=vfat\nAddValidateFS=yes", "x.conf:4: vfat has no place for AddValidateFS")]
    [InlineData("Type=root\nFormat=ext4\nCompression=zstd", "x.conf:4: Compression needs Format=btrfs")]
    [InlineData("Type=root\nSubvolumes=/a", "x.conf:3: Subvolumes needs Format=btrfs")]
    [InlineData("Type=root\nMinimize=guess", "x.conf:3: Minimize needs a Format")]
    [InlineData("Type=root\nMinimize=best\nFormat=ext4", "x.conf:3: Minimize=best is for btrfs and file systems that are never written to, and none of those is supported yet; write guess")]
    [InlineData("Type=esp\nReadOnly=yes", "x.conf:3: ReadOnly means nothing for the type esp")]
    [InlineData("Type=21686148-6449-6e6f-744e-656564454649\nGrowFileSystem=no", "x.conf:3: GrowFileSystem means nothing for the type 21686148-6449-6e6f-744e-656564454649")]
    [InlineData("Type=swap", "x.conf:2: a partition of type swap is formatted as such, and Format=swap is not supported yet; write Format=empty")]
    [InlineData("Typo=x\nType=root", "x.conf:2: the setting Typo is unknown")]
    public void ContradictionsAreErrorsWithTheirPlace(string settings, string message) =>
        Assert.Equal(message, Errors($"[Partition]\n{settings}\n"));

    [Fact]
    public void AllErrorsComeAtOnce() => Assert.Equal(
        "x.conf:1: Label stands before any section\nx.conf:2: the section header [Partition has no closing bracket\n"
        + "x.conf:3: Weight: \"x\" is not within 0 and 1000000\nx.conf:4: \"nonsense\" is no assignment\nx.conf:7: the section [Other] is unknown",
        Errors("Label=a\n[Partition\nWeight=x\nnonsense\n\n[Other]\nKey=value\n[Partition]\nType=root\n"));

    [Fact]
    public void LinesAreReadAsSystemdReadsThem()
    {
        var definition = DefinitionReader.Parse(
            "\uFEFF# comment\n; comment\n[Partition]\n  Type = root  \nMakeDirectories=/a\\\n# in between\n  /b \\\n/c\nLabel=x # y ; \"z\"\r\nX-Mine=1\n[X-Section]\nAny=1\n",
            "x.conf", s_specifiers);
        Assert.Equal(["/a", "/b", "/c"], definition.MakeDirectories);
        Assert.Equal("x # y ; \"z\"", definition.Label);
        // systemd-repart 257 gives three blanks here too.
        Assert.Equal("e   sp", Parse("Label=e\\\n  sp").Label);
    }

    [Fact]
    public void BytesThatAreNotUtf8AreNamed()
    {
        using var directory = new TempDirectory();
        File.WriteAllBytes(directory["a.conf"], [.. "[Partition]\nType=root\nLabel=\xff\n"u8, 0xFF, 0x0A]);
        string message = Assert.Throws<ConfigException>(() => DefinitionReader.Read([directory.Path], s_specifiers)).Message;
        Assert.StartsWith($"{directory["a.conf"]}:", message, StringComparison.Ordinal);
        Assert.Contains("is not UTF-8", message, StringComparison.Ordinal);
    }

    [Fact]
    public void DirectoriesAreMergedAndSortedByTheBytesOfTheNames()
    {
        using var directory = new TempDirectory();
        string first = Directory.CreateDirectory(directory["1"]).FullName;
        string second = Directory.CreateDirectory(directory["2"]).FullName;
        Write(second, "20.conf", "Label=second");
        Write(first, "20.conf", "Label=first");
        Write(second, "\U0001F600.conf", "Label=last");
        Write(second, "\uFB01.conf", "Label=last but one");
        Write(second, "10.conf", "Label=ten");
        Write(second, "B.conf", "Label=B");
        Write(second, "a.conf", "Label=a");
        Write(second, ".hidden.conf", "Label=hidden");
        Write(second, "no.txt", "Label=no");
        Write(second, "masked.conf", "Label=masked");
        File.WriteAllText(Path.Join(first, "masked.conf"), "");
        Write(second, "10.conf.d/b.conf", "Weight=2");
        Write(first, "10.conf.d/a.conf", "Weight=1\nPriority=4");
        var definitions = DefinitionReader.Read([first, second], s_specifiers);
        Assert.Equal(["ten", "first", "B", "a", "last but one", "last"], definitions.Select(static d => d.Label));
        Assert.Equal((2, 4), (definitions[0].Weight, definitions[0].Priority));
        Assert.EndsWith("10.conf.d/b.conf:2", definitions[0].Place("Weight").ToString(), StringComparison.Ordinal);

        static void Write(string directory, string name, string settings)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Join(directory, name))!);
            string type = name.Contains(".d/", StringComparison.Ordinal) ? "" : "Type=root\n";
            File.WriteAllText(Path.Join(directory, name), $"[Partition]\n{type}{settings}\n");
        }
    }

    [Fact]
    public void AMissingDirectoryIsAnError() =>
        Assert.Equal("/nowhere: there is no such directory",
            Assert.Throws<ConfigException>(() => DefinitionReader.Read(["/nowhere"], s_specifiers)).Message);

    [Fact]
    public void TheArchitectureAppliesToTypes()
    {
        var arm = s_specifiers with { Architecture = "arm64" };
        Assert.Equal("root-arm64", DefinitionReader.Parse("[Partition]\nType=root", "x", arm).KnownType!.Name);
        Assert.Equal("usr-x86-64", DefinitionReader.Parse("[Partition]\nType=usr-x86-64", "x", arm).KnownType!.Name);
        Assert.Equal("usr-arm64", DefinitionReader.Parse("[Partition]\nType=usr-x86-64", "x", arm, overrideArchitecture: true).KnownType!.Name);
    }

    [Fact]
    public void OsReleaseIsReadFromTheTree()
    {
        var metadata = new Metadata(0x1A4, 0, 0, new Timestamp(0));
        var builder = new TreeBuilder(metadata);
        builder.AddFile("usr/lib/os-release", metadata, "# x\nID=arch\nIMAGE_ID='my image'\nVERSION_ID=\"1\\\"2\"\nBROKEN=\"x\n"u8.ToArray());
        builder.AddSymlink("etc/os-release", metadata, "../../usr/lib/os-release");
        var specifiers = RepartSpecifiers.ForTree("arm64", builder.Build());
        Assert.Equal("arch my image 1\"2  arm64", specifiers.Expand("%o %M %w %W %a"));
        Assert.Contains("no tree is given", Assert.Throws<FormatException>(() => RepartSpecifiers.ForTree("x86", null).Expand("%o")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ROOT=btrfs", "Type=root\nFormat=ext4", "btrfs")]
    [InlineData("ROOT=btrfs", "Type=root", "btrfs")]
    [InlineData("ROOT=btrfs", "Type=home\nFormat=ext4", "ext4")]
    [InlineData("ROOT=btrfs", "Type=root\nSubvolumes=/a\nMinimize=best\nCopyFiles=/", "btrfs")]
    [InlineData("=btrfs", "Type=linux-generic\nFormat=ext4", "btrfs")]
    [InlineData("=btrfs", "Type=root\nCopyFiles=/", "ext4")]
    [InlineData("=btrfs", "Type=root", null)]
    [InlineData("=vfat", "Type=esp\nFormat=vfat", "vfat")]
    public void TheEnvironmentGoesOverTheFormat(string variable, string settings, string? format)
    {
        Assert.Equal(format, ParseWith(variable, settings).Format);
    }

    [Theory]
    [InlineData("=btrfs", "Type=esp\nFormat=vfat", "x.conf:3: SYSTEMD_REPART_OVERRIDE_FSTYPE=btrfs means this esp too, and firmware reads vfat only; "
        + "say SYSTEMD_REPART_OVERRIDE_FSTYPE_ROOT=btrfs for the root alone")]
    [InlineData("ROOT=ext4", "Type=root\nFormat=btrfs\nSubvolumes=/a", "x.conf:4: Subvolumes needs Format=btrfs")]
    [InlineData("ROOT=ext4", "Type=root\nFormat=btrfs\nMinimize=best", "x.conf:4: Minimize=best is for btrfs and file systems that are never written to, "
        + "and none of those is supported yet; write guess")]
    public void WhatTheEnvironmentCannotMakeOfADefinitionIsAnError(string variable, string settings, string message) =>
        Assert.Equal(message, Assert.Throws<ConfigException>(() => ParseWith(variable, settings)).Message);

    private static PartitionDefinition ParseWith(string variable, string settings)
    {
        string[] words = variable.Split('=');
        string name = words[0].Length == 0 ? MkfsOptions.OverrideVariable : $"{MkfsOptions.OverrideVariable}_{words[0]}";
        return DefinitionReader.Parse($"[Partition]\n{settings}\n", "x.conf", s_specifiers, options: new MkfsOptions().With(name, words[1]));
    }

    [Fact]
    public void AnyTextGivesADefinitionOrConfigErrors() =>
        Gen.OneOf(Gen.String, Gen.Select(Gen.Int[0, 100].Select(static i => DefinitionSettings.Acting.ElementAt(i % DefinitionSettings.Acting.Count())), Gen.String, static (key, value) => $"[Partition]\nType=root\n{key}={value}"))
            .Sample(static text =>
            {
                try
                {
                    DefinitionReader.Parse(text, "x.conf", s_specifiers);
                }
                catch (ConfigException)
                {
                }
            }, iter: 3000);
}
