namespace Diecast.Bench;

/// <summary>
/// Debian from the mirror of this machine's apt: a whole image beside mkosi in the Debian root, and a tar of a plain tree beside mmdebstrap.
/// Packages are there before the clock runs, on both sides; no tree, no initrd and no image is.
/// </summary>
internal sealed class DebianBench(string diecast, string directory, int rounds)
{
    private const string Release = "trixie";
    private const string Extra =
        "ca-certificates,dbus,fontconfig,locales,man-db,openssh-server,polkitd,python3,sudo,systemd-boot,systemd-resolved";

    // Thousands of files are made and deleted.
    private static readonly TimeSpan s_rest = TimeSpan.FromSeconds(40);

    private static readonly string[] s_image = [
        "-d", "debian", "-r", Release, "-p", "systemd", "-p", "systemd-boot", "-p", "systemd-boot-efi", "-p", "udev", "-p", "dbus",
        "-p", "linux-image-cloud-amd64", "-o", "foo", "--force", "--kernel-command-line=console=ttyS0 systemd.firstboot=no"];

    public string Image()
    {
        string root = Path.GetFullPath(Environment.GetEnvironmentVariable("DIECAST_TRIXIE") ?? "build/trixie");
        string mirror = Mirror();
        // mkosi has no other way to name the mirror of the security updates.
        string sources = Source(mirror, Release) + Source(mirror, Release + "-updates") + Source(mirror.TrimEnd('/') + "-security", Release + "-security");
        string ours = Configuration("debian-diecast", sources);
        string theirs = Configuration("debian-mkosi", sources);
        var contest = new Contest("a Debian image", rounds, directory) { Rest = s_rest };
        return contest.Table(contest.Run(
            Diecast(ours, s_image, "foo.raw"),
            new Contender("mkosi", ["tests/setup/mkosi.sh", root, theirs, .. s_image], Path.Join(theirs, "foo.raw"))));
    }

    /// <summary>The packages that mmdebstrap takes, by their names.</summary>
    public string Tree()
    {
        string mirror = Mirror();
        string ours = Configuration("tree-diecast", Source(mirror, Release));
        string theirs = Directory.CreateDirectory(Path.Join(directory, "tree-mmdebstrap")).FullName;
        string packages = Directory.CreateDirectory(Path.Join(theirs, "packages")).FullName;
        string output = Path.Join(theirs, "root.tar");
        string[] common = ["--quiet", "--variant=important", $"--include={Extra}", "--skip=essential/unlink"];
        File.Delete(output);
        Commands.Run("mmdebstrap", [.. common, "--skip=cleanup/apt/cache,download/empty",
            $"--customize-hook=cp \"$1\"/var/cache/apt/archives/*.deb '{packages}'", Release, output, mirror]);
        string[] names = [.. Directory.GetFiles(packages, "*.deb").Select(static file => Path.GetFileName(file).Split('_')[0]).Order(StringComparer.Ordinal)];
        string[] arguments = ["-d", "debian", "-r", Release, .. names.SelectMany(static name => (string[])["-p", name]),
            "--bootable=no", "--with-docs=yes", "-t", "tar", "--compress-output=no", "-o", "root", "--force"];
        var contest = new Contest($"a Debian tree of {names.Length} packages", rounds, directory) { Rest = s_rest };
        return contest.Table(contest.Run(
            Diecast(ours, arguments, "root.tar"),
            new Contender("mmdebstrap", ["mmdebstrap", .. common,
                $"--setup-hook=mkdir -p \"$1\"/var/cache/apt/archives; ln '{packages}'/*.deb \"$1\"/var/cache/apt/archives", "--skip=download/empty",
                Release, output, mirror], output)));
    }

    private Contender Diecast(string configuration, string[] arguments, string output) =>
        new("diecast", ["env", "-C", configuration, diecast, .. arguments], Path.Join(configuration, output))
        {
            Environment = new Dictionary<string, string> { ["XDG_CACHE_HOME"] = Path.Join(directory, "debian-cache") },
        };

    private string Mirror()
    {
        string file = Path.Join(directory, "mirror");
        Commands.Run("tests/setup/apt-mirror.sh", [], null, file);
        return File.ReadAllText(file).Trim();
    }

    private static string Source(string mirror, string suite) =>
        $"Types: deb\nURIs: {mirror}\nSuites: {suite}\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n";

    private string Configuration(string name, string sources)
    {
        string configuration = Directory.CreateDirectory(Path.Join(directory, name)).FullName;
        string lists = Directory.CreateDirectory(Path.Join(configuration, "mkosi.sandbox/etc/apt/sources.list.d")).FullName;
        File.WriteAllText(Path.Join(lists, "mkosi.sources"), sources);
        return configuration;
    }
}
