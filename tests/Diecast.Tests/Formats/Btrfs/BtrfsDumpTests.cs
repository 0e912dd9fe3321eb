using System.Globalization;
using System.Text.RegularExpressions;
using Diecast.Formats;
using Diecast.Formats.Btrfs;
using Diecast.Tests.Support;

namespace Diecast.Tests.Formats.Btrfs;

/// <summary>Our fields against those that btrfs-inspect-internal(8) prints.</summary>
public sealed partial class BtrfsDumpTests
{
    // The words of the dump where they are not the names of the specification.
    private static readonly Dictionary<string, string> s_words = new(StringComparer.Ordinal)
    {
        ["nlink"] = "links", ["block_group"] = "block group", ["name_len"] = "name(?:_)?len", ["name"] = "name:",
        ["extent_count"] = "extent count", ["disk_bytenr"] = "extent data disk byte", ["ram_bytes"] = "ram", ["rfer"] = "referenced",
        ["excl"] = "exclusive",
    };

    // What the dump prints in words, or with a word that means something else in another place.
    private static readonly string[] s_otherwise = ["type", "offset", "flags", "compression", "objectid", "csum", "rdev"];

    public static TheoryData<string, string> Profiles => new()
    {
        { "--csum crc32c", "dup" }, { "--csum xxhash", "single" }, { "--csum sha256 -n 4096", "dup" }, { "--csum blake2 -n 65536", "single" },
        { "-R ^free-space-tree -O ^no-holes", "dup" }, { "--mixed -n 4096", "single" },
    };

    [Theory]
    [MemberData(nameof(Profiles))]
    public void FreshImages(string options, string profile)
    {
        using var directory = new TempDirectory();
        string[] extra = [.. options.Split(' '), "-m", profile,
            .. options.Contains("mixed", StringComparison.Ordinal) ? (string[])["-d", profile] : []];
        string image = BtrfsSamples.Make(directory, "image", BtrfsSamples.Source(directory), 128 << 20, extra);
        CompareSuperblock(image);
        var seen = CompareTrees(image);
        AllCompared(seen,
            ["INODE_ITEM.mtime", "INODE_ITEM.mode", "ROOT_ITEM.uuid", "ROOT_ITEM.otime", "INODE_REF.index", "DIR_ITEM.name", "DIR_INDEX.transid",
                "EXTENT_DATA.disk_bytenr", "EXTENT_DATA.ram_bytes", "CHUNK_ITEM.stripe_len", "DEV_ITEM.uuid", "DEV_EXTENT.chunk_tree_uuid",
                "BLOCK_GROUP_ITEM.used", "EXTENT_ITEM.refs"]);
    }

    [Fact]
    public void UsedImages()
    {
        using var directory = new TempDirectory();
        string image = BtrfsSamples.Make(directory, "image", null, 256 << 20);
        string source = BtrfsSamples.Source(directory);
        using (var mount = new BtrfsMount(directory, image, "rw"))
        {
            mount.Run($"btrfs subvolume create sub; cp -a {source}/. sub; btrfs subvolume snapshot -r sub snap; rm sub/many/*7; touch sub/new; btrfs quota enable .; sync");
        }
        CompareSuperblock(image);
        var seen = CompareTrees(image);
        AllCompared(seen,
            ["ROOT_REF.sequence", "ROOT_BACKREF.dirid", "ROOT_ITEM.parent_uuid", "FREE_SPACE_INFO.extent_count", "QGROUP_INFO.rfer"]);
    }

    private static void AllCompared(HashSet<string> seen, string[] expected) => Assert.Empty(expected.Except(seen));

