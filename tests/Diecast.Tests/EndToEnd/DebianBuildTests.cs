using Diecast.Packages;
using Diecast.Tests.Packages;
using Diecast.Tests.Packages.Apt;
using Diecast.Tests.Support;
using static Diecast.Tests.Packages.Apt.TestDebs;

namespace Diecast.Tests.EndToEnd;

/// <summary>Small images of Debian and Ubuntu by the whole tool: what is chosen, removed, locked and verified.</summary>
public sealed class DebianBuildTests(ArchiveKeys keys) : IClassFixture<ArchiveKeys>
{
    /// <summary>
    /// Several suites in one archive, components, indexes by hash: Ubuntu's layout, signed by a key of the test. Nothing here has
    /// ever been in a repository of Ubuntu's.
    /// </summary>
    [Fact]
    public void UbuntusLayoutMakesTheSameImageFromADirectoryAndAServer()
    {
        using var ubuntu = new SmallDebian(keys, "ubuntu");
        ubuntu.AddBase("noble");
        ubuntu.Add("noble", "main", "app 1", "", [], File("usr/bin/app", "first"));
        ubuntu.Add("noble-updates", "main", "app 1ubuntu0.2", "", [("postinst", "#!/bin/sh\nset -e\necho configured > /etc/app\n")], File("usr/bin/app", "update"));
        ubuntu.Add("noble-security", "main", "app 1ubuntu0.1", "", [], File("usr/bin/app", "security"));
        ubuntu.Add("noble", "universe", "tool 1", "Depends: app (>= 1ubuntu0.2)", [], File("usr/bin/tool", "tool"));
        foreach (string suite in (string[])["noble", "noble-updates", "noble-security"])
        {
            foreach (string component in (string[])["main", "restricted", "universe", "multiverse"])
            {
                ubuntu.Archive.Component(suite, component);
            }
            ubuntu.Archive.Field(suite, "Acquire-By-Hash: yes");
        }
        ubuntu.Publish();
        // By their digests alone the indexes are to be found.
        foreach (string index in System.IO.Directory.GetFiles(ubuntu.Place, "Packages*", SearchOption.AllDirectories))
        {
            System.IO.File.Delete(index);
        }
        string[] command = ubuntu.Command("noble", "--repositories=universe", "-p", "tool");
        ubuntu.Succeeds(command);
        Assert.Equal(["app 1ubuntu0.2", "tool 1"], ubuntu.Installed());
        Assert.Equal("configured\n", Tool.RunOk("tar", "-xOf", ubuntu.Build["foo.tar"], "./etc/app"));
        Assert.Equal("update", Tool.RunOk("tar", "-xOf", ubuntu.Build["foo.tar"], "./usr/bin/app"));

        using var server = new LoopbackServer(request => Path.Join(ubuntu.Build["www"], Uri.UnescapeDataString(request.Target)) is var path && System.IO.File.Exists(path)
            ? LoopbackServer.Serve(System.IO.File.ReadAllBytes(path), request) : new LoopbackServer.Response(404, []));
        string[] disk = [.. command, "--format=disk", "--bootable=no"];
        string sha256 = ubuntu.Succeeds(disk);
        Assert.Equal(sha256, Scene.Sha256(ubuntu.Build["foo.raw"]));
        using var other = new SmallDebian(keys, "ubuntu");
        Assert.Equal(sha256, other.Succeeds([.. disk, "-m", server.Address("ubuntu").ToString()]));
        Assert.Contains(server.Requests, static request => request.Target.Contains("/by-hash/SHA256/", StringComparison.Ordinal));
        ubuntu.Build.AssertNothingIsLeft();
    }

    [Fact]
    public void PackagesAreNamedAsAptUnderstandsThem()
    {
        using var debian = MakeChoices();
        (string[] Packages, string[] Installed)[] cases =
        [
            (["app"], ["app 2", "lib 2"]),
            (["app=1"], ["app 1", "lib 2"]),
            (["app/trixie-updates"], ["app 2", "lib 2"]),
            (["app/trixie"], ["app 1", "lib 2"]),
            (["lib=1", "app/trixie"], ["app 1", "lib 1"]),
            (["lib*"], ["lib 2", "lib-extra 1", "libother 1"]),
            (["^lib-e"], ["lib-extra 1"]),
            (["?exact-name(lib-extra)"], ["lib-extra 1"]),
            (["?exact-name(no-such)"], []),
            (["?essential"], []),
            (["?priority(important)"], ["libother 1"]),
            (["virtual"], ["lib-extra 1"]),
            (["lib-extra:amd64"], ["lib-extra 1"]),
        ];
        foreach (var (packages, installed) in cases)
        {
            Assert.Equal(installed, Lock(debian, debian.Command("trixie", [.. packages.SelectMany(static package => (string[])["-p", package])])));
        }
        // And from the file, where a list is split at commas and blanks.
        debian.Build.WriteFile("mkosi.conf", "[Content]\nPackages=app=1, ?exact-name(lib-extra)\n         lib/trixie\n");
        Assert.Equal(["app 1", "lib 1", "lib-extra 1"], Lock(debian, debian.Command("trixie")));
        debian.Fails("app=3: there is no such version, but *", debian.Command("trixie", "-p", "app=3"));
    }

