using System.Text;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Boot;

/// <summary>
/// Chooses the modules of a kernel that an initrd carries. A pattern without a slash is compared with the modules' names
/// ("virtio_*", where "-" and "_" are the same), one with a slash with their paths below the kernel's directory
/// ("drivers/nvme/": all in it). A leading "-" takes modules out again; the last pattern that matches decides.
/// </summary>
public static class KernelModules
{
    private const string Firmware = "usr/lib/firmware";

    /// <summary>The chosen modules with all that they need, their firmware, and depmod's files: the paths, sorted.</summary>
    /// <param name="tree">The image's tree, after depmod has run.</param>
    /// <param name="version">The kernel's: the name of its directory below usr/lib/modules.</param>
    /// <param name="patterns">See the class; <see cref="InitrdModules.Default"/> is made for common machines.</param>
    /// <exception cref="InvalidDataException">depmod's files are missing or malformed, or a module is damaged.</exception>
    public static IReadOnlyList<string> Select(FileTree tree, string version, IEnumerable<string> patterns)
    {
        string directory = $"usr/lib/modules/{version}";
        var index = ModuleIndex.Read(tree, directory);
        var rules = patterns.Select(static pattern => new Rule(pattern)).ToList();
        var wanted = index.Paths.Where(module => IsWanted(rules, module.Value)).Select(static module => module.Key);
        var modules = index.Closure(wanted).Select(name => $"{directory}/{index.Paths[name]}").ToList();
        var paths = new SortedSet<string>(modules, StringComparer.Ordinal);
        foreach (string path in FirmwareFor(tree, modules))
        {
            paths.Add(path);
        }
        foreach (var entry in ((DirectoryNode)TreeFiles.Find(tree, directory)!).Entries)
        {
            if (entry.Node is FileNode && entry.Name.Bytes.StartsWith("modules."u8))
            {
                paths.Add($"{directory}/{Encoding.Latin1.GetString(entry.Name.Bytes)}");
            }
        }
        return [.. paths];
    }

    /// <summary>The tree of those paths and the directories that lead to them.</summary>
    /// <inheritdoc cref="Select" path="/exception"/>
    public static FileTree SelectTree(FileTree tree, string version, IEnumerable<string> patterns)
    {
        var builder = new TreeBuilder(tree.Root.Metadata);
        foreach (string path in Select(tree, version, patterns))
        {
            for (int slash = path.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = path.IndexOf('/', slash + 1))
            {
                byte[] parent = Encoding.Latin1.GetBytes(path[..slash]);
                if (builder.Find(parent) is null && tree.Find(parent) is { } node)
                {
                    builder.AddDirectory(parent, node.Metadata);
                }
            }
            byte[] bytes = Encoding.Latin1.GetBytes(path);
            builder.Add(bytes, tree.Find(bytes) ?? throw new InvalidDataException($"/{path} is named by depmod's files but does not exist"));
        }
        return builder.Build();
    }

    private readonly struct Rule
    {
        private readonly string _pattern;
        private readonly bool _isPath;

        public Rule(string pattern)
        {
            IsNegative = pattern.StartsWith('-');
            string positive = IsNegative ? pattern[1..] : pattern;
            _isPath = positive.Contains('/', StringComparison.Ordinal);
            _pattern = positive.Trim('/').Replace('-', '_');
            // In a class "-" is a range.
            if (positive.Contains('[', StringComparison.Ordinal))
            {
                _pattern = positive.Trim('/');
            }
        }

        public bool IsNegative { get; }

        /// <param name="path">"drivers/nvme/host/nvme.ko.zst".</param>
        public bool Matches(string path)
        {
            string normal = path.Replace('-', '_');
            if (!_isPath)
            {
                return PathGlob.Matches(_pattern, ModuleIndex.NameOf(normal));
            }
            // The pattern may be the module itself or one of the directories above it.
            int slashes = _pattern.AsSpan().Count('/');
            int end = 0;
            for (int i = 0; i <= slashes; i++)
            {
                end = normal.IndexOf('/', end + 1);
                if (end < 0)
                {
                    end = normal.Length;
                    break;
                }
            }
            string start = normal[..end];
            int suffix = start.LastIndexOf(".ko", StringComparison.Ordinal);
            return PathGlob.Matches(_pattern, start) || (suffix >= 0 && end == normal.Length && PathGlob.Matches(_pattern, start.AsSpan(0, suffix)));
        }
    }

