using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Diecast.Binary;

namespace Diecast.Formats.Uki;

/// <summary>https://learn.microsoft.com/windows/win32/debug/pe-format, "COFF File Header", behind "PE\0\0".</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct CoffHeader
{
    public const ushort LocalSymbolsStripped = 0x0008;

    public Le<uint> Signature;
    public Le<ushort> Machine;
    public Le<ushort> NumberOfSections;
    public Le<uint> TimeDateStamp;
    public Le<uint> PointerToSymbolTable;
    public Le<uint> NumberOfSymbols;
    public Le<ushort> SizeOfOptionalHeader;
    public Le<ushort> Characteristics;
}

/// <summary>The same, "Optional Header", of the 64-bit format (PE32+), up to the data directories.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct OptionalHeader
{
    public const ushort MagicPe32Plus = 0x20b;
    public const ushort NxCompatible = 0x0100;

    public Le<ushort> Magic;
    public byte MajorLinkerVersion;
    public byte MinorLinkerVersion;
    public Le<uint> SizeOfCode;
    public Le<uint> SizeOfInitializedData;
    public Le<uint> SizeOfUninitializedData;
    public Le<uint> AddressOfEntryPoint;
    public Le<uint> BaseOfCode;
    public Le<ulong> ImageBase;
    public Le<uint> SectionAlignment;
    public Le<uint> FileAlignment;
    public Le<ushort> MajorOperatingSystemVersion;
    public Le<ushort> MinorOperatingSystemVersion;
    public Le<ushort> MajorImageVersion;
    public Le<ushort> MinorImageVersion;
    public Le<ushort> MajorSubsystemVersion;
    public Le<ushort> MinorSubsystemVersion;
    public Le<uint> Win32VersionValue;
    public Le<uint> SizeOfImage;
    public Le<uint> SizeOfHeaders;
    public Le<uint> CheckSum;
    public Le<ushort> Subsystem;
    public Le<ushort> DllCharacteristics;
    public Le<ulong> SizeOfStackReserve;
    public Le<ulong> SizeOfStackCommit;
    public Le<ulong> SizeOfHeapReserve;
    public Le<ulong> SizeOfHeapCommit;
    public Le<uint> LoaderFlags;
    public Le<uint> NumberOfRvaAndSizes;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct DataDirectory
{
    /// <summary>The index of the certificate table.</summary>
    public const int Security = 4;

    public Le<uint> VirtualAddress;
    public Le<uint> Size;
}

/// <summary>The same, "Section Table".</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct SectionHeader
{
    public const uint ContainsCode = 0x20, ContainsInitializedData = 0x40, MemoryRead = 0x40000000;

    public InlineArray8<byte> Name;
    public Le<uint> VirtualSize;
    public Le<uint> VirtualAddress;
    public Le<uint> SizeOfRawData;
    public Le<uint> PointerToRawData;
    public Le<uint> PointerToRelocations;
    public Le<uint> PointerToLineNumbers;
    public Le<ushort> NumberOfRelocations;
    public Le<ushort> NumberOfLineNumbers;
    public Le<uint> Characteristics;
}
