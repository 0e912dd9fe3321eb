using System.Text;
using Diecast.Packages;
using Diecast.Packages.Pacman;
using Diecast.Trees;

namespace Diecast.Tests.Packages.Pacman;

public sealed class PacmanConfigurationTests
{
    [Fact]
    public void DefaultsAreThoseOfArch()
    {
        var configuration = PacmanConfiguration.Default("http://localhost:1/", null, ["multilib", "core-testing"], "x86_64", checkSignatures: true, withDocumentation: false);
        Assert.Equal(["core-testing", "multilib", "core", "extra"], configuration.Repositories.Select(static item => item.Name));
        Assert.Equal("http://localhost:1/core/os/x86_64", configuration.Repositories[2].Servers.Single());
        Assert.Equal(new SigLevel(SignatureCheck.Required, false, SignatureCheck.Optional, false), configuration.Repositories[0].SigLevel);
        Assert.True(AlpmGlob.MatchesLast(configuration.NoExtract, "usr/share/gtk-doc/html/x"u8));
        var snapshot = PacmanConfiguration.Default(null, "2022/09/01", [], "x86_64", checkSignatures: false, withDocumentation: true);
        Assert.EndsWith("/repos/2022/09/01/extra/os/x86_64", snapshot.Repositories[1].Servers.Single(), StringComparison.Ordinal);
        Assert.Equal(SigLevel.Never, snapshot.Repositories[0].SigLevel);
        Assert.Empty(snapshot.NoExtract);
        var error = Assert.Throws<PackageException>(() => PacmanConfiguration.Default(null, null, ["universe"], "x86_64", true, true));
        Assert.Equal("Arch has no repository universe", error.Message);
    }

    [Fact]
    public void ReadsAConfigurationWithWhatItIncludes()
    {
        var configuration = Read(
            ("/etc/pacman.conf", """
                [options]
                Architecture = auto armv7h
                # HoldPkg is a question that is never asked.
                HoldPkg = pacman glibc
                NoExtract = usr/share/man/*  !usr/share/man/man1/*
                NoUpgrade = etc/passwd
                Color
                SigLevel = Required DatabaseOptional
                [own]
                SigLevel = PackageOptional TrustAll
                Server = https://example.invalid/$repo/$arch/$arch
                Include = /etc/pacman.d/more/*.conf
                [core]
                Include = /etc/pacman.d/mirrorlist
                """),
            ("/etc/pacman.d/mirrorlist", "# a comment\nServer = https://a.invalid/$repo\nServer = https://b.invalid/$repo\n"),
            ("/etc/pacman.d/more/2.conf", "[second]\nServer = file:///2\n"),
            ("/etc/pacman.d/more/1.conf", "Server = file:///1\n"),
            ("/etc/pacman.d/more/.hidden.conf", "nonsense"));
        Assert.Equal(["own", "second", "core"], configuration.Repositories.Select(static item => item.Name));
        Assert.Equal(["https://example.invalid/own/x86_64/x86_64", "file:///1"], configuration.Repositories[0].Servers);
        Assert.Equal(["https://a.invalid/core", "https://b.invalid/core"], configuration.Repositories[2].Servers);
        Assert.Equal(new SigLevel(SignatureCheck.Optional, true, SignatureCheck.Optional, true), configuration.Repositories[0].SigLevel);
        Assert.Equal(new SigLevel(SignatureCheck.Required, false, SignatureCheck.Optional, false), configuration.Repositories[2].SigLevel);
        Assert.Equal(["x86_64", "armv7h"], configuration.Architectures);
        Assert.Equal(["usr/share/man/*", "!usr/share/man/man1/*"], configuration.NoExtract.Select(Encoding.UTF8.GetString));
        Assert.Equal("etc/passwd", Encoding.UTF8.GetString(configuration.NoUpgrade.Single()));
        Assert.Equal("/etc/pacman.d/hooks/", configuration.HookDirectories.Single());
    }

    [Theory]
    [InlineData("Color\n", "conf:1: Color stands in no section")]
    [InlineData("[options]\nIgnorePkg = linux\nGPGDir = /x\n", "conf:2: IgnorePkg is not supported", "conf:3: GPGDir is not supported")]
    [InlineData("[options]\nXferCommand = curl %u\nNoExtract\n", "conf:2: XferCommand is not supported", "conf:3: NoExtract needs a value")]
    [InlineData("[options]\nSigLevel = Sometimes\n", "conf:2: SigLevel cannot be Sometimes")]
    [InlineData("[a]\nServer = x/$arch\n", "conf:2: x/$arch has $arch")]
    [InlineData("[a]\nUsage = Search\nServer\n[a]\n", "conf:2: Usage = Search", "conf:3: Server needs a value", "conf:4: [a] cannot be", "conf:1: [a] has no Server")]
    [InlineData("[a]\nInclude = /etc/absent\n", "conf:2: /etc/absent is no file")]
    [InlineData("[a]\nServer = x\nInclude = /etc/pacman.conf\n", "more than 10 files include one another")]
    [InlineData("[../x]\nServer = x\n", "conf:1: [../x] cannot be a repository's name")]
    [InlineData("[options]\n", "conf: there is no repository")]
    public void ErrorsNameFileAndLine(string text, params string[] errors)
    {
        var error = Assert.Throws<PackageException>(() => Read(("/etc/pacman.conf", text)));
        foreach (string message in errors)
        {
            Assert.Contains(message, error.Message, StringComparison.Ordinal);
        }
        Assert.All(error.Errors, static message => Assert.StartsWith("sandbox/etc/pacman.conf", message, StringComparison.Ordinal));
    }

    [Fact]
    public void WithoutALevelEverythingMustBeSigned() =>
        Assert.Equal(SigLevel.BuiltIn, Read(("/etc/pacman.conf", "[a]\nServer = x\n")).Repositories.Single().SigLevel);

    private static PacmanConfiguration Read(params (string Path, string Text)[] files)
    {
        var metadata = new Metadata(0x1A4, 0, 0, default);
        var tree = new TreeBuilder(metadata);
        foreach (var (path, text) in files)
        {
            tree.AddFile(path, metadata, Encoding.UTF8.GetBytes(text));
        }
        return PacmanConfiguration.Read(tree.Build(), "etc/pacman.conf", "sandbox", "x86_64");
    }
}
