using System.Collections.Immutable;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Tar;

/// <summary>
/// Reads an archive of any origin from a stream, without seeking: ustar, pax and GNU's format, sparse files included.
/// Names and attributes keep their bytes.
/// </summary>
public sealed class TarReader(Stream stream)
{
    private const int MaximumExtendedHeader = 16 << 20;
    private const int MaximumGlobalHeaders = 1 << 20;
    private const int MaximumLongName = 64 << 10;

    private readonly byte[] _block = new byte[TarHeader.BlockSize];
    private readonly List<KeyValuePair<string, byte[]>> _global = [];
    private int _globalSize;
    private long _position;
    private long _nextHeader;
    private bool _ended;

    private sealed class Extensions
    {
        public List<KeyValuePair<string, byte[]>>? Local;
        public byte[]? LongName;
        public byte[]? LongLink;

        public bool Any => Local is not null || LongName is not null || LongLink is not null;
    }

    /// <summary>The next member, or null at the end. What was not read of the one before is skipped.</summary>
    /// <exception cref="InvalidDataException">The archive is damaged, cut off, or holds what cannot be understood.</exception>
    public TarEntry? Next()
    {
        if (_ended)
        {
            return null;
        }
        SkipTo(_nextHeader);
        var extensions = new Extensions();
        while (true)
        {
            long offset = _position;
            ReadExactly(_block);
            if (!_block.AsSpan().ContainsAnyExcept((byte)0))
            {
                if (extensions.Any)
                {
                    throw new InvalidDataException($"tar: the archive ends at {offset} after an extended header");
                }
                Drain();
                return null;
            }
            VerifyChecksum(offset);
            if (!TakeExtension(offset, extensions))
            {
                return MakeEntry(offset, extensions);
            }
        }
    }

    /// <summary>Reads a header that only says something of the next one; false where the block is a member's own.</summary>
    private bool TakeExtension(long offset, Extensions extensions)
    {
        switch (_block[TarHeader.TypeFlag])
        {
            case TypeFlag.PaxLocal or TypeFlag.SolarisPax when extensions.Local is null:
                extensions.Local = PaxRecords.Parse(ReadExtension(offset, MaximumExtendedHeader), offset);
                return true;
            case TypeFlag.PaxGlobal:
                AddGlobal(PaxRecords.Parse(ReadExtension(offset, MaximumGlobalHeaders), offset), offset);
                return true;
            case TypeFlag.GnuLongName when extensions.LongName is null:
                extensions.LongName = Terminated(ReadExtension(offset, MaximumLongName)).ToArray();
                return true;
            case TypeFlag.GnuLongLink when extensions.LongLink is null:
                extensions.LongLink = Terminated(ReadExtension(offset, MaximumLongName)).ToArray();
                return true;
            case TypeFlag.GnuVolume:
                SkipTo(End(offset, Math.Max(0, Number(TarHeader.Size, offset))));
                return true;
            case TypeFlag.PaxLocal or TypeFlag.SolarisPax or TypeFlag.GnuLongName or TypeFlag.GnuLongLink:
                throw new InvalidDataException($"tar: the header at {offset} says again what the one before said");
            default:
                return false;
        }
    }

    private void AddGlobal(List<KeyValuePair<string, byte[]>> records, long offset)
    {
        foreach (var record in records)
        {
            _globalSize += record.Key.Length + record.Value.Length;
            if (_globalSize > MaximumGlobalHeaders)
            {
                throw new InvalidDataException($"tar: the global headers up to {offset} have more than {MaximumGlobalHeaders} bytes");
            }
            _global.Add(record);
        }
    }

    private TarEntry MakeEntry(long offset, Extensions extensions)
    {
        var attributes = new EntryAttributes();
        foreach (var (key, value) in _global.Concat(extensions.Local ?? []))
        {
            attributes.Apply(key, value);
        }
        byte[] path = attributes.SparseName ?? attributes.Path ?? extensions.LongName ?? HeaderPath();
        byte[] link = attributes.LinkPath ?? extensions.LongLink ?? Terminated(_block.AsSpan(TarHeader.LinkName)).ToArray();
        var type = TypeOf(path, offset);
        var metadata = MetadataOf(attributes, offset);
        bool device = type is TarEntryType.CharacterDevice or TarEntryType.BlockDevice;
        uint major = device ? Narrow(attributes.DeviceMajor ?? Number(TarHeader.DeviceMajor, offset), "device number", offset) : 0;
        uint minor = device ? Narrow(attributes.DeviceMinor ?? Number(TarHeader.DeviceMinor, offset), "device number", offset) : 0;
        long stored = StoredSize(type, attributes, extensions, offset);
        _nextHeader = End(offset, stored);
        var (length, segments) = type == TarEntryType.File ? ReadMap(attributes, stored, offset) : (stored, null);
        return new TarEntry
        {
            Offset = offset,
            Path = ImmutableArray.Create(path),
            Type = type,
            Metadata = metadata,
            UserName = NameOf(attributes.UserName, TarHeader.UserName),
            GroupName = NameOf(attributes.GroupName, TarHeader.GroupName),
            LinkTarget = ImmutableArray.Create(link),
            Major = major,
            Minor = minor,
            Length = length,
            Content = new ContentStream(this, _position, length, segments),
            DataOffset = _position,
            Segments = segments,
        };
    }

