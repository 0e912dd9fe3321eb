using System.Collections.Immutable;
using Diecast.Config;
using Diecast.Images;
using Diecast.Packages;
using Diecast.Packages.OpenPgp;
using Diecast.Packages.Pacman;
using Diecast.Trees;

namespace Diecast.Build.Distributions;

/// <summary>Arch Linux, and what else has pacman repositories.</summary>
internal sealed class ArchInstaller(BuildConfig config) : DistributionInstaller(config)
{
    private const string ConfigurationPath = "etc/pacman.conf";
    private const string KeyringDirectory = "usr/share/pacman/keyrings";

    // The last is where Debian puts Arch's keyring, among its own.
    private static readonly string[] s_hostKeyrings = ["/usr/share/pacman/keyrings", "/usr/share/keyrings"];
    private const string HostKeyring = "archlinux";

    // The initrd is ours: a package that wants one has it.
    private static readonly string[] s_assumeInstalled = ["initramfs"];

    public override string Architecture => "x86_64";

    public override ImmutableArray<string> RepositoryNames => [.. Pacman.Repositories.Select(static repository => repository.Name)];

    public override ImmutableArray<string> BasePackages => ["filesystem"];

    public override ImmutableArray<string> InitrdPackages =>
    [
        "bash", "btrfs-progs", "dosfstools", "e2fsprogs", "gzip", "less", "libfido2", "libseccomp", "procps-ng", "systemd",
        "tpm2-tss", "udev", "util-linux", "util-linux-libs", "xfsprogs",
    ];

    public override bool HasRecommends => false;

    public override string PackageType => "pkg";

    public override string PackageUrlType => "alpm";

    /// <summary>The user's <c>pacman.conf</c>, or one of the mirror that the configuration names.</summary>
    private PacmanConfiguration Pacman => field ??= Configure();

    public override IPackageSource OpenSource(PackageStore store, Downloader downloader, BuildRequest request) =>
        new PacmanSource(Pacman, LoadKeyring, store, downloader)
        {
            AssumeInstalled = s_assumeInstalled,
            Progress = request.Report.Download,
            Warn = request.Report.Warning,
        };

    /// <summary>The base packages as a transaction of their own, then the others.</summary>
    public override void Install(InstallContext context, IReadOnlyList<FetchedPackage> packages, Action afterBase)
    {
        var all = packages.Select(ToInstall).ToList();
        int baseEnd = all.FindIndex(package => package.Identity.Name == BasePackages[^1]) + 1;
        var installer = new PacmanInstaller(context.Root, context.Run, new PacmanInstaller.Options
        {
            InstallDate = context.Root.Epoch.Seconds,
            Architectures = Pacman.Architectures,
            NoExtract = Pacman.NoExtract,
            NoUpgrade = Pacman.NoUpgrade,
            HookDirectories = Pacman.HookDirectories,
        }, context.Say);
        installer.Install(all[..baseEnd]);
        afterBase();
        installer.Install(all[baseEnd..]);
    }

    public override void Remove(InstallContext context, IReadOnlyList<FetchedPackage> packages, ImmutableArray<string> names) =>
        new PacmanRemover(context.Root, context.Run, Pacman.HookDirectories, context.Say).Remove(names);

    public override bool HasPackageManager(StagedRoot root) => root.Exists("usr/bin/pacman"u8);

    public override void RemoveMetadata(StagedRoot root)
    {
        root.Remove("var/lib/pacman"u8);
        root.Remove("var/cache/pacman"u8);
    }

    /// <summary>Of <c>name-version-ARCHITECTURE.pkg.tar.zst</c>.</summary>
    public override string ArchitectureOf(LockedPackage package)
    {
        string file = package.File[..package.File.IndexOf(".pkg.tar", StringComparison.Ordinal)];
        return file[(file.LastIndexOf('-') + 1)..];
    }

    private static PackageToInstall ToInstall(FetchedPackage package) => new(
        new PackageIdentity(package.Locked.Name, package.Locked.Version), package.Locked.Reason,
        package.Locked.Signer is null ? PackageValidation.Sha256 : PackageValidation.Pgp, () => new BlobStream(package.File));

    private PacmanConfiguration Configure()
    {
        foreach (var tree in Config.SandboxTrees.Reverse())
        {
            if (File.Exists(Path.Join(tree.Source, ConfigurationPath)))
            {
                return PacmanConfiguration.Read(
                    HostTree.Read(Posix.Bytes(tree.Source)), ConfigurationPath, Config.Relative(tree.Source), Architecture);
            }
        }
        return PacmanConfiguration.Default(
            Config.Mirror, Config.Snapshot, Config.Repositories, Architecture, Config.RepositoryKeyCheck, Config.WithDocs);
    }

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