    private static bool IsWanted(List<Rule> rules, string path)
    {
        string relative = path.StartsWith("kernel/", StringComparison.Ordinal) ? path["kernel/".Length..] : path;
        for (int i = rules.Count - 1; i >= 0; i--)
        {
            if (rules[i].Matches(relative))
            {
                return !rules[i].IsNegative;
            }
        }
        return false;
    }

    /// <summary>The firmware that modules name, where the tree has it, compressed or not, with the links that lead to it.</summary>
    private static SortedSet<string> FirmwareFor(FileTree tree, List<string> modules)
    {
        string[] files = [.. FirmwareFiles(tree)];
        if (files.Length == 0)
        {
            return [];
        }
        var names = new IReadOnlyList<string>[modules.Count];
        AllProcessors.For(modules.Count, i => names[i] = TreeFiles.Find(tree, modules[i]) is FileNode module
            ? FirmwareOf(module.Content, modules[i])
            : throw new InvalidDataException($"/{modules[i]} is named by depmod's files but does not exist"));
        var found = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string name in names.SelectMany(static list => list).Distinct(StringComparer.Ordinal))
        {
            foreach (string file in Matching(files, name))
            {
                if (TreeFiles.Resolve(tree, $"{Firmware}/{file}", found) is { } target && tree.Find(Encoding.Latin1.GetBytes(target)) is FileNode)
                {
                    found.Add(target);
                }
            }
        }
        return found;
    }

    private static IReadOnlyList<string> FirmwareOf(Blob content, string path)
    {
        try
        {
            return ModuleInfo.FirmwareOf(content);
        }
        catch (InvalidDataException exception)
        {
            throw new InvalidDataException($"/{path}: {exception.Message}", exception);
        }
    }

    private static IEnumerable<string> Matching(string[] files, string name)
    {
        if (name.AsSpan().ContainsAny('*', '?', '['))
        {
            return files.Where(file => PathGlob.Matches(name, file) || PathGlob.Matches(name, Uncompressed(file)));
        }
        return ((string[])[name, name + ".xz", name + ".zst"]).Where(file => Array.BinarySearch(files, file, StringComparer.Ordinal) >= 0);
    }

    private static string Uncompressed(string file) =>
        file.EndsWith(".xz", StringComparison.Ordinal) ? file[..^3] : file.EndsWith(".zst", StringComparison.Ordinal) ? file[..^4] : file;

    /// <summary>The paths below usr/lib/firmware of all that is no directory, sorted; behind linked directories too.</summary>
    private static SortedSet<string> FirmwareFiles(FileTree tree)
    {
        const int maximumDepth = 8;
        var files = new SortedSet<string>(StringComparer.Ordinal);
        Add(TreeFiles.Find(tree, Firmware), "", 0);
        return files;

        void Add(Node? node, string path, int depth)
        {
            foreach (var entry in depth < maximumDepth ? (node as DirectoryNode)?.Entries ?? [] : [])
            {
                string name = path + Encoding.Latin1.GetString(entry.Name.Bytes);
                var target = entry.Node is SymlinkNode ? TreeFiles.Find(tree, $"{Firmware}/{name}") : entry.Node;
                if (target is DirectoryNode)
                {
                    Add(target, name + "/", depth + 1);
                }
                else
                {
                    files.Add(name);
                }
            }
        }
    }
}