    [Fact]
    public void RecommendedPackagesAreInstalledWhereTheyAreWanted()
    {
        using var debian = new SmallDebian(keys);
        debian.AddBase("sid");
        debian.Add("sid", "main", "app 1", "Recommends: helper, not-there\nSuggests: manual", [], File("usr/bin/app", "a"));
        debian.Add("sid", "main", "helper 1", "Recommends: more", [], File("usr/bin/helper", "h"));
        debian.Add("sid", "main", "more 1", "", [], File("usr/bin/more", "m"));
        debian.Add("sid", "main", "manual 1", "", []);
        debian.Publish();
        string[] command = debian.Command("sid", "-p", "app");
        debian.Succeeds(command);
        Assert.Equal(["app 1"], debian.Installed());
        string sha256 = debian.Succeeds([.. command, "--with-recommends"]);
        Assert.Equal(["app 1", "helper 1", "more 1"], debian.Installed());
        // A lock is of one or the other.
        debian.RemoveOutput();
        debian.Succeeds(["lock", .. command]);
        debian.Fails("*/diecast.lock does not fit the configuration (recommended packages: +yes -no): run diecast lock", [.. command, "--with-recommends"]);
        debian.Succeeds(["lock", .. command, "--with-recommends"]);
        Assert.Equal(sha256, debian.Succeeds([.. command, "--with-recommends=yes", "--locked"]));
    }

    [Fact]
    public void RemovedPackagesTakeWithThemWhatNeedsThemAndWhatNothingNeedsThen()
    {
        using var debian = new SmallDebian(keys);
        debian.AddBase("sid");
        const string removed = "#!/bin/sh\nset -e\necho \"$DPKG_MAINTSCRIPT_PACKAGE $DPKG_MAINTSCRIPT_NAME $1\" >> /etc/removed\n";
        debian.Add("sid", "main", "app 1", "Depends: lib, tool | other-tool", [("prerm", removed)], File("usr/bin/app", "a"));
        debian.Add("sid", "main", "lib 1", "Depends: data", [("postrm", removed), ("conffiles", "/etc/lib.conf\n")], File("usr/lib/lib", "l"), File("etc/lib.conf", "c"));
        debian.Add("sid", "main", "data 1", "", [], File("usr/share/data", "d"));
        debian.Add("sid", "main", "tool 1", "", [], File("usr/bin/tool", "t"));
        debian.Add("sid", "main", "other-tool 1", "Provides: tool (= 2)", [], File("usr/bin/other-tool", "t"));
        debian.Add("sid", "main", "fan 1", "Depends: missing | app", [], File("usr/bin/fan", "f"));
        debian.Add("sid", "main", "friend 1", "Suggests: data", [], File("usr/bin/friend", "f"));
        debian.Publish();
        string[] command = debian.Command("sid", "-p", "fan", "-p", "app");

        // All that leads to it, and its configuration; tool, which nothing needs any more, and data.
        debian.Succeeds([.. command, "-p", "other-tool", "--remove-package", "lib"]);
        Assert.Equal(["other-tool 1"], debian.Installed());
        Assert.Equal(["app prerm remove", "lib postrm purge", "lib postrm remove"],
            Tool.RunOk("tar", "-xOf", debian.Build["foo.tar"], "./etc/removed").TrimEnd('\n').Split('\n').Order(StringComparer.Ordinal));
        string listing = Tool.RunOk("tar", "-tf", debian.Build["foo.tar"]);
        Assert.DoesNotContain("lib.conf", listing, StringComparison.Ordinal);
        Assert.DoesNotContain("policy-rc.d", listing, StringComparison.Ordinal);
        Assert.DoesNotContain("usr/share/data", listing, StringComparison.Ordinal);
        // What something suggests is kept, as apt does it; and an alternative will do.
        debian.Succeeds([.. command, "-p", "friend", "-p", "other-tool", "--remove-package", "tool,fan"]);
        Assert.Equal(["app 1", "data 1", "friend 1", "lib 1", "other-tool 1"], debian.Installed());
    }

