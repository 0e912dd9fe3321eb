using CsCheck;
using Diecast.Formats;
using Diecast.Formats.Ext4;
using Diecast.Images;
using Diecast.Tests.Support;

namespace Diecast.Tests.Formats.Ext4;

public sealed class Ext4FieldTests
{
    private static readonly Ext4Format s_ext4 = new();

    [Fact]
    public void TablesAreThoseOfTheStructures()
    {
        FieldChecks.TableIsTheStructures<Superblock>(FieldTables.Superblock);
        FieldChecks.TableIsTheStructures<GroupDescriptor>(FieldTables.GroupDescriptor);
        FieldChecks.TableIsTheStructures<InodeRecord>(FieldTables.Inode);
        FieldChecks.TableIsTheStructures<ExtentHeader>(FieldTables.ExtentHeader);
        FieldChecks.TableIsTheStructures<ExtentLeafEntry>(FieldTables.ExtentLeafEntry);
        FieldChecks.TableIsTheStructures<ExtentIndexEntry>(FieldTables.ExtentIndexEntry);
        FieldChecks.TableIsTheStructures<DirectoryEntryHeader>(FieldTables.DirectoryEntryHeader);
        FieldChecks.TableIsTheStructures<DirectoryTail>(FieldTables.DirectoryTail);
        FieldChecks.TableIsTheStructures<IndexRootInfo>(FieldTables.IndexRootInfo);
        FieldChecks.TableIsTheStructures<IndexEntry>(FieldTables.IndexEntry);
        FieldChecks.TableIsTheStructures<IndexTail>(FieldTables.IndexTail);
        FieldChecks.TableIsTheStructures<XattrHeader>(FieldTables.XattrHeader);
        FieldChecks.TableIsTheStructures<XattrEntry>(FieldTables.XattrEntry);
        FieldChecks.TableIsTheStructures<JournalSuperblock>(JournalTables.Superblock);
        Assert.Equal(1024, JournalTables.Superblock.Length);
        Assert.Equal(1024, FieldTables.Mmp.Length);
    }

    /// <summary>Fields whose values are known, in an image of the writer's.</summary>
    [Fact]
    public void FieldsHaveTheirNamesValuesAndPaths()
    {
        var image = s_ext4.Write(Ext4Samples.Everything(3000), Ext4Samples.Options with { Size = 300 << 20 });
        var find = s_ext4.Read(image).FieldFinder();
        Check(1024 + 0xEC + 3, "superblock", "s_hash_seed", "a24031c1-fc68-453d-80fa-00ad057a5780");
        Check(1024 + 0x108, "superblock", "s_mkfs_time", "1662046009.000000000");
        Check(1024 + 0x275, "superblock", "s_mtime", "0.000000000");
        Check(1024 + 0x150, "superblock", "s_blocks_count", "76800");
        Check((32768L * 4096) + 0x68, "group 1 superblock copy", "s_uuid", "6de632fe-7638-44c4-917c-ecf4170af3b4");
        Check(4096 + 64 + 0x24, "group 1 descriptor", "bg_inode_bitmap", null);
        Check((32769L * 4096) + 128 + 18, "group 2 descriptor, copy in group 1", "bg_flags", null);
        Check(Place("ext4 group 0 block bitmap"), "group 0 block bitmap", "blocks 0 to 7", "used");
        Check(Place("ext4 group 0 inode bitmap") + 1, "group 0 inode bitmap", "inodes 9 to 16", "used");
        long inode = Inode(image, "/old");
        Check(inode + 0x10, null, "i_mtime", "-1.999999999", "/old");
        Check(inode + 0x88, null, "i_mtime", "-1.999999999", "/old");
        Check(inode + 0x90, null, "i_crtime", "1662046009.000000000", "/old");
        Check(inode + 0x02, null, "i_uid", "1000", "/old");
        Check(inode + 0x7A, null, "i_gid", "100000", "/old");
        Check(inode, null, "i_mode", "0100644", "/old");
        Check(inode + 0x28 + 12 + 4, null, "i_block: extent 0: ee_len", "1", "/old");
        Check(Inode(image, "/link59") + 0x30, null, "i_block", new string('a', 59), "/link59");
        Check(Inode(image, "/dev/big") + 0x28, null, "i_block", "device 4095:1048575 (00000000ffffffff)", "/dev/big");
        Check(Inode(image, "/acl") + 160, null, "h_magic", "0xea020000", "/acl");
        Check(Inode(image, "/acl") + 164, null, "attribute system.posix_acl_access: e_name_len", "0", "/acl");
        Check(Place("directory /dev") + 12, "directory /dev, block 0", "entry ..: inode", "2", "/dev");
        Check(Place("directory /dev") + 4096 - 4, "directory /dev, block 0", "det_checksum", null, "/dev");
        Check(Place("directory /many") + 24 + 4, "directory /many, block 0", "hash_version", "1", "/many");
        Check(Place("directory /many") + 32 + 8, "directory /many, block 0", "index entry 1: hash", null, "/many");
        Check(Place("xattrs of /attributes") + 4, "attribute block /attributes", "h_refcount", "1", "/attributes");
        Check(Place("ext4 journal") + 12, "journal superblock", "s_blocksize", "4096");

        long Place(string label) => image.Extents.First(extent => extent.Label.ToString() == label).Offset;

        void Check(long offset, string? structure, string name, string? value, string? path = null)
        {
            var span = find(offset);
            Assert.NotNull(span);
            Assert.Equal((structure ?? span.Structure, name, value ?? span.Value, path), (span.Structure, span.Name, span.Value, span.Path));
        }
    }

