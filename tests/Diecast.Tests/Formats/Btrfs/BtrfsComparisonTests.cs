using System.Text.RegularExpressions;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Btrfs;

/// <summary>The items of files and directories beside those that mkfs.btrfs(8) makes of the same tree.</summary>
public sealed partial class BtrfsComparisonTests
{
    [Fact]
    public void TheItemsAreThoseOfMkfs()
    {
        using var directory = new TempDirectory();
        string source = BtrfsSamples.Source(directory);
        // Of holes mkfs.btrfs makes zeros.
        Tool.RunOk("bash", "-ec", """
            cd "$1"; rm data/sparse; mkdir empty; : > nothing; head -c 2048 /dev/zero | tr '\0' a > inline; head -c 2049 inline inline > above
            ln -s "$(head -c 1000 /dev/zero | tr '\0' b)" long; setfattr -n user.short -v 1 empty; chown 12:34 nothing
            """, "-", source);
        var theirs = Items(BtrfsSamples.Make(directory, "theirs", source, 256 << 20));
        var ours = Items(BtrfsTrees.Write(directory, HostTree.Read(Posix.Bytes(source))));
        Assert.Equal(theirs.Keys.Order(StringComparer.Ordinal), ours.Keys.Order(StringComparer.Ordinal));
        Assert.True(ours.Count > 320, $"{ours.Count} items");
        foreach (var (key, text) in theirs)
        {
            Assert.Equal($"{key}\n{text}", $"{key}\n{ours[key]}");
        }
    }

    /// <summary>All items of the file tree by path and key, without what is meant to differ.</summary>
    private static Dictionary<string, string> Items(string image)
    {
        string dump = Tool.RunOk("btrfs", "inspect-internal", "dump-tree", "-t", "5", image);
        var items = ItemText().Matches(dump).Select(static match => (
            Inode: match.Groups["inode"].Value, Type: match.Groups["type"].Value, Offset: match.Groups["offset"].Value, Text: match.Groups["text"].Value)).ToList();
        var paths = new Dictionary<string, string>(StringComparer.Ordinal) { ["256"] = "" };
        // A file of several names has the first of them that comes up in the order of their bytes.
        var names = items.Where(static item => item.Type == "DIR_INDEX")
            .Select(static item => (Parent: item.Inode, Child: Location().Match(item.Text).Groups[1].Value, Name: Name().Match(item.Text).Groups[1].Value)).ToList();
        var pending = new Queue<string>(["256"]);
        while (pending.TryDequeue(out string? parent))
        {
            foreach (var (_, child, name) in names.Where(entry => entry.Parent == parent).OrderBy(static entry => entry.Name, StringComparer.Ordinal))
            {
                if (paths.TryAdd(child, $"{paths[parent]}/{name}"))
                {
                    pending.Enqueue(child);
                }
            }
        }
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (inode, type, offset, text) in items)
        {
            // The numbers of names follow the order that mkfs.btrfs finds them in.
            string key = type == "DIR_INDEX" ? Name().Match(text).Groups[1].Value : type == "INODE_REF" ? paths[offset] : offset;
            result.Add($"{paths[inode]} {type} {key}", Normalized(inode, type, Location().Replace(text, match => $"({paths[match.Groups[1].Value]} ")));
        }
        return result;
    }

    private static string Normalized(string inode, string type, string text)
    {
        // One transaction instead of seven; other places; no nanoseconds, and no time of birth, in mkfs.btrfs.
        text = Regex.Replace(text, @"(generation|transid|index|disk byte) \d+|[acmo]time .*|itemoff \d+", "", RegexOptions.NonBacktracking);
        if (type == "INODE_ITEM" && inode == "256")
        {
            // The root's is a remnant of the first tree that mkfs.btrfs makes.
            text = Regex.Replace(text, @"nbytes \d+", "", RegexOptions.NonBacktracking);
        }
        // With a link's target mkfs.btrfs stores the NUL after it; the kernel does not.
        text = Regex.Replace(text, @"nbytes \d+(?=\s+block group 0 mode 120)|itemsize \d+ *(?=\s+type 0)|(?<=data )size \d+ ram_bytes \d+", "");
        return string.Join('\n', text.Split('\n').Select(static line => line.Trim()).Where(static line => line.Length > 0));
    }

    [GeneratedRegex(@"^\titem \d+ key \((?<inode>\d+) (?<type>[A-Z_]+) (?<offset>\d+)\) (?<text>.*\n(?:\t\t.*\n)*)", RegexOptions.Multiline)]
    private static partial Regex ItemText();

    [GeneratedRegex(@"\((\d+) (?=INODE_ITEM)")]
    private static partial Regex Location();

    [GeneratedRegex(@"name: (.*)")]
    private static partial Regex Name();
}
