using CsCheck;
using Diecast.Formats.Ext4;
using Diecast.Images;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Ext4;

public sealed class Ext4ReaderTests
{
    private static readonly Ext4Format s_ext4 = new();

    [Theory]
    [InlineData(null)]
    [InlineData(300L << 20)]
    public void ReadsWhatWasWritten(long? size)
    {
        var tree = Ext4Samples.Everything(3000);
        var image = s_ext4.Write(tree, Ext4Samples.Options with { Size = size });
        Assert.True(s_ext4.Recognizes(image));
        var view = s_ext4.Read(image);
        Assert.Equal(TreeText.Format(tree), TreeText.Format(view.Tree));
        Assert.Contains(view.Fields, static field => field is { Name: "s_uuid", Value: "6de632fe-7638-44c4-917c-ecf4170af3b4" });
        Assert.Contains(view.Fields, static field => field is { Name: "needs_recovery", Value: "no" });
    }

    [Fact]
    public void TheLayoutIsTheWriters()
    {
        var image = s_ext4.Write(Ext4Samples.Everything(3000), Ext4Samples.Options with { Size = 300 << 20 });
        var layout = s_ext4.Read(image).Layout();
        Assert.Equal(ImageFile.Hash(image), ImageFile.Hash(layout));
        var read = layout.Extents.ToDictionary(static extent => extent.Offset, static extent => extent.Label.ToString());
        foreach (var extent in image.Extents)
        {
            Assert.True(read.TryGetValue(extent.Offset, out string? label), $"{extent.Label} at {extent.Offset}");
            Assert.Equal(extent.Label.ToString(), label);
        }
        long end = 0;
        foreach (var extent in layout.Extents)
        {
            Assert.Equal(end, extent.Offset);
            end = extent.End;
        }
        Assert.Equal(image.Length, end);
    }

