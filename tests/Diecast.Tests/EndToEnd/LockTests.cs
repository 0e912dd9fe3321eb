using Diecast.Tests.Support;

namespace Diecast.Tests.EndToEnd;

/// <summary>`diecast lock`, and builds that need nothing but what it wrote and the store.</summary>
public sealed class LockTests : IDisposable
{
    private readonly SmallBuild _build = new();

    [Fact]
    public void ALockedBuildIsTheSameAndNeedsNoMirror()
    {
        string mirror = _build["mirror"];
        Tool.RunOk("cp", "-r", Fixture.SmallMirror, mirror);
        string[] command = [.. SmallBuild.Bash, "-m", "file://" + mirror, "-o", "foo", "--force"];
        string store = _build["store"];
        string unlocked = Succeeds(_build.RunWith("", store, command));
        string path = Succeeds(_build.RunWith("", store, ["lock", .. command]));
        Assert.Equal(_build["diecast.lock"], path.TrimEnd('\n'));
        Assert.Equal(unlocked, Succeeds(_build.RunWith("", store, [.. command, "--locked"])));

        string text = File.ReadAllText(path.TrimEnd('\n'));
        foreach (string host in (string[])["://", mirror, Fixture.SmallMirror, Environment.MachineName + "\"", "localhost"])
        {
            Assert.DoesNotContain(host, text, StringComparison.Ordinal);
        }
        Directory.Delete(mirror, recursive: true);
        Assert.Equal(unlocked, Succeeds(_build.RunWith("", store, [.. command, "--locked"])));
        File.Delete(path.TrimEnd('\n'));
        Assert.Contains("core.db does not exist", _build.RunWith("", store, command).Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void TheLockFileIsTheSameWhereverItIsMade()
    {
        Succeeds(_build.Run(["lock", .. SmallBuild.Command()]));
        using var other = new SmallBuild();
        Tool.RunOk("cp", "-r", Fixture.SmallMirror, other["mirror"]);
        Succeeds(other.RunWith("env TZ=Asia/Tokyo", other["store"], ["lock", .. SmallBuild.Bash, "-m", "file://" + other["mirror"], "-o", "bar"]));
        Assert.Equal(File.ReadAllText(_build["diecast.lock"]), File.ReadAllText(other["diecast.lock"]));
    }

    [Fact]
    public void ALockFileThatDoesNotFitIsNamed()
    {
        var without = _build.Run(SmallBuild.Command("--locked"));
        Assert.Equal(1, without.ExitCode);
        Assert.Contains($"error: {_build["diecast.lock"]}: there is no lock file, and --locked forbids to resolve: run diecast lock\n",
            without.Errors, StringComparison.Ordinal);
        Succeeds(_build.Run(["lock", .. SmallBuild.Command()]));
        foreach (string[] option in (string[][])[[], ["--locked"]])
        {
            var result = _build.Run([.. SmallBuild.Command("-p", "sed"), .. option]);
            Assert.Equal(1, result.ExitCode);
            Assert.Contains($"error: {_build["diecast.lock"]} does not fit the configuration (packages: +sed): run diecast lock\n",
                result.Errors, StringComparison.Ordinal);
        }
        File.WriteAllText(_build["diecast.lock"], "{\n  \"version\": 1,\n  oops\n");
        Assert.Contains("diecast.lock:3: ", _build.Run(SmallBuild.Command()).Errors, StringComparison.Ordinal);
        Assert.Equal([_build["diecast.lock"]], Directory.GetFiles(_build.Root, "*o*"));
        _build.AssertNothingIsLeft();
    }

    [Fact]
    public async Task TwoBuildsShareAColdStore()
    {
        using var other = new SmallBuild();
        string store = _build["store"];
        var results = await Task.WhenAll(((SmallBuild[])[_build, other]).Select(build => Task.Factory.StartNew(
            () => build.RunWith("", store, SmallBuild.Command("-p", "coreutils", "-p", "kinds")),
            TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        Assert.Equal(Scene.Sha256(_build["foo.tar.zst"]), Succeeds(results[0])[..64]);
        Assert.Equal(Scene.Sha256(_build["foo.tar.zst"]), Succeeds(results[1])[..64]);
        Assert.Equal([], Directory.GetFiles(store, "*.part", SearchOption.AllDirectories));
    }

    [Fact]
    public void NothingGivenIsJustAsReproducible()
    {
        string[] command = ["-d", "arch", "-p", "bash", "-m", SmallBuild.MirrorUrl, "--bootable=no"];
        string first = _build.Build([.. command, "-o", "foo"]);
        using var other = new SmallBuild();
        Assert.Equal(first, other.Build([.. command, "-o", "bar"]));
        Assert.Equal(first, Scene.Sha256(other["bar.raw"]));
        Assert.NotEqual(first, other.Build([.. command, "-o", "baz", "--image-id=other"]));
    }

    public void Dispose() => _build.Dispose();

    private static string Succeeds(Tool.Result result)
    {
        Assert.True(result.ExitCode == 0, result.All);
        // What a build prints is the digest and the path.
        return result.Output.Split("  ")[0];
    }
}
