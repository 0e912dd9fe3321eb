using System.Globalization;
using System.Text;
using Diecast.Trees;
using static Diecast.Formats.FieldTable;

namespace Diecast.Formats.Fat;

/// <summary>The fields of the structures under the names of fatgen103, one table a structure of Structures.cs, in its order.</summary>
internal static class FieldTables
{
    private static readonly FieldRow[] s_bootSector =
    [
        Opaque("BS_jmpBoot", 3), Characters("BS_OEMName", 8), Number("BPB_BytsPerSec", 2), Number("BPB_SecPerClus", 1),
        Number("BPB_RsvdSecCnt", 2), Number("BPB_NumFATs", 1), Number("BPB_RootEntCnt", 2), Number("BPB_TotSec16", 2),
        Hexadecimal("BPB_Media", 1), Number("BPB_FATSz16", 2), Number("BPB_SecPerTrk", 2), Number("BPB_NumHeads", 2),
        Number("BPB_HiddSec", 4), Number("BPB_TotSec32", 4),
    ];

    private static readonly FieldRow[] s_fat32 =
    [
        Number("BPB_FATSz32", 4), Hexadecimal("BPB_ExtFlags", 2), Number("BPB_FSVer", 2), Number("BPB_RootClus", 4),
        Number("BPB_FSInfo", 2), Number("BPB_BkBootSec", 2), Opaque("BPB_Reserved", 12),
    ];

    private static readonly FieldRow[] s_tail =
    [
        Hexadecimal("BS_DrvNum", 1), Hexadecimal("BS_Reserved1", 1), Hexadecimal("BS_BootSig", 1),
        Shown("BS_VolID", 4, static bytes => $"{Unsigned(bytes) >> 16:X4}-{Unsigned(bytes) & 0xFFFF:X4}"),
        Characters("BS_VolLab", 11), Characters("BS_FilSysType", 8),
    ];

    public static FieldTable BootSector { get; } = new(s_bootSector);

    public static FieldTable Fat32Fields { get; } = new(s_fat32);

    public static FieldTable BootSectorTail { get; } = new(s_tail);

    /// <summary>The whole first sector; the names of the boot code and of the signature are not the specification's.</summary>
    public static FieldTable BootSector16 { get; } =
        new([.. s_bootSector, .. s_tail, Opaque("BS_BootCode", 448), Hexadecimal("Signature_word", 2)]);

    /// <inheritdoc cref="BootSector16"/>
    public static FieldTable BootSector32 { get; } =
        new([.. s_bootSector, .. s_fat32, .. s_tail, Opaque("BS_BootCode", 420), Hexadecimal("Signature_word", 2)]);

    public static FieldTable FsInfo { get; } = new(
        Hexadecimal("FSI_LeadSig", 4), Opaque("FSI_Reserved1", 480), Hexadecimal("FSI_StrucSig", 4),
        Number("FSI_Free_Count", 4), Number("FSI_Nxt_Free", 4), Opaque("FSI_Reserved2", 12), Hexadecimal("FSI_TrailSig", 4));

    public static FieldTable ShortEntry { get; } = new(
        Characters("DIR_Name", 11), Hexadecimal("DIR_Attr", 1), Hexadecimal("DIR_NTRes", 1), Number("DIR_CrtTimeTenth", 1),
        Time("DIR_CrtTime"), Date("DIR_CrtDate"), Date("DIR_LstAccDate"), Number("DIR_FstClusHI", 2), Time("DIR_WrtTime"),
        Date("DIR_WrtDate"), Number("DIR_FstClusLO", 2), Number("DIR_FileSize", 4));

    public static FieldTable LongEntry { get; } = new(
        Hexadecimal("LDIR_Ord", 1), Units("LDIR_Name1", 5), Hexadecimal("LDIR_Attr", 1), Number("LDIR_Type", 1),
        Hexadecimal("LDIR_Chksum", 1), Units("LDIR_Name2", 6), Number("LDIR_FstClusLO", 2), Units("LDIR_Name3", 2));

    /// <summary>Characters of the code page without the blanks at the end; with a NUL among them, in hexadecimal.</summary>
    private static FieldRow Characters(string name, int length) => Shown(name, length, static bytes => bytes.Contains((byte)0)
        ? Convert.ToHexStringLower(bytes) : FileName.Display(Encoding.UTF8.GetBytes(CodePage437.Decode(bytes).TrimEnd(' '))));

    private static FieldRow Units(string name, int count) =>
        Shown(name, count * 2, static bytes => FieldTable.Utf16(bytes));

    private static FieldRow Date(string name) => Shown(name, 2, static bytes =>
    {
        int date = (int)Unsigned(bytes);
        return string.Create(CultureInfo.InvariantCulture, $"{1980 + (date >> 9):D4}-{date >> 5 & 0xF:D2}-{date & 0x1F:D2}");
    });

    private static FieldRow Time(string name) => Shown(name, 2, static bytes =>
    {
        int time = (int)Unsigned(bytes);
        return string.Create(CultureInfo.InvariantCulture, $"{time >> 11:D2}:{time >> 5 & 0x3F:D2}:{(time & 0x1F) * 2:D2}");
    });
}
