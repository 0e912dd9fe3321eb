using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Collections.Immutable;
using Diecast.Binary;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Ext4;

/// <summary>
/// Reads a file system of the ext family as a tree. Directories are read when they are asked for; the journal is not
/// replayed, but the fields say whether it would have to be.
/// </summary>
internal sealed partial class Reader
{
    private readonly Volume _volume;
    private readonly XattrReader _xattrs;

    // Nodes with several names. Directories have one: else a hostile tree would have no end.
    private readonly ConcurrentDictionary<uint, Lazy<Node>> _linked = [];
    private readonly ConcurrentDictionary<uint, (uint Directory, FileName Name)> _parents = [];

    private Reader(Blob blob)
    {
        _volume = new Volume(blob);
        _xattrs = new XattrReader(_volume);
    }

    /// <exception cref="InvalidDataException">
    /// It is no ext file system, is damaged, or has a feature that is not read.
    /// </exception>
    public static FileSystemView Read(Blob blob)
    {
        var reader = new Reader(blob);
        var root = reader._volume.Inode(Plan.RootInode);
        if (root.Type != Posix.S_IFDIR)
        {
            throw new InvalidDataException("ext4 inode 2: the root is no directory");
        }
        reader._parents.TryAdd(Plan.RootInode, (Plan.RootInode, default));
        var tree = new FileTree((DirectoryNode)reader.ToNode(root));
        return new FileSystemView
        {
            Tree = tree,
            Fields = Fields(reader._volume),
            Layout = () => new Reader(blob).Layout(),
            FieldFinder = () => Ext4.FieldFinder.Of(blob),
            Check = () => Checker.Check(blob),
        };
    }

    private Node ToNode(StoredInode inode)
    {
        var record = inode.Record;
        var mtime = InodeTime.Read(record.ModificationTime, record.ModificationTimeExtra);
        if (mtime.Nanoseconds >= 1_000_000_000)
        {
            throw new InvalidDataException($"ext4 inode {inode.Number}: {mtime.Nanoseconds} nanoseconds");
        }
        var metadata = new Metadata(
            (ushort)(record.Mode & 0xFFF), record.UidLow | (uint)record.UidHigh.Value << 16,
            record.GidLow | (uint)record.GidHigh.Value << 16, mtime)
        {
            Xattrs = [.. _xattrs.Read(inode)],
        };
        return inode.Type switch
        {
            Posix.S_IFREG => new FileNode(metadata, Content(inode)),
            Posix.S_IFDIR => new DirectoryNode(metadata, () => ReadDirectory(inode)),
            Posix.S_IFLNK => new SymlinkNode(metadata, Target(inode)),
            Posix.S_IFCHR => Device(metadata, FileType.CharacterDevice, record),
            Posix.S_IFBLK => Device(metadata, FileType.BlockDevice, record),
            Posix.S_IFIFO => new SpecialNode(metadata, FileType.Fifo),
            Posix.S_IFSOCK => new SpecialNode(metadata, FileType.Socket),
            _ => throw new InvalidDataException(
                $"ext4 inode {inode.Number}: no type has the mode {Convert.ToString(record.Mode, 8)}"),
        };
    }

    private static DeviceNode Device(Metadata metadata, FileType type, in InodeRecord record)
    {
        var block = record.Block;
        uint old = BinaryPrimitives.ReadUInt32LittleEndian(block);
        uint number = BinaryPrimitives.ReadUInt32LittleEndian(block[sizeof(uint)..]);
        return old != 0
            ? new DeviceNode(metadata, type, old >> 8 & 0xFF, old & 0xFF)
            : new DeviceNode(metadata, type, number >> 8 & 0xFFF, number & 0xFF | number >> 12 & 0xFFF00);
    }

    private Blob Content(StoredInode inode)
    {
        // An extent holds 32 bits of block numbers.
        if (inode.Size < 0 || inode.Size > (long)_volume.BlockSize << 32)
        {
            throw new InvalidDataException($"ext4 inode {inode.Number}: {inode.Size} bytes");
        }
        return inode.Has(InodeRecord.InlineDataFlag)
            ? new MemoryBlob(Inline(inode)) : new StoredFile(_volume, inode, isRemembered: true);
    }

    /// <summary>The content of a file or directory that has no block (inline_data).</summary>
    private byte[] Inline(StoredInode inode)
    {
        var block = inode.Record.Block;
        ReadOnlySpan<byte> start = block;
        byte[] all = [.. start, .. _xattrs.InlineData(inode)];
        return inode.Size <= all.Length
            ? all[..(int)inode.Size]
            : throw new InvalidDataException(
                $"ext4 inode {inode.Number}: {inode.Size} bytes in the inode, which holds {all.Length}");
    }

    private ImmutableArray<byte> Target(StoredInode inode)
    {
        if (inode.Size <= 0 || inode.Size > _volume.BlockSize)
        {
            throw new InvalidDataException($"ext4 inode {inode.Number}: a symbolic link of {inode.Size} bytes");
        }
        const uint elsewhere = InodeRecord.ExtentsFlag | InodeRecord.InlineDataFlag;
        if (inode.Size <= Plan.ShortTarget && !inode.Has(elsewhere))
        {
            var block = inode.Record.Block;
            return [.. block[..(int)inode.Size]];
        }
        return [.. Content(inode).ReadBytes(0, (int)inode.Size)];
    }

    private IEnumerable<Trees.DirectoryEntry> ReadDirectory(StoredInode directory)
    {
        foreach (var (name, number) in Names(directory))
        {
            yield return new Trees.DirectoryEntry(name, Child(directory, name, number));
        }
    }

