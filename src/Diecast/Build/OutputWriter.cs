using System.Security.Cryptography;
using Diecast.Build.Distributions;
using Diecast.Build.Partitioning;
using Diecast.Config;
using Diecast.Formats.Cpio;
using Diecast.Formats.Tar;
using Diecast.Images;
using Diecast.Packages;
using Diecast.Trees;

namespace Diecast.Build;

/// <summary>Emit: the main output, what is split off it, checksums and the manifest.</summary>
internal sealed class OutputWriter(BuildConfig config, OutputSet outputs, BuildRequest request)
{
    /// <summary>What is appended to an image's name for its attestation, which a build of another takes away.</summary>
    public const string AttestationExtension = ".intoto.json";

    /// <summary>What a build of this configuration may leave, in the output directory.</summary>
    public static IEnumerable<string> Names(BuildConfig config) => ((string[])[
        Path.GetFileName(config.OutputPath), config.Output, $"{config.Output}.efi", $"{config.Output}.vmlinuz",
        $"{config.Output}.initrd", $"{config.Output}.SHA256SUMS", $"{config.Output}.manifest"]).Distinct(StringComparer.Ordinal);

    /// <summary>The names that a build may leave; what this one did not make is stale.</summary>
    public IEnumerable<string> KnownNames => Names(config).Append(Path.GetFileName(config.OutputPath) + AttestationExtension);

    /// <summary>Writes everything and returns the SHA-256 of the main output; null for a directory.</summary>
    public byte[]? Write(StagedRoot root, BootFiles boot, DiskStage? disk, FetchedPackages packages, ImageScripts scripts)
    {
        var digests = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        TakeFromScripts(scripts, digests);
        byte[]? digest = WriteMain(root, boot, disk, digests);
        foreach (var (artifact, section, extension) in new[]
        {
            (SplitArtifact.Uki, "", "efi"), (SplitArtifact.Kernel, ".linux", "vmlinuz"), (SplitArtifact.Initrd, ".initrd", "initrd"),
        })
        {
            if (config.SplitArtifacts.Contains(artifact) && (section.Length == 0 ? boot.Uki : boot.Section(section)) is { } blob)
            {
                string name = $"{config.Output}.{extension}";
                digests.Add(name, ImageFile.WriteHashed(blob, outputs.Add(name), request.Cancellation));
            }
        }
        if (config.Checksum)
        {
            string lines = string.Concat(digests.Select(static pair => $"{Convert.ToHexStringLower(pair.Value)} *{pair.Key}\n"));
            File.WriteAllText(outputs.Add($"{config.Output}.SHA256SUMS"), lines);
        }
        if (!config.ManifestFormat.IsEmpty)
        {
            File.WriteAllBytes(outputs.Add($"{config.Output}.manifest"), Manifest.Write(config, Entries(packages), request.ToolVersion));
        }
        string main = Path.GetFileName(config.OutputPath);
        if (main != config.Output)
        {
            File.CreateSymbolicLink(outputs.Add(config.Output), main);
        }
        return digest;
    }

    /// <summary>What scripts wrote into their output directory.</summary>
    private void TakeFromScripts(ImageScripts scripts, SortedDictionary<string, byte[]> digests)
    {
        foreach (string name in scripts.Outputs)
        {
            string existing = Path.Join(config.OutputDirectory, name);
            if (KnownNames.Contains(name, StringComparer.Ordinal))
            {
                throw new ConfigException(new Location(name), "a script wrote an output of this name, which is one of the build's own");
            }
            if (!request.Force && Path.Exists(existing))
            {
                throw new ConfigException(new Location(existing), "exists already: use --force to replace it");
            }
            string path = outputs.Add(name);
            Posix.RenameAt(Posix.AT_FDCWD, Posix.Bytes(Path.Join(scripts.OutputDirectory, name)), Posix.AT_FDCWD, Posix.Bytes(path));
            if (File.Exists(path))
            {
                using var file = File.OpenRead(path);
                digests.Add(name, SHA256.HashData(file));
            }
        }
    }

    private byte[]? WriteMain(StagedRoot root, BootFiles boot, DiskStage? disk, SortedDictionary<string, byte[]> digests)
    {
        if (config.Format == OutputFormat.Directory)
        {
            root.AddTree(boot.Added);
            HostTree.Apply(root.Freeze(), Posix.Bytes(root.HostPath));
            return null;
        }
        string name = Path.GetFileName(config.OutputPath);
        byte[] digest;
        if (disk is not null)
        {
            digest = WriteDisk(disk.Make(boot.Tree, request.Report.Detail), disk.Specifiers, name, digests);
        }
        else
        {
            var errors = config.Format == OutputFormat.Cpio ? CpioWriter.Check(boot.Tree) : TarWriter.Check(boot.Tree);
            if (errors.Count > 0)
            {
                throw new ConfigException([.. errors.Select(error => new Diagnostic(new Location($"Format={Config.Names.Of(config.Format)}"), error))]);
            }
            Blob archive = config.Format == OutputFormat.Cpio ? CpioWriter.Write(boot.Tree) : TarWriter.Write(boot.Tree);
            digest = ImageFile.WriteHashed(Compressed(archive), outputs.Add(name), request.Cancellation);
        }
        digests.Add(name, digest);
        return digest;
    }

    private byte[] WriteDisk(RepartDisk disk, RepartSpecifiers specifiers, string name, SortedDictionary<string, byte[]> digests)
    {
        if (config.CompressOutput != Config.Compression.None)
        {
            return ImageFile.WriteHashed(Compressed(disk.Image), outputs.Add(name), request.Cancellation);
        }
        var files = new RepartFiles(outputs.Add(name), disk, specifiers, config.SplitArtifacts.Contains(SplitArtifact.Partitions));
        byte[] digest = files.Write(request.Cancellation);
        foreach (string path in files.SplitPaths)
        {
            using var file = File.OpenRead(outputs.Add(Path.GetFileName(path)));
            digests.Add(Path.GetFileName(path), SHA256.HashData(file));
        }
        return digest;
    }

    private Blob Compressed(Blob blob) => config.CompressOutput switch
    {
        Config.Compression.Zstd => Compressor.Compress(blob, Images.Compression.Zstd, config.CompressLevel),
        Config.Compression.Gz => Compressor.Compress(blob, Images.Compression.Gzip, config.CompressLevel),
        _ => blob,
    };

    private IEnumerable<ManifestEntry> Entries(FetchedPackages packages)
    {
        var distribution = DistributionInstaller.For(config);
        return packages.Packages.Select(package => new ManifestEntry(
            distribution.PackageType, package.Locked.Name, package.Locked.Version, distribution.ArchitectureOf(package.Locked)));
    }
}
