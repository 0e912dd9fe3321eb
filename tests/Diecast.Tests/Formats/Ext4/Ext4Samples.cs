using Diecast.Formats;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Ext4;

/// <summary>Trees that have one of everything.</summary>
internal static class Ext4Samples
{
    public static readonly Timestamp Epoch = new(1_662_046_009);

    public static readonly FileSystemOptions Options = new()
    {
        Uuid = Guid.Parse("6de632fe-7638-44c4-917c-ecf4170af3b4"),
        HashSeed = Guid.Parse("a24031c1-fc68-453d-80fa-00ad057a5780"),
        Epoch = Epoch,
        Label = "root-x86-64",
    };

    public static readonly Metadata Directory = new(0x1ED, 0, 0, new Timestamp(1_600_000_000, 123_456_789));

    public static readonly Metadata File = new(0x1A4, 1000, 100_000, new Timestamp(1_500_000_000, 999_999_999));

    /// <summary>lost+found as the writer makes it, so that what is read back is what was written.</summary>
    public static TreeBuilder NewBuilder()
    {
        var builder = new TreeBuilder(Directory);
        builder.AddDirectory("lost+found", new Metadata(0x1C0, 0, 0, Epoch));
        return builder;
    }

    public static Metadata WithXattrs(this Metadata metadata, params (string Name, byte[] Value)[] xattrs) =>
        metadata with { Xattrs = [.. xattrs.Select(static x => Xattr.Create(Posix.Bytes(x.Name), x.Value))] };

    /// <summary>Bytes that look like data, repeatable.</summary>
    public static byte[] Bytes(int length, int seed = 1)
    {
        var bytes = new byte[length];
        uint state = (uint)seed * 2654435761 + 1;
        for (int i = 0; i < length; i++)
        {
            state = state * 1664525 + 1013904223;
            bytes[i] = (byte)(state >> 24 | 1);
        }
        return bytes;
    }

    /// <summary>A blob with data blocks of 4 KiB at some places and zeros between.</summary>
    public static Blob Sparse(long length, params long[] dataBlocks)
    {
        var builder = new ImageBuilder();
        foreach (long block in dataBlocks)
        {
            builder.Place(block * 4096, Bytes((int)Math.Min(4096, length - block * 4096), (int)block + 7), "data");
        }
        return builder.Build(length);
    }

    /// <summary>u::rw-,u:1000:r--,g::r--,m::rw-,o::r-- in the form of the system call.</summary>
    public static readonly byte[] Acl = Convert.FromHexString(
        "02000000" + "01000600ffffffff" + "02000400e8030000" + "04000400ffffffff" + "10000600ffffffff" + "20000400ffffffff");

    public static readonly byte[] Capability = Convert.FromHexString("0100000200200000000000000000000000000000");

    public static FileTree Everything(int names = 700)
    {
        var builder = NewBuilder();
        AddEverything(builder, names);
        return builder.Build();
    }

    public static void AddEverything(TreeBuilder builder, int names)
    {
        builder.AddFile("empty", File, Array.Empty<byte>());
        builder.AddFile("bin/tool", File with { Mode = 0x9ED }, Bytes(200_000));
        builder.AddFile("bin/ping", (File with { Mode = 0x1ED }).WithXattrs(("security.capability", Capability)), Bytes(5000, 2));
        builder.AddFile("acl", File.WithXattrs(("system.posix_acl_access", Acl)), Bytes(1));
        builder.AddDirectory("shared", (Directory with { Mode = 0x5FF }).WithXattrs(("system.posix_acl_default", Acl)));
        builder.AddDirectory("tmp", Directory with { Mode = 0x3FF });
        builder.AddFile("attributes", File.WithXattrs(
            ("user.a", []), ("user.b", Bytes(40)), ("user.long-name", Bytes(900)), ("trusted.c", Bytes(3)),
            ("trusted.d", Bytes(1000, 5)), ("user.\u00e9", Bytes(1500, 6))), Bytes(10));
        builder.AddFile("sparse", File, Sparse(100_000_003, 0, 1, 5000, 24_414));
        builder.AddFile("holes", File, Sparse(1 << 26));
        builder.AddSymlink("link59", File with { Mode = 0x1FF }, new string('a', 59));
        builder.AddSymlink("link60", File with { Mode = 0x1FF }, new string('b', 60));
        builder.AddSymlink("link4095", File with { Mode = 0x1FF }, new string('c', 4095));
        builder.AddFile("old", File with { Mtime = new Timestamp(-1, 999_999_999) }, Bytes(3));
        builder.AddFile("older", File with { Mtime = new Timestamp(int.MinValue) }, Bytes(3));
        builder.AddFile("late", File with { Mtime = new Timestamp(int.MaxValue + 1L, 5) }, Bytes(3));
        builder.AddFile("latest", File with { Mtime = new Timestamp(int.MaxValue + (3L << 32), 7) }, Bytes(3));
        builder.Add("dev/null", new DeviceNode(File with { Mode = 0x1B6 }, FileType.CharacterDevice, 1, 3));
        builder.Add("dev/big", new DeviceNode(File, FileType.BlockDevice, 4095, 1_048_575));
        builder.Add("dev/middle", new DeviceNode(File, FileType.BlockDevice, 8, 256));
        builder.Add("dev/whiteout", new DeviceNode(File, FileType.CharacterDevice, 0, 0));
        builder.Add("run/fifo", new SpecialNode(File, FileType.Fifo));
        builder.Add("run/socket", new SpecialNode(File, FileType.Socket));
        var linked = new FileNode(File, new MemoryBlob(Bytes(10_000, 9)));
        builder.Add("a/hard", linked);
        builder.Add("z/hard", linked);
        builder.Add("hard", linked);
        builder.Add([.. "name-\xff\xfe \n"u8], new FileNode(File, new MemoryBlob(Bytes(1))));
        builder.AddFile(new string('n', 255), File, Bytes(2));
        for (int i = 0; i < names; i++)
        {
            builder.AddFile($"many/file-{i:D6}", File, i % 10 == 0 ? Bytes(i + 1, i) : Array.Empty<byte>());
        }
    }
}
