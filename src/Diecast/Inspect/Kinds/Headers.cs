using System.Buffers.Binary;
using System.Globalization;
using Diecast.Formats;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Inspect.Kinds;

/// <summary>Binary files of which the header says where they come from; the rest is compared as bytes.</summary>
internal static class Headers
{
    private const uint FontCacheMagic = 0xfc02fc04;
    private const int FontCacheHeader = 64, HwdbHeader = 80, JournalHeader = 240;

    public static IReadOnlyList<ContainerKind> Kinds { get; } =
    [
        // fontconfig, src/fcint.h (struct _FcCache), of 64 bits
        new("fontconfig cache", static (blob, path) => KindReader.HasAt(blob, 0, [0x04, 0xfc, 0x02, 0xfc]) && path.Contains("le64.cache-", StringComparison.Ordinal), ReadFontCache),
        // https://systemd.io/JOURNAL_FILE_FORMAT/
        new("journal", static (blob, _) => KindReader.HasAt(blob, 0, "LPKSHHRH"u8), ReadJournal),
        // systemd, src/libsystemd/sd-hwdb/hwdb-internal.h
        new("hwdb", static (blob, _) => KindReader.HasAt(blob, 0, "KSLPHHRH"u8), ReadHwdb),
        // kmod, libkmod/libkmod-index.h
        new("kmod index", static (blob, _) => KindReader.HasAt(blob, 0, [0xb0, 0x07, 0xf4, 0x57]), ReadKmodIndex),
    ];

    private static Container ReadFontCache(Blob blob)
    {
        byte[] bytes = KindReader.ReadAll(blob, "fontconfig cache");
        var header = KindReader.Slice(bytes, 0, FontCacheHeader, "fontconfig cache: header");
        if (BinaryPrimitives.ReadUInt32LittleEndian(header) != FontCacheMagic)
        {
            throw new InvalidDataException("fontconfig cache: no magic at 0");
        }
        long set = BinaryPrimitives.ReadInt64LittleEndian(header[40..]);
        var fields = new List<NamedField>
        {
            KindReader.Field("version", BinaryPrimitives.ReadInt32LittleEndian(header[4..])),
            KindReader.Field("size", BinaryPrimitives.ReadInt64LittleEndian(header[8..])),
            new("directory", KindReader.CString(bytes, BinaryPrimitives.ReadInt64LittleEndian(header[16..]), "fontconfig cache: directory")),
            KindReader.Field("subdirectories", BinaryPrimitives.ReadInt32LittleEndian(header[32..])),
            KindReader.Field("fonts", BinaryPrimitives.ReadInt32LittleEndian(KindReader.Slice(bytes, set, 4, "fontconfig cache: fonts"))),
            new("directory mtime", new Timestamp(
                BinaryPrimitives.ReadInt32LittleEndian(header[48..]), (uint)BinaryPrimitives.ReadInt64LittleEndian(header[56..])).ToString()),
        };
        return new Container { Kind = "fontconfig cache", Fields = fields, Parts = Rest(blob, FontCacheHeader) };
    }

    private static Container ReadJournal(Blob blob)
    {
        byte[] header = Header(blob, "journal", JournalHeader);
        long length = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(88));
        if (length < 208 || length > blob.Length)
        {
            throw new InvalidDataException($"journal: the header says it has {length} of {blob.Length} bytes");
        }
        return new Container
        {
            Kind = "journal",
            Fields =
            [
                KindReader.Hex("compatible_flags", BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(8))),
                KindReader.Hex("incompatible_flags", BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(12))),
                new("state", header[16] switch { 0 => "offline", 1 => "online", 2 => "archived", var other => other.ToString(CultureInfo.InvariantCulture) }),
                Id("file_id", 24),
                Id("machine_id", 40),
                Id("tail_entry_boot_id", 56),
                Id("seqnum_id", 72),
                KindReader.Field("header_size", length),
                Number("arena_size", 96),
                Number("n_objects", 144),
                Number("n_entries", 152),
                Number("tail_entry_seqnum", 160),
                Number("head_entry_seqnum", 168),
                RealTime("head_entry_realtime", 184),
                RealTime("tail_entry_realtime", 192),
                Number("tail_entry_monotonic", 200),
            ],
            Parts = Rest(blob, length),
        };

        NamedField Id(string name, int offset) => new(name, Convert.ToHexStringLower(header, offset, 16));

        NamedField Number(string name, int offset) => KindReader.Field(name, BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(offset)));

        NamedField RealTime(string name, int offset)
        {
            ulong microseconds = BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(offset));
            return new(name, new Timestamp((long)(microseconds / 1_000_000), (uint)(microseconds % 1_000_000) * 1000).ToString());
        }
    }

    private static Container ReadHwdb(Blob blob)
    {
        byte[] header = Header(blob, "hwdb", HwdbHeader);
        long length = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(24));
        if (length < HwdbHeader || length > blob.Length)
        {
            throw new InvalidDataException($"hwdb: the header says it has {length} of {blob.Length} bytes");
        }
        string[] names = ["tool_version", "file_size", "header_size", "node_size", "child_entry_size", "value_entry_size", "nodes_root_off", "nodes_len", "strings_len"];
        return new Container
        {
            Kind = "hwdb",
            Fields = [.. names.Select((name, i) => KindReader.Field(name, BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(8 + 8 * i))))],
            Parts = Rest(blob, length),
        };
    }

    private static Container ReadKmodIndex(Blob blob)
    {
        byte[] header = Header(blob, "kmod index", 12);
        return new Container
        {
            Kind = "kmod index",
            Fields =
            [
                KindReader.Hex("version", BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(4))),
                KindReader.Hex("root offset", BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(8))),
            ],
            Parts = Rest(blob, 12),
        };
    }

    private static byte[] Header(Blob blob, string kind, int length) => blob.Length >= length
        ? blob.ReadBytes(0, length)
        : throw new InvalidDataException($"{kind}: {blob.Length} bytes of a header of {length}");

    private static Part[] Rest(Blob blob, long start) => [new Part("content", blob.Slice(start, blob.Length - start))];
}
