using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;
using Diecast.Binary;
using Diecast.Images;

namespace Diecast.Formats.Fat;

/// <summary>The boot sector of a file system of any origin, checked, and what follows from it.</summary>
internal sealed class BootRecord
{
    /// <summary>Of the boot sector and the other sectors that have fields, in bytes.</summary>
    public const int Length = 512;

    private readonly byte[] _bytes;
    private readonly BootSector _sector;
    private readonly Fat32Fields _fat32;
    private readonly BootSectorTail _tail;

    /// <exception cref="InvalidDataException">A field has an impossible value, or the blob is too short.</exception>
    public BootRecord(Blob blob)
    {
        if (!Recognizes(blob))
        {
            throw new InvalidDataException("fat boot sector at 0: no FAT file system");
        }
        _bytes = blob.ReadBytes(0, Length);
        _sector = OnDisk.Read<BootSector>(_bytes);
        var rest = _bytes.AsSpan(Unsafe.SizeOf<BootSector>());
        // As drivers and fsck do it: FAT32 is what has no 16-bit length of the tables, however few clusters it has.
        bool isFat32 = _sector.FatSz16 == 0;
        if (isFat32)
        {
            _fat32 = OnDisk.Read<Fat32Fields>(rest);
            rest = rest[Unsafe.SizeOf<Fat32Fields>()..];
        }
        _tail = OnDisk.Read<BootSectorTail>(rest);
        FatSectors = isFat32 ? _fat32.FatSz32 : _sector.FatSz16;
        long total = _sector.TotSec16 != 0 ? _sector.TotSec16 : _sector.TotSec32;
        if (total * SectorSize > blob.Length)
        {
            throw new InvalidDataException($"fat boot sector at 0: {total} sectors of {SectorSize} bytes in {blob.Length} bytes");
        }
        long data = total * SectorSize - DataOffset;
        if (FatSectors == 0 || data < 0)
        {
            throw new InvalidDataException($"fat boot sector at 0: {total} sectors have no room for {FatSectors} of each table");
        }
        long clusters = data / ClusterSize;
        Bits = isFat32 ? 32 : clusters < 4085 ? 12 : 16;
        Clusters = Math.Min(Math.Min(clusters, FatLength * 8 / Bits - 2), (1L << Math.Min(Bits, 28)) - 11);
        Info = isFat32 && InfoSector is { } info ? OnDisk.Read<FsInfoSector>(blob.ReadBytes((long)info * SectorSize, Length)) : null;
    }

    public int Bits { get; }
    public long FatSectors { get; }
    public long Clusters { get; }
    public int SectorSize => _sector.BytsPerSec;
    public int ClusterSize => SectorSize * _sector.SecPerClus;
    public int FatCount => _sector.NumFats;
    public long FatLength => FatSectors * SectorSize;
    public long FatOffset(int table) => (_sector.RsvdSecCnt + table * FatSectors) * SectorSize;
    public long RootOffset => FatOffset(FatCount);
    public long RootLength => (long)_sector.RootEntCnt * ShortEntry.Size;
    public long DataOffset => (RootOffset + RootLength).AlignUp(SectorSize);
    public long ClusterOffset(long cluster) => DataOffset + (cluster - 2) * ClusterSize;

    /// <summary>The first cluster of FAT32's root; 0 elsewhere.</summary>
    public uint RootCluster => Bits == 32 ? _fat32.RootClus & 0x0FFF_FFFF : 0;

    /// <summary>The entry of a cluster that the disk cannot hold.</summary>
    public uint BadCluster => Bits switch { 12 => 0xFF7, 16 => 0xFFF7, _ => 0x0FFF_FFF7 };

    /// <summary>The table that is kept up to date.</summary>
    public int ActiveFat => (_fat32.ExtFlags & Fat32Fields.NoMirroring) != 0 ? Math.Min(_fat32.ExtFlags & 0xF, FatCount - 1) : 0;

    /// <summary>FAT32's counts; null where there are none.</summary>
    public FsInfoSector? Info { get; }

    /// <summary>The fields of the boot sector and of its backup.</summary>
    public FieldTable Table => Bits == 32 ? FieldTables.BootSector32 : FieldTables.BootSector16;

    /// <summary>FAT32's copy of the boot sector; null where there is none.</summary>
    public int? BackupSector => Bits == 32 ? InReserved(_fat32.BkBootSec) : null;

    /// <summary>The driver's flag for a volume that was not unmounted.</summary>
    public bool IsDirty => (_tail.Reserved1 & 1) != 0;

    private int? InfoSector => InReserved(_fat32.FsInfo);

    private int? InReserved(int sector) => sector > 0 && sector < _sector.RsvdSecCnt ? sector : null;

    public static bool Recognizes(Blob blob)
    {
        if (blob.Length < Length)
        {
            return false;
        }
        byte[] bytes = blob.ReadBytes(0, Length);
        var sector = OnDisk.Read<BootSector>(bytes);
        return BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(BootSector.SignatureOffset)) == BootSector.SignatureValue
            && sector.JmpBoot[0] is 0xEB or 0xE9
            && sector.BytsPerSec.Value is 512 or 1024 or 2048 or 4096
            && System.Numerics.BitOperations.IsPow2(sector.SecPerClus) && sector.RsvdSecCnt != 0 && sector.NumFats != 0
            && sector.Media is 0xF0 or >= 0xF8 && (sector.TotSec16 != 0 || sector.TotSec32 != 0);
    }

    /// <summary>The labels of the parts before the root directory.</summary>
    public const string BootLabel = "fat boot sector", InfoLabel = "fat FSInfo sector", BackupLabel = "fat backup boot sector",
        BackupInfoLabel = "fat backup FSInfo sector";

    /// <summary>The labelled parts before the root directory.</summary>
    public IEnumerable<(ByteRange Range, Label Label)> Parts()
    {
        yield return (new ByteRange(0, Length), BootLabel);
        var used = new HashSet<int>();
        if (Bits == 32)
        {
            (int? Sector, string Label)[] sectors =
            [
                (InfoSector, InfoLabel), (BackupSector, BackupLabel),
                (BackupSector is { } backup ? InReserved(backup + 1) : null, BackupInfoLabel),
            ];
            foreach (var (sector, label) in sectors)
            {
                if (sector is { } place && used.Add(place))
                {
                    yield return (new ByteRange((long)place * SectorSize, Length), label);
                }
            }
        }
        for (int i = 0; i < FatCount; i++)
        {
            yield return (new ByteRange(FatOffset(i), FatLength), string.Create(CultureInfo.InvariantCulture, $"fat table {i + 1}"));
        }
    }

    /// <summary>All the fields under the names of fatgen103.</summary>
    public IReadOnlyList<NamedField> Fields() =>
    [
        .. Shown(Table.Fields(_bytes)),
        .. Info is { } info ? Shown(FieldTables.FsInfo.Fields(OnDisk.Bytes(info))) : [],
        new("CountofClusters", Clusters.ToString(CultureInfo.InvariantCulture)),
    ];

    /// <summary>Without what means nothing to people.</summary>
    private static IEnumerable<NamedField> Shown(IEnumerable<NamedField> fields) => fields.Where(static field =>
        field.Name is not ("BS_BootCode" or "Signature_word") && !field.Name.Contains("Reserved", StringComparison.Ordinal));
}
