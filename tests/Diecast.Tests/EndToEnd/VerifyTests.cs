using System.Text.Json;
using System.Text.RegularExpressions;
using Diecast.Inspect.Verification;
using Diecast.Packages;
using Diecast.Tests.Support;

namespace Diecast.Tests.EndToEnd;

/// <summary><c>diecast verify</c>: what is reproducible passes and is attested; what is not is named with its cause.</summary>
public sealed partial class VerifyTests : IDisposable
{
    private const string Leaks = """
        #!/bin/bash
        set -e
        date +%F > /by-time
        date +%s.%N > /by-clock
        head -c 16 /dev/urandom | od > /by-chance
        nproc > /by-cpus
        mkdir /many
        for i in 1 2 3 4 5 6 7 8 9; do echo $i > /many/$i-$((i * 7919)); done
        ls -U /many > /by-order
        cat /proc/self/uid_map > /by-user
        { umask; echo $TZ $LC_ALL $LANG $HOME $USER $EDITOR; cat /proc/sys/kernel/hostname; pwd; ls /work/src/mkosi.postinst.chroot; } > /by-nothing
        """;

    private readonly SmallBuild _build = new();

    private static string[] Command(params string[] more) => SmallBuild.Command(["--compress-output=none", "-p", "coreutils", .. more]);

    [Fact]
    public void WhatIsReproduciblePassesAndIsAttested()
    {
        Lock();
        string sha256 = _build.Build(Command());
        var result = _build.Run(["verify", .. Command("--runs=2")]);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Contains($"is verified: {sha256}\n", result.Output, StringComparison.Ordinal);
        Assert.Equal(["foo", "foo.tar", "foo.tar.intoto.json"], Outputs());
        byte[] attestation = File.ReadAllBytes(_build["foo.tar.intoto.json"]);
        var verification = CheckAttestation(attestation, sha256);
        Assert.Equal(2, verification.Count);
        // In each run everything was varied, and each time in another way.
        Assert.All(verification, static run => Assert.Equal(VariationTable.Names, run.Select(static varied => varied.Name)));
        Assert.NotEqual(verification[0].Single(static varied => varied.Name == "time"), verification[1].Single(static varied => varied.Name == "time"));
        _build.AssertNothingIsLeft();

        // The attestation is the same again, and when there is no image to begin with.
        Tool.RunOk("rm", _build["foo.tar"], _build["foo"], _build["foo.tar.intoto.json"]);
        Assert.Equal(0, _build.Run(["verify", .. Command("--runs=2")]).ExitCode);
        Assert.Equal(attestation, File.ReadAllBytes(_build["foo.tar.intoto.json"]));

        // What is built anew is not attested any more.
        _build.Build(Command("--force", "--hostname=other"));
        Assert.Equal(["foo", "foo.tar"], Outputs());
    }

    [Fact]
    public void WhatIsNotIsNamedWithItsCause()
    {
        WriteScript(Leaks);
        Lock();
        var result = _build.Run(["verify", "--json", .. Command()]);
        Assert.True(result.ExitCode == 1, result.All);
        using var json = JsonDocument.Parse(result.Output);
        Assert.False(json.RootElement.GetProperty("same").GetBoolean());
        var found = json.RootElement.GetProperty("findings").EnumerateArray().Select(static finding => (
            Path: finding.GetProperty("path").GetString(),
            Cause: finding.GetProperty("cause").GetString(),
            Variations: string.Join(',', finding.GetProperty("variations").EnumerateArray().Select(static v => v.GetString())))).ToHashSet();
        (string?, string?, string)[] expected = [
            ("/by-time", "variations", "time"), ("/by-clock", "time-passes", "time"), ("/by-chance", "every-run", ""), ("/by-cpus", "variations", "cpus"),
            ("/by-order", "variations", "tmpfs"), ("/by-user", "variations", "user")];
        Assert.Equal(expected.Order(), found.Order());
        Assert.Equal("image", json.RootElement.GetProperty("difference").GetProperty("kind").GetString());
        Assert.Equal([], Outputs());
        _build.AssertNothingIsLeft();
    }