    private Node Child(StoredInode directory, FileName name, uint number)
    {
        var inode = _volume.Inode(number);
        if (inode.Type == Posix.S_IFDIR)
        {
            // A directory that was let go of comes again, in the same place.
            if (_parents.GetOrAdd(number, (directory.Number, name)) != (directory.Number, name))
            {
                throw new InvalidDataException(
                    $"ext4 directory {directory.Number}: the directory {number} stands in {_parents[number].Directory} already");
            }
            return ToNode(inode);
        }
        return inode.Record.LinksCount > 1
            ? _linked.GetOrAdd(number, _ => new Lazy<Node>(() => ToNode(inode))).Value
            : ToNode(inode);
    }

    /// <summary>The names in a directory without "." and "..": as a list, which an index is invisible to.</summary>
    private IEnumerable<(FileName Name, uint Inode)> Names(StoredInode directory)
    {
        if (directory.Has(InodeRecord.EncryptFlag))
        {
            throw new InvalidDataException($"ext4 directory {directory.Number}: encrypted names are not read");
        }
        if (directory.Has(InodeRecord.InlineDataFlag))
        {
            return InlineNames(directory);
        }
        int blockSize = _volume.BlockSize;
        if (directory.Size <= 0 || directory.Size % blockSize != 0)
        {
            throw new InvalidDataException($"ext4 directory {directory.Number}: {directory.Size} bytes");
        }
        return BlockNames(directory);
    }

    private IEnumerable<(FileName Name, uint Inode)> BlockNames(StoredInode directory)
    {
        long blocks = directory.Size / _volume.BlockSize;
        foreach (var run in FileMap.Of(_volume, directory).Runs)
        {
            for (long i = 0; i < run.Count && run.Logical + i < blocks && !run.IsUnwritten; i++)
            {
                long place = run.Physical + i;
                string structure = $"ext4 directory {directory.Number}, block {run.Logical + i} at {place * _volume.BlockSize}";
                byte[] block = _volume.ReadBlock(place, structure);
                CheckLeaf(directory, block, structure);
                foreach (var entry in Entries(block, structure))
                {
                    yield return entry;
                }
            }
        }
    }

    private IEnumerable<(FileName Name, uint Inode)> InlineNames(StoredInode directory)
    {
        // The number of the parent, then entries up to the end of i_block, then entries in the attribute.
        const int parentSize = sizeof(uint);
        const int inodeEnd = 60;
        string structure = $"ext4 directory {directory.Number} in its inode";
        byte[] bytes = Inline(directory);
        if (bytes.Length < parentSize)
        {
            throw new InvalidDataException($"{structure}: {bytes.Length} bytes");
        }
        byte[] first = bytes[parentSize..Math.Min(inodeEnd, bytes.Length)];
        byte[] second = bytes[Math.Min(inodeEnd, bytes.Length)..];
        return [.. Entries(first, structure), .. Entries(second, structure)];
    }

    /// <summary>
    /// Checks a block that ends with a checksum; an index block ends otherwise and holds no names but the dots.
    /// </summary>
    private void CheckLeaf(StoredInode directory, byte[] block, string structure)
    {
        if (_volume.Checksums is not { } checksums)
        {
            return;
        }
        var tail = OnDisk.Read<DirectoryTail>(block.AsSpan(block.Length - DirectoryTail.Size));
        bool hasTail = tail.Inode == 0 && tail.RecordLength == DirectoryTail.Size && tail.NameLength == 0
            && tail.FileType == DirectoryTail.FileTypeValue;
        if (!hasTail && !directory.Has(InodeRecord.IndexFlag))
        {
            throw new InvalidDataException($"{structure}: no checksum");
        }
        if (hasTail)
        {
            uint seed = checksums.InodeSeed(directory.Number, directory.Record.Generation);
            if (Checksums.DirectoryBlock(seed, block.AsSpan(0, block.Length - DirectoryTail.Size)) != tail.Checksum)
            {
                throw new InvalidDataException($"{structure}: wrong checksum");
            }
        }
    }

    private static List<(FileName Name, uint Inode)> Entries(byte[] block, string structure)
    {
        var entries = new List<(FileName, uint)>();
        int length;
        for (int at = 0; at < block.Length; at += length)
        {
            if (block.Length - at < DirectoryEntryHeader.Size)
            {
                throw new InvalidDataException($"{structure}: the entry at {at} is cut off");
            }
            var header = OnDisk.Read<DirectoryEntryHeader>(block.AsSpan(at));
            // 64 KiB do not fit in the field.
            length = header.RecordLength is var stored && (stored == 0 || stored == ushort.MaxValue) && block.Length == 65536
                ? block.Length : header.RecordLength;
            if (length < DirectoryEntryHeader.Size || length > block.Length - at || length % 4 != 0
                || header.NameLength > length - DirectoryEntryHeader.Size)
            {
                throw new InvalidDataException($"{structure}: the entry at {at} is damaged");
            }
            var name = block.AsSpan(at + DirectoryEntryHeader.Size, header.NameLength);
            if (header.Inode == 0 || name.SequenceEqual("."u8) || name.SequenceEqual(".."u8))
            {
                continue;
            }
            var fileName = new FileName(name);
            entries.Add(fileName.IsValid
                ? (fileName, header.Inode)
                : throw new InvalidDataException($"{structure}: the entry at {at} has no valid name"));
        }
        return entries;
    }
}
