using System.Globalization;

using Diecast.Build;
using Diecast.Formats.Tar;
using Diecast.Images;
using Diecast.Packages;
using Diecast.Packages.Apt;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.EndToEnd;

/// <summary>
/// Real packages of Debian, installed by mmdebstrap and by Diecast: every path, type, mode, owner, time, content, link and
/// attribute, but for the differences that are listed, each with its reason. They come from the mirror that this machine's
/// apt is configured for.
/// </summary>
public sealed class DebianOracleTests : IDisposable
{
    // Later than every time in a package, so that none is clamped: what a script made or changed is known by it.
    private const long Epoch = 4_102_444_900;
    private const string MachineId = "d1eca57d1eca57d1eca57d1eca57d1ec\n";
    private const string Suite = "trixie";
    private const string Faketime = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

    // Those that have left traces elsewhere, or with scripts of more kinds than usual.
    private const string Extra = "ca-certificates,dbus,fontconfig,locales,man-db,openssh-server,polkitd,python3,sudo,systemd-boot,systemd-resolved";

    private static readonly TreeOracle.Accepted[] s_accepted = [
        new("/dev/*", "mmdebstrap makes device nodes, which devtmpfs has at boot"),
        new("/run/*", "a directory of the running system, empty while scripts run"),
        new("/etc/.pwd.lock", "clean-up: a lock file"),
        new("/etc/.resolv.conf.systemd-resolved.bak", "mmdebstrap gives the root the host's /etc/resolv.conf"),
        new("/etc/apt/sources.list", "mmdebstrap's own"),
        new("/etc/fstab", "mmdebstrap's own"),
        new("/etc/hostname", "mmdebstrap gives the root the host's"),
        new("/etc/machine-id", "set before any script runs; mmdebstrap empties it"),
        new("/etc/group-", "clean-up: a back-up"),
        new("/etc/gshadow", "the order of lines: that in which packages were configured, which apt chose and here dpkg"),
        new("/etc/gshadow-", "clean-up: a back-up"),
        new("/etc/passwd-", "clean-up: a back-up"),
        new("/etc/shadow", "the same order, and the days: that of the epoch"),
        new("/etc/shadow-", "clean-up: a back-up"),
        new("/etc/ssh/ssh_host_*", "clean-up: random keys"),
        new("/usr/lib/udev/hwdb.bin", "made once, after the installation"),
        new("*/__pycache__/*.pyc", "checked by their sources' digests, as SOURCE_DATE_EPOCH asks for, and not by their times"),
        new("/var/cache/apt/*", "apt's own files: here no apt has run"),
        new("/var/cache/debconf/*-old", "clean-up: a back-up"),
        new("/var/cache/fontconfig/*", "clean-up: times of directories"),
        new("/var/cache/man/*", "clean-up: indexes with the time of their making"),
        new("/var/lib/apt/extended_states", "mmdebstrap's apt knows other packages as asked for"),
        new("/var/lib/apt/lists/*", "apt's own files: here no apt has run"),
        new("/var/lib/dpkg/*-old", "clean-up: a back-up"),
        new("/var/lib/dpkg/triggers/File", "the order of lines: that of unpacking, which apt chose and here follows from the set"),
        new("/var/log/fontconfig.log", "fc-cache found no other directory than before, or did"),
    ];

    private readonly TempDirectory _directory = new("/var/tmp");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void TheTreeIsMmdebstrapsAndAlwaysTheSame()
    {
        RequireRoot();
        long start = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        RunMmdebstrap();
        using var file = File.OpenRead(_directory["theirs.tar"]);
        var theirs = TarTree.Read(SpillFile.Create(file.CopyTo));
        using var first = new Build(_directory, "first", isReversed: false, clock: null);
        var ours = first.Freeze();
        var lines = TreeOracle.Lines(theirs, time => time.Seconds >= start && time.Seconds < Epoch - 100);
        Assert.True(lines.Count > 10_000);
        var own = TreeOracle.Lines(ours, static time => time.Seconds == Epoch);
        TreeOracle.Compare(own, lines.ToDictionary(static line => line.Key, line => AsMadeByScripts(line.Value, own.GetValueOrDefault(line.Key)), StringComparer.Ordinal), s_accepted);

        // Another order, another place, another clock: the same bytes.
        var clock = File.Exists(Faketime) ? new FakedClock(Faketime, "-3000d") : null;
        using var second = new Build(_directory, "second-and-longer", isReversed: true, clock);
        Assert.Equal(TreeText.Lines(ours), TreeText.Lines(second.Freeze()));
        DpkgFindsNothing(second.Path);
    }

