using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using Diecast.Formats;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Inspect.Kinds;

/// <summary>
/// Zip archives (jar, whl) by their central directory: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT. Members of
/// more than 4 GiB are not read.
/// </summary>
internal static class ZipArchive
{
    private const int EndSize = 22, LongestComment = 65_535, EntrySize = 46, LocalSize = 30;
    private const long LargestMember = 1L << 30;
    private const int Stored = 0, Deflated = 8;

    public static ContainerKind Kind { get; } = new(
        "zip", static (blob, _) => KindReader.HasAt(blob, 0, "PK\x03\x04"u8) || KindReader.HasAt(blob, 0, "PK\x05\x06"u8), Read);

    private static Container Read(Blob blob)
    {
        byte[] end = End(blob, out long endOffset);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(end.AsSpan(10));
        long offset = BinaryPrimitives.ReadUInt32LittleEndian(end.AsSpan(16));
        long size = BinaryPrimitives.ReadUInt32LittleEndian(end.AsSpan(12));
        if (offset + size > endOffset || size > KindReader.MaximumSize)
        {
            throw new InvalidDataException($"zip: the central directory at {offset} has {size} bytes, and its end is at {endOffset}");
        }
        byte[] directory = blob.ReadBytes(offset, (int)size);
        var parts = new List<Part>();
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        int position = 0;
        for (int i = 0; i < count; i++)
        {
            string structure = string.Create(CultureInfo.InvariantCulture, $"zip: entry {i} of the central directory");
            var entry = KindReader.Slice(directory, position, EntrySize, structure);
            if (!entry.StartsWith("PK\x01\x02"u8))
            {
                throw new InvalidDataException($"{structure}, at {offset + position}, has no magic");
            }
            int nameLength = BinaryPrimitives.ReadUInt16LittleEndian(entry[28..]);
            int extraLength = BinaryPrimitives.ReadUInt16LittleEndian(entry[30..]);
            int commentLength = BinaryPrimitives.ReadUInt16LittleEndian(entry[32..]);
            string name = FileName.Display(KindReader.Slice(directory, position + EntrySize, nameLength, structure));
            var extra = KindReader.Slice(directory, position + EntrySize + nameLength, extraLength, structure);
            parts.Add(new Part(KindReader.Unique(name, seen), Content(blob, entry, structure)) { Fields = Fields(entry, extra) });
            position += EntrySize + nameLength + extraLength + commentLength;
        }
        var comment = end.AsSpan(EndSize);
        NamedField[] fields = [KindReader.Field("entries", count), .. comment.IsEmpty ? (NamedField[])[] : [new("comment", FileName.Display(comment))]];
        return new Container { Kind = "zip", Fields = fields, Parts = parts };
    }

    /// <summary>The record at the end of the central directory, with its comment.</summary>
    private static byte[] End(Blob blob, out long offset)
    {
        int length = (int)Math.Min(blob.Length, EndSize + LongestComment);
        byte[] tail = blob.ReadBytes(blob.Length - length, length);
        for (int i = length - EndSize; i >= 0; i--)
        {
            if (tail.AsSpan(i).StartsWith("PK\x05\x06"u8) && BinaryPrimitives.ReadUInt16LittleEndian(tail.AsSpan(i + 20)) == length - i - EndSize)
            {
                offset = blob.Length - length + i;
                return tail[i..];
            }
        }
        throw new InvalidDataException("zip: no end of a central directory");
    }

    private static NamedField[] Fields(ReadOnlySpan<byte> entry, ReadOnlySpan<byte> extra) =>
    [
        KindReader.Hex("version made by", BinaryPrimitives.ReadUInt16LittleEndian(entry[4..])),
        KindReader.Hex("flags", BinaryPrimitives.ReadUInt16LittleEndian(entry[8..])),
        KindReader.Field("method", BinaryPrimitives.ReadUInt16LittleEndian(entry[10..])),
        new("mtime", DosTime(BinaryPrimitives.ReadUInt16LittleEndian(entry[14..]), BinaryPrimitives.ReadUInt16LittleEndian(entry[12..]))),
        KindReader.Hex("CRC-32", BinaryPrimitives.ReadUInt32LittleEndian(entry[16..])),
        KindReader.Field("compressed size", BinaryPrimitives.ReadUInt32LittleEndian(entry[20..])),
        KindReader.Hex("external attributes", BinaryPrimitives.ReadUInt32LittleEndian(entry[38..])),
        .. ExtraTime(extra),
    ];

