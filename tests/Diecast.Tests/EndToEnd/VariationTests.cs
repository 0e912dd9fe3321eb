using System.Globalization;
using Diecast.Formats.Tar;
using Diecast.Images;
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

    private const string User = "diecast-test";

    /// <param name="Prefix">A shell prefix that runs its arguments as varied; {0} is the scene's directory.</param>
    /// <param name="Outside">What the shell must report under the prefix and not without it.</param>
    /// <param name="Inside">What the scriptlet must report under the prefix and not without it.</param>
    public sealed record Variation(string Prefix, string? Outside = null, string? Inside = null)
    {
        public string Parent { get; init; } = "/var/tmp";

        public bool ColdCache { get; init; }

        public Action<Scene> Prepare { get; init; } = static _ => { };
    }

    private static readonly Dictionary<string, Func<Variation>> s_variations = new(StringComparer.Ordinal)
    {
        ["again"] = static () => new(""),
        ["zone"] = static () => new("env TZ=Pacific/Kiritimati", "ZONE=+14"),
        ["locale and home"] = static () => new("env LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 HOME=/nonexistent LOGNAME=x USER=x"),
        ["umask"] = static () => new("sh -c 'umask 0077; exec \"$@\"' sh", "UMASK=0077"),
        ["host name"] = static () => new("unshare --uts sh -c 'hostname elsewhere; exec \"$@\"' sh", "HOST=elsewhere"),
        ["one core"] = static () => new("taskset -c 0", "NPROC=1 ", "NPROC=1 "),
        ["work directory on tmpfs"] = static () => new("env TMPDIR=/dev/shm") { Parent = "/dev/shm" },
        ["cold cache"] = static () => new("") { ColdCache = true },
        ["a year on"] = static () => Clock("+366d", DateTime.UtcNow.AddDays(366).Year),
        ["a clock before the epoch"] = static () => Clock("@2001-02-03 04:05:06", 2001),
        ["another user"] = static () => new($"setpriv --reuid={User} --regid={User} --init-groups env -u TMPDIR HOME={{0}}",
            $"USER={UserId()} ", "UIDS=0 " + UserId() + " 1") { Prepare = GiveAway, ColdCache = true },
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
        using var scene = new Scene(variation.Parent);
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

    /// <summary>The whole tool under another clock, and what it runs in the sandbox as well.</summary>
    private static Variation Clock(string fakeTime, int year) =>
        new($"env PATH={{0}}/bin:$PATH FAKED_CLOCK='{fakeTime}' FAKETIME_DONT_FAKE_MONOTONIC=1 faketime -f '{fakeTime}'", $"DATE={year}", $"DATE={year}")
        {
            Prepare = static scene =>
            {
                Directory.CreateDirectory(scene["bin"]);
                File.CreateSymbolicLink(scene["bin/bwrap"], Repository.File("tests", "setup", "faked-bwrap.sh"));
            },
        };

    private static void GiveAway(Scene scene)
    {
        _ = UserId();
        Tool.RunOk("chown", "-R", $"{User}:{User}", scene.Root);
    }

    /// <summary>The id of an ordinary user with a range of subordinate ids, who is made where there is none.</summary>
    private static string UserId()
    {
        if (Tool.Run("id", "-u", User).ExitCode != 0)
        {
            Tool.RunOk("useradd", "--system", "--user-group", "--no-create-home", User);
        }
        if (!File.ReadAllText("/etc/subuid").Contains(User + ":", StringComparison.Ordinal))
        {
            Tool.RunOk("usermod", "--add-subuids", "500000-565535", "--add-subgids", "500000-565535", User);
        }
        return Tool.RunOk("id", "-u", User).Trim();
    }

    private static string ProbeLine(string log) =>
        log.Split('\n').FirstOrDefault(static line => line.Contains("PROBE ", StringComparison.Ordinal)) ?? throw new InvalidOperationException("the probe said nothing");

    private static string Report(Scene scene, string prefix) =>
        Tool.Run("/bin/sh", "-c", $"cd '{scene.Root}' && {prefix} sh probe").Output;
}
