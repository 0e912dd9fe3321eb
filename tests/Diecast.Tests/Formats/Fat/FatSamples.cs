using CsCheck;
using Diecast.Formats;
using Diecast.Formats.Fat;
using Diecast.Images;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Fat;

/// <summary>Trees and helpers that the tests of FAT share.</summary>
internal static class FatSamples
{
    public static FatFormat Format { get; } = new();

    public static FileSystemOptions Options { get; } = new()
    {
        Uuid = new Guid("e7b87c0d-0744-4d52-ad79-a9a7f96ceab0"),
        Epoch = new Timestamp(1_662_046_009),
        Label = "esp",
    };

    public static Metadata Meta(long mtime = 1_662_046_009) => new(0x1ED, 0, 0, new Timestamp(mtime, 5));

    /// <summary>Bytes that differ from place to place and from file to file.</summary>
    public static byte[] Content(int length, int salt)
    {
        var bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            bytes[i] = (byte)((i * 31 + i / 251 + salt * 7) % 253);
        }
        return bytes;
    }

    /// <summary>What an ESP looks like, and every kind of name.</summary>
    public static FileTree Esp()
    {
        var builder = new TreeBuilder(Meta());
        string[] names =
        [
            "EFI/BOOT/BOOTX64.EFI", "EFI/systemd/systemd-bootx64.efi", "EFI/Linux/arch-6.0.efi", "loader/loader.conf",
            "loader/entries.srel", "loader/random-seed", "EMPTY", "lower", "Mixed.Txt", "a b c", "many.dots.in.name", ".hidden",
            "thirteen-char", "twenty-six-characters-long", "exact8ch.ext", "toolong9c.ext", "x.longext", "plus+comma,semi;[=].x",
            "ünïcödé", "日本語のファイル名", "emoji-😀.efi", "longfi~1.txt", "longfilename.txt", "longfilename2.txt", "LONGFI~3.TXT",
            new string('n', 255),
        ];
        for (int i = 0; i < names.Length; i++)
        {
            builder.AddFile(names[i], Meta(1_600_000_000 + i * 86_399), Content(names[i] == "EMPTY" ? 0 : i * i * 137 % 9000 + i, i));
        }
        builder.AddDirectory("EFI/Linux", Meta(1_500_000_001));
        builder.AddDirectory("empty directory", Meta(0));
        builder.AddDirectory("d1/d2/d3/d4/d5", Meta(long.MaxValue / 2));
        return builder.Build();
    }

    /// <summary>What a tree is after a stay on FAT: no owners, two-second times, no time of the root, 0755 and 0644.</summary>
    public static FileTree AsFatKeepsIt(FileTree tree) => new(Kept(tree.Root, new Timestamp(0)));

    private static DirectoryNode Kept(DirectoryNode directory, Timestamp mtime) =>
        new(new Metadata(0x1ED, 0, 0, mtime), directory.Entries.Select(static entry => new DirectoryEntry(entry.Name,
            entry.Node is DirectoryNode child ? Kept(child, Kept(child.Metadata.Mtime))
                : new FileNode(new Metadata(0x1A4, 0, 0, Kept(entry.Node.Metadata.Mtime)), ((FileNode)entry.Node).Content))));

    private static Timestamp Kept(Timestamp time) => new(Math.Clamp(time.Seconds, 315_532_800, 4_354_819_198) / 2 * 2);

    /// <summary>Writes a tree that <see cref="FatFormat.Check"/> lets pass.</summary>
    public static Image Write(FileTree tree, FileSystemOptions options)
    {
        Assert.Empty(Format.Check(tree, options));
        return Format.Write(tree, options);
    }

    /// <summary>Our reader must see the tree that was written, and fsck.fat nothing to complain of.</summary>
    public static void Verify(FileTree tree, Image image, string file)
    {
        Assert.Equal(TreeText.Format(AsFatKeepsIt(tree)), TreeText.Format(Format.Read(image).Tree));
        ImageFile.Write(image, file);
        Fsck(file);
    }

    public static void Fsck(string file)
    {
        var result = Tool.Run("fsck.fat", "-nv", file);
        Assert.True(result.ExitCode == 0, result.All);
        // With -n it exits with 0 on some of what it would repair.
        foreach (string word in new[] { "wrong", "rror", "differ", "orrected", "ad ", "Reclaim", "nused", "hared", "ontains" })
        {
            string? line = result.All.Split('\n').FirstOrDefault(line => line.Contains(word, StringComparison.Ordinal)
                && !line.StartsWith("Checking for", StringComparison.Ordinal));
            Assert.True(line is null, line);
        }
    }

    /// <summary>Trees of valid names, some of which need tails, with directories in them.</summary>
    public static Gen<FileTree> Trees { get; } = Gen.Select(
        OneOf("a", "B", "file", "FILE.TXT", "long name here", "longer name of a file.conf", "ümläut", "日本", "x.y.z", "😀"),
        Gen.Int[0, 40], OneOf("", "sub/", "sub/deep dir/", "OTHER/"), Gen.Int[0, 20_000], Gen.Long[0, 5_000_000_000])
        .Array[0, 60].Select(static files =>
        {
            var builder = new TreeBuilder(Meta());
            foreach (var (name, number, directory, length, mtime) in files)
            {
                builder.AddFile($"{directory}{name}{number}", Meta(mtime), Content(length, number));
            }
            return builder.Build();
        });

    public static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    /// <summary>Changes an image's bytes at a place.</summary>
    public static Blob Patch(Blob image, long offset, params byte[] bytes)
    {
        byte[] all = image.ReadBytes(0, (int)image.Length);
        bytes.CopyTo(all, offset);
        return new MemoryBlob(all);
    }

    public static string Field(FileSystemView view, string name) => view.Fields.Single(field => field.Name == name).Value;
}
