using System.Text;
using Diecast.Tests.Formats.Tar;
using Diecast.Tests.Packages.Apt;
using Diecast.Tests.Support;
using static Diecast.Tests.Packages.Apt.TestDebs;

namespace Diecast.Tests.EndToEnd;

/// <summary>Whatever is wrong with a repository of Debian's or a package in it: one error that names it, exit code 1, and nothing is left.</summary>
public sealed class DebianBadInputTests : IClassFixture<ArchiveKeys>, IDisposable
{
    private readonly SmallDebian _debian;
    private readonly ArchiveKeys _keys;

    public DebianBadInputTests(ArchiveKeys keys)
    {
        _keys = keys;
        _debian = new SmallDebian(keys);
    }

    public void Dispose() => _debian.Dispose();

    [Theory]
    [InlineData("dists/sid/main/binary-amd64/Packages.gz", "printf x | dd bs=1 seek=30 conv=notrunc status=none of=", "sid/main/binary-amd64/Packages.gz: *Packages.gz: has SHA-256 * instead of *")]
    [InlineData("dists/sid/main/binary-amd64/Packages.gz", "truncate -s 30 ", "sid/main/binary-amd64/Packages.gz: *Packages.gz: has 30 bytes instead of *")]
    [InlineData("dists/sid/main/binary-amd64/Packages.gz", "rm ", "sid/main/binary-amd64/Packages.gz: *Packages.gz does not exist")]
    [InlineData("dists/sid/InRelease", "sed -i s/Packages.gz/Packages.xy/ ", "sid/InRelease: bad signature: not what was signed by archive*")]
    [InlineData("dists/sid/InRelease", "sed -i s/amd64/riscv/ ", "sid/InRelease: bad signature: not what was signed by archive*")]
    [InlineData("dists/sid/InRelease", "truncate -s 200 ", "sid/InRelease: line *")]
    [InlineData("dists/sid/InRelease", "echo '<html>' > ", "sid/InRelease: *")]
    [InlineData("dists/sid/InRelease", "rm ", "sid/InRelease: */dists/sid/InRelease does not exist; sid/Release: */dists/sid/Release does not exist")]
    [InlineData("pool/main/a/app/app_1_amd64.deb", "truncate -s 600 ", "sid/app-1: *app_1_amd64.deb: has 600 bytes instead of *")]
    [InlineData("pool/main/a/app/app_1_amd64.deb", "printf x | dd bs=1 seek=600 conv=notrunc status=none of=", "sid/app-1: *app_1_amd64.deb: has SHA-256 * instead of *")]
    [InlineData("pool/main/a/app/app_1_amd64.deb", "rm ", "sid/app-1: *app_1_amd64.deb does not exist")]
    public void ARepositoryThatIsDamaged(string file, string damage, string expected)
    {
        _debian.AddBase("sid", isReal: false);
        _debian.Add("sid", "main", "app 1", "", [], File("usr/bin/app", "a"));
        _debian.Publish();
        Tool.RunOk("/bin/sh", "-c", $"{damage}'{Path.Join(_debian.Place, file)}'");
        _debian.Fails(expected, _debian.Command("sid", "-p", "app"));
    }

    [Fact]
    public void AForeignSignatureIsRefused()
    {
        _debian.AddBase("sid", isReal: false);
        _debian.Archive.Signers = ["stranger"];
        _debian.Publish();
        _debian.Fails($"sid/InRelease: signed by the unknown key {_keys.Gpg.Fingerprint("stranger")}", _debian.Command("sid"));
    }