    [Fact]
    public void AnImageOfSomethingElseIsToldApart()
    {
        Lock();
        _build.Build(Command("--hostname=other"));
        var result = _build.Run(["verify", .. Command("--vary=umask,timezone")]);
        Assert.True(result.ExitCode == 1, result.All);
        Assert.Matches(@"/etc/hostname +differs without any variation: the image is of another configuration", result.Output);
        Assert.False(File.Exists(_build["foo.tar.intoto.json"]));
    }

    /// <summary>Differs with a year's distance and with one processor together, and with neither alone.</summary>
    [Fact]
    public void WhatTakesTwoVariationsIsToldApart()
    {
        long later = DateTimeOffset.UtcNow.AddDays(100).ToUnixTimeSeconds();
        WriteScript($"#!/bin/bash\n[ $(date +%s) -gt {later} ] && [ $(nproc) = 1 ] && echo both > /both || echo not > /both\n");
        Lock();
        var result = _build.Run(["verify", .. Command("--vary=time,cpus")]);
        Assert.True(result.ExitCode == 1, result.All);
        Assert.Matches(@"/both(: size)? +no variation alone causes it: only a combination", result.Output);
    }

    [Fact]
    public void WhatCannotBeVariedIsSaidAndNotPassed()
    {
        Lock();
        string hide = $"unshare --mount sh -c 'mount -t tmpfs none {Path.GetDirectoryName(FakeTime)}; exec \"$@\"' sh taskset -c 0";
        var result = _build.RunWith(hide, Scene.Cache, ["verify", .. Command("--vary=time,cpus,umask")]);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Matches(@"NOT varied  time +libfaketime is not installed", result.Output);
        Assert.Matches(@"NOT varied  cpus +there is but one processor in any case", result.Output);
        Assert.Matches(@"  varied      umask ", result.Output);
        using var json = JsonDocument.Parse(File.ReadAllBytes(_build["foo.tar.intoto.json"]));
        var run = json.RootElement.GetProperty("predicate").GetProperty("runDetails").GetProperty("diecast_verification").GetProperty("runs")[0];
        Assert.Equal(["umask"], Names(run, "varied"));
        Assert.Equal(["time", "cpus"], Names(run, "notVaried"));
    }

