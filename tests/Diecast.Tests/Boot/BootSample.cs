using System.Buffers.Binary;
using System.Text;
using Diecast.Trees;

namespace Diecast.Tests.Boot;

/// <summary>A small image's tree with what booting needs.</summary>
internal static class BootSample
{
    public static readonly Timestamp Epoch = new(1_600_000_000);
    public static readonly Metadata Meta = new(0x1A4, 0, 0, new Timestamp(1_500_000_000));
    private static readonly Metadata s_directory = new(0x1ED, 0, 0, new Timestamp(1_500_000_001));

    public static FileTree Tree(params (string Path, string Content)[] files)
    {
        var builder = new TreeBuilder(s_directory);
        foreach (var (path, content) in files)
        {
            // "->target" makes a link.
            if (content.StartsWith("->", StringComparison.Ordinal))
            {
                builder.AddSymlink(path, Meta, content[2..]);
            }
            else
            {
                builder.AddFile(path, Meta, Encoding.Latin1.GetBytes(content));
            }
        }
        return builder.Build();
    }

    public static IEnumerable<string> Paths(FileTree tree) => tree.Walk().Where(static e => e.Path is not null).Select(static e => e.ToString()[1..]);

    public static string? Text(FileTree tree, string path) =>
        tree.Find(path) is FileNode file ? Encoding.Latin1.GetString(file.Content.ReadBytes(0, (int)file.Content.Length)) : null;

    /// <summary>An ELF file that has nothing but a section .modinfo, which names firmware.</summary>
    public static string Module(params string[] firmware)
    {
        byte[] info = Encoding.Latin1.GetBytes("license=GPL\0" + string.Concat(firmware.Select(static name => $"firmware={name}\0")));
        byte[] names = "\0.modinfo\0.shstrtab\0"u8.ToArray();
        var elf = new byte[64 + info.Length + names.Length + 3 * 64];
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(elf);
        int table = elf.Length - 3 * 64;
        BinaryPrimitives.WriteInt64LittleEndian(elf.AsSpan(0x28), table);
        BinaryPrimitives.WriteInt16LittleEndian(elf.AsSpan(0x3c), 3);
        BinaryPrimitives.WriteInt16LittleEndian(elf.AsSpan(0x3e), 2);
        info.CopyTo(elf.AsSpan(64));
        names.CopyTo(elf.AsSpan(64 + info.Length));
        Section(1, 1, 64, info.Length);
        Section(2, 10, 64 + info.Length, names.Length);
        return Encoding.Latin1.GetString(elf);

        void Section(int index, int name, long offset, long size)
        {
            var header = elf.AsSpan(table + index * 64);
            BinaryPrimitives.WriteInt32LittleEndian(header, name);
            BinaryPrimitives.WriteInt64LittleEndian(header[0x18..], offset);
            BinaryPrimitives.WriteInt64LittleEndian(header[0x20..], size);
        }
    }
}
