namespace Diecast.Bench;

/// <summary>File systems of a directory: <c>diecast mkfs</c> beside the format's own tools and tar.</summary>
internal sealed class FileSystemBench(string diecast, string directory, int rounds, string givenTree)
{
    private const string Uuid = "6de632fe-7638-44c4-917c-ecf4170af3b4";
    private const int BlockSize = 4096;

    /// <summary>About 80,000 files, unless another tree is given.</summary>
    public string Ext4()
    {
        string tree = Tree();
        string image = Path.Join(directory, "diecast.ext4");
        string peer = Path.Join(directory, "mke2fs.ext4");
        string tar = Path.Join(directory, "tree.tar");
        // mke2fs has to be told a size: that of our image, which is the least that holds the tree, and a tenth more for its own layout.
        Commands.Run(diecast, ["mkfs", "ext4", "--uuid", Uuid, tree, image]);
        long blocks = new FileInfo(image).Length / BlockSize * 11 / 10;
        var contest = new Contest("ext4 of a directory", rounds, directory);
        var results = contest.Run(
            new Contender("diecast mkfs ext4", [diecast, "mkfs", "ext4", "--uuid", Uuid, tree, image], image),
            new Contender("mke2fs -d", ["mke2fs", "-q", "-F", "-t", "ext4", "-U", Uuid, "-d", tree, peer, $"{blocks * BlockSize / 1024}k"], peer),
            new Contender("tar -cf", ["tar", "-C", tree, "-cf", tar, "."], tar));
        Remove(image, peer, tar);
        return contest.Table(results);
    }

    /// <summary>The same tree, as it is.</summary>
    public string Btrfs()
    {
        string tree = Tree();
        string image = Path.Join(directory, "diecast.btrfs");
        string peer = Path.Join(directory, "mkfs.btrfs");
        string tar = Path.Join(directory, "tree.tar");
        var contest = new Contest("btrfs of a directory", rounds, directory);
        var results = contest.Run(
            new Contender("diecast mkfs btrfs", [diecast, "mkfs", "btrfs", "--uuid", Uuid, tree, image], image),
            new Contender("mkfs.btrfs --rootdir", ["mkfs.btrfs", "-q", "-f", "-U", Uuid, "--rootdir", tree, "--shrink", peer], peer),
            new Contender("tar -cf", ["tar", "-C", tree, "-cf", tar, "."], tar));
        Remove(image, peer, tar);
        return contest.Table(results);
    }

    /// <summary>The same tree compressed, beside the encoder alone on all processors.</summary>
    public string BtrfsZstd()
    {
        string tree = Tree();
        string image = Path.Join(directory, "diecast.btrfs");
        var contest = new Contest("btrfs of a directory, zstd", rounds, directory);
        var results = contest.Run(
            new Contender("diecast mkfs btrfs --compress zstd", [diecast, "mkfs", "btrfs", "--uuid", Uuid, "--compress", "zstd", tree, image], image),
            new Contender("encoder alone", [Environment.ProcessPath!, EncoderAlone.Verb, tree]));
        Remove(image);
        return contest.Table(results);
    }

    /// <summary>Sixty-four files of four megabytes in eight directories: kernels and initrds, as an EFI system partition has them.</summary>
    public string Vfat()
    {
        const int megabytes = 320;
        string tree = Path.Join(directory, "esp");
        var content = new byte[4 << 20];
        for (int i = 0; i < 64; i++)
        {
            string parent = Directory.CreateDirectory(Path.Join(tree, $"directory {i / 8}")).FullName;
            content.AsSpan().Fill((byte)(i + 1));
            File.WriteAllBytes(Path.Join(parent, $"file {i}.efi"), content);
        }
        string image = Path.Join(directory, "diecast.vfat");
        string peer = Path.Join(directory, "mtools.vfat");
        const string mtools = "truncate -s 320M \"$1\" && mkfs.vfat -F 32 \"$1\" && mcopy -s -m -i \"$1\" \"$2\"/* ::";
        var contest = new Contest("vfat of a directory", rounds, directory);
        var results = contest.Run(
            new Contender("diecast mkfs vfat", [diecast, "mkfs", "vfat", "--uuid", Uuid, "--size", $"{megabytes}M", tree, image], image),
            new Contender("mkfs.vfat and mcopy", ["sh", "-c", mtools, "sh", peer, tree], peer));
        Remove(image, peer);
        Directory.Delete(tree, recursive: true);
        return contest.Table(results);
    }

    /// <summary>The tree that was given, or the copy of what this machine has in /usr.</summary>
    public string Tree() => givenTree.Length > 0 ? Path.GetFullPath(givenTree) : CopyOfUsr();

    private string CopyOfUsr()
    {
        string tree = Path.Join(directory, "tree");
        if (!Directory.Exists(tree))
        {
            string part = tree + ".part";
            Directory.CreateDirectory(part);
            Commands.Run("cp", ["-a", "/usr/share", "/usr/lib/x86_64-linux-gnu", part]);
            Directory.Move(part, tree);
        }
        // Everything is read once, so that the first contender does not read from the disk for the others.
        Commands.Run("sh", ["-c", "tar -cf - \"$1\" 2> /dev/null | cat > /dev/null", "sh", tree]);
        return tree;
    }

    private static void Remove(params string[] files)
    {
        foreach (string file in files)
        {
            File.Delete(file);
        }
    }
}
