using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Diecast.Formats.Tar;
using Diecast.Images;
using Diecast.Packages.Pacman;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.EndToEnd;

/// <summary>
/// The whole command against the real pacman with scriptlets and hooks, in the same two transactions: every path, type,
/// mode, owner, time, content, link and attribute, but for the differences that are listed, each with its reason.
/// </summary>
public sealed partial class PacmanOracleTests
{
    // Later than every time in a package, so that none is clamped: what a script made or changed is known by it.
    private const long Epoch = 4_102_444_900;

    private static readonly string[] s_packages = ["systemd", "linux", "iputils-ping", "kinds", "odd-names", "tool-c", "cycle-a"];

    private static readonly TreeOracle.Accepted[] s_accepted = [
        new("/boot/loader", "the command makes it before the second transaction, as mkosi does"),
        new("/boot/loader/entries.srel", "the command says there how entries are named, as mkosi does"),
        new("/etc/.pwd.lock", "clean-up: a lock file"),
        new("/etc/group-", "clean-up: a back-up"),
        new("/etc/gshadow-", "clean-up: a back-up"),
        new("/etc/passwd-", "clean-up: a back-up"),
        new("/etc/shadow-", "clean-up: a back-up"),
        new("/etc/shadow", "systemd-sysusers writes the day: of the epoch, not of today"),
        new("/etc/machine-id", "uninitialized in an image"),
        new("/etc/systemd/system/*", "presets: systemctl preset-all after the installation"),
        new("/etc/systemd/user/*", "presets: systemctl --global preset-all after the installation"),
        new("/init", "the command makes it, as mkosi does"),
        new("/usr/lib/clock-epoch", "the command makes it, as mkosi does"),
        new("/usr/lib/udev/hwdb.bin", "the hardware database is built once, after the installation; the hook is bypassed in both"),
        new("/var/cache/ldconfig/aux-cache", "clean-up: holds inode numbers and times"),
        new("/var/lib/pacman/local/*/desc", "the date of installation, and %XDATA%, which pacman writes since 6.1; the rest is compared apart"),
        new("/var/lib/pacman/sync", "the sync databases are in the store"),
        new("/var/lib/pacman/sync/*.db", "the sync databases are in the store"),
    ];

    [Fact]
    public void TheTreeIsPacmans()
    {
        using var build = new Scene();
        var result = build.Run("", ["-d", "arch", .. s_packages.SelectMany(static name => (string[])["-p", name]), "-m", Scene.MirrorUrl, "-o", "foo",
            "--format=tar", "--compress-output=none", "--clean-package-metadata=no", "--bootable=no",
            string.Create(CultureInfo.InvariantCulture, $"--source-date-epoch={Epoch}")]);
        Assert.True(result.ExitCode == 0, result.All);
        long start = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        using var pacman = new PacmanRoot(Fixture.Mirror, "core", "extra");
        pacman.RunInside("-S", "filesystem");
        File.WriteAllText(pacman.Path + "/etc/machine-id", "d1eca57d1eca57d1eca57d1eca57d1ec\n");
        pacman.RunInside(["-S", "--assume-installed", "initramfs", .. s_packages]);

        using var file = File.OpenRead(build["foo.tar"]);
        var tree = TarTree.Read(SpillFile.Create(file.CopyTo));
        Assert.Equal(Descriptions(HostTree.Read(Posix.Bytes(pacman.Path))), Descriptions(tree));
        var ours = TreeOracle.Lines(tree, static time => time.Seconds == Epoch);
        var theirs = TreeOracle.Lines(HostTree.Read(Posix.Bytes(pacman.Path)), time => time.Seconds >= start && time.Seconds < Epoch - 100);
        Assert.True(theirs.Count > 5000);
        TreeOracle.Compare(ours, theirs, s_accepted);

        // The oracle notices one byte, one mode and one name.
        File.AppendAllText(pacman.Path + "/usr/share/odd/suid", "x");
        File.Delete(pacman.Path + "/usr/share/kinds/fifo");
        var changed = TreeOracle.Lines(HostTree.Read(Posix.Bytes(pacman.Path)), time => time.Seconds >= start && time.Seconds < Epoch - 100);
        Assert.Equal(["/usr/share/kinds/fifo", "/usr/share/odd/suid"], theirs.Keys.Where(path => changed.GetValueOrDefault(path) != theirs[path]).Order(StringComparer.Ordinal));
    }

    /// <summary>The local database's entries, without what may differ.</summary>
    private static List<string> Descriptions(FileTree tree) => [.. tree.Walk()
        .Where(static entry => entry.ToString().StartsWith("/" + LocalDatabase.Path, StringComparison.Ordinal) && entry.ToString().EndsWith("/desc", StringComparison.Ordinal))
        .Select(static entry =>
        {
            var content = ((FileNode)entry.Node).Content;
            var bytes = new byte[content.Length];
            content.Read(0, bytes);
            return Varying().Replace(Encoding.UTF8.GetString(bytes), "");
        })];

    [GeneratedRegex("%(INSTALLDATE|XDATA)%\n[^\n]+\n\n")]
    private static partial Regex Varying();

    /// <summary>Without an epoch pacman finds nothing to say; with one that is older than the packages, only times.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData("1600000000")]
    public void PacmanFindsTheRootClean(string? epoch)
    {
        using var build = new SmallBuild();
        build.Build([.. SmallBuild.Command("--compress-output=none", "--clean-package-metadata=no", "-p", "tool-c", "-p", "odd-names", "-p", "kinds"),
            .. epoch is null ? (string[])[] : ["--source-date-epoch=" + epoch]]);
        string root = Directory.CreateDirectory(build["root"]).FullName;
        Tool.RunOk("tar", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-xpf", build["foo.tar"], "-C", root);
        string[] common = ["--root", root, "--dbpath", Path.Join(root, LocalDatabase.Path, ".."), "--config", "/dev/null"];
        Assert.Contains("No database errors", Tool.RunOk("pacman", [.. common, "-Dk"]), StringComparison.Ordinal);
        var check = Tool.Run("pacman", [.. common, "-Qkk"]);
        // It knows neither devices nor fifos.
        string[] remarks = [.. check.Errors.Split('\n').Where(static line => line.StartsWith("warning: ", StringComparison.Ordinal)
            && !line.StartsWith("warning: file type not recognized: ", StringComparison.Ordinal))];
        string[] wrong = epoch is null
            // Its time is in the year 2100, and no image has a time after its own.
            ? [.. remarks.Where(line => line != $"warning: kinds: {root}/usr/share/kinds/new (Modification time mismatch)")]
            : [.. remarks.Where(static line => !line.EndsWith(" (Modification time mismatch)", StringComparison.Ordinal))];
        Assert.Equal([], wrong);
        Assert.True(epoch is null || remarks.Length > 100);
    }
}
