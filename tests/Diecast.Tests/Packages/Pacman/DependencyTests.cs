using CsCheck;
using Diecast.Packages.Pacman;
using static Diecast.Tests.Packages.Pacman.Choices;

namespace Diecast.Tests.Packages.Pacman;

public sealed class DependencyTests
{
    [Theory]
    [InlineData("glibc", "glibc", VersionOperator.Any, "", null)]
    [InlineData("glibc>=2.36-1", "glibc", VersionOperator.GreaterOrEqual, "2.36-1", null)]
    [InlineData("a<=1:2", "a", VersionOperator.LessOrEqual, "1:2", null)]
    [InlineData("a<1", "a", VersionOperator.Less, "1", null)]
    [InlineData("a>1", "a", VersionOperator.Greater, "1", null)]
    [InlineData("libreadline.so=8-64", "libreadline.so", VersionOperator.Equal, "8-64", null)]
    [InlineData("lib:libfoo.so.1", "lib:libfoo.so.1", VersionOperator.Any, "", null)]
    [InlineData("python: for the <tools>", "python", VersionOperator.Any, "", "for the <tools>")]
    public void Parses(string text, string name, VersionOperator comparison, string version, string? description)
    {
        var dependency = Dependency.Parse(text);
        Assert.Equal(new Dependency(name, comparison, version, description), dependency);
        Assert.Equal(text, dependency.ToString());
    }

    [Fact]
    public void AnyTextComesBack() =>
        Gen.String[OneOf('a', '1', '<', '>', '=', ':', ' ', '-', '.'), 0, 12].Sample(static text => Dependency.Parse(text).ToString() == text);

    [Theory]
    [InlineData("virtual", "virtual", true)]
    [InlineData("virtual", "virtual=2", true)]
    [InlineData("virtual>=1", "virtual=2", true)]
    [InlineData("virtual>=3", "virtual=2", false)]
    [InlineData("virtual>=1", "virtual", false)]
    [InlineData("virtual", "virtual2", false)]
    [InlineData("virtual>=1", "virtual>=2", false)]
    public void OnlyAProvisionWithAVersionHasOne(string wanted, string provided, bool accepted) =>
        Assert.Equal(accepted, Dependency.Parse(wanted).Accepts(Dependency.Parse(provided)));
}
