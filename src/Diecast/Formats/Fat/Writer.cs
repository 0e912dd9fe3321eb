using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Diecast.Binary;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Fat;

/// <summary>
/// A tree on its way to a FAT image: number the entries, give each file and directory its clusters in the order of the
/// walk, encode the directories, place everything.
/// </summary>
internal sealed class Writer
{
    private const int InfoSector = 1;
    private const int BackupSector = 6;
    private const uint RootCluster = 2;

    private readonly Layout _layout;
    private readonly FileSystemOptions _options;
    private readonly byte[]? _label;
    private readonly DosTime _made;
    private readonly ImageBuilder _image = new();
    private readonly List<uint> _chainEnds = [];

    private Writer(Layout layout, FileSystemOptions options)
    {
        _layout = layout;
        _options = options;
        _label = VolumeLabel.From(options.Label);
        _made = DosTime.From(options.Epoch);
    }

    public static Image Write(FileTree tree, Layout layout, FileSystemOptions options, long size)
    {
        var writer = new Writer(layout, options);
        var directories = writer.Allocate(tree);
        foreach (var directory in directories)
        {
            writer.PlaceDirectory(directory);
        }
        writer.PlaceReserved();
        return writer._image.Build(size);
    }

    /// <summary>A directory with the first clusters of its entries, in the order of the entries.</summary>
    private sealed class PlannedDirectory(DirectoryNode node, TreePath? path, uint cluster, PlannedDirectory? parent)
    {
        public DirectoryNode Node { get; } = node;
        public TreePath? Path { get; } = path;
        public uint Cluster { get; } = cluster;
        public PlannedDirectory? Parent { get; } = parent;
        public uint[] Clusters { get; } = new uint[node.Entries.Length];
    }

    /// <summary>The 32-byte entries of a directory: the label's or the two dots, and those of its names.</summary>
    public static long SlotCount(DirectoryNode directory, bool isRoot, bool labelled) =>
        (isRoot ? (labelled ? 1 : 0) : 2) + directory.Entries.Sum(static entry => (long)SlotCount(entry.Name));

    private static int SlotCount(FileName name) => 1 + (ShortNames.IsShort(name) ? 0 : LongNames.EntryCount(name));

    private List<PlannedDirectory> Allocate(FileTree tree)
    {
        var root = new PlannedDirectory(tree.Root, null, _layout.Bits == 32 ? AllocateDirectory(tree.Root, true) : 0, null);
        var directories = new List<PlannedDirectory>();
        var pending = new Stack<PlannedDirectory>([root]);
        while (pending.TryPop(out var directory))
        {
            directories.Add(directory);
            var inner = new List<PlannedDirectory>();
            for (int i = 0; i < directory.Clusters.Length; i++)
            {
                var (name, node) = directory.Node.Entries[i];
                var path = new TreePath(directory.Path, name);
                if (node is DirectoryNode child)
                {
                    directory.Clusters[i] = AllocateDirectory(child, false);
                    inner.Add(new PlannedDirectory(child, path, directory.Clusters[i], directory));
                }
                else
                {
                    var content = ((FileNode)node).Content;
                    directory.Clusters[i] = AllocateChain(content.Length);
                    if (content.Length > 0)
                    {
                        _image.Place(_layout.ClusterOffset(directory.Clusters[i]), content, new Label("file", path));
                    }
                }
            }
            for (int i = inner.Count - 1; i >= 0; i--)
            {
                pending.Push(inner[i]);
            }
        }
        return directories;
    }

    private uint AllocateDirectory(DirectoryNode node, bool isRoot) =>
        AllocateChain(Math.Max(1, SlotCount(node, isRoot, _label is not null)) * ShortEntry.Size);

    private uint AllocateChain(long length)
    {
        if (length == 0)
        {
            return 0;
        }
        uint first = LastCluster + 1;
        _chainEnds.Add((uint)(LastCluster + length.DivideUp(_layout.ClusterSize)));
        return first;
    }

    private uint LastCluster => _chainEnds.Count == 0 ? RootCluster - 1 : _chainEnds[^1];

    private void PlaceDirectory(PlannedDirectory directory)
    {
        bool isRoot = directory.Parent is null;
        bool isFixed = isRoot && _layout.Bits != 32;
        long used = Math.Max(1, SlotCount(directory.Node, isRoot, _label is not null)) * ShortEntry.Size;
        var bytes = new byte[isFixed ? _layout.RootLength : used.AlignUp(_layout.ClusterSize)];
        var rest = bytes.AsSpan();
        if (!isRoot)
        {
            var time = DosTime.From(directory.Node.Metadata.Mtime);
            Append(ref rest, Entry(".          "u8, ShortEntry.Directory, time, directory.Cluster, 0));
            // A parent that is the root is cluster 0, even where FAT32's root has a number.
            uint parent = directory.Parent!.Parent is null ? 0 : directory.Parent.Cluster;
            Append(ref rest, Entry("..         "u8, ShortEntry.Directory, time, parent, 0));
        }
        else if (_label is not null)
        {
            Append(ref rest, Entry(_label, ShortEntry.VolumeId, _made, 0, 0));
        }
        var names = directory.Node.Entries.Select(static entry => entry.Name).ToArray();
        byte[][] shortNames = ShortNames.Assign(names);
        for (int i = 0; i < names.Length; i++)
        {
            if (!ShortNames.IsShort(names[i]))
            {
                foreach (var part in LongNames.Encode(names[i], shortNames[i]))
                {
                    Append(ref rest, part);
                }
            }
            var node = directory.Node.Entries[i].Node;
            var time = DosTime.From(node.Metadata.Mtime);
            Append(ref rest, node is FileNode file
                ? Entry(shortNames[i], ShortEntry.Archive, time, directory.Clusters[i], (uint)file.Content.Length)
                : Entry(shortNames[i], ShortEntry.Directory, time, directory.Clusters[i], 0));
        }
        long offset = isFixed ? _layout.RootOffset : _layout.ClusterOffset(directory.Cluster);
        _image.Place(offset, bytes, new Label("directory", (object?)directory.Path ?? "/"));
    }