    private static void CompareSuperblock(string image)
    {
        var fields = BtrfsSamples.Read(image).Fields.ToDictionary(static field => field.Name, static field => field.Value);
        string dump = Tool.RunOk("btrfs", "inspect-internal", "dump-super", image);
        int compared = 0;
        foreach (Match line in SuperblockLine().Matches(dump))
        {
            string name = line.Groups[1].Value switch { "sys_array_size" => "sys_chunk_array_size", "root_dir" => "root_dir_objectid", var same => same };
            if (name is "csum_type" or "magic" or "metadata_uuid" or "csum_size" or "compat_ro_flags" or "incompat_flags")
            {
                continue;
            }
            string expected = line.Groups[2].Value;
            if (name == "csum")
            {
                expected = expected[2..];
            }
            Assert.True(fields.TryGetValue(name, out string? value), name);
            Assert.Equal((name, name is "label" ? "" : expected), (name, value!));
            compared++;
        }
        Assert.True(compared > 35, $"{compared}");
        foreach (Match flag in FlagLine().Matches(dump))
        {
            Assert.Contains(flag.Groups[1].Value, $"{fields["incompat_flags"]} {fields["compat_ro_flags"]} WRITTEN".Split(' '));
        }
    }

    /// <summary>Compares all trees, block by block; the result tells which fields of which items were compared.</summary>
    private static HashSet<string> CompareTrees(string image)
    {
        var dumped = Parse(Tool.RunOk("btrfs", "inspect-internal", "dump-tree", image));
        var volume = new Volume(BtrfsSamples.Open(image));
        var find = new FieldLocator(volume).Find;
        var seen = new HashSet<string>();
        var ours = new TreeIndex(volume).Blocks().ToDictionary(static entry => entry.Block.Bytenr, static entry => entry.Block);
        Assert.Equal(dumped.Keys.Order(), ours.Keys.Order());
        foreach (var (bytenr, block) in ours)
        {
            var expected = dumped[bytenr];
            var spans = Spans(volume, block, find);
            Assert.Equal(expected.Count, block.Count);
            for (int i = 0; i < block.Count; i++)
            {
                Assert.StartsWith(Line(block, i), expected[i], StringComparison.Ordinal);
                CompareEntry(block, i, spans[$"{block.Name}, {(block.IsLeaf ? "item" : "pointer")} {i}"]);
                if (block.IsLeaf && block.Data(i).Length > 0)
                {
                    CompareFields(Key.TypeName(block.Key(i).Type), expected[i], spans[$"{block.Name}, item {i} {block.Key(i)}"], seen);
                }
            }
        }
        return seen;
    }

    /// <summary>The entry itself, which the line of the dump has been compared with.</summary>
    private static void CompareEntry(TreeBlock block, int index, List<FieldSpan> spans)
    {
        var values = spans.ToDictionary(static span => span.Name, static span => span.Value);
        string kind = block.IsLeaf ? "item" : "pointer";
        var key = block.Key(index);
        Assert.Equal((ObjectId.Name(key.Objectid), Key.TypeName(key.Type), $"{key.Offset}"),
            (values[$"{kind}.key.objectid"], values[$"{kind}.key.type"], values[$"{kind}.key.offset"]));
        var (first, second) = block.IsLeaf
            ? ($"{block.DataOffset(index) - Header.Size}", $"{block.Data(index).Length}")
            : ($"{block.Child(index).Blockptr}", $"{block.Child(index).Generation}");
        Assert.Equal((first, second), block.IsLeaf ? (values["item.offset"], values["item.size"]) : (values["pointer.blockptr"], values["pointer.generation"]));
    }

    private static string Line(TreeBlock block, int index) => block.IsLeaf
        ? string.Create(CultureInfo.InvariantCulture,
            $"{block.Key(index)} itemoff {block.DataOffset(index) - Header.Size} itemsize {block.Data(index).Length}")
        : string.Create(CultureInfo.InvariantCulture,
            $"{block.Key(index)} block {block.Child(index).Blockptr} gen {block.Child(index).Generation}");

