using System.Text;
using Diecast.Packages;
using Diecast.Packages.Apt;
using Diecast.Tests.Packages.Apt;
using Diecast.Tests.Support;

namespace Diecast.Tests.EndToEnd;

/// <summary>
/// Builds from a repository of Debian's or Ubuntu's layout in a directory, signed by a key of the test: what the build calls the
/// distribution's keyring is the test's own. The packages are made up, but for those that a root needs to configure packages:
/// dpkg, a shell and the like are Debian's own, from the mirror that this machine's apt is configured for, under any release's
/// name, and in the repository of Ubuntu's layout too.
/// </summary>
internal sealed class SmallDebian : IDisposable
{
    private static readonly Lazy<byte[][]> s_base = new(FetchBase);

    private readonly ArchiveKeys _keys;
    private readonly string _distribution;
    private readonly HashSet<string> _security = new(StringComparer.Ordinal);

    /// <param name="keys">The distribution's.</param>
    /// <param name="distribution">As -d takes it.</param>
    public SmallDebian(ArchiveKeys keys, string distribution = "debian")
    {
        (_keys, _distribution) = (keys, distribution);
        Archive = new TestArchive(keys.Gpg);
        string keyring = Build[$"mkosi.sandbox/usr/share/keyrings/{distribution}-archive-keyring.gpg"];
        Directory.CreateDirectory(Path.GetDirectoryName(keyring)!);
        File.WriteAllBytes(keyring, keys.Keyring);
    }

    public SmallBuild Build { get; } = new();

    public TestDebs Debs { get; } = new();

    /// <summary>What is published next.</summary>
    public TestArchive Archive { get; private set; }

    /// <summary>Where the repository is, as a directory: the archive of Debian's security updates stands beside it.</summary>
    public string Place => Build[$"www/{_distribution}"];

    /// <summary>Begins another state of the repository. The files of the packages stay.</summary>
    public void Renew() => Archive = new TestArchive(_keys.Gpg);

    /// <summary>Adds what every root has to have: real packages, or where none is configured an empty one.</summary>
    public void AddBase(string suite, bool isReal = true)
    {
        foreach (byte[] content in isReal ? s_base.Value : [MakeBase()])
        {
            Add(suite, "main", content);
        }
    }

    private byte[] MakeBase() => File.ReadAllBytes(Debs.PathOf(Debs.Add("base-files", "Essential: yes", [])));

    /// <summary>Makes a package and adds it.</summary>
    /// <param name="identity">"name version".</param>
    public void Add(string suite, string component, string identity, string fields, (string Name, string Content)[] control, params TestDebs.Member[] items)
    {
        string[] parts = identity.Split(' ');
        Add(suite, component, File.ReadAllBytes(Debs.PathOf(Debs.Add(parts[0], parts[1], fields, control, items))));
    }

    private void Add(string suite, string component, byte[] content)
    {
        var control = DebArchive.ReadControl(new MemoryStream(content)).Single(static file => file.Name == "control").Content;
        var paragraph = ControlFile.ParseSingle(control, "control");
        string file = Archive.Add(suite, component, paragraph.Required("Package"), paragraph.Required("Version"), Encoding.UTF8.GetString(control), content);
        if (_distribution == "debian" && suite.EndsWith("-security", StringComparison.Ordinal))
        {
            _security.Add(file);
        }
    }

