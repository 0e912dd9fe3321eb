using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Tar;

/// <summary>An archive as a tree.</summary>
public static class TarTree
{
    /// <summary>
    /// The tree in an archive, which may be compressed. The files' contents stay where they are (in an unnamed file where
    /// the archive is compressed): the blob is read again when they are. A later member replaces an earlier one of the
    /// same path.
    /// </summary>
    /// <exception cref="InvalidDataException">The archive is damaged, or a path leads out of the tree or through a link.</exception>
    public static FileTree Read(Blob source)
    {
        var archive = Decompressor.Open(source);
        var builder = new TreeBuilder(new Metadata(0x1ED, 0, 0, default));
        var reader = new TarReader(new BlobStream(archive));
        while (reader.Next() is { } entry)
        {
            byte[] path = TarPath.Normalize(entry.Path.AsSpan());
            if (entry.Type == TarEntryType.Directory)
            {
                builder.AddDirectory(path, entry.Metadata);
            }
            else
            {
                builder.Add(path, NodeOf(entry, archive, builder));
            }
        }
        return builder.Build();
    }

    private static Node NodeOf(TarEntry entry, Blob archive, TreeBuilder builder) => entry.Type switch
    {
        TarEntryType.File => new FileNode(entry.Metadata, ContentOf(entry, archive)),
        TarEntryType.Symlink => new SymlinkNode(entry.Metadata, entry.LinkTarget),
        TarEntryType.CharacterDevice => new DeviceNode(entry.Metadata, FileType.CharacterDevice, entry.Major, entry.Minor),
        TarEntryType.BlockDevice => new DeviceNode(entry.Metadata, FileType.BlockDevice, entry.Major, entry.Minor),
        TarEntryType.Fifo => new SpecialNode(entry.Metadata, FileType.Fifo),
        _ => builder.Find(TarPath.Normalize(entry.LinkTarget.AsSpan())) is { } target and not DirectoryNode
            ? target
            : throw new InvalidDataException(
                $"{entry} is a hard link to {FileName.Display(entry.LinkTarget.AsSpan())}, which is no earlier member"),
    };

    private static Blob ContentOf(TarEntry entry, Blob archive)
    {
        if (entry.Segments is null)
        {
            return archive.Slice(entry.DataOffset, entry.Length);
        }
        var content = new ImageBuilder();
        long stored = entry.DataOffset;
        foreach (var segment in entry.Segments)
        {
            content.Place(segment.Offset, archive.Slice(stored, segment.Length), "data");
            stored += segment.Length;
        }
        return content.Build(entry.Length);
    }
}
