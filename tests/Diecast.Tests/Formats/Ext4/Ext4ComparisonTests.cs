using Diecast.Formats.Ext4;
using Diecast.Images;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Ext4;

/// <summary>Against mke2fs of the same size, field by field; and what resize2fs makes of the result.</summary>
public sealed class Ext4ComparisonTests
{
    private static readonly Ext4Format s_ext4 = new();

    /// <summary>The fields of dumpe2fs -h that differ from mke2fs, each explained in the format's README.md.</summary>
    private static readonly string[] s_different = ["Filesystem flags", "Lifetime writes", "Checksum"];

    [Theory]
    [InlineData("9M")]
    [InlineData("32M")]
    [InlineData("127M")]
    [InlineData("128M")]
    [InlineData("338497536")]
    [InlineData("1100M")]
    [InlineData("3G")]
    [InlineData("33G")]
    [InlineData("200G")]
    public void SuperblockFieldsAreThoseOfMke2fs(string size)
    {
        using var directory = new TempDirectory();
        Tool.RunOk("truncate", "-s", size, directory["theirs"]);
        var options = Ext4Samples.Options;
        string[] arguments =
        [
            "-q", "-t", "ext4", "-U", $"{options.Uuid}", "-L", options.Label, "-I", "256", "-m", "0", "-b", "4096", "-T", "default",
            "-O", "^orphan_file,^metadata_csum_seed", "-E", $"nodiscard,lazy_itable_init=1,hash_seed={options.HashSeed}",
            directory["theirs"],
        ];
        var environment = new Dictionary<string, string> { ["E2FSPROGS_FAKE_TIME"] = $"{options.Epoch.Seconds}" };
        var made = Tool.Run("mke2fs", arguments, environment, null);
        Assert.True(made.ExitCode == 0, made.All);
        var tree = new FileTree(new DirectoryNode(Ext4Samples.Directory, []));
        ImageFile.Write(s_ext4.Write(tree, options with { Size = new FileInfo(directory["theirs"]).Length }), directory["ours"]);
        var theirs = Fields(directory["theirs"]);
        var ours = Fields(directory["ours"]);
        Assert.Equal(theirs.Keys.Except(s_different), ours.Keys.Except(s_different));
        Assert.Equal(
            theirs.Where(static field => !s_different.Contains(field.Key)).Select(static field => $"{field.Key}: {field.Value}"),
            ours.Where(static field => !s_different.Contains(field.Key)).Select(static field => $"{field.Key}: {field.Value}"));
        Assert.Equal("unsigned_directory_hash", ours["Filesystem flags"]);
        Assert.False(ours.ContainsKey("Lifetime writes"));
    }

    private static Dictionary<string, string> Fields(string image) =>
        Tool.RunOk("dumpe2fs", "-h", image).Split('\n')
            .Select(static line => line.Split(':', 2)).Where(static parts => parts.Length == 2)
            .ToDictionary(static parts => parts[0], static parts => parts[1].Trim(), StringComparer.Ordinal);

    [Fact]
    public void Resize2fsGrowsIt()
    {
        using var directory = new TempDirectory();
        var tree = Ext4Samples.Everything();
        ImageFile.Write(s_ext4.Write(tree, Ext4Samples.Options with { Size = 200 << 20 }), directory["image"]);
        Tool.RunOk("truncate", "-s", "40G", directory["image"]);
        Tool.RunOk("resize2fs", directory["image"]);
        E2fsck.Clean(directory["image"]);
        // Five blocks of descriptors where there was one: they came from the reserve, and no block had to move.
        Assert.Contains("Reserved GDT blocks:      20", Tool.RunOk("dumpe2fs", "-h", directory["image"]), StringComparison.Ordinal);
    }
}
