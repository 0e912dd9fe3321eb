using System.Collections.Immutable;
using Diecast.Binary;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Cpio;

/// <summary>
/// Reads what the kernel takes for an initrd: newc archives one after the other, each plain or compressed, with zeros
/// between them; later members replace earlier ones. Compressed parts go through an unnamed file.
/// </summary>
public static class CpioReader
{
    // PATH_MAX; also what keeps a tree from being too deep for the stack.
    private const int MaximumName = 4096;

    // A compressed archive of nothing but headers would fill the memory.
    private const int MaximumMembers = 1 << 20;

    /// <summary>Whether the blob starts as a plain archive does; compressed ones may follow it.</summary>
    public static bool Recognizes(Blob blob) => Recognizes(blob, 0);

    /// <summary>Whether a header of an archive stands at an offset.</summary>
    public static bool Recognizes(Blob blob, long offset)
    {
        byte[] start = blob.ReadBytes(offset, (int)Math.Min(CpioHeader.Magic.Length, blob.Length - offset));
        return start.AsSpan().SequenceEqual(CpioHeader.Magic) || start.AsSpan().SequenceEqual(CpioHeader.ChecksumMagic);
    }

    /// <summary>The tree of all the archives.</summary>
    /// <param name="blob">Archives one after the other.</param>
    /// <param name="limit">The most bytes that all the compressed parts may unfold to.</param>
    /// <exception cref="InvalidDataException">It is damaged, cut off, or a path leads out of the tree.</exception>
    public static FileTree Read(Blob blob, long limit = long.MaxValue) => ReadMapped(blob, limit).Tree;

    /// <summary>As <see cref="Read"/>, and where everything stands.</summary>
    internal static (FileTree Tree, ArchiveMap Map) ReadMapped(Blob blob, long limit)
    {
        var archives = new Archives(limit);
        archives.Read(blob, nested: false);
        return (archives.Builder.Build(), archives.Map);
    }

    private sealed class Archives(long limit)
    {
        private int _members;

        public TreeBuilder Builder { get; } = new(new Metadata(0x1ED, 0, 0, default));

        public ArchiveMap Map { get; } = new("cpio", CpioFields.Of);

        public void Read(Blob blob, bool nested)
        {
            for (long position = 0; (position = SkipZeros(blob, position)) < blob.Length;)
            {
                var compression = Decompressor.Detect(blob.ReadBytes(position, (int)Math.Min(6, blob.Length - position)));
                if (compression == Compression.None)
                {
                    position = new Archive(blob, this, nested ? Map.AddPacked : Map.Add).Read(position);
                    continue;
                }
                if (nested)
                {
                    throw new InvalidDataException($"cpio: compressed data inside of compressed data at {position}");
                }
                long start = position;
                Read(Unfold(blob, ref position), nested: true);
                Map.AddOther(start, position - start, compression switch
                {
                    Compression.Gzip => "gzip data",
                    Compression.Xz => "xz data",
                    _ => "zstd data",
                });
            }
        }

        public void CountMember(long offset)
        {
            if (++_members > MaximumMembers)
            {
                throw new InvalidDataException($"cpio: the member at {offset} is one of more than {MaximumMembers}");
            }
        }

        private Blob Unfold(Blob blob, ref long position)
        {
            long start = position;
            long end = 0;
            var data = SpillFile.Create(output => end = Decompressor.ReadMember(blob, start, part =>
            {
                limit -= part.Length;
                if (limit < 0)
                {
                    throw new InvalidDataException($"cpio: the compressed data up to {start} unfolds to more than is allowed");
                }
                output.Write(part);
            }));
            position = end;
            return data;
        }
    }

    /// <summary>The place of the first byte from a position on that is not zero; the blob's end where there is none.</summary>
    internal static long SkipZeros(Blob blob, long position)
    {
        var window = new byte[4096];
        while (position < blob.Length)
        {
            int length = (int)Math.Min(window.Length, blob.Length - position);
            blob.Read(position, window.AsSpan(0, length));
            int first = window.AsSpan(0, length).IndexOfAnyExcept((byte)0);
            if (first >= 0)
            {
                return position + first;
            }
            position += length;
        }
        return position;
    }

    /// <summary>One archive; inode numbers mean nothing to the next one.</summary>
    private sealed class Archive(Blob blob, Archives archives, Action<MemberPlace> found)
    {
        private readonly TreeBuilder _builder = archives.Builder;
        private readonly Dictionary<(uint Major, uint Minor, uint Inode), LinkedFile> _links = [];

