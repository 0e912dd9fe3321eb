using System.Globalization;

namespace Diecast.Bench;

/// <summary>
/// Whole processes side by side with the tools they stand in for, on the same files in the same directory. Arguments:
/// what to run (ext4, btrfs, btrfs-zstd, vfat, diff, inspect, image, debian-image, debian-tree; all without), --rounds N,
/// --directory DIR, --tree DIR.
/// </summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        if (arguments is [EncoderAlone.Verb, string encoded])
        {
            EncoderAlone.Run(encoded);
            return 0;
        }
        var only = new List<string>();
        var options = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["--rounds"] = "5",
            ["--directory"] = "build/bench",
            ["--tree"] = "",
        };
        for (int i = 0; i < arguments.Length; i++)
        {
            if (options.ContainsKey(arguments[i]) && i + 1 < arguments.Length)
            {
                options[arguments[i]] = arguments[++i];
            }
            else if (arguments[i] is "ext4" or "btrfs" or "btrfs-zstd" or "vfat" or "diff" or "inspect" or "image" or "debian-image" or "debian-tree")
            {
                only.Add(arguments[i]);
            }
            else
            {
                Console.Error.WriteLine("usage: [ext4] [btrfs] [btrfs-zstd] [vfat] [diff] [inspect] [image] [debian-image] [debian-tree] [--rounds N] [--directory DIR] [--tree DIR]");
                return 2;
            }
        }
        int rounds = int.Parse(options["--rounds"], CultureInfo.InvariantCulture);
        string directory = Path.GetFullPath(options["--directory"]);
        Directory.CreateDirectory(directory);
        string diecast = Path.GetFullPath(Environment.GetEnvironmentVariable("DIECAST") ?? "artifacts/diecast");
        var fileSystems = new FileSystemBench(diecast, directory, rounds, options["--tree"]);
        var look = new LookBench(diecast, directory, rounds, fileSystems);
        var debian = new DebianBench(diecast, directory, rounds);
        var tables = new List<string>();
        foreach (var (name, run) in new (string, Func<string>)[]
        {
            ("ext4", fileSystems.Ext4), ("btrfs", fileSystems.Btrfs), ("btrfs-zstd", fileSystems.BtrfsZstd), ("vfat", fileSystems.Vfat),
            ("diff", look.Diff), ("inspect", look.Inspect), ("image", new ImageBench(diecast, directory, rounds).Run),
            ("debian-image", debian.Image), ("debian-tree", debian.Tree),
        })
        {
            if (only.Count == 0 || only.Contains(name))
            {
                tables.Add(run());
            }
        }
        Console.Out.WriteLine(string.Join('\n', tables));
        return 0;
    }
}
