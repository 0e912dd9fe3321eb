using Diecast.Tests.Support;

namespace Diecast.Tests.EndToEnd;

/// <summary>
/// The mission's image is the same to the last bit, whoever builds it, wherever and whenever. Each variation is shown to
/// be in force by what a shell reports outside of the sandbox, and a package's scriptlet inside.
/// </summary>
public sealed class VariationTests(MissionImage mission)
{
    private const string Probe = "echo \"DATE=$(date +%Y) NPROC=$(nproc) UIDS=$(tr -s ' ' , </proc/self/uid_map) HOST=$(cat /proc/sys/kernel/hostname) ZONE=$(date +%Z) UMASK=$(umask)\"";

    /// <param name="Prefix">A shell prefix that runs its arguments as varied.</param>
    /// <param name="Outside">What the shell must report under the prefix and not without it.</param>
    /// <param name="Inside">What the scriptlet must report under the prefix and not without it.</param>
    public sealed record Variation(string Prefix, string? Outside = null, string? Inside = null, string Parent = "/var/tmp", bool ColdCache = false);

    private static readonly Dictionary<string, Variation> s_variations = new(StringComparer.Ordinal)
    {
        ["again"] = new(""),
        ["zone"] = new("env TZ=Pacific/Kiritimati", "ZONE=+14"),
        ["locale and home"] = new("env LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 HOME=/nonexistent LOGNAME=x USER=x"),
        ["umask"] = new("sh -c 'umask 0077; exec \"$@\"' sh", "UMASK=0077"),
        ["host name"] = new("unshare --uts sh -c 'hostname elsewhere; exec \"$@\"' sh", "HOST=elsewhere"),
        ["one core"] = new("taskset -c 0", "NPROC=1 ", "NPROC=1 "),
        ["work directory on tmpfs"] = new("env TMPDIR=/dev/shm", Parent: "/dev/shm"),
        ["cold cache"] = new("", ColdCache: true),
        ["a year on"] = new("faketime -f +366d env FAKETIME_DONT_FAKE_MONOTONIC=1", $"DATE={DateTime.UtcNow.AddDays(366).Year}"),
        ["a clock before the epoch"] = new("faketime -f '@2001-02-03 04:05:06' env FAKETIME_DONT_FAKE_MONOTONIC=1", "DATE=2001"),
    };

    public static TheoryData<string> Names => [.. s_variations.Keys.Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Names))]
    public void TheImageIsTheSame(string name)
    {
        var variation = s_variations[name];
        using var scene = new Scene(variation.Parent);
        if (variation.Outside is { } outside)
        {
            Assert.Contains(outside, Report(scene, variation.Prefix), StringComparison.Ordinal);
            Assert.DoesNotContain(outside, Report(scene, ""), StringComparison.Ordinal);
        }
        using var cold = new TempDirectory("/var/tmp");
        var result = scene.Run(variation.Prefix, variation.ColdCache ? cold.Path : Scene.Cache, Scene.Command(Scene.MirrorUrl));
        Assert.True(result.ExitCode == 0, result.All);
        if (variation.Inside is { } inside)
        {
            Assert.Contains(inside, result.Errors, StringComparison.Ordinal);
            Assert.DoesNotContain(inside, mission.Log, StringComparison.Ordinal);
        }
        Assert.Equal(mission.Sha256, Scene.Sha256(scene["foo.raw"]));
    }

    private static string Report(Scene scene, string prefix) =>
        Tool.Run("/bin/sh", "-c", $"cd '{scene.Root}' && {prefix} sh -c '{Probe}'").Output;
}