    /// <summary>The place of a file's inode, by debugfs.</summary>
    private static long Inode(Blob image, string path)
    {
        using var directory = new TempDirectory();
        ImageFile.Write(image, directory["image"]);
        // "Inode 12 is part of block group 0\n\tlocated at block 1057, offset 0x0b00"
        string[] words = Tool.RunOk("debugfs", "-R", $"imap {path}", directory["image"]).Split([' ', ',', '\n'], StringSplitOptions.RemoveEmptyEntries);
        int at = Array.LastIndexOf(words, "block");
        return long.Parse(words[at + 1], null) * 4096 + Convert.ToInt64(words[^1], 16);
    }

    /// <summary>Every byte of every structure that has no room for slack has a name, whatever the profile.</summary>
    [Theory]
    [InlineData("ext4", "-b 4096")]
    [InlineData("ext4", "-b 1024 -O ^metadata_csum,uninit_bg")]
    [InlineData("ext4", "-b 1024 -I 512 -O inline_data")]
    [InlineData("ext4", "-b 1024 -O meta_bg,^resize_inode")]
    [InlineData("ext4", "-b 2048 -O ^64bit,metadata_csum_seed,orphan_file,mmp")]
    [InlineData("ext4", "-b 4096 -O ^extent,^64bit -I 128")]
    [InlineData("ext2", "-b 1024 -O none -I 128")]
    public void MetadataIsNamed(string type, string options)
    {
        using var directory = new TempDirectory();
        byte[] image = Ext4Images.Make(directory, type, options);
        var view = s_ext4.Read(new MemoryBlob(image));
        var find = view.FieldFinder();
        var isNamed = new SortedDictionary<string, bool>(StringComparer.Ordinal);
        foreach (var extent in view.Layout().Extents)
        {
            string label = extent.Label.ToString();
            var unnamed = FieldChecks.Unnamed(find, Offsets(extent, 5));
            bool isStructure = label.EndsWith("bitmap", StringComparison.Ordinal) || label is "ext4 superblock" or "ext4 orphan file";
            // After the checksum of an extent block there is slack.
            Assert.True(!label.StartsWith("extents of", StringComparison.Ordinal) || unnamed.All(offset => offset >= extent.End - 8));
            Assert.True(!isStructure || unnamed.Count == 0, $"{label}: nothing at {string.Join(' ', unnamed.Take(5))}");
            bool isContent = extent.Label.Kind is "file" or "symlink" or "ext4 unclaimed";
            Assert.True(!isContent || unnamed.Count == Offsets(extent, 5).Count() || label == "ext4 unclaimed", $"{label}: names in contents");
            isNamed[label] = isNamed.GetValueOrDefault(label) || unnamed.Count < Offsets(extent, 5).Count();
        }
        Assert.All(isNamed, static kind => Assert.True(kind.Value || kind.Key.Split(' ')[0] is "file" or "symlink"
            || kind.Key is "ext4 unclaimed" || kind.Key.Contains("reserved", StringComparison.Ordinal), $"{kind.Key}: no name at all"));
        Assert.Empty(InodeFields(view, find));
    }

