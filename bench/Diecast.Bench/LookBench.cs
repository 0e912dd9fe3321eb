namespace Diecast.Bench;

/// <summary><c>diecast diff</c> and <c>inspect</c> beside tools that read as much and say less.</summary>
internal sealed class LookBench(string diecast, string directory, int rounds, FileSystemBench fileSystems)
{
    /// <summary>
    /// Disks of 850 MB that differ in a line of one file, or by a file that is longer; and file systems of 8 GB with about
    /// 80,000 files and different ids, which makes every inode's checksum and every directory's order different.
    /// </summary>
    public string Diff()
    {
        string pair = Path.Join(directory, "pair");
        Commands.Run("bench/pair.sh", [diecast, fileSystems.Tree(), pair], log: Path.Join(directory, "pair.log"));
        string[] disks = ["a", "b", "c"];
        string[] paths = [.. disks.Select(disk => Path.Join(pair, $"{disk}.raw"))];
        var tables = new List<string>
        {
            // With -l it does not stop at the first byte that differs; it prints each, so that it is fast for few alone.
            Compare("diff of 850 MB, a line of one file", paths[0], paths[1], new Contender("cmp -l", ["cmp", "-l", paths[0], paths[1]]) { ExitCode = 1 }),
            Compare("diff of 850 MB, all places shifted", paths[0], paths[2]),
        };
        Directory.Delete(pair, recursive: true);
        (string before, string after) = (LargeFileSystem(1), LargeFileSystem(2));
        tables.Add(Compare("diff of 8 GB, every inode", before, after));
        File.Delete(before);
        File.Delete(after);
        return string.Join('\n', tables);
    }

    /// <summary>The file system of 8 GB, of which inspect reads the descriptors and dumpe2fs -h the superblock.</summary>
    public string Inspect()
    {
        string image = LargeFileSystem(1);
        var contest = new Contest("inspect of 8 GB", rounds, directory);
        var results = contest.Run(
            new Contender("diecast inspect", [diecast, "inspect", image]), new Contender("dumpe2fs -h", ["dumpe2fs", "-h", image]));
        File.Delete(image);
        return contest.Table(results);
    }

    private string Compare(string title, string before, string after, params Contender[] others)
    {
        // Read once, so that the first does not read from the disk for the others.
        Commands.Run("sh", ["-c", "cat \"$1\" \"$2\" > /dev/null", "sh", before, after]);
        var contest = new Contest(title, rounds, directory);
        return contest.Table(contest.Run(
        [
            new Contender("diecast diff", [diecast, "diff", before, after]) { ExitCode = 1 },
            new Contender("sha256sum of both", ["sha256sum", before, after]),
            .. others,
        ]));
    }

    private string LargeFileSystem(int id)
    {
        string image = Path.Join(directory, $"large-{id}.ext4");
        Commands.Run(diecast, ["mkfs", "ext4", "--size", "8G", "--uuid", $"6de632fe-7638-44c4-917c-ecf4170af3b{id}", fileSystems.Tree(), image]);
        return image;
    }
}
