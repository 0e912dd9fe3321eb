using System.Collections.Immutable;
using Diecast.Config;
using Diecast.Packages;
using Diecast.Packages.OpenPgp;
using Diecast.Packages.Pacman;
using Diecast.Trees;

namespace Diecast.Build;

/// <summary>Resolve and Fetch: from a configuration to a lock file, and from that to package files in the store.</summary>
internal sealed class PackageStage : IDisposable
{
    /// <summary>Installed before everything else, and always.</summary>
    public const string BasePackage = "filesystem";

    public const string PacmanArchitecture = "x86_64";
    private const string KeyringDirectory = "usr/share/pacman/keyrings";

    // The last is where Debian puts Arch's keyring, among its own.
    private static readonly string[] s_hostKeyrings = ["/usr/share/pacman/keyrings", "/usr/share/keyrings"];
    private const string HostKeyring = "archlinux";

    // The initrd is ours: a package that wants one has it.
    private static readonly string[] s_assumeInstalled = ["initramfs"];

    private readonly BuildRequest _request;
    private readonly Downloader _downloader;
    private readonly PacmanSource _source;

    public PackageStage(BuildRequest request)
    {
        _request = request;
        Pacman = Configure(request.Config);
        _downloader = new Downloader(new DownloadOptions
        {
            Proxy = Config.Proxy.Url is { } proxy ? new Uri(proxy) : null,
            ProxyExclude = Config.Proxy.Exclude,
        });
        _source = new PacmanSource(Pacman, LoadKeyring, new PackageStore(request.Store), _downloader)
        {
            Progress = request.Report.Download,
            Warn = request.Report.Warning,
        };
    }

    public PacmanConfiguration Pacman { get; }

    public string LockPath => Path.Join(Config.Directory, Lockfile.FileName);

    private BuildConfig Config => _request.Config;

    /// <summary>The lock file that stands beside the configuration, or what the repositories resolve to now.</summary>
    /// <exception cref="InvalidDataException">The lock file is not for this configuration.</exception>
    public Lockfile ReadOrResolve()
    {
        if (File.Exists(LockPath))
        {
            var lockfile = Lockfile.Load(LockPath);
            lockfile.RequireFit(Request, LockPath);
            return lockfile;
        }
        return _request.Locked
            ? throw new ConfigException(new Location(LockPath), "there is no lock file, and --locked forbids to resolve: run diecast lock")
            : Resolve();
    }

    public Lockfile Resolve() => _source.Lock(Request, s_assumeInstalled, _request.Cancellation);

    public FetchedPackages Fetch(Lockfile lockfile) => _source.Fetch(lockfile, _request.Cancellation);

    /// <summary>The packages' own documentation is left out of the initrd.</summary>
    public static PacmanConfiguration Configure(BuildConfig config)
    {
        const string path = "etc/pacman.conf";
        foreach (var tree in config.SandboxTrees.Reverse())
        {
            if (File.Exists(Path.Join(tree.Source, path)))
            {
                return PacmanConfiguration.Read(HostTree.Read(Posix.Bytes(tree.Source)), path, config.Relative(tree.Source), PacmanArchitecture);
            }
        }
        return PacmanConfiguration.Default(
            config.Mirror, config.Snapshot, config.Repositories, PacmanArchitecture, config.RepositoryKeyCheck, config.WithDocs);
    }

    public void Dispose() => _downloader.Dispose();

    private LockRequest Request => new()
    {
        Distribution = Names.Of(Config.Distribution),
        Release = Config.Release,
        Snapshot = Config.Snapshot,
        Architecture = Names.Of(Config.Architecture),
        Repositories = [.. Pacman.Repositories.Select(static repository => repository.Name)],
        Targets = Targets(Config.Packages),
        InitrdTargets = DefaultInitrd.IsWanted(Config) ? Targets(DefaultInitrd.Packages(Config.Distribution)) : [],
    };

    private static ImmutableArray<string> Targets(ImmutableArray<string> packages) => [BasePackage, .. packages.Where(static name => name != BasePackage)];

    private Keyring LoadKeyring()
    {
        static bool HasKeyring(string directory, string name) =>
            Directory.Exists(directory) && Directory.GetFiles(directory, $"{name}-trusted").Length > 0;
        var own = Config.SandboxTrees.Reverse().Select(static tree => Path.Join(tree.Source, KeyringDirectory));
        if (own.FirstOrDefault(static directory => HasKeyring(directory, "*")) is { } sandbox)
        {
            return Keyring.Load(sandbox);
        }
        return s_hostKeyrings.FirstOrDefault(static directory => HasKeyring(directory, HostKeyring)) is { } host
            ? Keyring.Load(host, HostKeyring)
            : throw new ConfigException(new Location(Path.Join("mkosi.sandbox", KeyringDirectory)),
                "there is no keyring to check packages with: put NAME.gpg and NAME-trusted there, or install the package archlinux-keyring");
    }
}