    private static IEnumerable<long> Offsets(Extent extent, int step)
    {
        for (long offset = extent.Offset; offset < Math.Min(extent.End, extent.Offset + 100_000); offset += step)
        {
            yield return offset;
        }
    }

    /// <summary>The bytes of the first 128 of each inode that have no name.</summary>
    private static List<long> InodeFields(FileSystemView view, Func<long, FieldSpan?> find)
    {
        int size = int.Parse(view.Fields.Single(static field => field.Name == "s_inode_size").Value, null);
        return [.. view.Layout().Extents.Where(static extent => extent.Label.ToString().EndsWith("inode table", StringComparison.Ordinal))
            .SelectMany(extent => FieldChecks.Unnamed(find, Offsets(extent, 1).Where(offset => (offset - extent.Offset) % size < 128)))];
    }

    /// <summary>Whatever byte of a field changes, its value or name does.</summary>
    [Theory]
    [InlineData("ext4", "-b 1024")]
    [InlineData("ext4", "-b 4096 -O ^metadata_csum,uninit_bg")]
    [InlineData("ext4", "-b 1024 -I 512 -O ^metadata_csum,inline_data")]
    [InlineData("ext4", "-b 1024 -O ^extent,^64bit,^metadata_csum")]
    public void AChangedByteChangesItsField(string type, string options)
    {
        using var directory = new TempDirectory();
        byte[] image = Ext4Images.Make(directory, type, options);
        var find = FieldFinder.Of(new MemoryBlob(image));
        Extent[] extents = [.. s_ext4.Read(new MemoryBlob(image)).Layout().Extents
            .Where(static e => e.Label.Kind is not ("ext4 unclaimed" or "file" or "symlink" or "ext4 superblock"))];
        int seen = 0;
        Gen.Select(Gen.Int[0, extents.Length - 1], Gen.Int[0, 1 << 20], Gen.Int[0, 7]).Sample((index, within, bit) =>
        {
            long offset = extents[index].Offset + within % extents[index].Length;
            if (find(offset) is null)
            {
                return;
            }
            var (before, after) = FieldChecks.Flip(image, offset, (byte)(1 << bit), FieldFinder.Of, find);
            // Magic numbers and the like decide what the bytes are at all.
            Assert.True(after is null ? before.Name.EndsWith("magic", StringComparison.Ordinal)
                || before.Name is "i_extra_isize" : (before.Name, before.Value) != (after.Name, after.Value), $"{before} to {after}");
            Interlocked.Increment(ref seen);
        }, iter: 400, threads: 1);
        Assert.True(seen > 50);
    }

    /// <summary>The superblock's own fields, through a table rather than an image: its checksum would not be right.</summary>
    [Fact]
    public void AChangedByteChangesTheSuperblocksField()
    {
        byte[] bytes = s_ext4.Write(Ext4Samples.NewBuilder().Build(), Ext4Samples.Options).ReadBytes(1024, 1024);
        for (int i = 0; i < bytes.Length; i++)
        {
            var before = FieldTables.Superblock.Find(bytes, i);
            bytes[i] ^= 0x41;
            Assert.NotEqual(before, FieldTables.Superblock.Find(bytes, i));
            bytes[i] ^= 0x41;
        }
    }