    /// <summary>Signs the repository and writes it to its place; of Debian its security suites beside it.</summary>
    /// <param name="below">A directory below both.</param>
    public void Publish(string below = "")
    {
        Archive.Publish();
        foreach (var (path, content) in Archive.Files)
        {
            bool isSecurity = _security.Contains(path) || (_distribution == "debian" && path.Contains("-security/", StringComparison.Ordinal));
            string file = Path.Join(Place + (isSecurity ? "-security" : ""), below, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllBytes(file, content);
        }
    }

    /// <summary>The options of a build of a tar.</summary>
    public string[] Command(string release, params string[] more) =>
        ["-d", _distribution, "-r", release, "-m", "file://" + Place, "--format=tar", "--compress-output=none", "--with-docs=no", "-o", "foo", "--force", .. more];

    public Tool.Result Run(params string[] arguments) => Build.RunWith("", Build["store"], arguments);

    /// <summary>Builds, and returns the SHA-256 that the tool prints.</summary>
    public string Succeeds(params string[] arguments)
    {
        var result = Run(arguments);
        Assert.True(result.ExitCode == 0, result.All);
        return result.Output.Split("  ")[0].TrimEnd('\n');
    }

    public void RemoveOutput() => Tool.RunOk("/bin/sh", "-c", $"rm -f '{Build.Root}'/foo*");

    /// <summary>A build that ends with one error, in which * stands for anything, and leaves nothing.</summary>
    public void Fails(string expected, params string[] arguments) => FailsWith("", expected, arguments);

    /// <param name="prefix">Words of a shell that the tool's own follow.</param>
    public void FailsWith(string prefix, string expected, params string[] arguments)
    {
        SmallBuild.AssertFailed(expected, Build.RunWith(prefix, Build["store"], arguments));
        AssertNothingIsLeft();
    }

    public void AssertNothingIsLeft()
    {
        Build.AssertNothingIsLeft();
        Assert.Equal([], Directory.GetFileSystemEntries(Build.Root, "*foo*"));
        Assert.Equal([], Directory.Exists(Build["store"]) ? Directory.GetFiles(Build["store"], "*.part", SearchOption.AllDirectories) : []);
    }

    /// <summary>The packages that dpkg's database in the last tar has, each as "name version", but for those of the base.</summary>
    public string[] Installed()
    {
        var known = s_base.Value.Select(NameOf).ToHashSet(StringComparer.Ordinal);
        string status = Tool.RunOk("tar", "-xOf", Build["foo.tar"], "./var/lib/dpkg/status");
        return [.. ControlFile.Parse(Encoding.UTF8.GetBytes(status), "status").Where(paragraph => !known.Contains(paragraph.Required("Package")))
            .Select(static paragraph =>
            {
                Assert.Equal("install ok installed", paragraph["Status"]);
                return $"{paragraph.Required("Package")} {paragraph.Required("Version")}";
            })];
    }

    public void Dispose()
    {
        Debs.Dispose();
        Build.Dispose();
    }

    private static string NameOf(byte[] package) => ControlFile.ParseSingle(
        DebArchive.ReadControl(new MemoryStream(package)).Single(static file => file.Name == "control").Content, "control").Required("Package");

    /// <summary>What configures packages, with all that it needs, of the release that this machine has.</summary>
    private static byte[][] FetchBase()
    {
        string codename = File.ReadLines("/etc/os-release").FirstOrDefault(static line => line.StartsWith("VERSION_CODENAME=", StringComparison.Ordinal))?.Split('=')[1] ?? "";
        try
        {
            using var downloader = new Downloader(new DownloadOptions());
            var configuration = AptConfiguration.Read(new AptSettings { Distribution = "debian", Release = codename, Architecture = "amd64" });
            // As of their own dates: that the machine's clock is right is not what is tested.
            var source = new AptSource(configuration, new PackageStore(Directory.CreateDirectory(Path.Join(Scene.Cache, "diecast", "store")).FullName), downloader);
            using var fetched = source.Fetch(source.Lock(new LockRequest
            {
                Distribution = "debian",
                Release = codename,
                Architecture = "x86-64",
                Repositories = ["main"],
                Targets = ["base-files", "base-passwd", "coreutils", "dash", "diffutils", "dpkg", "grep", "libc-bin", "sed", "tar"],
            }));
            return [.. fetched.Packages.Select(static package => package.File.ReadBytes(0, (int)package.File.Length))];
        }
        catch (Exception e) when (e is PackageException or DownloadException)
        {
            Tool.Missing($"apt's repositories cannot be read: {e.Message}");
            throw;
        }
    }
}
