using Diecast.Binary;
using Diecast.Formats;
using Diecast.Images;
using Diecast.Tests.Formats.Ext4;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Btrfs;

/// <summary>Trees to be written, and what checks what was written.</summary>
internal static class BtrfsTrees
{
    public static readonly FileSystemOptions Options = Ext4Samples.Options with { Label = "a label of more than sixteen bytes", HashSeed = null };

    public static readonly Metadata Directory = Ext4Samples.Directory;

    public static readonly Metadata File = Ext4Samples.File;

    public static TreeBuilder NewBuilder() => new(Directory);

    /// <summary>One of everything that a distribution's root may hold, and what is at a limit.</summary>
    public static FileTree Everything(int names = 700)
    {
        var builder = NewBuilder();
        Ext4Samples.AddEverything(builder, names);
        builder.AddFile("2048", File, Ext4Samples.Bytes(2048, 3));
        builder.AddFile("2049", File, Ext4Samples.Bytes(2049, 4));
        builder.AddFile("zeros", File, new byte[2000]);
        builder.AddFile("capable", File.WithXattrs(("user.large", Ext4Samples.Bytes(16228 - 10, 8))), Ext4Samples.Bytes(4096, 9));
        builder.AddDirectory("empty-directory", Directory with { Mtime = new Timestamp(-5_000_000_000, 1) });
        foreach (string name in Collisions())
        {
            builder.AddFile($"collisions/{name}", File.WithXattrs(($"user.{name}", [1])), Posix.Bytes(name));
        }
        builder.AddFile("collisions/attributes", File.WithXattrs([.. XattrCollisions().Select(static (name, i) => (name, (byte[])[(byte)i]))]), Ext4Samples.Bytes(1));
        return builder.Build();
    }

    /// <summary>The tree but for one file.</summary>
    public static FileTree Without(FileTree tree, string path)
    {
        var builder = new TreeBuilder(tree.Root.Metadata);
        foreach (var entry in tree.Walk().Skip(1))
        {
            if (entry.Node is DirectoryNode)
            {
                builder.AddDirectory(entry.Path!.ToBytes(), entry.Node.Metadata);
            }
            else if (entry.ToString() != "/" + path)
            {
                builder.Add(entry.Path!.ToBytes(), entry.Node);
            }
        }
        return builder.Build();
    }

    /// <summary>What can be compressed, what cannot, and both in one file; at the limits of inline data, sectors and blocks.</summary>
    public static FileTree Compressible()
    {
        var builder = NewBuilder();
        foreach (int length in new[] { 1, 2047, 2048, 2049, 4095, 4096, 4097, 8192, 131071, 131072, 131073, 262144, 1_000_003 })
        {
            builder.AddFile($"text-{length}", File, Text(length));
            builder.AddFile($"random-{length}", File, Ext4Samples.Bytes(length, length));
        }
        byte[] mixed = [.. Ext4Samples.Bytes(400_000, 1), .. Text(500_000), .. Ext4Samples.Bytes(70_000, 2), .. new byte[100_000], .. Text(300_001)];
        builder.AddFile("mixed", File, mixed);
        builder.AddFile("sparse", File, Ext4Samples.Sparse(100_000_003, 0, 1, 5000, 24_414));
        builder.AddFile("zeros", File, new byte[60_000]);
        // Of a sector that every compression makes small enough for a leaf.
        builder.AddFile("sector", File, Enumerable.Range(0, 4096).Select(static i => (byte)(i % 41)).ToArray());
        builder.AddFile("large", File, new ComputedBlob(70 << 20, static (offset, span) =>
        {
            for (int i = 0; i < span.Length; i++)
            {
                span[i] = (byte)((offset + i) / 97 % 255 + 1);
            }
        }));
        return builder.Build();
    }

    private static byte[] Text(int length) => Posix.Bytes(string.Concat(Enumerable.Range(0, length / 4 + 1).Select(static i => $"{i * 7919 % 1009:d4}")))[..length];