    private static void Append<T>(ref Span<byte> rest, in T entry) where T : unmanaged
    {
        OnDisk.Write(rest, entry);
        rest = rest[ShortEntry.Size..];
    }

    private static ShortEntry Entry(ReadOnlySpan<byte> name, byte attributes, DosTime time, uint cluster, uint size)
    {
        var entry = new ShortEntry
        {
            Attr = attributes,
            CrtTime = time.Time,
            CrtDate = time.Date,
            LstAccDate = time.Date,
            FstClusHi = (ushort)(cluster >> 16),
            WrtTime = time.Time,
            WrtDate = time.Date,
            FstClusLo = (ushort)cluster,
            FileSize = size,
        };
        name.CopyTo(entry.Name);
        return entry;
    }

    private void PlaceReserved()
    {
        byte[] boot = BootSectorBytes();
        _image.Place(0, boot, "fat boot sector");
        if (_layout.Bits == 32)
        {
            byte[] info = OnDisk.Bytes(new FsInfoSector
            {
                LeadSig = FsInfoSector.LeadSignature,
                StrucSig = FsInfoSector.StructureSignature,
                FreeCount = (uint)(_layout.Clusters + 1 - LastCluster),
                NxtFree = LastCluster,
                TrailSig = FsInfoSector.TrailSignature,
            });
            _image.Place((long)InfoSector * _layout.SectorSize, info, "fat FSInfo sector");
            _image.Place((long)BackupSector * _layout.SectorSize, boot, "fat backup boot sector");
            _image.Place((long)(BackupSector + InfoSector) * _layout.SectorSize, info, "fat backup FSInfo sector");
        }
        var table = new ClusterTable(_layout.Bits, BootSector.FixedMedia, _chainEnds).ToBlob(_layout.FatLength);
        for (int i = 0; i < Layout.FatCount; i++)
        {
            _image.Place(_layout.FatOffset(i), table, i == 0 ? "fat table 1" : "fat table 2");
        }
    }

    private byte[] BootSectorBytes()
    {
        bool fat32 = _layout.Bits == 32;
        uint total = (uint)_layout.TotalSectors;
        bool total16 = !fat32 && total <= ushort.MaxValue;
        var sector = new BootSector
        {
            BytsPerSec = (ushort)_layout.SectorSize,
            SecPerClus = (byte)_layout.SectorsPerCluster,
            RsvdSecCnt = (ushort)_layout.ReservedSectors,
            NumFats = Layout.FatCount,
            RootEntCnt = (ushort)_layout.RootEntries,
            TotSec16 = total16 ? (ushort)total : (ushort)0,
            Media = BootSector.FixedMedia,
            FatSz16 = fat32 ? (ushort)0 : (ushort)_layout.FatSectors,
            // No disk has tracks any more, but mtools wants whole ones.
            SecPerTrk = (ushort)Math.Min(32, total & -total),
            NumHeads = 8,
            HiddSec = HiddenSectors(),
            TotSec32 = total16 ? 0 : total,
        };
        "mkfs.fat"u8.CopyTo(sector.OemName);
        var bytes = new byte[512];
        var fields = bytes.AsSpan(Unsafe.SizeOf<BootSector>());
        if (fat32)
        {
            OnDisk.Write(fields, new Fat32Fields
            {
                FatSz32 = (uint)_layout.FatSectors, RootClus = RootCluster, FsInfo = InfoSector, BkBootSec = BackupSector,
            });
            fields = fields[Unsafe.SizeOf<Fat32Fields>()..];
        }
        OnDisk.Write(fields, Tail());
        var code = fields[Unsafe.SizeOf<BootSectorTail>()..];
        // A jump over the fields to: int 0x18 (go on with the next boot device), hlt, and back to the hlt.
        ReadOnlySpan<byte> jump = [0xEB, (byte)(bytes.Length - code.Length - 2), 0x90];
        jump.CopyTo(sector.JmpBoot);
        ReadOnlySpan<byte> nextDevice = [0xCD, 0x18, 0xF4, 0xEB, 0xFD];
        nextDevice.CopyTo(code);
        OnDisk.Write(bytes, sector);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(BootSector.SignatureOffset), BootSector.SignatureValue);
        return bytes;
    }

    private BootSectorTail Tail()
    {
        Span<byte> uuid = stackalloc byte[16];
        _options.Uuid.TryWriteBytes(uuid, bigEndian: true, out _);
        var tail = new BootSectorTail
        {
            DrvNum = 0x80,
            BootSig = BootSectorTail.ExtendedBootSignature,
            VolId = BinaryPrimitives.ReadUInt32BigEndian(uuid),
        };
        (_label ?? VolumeLabel.None).CopyTo(tail.VolLab);
        (_layout.Bits switch { 12 => "FAT12   "u8, 16 => "FAT16   "u8, _ => "FAT32   "u8 }).CopyTo(tail.FilSysType);
        return tail;
    }

    /// <summary>The sectors before the partition; 0 where that is no number of this file system's sectors.</summary>
    private uint HiddenSectors()
    {
        var (sectors, rest) = Math.DivRem(_options.PartitionOffset, _layout.SectorSize);
        return rest == 0 && sectors <= uint.MaxValue ? (uint)sectors : 0;
    }
}
