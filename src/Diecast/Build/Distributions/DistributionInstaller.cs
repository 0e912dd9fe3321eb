using System.Collections.Immutable;
using Diecast.Config;
using Diecast.Packages;

namespace Diecast.Build.Distributions;

/// <summary>What differs from distribution to distribution: where packages come from, and how they become a root.</summary>
internal abstract class DistributionInstaller(BuildConfig config)
{
    protected BuildConfig Config { get; } = config;

    /// <summary>As the distribution calls the processors that the packages are for.</summary>
    public abstract string Architecture { get; }

    /// <summary>The repositories' names, in order.</summary>
    public abstract ImmutableArray<string> RepositoryNames { get; }

    /// <summary>What is installed whatever is asked for, before everything else.</summary>
    public abstract ImmutableArray<string> BasePackages { get; }

    /// <summary>What is installed in the default initrd; sorted.</summary>
    public abstract ImmutableArray<string> InitrdPackages { get; }

    /// <summary>Whether packages recommend others.</summary>
    public abstract bool HasRecommends { get; }

    /// <summary>What manifests call the kind of package: "pkg", "deb".</summary>
    public abstract string PackageType { get; }

    /// <summary>What package URLs call it: "alpm", "deb".</summary>
    public abstract string PackageUrlType { get; }

    public static DistributionInstaller For(BuildConfig config) => config.Distribution switch
    {
        Distribution.Arch => new ArchInstaller(config),
        Distribution.Debian or Distribution.Ubuntu => new DebianInstaller(config),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>The packages of this configuration's repositories.</summary>
    public abstract IPackageSource OpenSource(PackageStore store, Downloader downloader, BuildRequest request);

    /// <summary>Installs packages in their order into an empty root, but for what the user's skeleton trees have put there.</summary>
    /// <param name="context">Where.</param>
    /// <param name="packages">Those of a lock file that was made for <see cref="BasePackages"/> and others.</param>
    /// <param name="afterBase">To be called when the base packages are there at the latest, and before programs of the others run.</param>
    /// <exception cref="PackageException">Packages are in conflict, or one of their programs fails.</exception>
    /// <exception cref="InvalidDataException">A package is damaged; the message names it.</exception>
    public abstract void Install(InstallContext context, IReadOnlyList<FetchedPackage> packages, Action afterBase);

    /// <summary>Removes packages by name, and what nobody else needs.</summary>
    /// <param name="context">Where.</param>
    /// <param name="packages">Those that were installed.</param>
    /// <param name="names">Those to remove.</param>
    /// <exception cref="PackageException">One cannot be removed: what stays needs it.</exception>
    public abstract void Remove(InstallContext context, IReadOnlyList<FetchedPackage> packages, ImmutableArray<string> names);

    /// <summary>Whether the root can install packages itself, so that it wants to know what is installed.</summary>
    public abstract bool HasPackageManager(StagedRoot root);

    /// <summary>Removes the package manager's database and caches.</summary>
    public abstract void RemoveMetadata(StagedRoot root);

    /// <summary>The architecture that a package file is for, by its name.</summary>
    public abstract string ArchitectureOf(LockedPackage package);
}

/// <summary>A root in which packages are installed.</summary>
/// <param name="Root">The root.</param>
/// <param name="Run">Runs the packages' programs in it.</param>
/// <param name="Say">Gets a line for each step, and each warning.</param>
internal sealed record InstallContext(StagedRoot Root, ScriptRunner Run, Action<string> Say);
