using Diecast.Build.Distributions;
using Diecast.Config;
using Diecast.Formats.Cpio;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Build;

/// <summary>The initrd that an image gets unless <c>Initrds=</c> names others: a small system of the same distribution.</summary>
public static class DefaultInitrd
{
    /// <summary>Whether an image of this configuration gets one.</summary>
    public static bool IsWanted(BuildConfig config) =>
        config.Bootable != Feature.No && config.Initrds.IsEmpty && config.Format is OutputFormat.Disk or OutputFormat.Directory;

    /// <summary>The initrd's own configuration: what it does not share with its image is the default.</summary>
    public static BuildConfig Configure(BuildConfig image) => image with
    {
        Format = OutputFormat.Cpio,
        Packages = DistributionInstaller.For(image).InitrdPackages,
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
