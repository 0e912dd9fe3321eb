using System.Diagnostics;
using System.Globalization;
using Diecast.Tests.Support;

namespace Diecast.Tests.EndToEnd;

/// <summary>
/// Whatever is wrong, there is one error that names it and exit code 1, the output of before is still there and nothing
/// else is, and the same store serves the next build.
/// </summary>
public sealed class BadInputTests : IDisposable
{
    private const string Before = "the output of before";
    private const string Output = "foo.tar";

    private static readonly string[] s_command = SmallBuild.Command("--force", "--compress-output=none");

    private static readonly Lazy<string> s_good = new(static () =>
    {
        using var build = new SmallBuild();
        return build.Build(s_command);
    });

    /// <summary>Packages of the repository `bad`, and what is said of each.</summary>
    private static readonly Dictionary<string, string> s_badPackages = new(StringComparer.Ordinal)
    {
        ["weak-signed"] = "bad/weak-signed-1-1: signed by Diecast Test weak <weak@diecast.test> (*), who is trusted only marginally (*",
        ["gone-signed"] = "bad/gone-signed-1-1: signed by *, whose key the keyring lists as revoked",
        ["revoked-signed"] = "bad/revoked-signed-1-1: signed by *, whose key is revoked",
        ["expired-signed"] = "bad/expired-signed-1-1: signed by *, whose key expired on 2020-12-31, before *",
        ["unknown-signed"] = "bad/unknown-signed-1-1: signed by the unknown key *",
        ["unsigned"] = "bad/unsigned-1-1-any.pkg.tar.zst: is not signed (*",
        ["tampered"] = "bad/tampered-1-1: bad signature: *",
        ["corrupt"] = "bad/corrupt-1-1: *corrupt-1-1-any.pkg.tar.zst: has SHA-256 * instead of *",
        ["truncated"] = "bad/truncated-1-1: *truncated-1-1-any.pkg.tar.zst: has * bytes instead of *",
        ["path-traversal"] = "package path-traversal-1-1: * the path usr/share/../../../../tmp/diecast-escaped is not safe",
        ["symlink-escape"] = "package symlink-escape-1-1: /usr/share/escape/diecast-escaped: leads through a symbolic link or a file",
        ["hardlink-escape"] = "package hardlink-escape-1-1: * the path ../../../../../../etc/passwd is not safe",
        ["file-conflict"] = "/usr/share/tool-a is in both file-conflict and tool-a",
        ["unsatisfiable"] = "nothing satisfies no-such-package>=1, which unsatisfiable needs",
        ["not-a-package"] = "package not-a-package-1-1: *",
        ["other-name"] = "package other-name-1-1: .PKGINFO is of tool-a-1-1",
        ["no-such-package"] = "no-such-package: there is no package, provider or group of this name",
    };

    private readonly SmallBuild _build = new();
    private readonly List<string> _mounts = [];

    public static TheoryData<string> BadPackages => [.. s_badPackages.Keys.Order(StringComparer.Ordinal)];

    public BadInputTests() => File.WriteAllText(_build[Output], Before);

    [Theory]
    [MemberData(nameof(BadPackages))]
    public void ABadPackageIsNamed(string package)
    {
        UseRepositories(Fixture.SmallMirror, "core", "extra", "bad");
        Fails(s_badPackages[package], [.. s_command, "-p", "tool-a", "-p", package]);
        Assert.False(File.Exists("/tmp/diecast-escaped"));
    }

    [Fact]
    public void AnAbsolutePathStaysInTheRoot()
    {
        UseRepositories(Fixture.SmallMirror, "core", "extra", "bad");
        _build.Build([.. s_command, "-p", "absolute-path"]);
        Assert.False(File.Exists("/tmp/diecast-escaped"));
        Assert.Contains("tmp/diecast-escaped\n", Tool.RunOk("tar", "-tf", _build[Output]), StringComparison.Ordinal);
        _build.AssertNothingIsLeft();
    }

    [Theory]
    [InlineData("http://127.0.0.1:9/mirror", "core.db: 127.0.0.1:9: Connection refused")]
    [InlineData("file:///no/such/mirror", "core.db: /no/such/mirror/core/os/x86_64/core.db does not exist")]
    [InlineData("ftp://127.0.0.1/mirror", "-m: 'ftp://127.0.0.1/mirror' is no URL*")]
    public void AMirrorThatIsNotThere(string url, string expected) =>
        Fails(expected, [.. SmallBuild.Bash, "-m", url, "-o", "foo", "--force", "--compress-output=none"]);

