using Diecast.Binary;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Fat;

/// <summary>
/// FAT12, FAT16 and FAT32 with long names. Owners, modes, extended attributes and hard links are not kept (each name of
/// a file gets a copy); symbolic links and special files are refused, or dropped before by <see cref="DropUnstorable"/>.
/// </summary>
public sealed class FatFormat : IFileSystemFormat
{
    /// <summary>fatgen103: a directory is at most 2 MiB long.</summary>
    private const long MaximumSlots = 65536;

    private const int LeastRootEntries = 512;

    public string Name => "vfat";

    /// <summary>
    /// The tree without what FAT cannot hold at all: symbolic links, devices, fifos and sockets. That is how
    /// systemd-repart fills an ESP.
    /// </summary>
    public static FileTree DropUnstorable(FileTree tree) => new(Storable(tree.Root));

    private static DirectoryNode Storable(DirectoryNode directory) => new(directory.Metadata, directory.Entries
        .Where(static entry => entry.Node is FileNode or DirectoryNode)
        .Select(static entry => entry.Node is DirectoryNode child ? entry with { Node = Storable(child) } : entry));

    public IReadOnlyList<string> Check(FileTree tree, FileSystemOptions options)
    {
        var errors = new List<string>();
        if (options.SectorSize is not (512 or 4096))
        {
            errors.Add($"vfat: a sector size of {options.SectorSize} bytes is neither 512 nor 4096");
        }
        if (options.FatBits is not (null or 12 or 16 or 32))
        {
            errors.Add($"vfat: there is no FAT{options.FatBits}, only FAT12, FAT16 and FAT32");
        }
        bool labelled = VolumeLabel.From(options.Label) is not null;
        foreach (var entry in tree.Walk())
        {
            CheckEntry(entry, labelled, errors);
        }
        if (errors.Count == 0)
        {
            CheckSize(tree, options, errors);
        }
        return errors;
    }

    private static void CheckEntry(TreeEntry entry, bool labelled, List<string> errors)
    {
        switch (entry.Node)
        {
            case FileNode { Content.Length: > uint.MaxValue } file:
                errors.Add($"{entry}: {file.Content.Length} bytes; vfat files end below 4 GiB");
                break;
            case DirectoryNode directory:
                CheckDirectory(entry, directory, labelled, errors);
                break;
            case not FileNode:
                errors.Add($"{entry}: vfat has no {TypeName(entry.Node.Type)}");
                break;
        }
    }

    private static void CheckDirectory(TreeEntry entry, DirectoryNode directory, bool labelled, List<string> errors)
    {
        bool valid = true;
        var names = new Dictionary<string, FileName>(StringComparer.Ordinal);
        foreach (var (name, _) in directory.Entries)
        {
            if (LongNames.Problem(name) is { } problem)
            {
                errors.Add($"{new TreePath(entry.Path, name)}: the name {problem}; vfat cannot have it");
                valid = false;
            }
            else if (!names.TryAdd(LongNames.Fold(name), name))
            {
                var other = new TreePath(entry.Path, names[LongNames.Fold(name)]);
                errors.Add($"{new TreePath(entry.Path, name)}: the same name as {other} to vfat, which ignores case");
                valid = false;
            }
        }
        if (valid && Writer.SlotCount(directory, entry.Path is null, labelled) is > MaximumSlots and var slots)
        {
            errors.Add($"{entry}: its names need {slots} entries; vfat has {MaximumSlots} in a directory");
        }
    }

    private static void CheckSize(FileTree tree, FileSystemOptions options, List<string> errors)
    {
        if (RootEntries(tree, options) > ushort.MaxValue && options.FatBits is 12 or 16)
        {
            errors.Add($"/: its names need {RootEntries(tree, options)} entries; the root of FAT{options.FatBits} has {ushort.MaxValue}");
            return;
        }
        string type = options.FatBits is { } bits ? $"FAT{bits}" : "vfat";
        if (LeastSize(tree, options, options.Size ?? 0) is not { } least)
        {
            errors.Add(options.Size is { } asked && LeastSize(tree, options, 0) is not null
                ? $"{type}: {asked} bytes are more than it can have in sectors of {options.SectorSize} bytes"
                : $"{type}: the tree does not fit into any size in sectors of {options.SectorSize} bytes");
        }
        else if (options.Size is { } size && LayoutFor(tree, options, size) is not { } layout)
        {
            errors.Add($"{type}: {size} bytes are too few in sectors of {options.SectorSize} bytes; at least {least}");
        }
        else if (options.Size is { } given && least > given)
        {
            errors.Add($"{type}: the tree does not fit into {given} bytes; at least {least}");
        }
    }

    public long Measure(FileTree tree, FileSystemOptions options) =>
        LeastSize(tree, options, 0) ?? throw new InvalidOperationException("Measure is for trees that Check let pass");

    public Image Write(FileTree tree, FileSystemOptions options)
    {
        long size = options.Size ?? Measure(tree, options);
        var layout = LayoutFor(tree, options, size) ?? throw new InvalidOperationException("Write is for trees that Check let pass");
        return Writer.Write(tree, layout, options, size);
    }

    private static Layout? LayoutFor(FileTree tree, FileSystemOptions options, long size) =>
        Layout.For(size, options.SectorSize, Bits(tree, options), RootEntries(tree, options));

    private static long? LeastSize(FileTree tree, FileSystemOptions options, long least)
    {
        bool labelled = VolumeLabel.From(options.Label) is not null;
        return Layout.LeastSize(
            options.SectorSize, Bits(tree, options), RootEntries(tree, options), layout => ClustersNeeded(tree, layout, labelled), least);
    }

    /// <summary>Only FAT32's root is a chain, and so as long as any directory.</summary>
    private static int? Bits(FileTree tree, FileSystemOptions options) =>
        options.FatBits ?? (RootEntries(tree, options) > ushort.MaxValue ? 32 : null);

    /// <summary>The size of FAT12's and FAT16's root: 512 entries, or what the tree needs, in whole sectors.</summary>
    private static int RootEntries(FileTree tree, FileSystemOptions options)
    {
        bool labelled = VolumeLabel.From(options.Label) is not null;
        long needed = Math.Max(LeastRootEntries, Writer.SlotCount(tree.Root, true, labelled));
        return (int)needed.AlignUp(options.SectorSize / ShortEntry.Size);
    }

    private static long ClustersNeeded(FileTree tree, Layout layout, bool labelled)
    {
        long clusters = 0;
        foreach (var entry in tree.Walk())
        {
            bool isRoot = entry.Path is null;
            long length = entry.Node switch
            {
                FileNode file => file.Content.Length,
                DirectoryNode when isRoot && layout.Bits != 32 => 0,
                DirectoryNode directory => Math.Max(1, Writer.SlotCount(directory, isRoot, labelled)) * ShortEntry.Size,
                _ => 0,
            };
            clusters += length.DivideUp(layout.ClusterSize);
        }
        return clusters;
    }

    private static string TypeName(FileType type) => type switch
    {
        FileType.Symlink => "symbolic links",
        FileType.CharacterDevice or FileType.BlockDevice => "device nodes",
        FileType.Fifo => "fifos",
        _ => "sockets",
    };

    public bool Recognizes(Blob blob) => BootRecord.Recognizes(blob);

    public FileSystemView Read(Blob blob) => new Reader(blob).View();
}
