using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Diecast.Images;

namespace Diecast.Trees;

/// <summary>
/// The text form of a tree: one line an entry, in the order of <see cref="FileTree.Walk"/>. It is what golden files
/// hold, what two trees are compared by, and what the digest of a tree is made of.
/// <code>path type mode uid:gid mtime size|target|major:minor [sha256=…] [link=first path] [xattr name=hex …]</code>
/// </summary>
public static class TreeText
{
    public static string Format(FileTree tree) => string.Join("", Lines(tree).Select(static line => line + "\n"));

    /// <summary>The lines, each with all that the tree knows of the entry.</summary>
    public static IEnumerable<string> Lines(FileTree tree)
    {
        var first = new Dictionary<Node, string>(ReferenceEqualityComparer.Instance);
        foreach (var entry in tree.Walk())
        {
            string path = Escape(entry.ToString());
            if (entry.Node is not DirectoryNode && !first.TryAdd(entry.Node, path))
            {
                yield return $"{path} link={first[entry.Node]}";
                continue;
            }
            yield return path + Describe(entry.Node);
        }
    }

    /// <summary>SHA-256 of the text form in UTF-8: equal exactly for equal trees.</summary>
    /// <exception cref="OperationCanceledException">Between two entries.</exception>
    public static byte[] Digest(FileTree tree, CancellationToken cancellation = default)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string line in Lines(tree))
        {
            cancellation.ThrowIfCancellationRequested();
            hash.AppendData(Encoding.UTF8.GetBytes(line));
            hash.AppendData("\n"u8);
        }
        return hash.GetHashAndReset();
    }

    private static string Describe(Node node)
    {
        var metadata = node.Metadata;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture,
            $" {TypeName(node.Type)} {Convert.ToString(metadata.Mode, 8).PadLeft(4, '0')} {metadata.Uid}:{metadata.Gid} {metadata.Mtime}");
        switch (node)
        {
            case FileNode file:
                text.Append(CultureInfo.InvariantCulture, $" {file.Content.Length} sha256={Convert.ToHexStringLower(ImageFile.Hash(file.Content))}");
                break;
            case SymlinkNode link:
                text.Append(CultureInfo.InvariantCulture, $" {Escape(FileName.Display(link.Target.AsSpan()))}");
                break;
            case DeviceNode device:
                text.Append(CultureInfo.InvariantCulture, $" {device.Major}:{device.Minor}");
                break;
        }
        foreach (var xattr in metadata.Xattrs)
        {
            text.Append(CultureInfo.InvariantCulture,
                $" {Escape(FileName.Display(xattr.Name.AsSpan()))}={Convert.ToHexStringLower(xattr.Value.AsSpan())}");
        }
        return text.ToString();
    }

    private static string TypeName(FileType type) => type switch
    {
        FileType.Regular => "file",
        FileType.Directory => "dir",
        FileType.Symlink => "symlink",
        FileType.CharacterDevice => "char",
        FileType.BlockDevice => "block",
        FileType.Fifo => "fifo",
        _ => "socket",
    };

    // A blank would end the field.
    private static string Escape(string text) => text.Replace(" ", "\\x20", StringComparison.Ordinal);
}
