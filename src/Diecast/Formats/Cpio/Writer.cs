using Diecast.Binary;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Cpio;

/// <summary>
/// Writes a tree as a newc archive: members in the order of <see cref="FileTree.Walk"/>, inode numbers from 1 in that
/// order, hard links one after the other with the content at the last, as the kernel wants it. The format has whole
/// seconds from 1970 to 2106 and no extended attributes: nanoseconds are cut off, other times become the nearest one,
/// attributes are left out. The files' contents are referenced.
/// </summary>
public static class CpioWriter
{
    /// <summary>Everything that keeps the tree from being written; empty where it can be.</summary>
    public static IReadOnlyList<string> Check(FileTree tree) =>
        [.. tree.Walk().Where(static entry => entry.Node is FileNode { Content.Length: > uint.MaxValue })
            .Select(static entry => $"{entry}: a cpio archive cannot hold a file of 4 GiB or more")];

    /// <summary>The archive, padded to 512 bytes. The tree is one that <see cref="Check"/> let pass.</summary>
    public static Image Write(FileTree tree)
    {
        var members = tree.Walk().ToList();
        var links = new Dictionary<Node, Links>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < members.Count; i++)
        {
            var first = links.TryGetValue(members[i].Node, out var known) ? known : new Links((uint)links.Count + 1, 0, i);
            links[members[i].Node] = first with { Count = first.Count + 1, LastIndex = i };
        }
        var builder = new ImageBuilder();
        long position = 0;
        for (int i = 0; i < members.Count; i++)
        {
            position = Place(builder, position, members[i], links[members[i].Node], i);
        }
        byte[] trailer = Header(new CpioHeader { Links = 1 }, CpioHeader.Trailer);
        builder.Place(position, trailer, "cpio trailer");
        return builder.Build((position + trailer.Length).AlignUp(CpioHeader.BlockSize));
    }

    private readonly record struct Links(uint Inode, uint Count, int LastIndex);

    private static long Place(ImageBuilder builder, long position, TreeEntry entry, Links links, int index)
    {
        var node = entry.Node;
        var content = node switch
        {
            FileNode file when links.LastIndex == index => file.Content,
            SymlinkNode symlink => new MemoryBlob(symlink.Target.AsMemory()),
            _ => Blob.Empty,
        };
        var device = node as DeviceNode;
        byte[] path = entry.Path?.ToBytes()[1..] ?? [(byte)'.'];
        byte[] header = Header(new CpioHeader
        {
            Inode = links.Inode,
            Mode = (uint)node.Type.ToModeBits() | node.Metadata.Mode,
            Uid = node.Metadata.Uid,
            Gid = node.Metadata.Gid,
            Links = node is DirectoryNode directory ? 2 + (uint)directory.Entries.Count(static e => e.Node is DirectoryNode) : links.Count,
            Mtime = (uint)Math.Clamp(node.Metadata.Mtime.Seconds, 0, uint.MaxValue),
            FileSize = (uint)content.Length,
            RdevMajor = device?.Major ?? 0,
            RdevMinor = device?.Minor ?? 0,
        }, path);
        builder.Place(position, header, new Label("cpio header", entry));
        position += header.Length;
        builder.Place(position, content, new Label("file", entry));
        return (position + content.Length).AlignUp(CpioHeader.Alignment);
    }

    /// <summary>The header with the name and its padding; a member's header starts at a multiple of four.</summary>
    private static byte[] Header(CpioHeader header, ReadOnlySpan<byte> name)
    {
        var bytes = new byte[((long)CpioHeader.Size + name.Length + 1).AlignUp(CpioHeader.Alignment)];
        (header with { NameSize = (uint)name.Length + 1 }).ToBytes().CopyTo(bytes, 0);
        name.CopyTo(bytes.AsSpan(CpioHeader.Size));
        return bytes;
    }
}
