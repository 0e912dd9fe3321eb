using Diecast.Trees;

namespace Diecast.Build.Partitioning;

/// <summary>
/// What one CopyFiles line leaves out. As in systemd-repart the exclusions are of nodes, not of paths: a file is left out
/// under all its names, and links are followed to what is meant.
/// </summary>
internal sealed class Exclusions
{
    /// <summary>Where the kernel's file systems are mounted, and temporary files are: their contents are never copied.</summary>
    public static readonly string[] MountedOver = ["/proc", "/sys", "/dev", "/tmp", "/run", "/var/tmp"];

    private enum Kind
    {
        None,
        Content,
        Node,
    }

    private readonly Dictionary<Node, Kind> _nodes = new(ReferenceEqualityComparer.Instance);
    private readonly FileTree _source;

    private Exclusions(FileTree source) => _source = source;

    /// <summary>The exclusions, or null if the line as a whole is left out.</summary>
    public static Exclusions? For(
        FileTree source, PartitionDefinition definition, CopyFiles line, IEnumerable<PartitionDefinition> allDefinitions)
    {
        var exclusions = new Exclusions(source);
        foreach (string path in MountedOver)
        {
            exclusions.Add(path, Kind.Content);
        }
        foreach (string path in definition.ExcludeFiles)
        {
            if (Below(line.Source, path) is not null)
            {
                return null;
            }
            exclusions.AddConfigured(path, path);
        }
        foreach (string path in definition.ExcludeFilesTarget)
        {
            if (Below(line.Target, path) is not null)
            {
                return null;
            }
            if (Below(path, line.Target) is { } rest)
            {
                exclusions.AddConfigured($"{line.Source}/{rest}", path);
            }
        }
        if (definition.KnownType?.Designator == "root" && line.Target == "/")
        {
            // What other partitions of the disk, or the kernel's file systems, are mounted over.
            var mountPoints = allDefinitions
                .Where(static other => other.KnownType is { Designator: not "root" }).SelectMany(static other => other.KnownType!.MountPoints);
            foreach (string path in mountPoints.Concat(MountedOver))
            {
                exclusions.Add($"{line.Source}/{path}", Kind.Content);
            }
        }
        return exclusions;
    }

    /// <summary>Whether the node does not come at all.</summary>
    public bool Excludes(Node node) => _nodes.GetValueOrDefault(node) == Kind.Node;

    /// <summary>Whether the directory comes, if it does, without what is in it.</summary>
    public bool ExcludesContent(DirectoryNode directory) => _nodes.GetValueOrDefault(directory) != Kind.None;

    private void AddConfigured(string path, string configured) =>
        Add(path, configured.EndsWith('/') ? Kind.Content : Kind.Node);

    private void Add(string path, Kind kind)
    {
        if (TreeLookup.Resolve(_source, path)?.Node is { } node)
        {
            _nodes.TryAdd(node, kind);
        }
    }

    /// <summary>What is left of a path after a prefix of it, or null if it is none.</summary>
    private static string? Below(string path, string prefix)
    {
        string directory = prefix.TrimEnd('/') + "/";
        return path == prefix.TrimEnd('/') || path + "/" == directory ? ""
            : path.StartsWith(directory, StringComparison.Ordinal) ? path[directory.Length..] : null;
    }
}
