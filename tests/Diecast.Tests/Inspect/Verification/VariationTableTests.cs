using Diecast.Inspect.Verification;

namespace Diecast.Tests.Inspect.Verification;

public sealed class VariationTableTests
{
    [Theory]
    [InlineData("all", "time timezone locale umask user hostname directory tmpfs cpus environment")]
    [InlineData("locale,time", "time locale")]
    [InlineData("all,-user,-time", "timezone locale umask hostname directory tmpfs cpus environment")]
    [InlineData("all, -user, user", "time timezone locale umask user hostname directory tmpfs cpus environment")]
    [InlineData("-time", "")]
    [InlineData("", "")]
    public void ListsAreReadFromLeftToRight(string list, string expected) => Assert.Equal(expected, string.Join(' ', VariationTable.Parse(list)));

    [Theory]
    [InlineData("times")]
    [InlineData("all,-moon")]
    public void UnknownNamesAreErrors(string list) => Assert.Throws<FormatException>(() => VariationTable.Parse(list));

    [Fact]
    public void TheConfigurationIsLoadedWithTheCallersEnvironment()
    {
        var callers = new Dictionary<string, string>(StringComparer.Ordinal) { ["HOME"] = "/home/a", ["TZ"] = "UTC" };
        var order = new RebuildOrder { OutputDirectory = "/o", Store = "/s", ClockTrial = "/t", Clock = new("/l", "+1d") };
        var changed = new Dictionary<string, string>(StringComparer.Ordinal) { ["HOME"] = "/nonexistent", ["NOISE"] = "x" };
        var inside = order.ToVariables(changed, callers);
        Assert.Equal("/nonexistent", inside["HOME"]);
        inside["TZ"] = "UTC";
        Assert.Equal(order, RebuildOrder.Read(inside));
        var loaded = RebuildOrder.CallersEnvironment(inside);
        Assert.Equal(("/home/a", "UTC", ""), (loaded["HOME"], loaded["TZ"], loaded["NOISE"]));
        Assert.Null(RebuildOrder.Read(callers));
        Assert.Equal(callers, RebuildOrder.CallersEnvironment(callers));
    }
}