    [Fact]
    public void AnExpiredReleaseIsRefusedButOfASnapshot()
    {
        AddOld("");
        _debian.Fails("trixie/InRelease: was valid until 2025-05-08 00:00:00 UTC and is expired: the mirror is not kept up to date, or the clock is wrong (a source of your own with Check-Valid-Until: no accepts it)", _debian.Command("trixie"));
        _debian.Renew();
        AddOld("20250501T000000Z");
        string[] snapshot = _debian.Command("trixie", "--snapshot=20250501T000000Z");
        _debian.Succeeds(["lock", .. snapshot]);
        System.IO.File.Delete(_debian.Build["diecast.lock"]);
        // Its signature is checked there as well.
        Tool.RunOk("sed", "-i", "s/Packages.gz/Packages.xy/", Path.Join(_debian.Place, "20250501T000000Z/dists/trixie/InRelease"));
        _debian.Fails("trixie/InRelease: bad signature: not what was signed by archive*", snapshot);

        void AddOld(string below)
        {
            _debian.AddBase("trixie", isReal: false);
            foreach (string suite in (string[])["trixie", "trixie-updates", "trixie-security"])
            {
                _debian.Archive.Component(suite, "main");
                _debian.Archive.Field(suite, "Valid-Until: Thu, 08 May 2025 00:00:00 UTC");
            }
            _debian.Publish(below);
        }
    }

    [Theory]
    [InlineData("no-such", "no-such: there is no package of this name")]
    [InlineData("one=7", "one=7: there is no such version, but 1")]
    [InlineData("one/forky", "one/forky: it is not in this suite, but in sid")]
    [InlineData("?reverse-depends(one)", "?reverse-depends(one): only ?essential, ?priority(…) and ?exact-name(…) are known of APT's patterns")]
    [InlineData("top", "top needs middle; middle needs bottom (>= 2), of which no repository has that version")]
    [InlineData("broken", "broken needs gone | gone-too, which no repository has")]
    [InlineData("one,two", "one conflicts with two, but two 1 is asked for")]
    [InlineData("left,right", "right needs needs-two; needs-two needs two; two conflicts with one, but one 1 is there too (needed by left)")]
    [InlineData("needs-two,one", "one conflicts with two, but two 1 is there too (needed by needs-two)")]
    [InlineData("malformed", "sid/main/binary-amd64/Packages.gz:*: Depends of malformed is malformed at \"((\": expected *")]
    public void PackagesThatCannotBeInstalled(string packages, string expected)
    {
        _debian.AddBase("sid", isReal: false);
        _debian.Archive.Add("sid", "main", "top 1; Depends: middle");
        _debian.Archive.Add("sid", "main", "middle 1; Depends: bottom (>= 2)");
        _debian.Archive.Add("sid", "main", "bottom 1");
        _debian.Archive.Add("sid", "main", "broken 1; Depends: gone | gone-too");
        _debian.Archive.Add("sid", "main", "one 1; Conflicts: two");
        _debian.Archive.Add("sid", "main", "two 1");
        _debian.Archive.Add("sid", "main", "left 1; Depends: one");
        _debian.Archive.Add("sid", "main", "right 1; Depends: needs-two");
        _debian.Archive.Add("sid", "main", "needs-two 1; Depends: two");
        _debian.Archive.Add("sid", "main", "malformed 1; Depends: ((");
        _debian.Publish();
        _debian.Fails(expected, _debian.Command("sid", [.. packages.Split(',').SelectMany(static package => (string[])["-p", package])]));
    }

    private const string Escape = "/tmp/diecast-deb-escaped";

    public static TheoryData<string> BadPackages => [.. s_badPackages.Keys.Order(StringComparer.Ordinal)];

