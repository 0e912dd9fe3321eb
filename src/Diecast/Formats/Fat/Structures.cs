using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Diecast.Binary;

namespace Diecast.Formats.Fat;

// "fatgen103" is Microsoft's "FAT32 File System Specification", version 1.03 (2000); the names are its names.

/// <summary>The BIOS parameter block that all types share: fatgen103, "Boot Sector and BPB", offsets 0 to 35.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct BootSector
{
    public const ushort SignatureValue = 0xAA55;
    public const int SignatureOffset = 510;
    public const byte FixedMedia = 0xF8;

    public InlineArray3<byte> JmpBoot;
    public InlineArray8<byte> OemName;
    public Le<ushort> BytsPerSec;
    public byte SecPerClus;
    public Le<ushort> RsvdSecCnt;
    public byte NumFats;
    public Le<ushort> RootEntCnt;
    public Le<ushort> TotSec16;
    public byte Media;
    public Le<ushort> FatSz16;
    public Le<ushort> SecPerTrk;
    public Le<ushort> NumHeads;
    public Le<uint> HiddSec;
    public Le<uint> TotSec32;
}

/// <summary>What FAT32 adds at offset 36; <see cref="BootSectorTail"/> follows.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct Fat32Fields
{
    /// <summary>Bit 7 of ExtFlags: only the table that bits 0 to 3 name is kept up to date.</summary>
    public const ushort NoMirroring = 0x80;

    public Le<uint> FatSz32;
    public Le<ushort> ExtFlags;
    public Le<ushort> FsVer;
    public Le<uint> RootClus;
    public Le<ushort> FsInfo;
    public Le<ushort> BkBootSec;
    public InlineArray12<byte> Reserved;
}

/// <summary>The last fields, at offset 36 on FAT12 and FAT16, at 64 on FAT32.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct BootSectorTail
{
    public const byte ExtendedBootSignature = 0x29;

    public byte DrvNum;
    public byte Reserved1;
    public byte BootSig;
    public Le<uint> VolId;
    public InlineArray11<byte> VolLab;
    public InlineArray8<byte> FilSysType;
}

/// <summary>fatgen103, "FAT32 FSInfo Sector Structure and Backup Boot Sector".</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct FsInfoSector
{
    public const uint LeadSignature = 0x41615252;
    public const uint StructureSignature = 0x61417272;
    public const uint TrailSignature = 0xAA550000;

    public Le<uint> LeadSig;
    public FsInfoPadding Reserved1;
    public Le<uint> StrucSig;
    public Le<uint> FreeCount;
    public Le<uint> NxtFree;
    public InlineArray12<byte> Reserved2;
    public Le<uint> TrailSig;
}

[InlineArray(480)]
internal struct FsInfoPadding
{
    private byte _first;
}

/// <summary>fatgen103, "FAT 32 Byte Directory Entry Structure".</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct ShortEntry
{
    public const int Size = 32;
    public const byte ReadOnly = 0x01, VolumeId = 0x08, Directory = 0x10, Archive = 0x20;

    /// <summary>The first byte of an entry that is free, and of the one after the last.</summary>
    public const byte Free = 0xE5, End = 0x00;

    /// <summary>Stands for a first byte of 0xE5 in the name.</summary>
    public const byte Escaped0xE5 = 0x05;

    /// <summary>Windows NT's bits in NtRes: the base name, the extension is in lower case.</summary>
    public const byte LowerCaseBase = 0x08, LowerCaseExtension = 0x10;

    public InlineArray11<byte> Name;
    public byte Attr;
    public byte NtRes;
    public byte CrtTimeTenth;
    public Le<ushort> CrtTime;
    public Le<ushort> CrtDate;
    public Le<ushort> LstAccDate;
    public Le<ushort> FstClusHi;
    public Le<ushort> WrtTime;
    public Le<ushort> WrtDate;
    public Le<ushort> FstClusLo;
    public Le<uint> FileSize;
}

/// <summary>fatgen103, "FAT Long Directory Entries": thirteen UTF-16 units of a name.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct LongEntry
{
    public const byte Attribute = 0x0F, AttributeMask = 0x3F, Last = 0x40;
    public const int Units = 13;

    public byte Ord;
    public InlineArray5<Le<ushort>> Name1;
    public byte Attr;
    public byte Type;
    public byte Chksum;
    public InlineArray6<Le<ushort>> Name2;
    public Le<ushort> FstClusLo;
    public InlineArray2<Le<ushort>> Name3;

    /// <summary>The unit at 0 to 12 of this entry.</summary>
    public ushort this[int unit]
    {
        readonly get => unit < 5 ? Name1[unit] : unit < 11 ? Name2[unit - 5] : Name3[unit - 11];
        set
        {
            if (unit < 5)
            {
                Name1[unit] = value;
            }
            else if (unit < 11)
            {
                Name2[unit - 5] = value;
            }
            else
            {
                Name3[unit - 11] = value;
            }
        }
    }
}