    /// <summary>The spans of a block, by structure; every byte but the free space has one.</summary>
    private static Dictionary<string, List<FieldSpan>> Spans(Volume volume, TreeBlock block, Func<long, FieldSpan?> find)
    {
        var chunk = volume.ChunkMap.Find(block.Bytenr, volume.NodeSize)!;
        long start = chunk.Stripes[0] + ((long)block.Bytenr - chunk.Logical);
        var spans = new Dictionary<string, List<FieldSpan>>();
        for (long at = start; at < start + volume.NodeSize;)
        {
            if (at == start + block.EntriesEnd && block.EntriesEnd < block.DataStart)
            {
                Assert.Null(find(at));
                at = start + block.DataStart;
                continue;
            }
            var span = find(at);
            Assert.NotNull(span);
            Assert.Equal(at, span.Offset);
            Assert.Equal(span, find(span.Offset + span.Length - 1));
            if (!spans.TryGetValue(span.Structure, out var list))
            {
                spans.Add(span.Structure, list = []);
            }
            list.Add(span);
            at += span.Length;
        }
        return spans;
    }

    /// <summary>Where the dump has a word for a field, it has the field's value after it.</summary>
    private static void CompareFields(string type, string dump, List<FieldSpan> spans, HashSet<string> seen)
    {
        string payload = dump.Contains('\n', StringComparison.Ordinal) ? dump[dump.IndexOf('\n', StringComparison.Ordinal)..] : "";
        if (type is "EXTENT_DATA" && payload.Contains("inline", StringComparison.Ordinal))
        {
            return;
        }
        foreach (var span in spans.Where(static span => span.Length > 0 && span.Value.Length > 0))
        {
            string word = s_words.GetValueOrDefault(span.Name) ?? Regex.Escape(span.Name);
            bool isAmbiguous = span.Name is "mode" or "size" or "generation" && type is not ("INODE_ITEM" or "ROOT_ITEM");
            if (isAmbiguous || s_otherwise.Contains(span.Name) || span.Name.Contains('.', StringComparison.Ordinal)
                || type is "QGROUP_STATUS" or "PERSISTENT_ITEM" or "TEMPORARY_ITEM")
            {
                continue;
            }
            var values = Regex.Matches(payload, $@"(?<![\w-]){word} (\S+)").Select(static match => match.Groups[1].Value).ToList();
            if (values.Count == 0)
            {
                continue;
            }
            string value = TimeValue().Match(span.Value) is { Success: true } time
                ? $"{time.Groups[1].Value}.{uint.Parse(time.Groups[2].Value, CultureInfo.InvariantCulture)}" : span.Value;
            Assert.True(values.Contains(value), $"{type} {span.Name}: {value}\n{dump}");
            seen.Add($"{type}.{span.Name}");
        }
        if (type is "EXTENT_ITEM" or "METADATA_ITEM")
        {
            Assert.Contains($"refs {spans.First(static span => span.Name == "refs").Value} gen {spans.First(static span => span.Name == "generation").Value} ", payload, StringComparison.Ordinal);
            seen.Add($"{type}.refs");
        }
    }

    /// <summary>The entries of each block, each from its key on, with the lines below it.</summary>
    private static Dictionary<ulong, List<string>> Parse(string dump)
    {
        var blocks = new Dictionary<ulong, List<string>>();
        List<string>? current = null;
        foreach (string line in dump.Split('\n'))
        {
            if (BlockLine().Match(line) is { Success: true } block)
            {
                blocks[ulong.Parse(block.Groups[1].Value, CultureInfo.InvariantCulture)] = current = [];
            }
            else if (EntryLine().Match(line) is { Success: true } entry)
            {
                current!.Add(entry.Groups[1].Value);
            }
            else if (line.StartsWith("\t\t", StringComparison.Ordinal))
            {
                current![^1] += "\n" + line.Trim();
            }
        }
        return blocks;
    }

    [GeneratedRegex(@"^([\w.]+)(?: \(deprecated\))?\t+(\S*)", RegexOptions.Multiline)]
    private static partial Regex SuperblockLine();

    [GeneratedRegex(@"^\t+\(? *([A-Z_]+)[ |)]", RegexOptions.Multiline)]
    private static partial Regex FlagLine();

    [GeneratedRegex(@"^(?:leaf|node) (\d+) (?:items|level)")]
    private static partial Regex BlockLine();

    [GeneratedRegex(@"^\t(?:item \d+ )?key (\(.*)$")]
    private static partial Regex EntryLine();

    [GeneratedRegex(@"^(-?\d+)\.(\d{9})$")]
    private static partial Regex TimeValue();
}