    /// <summary>libfaketime is there, and the image's C library will not have it.</summary>
    [Fact]
    public void AClockThatTheImageDoesNotTakeIsNotVaried()
    {
        WriteScript("#!/bin/sh\n");
        Lock();
        // In the sandbox alone it is not where it is to be loaded from.
        File.WriteAllText(_build["bwrap"], "#!/bin/sh\nfor a; do shift; [ \"$a\" = /run/libfaketime.so.1 ] && [ \"$last\" != LD_PRELOAD ] && a=/run/elsewhere.so; last=$a; set -- \"$@\" \"$a\"; done\nexec /usr/bin/bwrap \"$@\"\n");
        Tool.RunOk("chmod", "+x", _build["bwrap"]);
        var result = _build.RunWith($"PATH={_build.Root}:$PATH", Scene.Cache, ["verify", .. Command("--vary=time")]);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Matches(@"NOT varied  time +in the image a program said of the time: .*cannot be preloaded", result.Output);
        Assert.DoesNotContain("  varied      time", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void AnOrdinaryUserVerifiesToo()
    {
        string user = OrdinaryUser.Name;
        Lock();
        string sha256 = _build.Build(Command());
        Directory.CreateDirectory(_build["cache"]);
        Tool.RunOk("chown", "-R", $"{user}:{user}", _build.Root);
        var result = _build.RunWith($"{OrdinaryUser.Prefix(_build.Root)}", _build["cache"], ["verify", .. Command()]);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Contains($"is verified: {sha256}\n", result.Output, StringComparison.Ordinal);
        Assert.Equal(10, Regex.Count(result.Output, "^  varied ", RegexOptions.Multiline));
        _build.AssertNothingIsLeft();
    }

    [Fact]
    public void AnAttestationIsChecked()
    {
        Lock();
        Assert.Equal(0, _build.Run(["verify", .. Command("--vary=umask")]).ExitCode);
        string path = _build["foo.tar.intoto.json"];
        string good = File.ReadAllText(path);
        string[] check = ["verify", $"--check={path}", "--vary=umask,locale"];
        var result = _build.Run([.. check, .. Command()]);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Equal(good, File.ReadAllText(path));

        // Another image's digest: the rebuild is not it.
        string digest = JsonDocument.Parse(good).RootElement.GetProperty("subject")[0].GetProperty("digest").GetProperty("sha256").GetString()!;
        File.WriteAllText(path, good.Replace(digest, new string('0', 64), StringComparison.Ordinal));
        result = _build.Run([.. check, .. Command()]);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"{new string('0', 64)} is {digest}", result.Output, StringComparison.Ordinal);

        // An image that is not the one.
        File.WriteAllText(path, good);
        result = _build.Run([.. check, .. Command(), "diecast.lock"]);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("diecast.lock: has the SHA-256 ", result.Errors, StringComparison.Ordinal);

        // Other settings, another lock file, another package, another tool.
        Fails(good, [.. Command("--hostname=other")], "Hostname= is null there, and \"other\" here");
        string locked = Lockfile.Load(_build["diecast.lock"]).Digest;
        Fails(good.Replace(locked, new string('1', 64), StringComparison.Ordinal), Command(), $"is of a diecast.lock with the digest {new string('1', 64)}, and that of *diecast.lock is {locked}");
        Fails(good.Replace("\"name\": \"bash\"", "\"name\": \"dash\"", StringComparison.Ordinal), Command(), "lists other packages than the diecast.lock that it names");
        Fails(good[..^20], Command(), "foo.tar.intoto.json:*: *");
        File.WriteAllText(path, Version().Replace(good, "\"diecast\": \"0.0\""));
        result = _build.Run([.. check, .. Command()]);
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("warning: ", result.Errors, StringComparison.Ordinal);
        Assert.Contains("is of diecast 0.0, and this is ", result.Errors, StringComparison.Ordinal);

        void Fails(string text, string[] command, string expected)
        {
            File.WriteAllText(path, text);
            var failed = _build.Run([.. check, .. command]);
            Assert.True(failed.ExitCode == 2, failed.All);
            Assert.Matches("(?s)^error: .*" + Regex.Escape(expected).Replace("\\*", ".*", StringComparison.Ordinal) + "\n$", failed.Errors);
        }
    }

    [Theory]
    [InlineData("--vary=moon", "--vary: there is no variation 'moon'")]
    [InlineData("--runs=0", "--runs: \"0\" is not a number from 1 to 100")]
    [InlineData("no-such-image", "no-such-image")]
    [InlineData("--format=directory", "Format=directory: cannot be verified")]
    [InlineData("-phis", "diecast.lock does not fit the configuration")]
    [InlineData("--postinst-script=fails", "the rebuild failed: fails: failed with exit code 1: oh no")]
    public void TroubleIsAnExitStatusOfItsOwn(string argument, string expected)
    {
        _build.WriteFile("fails", "#!/bin/sh\necho oh no; exit 1\n");
        Tool.RunOk("chmod", "+x", _build["fails"]);
        Lock();
        var result = _build.Run(["verify", .. Command(), argument]);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(expected, Assert.Single(result.Errors.Split('\n'), static line => line.StartsWith("error: ", StringComparison.Ordinal)), StringComparison.Ordinal);
        _build.AssertNothingIsLeft();
    }

    [Fact]
    public void WithoutALockFileThereIsNothingToVerify()
    {
        var result = _build.Run(["verify", .. Command()]);
        Assert.Equal((2, $"error: {_build["diecast.lock"]}: there is no lock file: run diecast lock\n"), (result.ExitCode, result.Errors));
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public void AnInterruptedOneLeavesNothing(string signal)
    {
        WriteScript("#!/bin/sh\necho begun > $OUTPUTDIR/begun; exec sleep 60\n");
        Lock();
        var result = _build.RunWith($"env --default-signal=INT timeout --signal={signal} 3", Scene.Cache, ["verify", .. Command("--vary=tmpfs,directory")]);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("error: interrupted", result.Errors, StringComparison.Ordinal);
        _build.AssertNothingIsLeft();
    }

    public void Dispose() => _build.Dispose();

    private static string FakeTime => VariationTable.FindFakeTime() is { } path ? path : Missing();

    private static string Missing()
    {
        Tool.Missing("libfaketime is not installed");
        return "";
    }

    private void Lock()
    {
        _ = FakeTime;
        var result = _build.Run(["lock", .. Command()]);
        Assert.True(result.ExitCode == 0, result.All);
    }

    private void WriteScript(string text)
    {
        _build.WriteFile("mkosi.postinst.chroot", text);
        Tool.RunOk("chmod", "+x", _build["mkosi.postinst.chroot"]);
    }

    private string[] Outputs() => [.. Directory.GetFileSystemEntries(_build.Root, "foo*").Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private static IEnumerable<string?> Names(JsonElement run, string list) => run.GetProperty(list).EnumerateArray().Select(static item => item.GetProperty("name").GetString());

    /// <summary>What in-toto's Statement v1 and SLSA's provenance v1 require, and what ours is to say; returns what each run varied.</summary>
    private List<List<(string Name, string Description)>> CheckAttestation(byte[] attestation, string sha256)
    {
        using var json = JsonDocument.Parse(attestation);
        var statement = json.RootElement;
        Assert.Equal(["_type", "subject", "predicateType", "predicate"], statement.EnumerateObject().Select(static p => p.Name));
        Assert.Equal("https://in-toto.io/Statement/v1", statement.GetProperty("_type").GetString());
        Assert.Equal("https://slsa.dev/provenance/v1", statement.GetProperty("predicateType").GetString());
        var subject = Assert.Single(statement.GetProperty("subject").EnumerateArray());
        Assert.Equal(("foo.tar", sha256), (subject.GetProperty("name").GetString(), subject.GetProperty("digest").GetProperty("sha256").GetString()));
        var definition = statement.GetProperty("predicate").GetProperty("buildDefinition");
        Assert.True(Uri.TryCreate(definition.GetProperty("buildType").GetString(), UriKind.Absolute, out _));
        Assert.Equal("tar", definition.GetProperty("externalParameters").GetProperty("settings").GetProperty("Format").GetString());
        var lockfile = Lockfile.Load(_build["diecast.lock"]);
        var dependencies = definition.GetProperty("resolvedDependencies").EnumerateArray().ToList();
        Assert.Equal(
            [("diecast.lock", lockfile.Digest), .. lockfile.Packages.Select(static package => (package.Name, package.Sha256))],
            dependencies.Select(static d => (d.GetProperty("name").GetString()!, d.GetProperty("digest").GetProperty("sha256").GetString()!)));
        Assert.All(dependencies.Skip(1), static d => Assert.Matches(@"^pkg:alpm/arch/[^@/]+@[^@?]+\?arch=(x86_64|any)$", d.GetProperty("uri").GetString()));
        var details = statement.GetProperty("predicate").GetProperty("runDetails");
        Assert.True(Uri.TryCreate(details.GetProperty("builder").GetProperty("id").GetString(), UriKind.Absolute, out _));
        // Other members than the specification's must have a maker's name before an underscore.
        Assert.All(details.EnumerateObject(), static p => Assert.True(p.Name is "builder" or "metadata" or "byproducts" || p.Name.StartsWith("diecast_", StringComparison.Ordinal)));
        return [.. details.GetProperty("diecast_verification").GetProperty("runs").EnumerateArray().Select(static run =>
            run.GetProperty("varied").EnumerateArray().Select(static v => (v.GetProperty("name").GetString()!, v.GetProperty("description").GetString()!)).ToList())];
    }

    [GeneratedRegex("\"diecast\": \"[^\"]*\"")]
    private static partial Regex Version();
}