    /// <summary>Two file systems with the same id and the same files: the seed is drawn anew, and each checksum of it.</summary>
    [Fact]
    public void TwoOfMke2fsDifferInNamedFields()
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory["source/etc"]);
        File.WriteAllText(directory["source/etc/passwd"], "root");
        Directory.CreateSymbolicLink(directory["source/link"], "etc");
        var images = new List<byte[]>();
        foreach (string time in new[] { "1700000000", "1700000007" })
        {
            Tool.RunOk("truncate", "-s", "16M", directory[time]);
            string[] arguments = ["-q", "-t", "ext4", "-U", $"{Ext4Samples.Options.Uuid}", "-d", directory["source"], directory[time]];
            var made = Tool.Run("mke2fs", arguments, new Dictionary<string, string> { ["E2FSPROGS_FAKE_TIME"] = time }, null);
            Assert.True(made.ExitCode == 0, made.All);
            images.Add(File.ReadAllBytes(directory[time]));
        }
        var find = s_ext4.Read(new MemoryBlob(images[0])).FieldFinder();
        var names = new SortedSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < images[0].Length; i++)
        {
            if (images[0][i] != images[1][i])
            {
                var span = find(i);
                Assert.True(span is not null, $"nothing at {i}");
                names.Add($"{(span.Path is { } path ? path + " " : "")}{span.Name}");
            }
        }
        Assert.Superset(new HashSet<string> { "s_hash_seed", "s_checksum", "s_mkfs_time", "s_wtime", "s_lastcheck", "/lost+found i_crtime" }, names);
        string[] allowed = ["s_hash_seed", "s_checksum", "s_mkfs_time", "s_wtime", "s_lastcheck", "i_crtime", "i_ctime", "i_atime", "i_mtime", "i_checksum", "bg_checksum"];
        Assert.All(names, name => Assert.Contains(name.Split(' ')[^1], allowed));
    }

    [Fact]
    public void HardLinksHaveAPathAndUnlinkedInodesHaveNone()
    {
        var image = s_ext4.Write(Ext4Samples.Everything(), Ext4Samples.Options);
        var find = s_ext4.Read(image).FieldFinder();
        Assert.Contains(find(Inode(image, "/hard"))!.Path, new[] { "/hard", "/a/hard", "/z/hard" });
        long table = image.Extents.First(static extent => extent.Label.ToString() == "ext4 group 0 inode table").Offset;
        Assert.Null(find(table + 7 * 256)!.Path);
        Assert.Equal("/", find(table + 256)!.Path);
    }

    /// <summary>Damage is null or a field, never anything else; in bounded time.</summary>
    [Fact]
    public void DamageIsNoError()
    {
        using var directory = new TempDirectory();
        byte[] image = Ext4Images.Make(directory, "ext4", "-b 1024 -O ^metadata_csum");
        long[] interesting = [.. s_ext4.Read(new MemoryBlob(image)).Layout().Extents
            .Where(static e => e.Label.Kind is not ("ext4 unclaimed" or "file")).Select(static e => e.Offset)];
        Gen.Select(Gen.Int[0, interesting.Length - 1], Gen.Int[0, 1500], Gen.Byte.Array[1, 6]).Sample((place, within, patch) =>
        {
            byte[] damaged = image.ToArray();
            patch.CopyTo(damaged, interesting[place] + within);
            Func<long, FieldSpan?> find;
            try
            {
                find = FieldFinder.Of(new MemoryBlob(damaged));
            }
            catch (InvalidDataException)
            {
                return;
            }
            foreach (long offset in interesting)
            {
                _ = find(offset + within);
                _ = find(offset);
            }
            Assert.Null(find(-1));
            Assert.Null(find(long.MaxValue));
        }, iter: 200);
    }
}
