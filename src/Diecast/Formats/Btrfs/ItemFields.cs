using System.Buffers.Binary;
using System.Globalization;

namespace Diecast.Formats.Btrfs;

/// <summary>A field at its place in a structure, in bytes.</summary>
internal readonly record struct Field(int Offset, int Length, string Name, FieldFormat Format)
{
    public bool Covers(int offset) => offset >= Offset && offset - Offset < Length;
}

/// <summary>
/// The fields of structures as they lie in bytes that are not trusted: of those that are cut off there are as many as
/// there are bytes for, and what is left after them is "data".
/// </summary>
internal static class ItemFields
{
    private const int HeaderSizeOfInlineRef = 9;
    private const ulong TreeBlockFlag = 2;
    private const byte InlineExtent = 0;

    /// <summary>The fields of an item's data, ascending, no byte without one.</summary>
    public static IEnumerable<Field> Of(Key key, ReadOnlyMemory<byte> data, int checksumSize)
    {
        int end = 0;
        foreach (var field in Known(key, data, checksumSize))
        {
            yield return field;
            end = field.Offset + field.Length;
        }
        if (end < data.Length)
        {
            yield return new Field(end, data.Length - end, "data", FieldFormat.Bytes);
        }
    }

    /// <summary>The fields of the superblock.</summary>
    public static IEnumerable<Field> OfSuperblock(ReadOnlyMemory<byte> data)
    {
        int at = 0;
        foreach (var field in Fixed(FieldTables.Superblock, data.Length, at))
        {
            yield return field;
        }
        at = FieldTables.Length(FieldTables.Superblock);
        int arrayEnd = at + SystemChunkArray.Size;
        int used = (int)Math.Min(SystemChunkArray.Size, BinaryPrimitives.ReadUInt32LittleEndian(data.Span[160..]));
        foreach (var field in SystemChunks(data[at..(at + used)], at))
        {
            yield return field;
            at = field.Offset + field.Length;
        }
        yield return new Field(at, arrayEnd - at, "sys_chunk_array", FieldFormat.Bytes);
        at = arrayEnd;
        int length = FieldTables.Length(FieldTables.RootBackup);
        for (int i = 0; i < RootBackups.Count; i++, at += length)
        {
            foreach (var field in Fixed(FieldTables.RootBackup, data.Length - at, at, Indexed("super_roots", i)))
            {
                yield return field;
            }
        }
        yield return new Field(at, data.Length - at, "padding", FieldFormat.Bytes);
    }

    /// <summary>The fields of a table from an offset on, as many as the available bytes hold whole.</summary>
    public static IEnumerable<Field> Fixed(FieldType[] table, int available, int offset = 0, string prefix = "")
    {
        int at = 0;
        foreach (var field in table)
        {
            if (field.Length > available - at)
            {
                yield break;
            }
            yield return new Field(offset + at, field.Length, prefix + field.Name, field.Format);
            at += field.Length;
        }
    }

    private static IEnumerable<Field> SystemChunks(ReadOnlyMemory<byte> array, int origin)
    {
        int keyLength = DiskKey.Size;
        int at = 0;
        for (int i = 0; array.Length - at >= keyLength + ChunkItem.Size; i++)
        {
            string prefix = Indexed("sys_chunk_array", i);
            foreach (var field in Fixed(FieldTables.DiskKey, keyLength, origin + at, prefix + "key."))
            {
                yield return field;
            }
            at += keyLength;
            int stripes = BinaryPrimitives.ReadUInt16LittleEndian(array.Span[(at + 44)..]);
            int length = Math.Min(array.Length - at, ChunkItem.Size + stripes * Stripe.Size);
            foreach (var field in Chunk(array.Slice(at, length)))
            {
                yield return field with { Offset = origin + at + field.Offset, Name = prefix + field.Name };
            }
            at += length;
        }
    }

    private static IEnumerable<Field> Known(Key key, ReadOnlyMemory<byte> data, int checksumSize)
    {
        int length = data.Length;
        return key.Type switch
        {
            ItemType.InodeItem => Fixed(FieldTables.InodeItem, length),
            ItemType.InodeRef => Named(FieldTables.InodeRef, data, nameLength: 8),
            ItemType.InodeExtref => Named(FieldTables.InodeExtref, data, nameLength: 16),
            ItemType.DirItem or ItemType.DirIndex or ItemType.XattrItem => Named(FieldTables.DirItem, data, nameLength: 27, dataLength: 25),
            ItemType.VerityDescItem when key.Offset == 0 => Fixed(FieldTables.VerityDescriptor, length),
            ItemType.DirLogItem or ItemType.DirLogIndex => Fixed([new FieldType("end", 8)], length),
            ItemType.ExtentData => FileExtent(data),
            ItemType.ExtentCsum when checksumSize > 0 => Repeated(new FieldType("csum", checksumSize, FieldFormat.Bytes), length),
            ItemType.RootItem => Fixed(FieldTables.RootItem, length),
            ItemType.RootRef or ItemType.RootBackref => Named(FieldTables.RootRef, data, nameLength: 16),
            ItemType.ExtentItem or ItemType.MetadataItem => Extent(key, data),
            ItemType.ExtentDataRef => Fixed(FieldTables.ExtentDataRef, length),
            ItemType.SharedDataRef => Fixed([new FieldType("count", 4)], length),
            ItemType.BlockGroupItem => Fixed(FieldTables.BlockGroupItem, length),
            ItemType.FreeSpaceInfo => Fixed(FieldTables.FreeSpaceInfo, length),
            ItemType.FreeSpaceBitmap => Fixed([new FieldType("bitmap", length, FieldFormat.Bytes)], length),
            ItemType.DevExtent => Fixed(FieldTables.DevExtent, length),
            ItemType.DevItem => Fixed(FieldTables.DevItem, length),
            ItemType.ChunkItem => Chunk(data),
            ItemType.QgroupStatus => Fixed(FieldTables.QgroupStatus, length),
            ItemType.QgroupInfo => Fixed(FieldTables.QgroupInfo, length),
            ItemType.QgroupLimit => Fixed(FieldTables.QgroupLimit, length),
            ItemType.PersistentItem => Fixed(FieldTables.DevStats, length),
            ItemType.DevReplace => Fixed(FieldTables.DevReplace, length),
            ItemType.UuidKeySubvol or ItemType.UuidKeyReceivedSubvol =>
                Repeated(new FieldType("subid", 8, FieldFormat.ObjectId), length),
            // The key of a header of the free space cache has no type.
            0 => Fixed(FieldTables.FreeSpaceHeader, length),
            _ => [],
        };
    }

