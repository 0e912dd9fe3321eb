using Diecast.Binary;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Tar;

/// <summary>An archive as a tree.</summary>
public static class TarTree
{
    // A compressed archive of nothing but headers would fill the memory.
    private const int MaximumMembers = 1 << 22;

    /// <summary>Whether the blob starts with a member of an archive, by the checksum of its header; not where it is compressed.</summary>
    public static bool Recognizes(Blob blob)
    {
        if (blob.Length < TarHeader.BlockSize)
        {
            return false;
        }
        byte[] header = blob.ReadBytes(0, TarHeader.BlockSize);
        return header[0] != 0 && TarNumber.Parse(header.AsSpan(TarHeader.Checksum)) is { } checksum
            && (checksum == TarHeader.Sum(header) || checksum == TarHeader.SignedSum(header));
    }

    /// <summary>
    /// The tree in an archive, which may be compressed. The files' contents stay where they are (in an unnamed file where
    /// the archive is compressed): the blob is read again when they are. A later member replaces an earlier one of the
    /// same path.
    /// </summary>
    /// <exception cref="InvalidDataException">The archive is damaged, or a path leads out of the tree or through a link.</exception>
    public static FileTree Read(Blob source) => ReadMapped(Decompressor.Open(source)).Tree;

    /// <summary>As <see cref="Read"/> of what is not compressed, and where everything stands.</summary>
    internal static (FileTree Tree, ArchiveMap Map) ReadMapped(Blob archive)
    {
        var map = new ArchiveMap("tar", TarFields.Of);
        long end = 0;
        var builder = new TreeBuilder(new Metadata(0x1ED, 0, 0, default));
        var reader = new TarReader(new BlobStream(archive));
        int members = 0;
        while (reader.Next() is { } entry)
        {
            if (++members > MaximumMembers)
            {
                throw new InvalidDataException($"tar: the header at {entry.Offset} is one of more than {MaximumMembers}");
            }
            byte[] path = TarPath.Normalize(entry.Path.AsSpan());
            if (entry.Type == TarEntryType.Directory)
            {
                builder.AddDirectory(path, entry.Metadata);
            }
            else
            {
                builder.Add(path, NodeOf(entry, archive, builder));
            }
            long stored = entry.Segments?.Sum(static segment => segment.Length) ?? entry.Length;
            map.Add(new MemberPlace(archive, path, end, entry.Offset, entry.DataOffset, stored));
            end = (entry.DataOffset + stored).AlignUp(TarHeader.BlockSize);
        }
        long trailer = TarFields.EndOfExtensions(archive, end);
        map.Add(new MemberPlace(archive, null, end, trailer, Math.Min(trailer + 2 * TarHeader.BlockSize, archive.Length), 0));
        return (builder.Build(), map);
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