    [Fact]
    public void ALockedBuildIsTheSameWhenTheMirrorHasMovedOn()
    {
        using var debian = MakeChoices(isReal: true);
        string[] command = debian.Command("trixie", "-p", "app");
        string before = debian.Succeeds(command);
        string path = debian.Succeeds(["lock", .. command]).TrimEnd('\n');
        string text = System.IO.File.ReadAllText(path);
        Assert.DoesNotContain(debian.Build.Root, text, StringComparison.Ordinal);
        Assert.DoesNotContain("://", text, StringComparison.Ordinal);

        // A newer version in the index, the old one in the pool.
        debian.Renew();
        debian.AddBase("trixie");
        debian.Archive.Component("trixie-updates", "main");
        debian.Archive.Component("trixie-security", "main");
        debian.Add("trixie", "main", "app 3", "", [], File("usr/bin/app", "third"));
        debian.Publish();
        System.IO.Directory.Delete(debian.Build["store"], recursive: true);
        Assert.Equal(before, debian.Succeeds([.. command, "--locked"]));
        debian.Succeeds(["lock", .. command]);
        Assert.Contains(Lockfile.Load(path).Packages, static package => package is { Name: "app", Version: "3" });

        // In the store alone; then nowhere.
        System.IO.File.WriteAllText(path, text);
        string pool = Path.Join(debian.Place, "pool/main/a/app/app_2_amd64.deb");
        System.IO.File.Delete(pool);
        Assert.Equal(before, debian.Succeeds([.. command, "--locked"]));
        debian.RemoveOutput();
        System.IO.Directory.Delete(debian.Build["store"], recursive: true);
        debian.Fails($"trixie-updates/app-2: {pool} does not exist", [.. command, "--locked"]);
        System.IO.File.WriteAllText(pool, "another file");
        debian.Fails("trixie-updates/app-2: *app_2_amd64.deb: has 12 bytes instead of *", [.. command, "--locked"]);
        debian.Fails("*/diecast.lock does not fit the configuration (packages: +lib): run diecast lock", [.. command, "-p", "lib", "--locked"]);
    }

    [Fact]
    public void ASnapshotIsUsedAndLockedByItsName()
    {
        using var debian = MakeChoices(isReal: true, below: "20250501T000000Z");
        string[] command = debian.Command("trixie", "--snapshot=20250501T000000Z", "-p", "app");
        debian.Succeeds(["lock", .. command]);
        var lockfile = Lockfile.Load(debian.Build["diecast.lock"]);
        Assert.Equal(("20250501T000000Z", Scene.Sha256(Path.Join(debian.Place, "20250501T000000Z/dists/trixie/InRelease"))),
            (lockfile.Snapshot, lockfile.Repositories[0].Sha256));
        Assert.Equal(["trixie", "trixie-security"], lockfile.Repositories.Select(static repository => repository.Name));
        debian.Succeeds([.. command, "--locked"]);
        Assert.Equal(["app 1", "lib 2"], debian.Installed());
    }

    [Fact]
    public void AnImageIsVerified()
    {
        using var debian = MakeChoices(isReal: true);
        string[] command = debian.Command("trixie", "-p", "app");
        debian.Succeeds(["lock", .. command]);
        var result = debian.Run(["verify", .. command, "--vary=umask,tmpfs,locale,user"]);
        Assert.True(result.ExitCode == 0, result.All);
        string attestation = System.IO.File.ReadAllText(debian.Build["foo.tar.intoto.json"]);
        Assert.Matches("is verified: [0-9a-f]{64}\n", result.Output);
        Assert.Contains("\"pkg:deb/debian/app@2?arch=amd64\"", attestation, StringComparison.Ordinal);
        Assert.Contains("\"pkg:deb/debian/zlib1g@1:", attestation, StringComparison.Ordinal);
        debian.Build.AssertNothingIsLeft();
    }

    /// <summary>Two versions in two suites, and names of several kinds.</summary>
    private SmallDebian MakeChoices(bool isReal = false, string below = "")
    {
        var debian = new SmallDebian(keys);
        debian.AddBase("trixie", isReal);
        debian.Add("trixie", "main", "app 1", "Depends: lib", [], File("usr/bin/app", "first"));
        debian.Add("trixie", "main", "lib 1", "", [], File("usr/lib/lib", "first"));
        debian.Add("trixie", "main", "lib-extra 1", "Provides: virtual", [], File("usr/lib/extra", "e"));
        debian.Add("trixie", "main", "libother 1", "Priority: important", [], File("usr/lib/other", "o"));
        debian.Add("trixie-updates", "main", "app 2", "Depends: lib", [("postinst", "#!/bin/sh\nset -e\nid -u > /etc/app\n")], File("usr/bin/app", "second"));
        debian.Add("trixie-security", "main", "lib 2", "", [], File("usr/lib/lib", "second"));
        debian.Publish(below);
        return debian;
    }

    /// <summary>What a configuration resolves to, without the base, in the order of the names.</summary>
    private static string[] Lock(SmallDebian debian, string[] command)
    {
        string path = debian.Succeeds(["lock", .. command]).TrimEnd('\n');
        var packages = Lockfile.Load(path).Packages;
        System.IO.File.Delete(path);
        return [.. packages.Where(static package => package.Name != "base-files").Select(static package => $"{package.Name} {package.Version}").Order(StringComparer.Ordinal)];
    }
}
