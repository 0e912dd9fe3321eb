using System.Collections.Immutable;
using Diecast.Config;
using Diecast.Formats.Cpio;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Build;

/// <summary>The initrd that an image gets unless <c>Initrds=</c> names others: a small system of the same distribution.</summary>
public static class DefaultInitrd
{
    private static readonly string[] s_packages = ["bash", "gzip", "less", "systemd", "udev"];

    private static readonly string[] s_archPackages = [
        "btrfs-progs", "dosfstools", "e2fsprogs", "libfido2", "libseccomp", "procps-ng", "tpm2-tss", "util-linux",
        "util-linux-libs", "xfsprogs"];

    /// <summary>What is installed in it, sorted.</summary>
    public static ImmutableArray<string> Packages(Distribution distribution) => distribution switch
    {
        Distribution.Arch => [.. s_packages.Concat(s_archPackages).Order(StringComparer.Ordinal)],
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>Whether an image of this configuration gets one.</summary>
    public static bool IsWanted(BuildConfig config) =>
        config.Bootable != Feature.No && config.Initrds.IsEmpty && config.Format is OutputFormat.Disk or OutputFormat.Directory;

    /// <summary>The initrd's own configuration: what it does not share with its image is the default.</summary>
    public static BuildConfig Configure(BuildConfig image) => image with
    {
        Format = OutputFormat.Cpio,
        Packages = Packages(image.Distribution),
        RemovePackages = [],
        RemoveFiles = [],
        CleanPackageMetadata = Feature.Yes,
        WithDocs = false,
        SkeletonTrees = [],
        ExtraTrees = [],
        PostInstallationScripts = [],
        FinalizeScripts = [],
        Bootable = Feature.No,
        Locale = image.Locale ?? "C.UTF-8",
        MachineId = null,
        Autologin = false,
    };

    /// <summary>The archive of an initrd's tree, compressed as its configuration says, by zstd if it says nothing.</summary>
    public static Blob Pack(BuildConfig config, FileTree tree)
    {
        var archive = CpioWriter.Write(tree);
        return config.CompressOutput == Config.Compression.Gz
            ? Compressor.Compress(archive, Images.Compression.Gzip, Math.Clamp(config.CompressLevel, 1, 9))
            : Compressor.Compress(archive, Images.Compression.Zstd, config.CompressLevel);
    }
}
