using System.Collections.Immutable;
using Diecast.Config;
using Diecast.Images;
using Diecast.Packages;
using Diecast.Packages.Apt;

namespace Diecast.Build.Distributions;

/// <summary>Debian, and Ubuntu, whose repositories have the same layout.</summary>
internal sealed class DebianInstaller(BuildConfig config) : DistributionInstaller(config)
{
    // Where what is a package of its own since is part of systemd, or another library.
    private static readonly string[] s_olderReleases = ["bullseye", "bookworm", "jammy", "noble"];

    public override string Architecture => "amd64";

    public override ImmutableArray<string> RepositoryNames => [.. Apt.Repositories.Select(static repository => repository.Name)];

    public override ImmutableArray<string> BasePackages => ["base-files"];

    public override ImmutableArray<string> InitrdPackages =>
    [
        "bash", "btrfs-progs", "dmsetup", "dosfstools", "e2fsprogs", "gzip", "kmod", "less", "libcryptsetup12", "libfdisk1",
        "libfido2-1", "libseccomp2", "libtss2-rc0", "libtss2-tcti-device0", "mount", "procps", "systemd",
        .. s_olderReleases.Contains(Config.Release, StringComparer.Ordinal) ? (string[])[] : ["systemd-cryptsetup", "systemd-repart"],
        "udev", "util-linux",
    ];

    public override bool HasRecommends => true;

    public override string PackageType => "deb";

    public override string PackageUrlType => "deb";

    private AptConfiguration Apt => field ??= AptConfiguration.Read(new AptSettings
    {
        Distribution = Names.Of(Config.Distribution),
        Release = Config.Release,
        Architecture = Architecture,
        Mirror = Config.Mirror,
        Snapshot = Config.Snapshot,
        Repositories = Config.Repositories,
        KeyCheck = Config.RepositoryKeyCheck,
        SandboxTrees = [.. Config.SandboxTrees.Select(static tree => tree.Source)],
    });

    public override IPackageSource OpenSource(PackageStore store, Downloader downloader, BuildRequest request) =>
        new AptSource(Apt, store, downloader)
        {
            BaseTargets = ["?essential", .. BasePackages, "?exact-name(usr-is-merged)"],
            Now = Config.Snapshot is null ? request.Now : null,
            Progress = request.Report.Download,
        };

    public override void Install(InstallContext context, IReadOnlyList<FetchedPackage> packages, Action afterBase)
    {
        // systemd's postinst, which is part of the base of some releases, keeps the machine id that is there.
        afterBase();
        new DebInstaller(context.Root, context.Run, new DebInstaller.Options
        {
            Architecture = Architecture,
            PathRules = Config.WithDocs ? [] : PathFilter.NoDocumentation,
        }, context.Say).Install([.. packages.Select(ToInstall)]);
        DebianRemedies.Apply(context, Config.Release);
    }

    public override void Remove(InstallContext context, IReadOnlyList<FetchedPackage> packages, ImmutableArray<string> names) =>
        new DebRemover(context.Root, context.Run, Architecture, context.Say).Remove(names, packages
            .Where(static package => package.Locked.Reason == InstallReason.Dependency).Select(static package => package.Locked.Name).ToHashSet(StringComparer.Ordinal));

    public override bool HasPackageManager(StagedRoot root) => root.Exists("usr/bin/dpkg"u8);

    public override void RemoveMetadata(StagedRoot root)
    {
        root.Remove("var/lib/dpkg"u8);
        root.Remove("var/lib/apt"u8);
        root.Remove("var/cache/apt"u8);
    }

    /// <summary>Of <c>pool/main/g/glibc/libc6_2.41-12_ARCHITECTURE.deb</c>.</summary>
    public override string ArchitectureOf(LockedPackage package) =>
        package.File[(package.File.LastIndexOf('_') + 1)..].Replace(".deb", "", StringComparison.Ordinal);

    private static DebToInstall ToInstall(FetchedPackage package) => new(
        package.Locked.Name, package.Locked.Version, package.Locked.Reason == InstallReason.Dependency, () => new BlobStream(package.File))
    {
        Data = package.SharedData is { } data ? () => new BlobStream(data.Value) : null,
    };
}
