using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Diecast.Formats.Btrfs;

namespace Diecast.Tests.Formats.Btrfs;

/// <summary>The structs and the tables of names say the same, and what the specification says.</summary>
public sealed class BtrfsStructureTests
{
    [Fact]
    public void SizesAreThoseOfTheSpecification()
    {
        Assert.Equal(4096, Unsafe.SizeOf<Superblock>());
        Assert.Equal(98, Unsafe.SizeOf<DevItem>());
        Assert.Equal(168, Unsafe.SizeOf<RootBackup>());
        Assert.Equal(160, Unsafe.SizeOf<InodeItem>());
        Assert.Equal(439, FieldTables.Length(FieldTables.RootItem));
        Assert.Equal(0x2b, (int)Marshal.OffsetOf<Superblock>("Label") - 0x100);
        Assert.Equal(0x32b, (int)Marshal.OffsetOf<Superblock>("SysChunkArray"));
        Assert.Equal(0xb2b, (int)Marshal.OffsetOf<Superblock>("SuperRoots"));
    }

    [Fact]
    public void TheConstantsAreTheSizes()
    {
        Assert.Equal(DiskKey.Size, Unsafe.SizeOf<DiskKey>());
        Assert.Equal(Superblock.Size, Unsafe.SizeOf<Superblock>());
        Assert.Equal(Header.Size, Unsafe.SizeOf<Header>());
        Assert.Equal(ItemHeader.HeaderSize, Unsafe.SizeOf<ItemHeader>());
        Assert.Equal(KeyPointer.Size, Unsafe.SizeOf<KeyPointer>());
        Assert.Equal(Stripe.Size, Unsafe.SizeOf<Stripe>());
        Assert.Equal(ChunkItem.Size, Unsafe.SizeOf<ChunkItem>());
        Assert.Equal(RootItem.Size, Unsafe.SizeOf<RootItem>());
        Assert.Equal(InodeRef.Size, Unsafe.SizeOf<InodeRef>());
        Assert.Equal(InodeExtref.Size, Unsafe.SizeOf<InodeExtref>());
        Assert.Equal(RootRef.Size, Unsafe.SizeOf<RootRef>());
        Assert.Equal(DirItem.Size, Unsafe.SizeOf<DirItem>());
        Assert.Equal(FileExtentHeader.Size, Unsafe.SizeOf<FileExtentHeader>());
        Assert.Equal(FileExtentPlace.Size, Unsafe.SizeOf<FileExtentPlace>());
    }

    [Fact]
    public void TablesNameTheFieldsOfTheStructs()
    {
        Same<DiskKey>(FieldTables.DiskKey);
        Same<DevItem>(FieldTables.DevItem);
        Same<Superblock>(FieldTables.Superblock, "sys_chunk_array super_roots padding");
        Same<RootBackup>(FieldTables.RootBackup);
        Same<Header>(FieldTables.Header);
        Same<ItemHeader>(FieldTables.ItemHeader);
        Same<KeyPointer>(FieldTables.KeyPointer);
        Same<Stripe>(FieldTables.Stripe);
        Same<ChunkItem>(FieldTables.ChunkItem);
        Same<InodeItem>(FieldTables.InodeItem);
        Same<InodeRef>(FieldTables.InodeRef);
        Same<InodeExtref>(FieldTables.InodeExtref);
        Same<RootRef>(FieldTables.RootRef);
        Same<DirItem>(FieldTables.DirItem);
        Same<FileExtentHeader>(FieldTables.FileExtentHeader);
        Same<FileExtentPlace>(FieldTables.FileExtentPlace);
        int legacy = Array.FindIndex(FieldTables.RootItem, static field => field.Name == "generation_v2");
        Same<RootItem>(FieldTables.RootItem[..legacy]);
    }

    /// <param name="table">Of the fields of the struct.</param>
    /// <param name="without">Fields at the struct's end that the table leaves out.</param>
    private static void Same<T>(FieldType[] table, string without = "") where T : unmanaged
    {
        var expected = new List<(string, int)>();
        Add(typeof(T), "", 0);
        var actual = new List<(string, int)>();
        int at = 0;
        foreach (var field in table)
        {
            actual.Add((field.Name, at));
            at += field.Length;
        }
        Assert.Equal(expected, actual);
        Assert.True(at == Unsafe.SizeOf<T>() || without.Length > 0);

        void Add(Type type, string prefix, int origin)
        {
            foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public))
            {
                string name = prefix + Snake(field.Name);
                int offset = origin + (int)Marshal.OffsetOf(type, field.Name);
                bool isNested = field.FieldType == typeof(DiskKey) || field.FieldType == typeof(DevItem) || field.FieldType == typeof(InodeItem);
                if (isNested)
                {
                    Add(field.FieldType, name + ".", offset);
                }
                else if (!without.Split(' ').Contains(name))
                {
                    expected.Add((name, offset));
                }
            }
        }
    }

    private static string Snake(string name)
    {
        string text = string.Concat(name.Select((c, i) =>
            i > 0 && (char.IsAsciiLetterUpper(c) || (char.IsAsciiDigit(c) && !char.IsAsciiDigit(name[i - 1]))) ? $"_{c}" : $"{c}"));
        return text.ToLowerInvariant();
    }
}
