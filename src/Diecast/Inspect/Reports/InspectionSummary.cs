using System.Globalization;

namespace Diecast.Inspect.Reports;

/// <summary>The fields of a container that people look for first, under names that they know.</summary>
/// <param name="Title">What it is, in a few words.</param>
/// <param name="Lines">Names and values.</param>
/// <param name="Fields">The names of the fields that the lines already tell.</param>
internal sealed record InspectionSummary(string Title, IReadOnlyList<(string Name, string Value)> Lines, IReadOnlySet<string> Fields)
{
    public static InspectionSummary Of(Container container)
    {
        var lines = new List<(string, string)>();
        var used = new HashSet<string>(StringComparer.Ordinal);
        string title = container.Kind switch
        {
            "gpt" => Disk(container, lines, used),
            "ext4" => Ext4(container, lines, used),
            "vfat" => Fat(container, lines, used),
            "pe" => Program(container, lines, used),
            var kind => kind,
        };
        return new InspectionSummary(title, [.. lines.Where(static line => line.Item2.Length > 0)], used);
    }

    private static string Disk(Container disk, List<(string, string)> lines, HashSet<string> used)
    {
        lines.Add(("id", Take(disk, used, "DiskGUID")));
        return "GPT disk";
    }

    private static string Ext4(Container fileSystem, List<(string, string)> lines, HashSet<string> used)
    {
        lines.Add(("uuid", Take(fileSystem, used, "s_uuid")));
        lines.Add(("label", Units.Display(Take(fileSystem, used, "s_volume_name"))));
        lines.Add(("hash seed", Take(fileSystem, used, "s_hash_seed")));
        lines.Add(("features", string.Join(' ', ((string[])[Take(fileSystem, used, "s_feature_compat"),
            Take(fileSystem, used, "s_feature_incompat"), Take(fileSystem, used, "s_feature_ro_compat")]).Where(static names => names.Length > 0))));
        lines.Add(("made", Time(Take(fileSystem, used, "s_mkfs_time"))));
        lines.Add(("written", Time(Take(fileSystem, used, "s_wtime"))));
        lines.Add(("mounted", Time(Take(fileSystem, used, "s_mtime"))));
        lines.Add(("checked", Time(Take(fileSystem, used, "s_lastcheck"))));
        if (Take(fileSystem, used, "needs_recovery") == "yes")
        {
            lines.Add(("journal", "not replayed: what was written last is not seen here"));
        }
        return "ext4";
    }

    private static string Fat(Container fileSystem, List<(string, string)> lines, HashSet<string> used)
    {
        string id = Take(fileSystem, used, "BS_VolID");
        lines.Add(("serial", id));
        string label = Take(fileSystem, used, "BS_VolLab");
        lines.Add(("label", label == "NO NAME" ? "" : Units.Display(label)));
        lines.Add(("cluster", long.TryParse(Value(fileSystem, "BPB_SecPerClus"), CultureInfo.InvariantCulture, out long sectors)
            && long.TryParse(Value(fileSystem, "BPB_BytsPerSec"), CultureInfo.InvariantCulture, out long bytes)
            ? $"{(sectors * bytes).ToString(CultureInfo.InvariantCulture)} bytes" : ""));
        // FAT32 is what has no 16-bit length of the tables; the others differ in their number of clusters.
        return Value(fileSystem, "BPB_FATSz16") == "0" ? "FAT32"
            : long.TryParse(Value(fileSystem, "CountofClusters"), CultureInfo.InvariantCulture, out long clusters) && clusters < 4085 ? "FAT12" : "FAT16";
    }

    private static string Program(Container program, List<(string, string)> lines, HashSet<string> used)
    {
        string machine = Take(program, used, "Machine");
        lines.Add(("machine", machine switch { "0x8664" => "x86-64", "0xaa64" => "arm64", "0x5064" => "riscv64", "0x6264" => "loongarch64", _ => machine }));
        lines.Add(("subsystem", Take(program, used, "Subsystem") switch { "10" => "EFI application", "11" => "EFI boot service driver", "12" => "EFI runtime driver", var other => other }));
        bool isKernel = program.Parts.Any(static part => part.Name == ".linux");
        return isKernel ? "unified kernel image" : "PE program";
    }

    private static string Take(Container container, HashSet<string> used, string name)
    {
        used.Add(name);
        return Value(container, name);
    }

    private static string Value(Container container, string name) =>
        container.Fields.FirstOrDefault(field => field.Name == name)?.Value ?? "";

    /// <summary>Seconds since 1970, or such with a fraction; nothing for a time that was never set.</summary>
    private static string Time(string value) =>
        !long.TryParse(value.Split('.')[0], CultureInfo.InvariantCulture, out long seconds) ? Units.Display(value)
        : seconds == 0 ? "" : Units.Time(new Trees.Timestamp(seconds)).Split('.')[0] + " UTC";
}
