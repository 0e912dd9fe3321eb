using System.Collections.Immutable;
using Diecast.Binary;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Cpio;

/// <summary>
/// Reads what the kernel takes for an initrd: newc archives one after the other, each plain or compressed, with zeros
/// between them; later members replace earlier ones. Compressed parts go through an unnamed file. After a gzip or xz part
/// no plain one can follow.
/// </summary>
public static class CpioReader
{
    // PATH_MAX; also what keeps a tree from being too deep for the stack.
    private const int MaximumName = 4096;

    /// <summary>Whether the blob starts as an archive, plain or compressed, would.</summary>
    public static bool Recognizes(Blob blob)
    {
        byte[] start = blob.ReadBytes(0, (int)Math.Min(6, blob.Length));
        return start.AsSpan().SequenceEqual(CpioHeader.Magic) || start.AsSpan().SequenceEqual(CpioHeader.ChecksumMagic)
            || Decompressor.Detect(start) != Compression.None;
    }

    /// <summary>The tree of all the archives.</summary>
    /// <param name="limit">The most bytes that a compressed part may unfold to.</param>
    /// <exception cref="InvalidDataException">It is damaged, cut off, or a path leads out of the tree.</exception>
    public static FileTree Read(Blob blob, long limit = long.MaxValue)
    {
        var builder = new TreeBuilder(new Metadata(0x1ED, 0, 0, default));
        ReadArchives(blob, limit, builder, nested: false);
        return builder.Build();
    }

    private static void ReadArchives(Blob blob, long limit, TreeBuilder builder, bool nested)
    {
        for (long position = 0; (position = SkipZeros(blob, position)) < blob.Length;)
        {
            byte[] start = blob.ReadBytes(position, (int)Math.Min(6, blob.Length - position));
            if (Decompressor.Detect(start) == Compression.None)
            {
                position = new Archive(blob, builder).Read(position);
                continue;
            }
            if (nested)
            {
                throw new InvalidDataException($"cpio: compressed data inside of compressed data at {position}");
            }
            // Only of zstd the end can be told without decoding; what follows another one must be compressed alike.
            long length = Decompressor.Detect(start) == Compression.Zstd ? ZstdFrame.MeasureAll(blob, position) : blob.Length - position;
            ReadArchives(Decompressor.Open(blob.Slice(position, length), limit), limit, builder, nested: true);
            position += length;
        }
    }

    private static long SkipZeros(Blob blob, long position)
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
    private sealed class Archive(Blob blob, TreeBuilder builder)
    {
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
                    return content;
                }
                Add(header, name, blob.Slice(content, header.FileSize), offset);
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
                    builder.AddDirectory(name, metadata);
                    break;
                case Posix.S_IFREG:
                    AddFile(header, name, new FileNode(metadata, content));
                    break;
                case Posix.S_IFLNK when content.Length <= MaximumName:
                    builder.Add(name, new SymlinkNode(metadata, ImmutableArray.Create(content.ReadBytes(0, (int)content.Length))));
                    break;
                case Posix.S_IFCHR:
                    builder.Add(name, new DeviceNode(metadata, FileType.CharacterDevice, header.RdevMajor, header.RdevMinor));
                    break;
                case Posix.S_IFBLK:
                    builder.Add(name, new DeviceNode(metadata, FileType.BlockDevice, header.RdevMajor, header.RdevMinor));
                    break;
                case Posix.S_IFIFO:
                    builder.Add(name, new SpecialNode(metadata, FileType.Fifo));
                    break;
                case Posix.S_IFSOCK:
                    builder.Add(name, new SpecialNode(metadata, FileType.Socket));
                    break;
                default:
                    throw new InvalidDataException($"cpio: the member at {offset} has the mode {Convert.ToString(header.Mode, 8)}");
            }
        }

        // The content comes with the last name.
        private void AddFile(CpioHeader header, byte[] name, FileNode node)
        {
            builder.Add(name, node);
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
                foreach (var (path, _) in file.Names.Where(name => ReferenceEquals(builder.Find(name.Path), name.Node)))
                {
                    builder.Add(path, file.Content!);
                }
            }
        }
    }
}
