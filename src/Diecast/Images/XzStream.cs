using System.Buffers.Binary;
using System.IO.Hashing;
using System.Security.Cryptography;
using SharpCompress.Compressors.LZMA;

namespace Diecast.Images;

/// <summary>
/// Decodes the .xz format, with all its checks: https://tukaani.org/xz/xz-file-format.txt (1.2.1). LZMA2 is the only
/// filter; the filters for machine code (BCJ) are refused.
/// </summary>
/// <param name="source">Is read ahead of what is decoded.</param>
/// <param name="onlyOne">Ends after the first stream, whatever follows.</param>
internal sealed class XzStream(Stream source, bool onlyOne = false) : ReadOnlyStream
{
    private const int MaximumDictionary = 256 << 20;
    private const ulong FilterLzma2 = 0x21;

    private static ReadOnlySpan<byte> Magic => [0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0];

    private readonly Input _input = new(source);
    private readonly List<(ulong UnpaddedSize, ulong Size)> _blocks = [];
    private readonly byte[] _streamFlags = new byte[2];
    private Block? _block;
    private bool _started;
    private bool _ended;

    /// <summary>The bytes of the source that have been decoded.</summary>
    public long Consumed => _input.Position;

    public override int Read(Span<byte> buffer)
    {
        while (!_ended && !buffer.IsEmpty)
        {
            if (!_started)
            {
                ReadStreamHeader();
                _started = true;
            }
            _block ??= ReadBlockHeader();
            if (_block is null)
            {
                ReadIndexAndFooter();
                _started = false;
                _ended = onlyOne || !SkipStreamPadding();
                continue;
            }
            int count = _block.Data.Read(buffer);
            if (count > 0)
            {
                _block.Size += (ulong)count;
                _block.Check?.Append(buffer[..count]);
                return count;
            }
            FinishBlock(_block);
            _block = null;
        }
        return 0;
    }

    private void ReadStreamHeader()
    {
        byte[] header = _input.ReadBytes(12);
        if (!header.AsSpan(0, 6).SequenceEqual(Magic))
        {
            throw new InvalidDataException($"xz: no stream header at {_input.Position - 12}");
        }
        VerifyCrc32(header.AsSpan(6, 2), header.AsSpan(8), "stream header");
        header.AsSpan(6, 2).CopyTo(_streamFlags);
        _blocks.Clear();
    }

    /// <summary>Null where the index comes instead of a block.</summary>
    private Block? ReadBlockHeader()
    {
        long start = _input.Position;
        byte sizeField = _input.ReadBytes(1)[0];
        if (sizeField == 0)
        {
            return null;
        }
        int size = (sizeField + 1) * 4;
        byte[] header = [sizeField, .. _input.ReadBytes(size - 1)];
        VerifyCrc32(header.AsSpan(0, size - 4), header.AsSpan(size - 4), "block header");
        var fields = new MemoryStream(header, 1, size - 5);
        int flags = fields.ReadByte();
        ulong? compressedSize = (flags & 0x40) != 0 ? ReadInteger(fields) : null;
        ulong? uncompressedSize = (flags & 0x80) != 0 ? ReadInteger(fields) : null;
        if ((flags & 0x3f) != 0 || ReadInteger(fields) != FilterLzma2 || ReadInteger(fields) != 1)
        {
            throw new InvalidDataException($"xz: the block at {start} uses a filter other than LZMA2");
        }
        int dictionary = fields.ReadByte();
        long dictionarySize = dictionary is < 0 or > 40 ? long.MaxValue : (2L | (dictionary & 1L)) << (dictionary / 2 + 11);
        if (dictionarySize > MaximumDictionary)
        {
            throw new InvalidDataException($"xz: the block at {start} needs a dictionary of more than {MaximumDictionary} bytes");
        }
        return new Block(start, _input.Position, compressedSize, uncompressedSize, OpenLzma2(dictionary), NewCheck());
    }

    private LzmaStream OpenLzma2(int dictionary) => LzmaStream.Create(
        [(byte)dictionary], _input, inputSize: -1, outputSize: -1, presetDictionary: null, isLzma2: true, leaveOpen: true);

