using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Diecast.Binary;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Fat;

/// <summary>The boot sector of a file system of any origin, checked, and what follows from it.</summary>
internal sealed class BootRecord
{
    private const int Length = 512;

    private readonly BootSector _sector;
    private readonly Fat32Fields _fat32;
    private readonly BootSectorTail _tail;
    private readonly FsInfoSector? _info;

    /// <exception cref="InvalidDataException">A field has an impossible value, or the blob is too short.</exception>
    public BootRecord(Blob blob)
    {
        if (!Recognizes(blob))
        {
            throw new InvalidDataException("fat boot sector at 0: no FAT file system");
        }
        byte[] bytes = blob.ReadBytes(0, Length);
        _sector = OnDisk.Read<BootSector>(bytes);
        var rest = bytes.AsSpan(Unsafe.SizeOf<BootSector>());
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
        _info = isFat32 && InfoSector is { } info ? OnDisk.Read<FsInfoSector>(blob.ReadBytes((long)info * SectorSize, Length)) : null;
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

    /// <summary>The table that is kept up to date.</summary>
    public int ActiveFat => (_fat32.ExtFlags & Fat32Fields.NoMirroring) != 0 ? Math.Min(_fat32.ExtFlags & 0xF, FatCount - 1) : 0;

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

    /// <summary>The labelled parts before the root directory.</summary>
    public IEnumerable<(ByteRange Range, Label Label)> Parts()
    {
        yield return (new ByteRange(0, Length), "fat boot sector");
        var used = new HashSet<int>();
        if (Bits == 32)
        {
            int? backup = InReserved(_fat32.BkBootSec);
            (int? Sector, string Label)[] sectors =
            [
                (InfoSector, "fat FSInfo sector"), (backup, "fat backup boot sector"),
                (backup is null ? null : InReserved(backup.Value + 1), "fat backup FSInfo sector"),
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
    public IReadOnlyList<NamedField> Fields()
    {
        var fields = new List<NamedField>
        {
            new("BS_jmpBoot", Convert.ToHexStringLower(_sector.JmpBoot)), Text("BS_OEMName", _sector.OemName),
            Number("BPB_BytsPerSec", _sector.BytsPerSec), Number("BPB_SecPerClus", _sector.SecPerClus),
            Number("BPB_RsvdSecCnt", _sector.RsvdSecCnt), Number("BPB_NumFATs", _sector.NumFats),
            Number("BPB_RootEntCnt", _sector.RootEntCnt), Number("BPB_TotSec16", _sector.TotSec16),
            new("BPB_Media", $"0x{_sector.Media:x2}"), Number("BPB_FATSz16", _sector.FatSz16),
            Number("BPB_SecPerTrk", _sector.SecPerTrk), Number("BPB_NumHeads", _sector.NumHeads),
            Number("BPB_HiddSec", _sector.HiddSec), Number("BPB_TotSec32", _sector.TotSec32),
        };
        if (Bits == 32)
        {
            fields.AddRange(
            [
                Number("BPB_FATSz32", _fat32.FatSz32), new("BPB_ExtFlags", $"0x{_fat32.ExtFlags.Value:x4}"),
                Number("BPB_FSVer", _fat32.FsVer), Number("BPB_RootClus", _fat32.RootClus),
                Number("BPB_FSInfo", _fat32.FsInfo), Number("BPB_BkBootSec", _fat32.BkBootSec),
            ]);
        }
        fields.AddRange(
        [
            new("BS_DrvNum", $"0x{_tail.DrvNum:x2}"), new("BS_BootSig", $"0x{_tail.BootSig:x2}"),
            new("BS_VolID", $"{_tail.VolId.Value >> 16:X4}-{_tail.VolId.Value & 0xFFFF:X4}"),
            Text("BS_VolLab", _tail.VolLab), Text("BS_FilSysType", _tail.FilSysType),
        ]);
        if (_info is { } info)
        {
            fields.AddRange(
            [
                new("FSI_LeadSig", $"0x{info.LeadSig.Value:x8}"), new("FSI_StrucSig", $"0x{info.StrucSig.Value:x8}"),
                Number("FSI_Free_Count", info.FreeCount), Number("FSI_Nxt_Free", info.NxtFree),
                new("FSI_TrailSig", $"0x{info.TrailSig.Value:x8}"),
            ]);
        }
        fields.Add(Number("CountofClusters", Clusters));
        return fields;
    }

    private static NamedField Number(string name, long value) => new(name, value.ToString(CultureInfo.InvariantCulture));

    private static NamedField Text(string name, ReadOnlySpan<byte> bytes) =>
        new(name, FileName.Display(Encoding.UTF8.GetBytes(CodePage437.Decode(bytes).TrimEnd(' '))));
}
