using System.Text;
using Diecast.Trees;

namespace Diecast.Boot;

/// <summary>Looks up files in a tree the way a process with the tree as its root would.</summary>
internal static class TreeFiles
{
    // As the kernel has it.
    private const int MaximumLinks = 40;
    private const int MaximumText = 64 << 20;

    /// <summary>
    /// The canonical path of a file ("usr/lib/os-release") behind all links, or null where it does not exist.
    /// <paramref name="links"/> gets the paths of the links that were followed.
    /// </summary>
    public static string? Resolve(FileTree tree, string path, ICollection<string>? links = null)
    {
        var pending = new Stack<string>(Components(path).Reverse());
        var done = new List<(string Name, Node Node)>();
        for (int followed = 0; pending.TryPop(out string? name);)
        {
            if (name == "..")
            {
                done.RemoveRange(Math.Max(0, done.Count - 1), Math.Min(1, done.Count));
                continue;
            }
            var parent = done.Count == 0 ? tree.Root : done[^1].Node;
            var node = (parent as DirectoryNode)?.Find(new FileName(Encoding.Latin1.GetBytes(name)));
            if (node is null)
            {
                return null;
            }
            if (node is not SymlinkNode link)
            {
                done.Add((name, node));
                continue;
            }
            if (++followed > MaximumLinks)
            {
                return null;
            }
            links?.Add(string.Join('/', done.Select(static step => step.Name).Append(name)));
            string target = Encoding.Latin1.GetString(link.Target.AsSpan());
            if (target.StartsWith('/'))
            {
                done.Clear();
            }
            foreach (string part in Components(target).Reverse())
            {
                pending.Push(part);
            }
        }
        return string.Join('/', done.Select(static step => step.Name));
    }

    /// <summary>The node at a path behind all links, or null. Paths are Latin-1: a byte a character.</summary>
    public static Node? Find(FileTree tree, string path) =>
        Resolve(tree, path) is { } resolved ? tree.Find(Encoding.Latin1.GetBytes(resolved)) : null;

    /// <summary>The text of a file behind all links, or null where there is no such file.</summary>
    /// <exception cref="InvalidDataException">It has more than 64 MiB.</exception>
    public static string? ReadText(FileTree tree, string path)
    {
        if (Find(tree, path) is not FileNode file)
        {
            return null;
        }
        if (file.Content.Length > MaximumText)
        {
            throw new InvalidDataException($"/{path} has more than {MaximumText} bytes");
        }
        return Encoding.UTF8.GetString(file.Content.ReadBytes(0, (int)file.Content.Length));
    }

    private static IEnumerable<string> Components(string path) =>
        path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(static part => part != ".");
}