    private byte[] HeaderPath()
    {
        var name = Terminated(_block.AsSpan(TarHeader.Name));
        bool ustar = _block.AsSpan(TarHeader.Magic).SequenceEqual(TarHeader.UstarMagic);
        var prefix = ustar ? Terminated(_block.AsSpan(TarHeader.Prefix)) : [];
        return prefix.IsEmpty ? name.ToArray() : [.. prefix, (byte)'/', .. name];
    }

    // The oldest archives have something else there, or nothing.
    private ImmutableArray<byte> NameOf(byte[]? attribute, Range field) =>
        attribute is not null ? ImmutableArray.Create(attribute)
        : _block.AsSpan(TarHeader.Magic)[..5].SequenceEqual(TarHeader.UstarMagic[..5]) ? ImmutableArray.Create(Terminated(_block.AsSpan(field)))
        : [];

    private TarEntryType TypeOf(ReadOnlySpan<byte> path, long offset)
    {
        byte flag = _block[TarHeader.TypeFlag];
        return flag switch
        {
            // Before there was a type for directories, they were known by their slash.
            TypeFlag.File or TypeFlag.OldFile or TypeFlag.Contiguous =>
                path.EndsWith("/"u8) ? TarEntryType.Directory : TarEntryType.File,
            TypeFlag.GnuSparse => TarEntryType.File,
            TypeFlag.HardLink => TarEntryType.HardLink,
            TypeFlag.Symlink => TarEntryType.Symlink,
            TypeFlag.CharacterDevice => TarEntryType.CharacterDevice,
            TypeFlag.BlockDevice => TarEntryType.BlockDevice,
            TypeFlag.Directory or TypeFlag.GnuDumpDirectory => TarEntryType.Directory,
            TypeFlag.Fifo => TarEntryType.Fifo,
            _ => throw new InvalidDataException($"tar: the header at {offset} has the unknown type {flag:x2}"),
        };
    }

    private Metadata MetadataOf(EntryAttributes attributes, long offset)
    {
        long mode = Number(TarHeader.Mode, offset) & 0xFFF;
        uint uid = Narrow(attributes.Uid ?? Number(TarHeader.Uid, offset), "uid", offset);
        uint gid = Narrow(attributes.Gid ?? Number(TarHeader.Gid, offset), "gid", offset);
        var mtime = attributes.Mtime ?? new Timestamp(Number(TarHeader.Mtime, offset));
        return new Metadata((ushort)mode, uid, gid, mtime) { Xattrs = [.. attributes.Xattrs] };
    }

    /// <summary>How many bytes follow the header, without padding.</summary>
    private long StoredSize(TarEntryType type, EntryAttributes attributes, Extensions extensions, long offset)
    {
        long size = attributes.Size ?? Number(TarHeader.Size, offset);
        if (size < 0)
        {
            throw new InvalidDataException($"tar: the header at {offset} has a negative size");
        }
        bool hasContent = type switch
        {
            TarEntryType.File => true,
            // A link of a pax archive may bring the content once more; others only repeat the size.
            TarEntryType.HardLink => extensions.Local is not null,
            _ => _block[TarHeader.TypeFlag] == TypeFlag.GnuDumpDirectory,
        };
        return hasContent ? size : 0;
    }

    /// <summary>The length of the content and the segments of it that are stored; reads maps that follow the header.</summary>
    private (long Length, IReadOnlyList<ByteRange>? Segments) ReadMap(EntryAttributes attributes, long stored, long offset)
    {
        if (_block[TarHeader.TypeFlag] == TypeFlag.GnuSparse)
        {
            long realSize = Number(TarHeader.GnuRealSize, offset);
            var map = new List<ByteRange>();
            SparseMap.ParseBlock(map, _block.AsSpan(TarHeader.GnuSparse), offset);
            bool more = _block[TarHeader.GnuSparseIsExtended] != 0;
            while (more)
            {
                ReadExactly(_block);
                SparseMap.ParseBlock(map, _block.AsSpan(TarHeader.GnuExtensionSparse), offset);
                more = _block[TarHeader.GnuExtensionIsExtended] != 0;
            }
            // The size of the header is that of the data, without the extension blocks.
            _nextHeader = End(_position - TarHeader.BlockSize, stored);
            return (realSize, SparseMap.Validate(map, realSize, stored, offset));
        }
        if (attributes.SparseMapInData)
        {
            long end = _position + stored;
            var map = SparseMap.ParseLines(() => NextBlock(end, offset), offset);
            long realSize = attributes.RealSize ?? throw new InvalidDataException($"tar: the sparse entry at {offset} has no size");
            return (realSize, SparseMap.Validate(map, realSize, end - _position, offset));
        }
        if (attributes.SparseMap is { } pairs)
        {
            long realSize = attributes.RealSize ?? throw new InvalidDataException($"tar: the sparse entry at {offset} has no size");
            return (realSize, SparseMap.Validate(pairs, realSize, stored, offset));
        }
        return (stored, null);
    }

