using Diecast.Build;
using Diecast.Tests.Support;

namespace Diecast.Tests.Build;

public sealed class OutputSetTests
{
    [Fact]
    public void OutputsAppearTogetherAndStaleOnesGo()
    {
        using var directory = new TempDirectory();
        File.WriteAllText(directory["foo.raw"], "old");
        File.WriteAllText(directory["foo.efi"], "stale");
        Directory.CreateDirectory(directory["foo"]);
        using (var outputs = new OutputSet(directory.Path, "foo"))
        {
            File.WriteAllText(outputs.Add("foo.raw"), "new");
            File.CreateSymbolicLink(outputs.Add("foo"), "foo.raw");
            Assert.Equal("old", File.ReadAllText(directory["foo.raw"]));
            outputs.Commit(["foo.raw", "foo.efi", "foo"]);
        }
        Assert.Equal("new", File.ReadAllText(directory["foo"]));
        Assert.Equal(["foo", "foo.raw"], Directory.GetFileSystemEntries(directory.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void AFailedBuildLeavesWhatWasThere()
    {
        using var directory = new TempDirectory();
        File.WriteAllText(directory["foo.raw"], "old");
        using (var outputs = new OutputSet(directory.Path, "foo"))
        {
            File.WriteAllText(outputs.Add("foo.raw"), "half");
        }
        Assert.Equal("old", File.ReadAllText(directory["foo.raw"]));
        Assert.Single(Directory.GetFileSystemEntries(directory.Path));
    }

    [Fact]
    public void TwoBuildsOfOneOutputRefuseEachOther()
    {
        using var directory = new TempDirectory();
        using var first = new OutputSet(directory.Path, "foo");
        Assert.Contains("foo: another build", Assert.Throws<IOException>(() => new OutputSet(directory.Path, "foo")).Message, StringComparison.Ordinal);
        using var other = new OutputSet(directory.Path, "bar");
    }
}
