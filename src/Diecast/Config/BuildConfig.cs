using System.Collections.Immutable;

namespace Diecast.Config;

public enum Distribution { Arch, Debian, Ubuntu }

public enum Architecture { X86_64 }

public enum OutputFormat { Disk, Directory, Cpio, Tar }

public enum Compression { None, Zstd, Gz }

public enum ManifestFormat { Json }

public enum SplitArtifact { Uki, Kernel, Initrd, Partitions }

public enum Bootloader { None, Uki, SystemdBoot }

public enum UnifiedKernelImages { Auto, Unsigned }

/// <summary>A setting that may be left to the tool.</summary>
public enum Feature { Auto, Yes, No }

/// <summary>A directory, a tar archive (its name ends in <c>.tar</c>) or a single file to be copied into a tree.</summary>
/// <param name="Source">Absolute path on the host.</param>
/// <param name="Target">Absolute path in the tree; "/" for its root.</param>
public readonly record struct SourceTree(string Source, string Target);

/// <summary>How downloads reach the network. Never part of the output.</summary>
public sealed record Proxy(
    string? Url, ImmutableArray<string> Exclude, string? PeerCertificate, string? ClientCertificate, string? ClientKey)
{
    /// <summary>The URL without user and password, which a summary in a log must not show.</summary>
    internal string? DisplayUrl => Url is { } url && url.IndexOf("://", StringComparison.Ordinal) is >= 0 and var scheme
        && url.LastIndexOf('@') is var at && at > scheme
        ? url[..(scheme + 3)] + url[(at + 1)..]
        : Url;
}

/// <summary>
/// The resolved configuration of one image: files, command line, conventions and defaults put together, checked, and with
/// every path absolute. The properties are named after the settings.
/// </summary>
public sealed record BuildConfig
{
    /// <summary>The directory that holds mkosi.conf and what stands beside it.</summary>
    public required string Directory { get; init; }

    /// <summary>What scripts see as the sources: the directory that the tool was called for, which may be the parent.</summary>
    public required string SourceDirectory { get; init; }

    public required Distribution Distribution { get; init; }
    public required string Release { get; init; }
    public required Architecture Architecture { get; init; }
    public required ImmutableArray<string> Repositories { get; init; }

    /// <summary>http, https or file URL; null for the distribution's own.</summary>
    public required string? Mirror { get; init; }

    /// <summary>The archive's day, yyyy/MM/dd; null for the mirror's present.</summary>
    public required string? Snapshot { get; init; }

    public required bool RepositoryKeyCheck { get; init; }

    public required OutputFormat Format { get; init; }

    /// <summary>The name of the output without its extension.</summary>
    public required string Output { get; init; }

    public required string OutputDirectory { get; init; }
    public required string? ImageId { get; init; }
    public required string? ImageVersion { get; init; }
    public required Compression CompressOutput { get; init; }
    public required int CompressLevel { get; init; }
    public required ImmutableArray<ManifestFormat> ManifestFormat { get; init; }
    public required ImmutableArray<SplitArtifact> SplitArtifacts { get; init; }

    /// <summary>Directories of partition definitions, the first wins; empty for the built-in definitions.</summary>
    public required ImmutableArray<string> RepartDirectories { get; init; }

    /// <summary>Null: to be derived from image id, version, architecture and the lock.</summary>
    public required Guid? Seed { get; init; }

    /// <summary>Sorted, each once.</summary>
    public required ImmutableArray<string> Packages { get; init; }

    public required ImmutableArray<string> RemovePackages { get; init; }
    public required ImmutableArray<string> RemoveFiles { get; init; }
    public required Feature CleanPackageMetadata { get; init; }
    public required bool WithDocs { get; init; }

    /// <summary>Whether packages that others recommend are installed too, where the distribution knows such a thing.</summary>
    public required bool WithRecommends { get; init; }
    public required ImmutableArray<SourceTree> SkeletonTrees { get; init; }
    public required ImmutableArray<SourceTree> ExtraTrees { get; init; }

    /// <summary>Seconds since 1970. Null: the newest build date among the locked packages.</summary>
    public required long? SourceDateEpoch { get; init; }

    /// <summary>Absolute paths of programs, in their order.</summary>
    public required ImmutableArray<string> PostInstallationScripts { get; init; }

    /// <inheritdoc cref="PostInstallationScripts"/>
    public required ImmutableArray<string> FinalizeScripts { get; init; }

    public required Feature Bootable { get; init; }
    public required Bootloader Bootloader { get; init; }
    public required UnifiedKernelImages UnifiedKernelImages { get; init; }

    /// <summary>Files that replace the built-in initrd, in this order; empty for that.</summary>
    public required ImmutableArray<string> Initrds { get; init; }

    /// <summary>Words, in order.</summary>
    public required ImmutableArray<string> KernelCommandLine { get; init; }

    public required string? Locale { get; init; }
    public required string? LocaleMessages { get; init; }
    public required string? Keymap { get; init; }
    public required string? Timezone { get; init; }
    public required string? Hostname { get; init; }

    /// <summary>The hash as it stands in /etc/shadow; "" for no password; null for a locked account.</summary>
    public required string? RootPassword { get; init; }

    public required string? RootShell { get; init; }

    /// <summary>Null: the file says "uninitialized".</summary>
    public required Guid? MachineId { get; init; }

    public required bool Autologin { get; init; }

    public required bool Checksum { get; init; }

    public required ImmutableArray<SourceTree> SandboxTrees { get; init; }

    /// <summary>For hooks and scripts: EnvironmentFiles= and over them Environment=, by name.</summary>
    public required ImmutableSortedDictionary<string, string> Environment { get; init; }

    public required ImmutableArray<string> EnvironmentFiles { get; init; }
    public required MkfsOptions MkfsOptions { get; init; }
    public required Proxy Proxy { get; init; }

    /// <summary>Not wrong, but not as it should be written.</summary>
    public required ImmutableArray<Diagnostic> Warnings { get; init; }

    /// <summary>The path of the main output.</summary>
    public string OutputPath => Path.Join(OutputDirectory, Output + FormatExtension + CompressionExtension);

    private string FormatExtension => Format switch
    {
        OutputFormat.Disk => ".raw",
        OutputFormat.Cpio => ".cpio",
        OutputFormat.Tar => ".tar",
        _ => "",
    };

    private string CompressionExtension => (Format, CompressOutput) switch
    {
        (OutputFormat.Directory, _) => "",
        (_, Compression.Zstd) => ".zst",
        (_, Compression.Gz) => ".gz",
        _ => "",
    };

    /// <summary>A path as the user would write it: relative within the configuration's directory.</summary>
    internal string Relative(string path)
    {
        string relative = Path.GetRelativePath(Directory, path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
    }

    internal IEnumerable<string> Relative(ImmutableArray<string> paths) => paths.Select(Relative);

    internal IEnumerable<string> Relative(ImmutableArray<SourceTree> trees) =>
        trees.Select(tree => tree.Target == "/" ? Relative(tree.Source) : $"{Relative(tree.Source)}:{tree.Target}");
}
