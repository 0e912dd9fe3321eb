using Diecast.Trees;

namespace Diecast.Build.Partitioning;

/// <summary>A directory of the host that partitions are filled from.</summary>
public sealed class SourceDirectory
{
    private static readonly string[] s_osRelease = ["/etc", "/etc/os-release", "/usr", "/usr/lib", "/usr/lib/os-release"];

    private readonly byte[] _path;

    /// <exception cref="PosixException">It cannot be opened.</exception>
    public SourceDirectory(string path)
    {
        _path = Posix.Bytes(path);
        Posix.OpenAt(Posix.AT_FDCWD, _path, Posix.O_RDONLY | Posix.O_DIRECTORY).Dispose();
    }

    /// <summary>A tree with nothing in it.</summary>
    public static FileTree Nothing { get; } = new(new DirectoryNode(new Metadata(0x1ED, 0, 0, new Timestamp(0)), []));

    /// <summary>A tree of the os-release file and what leads to it.</summary>
    /// <exception cref="PosixException">Something cannot be read.</exception>
    public FileTree ReadOsRelease() => HostTree.Read(_path, new HostTree.Options
    {
        Include = static path => s_osRelease.Contains(path.ToString()),
    });

    /// <summary>
    /// The tree. What is below the mount points of the kernel's file systems, and in directories for temporary files, is
    /// never copied; it is not even read, unless a definition copies from there by name.
    /// </summary>
    /// <exception cref="PosixException">Something cannot be read.</exception>
    /// <exception cref="OperationCanceledException">Between two files.</exception>
    public FileTree Read(IReadOnlyList<PartitionDefinition> definitions, CancellationToken cancellation = default)
    {
        var sources = definitions
            .SelectMany(static d => d.CopyFiles.Select(static line => line.Source).Append(d.CopyBlocks ?? "/")).ToList();
        var skipped = Exclusions.MountedOver
            .Where(directory => !sources.Any(source => $"{source}/".StartsWith($"{directory}/", StringComparison.Ordinal))).ToList();
        return HostTree.Read(_path, new HostTree.Options
        {
            Include = path =>
            {
                cancellation.ThrowIfCancellationRequested();
                return path.Parent is not { Parent: null or { Parent: null } } parent || !skipped.Contains(parent.ToString());
            },
        });
    }
}
