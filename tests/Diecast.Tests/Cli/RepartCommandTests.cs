using System.Text.Json;
using Diecast.Tests.Formats.Gpt;
using Diecast.Tests.Support;

namespace Diecast.Tests.Cli;

public sealed class RepartCommandTests
{
    private static readonly string s_diecast = Repository.File("artifacts", "bin", "Diecast.Cli",
        Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "Diecast.Cli");

    private static Tool.Result Run(params string[] arguments) =>
        Tool.Run(s_diecast, ["repart", .. arguments], new Dictionary<string, string> { ["SOURCE_DATE_EPOCH"] = "" }, null);

    [Fact]
    public void TheVerbMakesTheTableOfSystemdRepart()
    {
        using var directory = new TempDirectory();
        var result = Run("--empty=create", "--size=256M", "--seed", Vector.Seed, "--definitions", Vector.Fixed.Definitions, "--json=pretty", directory["disk.raw"]);
        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        byte[] disk = File.ReadAllBytes(directory["disk.raw"]);
        Assert.Equal(Vector.Fixed.Primary, disk[..Vector.Fixed.Primary.Length]);
        Assert.Equal(Vector.Fixed.Backup, disk[^Vector.Fixed.Backup.Length..]);
        var partitions = JsonDocument.Parse(result.Output).RootElement;
        Assert.Equal(5, partitions.GetArrayLength());
        Assert.Equal("bfef1f1c-b066-4303-ad48-d81a7f548a91", partitions[1].GetProperty("uuid").GetString());
        Assert.Equal(44_892_160, partitions[1].GetProperty("offset").GetInt64());
        Assert.Equal(21_921_792, partitions[3].GetProperty("raw_padding").GetInt64());
    }

    [Fact]
    public void EveryErrorIsALineAndNothingIsLeft()
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory["d"]);
        File.WriteAllText(directory["d/a.conf"], "[Partition]\nType=rot\nEncrypt=tpm2\n");
        File.WriteAllText(directory["d/b.conf"], "[Partition]\nType=root\nLabel=%H\n");
        var result = Run("--empty=create", "--definitions", directory["d"], directory["disk.raw"]);
        Assert.Equal(1, result.ExitCode);
        Assert.Equal(
            $"error: {directory["d/a.conf"]}:2: Type: \"rot\" is neither a partition type nor a UUID\n"
            + $"error: {directory["d/a.conf"]}:3: Encrypt is not supported yet\n"
            + $"error: {directory["d/b.conf"]}:3: Label: %H is a fact of the host that the image would depend on; write the value instead\n", result.Errors);
        Assert.Equal(["d"], Directory.GetFileSystemEntries(directory.Path).Select(Path.GetFileName));

        result = Run("--empty=allow", "--size=x", "--seed=random", "--sector-size=100", "--architecture=vax", "--split=maybe", "--json=xml",
            "--source-date-epoch=now", "--definitions", directory["d"], directory["disk.raw"]);
        Assert.Equal(["--architecture", "--empty", "--json", "--sector-size", "--seed", "--size", "--source-date-epoch", "--split"],
            result.Errors.TrimEnd().Split('\n').Select(static line => line.Split(": ")[1]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void AnImageThatExistsStays()
    {
        using var directory = new TempDirectory();
        File.WriteAllText(directory["disk.raw"], "old");
        var result = Run("--empty=create", "--definitions", Vector.Fixed.Definitions, directory["disk.raw"]);
        Assert.Equal((1, $"error: {directory["disk.raw"]}: exists already\n"), (result.ExitCode, result.Errors));
        Assert.Equal("old", File.ReadAllText(directory["disk.raw"]));
    }

    [Fact]
    public void TreesNeedARoot()
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory["d"]);
        Directory.CreateDirectory(directory["r/etc"]);
        File.WriteAllText(directory["r/etc/os-release"], "IMAGE_ID=mine\n");
        File.WriteAllText(directory["d/a.conf"], "[Partition]\nType=root\nCopyFiles=/\nMinimize=guess\nSplitName=%M\n");
        Assert.Equal($"error: {directory["d/a.conf"]}:5: SplitName: %M is IMAGE_ID of the image's os-release, and no tree is given\n",
            Run("--empty=create", "--definitions", directory["d"], directory["disk.raw"]).Errors);
        var result = Run("--empty=create", "--definitions", directory["d"], "--root", directory["r"], "--split=yes", "--architecture=arm64",
            "--source-date-epoch=1662046009", directory["disk.raw"]);
        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        Assert.EndsWith("root-arm64\n", result.Output, StringComparison.Ordinal);
        Tool.RunOk("e2fsck", "-fn", directory["disk.mine.raw"]);
        // Without a seed, it comes from the content: the same again.
        string again = Run("--empty=create", "--definitions", directory["d"], "--root", directory["r"], "--architecture=arm64",
            "--source-date-epoch=1662046009", directory["again.raw"]).Output;
        Assert.Equal(result.Output, again);
        Assert.Equal(File.ReadAllBytes(directory["disk.raw"]), File.ReadAllBytes(directory["again.raw"]));
        File.WriteAllText(directory["d/a.conf"], "[Partition]\nType=root\nCopyFiles=/\n");
        Assert.Equal($"error: {directory["d/a.conf"]}:3: there is nothing to copy from; say --root=DIR\n",
            Run("--empty=create", "--definitions", directory["d"], directory["other.raw"]).Errors);
    }
}