    /// <summary>What mke2fs makes of a directory, with features that the writer does not have.</summary>
    [Theory]
    [InlineData("ext4", "-b 4096")]
    [InlineData("ext4", "-b 1024")]
    [InlineData("ext4", "-b 2048 -O ^64bit")]
    [InlineData("ext4", "-b 4096 -O ^metadata_csum,uninit_bg")]
    [InlineData("ext4", "-b 4096 -I 512 -O inline_data")]
    [InlineData("ext4", "-b 4096 -I 1024 -O inline_data,ea_inode")]
    [InlineData("ext4", "-b 4096 -O ea_inode")]
    [InlineData("ext4", "-b 4096 -O metadata_csum_seed,orphan_file")]
    [InlineData("ext4", "-b 1024 -O meta_bg,^resize_inode")]
    [InlineData("ext4", "-b 4096 -O ^extent,^64bit")]
    [InlineData("ext4", "-b 4096 -I 128")]
    [InlineData("ext4", "-b 1024 -O sparse_super2,large_dir,casefold")]
    [InlineData("ext3", "-b 1024")]
    [InlineData("ext2", "-b 1024 -O none -I 128")]
    public void ReadsWhatMke2fsWrites(string type, string options)
    {
        using var directory = new TempDirectory();
        string source = MakeSource(directory);
        MakeFileSystem(directory, type, options, source);
        var view = s_ext4.Read(new MemoryBlob(File.ReadAllBytes(directory["image"])));
        Assert.Equal(Lines(HostTree.Read(Posix.Bytes(source)), options), Lines(view.Tree, options));
        Assert.Equal(ImageFile.Hash(view.Layout()), System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(directory["image"])));
    }

    private static string MakeSource(TempDirectory directory)
    {
        string source = directory["source"];
        Directory.CreateDirectory($"{source}/d/e");
        File.WriteAllBytes($"{source}/large", Ext4Samples.Bytes(700_000));
        File.WriteAllBytes($"{source}/small", Ext4Samples.Bytes(50));
        File.WriteAllBytes($"{source}/medium", Ext4Samples.Bytes(150));
        using (var sparse = File.OpenHandle($"{source}/sparse", FileMode.CreateNew, FileAccess.Write))
        {
            foreach (long offset in new[] { 0L, 1 << 20, 5 << 20, 40 << 20, 90 << 20 })
            {
                RandomAccess.Write(sparse, Ext4Samples.Bytes(3000), offset);
            }
        }
        for (int i = 0; i < 150; i++)
        {
            File.WriteAllText($"{source}/d/name-{i}", "x");
        }
        File.CreateSymbolicLink($"{source}/short", "target");
        File.CreateSymbolicLink($"{source}/long", new string('t', 200));
        Posix.LinkAt(Posix.AT_FDCWD, Posix.Bytes($"{source}/small"), Posix.AT_FDCWD, Posix.Bytes($"{source}/d/linked"));
        Posix.SetXattr(Posix.Bytes($"{source}/small"), "user.a"u8, "value"u8);
        Posix.SetXattr(Posix.Bytes($"{source}/medium"), "user.b"u8, Ext4Samples.Bytes(300));
        Posix.SetXattr(Posix.Bytes($"{source}/medium"), "user.c"u8, Ext4Samples.Bytes(500));
        foreach (string path in Directory.GetFileSystemEntries(source, "*", SearchOption.AllDirectories).Append(source))
        {
            Posix.SetTimes(Posix.AT_FDCWD, Posix.Bytes(path), new Timestamp(1_234_567_890));
        }
        return source;
    }

    private static void MakeFileSystem(TempDirectory directory, string type, string options, string source)
    {
        Tool.RunOk("truncate", "-s", "24M", directory["image"]);
        Tool.RunOk("mke2fs", ["-q", "-t", type, .. options.Split(' '), "-d", source, directory["image"]]);
    }

    /// <summary>Without the root, whose time mke2fs 1.47.0 does not take, and lost+found, and without attributes where the profile keeps none.</summary>
    private static IEnumerable<string> Lines(FileTree tree, string options) => TreeText.Lines(tree)
        .Where(static line => !line.StartsWith("/lost+found ", StringComparison.Ordinal) && !line.StartsWith("/ ", StringComparison.Ordinal))
        .Select(line => options.Contains("-O none", StringComparison.Ordinal) ? line.Split(" user.")[0] : line);

    [Fact]
    public void BigallocIsRefusedByName()
    {
        using var directory = new TempDirectory();
        Tool.RunOk("truncate", "-s", "24M", directory["image"]);
        Tool.RunOk("mke2fs", "-q", "-t", "ext4", "-O", "bigalloc", directory["image"]);
        var error = Assert.Throws<InvalidDataException>(() => s_ext4.Read(new MemoryBlob(File.ReadAllBytes(directory["image"]))));
        Assert.Contains("bigalloc", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ADirectoryInItselfIsRefused()
    {
        using var directory = new TempDirectory();
        MakeFileSystem(directory, "ext4", "-b 4096", MakeSource(directory));
        Tool.RunOk("debugfs", "-w", "-R", "ln <2> /d/e/loop", directory["image"]);
        var view = s_ext4.Read(new MemoryBlob(File.ReadAllBytes(directory["image"])));
        var error = Assert.Throws<InvalidDataException>(() => view.Tree.Walk().Count());
        Assert.Contains("directory 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheNeedOfRecoveryIsAField()
    {
        using var directory = new TempDirectory();
        MakeFileSystem(directory, "ext4", "-b 4096", MakeSource(directory));
        Tool.RunOk("debugfs", "-w", "-R", "feature needs_recovery", directory["image"]);
        var view = s_ext4.Read(new MemoryBlob(File.ReadAllBytes(directory["image"])));
        Assert.Contains(view.Fields, static field => field is { Name: "needs_recovery", Value: "yes" });
    }

    [Fact]
    public void ShortBlobsAreNotRecognized()
    {
        Assert.False(s_ext4.Recognizes(new MemoryBlob(new byte[1500])));
        Assert.False(s_ext4.Recognizes(new MemoryBlob(new byte[5000])));
    }

    /// <summary>Damage is an InvalidDataException, with the checksums repaired too (by leaving them out of the profile).</summary>
    [Theory]
    [InlineData("-b 4096")]
    [InlineData("-b 1024 -O ^metadata_csum,uninit_bg")]
    [InlineData("-b 1024 -I 512 -O ^metadata_csum,inline_data")]
    [InlineData("-b 1024 -O ^extent,^64bit,^metadata_csum")]
    public void DamageIsInvalidData(string options)
    {
        using var directory = new TempDirectory();
        MakeFileSystem(directory, "ext4", options, MakeSource(directory));
        byte[] image = File.ReadAllBytes(directory["image"]);
        long[] interesting = [.. s_ext4.Read(new MemoryBlob(image)).Layout().Extents
            .Where(static e => e.Label.Kind is not ("ext4 unclaimed" or "file" or "ext4 journal")).Select(static e => e.Offset)];
        Gen.Select(Gen.Int[0, interesting.Length - 1], Gen.Int[0, 1500], Gen.Byte, Gen.Bool).Sample((place, within, value, wide) =>
        {
            var damaged = new PatchedBlob(image, interesting[place] + within, wide ? [value, 0xFF, 0xFF, value] : [value]);
            Survives(damaged);
        }, iter: 300);
    }

    private static void Survives(Blob image)
    {
        try
        {
            var view = s_ext4.Read(image);
            long bytes = 0;
            foreach (var entry in view.Tree.Walk())
            {
                if (entry.Node is FileNode { Content.Length: > 0 } file)
                {
                    var content = file.Content;
                    bytes += content.ReadBytes(content.Length / 2, (int)Math.Min(4096, content.Length - content.Length / 2)).Length;
                }
            }
            _ = view.Layout().Extents.Count;
        }
        catch (InvalidDataException)
        {
            // What the reader says of it.
        }
    }

    private sealed class PatchedBlob(byte[] image, long offset, byte[] patch) : Blob
    {
        public override long Length => image.Length;

        protected override void ReadCore(long at, Span<byte> destination)
        {
            image.AsSpan((int)at, destination.Length).CopyTo(destination);
            for (int i = 0; i < patch.Length; i++)
            {
                if (offset + i >= at && offset + i < at + destination.Length)
                {
                    destination[(int)(offset + i - at)] = patch[i];
                }
            }
        }
    }
}