    private void FinishBlock(Block block)
    {
        ulong compressed = (ulong)(_input.Position - block.DataStart);
        if ((block.DeclaredCompressed ?? compressed) != compressed || (block.DeclaredSize ?? block.Size) != block.Size)
        {
            throw new InvalidDataException($"xz: the block at {block.Start} has other sizes than its header says");
        }
        while ((_input.Position - block.DataStart) % 4 != 0)
        {
            RequireZero(_input.ReadBytes(1)[0], "block padding");
        }
        byte[] stored = _input.ReadBytes(CheckSize);
        if (block.Check is { } check && !check.Finish().AsSpan().SequenceEqual(stored))
        {
            throw new InvalidDataException($"xz: the data of the block at {block.Start} has another checksum");
        }
        _blocks.Add(((ulong)(block.DataStart - block.Start) + compressed + (ulong)CheckSize, block.Size));
        block.Data.Dispose();
    }

    private void ReadIndexAndFooter()
    {
        // The indicator, a zero byte, has been read.
        long start = _input.Position - 1;
        _input.StartRecording([0]);
        bool right = ReadInteger(_input) == (ulong)_blocks.Count;
        foreach (var (unpaddedSize, size) in right ? _blocks : [])
        {
            right &= ReadInteger(_input) == unpaddedSize && ReadInteger(_input) == size;
        }
        while (right && (_input.Position - start) % 4 != 0)
        {
            RequireZero(_input.ReadBytes(1)[0], "index padding");
        }
        if (!right)
        {
            throw new InvalidDataException($"xz: the index at {start} does not fit the blocks");
        }
        VerifyCrc32(_input.StopRecording(), _input.ReadBytes(4), "index");
        long indexSize = _input.Position - start;
        byte[] footer = _input.ReadBytes(12);
        VerifyCrc32(footer.AsSpan(4, 6), footer, "stream footer");
        long backwardSize = (BinaryPrimitives.ReadUInt32LittleEndian(footer.AsSpan(4)) + 1L) * 4;
        if (backwardSize != indexSize || !footer.AsSpan(8, 2).SequenceEqual(_streamFlags) || !footer.AsSpan(10).SequenceEqual("YZ"u8))
        {
            throw new InvalidDataException($"xz: the stream footer at {_input.Position - 12} does not fit the stream");
        }
    }

    /// <summary>Skips zeros up to the next stream; false where there is none.</summary>
    private bool SkipStreamPadding()
    {
        while (_input.PeekByte() is int next)
        {
            if (next != 0)
            {
                return true;
            }
            foreach (byte padding in _input.ReadBytes(4))
            {
                RequireZero(padding, "stream padding");
            }
        }
        return false;
    }

    private int CheckSize => _streamFlags[1] == 0 ? 0 : 4 << ((_streamFlags[1] - 1) / 3);

    private Check? NewCheck() => (_streamFlags[0], _streamFlags[1]) switch
    {
        (0, 0) => null,
        (0, 1) => new HashCheck(new Crc32()),
        (0, 4) => new Crc64Check(),
        (0, 10) => new Sha256Check(),
        _ => throw new InvalidDataException($"xz: the check type {_streamFlags[1]} is not known"),
    };

    private static void VerifyCrc32(ReadOnlySpan<byte> data, ReadOnlySpan<byte> stored, string what)
    {
        if (Crc32.HashToUInt32(data) != BinaryPrimitives.ReadUInt32LittleEndian(stored))
        {
            throw new InvalidDataException($"xz: the {what} has a wrong checksum");
        }
    }

    private static void RequireZero(byte value, string what)
    {
        if (value != 0)
        {
            throw new InvalidDataException($"xz: the {what} is not zero");
        }
    }

    private static ulong ReadInteger(Stream stream)
    {
        ulong value = 0;
        for (int shift = 0; shift < 63; shift += 7)
        {
            int part = stream.ReadByte();
            if (part < 0 || (part == 0 && shift > 0))
            {
                break;
            }
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }
        throw new InvalidDataException("xz: a number is malformed or cut off");
    }

    private sealed class Block(long start, long dataStart, ulong? compressed, ulong? size, Stream data, Check? check)
    {
        public long Start => start;
        public long DataStart => dataStart;
        public ulong? DeclaredCompressed => compressed;
        public ulong? DeclaredSize => size;
        public Stream Data => data;
        public Check? Check => check;
        public ulong Size { get; set; }
    }

