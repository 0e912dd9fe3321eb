using System.Collections.Immutable;
using Diecast.Build.Distributions;
using Diecast.Config;
using Diecast.Packages;

namespace Diecast.Build;

/// <summary>Resolve and Fetch: from a configuration to a lock file, and from that to package files in the store.</summary>
internal sealed class PackageStage : IDisposable
{
    private readonly BuildRequest _request;
    private readonly DistributionInstaller _distribution;
    private readonly Downloader _downloader;
    private readonly IPackageSource _source;

    public PackageStage(BuildRequest request)
    {
        _request = request;
        _distribution = DistributionInstaller.For(Config);
        _downloader = new Downloader(new DownloadOptions
        {
            Proxy = Config.Proxy.Url is { } proxy ? new Uri(proxy) : null,
            ProxyExclude = Config.Proxy.Exclude,
        });
        _source = _distribution.OpenSource(new PackageStore(request.Store), _downloader, request);
    }

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

    public Lockfile Resolve() => _source.Lock(Request, _request.Cancellation);

    public FetchedPackages Fetch(Lockfile lockfile) => _source.Fetch(lockfile, _request.Cancellation);

    public void Dispose() => _downloader.Dispose();

    private LockRequest Request => new()
    {
        Distribution = Names.Of(Config.Distribution),
        Release = Config.Release,
        Snapshot = Config.Snapshot,
        Architecture = Names.Of(Config.Architecture),
        Repositories = _distribution.RepositoryNames,
        Targets = Targets(Config.Packages),
        InitrdTargets = DefaultInitrd.IsWanted(Config) ? Targets(_distribution.InitrdPackages) : [],
        Recommends = Config.WithRecommends && _distribution.HasRecommends,
    };

    private ImmutableArray<string> Targets(ImmutableArray<string> packages) =>
        [.. _distribution.BasePackages, .. packages.Except(_distribution.BasePackages, StringComparer.Ordinal)];
}