    /// <summary>What a package's file holds, which its digest in the index is right for, and what is said of it.</summary>
    private static readonly Dictionary<string, (Func<TestDebs, byte[]> Make, string Expected)> s_badPackages = new(StringComparer.Ordinal)
    {
        ["cut-off"] = (static debs => Whole(debs)[..^700], "package bad 1: ar: the archive is cut off*"),
        ["no-archive"] = (static _ => "<html>"u8.ToArray(), "package bad 1: ar: *"),
        ["empty"] = (static _ => [], "package bad 1: ar: the file is no archive"),
        ["other-name"] = (static debs => Content(debs, debs.Add("good", "1", "Essential: yes", [])), "package bad 1: the file is of good 1"),
        ["other-version"] = (static debs => Content(debs, debs.Add("bad", "2", "Essential: yes", [])), "package bad 1: the file is of bad 2"),
        ["upwards"] = (static debs => With(debs, new Member("./usr/../../../../../tmp/diecast-deb-escaped", '0', "x")), "package bad 1: tar: the path ./usr/../ is not safe"),
        ["hard-link-out"] = (static debs => With(debs, new Member("./usr/passwd", '1', Link: "../../../../etc/passwd")), "package bad 1: *../../../../etc/passwd is not safe*"),
        ["huge"] = (static debs => Huge(debs), "package bad 1: *"),
    };

    [Theory]
    [MemberData(nameof(BadPackages))]
    public void APackageThatIsNotWhatItShouldBe(string kind)
    {
        var (make, expected) = s_badPackages[kind];
        _debian.AddBase("sid", isReal: false);
        // Essential, so that it is unpacked before a script could run, and no shell is needed.
        _debian.Archive.Add("sid", "main", "bad", "1", "Package: bad\nVersion: 1\nArchitecture: all\nEssential: yes\n", make(_debian.Debs));
        _debian.Publish();
        _debian.Fails(expected, _debian.Command("sid"));
        Assert.False(System.IO.File.Exists(Escape));
    }