    private abstract class Check
    {
        public abstract void Append(ReadOnlySpan<byte> data);
        public abstract byte[] Finish();
    }

    private sealed class HashCheck(NonCryptographicHashAlgorithm hash) : Check
    {
        public override void Append(ReadOnlySpan<byte> data) => hash.Append(data);
        public override byte[] Finish() => hash.GetCurrentHash();
    }

    private sealed class Sha256Check : Check
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        public override void Append(ReadOnlySpan<byte> data) => _hash.AppendData(data);
        public override byte[] Finish() => _hash.GetHashAndReset();
    }

    /// <summary>CRC-64/XZ: the reflected ECMA-182 polynomial, by eight bytes at a time.</summary>
    private sealed class Crc64Check : Check
    {
        private static readonly ulong[] s_tables = MakeTables();
        private ulong _crc = ulong.MaxValue;

        public override void Append(ReadOnlySpan<byte> data)
        {
            ulong crc = _crc;
            var t = s_tables;
            for (; data.Length >= 8; data = data[8..])
            {
                ulong x = crc ^ BinaryPrimitives.ReadUInt64LittleEndian(data);
                crc = t[0x700 | (byte)x] ^ t[0x600 | (byte)(x >> 8)] ^ t[0x500 | (byte)(x >> 16)] ^ t[0x400 | (byte)(x >> 24)]
                    ^ t[0x300 | (byte)(x >> 32)] ^ t[0x200 | (byte)(x >> 40)] ^ t[0x100 | (byte)(x >> 48)] ^ t[(int)(x >> 56)];
            }
            foreach (byte value in data)
            {
                crc = t[(byte)crc ^ value] ^ (crc >> 8);
            }
            _crc = crc;
        }

        public override byte[] Finish()
        {
            var bytes = new byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, ~_crc);
            return bytes;
        }

        private static ulong[] MakeTables()
        {
            var tables = new ulong[8 * 256];
            for (int i = 0; i < tables.Length; i++)
            {
                ulong crc = i < 256 ? (ulong)i : tables[i - 256];
                if (i < 256)
                {
                    for (int bit = 0; bit < 8; bit++)
                    {
                        crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xC96C5795D7870F42 : crc >> 1;
                    }
                }
                else
                {
                    crc = tables[(byte)crc] ^ (crc >> 8);
                }
                tables[i] = crc;
            }
            return tables;
        }
    }

    /// <summary>The source with a position, a buffer for single bytes, and the end as an error.</summary>
    private sealed class Input(Stream source) : ReadOnlyStream
    {
        private readonly byte[] _buffer = new byte[64 << 10];
        private List<byte>? _recorded;
        private int _start;
        private int _end;
        private long _position;

        public override long Position
        {
            get => _position;
            set => throw new NotSupportedException();
        }

        public void StartRecording(ReadOnlySpan<byte> first) => _recorded = [.. first];

        public byte[] StopRecording()
        {
            byte[] recorded = [.. _recorded ?? []];
            _recorded = null;
            return recorded;
        }

        public int? PeekByte() => Fill() ? _buffer[_start] : null;

        public override int ReadByte()
        {
            if (!Fill())
            {
                throw CutOff();
            }
            _position++;
            byte value = _buffer[_start++];
            _recorded?.Add(value);
            return value;
        }

        public byte[] ReadBytes(int count)
        {
            var bytes = new byte[count];
            for (int done = 0; done < count;)
            {
                done += Read(bytes.AsSpan(done));
            }
            return bytes;
        }

        public override int Read(Span<byte> buffer)
        {
            if (buffer.IsEmpty)
            {
                return 0;
            }
            if (!Fill())
            {
                throw CutOff();
            }
            int count = Math.Min(buffer.Length, _end - _start);
            _buffer.AsSpan(_start, count).CopyTo(buffer);
            _recorded?.AddRange(buffer[..count]);
            _start += count;
            _position += count;
            return count;
        }

        private bool Fill()
        {
            if (_start == _end)
            {
                (_start, _end) = (0, source.Read(_buffer));
            }
            return _start < _end;
        }

        private InvalidDataException CutOff() => new($"xz: cut off after {_position} bytes");
    }
}
