using Diecast.Packages;
using Diecast.Packages.Apt;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Packages.Apt;

/// <summary>What goes with a package that is removed; held against apt. Whether the image's dpkg agrees is seen where there is one.</summary>
public sealed class DebRemoverTests
{
    private static readonly string[] s_installed =
    [
        "dpkg; Essential: yes; Pre-Depends: libc6, zlib1g", "dash; Essential: yes; Pre-Depends: libc6", "libc6", "zlib1g",
        "coreutils; Essential: yes; Depends: libgmp10", "libgmp10; Depends: gmp-data", "gmp-data", "perl-base; Essential: yes; Depends: libcrypt1", "libcrypt1",
        "app; Multi-Arch: allowed; Depends: lib (>= 1), tool | other-tool", "lib; Depends: data", "data", "tool", "other-tool; Provides: tool (= 2)",
        "fan; Depends: gone | app:any", "friend; Suggests: data", "cycle-a; Depends: cycle-b", "cycle-b; Depends: cycle-a", "user; Recommends: cycle-a",
        "init; Protected: yes; Depends: starter", "starter", "already-broken; Depends: gone", "owner; Depends: mount", "mount; Priority: required",
    ];

    private static readonly HashSet<string> s_automatic = ["libc6", "zlib1g", "libgmp10", "gmp-data", "libcrypt1", "lib", "data", "tool", "cycle-a", "cycle-b", "init", "starter", "mount"];

    private static readonly string[] s_tools = ["dpkg", "dash", "libc6", "zlib1g"];