    /// <summary>Of the extended timestamp that Info-ZIP writes (tag UT): the central directory has the time of change only.</summary>
    private static NamedField[] ExtraTime(ReadOnlySpan<byte> extra)
    {
        while (extra.Length >= 4)
        {
            int tag = BinaryPrimitives.ReadUInt16LittleEndian(extra), length = BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]);
            if (length > extra.Length - 4)
            {
                break;
            }
            if (tag == 0x5455 && length >= 5 && (extra[4] & 1) != 0)
            {
                return [new NamedField("UT mtime", KindReader.Time(BinaryPrimitives.ReadInt32LittleEndian(extra[5..])))];
            }
            extra = extra[(4 + length)..];
        }
        return [];
    }

    /// <summary>Local time without a zone, to two seconds.</summary>
    private static string DosTime(int date, int time) => string.Create(CultureInfo.InvariantCulture,
        $"{1980 + (date >> 9)}-{(date >> 5) & 15:d2}-{date & 31:d2} {time >> 11:d2}:{(time >> 5) & 63:d2}:{(time & 31) * 2:d2}");

    private static Blob Content(Blob blob, ReadOnlySpan<byte> entry, string structure)
    {
        int method = BinaryPrimitives.ReadUInt16LittleEndian(entry[10..]);
        long compressed = BinaryPrimitives.ReadUInt32LittleEndian(entry[20..]);
        long size = BinaryPrimitives.ReadUInt32LittleEndian(entry[24..]);
        long place = BinaryPrimitives.ReadUInt32LittleEndian(entry[42..]);
        if (place + LocalSize + compressed > blob.Length)
        {
            throw new InvalidDataException($"{structure}: the member at {place} leaves the file");
        }
        byte[] local = blob.ReadBytes(place, LocalSize);
        long start = place + LocalSize + BinaryPrimitives.ReadUInt16LittleEndian(local.AsSpan(26)) + BinaryPrimitives.ReadUInt16LittleEndian(local.AsSpan(28));
        var stored = blob.Slice(start, compressed);
        bool isEncrypted = (entry[8] & 1) != 0;
        return method != Deflated || isEncrypted ? stored : new InflatedBlob(stored, size, structure);
    }

    /// <summary>Decoded when it is read; not kept longer than memory allows.</summary>
    private sealed class InflatedBlob(Blob stored, long size, string structure) : Blob
    {
        private readonly WeakReference<Blob?> _decoded = new(null);

        public override long Length => size;

        public override string Describe() => structure;

        protected override void ReadCore(long offset, Span<byte> destination)
        {
            if (!_decoded.TryGetTarget(out var decoded))
            {
                _decoded.SetTarget(decoded = Decode());
            }
            decoded.Read(offset, destination);
        }

        private Blob Decode()
        {
            if (size > LargestMember)
            {
                throw new InvalidDataException($"{structure}: {size} bytes; at most {LargestMember} are decoded");
            }
            using var decoder = new DeflateStream(new BlobStream(stored), CompressionMode.Decompress);
            Blob decoded;
            if (size <= 8 << 20)
            {
                var bytes = new byte[size];
                int length = decoder.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
                decoded = new MemoryBlob(bytes.AsMemory(0, length));
            }
            else
            {
                decoded = SpillFile.Create(output => CopyAtMost(decoder, output));
            }
            return decoded.Length == size && decoder.ReadByte() < 0
                ? decoded
                : throw new InvalidDataException($"{structure}: the data does not have the {size} bytes that it is said to have");
        }

        private void CopyAtMost(DeflateStream decoder, Stream output)
        {
            var buffer = new byte[1 << 16];
            for (long left = size; left > 0;)
            {
                int count = decoder.Read(buffer, 0, (int)Math.Min(buffer.Length, left));
                if (count == 0)
                {
                    return;
                }
                output.Write(buffer, 0, count);
                left -= count;
            }
        }
    }
}
