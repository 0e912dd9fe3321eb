using Diecast.Build;

namespace Diecast.Tests.Build;

public sealed class BuildTimesTests
{
    [Fact]
    public void StagesComeInTheirOrder()
    {
        var times = new BuildTimes();
        times.Begin("fetch");
        times.Begin(BuildTimes.Install);
        times.Begin("image");
        times.End();
        Assert.Matches(@"^fetch \d+\.\d s, install \d+\.\d s \(scripts 0\.0 s\), image \d+\.\d s$", times.ToString());
    }

    [Fact]
    public void AnInitrdIsMadeBesideTheInstallation()
    {
        var times = new BuildTimes();
        times.Begin(BuildTimes.Install);
        times.Initrd.Start();
        times.InitrdScripts.Start();
        Thread.Sleep(60);
        times.InitrdScripts.Stop();
        times.Initrd.Stop();
        times.End();
        Assert.Matches(@"^install \d+\.\d s \(scripts 0\.0 s; beside it the initrd \d+\.\d s, scripts \d+\.\d s\)$", times.ToString());
        Assert.DoesNotContain("initrd 0.0 s", times.ToString(), StringComparison.Ordinal);
    }
}
