using CsCheck;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Tests.Support;

/// <summary>Trees for the archive formats' tests.</summary>
internal static class SampleTrees
{
    private static readonly Timestamp s_time = new(1_600_000_000, 123_456_789);

    /// <summary>A tree with every type of node, hard links, long and odd names, attributes and unusual times.</summary>
    public static FileTree Everything()
    {
        var builder = new TreeBuilder(new Metadata(0x1ED, 0, 0, new Timestamp(1_600_000_000)));
        builder.AddDirectory("/", new Metadata(0x1C0, 7, 8, new Timestamp(1)));
        builder.AddDirectory("dir", new Metadata(0x3FF, 1000, 4_000_000_000, s_time));
        builder.AddFile("dir/" + new string('n', 200), new Metadata(0x1A4, 0, 0, new Timestamp(-1)), "long name"u8.ToArray());
        builder.AddFile(string.Join('/', Enumerable.Repeat(new string('p', 60), 3)) + "/prefix", new Metadata(0x1A4, 0, 0, s_time), "p"u8.ToArray());
        var file = new FileNode(new Metadata(0x9ED, 0, 42, new Timestamp(10_000_000_000))
        {
            Xattrs =
            [
                Xattr.Create("security.capability"u8, [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
                Xattr.Create("user.a=b%c"u8, []),
                Xattr.Create("user.text"u8, "value\n=\xff"u8),
            ],
        }, new MemoryBlob("content"u8.ToArray()));
        builder.Add("file"u8, file);
        builder.Add("z/hardlink"u8, file);
        builder.AddFile("empty", new Metadata(0x180, 0, 0, s_time), ReadOnlyMemory<byte>.Empty);
        builder.AddSymlink("link", new Metadata(0x1FF, 0, 0, s_time), "dir");
        builder.AddSymlink("longlink", new Metadata(0x1FF, 3, 4, s_time), new string('t', 300));
        builder.Add("dev/null"u8, new DeviceNode(new Metadata(0x1B6, 0, 0, s_time), FileType.CharacterDevice, 1, 3));
        builder.Add("dev/sda"u8, new DeviceNode(new Metadata(0x1B0, 0, 6, s_time), FileType.BlockDevice, 259, 1_000_000));
        builder.Add("fifo"u8, new SpecialNode(new Metadata(0x180, 0, 0, s_time), FileType.Fifo));
        builder.Add([0xff, 0xfe, (byte)' '], new FileNode(new Metadata(0x124, 0, 0, s_time), new MemoryBlob("latin"u8.ToArray())));
        builder.Add(Enumerable.Repeat((byte)0xe4, 180).ToArray(), new SymlinkNode(new Metadata(0x1FF, 0, 0, s_time), [0xfc]));
        return builder.Build();
    }

    /// <summary>Random trees of files, directories, links and hard links.</summary>
    public static Gen<FileTree> Random { get; } =
        Gen.Select(Gen.Byte[97, 100].Array[1, 3].Array[1, 4], Gen.Int[0, 5], Gen.Byte.Array[0, 2000], Gen.Int[0, 0xFFF], Gen.Long[-5_000_000_000, 20_000_000_000])
            .Array[0, 25].Select(static items =>
            {
                var builder = new TreeBuilder(new Metadata(0x1ED, 0, 0, default));
                Node? last = null;
                foreach (var (names, kind, content, mode, time) in items)
                {
                    byte[] path = [.. names.SelectMany(static name => (byte[])[(byte)'/', .. name])];
                    var metadata = new Metadata((ushort)mode, (uint)content.Length, (uint)kind, new Timestamp(time, (uint)content.Length));
                    if (LeadsThroughFile(builder, path))
                    {
                        continue;
                    }
                    if (kind == 0)
                    {
                        builder.AddDirectory(path, metadata);
                        continue;
                    }
                    last = kind switch
                    {
                        1 when last is not null => last,
                        2 => new SymlinkNode(metadata, [.. content.Append((byte)1).Select(static b => (byte)(b | 1))]),
                        _ => new FileNode(metadata, new MemoryBlob(content)),
                    };
                    builder.Add(path, last);
                }
                return builder.Build();
            });

    /// <summary>The tree with other metadata; hard links stay.</summary>
    public static FileTree Map(FileTree tree, Func<Metadata, Metadata> map)
    {
        var nodes = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        return new FileTree((DirectoryNode)MapNode(tree.Root));

        Node MapNode(Node node)
        {
            if (!nodes.TryGetValue(node, out var mapped))
            {
                var metadata = map(node.Metadata);
                nodes.Add(node, mapped = node switch
                {
                    DirectoryNode directory => new DirectoryNode(metadata, [.. directory.Entries.Select(e => new DirectoryEntry(e.Name, MapNode(e.Node)))]),
                    FileNode file => new FileNode(metadata, file.Content),
                    SymlinkNode symlink => new SymlinkNode(metadata, symlink.Target),
                    DeviceNode device => new DeviceNode(metadata, device.Type, device.Major, device.Minor),
                    _ => new SpecialNode(metadata, node.Type),
                });
            }
            return mapped;
        }
    }

    private static bool LeadsThroughFile(TreeBuilder builder, byte[] path)
    {
        for (int i = 1; i < path.Length; i++)
        {
            if (path[i] == '/' && builder.Find(path.AsSpan(0, i)) is not null and not DirectoryNode)
            {
                return true;
            }
        }
        return false;
    }
}
