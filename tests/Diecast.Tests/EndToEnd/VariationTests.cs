using System.Globalization;
using System.Text.Json;
using Diecast.Formats.Tar;
using Diecast.Images;
using Diecast.Inspect.Verification;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.EndToEnd;

/// <summary>
/// The mission's image is the same to the last bit, whoever builds it, wherever and whenever. Each variation is shown to
/// be in force by what a shell reports under it, and, where the sandbox lets it through, a scriptlet of a package.
/// </summary>
public sealed class VariationTests(MissionImage mission)
{
    private const string Probe = """
        echo "DATE=$(date +%Y) NPROC=$(nproc) UIDS=$(echo $(cat /proc/self/uid_map)) HOST=$(cat /proc/sys/kernel/hostname) ZONE=$(date +%Z) UMASK=$(umask) USER=$(id -u) SYSTEM=$(. /etc/os-release; echo $VERSION_CODENAME)"
        """;

    /// <param name="Prefix">A shell prefix that runs its arguments as varied; {0} is the scene's directory.</param>
    /// <param name="Outside">What the shell must report under the prefix and not without it.</param>
    /// <param name="Inside">What the scriptlet must report under the prefix and not without it.</param>
    public sealed record Variation(string Prefix, string? Outside = null, string? Inside = null)
    {
        public bool ColdCache { get; init; }

        public Action<Scene> Prepare { get; init; } = static _ => { };
    }

    private static readonly Dictionary<string, Func<Variation>> s_variations = new(StringComparer.Ordinal)
    {
        ["again"] = static () => new(""),
        ["cold cache"] = static () => new("") { ColdCache = true },
        ["another user"] = static () => new(OrdinaryUser.Prefix("{0}") + " env -u TMPDIR",
            $"USER={OrdinaryUser.Id} ", "UIDS=0 " + OrdinaryUser.Id + " 1") { Prepare = GiveAway, ColdCache = true },
        ["another host"] = static () => new(
            $"{Repository.File("tests", "setup", "in-root.sh")} {Fixture.Trixie} {{0}} {Scene.Cache} {Fixture.Mirror} {Path.GetDirectoryName(Fixture.Executable)} --",
            "SYSTEM=trixie"),
    };

    public static TheoryData<string> Names => [.. s_variations.Keys.Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Names))]
    public void TheImageIsTheSame(string name)
    {
        var variation = s_variations[name]();
        using var scene = new Scene();
        File.WriteAllText(scene["probe"], Probe);
        variation.Prepare(scene);
        string prefix = string.Format(CultureInfo.InvariantCulture, variation.Prefix, scene.Root);
        if (variation.Outside is { } outside)
        {
            Assert.Contains(outside, Report(scene, prefix), StringComparison.Ordinal);
            Assert.DoesNotContain(outside, Report(scene, ""), StringComparison.Ordinal);
        }
        // Without the probe it is the mission's command to the letter, and the probe leaves nothing.
        string[] probe = name == "again" ? [] : ["-p", "probe"];
        var result = scene.Run(prefix, variation.ColdCache ? scene["cache"] : Scene.Cache, [.. Scene.Command(Scene.MirrorUrl), .. probe]);
        Assert.True(result.ExitCode == 0, result.All);
        if (variation.Inside is { } inside)
        {
            Assert.Contains(inside, ProbeLine(result.Errors), StringComparison.Ordinal);
            Assert.DoesNotContain(inside, ProbeLine(mission.Log), StringComparison.Ordinal);
        }
        Assert.Equal(mission.Sha256, Scene.Sha256(scene["foo.raw"]));
    }

    /// <summary>By the tool itself: clock, zone, locale, umask, ids, host name, directory, tmpfs, one core and environment, twice.</summary>
    [Fact]
    public void TheImageIsTheSameUnderAllThatVerifyVaries()
    {
        using var scene = new Scene();
        string[] command = [.. Scene.Command(Scene.MirrorUrl), "-p", "probe"];
        var locked = scene.Run("", ["lock", .. command]);
        Assert.True(locked.ExitCode == 0, locked.All);
        var result = scene.Run("", ["verify", mission.Image, "--no-attestation", "--json", "--runs=2", .. command]);
        Assert.True(result.ExitCode == 0, result.All);
        using var json = JsonDocument.Parse(result.Output);
        Assert.Equal(mission.Sha256, json.RootElement.GetProperty("sha256").GetString());
        Assert.All(json.RootElement.GetProperty("runs").EnumerateArray(), static run => Assert.Equal(
            VariationTable.Names, run.GetProperty("varied").EnumerateArray().Select(static varied => varied.GetProperty("name").GetString())));
    }

    /// <summary>Capabilities, device nodes, hard links, far owners and attributes that a user's own files could not have.</summary>
    [Fact]
    public void EveryKindOfFileIsTheSameForAnotherUser()
    {
        string[] command = ["-d", "arch", "-p", "kinds", "-p", "iputils-ping", "-m", Scene.MirrorUrl, "--bootable=no", "-t", "tar", "--compress-output=no", "-o", "kinds"];
        using var roots = new Scene();
        using var users = new Scene();
        GiveAway(users);
        var asRoot = roots.Run("", command);
        Assert.True(asRoot.ExitCode == 0, asRoot.All);
        var asUser = users.Run(string.Format(CultureInfo.InvariantCulture, s_variations["another user"]().Prefix, users.Root), users["cache"], command);
        Assert.True(asUser.ExitCode == 0, asUser.All);
        Assert.Equal(Scene.Sha256(roots["kinds.tar"]), Scene.Sha256(users["kinds.tar"]));
        var tree = TarTree.Read(new MemoryBlob(File.ReadAllBytes(users["kinds.tar"])));
        Assert.Equal((259u, 300u), tree.Find("usr/share/kinds/disk") is DeviceNode disk ? (disk.Major, disk.Minor) : default);
        Assert.Equal((60000u, 65535u), tree.Find("usr/share/kinds/owner") is { } far ? (far.Metadata.Uid, far.Metadata.Gid) : default);
        Assert.Contains(tree.Find("usr/share/kinds/capability")!.Metadata.Xattrs, static x => x.Name.AsSpan().SequenceEqual("security.capability"u8));
        Assert.Contains(tree.Find("usr/share/kinds/xattrs")!.Metadata.Xattrs, static x => x.Name.AsSpan().SequenceEqual("trusted.diecast"u8));
        Assert.Equal(0x9C9, tree.Find("usr/share/kinds/a-original")!.Metadata.Mode);
        Assert.Same(tree.Find("usr/share/kinds/a-original"), tree.Find("usr/share/kinds/sub/c-link"));
    }

    private static void GiveAway(Scene scene)
    {
        _ = OrdinaryUser.Id;
        Tool.RunOk("chown", "-R", $"{OrdinaryUser.Name}:{OrdinaryUser.Name}", scene.Root);
    }

    private static string ProbeLine(string log) =>
        log.Split('\n').FirstOrDefault(static line => line.Contains("PROBE ", StringComparison.Ordinal)) ?? throw new InvalidOperationException("the probe said nothing");

    private static string Report(Scene scene, string prefix) =>
        Tool.Run("/bin/sh", "-c", $"cd '{scene.Root}' && {prefix} sh probe").Output;
}
