using System.Security.Cryptography;
using System.Text;
using Diecast.Build.Partitioning;
using Diecast.Config;
using Diecast.Images;
using Diecast.Packages;
using Diecast.Trees;

namespace Diecast.Build;

/// <summary>The recipe. Must run as root of a namespace with ids 0 to 65535: see <see cref="UserNamespace"/>.</summary>
public static class Builder
{
    /// <summary>Writes <c>diecast.lock</c> beside the configuration and returns its path.</summary>
    /// <exception cref="IOException">Packages cannot be had.</exception>
    /// <exception cref="PackageException">Packages cannot be resolved or are not trusted.</exception>
    /// <exception cref="InvalidDataException">A database or package is damaged.</exception>
    public static string Lock(BuildRequest request)
    {
        using var packages = new PackageStage(request);
        request.Report.Stage("Resolving packages");
        packages.Resolve().Save(packages.LockPath);
        return packages.LockPath;
    }

    /// <summary>Fetches the packages of the lock file into the store, so that a build needs no network, and returns it.</summary>
    /// <exception cref="ConfigException">There is no lock file.</exception>
    /// <inheritdoc cref="Lock" path="/exception"/>
    public static Lockfile Fetch(BuildRequest request)
    {
        using var packages = new PackageStage(request with { Locked = true });
        if (!File.Exists(packages.LockPath))
        {
            throw new ConfigException(new Location(packages.LockPath), "there is no lock file: run diecast lock");
        }
        request.Report.Stage("Fetching packages");
        var lockfile = packages.ReadOrResolve();
        packages.Fetch(lockfile).Dispose();
        return lockfile;
    }

    /// <summary>Builds the image.</summary>
    /// <exception cref="ConfigException">The configuration cannot be followed, or an output exists.</exception>
    /// <inheritdoc cref="Lock" path="/exception"/>
    public static BuildResult Build(BuildRequest request)
    {
        var config = request.Config;
        RefuseExisting(request);
        var times = new BuildTimes();
        times.Begin("resolve");
        using var packages = new PackageStage(request);
        request.Report.Stage("Resolving packages");
        var lockfile = packages.ReadOrResolve();
        times.Begin("fetch");
        request.Report.Stage("Fetching packages");
        using var fetched = packages.Fetch(lockfile);
        var epoch = new Timestamp(config.SourceDateEpoch ?? NewestBuildDate(lockfile));
        var seed = config.Seed ?? DeriveSeed(config, lockfile);

        using var outputs = new OutputSet(config.OutputDirectory, config.Output);
        using var work = new WorkDirectory();
        string rootPath = config.Format == OutputFormat.Directory ? outputs.Add(Path.GetFileName(config.OutputPath)) : work["root"];
        using var stagedRoot = new StagedRoot(rootPath, epoch);
        using var stagedInitrd = DefaultInitrd.IsWanted(config) ? new StagedRoot(work["initrd"], epoch) : null;
        var scripts = new ImageScripts(request, stagedRoot, outputs, work);
        times.Begin(BuildTimes.Install);
        var (root, initrd) = Install(request, fetched, stagedRoot, stagedInitrd, scripts, work, times);

        times.Begin("image");
        request.Report.Stage("Making the image");
        var boot = new BootStage(config, root, epoch);
        var disk = config.Format == OutputFormat.Disk ? new DiskStage(config, root, boot.HasBootLoader, seed, epoch) : null;
        var bootFiles = boot.Make(initrd, disk?.Partitions ?? []);
        var writer = new OutputWriter(config, outputs, request);
        var digest = writer.Write(stagedRoot, bootFiles, disk, fetched, scripts);
        outputs.Commit(writer.KnownNames);
        times.End();
        return new BuildResult(config.OutputPath, digest is null ? null : Convert.ToHexStringLower(digest), times);
    }

    /// <summary>The image's root, and beside it the packed initrd: most of the time goes into the images' own scripts.</summary>
    private static (FileTree Root, Blob? Initrd) Install(
        BuildRequest request, FetchedPackages fetched, StagedRoot root, StagedRoot? initrd,
        ImageScripts scripts, WorkDirectory work, BuildTimes times)
    {
        request.Report.Stage("Installing packages");
        Sandbox.RequireWorking(work.Path, request.Cancellation);
        // Scripts inherit it, and it shows in the modes of what they make. The outputs get the caller's again.
        const uint usual = 0x12;
        uint callers = Posix.Umask(usual);
        try
        {
            return InstallBoth(request, fetched, root, initrd, scripts, work, times);
        }
        finally
        {
            Posix.Umask(callers);
        }
    }

    private static (FileTree Root, Blob? Initrd) InstallBoth(
        BuildRequest request, FetchedPackages fetched, StagedRoot root, StagedRoot? initrd,
        ImageScripts scripts, WorkDirectory work, BuildTimes times)
    {
        FileTree MakeRoot() => RootStage.Make(
            request.Config, fetched.Packages, root, work.Subdirectory("root-scripts"), scripts, request, times.Scripts);
        if (initrd is null)
        {
            return (MakeRoot(), null);
        }
        var config = DefaultInitrd.Configure(request.Config);
        Blob MakeInitrd()
        {
            times.Initrd.Start();
            var blob = DefaultInitrd.Pack(config, RootStage.Make(
                config, fetched.Initrd, initrd, work.Subdirectory("initrd-scripts"), null, request, times.InitrdScripts));
            times.Initrd.Stop();
            return blob;
        }
        // A thread of its own, which lives as long: the end of a sandbox's parent thread would end the sandbox.
        var packed = Task.Factory.StartNew(MakeInitrd, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            var rootTree = MakeRoot();
            return (rootTree, packed.GetAwaiter().GetResult());
        }
        finally
        {
            // Nothing may still be working in a directory that is about to go.
            ((IAsyncResult)packed).AsyncWaitHandle.WaitOne();
        }
    }

    private static void RefuseExisting(BuildRequest request)
    {
        if (!request.Force && OutputWriter.Names(request.Config).Select(name => Path.Join(request.Config.OutputDirectory, name))
            .FirstOrDefault(Path.Exists) is { } existing)
        {
            throw new ConfigException(new Location(existing), "exists already: use --force to replace it");
        }
    }

    private static long NewestBuildDate(Lockfile lockfile) =>
        lockfile.Packages.Concat(lockfile.Initrd).Select(static package => package.BuildDate).DefaultIfEmpty().Max();

    /// <summary>Of image id, version, architecture and the lock's digest, so that different images never share ids.</summary>
    private static Guid DeriveSeed(BuildConfig config, Lockfile lockfile) => RepartIds.Version4(SHA256.HashData(Encoding.UTF8.GetBytes(
        $"diecast seed\n{config.ImageId}\n{config.ImageVersion}\n{Config.Names.Of(config.Architecture)}\n{lockfile.Digest}\n")));
}
