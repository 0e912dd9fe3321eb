using System.Text;
using Diecast.Formats;
using Diecast.Formats.Cpio;
using Diecast.Formats.Ext4;
using Diecast.Formats.Fat;
using Diecast.Formats.Gpt;
using Diecast.Images;
using Diecast.Tests.Formats.Uki;
using Diecast.Trees;

namespace Diecast.Tests.Inspect;

/// <summary>A small disk: an ESP with a unified kernel image whose initrd is packed, and a root file system.</summary>
internal static class ImageSamples
{
    public static readonly Metadata Plain = new(0x1A4, 0, 0, new Timestamp(1_600_000_000));

    public static readonly Guid RootId = new("9a914a15-37a6-422c-a924-0380869e7ede");

    private static readonly Guid s_esp = new("c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
    private static readonly Guid s_root = new("4f68bce3-e8cd-4db1-96e7-fbcaf984b709");

    public static FileTree Tree(params (string Path, string Content)[] files)
    {
        var builder = new TreeBuilder(Plain with { Mode = 0x1ED });
        foreach (var (path, content) in files)
        {
            builder.AddFile(path, Plain, Encoding.UTF8.GetBytes(content));
        }
        return builder.Build();
    }

    public static byte[] Bytes(Blob blob) => blob.ReadBytes(0, (int)blob.Length);

    public static string Text(Blob blob) => Encoding.UTF8.GetString(Bytes(blob));

    public static Blob Cpio(params (string Path, string Content)[] files) => CpioWriter.Write(Tree(files));

    public static Blob Join(params Blob[] blobs) => new MemoryBlob(blobs.SelectMany(Bytes).ToArray());

    /// <summary>As an initrd mostly is: microcode in the clear, the rest packed.</summary>
    public static Blob Initrd(string init = "#!") => Join(
        Cpio(("kernel/x86/microcode/x.bin", "microcode")),
        Compressor.Compress(Cpio(("usr/lib/os-release", "ID=inner\n"), ("init", init)), Compression.Zstd, 3));

    public static Blob Kernel(string init = "#!") => new MemoryBlob(PeSample.Make(true, 0x600, (".osrel", "ID=outer\nPRETTY_NAME=\"Outer OS\"\n"u8.ToArray()),
        (".cmdline", "quiet\n"u8.ToArray()), (".uname", "6.1.0"u8.ToArray()), (".linux", "kernel"u8.ToArray()), (".initrd", Bytes(Initrd(init)))));

    public static FileTree Root()
    {
        var builder = new TreeBuilder(Plain with { Mode = 0x1ED });
        builder.AddFile("etc/passwd", Plain, "root:x:0:0::/root:/bin/sh\n"u8.ToArray());
        builder.AddFile("etc/a:b", Plain, "colon"u8.ToArray());
        builder.AddFile("etc/a\u0007b", Plain, "bell"u8.ToArray());
        builder.AddFile("etc/x\\x2dy", Plain, "backslash"u8.ToArray());
        builder.AddSymlink("etc/link", Plain with { Mode = 0x1FF }, "/etc/../../../etc/passwd");
        builder.AddSymlink("lib", Plain with { Mode = 0x1FF }, "usr/lib");
        builder.AddSymlink("loop", Plain with { Mode = 0x1FF }, "loop");
        builder.AddFile("usr/lib/os-release", Plain with { Uid = 70000, Mtime = new Timestamp(1_600_000_001, 123_456_789) }, "ID=root\n"u8.ToArray());
        return builder.Build();
    }

    public static FileSystemOptions Options(long size) => new()
    {
        Uuid = new Guid("6de632fe-7638-44c4-917c-ecf4170af3b4"), Epoch = new Timestamp(1_600_000_000), Size = size,
    };

    /// <param name="root">Of the root file system.</param>
    /// <param name="kernel">The unified kernel image.</param>
    /// <param name="rootNumber">The place of the root partition in the table.</param>
    /// <param name="grown">How much longer than 4 MiB the root partition and its file system are, and the disk with them.</param>
    public static Image Disk(FileTree? root = null, Blob? kernel = null, int rootNumber = 2, long grown = 0)
    {
        var esp = new TreeBuilder(Plain with { Mode = 0x1ED });
        esp.AddFile("EFI/Linux/x.efi", Plain, kernel ?? Kernel());
        var fat = new FatFormat().Write(esp.Build(), Options(4 << 20));
        var ext4 = new Ext4Format().Write(root ?? Root(), Options((4 << 20) + grown));
        return GptWriter.Write(
            new PartitionTable
            {
                DiskId = new Guid("0e9a6fe0-68f6-408c-bbeb-136054d20445"), SectorSize = 512, Length = (16 << 20) + grown,
                Partitions =
                [
                    new PartitionEntry { Number = 1, Type = s_esp, Id = new Guid("cb96a8e9-addc-4be7-b68e-69b6d1ea59cb"), Offset = 1 << 20, Length = 4 << 20, Name = "system" },
                    new PartitionEntry { Number = rootNumber, Type = s_root, Id = RootId, Offset = 5 << 20, Length = (4 << 20) + grown, Name = "first: root", Attributes = PartitionAttributes.GrowFileSystem | PartitionAttributes.ReadOnly | (PartitionAttributes)(1ul << 50) },
                    new PartitionEntry { Number = 5, Type = s_root, Id = new Guid("00000000-0000-0000-0000-000000000005"), Offset = (9 << 20) + grown, Length = 1 << 20, Name = "other" },
                ],
            },
            partition => partition.Number == 1 ? fat : partition.Number == rootNumber ? ext4 : Blob.Empty);
    }
}