    /// <summary>A file with more names in one directory than one item holds, and with names in others.</summary>
    public static FileTree ManyLinks()
    {
        var builder = NewBuilder();
        var linked = new FileNode(File, new MemoryBlob(Ext4Samples.Bytes(3000, 11)));
        for (int i = 0; i < 300; i++)
        {
            builder.Add($"links/{new string('l', 200)}{i}", linked);
            builder.Add($"more/{i}", linked);
        }
        builder.Add("another/name", linked);
        builder.Add("zzz", linked);
        return builder.Build();
    }

    /// <summary>Names of which some have the same hash, others not.</summary>
    public static IReadOnlyList<string> Collisions() => s_collisions.Value;

    public static IReadOnlyList<string> XattrCollisions() => s_xattrCollisions.Value;

    private static readonly Lazy<IReadOnlyList<string>> s_collisions = new(() => FindCollisions("name-"));
    private static readonly Lazy<IReadOnlyList<string>> s_xattrCollisions = new(() => FindCollisions("user.name-"));

    private static List<string> FindCollisions(string prefix)
    {
        var known = new Dictionary<uint, string>();
        var found = new List<string>();
        for (uint i = 0; found.Count < 6; i++)
        {
            string name = $"{prefix}{i * 2654435761u:x8}";
            if (!known.TryAdd(Crc32C.Append(~1u, Posix.Bytes(name)), name))
            {
                found.Add(known[Crc32C.Append(~1u, Posix.Bytes(name))]);
                found.Add(name);
            }
        }
        return found;
    }

    /// <summary>Writes the tree to a file; with an id of its own, as the kernel mounts no two file systems of the same.</summary>
    public static string Write(TempDirectory directory, FileTree tree, FileSystemOptions? options = null)
    {
        var format = new Diecast.Formats.Btrfs.BtrfsFormat();
        options = (options ?? Options) with { Uuid = Guid.NewGuid() };
        Assert.Empty(format.Check(tree, options));
        ImageFile.Write(format.Write(tree, options), directory["image"]);
        return directory["image"];
    }
}

internal static class BtrfsCheck
{
    /// <summary>Nothing to say: neither the installed btrfs, nor that of a trixie root which DIECAST_TRIXIE names.</summary>
    /// <param name="image">Its path.</param>
    /// <param name="modes">The low memory mode finds errors in every INODE_EXTREF, those of the kernel too.</param>
    public static void Clean(string image, string modes = "original lowmem")
    {
        foreach (string mode in modes.Split(' '))
        {
            string[] arguments = ["check", "--readonly", "--check-data-csum", $"--mode={mode}"];
            Accepts(Tool.Run("btrfs", [.. arguments, image]));
            if (Environment.GetEnvironmentVariable("DIECAST_TRIXIE") is { Length: > 0 } root)
            {
                using var inside = new TempDirectory(Path.Join(root, "tmp"));
                Tool.RunOk("cp", "--sparse=always", image, inside["image"]);
                // Without /proc it cannot look whether the file is mounted, and warns of that.
                Accepts(Tool.Run("chroot", [root, "btrfs", .. arguments, "--force", "/" + Path.GetRelativePath(root, inside["image"])]));
            }
        }
    }

    public static bool IsClean(string image) =>
        Tool.Run("btrfs", "check", "--readonly", "--check-data-csum", image).ExitCode == 0;

    private static void Accepts(Tool.Result result)
    {
        Assert.True(result.ExitCode == 0, result.All);
        string text = result.All.Replace("WARNING: cannot check mount status", "", StringComparison.Ordinal);
        Assert.Contains("no error found", text, StringComparison.Ordinal);
        foreach (string word in new[] { "ERROR", "WARNING", "warning", "mismatch", "invalid" })
        {
            Assert.DoesNotContain(word, text, StringComparison.Ordinal);
        }
    }
}