    [Theory]
    [InlineData("core/os/x86_64/core.db", "truncate -s 3000", "database core: *")]
    [InlineData("core/os/x86_64/core.db", "printf x | dd bs=1 seek=3000 conv=notrunc status=none of=", "database core: *")]
    [InlineData("core/os/x86_64/core.db", "echo '<html>' | tee", "database core: *")]
    [InlineData("extra/os/x86_64/extra.db", "truncate -s 300", "database extra: *")]
    [InlineData("extra/os/x86_64/extra.db", "rm", "extra.db: *extra.db does not exist")]
    [InlineData("core/os/x86_64/bash-*.zst", "truncate -s 3000", "core/bash-*: *bash-*.zst: has 3000 bytes instead of *")]
    [InlineData("core/os/x86_64/bash-*.zst", "printf x | dd bs=1 seek=3000 conv=notrunc status=none of=", "core/bash-*: *bash-*.zst: has SHA-256 * instead of *")]
    [InlineData("core/os/x86_64/bash-*.zst", "rm", "core/bash-*: *bash-*.zst does not exist")]
    public void AMirrorThatIsDamaged(string file, string damage, string expected)
    {
        string mirror = _build["mirror"];
        Tool.RunOk("cp", "-r", Fixture.SmallMirror, mirror);
        string separator = damage.EndsWith('=') ? "" : " ";
        Tool.RunOk("/bin/sh", "-c", $"f=$(echo '{mirror}'/{file}); {damage}{separator}\"$f\"");
        Fails("", _build["store"], expected, [.. SmallBuild.Bash, "-m", "file://" + mirror, "-o", "foo", "--force", "--compress-output=none"]);
        Directory.Delete(mirror, recursive: true);
        Tool.RunOk("cp", "-r", Fixture.SmallMirror, mirror);
        var result = _build.RunWith("", _build["store"], [.. SmallBuild.Bash, "-m", "file://" + mirror, "-o", "foo", "--force", "--compress-output=none"]);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Equal(s_good.Value, result.Output.Split(' ')[0]);
    }

    [Fact]
    public void AStoreThatIsDamagedIsNoticed()
    {
        string store = _build["store"];
        Assert.Equal(0, _build.RunWith("", store, s_command).ExitCode);
        string largest = new DirectoryInfo(Path.Join(store, "diecast", "store")).GetFiles().OrderByDescending(static file => file.Length).First().FullName;
        byte[] bytes = File.ReadAllBytes(largest);
        bytes[bytes.Length / 2] ^= 1;
        File.Delete(largest);
        File.WriteAllBytes(largest, bytes);
        var result = _build.RunWith("", store, s_command);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Equal(s_good.Value, Scene.Sha256(_build[Output]));
        _build.AssertNothingIsLeft();
    }

    [Theory]
    [InlineData("output", "--output-dir=mnt", "No space left on device*/mnt/*")]
    [InlineData("TMPDIR", "", "*/mnt/diecast-*/root-*/*: No space left on device")]
    [InlineData("store", "", "*/mnt/diecast/store/*No space left on device*")]
    public void AFullDisk(string place, string option, string expected) => OnMount("size=1m", place, option, expected);

    [Theory]
    [InlineData("output", "--output-dir=mnt", "*Read-only file system*/mnt/*")]
    [InlineData("TMPDIR", "", "*/mnt/diecast-*: mkdir: Read-only file system")]
    [InlineData("store", "", "*Read-only file system*/mnt/*")]
    public void AReadOnlyDisk(string place, string option, string expected) => OnMount("ro,size=1m", place, option, expected);