    private byte[] NextBlock(long end, long offset)
    {
        if (end - _position < TarHeader.BlockSize)
        {
            throw new InvalidDataException($"tar: the sparse map of the entry at {offset} leaves the entry");
        }
        ReadExactly(_block);
        return _block;
    }

    private byte[] ReadExtension(long offset, int maximum)
    {
        long size = Number(TarHeader.Size, offset);
        if (size < 0 || size > maximum)
        {
            throw new InvalidDataException($"tar: the extended header at {offset} has {size} bytes; at most {maximum} are read");
        }
        // In steps, so that a claimed size alone takes no memory.
        var body = new MemoryStream();
        var buffer = new byte[Math.Min(size, 64 << 10)];
        for (long rest = size; rest > 0; rest -= buffer.Length)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(rest, buffer.Length));
            ReadExactly(part);
            body.Write(part);
        }
        SkipTo(End(offset, size));
        return body.ToArray();
    }

    private void VerifyChecksum(long offset)
    {
        long? stored = TarNumber.Parse(_block.AsSpan(TarHeader.Checksum));
        if (stored != TarHeader.Sum(_block) && stored != TarHeader.SignedSum(_block))
        {
            throw new InvalidDataException($"tar: the header at {offset} has a wrong checksum");
        }
    }

    private long Number(Range field, long offset) => TarNumber.Parse(_block.AsSpan(field))
        ?? throw new InvalidDataException($"tar: the header at {offset} has a malformed number at its byte {field.Start.Value}");

    private static uint Narrow(long value, string what, long offset) => value is >= 0 and <= uint.MaxValue
        ? (uint)value
        : throw new InvalidDataException($"tar: {value} in the header at {offset} is no {what}");

    private static ReadOnlySpan<byte> Terminated(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }

    /// <summary>The place of the header after content of a size that follows the header at an offset.</summary>
    private static long End(long offset, long size)
    {
        const int block = TarHeader.BlockSize;
        return size <= long.MaxValue - offset - 2 * block
            ? offset + block + (size + block - 1) / block * block
            : throw new InvalidDataException($"tar: the header at {offset} has a size past the end of any file");
    }

    private void SkipTo(long target)
    {
        var buffer = new byte[Math.Min(target - _position, 64 << 10)];
        while (_position < target)
        {
            ReadExactly(buffer.AsSpan(0, (int)Math.Min(target - _position, buffer.Length)));
        }
    }

    // What decompresses the stream checks its own checksums only at its end.
    private void Drain()
    {
        _ended = true;
        var buffer = new byte[64 << 10];
        while (stream.Read(buffer) > 0)
        {
        }
    }

    private void ReadExactly(Span<byte> destination)
    {
        int got = stream.ReadAtLeast(destination, destination.Length, throwOnEndOfStream: false);
        _position += got;
        if (got < destination.Length)
        {
            throw new InvalidDataException($"tar: the archive is cut off after {_position} bytes");
        }
    }

    /// <summary>The content of one entry, with its holes.</summary>
    private sealed class ContentStream(TarReader reader, long start, long length, IReadOnlyList<ByteRange>? segments) : ReadOnlyStream
    {
        private readonly IReadOnlyList<ByteRange> _segments = segments ?? [new ByteRange(0, length)];
        private long _position;
        private long _stored;
        private int _segment;

        public override long Length => length;

        public override int Read(Span<byte> buffer)
        {
            int count = (int)Math.Min(buffer.Length, length - _position);
            if (count == 0)
            {
                return 0;
            }
            if (reader._position != start + _stored)
            {
                throw new InvalidOperationException("The reader has gone on to another member");
            }
            while (_segment < _segments.Count && _segments[_segment].End <= _position)
            {
                _segment++;
            }
            var next = _segment < _segments.Count ? _segments[_segment] : new ByteRange(length, 0);
            if (_position < next.Offset)
            {
                count = (int)Math.Min(count, next.Offset - _position);
                buffer[..count].Clear();
            }
            else
            {
                count = (int)Math.Min(count, next.End - _position);
                reader.ReadExactly(buffer[..count]);
                _stored += count;
            }
            _position += count;
            return count;
        }
    }
}