    /// <summary>What a script made has the epoch exactly, also where the script gave it the time of a package's file, as update-alternatives does.</summary>
    private static string AsMadeByScripts(string theirs, string? ours)
    {
        const int time = 3;
        string[] words = theirs.Split(' ');
        if (ours?.Split(' ') is [not "dir", _, _, "now", ..] && words.Length > time && words[0] != "dir")
        {
            words[time] = "now";
        }
        return string.Join(' ', words);
    }

    private static void RequireRoot()
    {
        Tool.Require("mmdebstrap");
        Tool.Require("bwrap");
        if (Tool.RunOk("id", "-u").Trim() != "0")
        {
            Tool.Missing("owners and chroot need root");
        }
    }

    /// <summary>The mirror of this machine's own release.</summary>
    private static string Mirror()
    {
        Tool.Require("apt-get");
        string release = File.ReadAllLines("/etc/os-release").FirstOrDefault(static line => line.StartsWith("VERSION_CODENAME=", StringComparison.Ordinal))?.Split('=')[1] ?? "";
        string[] lines = Tool.RunOk("apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)", "Created-By: Packages").Split('\n');
        string? mirror = lines.Select(static line => line.Split(' ')).FirstOrDefault(words => words is [var suite, "main", _] && suite == release)?[2];
        if (mirror is null)
        {
            Tool.Missing("apt is configured for no mirror of Debian");
        }
        return mirror!;
    }

    private void RunMmdebstrap()
    {
        var result = Tool.Run("mmdebstrap", [
            "--variant=important", $"--include={Extra}", "--skip=essential/unlink,cleanup/apt/cache,download/empty",
            $"--customize-hook=cp -a \"$1/var/cache/apt/archives\" '{_directory["debs"]}'", Suite, _directory["theirs.tar"], Mirror()],
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["SOURCE_DATE_EPOCH"] = Epoch.ToString(CultureInfo.InvariantCulture),
                ["TMPDIR"] = _directory.Path,
            }, null);
        Assert.True(result.ExitCode == 0, result.All);
    }

    /// <summary>Its own database is whole, and its own check finds all files as they were; and one byte that is not.</summary>
    private static void DpkgFindsNothing(string root)
    {
        Assert.Equal("", Tool.RunOk("chroot", root, "dpkg", "--audit"));
        Assert.Equal("", Tool.RunOk("chroot", root, "dpkg", "--verify"));
        Assert.Equal("", Tool.RunOk("chroot", root, "dpkg", "--configure", "--pending"));
        string changed = Path.Join(root, "usr/bin/ls");
        byte[] content = File.ReadAllBytes(changed);
        content[^1] ^= 1;
        File.WriteAllBytes(changed, content);
        Assert.Contains("/usr/bin/ls", Tool.Run("chroot", root, "dpkg", "--verify").Output, StringComparison.Ordinal);
    }

    /// <summary>A root made by Diecast of the same packages.</summary>
    private sealed class Build : IDisposable
    {
        private readonly StagedRoot _root;

        public Build(TempDirectory directory, string name, bool isReversed, FakedClock? clock)
        {
            Path = directory[name];
            _root = new StagedRoot(Path, new Timestamp(Epoch));
            _root.MakeDirectory("etc");
            _root.Write("etc/machine-id", MachineId, 0x124);
            string[] files = [.. Directory.GetFiles(directory["debs"], "*.deb").Order(StringComparer.Ordinal)];
            var packages = files.Select(static file => System.IO.Path.GetFileNameWithoutExtension(file).Split('_') is [var package, var version, ..]
                ? new DebToInstall(package, version.Replace("%3a", ":", StringComparison.Ordinal), false, () => File.OpenRead(file)) : throw new InvalidDataException(file)).ToList();
            if (isReversed)
            {
                packages.Reverse();
            }
            var sandbox = new Sandbox(Path, directory.Path, Sandbox.FixedEnvironment(Epoch)) { Clock = clock };
            new DebInstaller(_root, script =>
            {
                var result = sandbox.Run(script, CancellationToken.None);
                return result;
            }, new DebInstaller.Options { Architecture = "amd64" }, static _ => { }).Install(packages);
            CleanUp.Run(_root);
        }

        public string Path { get; }

        public FileTree Freeze() => _root.Freeze();

        public void Dispose() => _root.Dispose();
    }
}