        private sealed class LinkedFile
        {
            public readonly List<(byte[] Path, FileNode Node)> Names = [];
            public FileNode? Content;
        }

        /// <summary>Reads from an offset on and returns the end.</summary>
        public long Read(long position)
        {
            long start = position;
            while (true)
            {
                long offset = position;
                if (blob.Length - offset < CpioHeader.Size)
                {
                    throw new InvalidDataException($"cpio: the archive is cut off at {offset}");
                }
                var header = CpioHeader.Parse(blob.ReadBytes(offset, CpioHeader.Size), offset);
                byte[] name = ReadName(header, offset);
                long content = offset + (offset - start + CpioHeader.Size + header.NameSize).AlignUp(CpioHeader.Alignment) - (offset - start);
                if (content > blob.Length || header.FileSize > blob.Length - content)
                {
                    throw new InvalidDataException($"cpio: the archive is cut off within the member at {offset}");
                }
                if (name.AsSpan().SequenceEqual(CpioHeader.Trailer))
                {
                    Finish();
                    found(new MemberPlace(blob, null, offset, offset, content, 0));
                    return content;
                }
                archives.CountMember(offset);
                Add(header, name, blob.Slice(content, header.FileSize), offset);
                // Where a link leads is one of its fields.
                long target = ((int)header.Mode & Posix.S_IFMT) == Posix.S_IFLNK ? header.FileSize : 0;
                found(new MemberPlace(blob, TreeBuilder.Normalize(name), offset, offset, content + target, header.FileSize - target));
                position = start + (content + header.FileSize - start).AlignUp(CpioHeader.Alignment);
            }
        }

        private byte[] ReadName(CpioHeader header, long offset)
        {
            if (header.NameSize is 0 or > MaximumName || header.NameSize > blob.Length - offset - CpioHeader.Size)
            {
                throw new InvalidDataException($"cpio: the name of the member at {offset} has {header.NameSize} bytes");
            }
            byte[] name = blob.ReadBytes(offset + CpioHeader.Size, (int)header.NameSize);
            return name[^1] == 0
                ? name[..^1]
                : throw new InvalidDataException($"cpio: the name of the member at {offset} is not terminated");
        }

        private void Add(CpioHeader header, byte[] name, Blob content, long offset)
        {
            var metadata = new Metadata((ushort)(header.Mode & 0xFFF), header.Uid, header.Gid, new Timestamp(header.Mtime));
            switch ((int)header.Mode & Posix.S_IFMT)
            {
                case Posix.S_IFDIR:
                    _builder.AddDirectory(name, metadata);
                    break;
                case Posix.S_IFREG:
                    AddFile(header, name, new FileNode(metadata, content));
                    break;
                case Posix.S_IFLNK when content.Length <= MaximumName:
                    _builder.Add(name, new SymlinkNode(metadata, ImmutableArray.Create(content.ReadBytes(0, (int)content.Length))));
                    break;
                case Posix.S_IFCHR:
                    _builder.Add(name, new DeviceNode(metadata, FileType.CharacterDevice, header.RdevMajor, header.RdevMinor));
                    break;
                case Posix.S_IFBLK:
                    _builder.Add(name, new DeviceNode(metadata, FileType.BlockDevice, header.RdevMajor, header.RdevMinor));
                    break;
                case Posix.S_IFIFO:
                    _builder.Add(name, new SpecialNode(metadata, FileType.Fifo));
                    break;
                case Posix.S_IFSOCK:
                    _builder.Add(name, new SpecialNode(metadata, FileType.Socket));
                    break;
                default:
                    throw new InvalidDataException($"cpio: the member at {offset} has the mode {Convert.ToString(header.Mode, 8)}");
            }
        }

        // The content comes with the last name.
        private void AddFile(CpioHeader header, byte[] name, FileNode node)
        {
            _builder.Add(name, node);
            if (header.Links < 2)
            {
                return;
            }
            var key = (header.DeviceMajor, header.DeviceMinor, header.Inode);
            if (!_links.TryGetValue(key, out var file))
            {
                _links.Add(key, file = new LinkedFile());
            }
            file.Names.Add((name, node));
            if (file.Content is null || node.Content.Length > 0)
            {
                file.Content = node;
            }
        }

        private void Finish()
        {
            foreach (var file in _links.Values)
            {
                // A later member may have taken one of the names.
                foreach (var (path, _) in file.Names.Where(name => ReferenceEquals(_builder.Find(name.Path), name.Node)))
                {
                    _builder.Add(path, file.Content!);
                }
            }
        }
    }
}