    [Fact]
    public void AnOutputThatExistsStays()
    {
        string[] command = [.. s_command.Where(static word => word != "--force")];
        Fails($"{_build[Output]}: exists already: use --force to replace it", command);
        File.Delete(_build[Output]);
        Directory.CreateDirectory(_build["foo"]);
        Assert.Contains($"error: {_build["foo"]}: exists already", _build.Run(command).Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void AnotherArchitectureIsRefused()
    {
        Fails("--architecture: 'arm64' is not supported yet (possible now: x86-64)", [.. s_command, "--architecture=arm64"]);
        _build.WriteFile("mkosi.conf", "[Distribution]\nDistribution=arch\nArchitecture=arm64\n");
        Fails("mkosi.conf:3: *'arm64' is not supported yet*", s_command);
        File.Delete(_build["mkosi.conf"]);
    }

    [Fact]
    public void AllErrorsOfAConfigurationAreSaidAtOnce()
    {
        _build.WriteFile("mkosi.conf", "[Distribution]\nDistribution=arch\n[Output]\nFormat=floppy\n[Content]\nBootable=perhaps\nNoSuch=1\n");
        var result = _build.Run("-p", "bash");
        Assert.Equal(1, result.ExitCode);
        Assert.Collection(result.Errors.TrimEnd('\n').Split('\n'),
            static line => Assert.StartsWith("error: mkosi.conf:4: ", line, StringComparison.Ordinal),
            static line => Assert.StartsWith("error: mkosi.conf:6: ", line, StringComparison.Ordinal),
            static line => Assert.StartsWith("error: mkosi.conf:7: ", line, StringComparison.Ordinal));
    }

    [Fact]
    public void AScriptThatFailsBeforeTheTransactionEndsIt()
    {
        WriteHook("PreTransaction", "/usr/bin/false");
        Fails("*50-test* ended the transaction", s_command);
    }

    [Fact]
    public void ToolsThatAreMissingAreNamed()
    {
        string tools = Directory.CreateDirectory(_build["bin"]).FullName;
        foreach (string tool in (string[])["unshare", "sleep"])
        {
            File.CreateSymbolicLink(Path.Join(tools, tool), Tool.Require(tool));
        }
        Fails($"env PATH='{tools}'", Scene.Cache, "bwrap cannot be started (*): install the package bubblewrap", s_command);
        File.Delete(Path.Join(tools, "unshare"));
        Fails($"/usr/bin/env PATH='{tools}'", Scene.Cache, "unshare cannot be started (*): install the package util-linux", s_command);
    }

    [Fact]
    public void WithoutRootTheIdsMustBeSetUp()
    {
        Tool.Require("setpriv");
        string store = Directory.CreateDirectory(_build["store"]).FullName;
        Tool.RunOk("chown", "-R", "65534:65534", _build.Root);
        const string user = "setpriv --reuid=65534 --regid=65534 --clear-groups";
        Fails(user, store, "nobody has no range of 65535 subordinate ids in /etc/subuid. As root: usermod --add-subuids *", s_command);

        File.WriteAllText(_build["subids"], "nobody:100000:65536\n");
        string mapped = $"unshare --mount sh -c 'mount --bind subids /etc/subuid && mount --bind subids /etc/subgid && exec {user} \"$@\"' sh";
        string tools = Directory.CreateDirectory(_build["bin"]).FullName;
        foreach (string tool in (string[])["unshare", "sleep", "bwrap"])
        {
            File.CreateSymbolicLink(Path.Join(tools, tool), Tool.Require(tool));
        }
        Fails($"{mapped} env PATH='{tools}'", store, "newuidmap cannot be started (*): install the package uidmap", s_command);
        File.CreateSymbolicLink(Path.Join(tools, "newuidmap"), "/bin/false");
        Fails($"{mapped} env PATH='{tools}'", store, "newuidmap * failed: *", s_command);

        var result = _build.RunWith(mapped, store, s_command);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Equal(s_good.Value, Scene.Sha256(_build[Output]));
        _build.AssertNothingIsLeft();
    }

    /// <summary>Ctrl-C reaches the whole process group; the other signals only the process outside.</summary>
    [Theory]
    [InlineData("INT", true, 130)]
    [InlineData("TERM", true, 130)]
    [InlineData("TERM", false, 130)]
    [InlineData("HUP", true, 130)]
    [InlineData("HUP", false, 130)]
    [InlineData("KILL", false, 137)]
    public void AnInterruptedBuildIsGone(string signal, bool group, int exitCode)
    {
        string marker = string.Create(CultureInfo.InvariantCulture, $"{Random.Shared.Next(10_000_000, 99_999_999)}.5");
        WriteHook("PostTransaction", $"/usr/bin/sleep {marker}");
        using var process = StartInGroup([.. s_command, "-p", "coreutils"]);
        WaitUntil(() => SmallBuild.Processes(marker).Count > 0, process);
        Tool.RunOk("/bin/kill", "-s", signal, "--", string.Create(CultureInfo.InvariantCulture, $"{(group ? -process.Id : process.Id)}"));
        Assert.True(process.WaitForExit(20_000));
        // After SIGKILL there is nobody left to wait for.
        WaitUntil(() => SmallBuild.Processes(marker).Count + SmallBuild.Processes(_build.Temporary).Count == 0, null);
        string errors = process.StandardError.ReadToEnd();
        Assert.Equal(exitCode, process.ExitCode);
        if (signal != "KILL")
        {
            Assert.Equal(["error: interrupted"], SmallBuild.ErrorLines(errors));
        }
        Directory.Delete(_build["mkosi.skeleton"], recursive: true);
        AssertAsBefore();
    }

    [Fact]
    public void NothingIsColouredWhereItIsNotWanted()
    {
        var plain = _build.Run(s_command);
        Assert.DoesNotContain('\e', plain.All);
        var bad = _build.Run([.. s_command, "--no-such"]);
        Assert.Equal(1, bad.ExitCode);
        Assert.DoesNotContain('\e', bad.All);
        string colours = OnTerminal("TERM=xterm-256color");
        Assert.Contains("\e[1;31merror: ", colours, StringComparison.Ordinal);
        // The runtime sets a terminal's keypad mode; colours are another matter.
        Assert.DoesNotContain("\e[1", OnTerminal("TERM=xterm-256color NO_COLOR=1"), StringComparison.Ordinal);
        Assert.DoesNotContain('\e', OnTerminal("TERM=dumb"));
    }

    public void Dispose()
    {
        foreach (string mount in _mounts)
        {
            Tool.Run("umount", mount);
        }
        _build.Dispose();
    }

    private string OnTerminal(string environment)
    {
        string command = $"cd '{_build.Root}' && env {environment} '{Fixture.Executable}' -d arch --no-such";
        return Tool.Run(Tool.Require("script"), "-qec", command, "/dev/null").Output;
    }

    private void OnMount(string options, string place, string option, string expected)
    {
        string path = Directory.CreateDirectory(_build["mnt"]).FullName;
        if (Tool.RunOk("id", "-u").Trim() != "0")
        {
            Tool.Missing("mounting needs root");
        }
        Tool.RunOk("mount", "-t", "tmpfs", "-o", options, "diecast-test", path);
        _mounts.Add(path);
        string[] command = option.Length > 0 ? [.. s_command, option] : s_command;
        var result = _build.RunWith(place == "TMPDIR" ? $"env TMPDIR='{path}'" : "", place == "store" ? path : Scene.Cache, command);
        SmallBuild.AssertFailed(expected, result);
        string[] left = Directory.GetFileSystemEntries(path);
        Tool.RunOk("umount", path);
        _mounts.Clear();
        Assert.Equal(place == "store" && options == "size=1m" ? [Path.Join(path, "diecast")] : [], left);
        AssertAsBefore();
    }

    private void Fails(string expected, params string[] command) => Fails("", Scene.Cache, expected, command);

    private void Fails(string prefix, string cache, string expected, string[] command)
    {
        SmallBuild.AssertFailed(expected, _build.RunWith(prefix, cache, command));
        AssertAsBefore(command == s_command && cache == Scene.Cache);
    }

    private void AssertAsBefore(bool andBuild = true)
    {
        _build.AssertNothingIsLeft();
        Assert.Equal(Before, File.ReadAllText(_build[Output]));
        Assert.Equal([_build[Output]], Directory.GetFileSystemEntries(_build.Root, "*foo*"));
        if (andBuild)
        {
            using var next = new SmallBuild();
            Assert.Equal(s_good.Value, next.Build(s_command));
        }
    }

    private void UseRepositories(string mirror, params string[] names) => _build.WriteFile("mkosi.sandbox/etc/pacman.conf",
        "[options]\nArchitecture = x86_64\nSigLevel = Required DatabaseOptional\n"
        + string.Concat(names.Select(name => $"[{name}]\nServer = file://{mirror}/{name}/os/x86_64\n")));

    private void WriteHook(string when, string command) => _build.WriteFile("mkosi.skeleton/usr/share/libalpm/hooks/50-test.hook",
        $"[Trigger]\nType = Package\nOperation = Install\nTarget = bash\n\n[Action]\nWhen = {when}\nExec = {command}\nAbortOnFail\n");

    private Process StartInGroup(string[] command)
    {
        // A shell's background jobs ignore SIGINT, and so would all that they start.
        var start = new ProcessStartInfo(Tool.Require("setsid"), ["env", "--default-signal=INT,HUP", Fixture.Executable, .. command])
        {
            WorkingDirectory = _build.Root,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment["TMPDIR"] = _build.Temporary;
        start.Environment["XDG_CACHE_HOME"] = Scene.Cache;
        return Process.Start(start)!;
    }

    private static void WaitUntil(Func<bool> condition, Process? process)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.False(process?.HasExited ?? false, process?.HasExited == true ? process.StandardError.ReadToEnd() : null);
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20));
            Thread.Sleep(20);
        }
    }
}
