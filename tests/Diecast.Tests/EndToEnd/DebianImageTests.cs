using System.Text.Json;
using Diecast.Inspect.Verification;
using Diecast.Tests.Support;

namespace Diecast.Tests.EndToEnd;

/// <summary>
/// Debian's packages, unconverted: an image that boots to a prompt with no failed unit, and is the same to the last bit,
/// whoever builds it, wherever and whenever.
/// </summary>
public sealed class DebianImageTests(DebianImage debian)
{
    // Emulated, on two cores that other tests use too.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(8);

    [Fact]
    public void TrixieBoots() => VirtualMachine.AssertBoots(debian.Image, DiskBus.VirtioBlk, s_patience);

    [Theory]
    [InlineData("bookworm")]
    [InlineData("sid")]
    public void OtherReleasesAreTheSameWhenVerifiedAndBoot(string release)
    {
        using var scene = DebianImage.SceneOf(release);
        DebianImage.Build(scene, release);
        Assert.Contains($"VERSION_CODENAME={release}\n", scene.Run("", ["cat", "foo.raw:root-x86-64:/etc/os-release"]).All, StringComparison.Ordinal);
        IsTheSameWhenVerified(scene, scene["foo.raw"], release);
        VirtualMachine.AssertBoots(scene["foo.raw"], DiskBus.VirtioBlk, s_patience);
    }

    [Fact]
    public void TrixieIsTheSameUnderAllThatVerifyVaries()
    {
        using var scene = DebianImage.SceneOf("trixie");
        IsTheSameWhenVerified(scene, debian.Image, "trixie");
    }

    [Fact]
    public void TrixieIsTheSameForAnotherUserWithAColdCache()
    {
        using var scene = DebianImage.SceneOf("trixie");
        _ = OrdinaryUser.Id;
        Tool.RunOk("chown", "-R", $"{OrdinaryUser.Name}:{OrdinaryUser.Name}", scene.Root);
        IsBuiltTheSame(scene, OrdinaryUser.Prefix(scene.Root) + " env -u TMPDIR", scene["cache"]);
    }

    [Fact]
    public void TrixieIsTheSameOnAnotherHost()
    {
        using var scene = DebianImage.SceneOf("trixie");
        string prefix = $"{Repository.File("tests", "setup", "in-root.sh")} {Fixture.Trixie} {scene.Root} {Scene.Cache} {Path.GetDirectoryName(Fixture.Executable)} --";
        Assert.Equal("trixie", Tool.Run("/bin/sh", "-c", $"cd '{scene.Root}' && {prefix} sh -c '. /etc/os-release; echo $VERSION_CODENAME'").Output.Trim());
        IsBuiltTheSame(scene, prefix, Scene.Cache);
    }

    private void IsBuiltTheSame(Scene scene, string prefix, string cache)
    {
        var result = scene.Run(prefix, cache, DebianImage.Command("trixie"));
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Equal(debian.Sha256, Scene.Sha256(scene["foo.raw"]));
    }

    /// <summary>From a lock, by one run that varies all.</summary>
    private static void IsTheSameWhenVerified(Scene scene, string image, string release)
    {
        string[] command = DebianImage.Command(release);
        var locked = scene.Run("", ["lock", .. command]);
        Assert.True(locked.ExitCode == 0, locked.All);
        var result = scene.Run("", ["verify", image, "--no-attestation", "--json", .. command]);
        Assert.True(result.ExitCode == 0, result.All);
        using var json = JsonDocument.Parse(result.Output);
        Assert.Equal(Scene.Sha256(image), json.RootElement.GetProperty("sha256").GetString());
        Assert.All(json.RootElement.GetProperty("runs").EnumerateArray(), static run => Assert.Equal(
            VariationTable.Names, run.GetProperty("varied").EnumerateArray().Select(static varied => varied.GetProperty("name").GetString())));
    }
}