    [Theory]
    [InlineData("fan", "fan")]
    [InlineData("app", "app data fan lib tool", "fan needs app")]
    [InlineData("lib", "app data fan lib tool", "app needs lib", "fan needs app")]
    [InlineData("data", "app data fan lib tool", "lib needs data", "app needs lib", "fan needs app")]
    [InlineData("tool", "tool")]
    [InlineData("tool other-tool", "app data fan lib other-tool tool", "app needs other-tool", "fan needs app")]
    [InlineData("*tool", "app data fan lib other-tool tool", "app needs other-tool", "fan needs app")]
    [InlineData("app friend", "app data fan friend lib tool", "fan needs app")]
    [InlineData("user", "cycle-a cycle-b user")]
    [InlineData("cycle-a", "cycle-a cycle-b", "cycle-b needs cycle-a")]
    [InlineData("perl-base", "libcrypt1 perl-base")]
    [InlineData("init", "init starter")]
    [InlineData("owner", "owner")]
    [InlineData("mount", "mount owner", "owner needs mount")]
    [InlineData("no-such", "", "warning: RemovePackages=no-such: it is not installed")]
    [InlineData("no-such fan", "fan", "warning: RemovePackages=no-such: it is not installed")]
    public void WhatGoesWithIt(string names, string expected, params string[] said)
    {
        // Nothing suggests data but a friend, who is not always there.
        string[] without = names == "app friend" || !expected.Contains("data", StringComparison.Ordinal) ? [] : ["friend"];
        var (removed, lines) = Remove(names, without);
        Assert.Equal(expected, removed);
        Assert.Equal(said, lines.Where(static line => !line.StartsWith("removing ", StringComparison.Ordinal)));
        Assert.Equal(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            lines.Where(static line => line.StartsWith("removing ", StringComparison.Ordinal)).Select(static line => line.Split(' ')[1]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void WhatSomethingSuggestsStays() => Assert.Equal("app fan lib tool", Remove("app", []).Removed);

    [Theory]
    [InlineData("gmp-data", "RemovePackages=gmp-data: coreutils is essential and needs libgmp10, which needs gmp-data")]
    [InlineData("starter", "RemovePackages=starter: init is protected and needs starter")]
    [InlineData("zlib1g", "RemovePackages=zlib1g: the image's own dpkg, which removes packages, cannot do without it: name its files in RemoveFiles=")]
    [InlineData("fan dpkg dash", "RemovePackages=dpkg: the image's own dpkg, which removes packages, cannot do without it: name its files in RemoveFiles=\n"
        + "RemovePackages=dash: the image's own dpkg, which removes packages, cannot do without it: name its files in RemoveFiles=")]
    public void WhatTheImageCannotDoWithoutStays(string names, string expected) =>
        Assert.Equal(expected, Assert.Throws<PackageException>(() => Remove(names, [])).Message);

    [Fact]
    public void AScriptThatFailsIsNamed()
    {
        const string output = """
            (Reading database ... 5 files and directories currently installed.)
            Removing fan (1) ...
            cannot stop
            dpkg: error processing package fan (--purge):
             installed fan package pre-removal script subprocess returned error exit status 4
            dpkg: too many errors, stopping
            """;
        Assert.Equal("package fan: its prerm failed with 4 (--debug-shell opens a shell where it ran): \n  cannot stop",
            Assert.Throws<PackageException>(() => Remove("fan", [], new ScriptResult(1, output))).Message);
        Assert.Equal("package fan: its postrm failed with 5 (--debug-shell opens a shell where it ran): \n  cannot stop", Assert.Throws<PackageException>(() => Remove("fan", [], new ScriptResult(1,
            output.Replace("pre-removal", "post-removal", StringComparison.Ordinal).Replace("status 4", "status 5", StringComparison.Ordinal)))).Message);
    }

    [Fact]
    public void WithoutADatabaseThereIsAnError()
    {
        using var debs = new TestDebs();
        using var root = new StagedRoot(debs["root"], new Timestamp(1_500_000_000));
        Assert.Equal("RemovePackages=: the image has no dpkg", Assert.Throws<PackageException>(
            () => new DebRemover(root, static _ => new ScriptResult(0, ""), "amd64", static _ => { }).Remove(["fan"], s_automatic)).Message);
    }

    /// <summary>One by one and by twos, but for what dpkg itself needs.</summary>
    [Fact]
    public void AptRemovesTheSame()
    {
        Tool.Require("apt-get");
        using var directory = new TempDirectory();
        foreach (string name in (string[])["state/lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/preferences.d"])
        {
            Directory.CreateDirectory(directory[name]);
        }
        // apt takes all that is broken before for its own affair.
        File.WriteAllText(directory["status"], Status(["already-broken"]));
        File.WriteAllText(directory["state/extended_states"], string.Concat(s_automatic.Select(static name => $"Package: {name}\nArchitecture: amd64\nAuto-Installed: 1\n\n")));
        // Nothing of the machine's own configuration, and what mkosi has in its place.
        File.WriteAllText(directory["apt.conf"], $"""
            Dir "{directory.Path}";
            Dir::State "state";
            Dir::State::status "{directory["status"]}";
            Dir::Cache "cache";
            Dir::Etc "etc";
            APT::Architecture "amd64";
            APT::Architectures {"{"} "amd64"; {"}"};
            APT::Get::AutomaticRemove "true";
            APT::Get::Allow-Remove-Essential "true";
            Debug::NoLocking "true";

            """);
        string[] names = [.. s_installed.Select(static package => package.Split(';')[0]).Except(["already-broken", .. s_tools])];
        int compared = 0;
        int refused = 0;
        foreach (string[] targets in names.Select(static name => (string[])[name]).Concat(names.SelectMany((name, i) => names.Skip(i + 1).Where((_, k) => k % 3 == 0).Select(other => (string[])[name, other]))))
        {
            var result = Tool.Run("apt-get", ["purge", "--simulate", "-q=2", "--yes", .. targets], new Dictionary<string, string> { ["APT_CONFIG"] = directory["apt.conf"] }, null);
            string expected = result.ExitCode != 0 ? "refused" : string.Join(' ', result.Output.Split('\n').Select(static line => line.Split(' '))
                .Where(static words => words[0] is "Purg" or "Remv").Select(static words => words[1]).Distinct().Order(StringComparer.Ordinal));
            Assert.Equal($"{string.Join(' ', targets)}: {expected}", $"{string.Join(' ', targets)}: {RemovedOrRefused(targets)}");
            refused += expected == "refused" ? 1 : 0;
            compared++;
        }
        Assert.True(refused > 5 && compared - refused > 50, $"{refused} of {compared}");

        static string RemovedOrRefused(string[] targets)
        {
            try
            {
                return Remove(string.Join(' ', targets), ["already-broken"]).Removed;
            }
            catch (PackageException)
            {
                return "refused";
            }
        }
    }

    private static string Status(string[] without) => string.Concat(s_installed.Where(package => !without.Contains(package.Split(';')[0], StringComparer.Ordinal)).Select(static package =>
        $"Package: {package.Split("; ")[0]}\nStatus: install ok installed\nMaintainer: A Tester <tester@example.invalid>\nArchitecture: amd64\nVersion: 1\n"
        + $"{string.Concat(package.Split("; ")[1..].Select(static field => field + "\n"))}\n"));

    private static (string Removed, List<string> Lines) Remove(string names, string[] without, ScriptResult? result = null)
    {
        using var debs = new TestDebs();
        using var root = new StagedRoot(debs["root"], new Timestamp(1_500_000_000));
        foreach (string directory in (string[])["usr", "usr/sbin", "var", "var/lib", "var/lib/apt", "var/lib/dpkg"])
        {
            root.MakeDirectory(directory);
        }
        root.Write("var/lib/apt/extended_states", "");
        root.Write("var/lib/dpkg/status", Status(without) + "Package: config-only\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: amd64\nDepends: fan\n\n");
        var lines = new List<string>();
        string removed = "";
        new DebRemover(root, script =>
        {
            Assert.True(root.Exists("usr/sbin/policy-rc.d"u8));
            Assert.Equal("--purge", script.Command[4]);
            removed = string.Join(' ', script.Command.Skip(5));
            return result ?? new ScriptResult(0, "");
        }, "amd64", lines.Add).Remove(names.Split(' '), s_automatic);
        Assert.False(root.Exists("usr/sbin/policy-rc.d"u8));
        string[] gone = removed.Split(' ');
        if (removed.Length > 0)
        {
            Assert.Equal(s_automatic.Except(gone).Order(StringComparer.Ordinal), System.Text.Encoding.ASCII.GetString(root.ReadFile("var/lib/apt/extended_states"u8)!)
                .Split('\n').Where(static line => line.StartsWith("Package: ", StringComparison.Ordinal)).Select(static line => line[9..]));
        }
        return (removed, lines);
    }
}