    /// <summary>As of dpkg: a leading slash says nothing, and a link of the package leads to where it does in the image.</summary>
    [Fact]
    public void AnAbsolutePathAndALinkStayInTheRoot()
    {
        _debian.AddBase("sid");
        _debian.Add("sid", "main", "app 1", "", [], new Member("/srv/diecast-deb-escaped", '0', "x"),
            Symlink("usr/absolute", "/srv"), new Member("./usr/absolute/diecast-deb-escaped-too", '0', "y"),
            Symlink("usr/relative", "../../../../../../srv"), new Member("./usr/relative/diecast-deb-escaped-as-well", '0', "z"));
        _debian.Publish();
        var result = _debian.Run(_debian.Command("sid", "-p", "app"));
        Assert.Equal([], System.IO.Directory.GetFiles("/srv", "diecast-deb-*"));
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Equal(["diecast-deb-escaped", "diecast-deb-escaped-as-well", "diecast-deb-escaped-too"], Tool.RunOk("tar", "-tf", _debian.Build["foo.tar"]).Split('\n')
            .Select(static path => Path.GetFileName(path)).Where(static name => name.StartsWith("diecast-deb-", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("preinst", "package app 1: its preinst failed with 3 (--debug-shell opens a shell where it ran): *cannot reach the moon")]
    [InlineData("postinst", "package app: its postinst failed with 3 (--debug-shell opens a shell where it ran): *cannot reach the moon")]
    public void AScriptThatFails(string script, string expected)
    {
        AddFailing(script);
        _debian.Fails(expected, _debian.Command("sid", "-p", "app"));
        _debian.Fails("--debug-shell: standard input is no terminal", _debian.Command("sid", "-p", "app", "--debug-shell"));
    }

    [Fact]
    public void AShellOpensWhereAScriptFails()
    {
        AddFailing("postinst");
        string[] words = [Fixture.Executable, .. _debian.Command("sid", "-p", "app", "--debug-shell")];
        string command = $"cd '{_debian.Build.Root}' && env TMPDIR='{_debian.Build.Temporary}' XDG_CACHE_HOME='{_debian.Build["store"]}' {string.Join(' ', words.Select(static word => $"'{word}'"))}";
        var result = Tool.Run("script", ["-qec", command, "/dev/null"], null, Encoding.ASCII.GetBytes("cat /etc/half-way; echo pid $$ in $(pwd); ls /home; exit\n"));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("dpkg --configure failed with 1: a shell where it ran", result.Output, StringComparison.Ordinal);
        Assert.Contains("half the way", result.Output, StringComparison.Ordinal);
        Assert.Matches(@"pid \d in /", result.Output);
        Assert.Contains("app: its postinst failed with 3", result.Output, StringComparison.Ordinal);
        _debian.AssertNothingIsLeft();
    }

    [Fact]
    public void TwoPackagesWithTheSameFileAreNamed()
    {
        _debian.AddBase("sid");
        _debian.Add("sid", "main", "one 1", "", [], File("usr/bin/same", "1"));
        _debian.Add("sid", "main", "two 1", "", [], File("usr/bin/same", "2"));
        _debian.Publish();
        _debian.Fails("*usr/bin/same*", _debian.Command("sid", "-p", "one", "-p", "two"));
    }

    [Theory]
    [InlineData("debian", "Debian")]
    [InlineData("ubuntu", "Ubuntu")]
    public void WithoutAMirrorAndAptsConfigurationTheErrorSaysWhatToWrite(string distribution, string name)
    {
        RequireRoot();
        // On a machine that has never heard of apt.
        const string hide = "unshare --mount sh -c 'mkdir -p /etc/apt && mount -t tmpfs none /etc/apt && exec \"$@\"' sh";
        _debian.FailsWith(hide, $"there is no Mirror=, and this machine's apt gets nothing from {name}: write Mirror=ADDRESS in [Distribution], the address (http, https or file) "
            + "of the directory of a mirror that holds dists and pool", "-d", distribution, "-r", "sid", "--format=tar", "-o", "foo");
    }

    [Fact]
    public void WithoutAKeyringTheErrorSaysWhereItGoes()
    {
        _debian.AddBase("sid", isReal: false);
        _debian.Publish();
        RequireRoot();
        System.IO.Directory.Delete(_debian.Build["mkosi.sandbox"], recursive: true);
        const string hide = "unshare --mount sh -c 'mount -t tmpfs none /usr/share/keyrings && exec \"$@\"' sh";
        _debian.FailsWith(hide, "there is no usr/share/keyrings/debian-archive-keyring.gpg to check debian's packages with: install the package debian-archive-keyring, or put the file below mkosi.sandbox",
            _debian.Command("sid"));
    }

    private static void RequireRoot()
    {
        if (Tool.RunOk("id", "-u").Trim() != "0")
        {
            Tool.Missing("mounting needs root");
        }
    }

    private void AddFailing(string script)
    {
        const string content = "#!/bin/sh\n[ \"$1\" != upgrade ] || exit 0\necho half the way > /etc/half-way\necho cannot reach the moon >&2\nexit 3\n";
        _debian.AddBase("sid");
        _debian.Add("sid", "main", "app 1", "", [(script, content)], File("usr/bin/app", "a"));
        _debian.Publish();
    }

    private static byte[] Content(TestDebs debs, Diecast.Packages.Apt.DebToInstall package) => System.IO.File.ReadAllBytes(debs.PathOf(package));

    private static byte[] With(TestDebs debs, params Member[] items) => Content(debs, debs.Add("bad", "1", "Essential: yes", [], items));

    private static byte[] Whole(TestDebs debs) => With(debs, File("usr/share/x", new string('x', 2000)));

    /// <summary>A member that says that it has eight exabytes, in a file of a few hundred bytes.</summary>
    private static byte[] Huge(TestDebs debs)
    {
        byte[] control = Encoding.ASCII.GetBytes("Package: bad\nVersion: 1\nArchitecture: all\nEssential: yes\nMaintainer: A Tester <tester@example.invalid>\nDescription: x\n");
        var data = new ArchiveWriter().Add("./usr/huge", '0', change: static header => new byte[] { 0x80, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF }.CopyTo(header, 124));
        return Content(debs, debs.Write("bad", "1", ("debian-binary", "2.0\n"u8.ToArray()),
            ("control.tar", new ArchiveWriter().Add("./control", '0', control).ToArray()), ("data.tar", data.ToArray())));
    }
}