    private static IEnumerable<Field> Repeated(FieldType type, int length)
    {
        for (int at = 0; length - at >= type.Length; at += type.Length)
        {
            yield return new Field(at, type.Length, type.Name, type.Format);
        }
    }

    /// <summary>Structures that each have a name after them, and perhaps data after that; lengths at offsets in the structure.</summary>
    private static IEnumerable<Field> Named(FieldType[] table, ReadOnlyMemory<byte> data, int nameLength, int dataLength = -1)
    {
        int size = FieldTables.Length(table);
        for (int at = 0; data.Length - at >= size;)
        {
            foreach (var field in Fixed(table, size, at))
            {
                yield return field;
            }
            int name = BinaryPrimitives.ReadUInt16LittleEndian(data.Span[(at + nameLength)..]);
            int value = dataLength < 0 ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(data.Span[(at + dataLength)..]);
            at += size;
            if (name + value > data.Length - at)
            {
                yield break;
            }
            yield return new Field(at, name, "name", FieldFormat.Text);
            yield return new Field(at + name, value, "value", FieldFormat.Bytes);
            at += name + value;
        }
    }

    private static IEnumerable<Field> FileExtent(ReadOnlyMemory<byte> data)
    {
        int header = FileExtentHeader.Size;
        var fields = Fixed(FieldTables.FileExtentHeader, data.Length);
        bool isInline = data.Length >= header && data.Span[header - 1] == InlineExtent;
        return data.Length < header || isInline ? fields : fields.Concat(Fixed(FieldTables.FileExtentPlace, data.Length - header, header));
    }

    private static IEnumerable<Field> Chunk(ReadOnlyMemory<byte> data)
    {
        foreach (var field in Fixed(FieldTables.ChunkItem, data.Length))
        {
            yield return field;
        }
        for (int i = 0, at = ChunkItem.Size; data.Length - at >= Stripe.Size; i++, at += Stripe.Size)
        {
            foreach (var field in Fixed(FieldTables.Stripe, Stripe.Size, at, Indexed("stripe", i)))
            {
                yield return field;
            }
        }
    }

    /// <summary>An extent's reference count, and the back references that follow inline: a type, then what it is about.</summary>
    private static IEnumerable<Field> Extent(Key key, ReadOnlyMemory<byte> data)
    {
        foreach (var field in Fixed(FieldTables.ExtentItem, data.Length))
        {
            yield return field;
        }
        int at = FieldTables.Length(FieldTables.ExtentItem);
        if (data.Length < at)
        {
            yield break;
        }
        ulong flags = BinaryPrimitives.ReadUInt64LittleEndian(data.Span[16..]);
        if (key.Type == ItemType.ExtentItem && (flags & TreeBlockFlag) != 0)
        {
            foreach (var field in Fixed(FieldTables.TreeBlockInfo, data.Length - at, at))
            {
                yield return field;
            }
            at += FieldTables.Length(FieldTables.TreeBlockInfo);
        }
        for (int i = 0; data.Length - at >= HeaderSizeOfInlineRef; i++)
        {
            var table = InlineRef((ItemType)data.Span[at]);
            int size = FieldTables.Length(table);
            if (size > data.Length - at)
            {
                yield break;
            }
            foreach (var field in Fixed(table, size, at, Indexed("ref", i)))
            {
                yield return field;
            }
            at += size;
        }
    }

    private static FieldType[] InlineRef(ItemType type) =>
    [
        new("type", 1, FieldFormat.ItemType),
        .. type switch
        {
            ItemType.ExtentDataRef => FieldTables.ExtentDataRef,
            ItemType.SharedDataRef => [new FieldType("offset", 8), new FieldType("count", 4)],
            ItemType.TreeBlockRef or ItemType.ExtentOwnerRef => [new FieldType("offset", 8, FieldFormat.ObjectId)],
            _ => [new FieldType("offset", 8)],
        },
    ];

    private static string Indexed(string name, int index) => string.Create(CultureInfo.InvariantCulture, $"{name}[{index}].");
}
