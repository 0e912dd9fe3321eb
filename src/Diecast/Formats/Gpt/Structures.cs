using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Diecast.Binary;

namespace Diecast.Formats.Gpt;

/// <summary>
/// A GUID as GPT stores it: the first three fields little-endian, the rest as text has them (UEFI 2.10, appendix A).
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal readonly struct DiskGuid
{
    private readonly InlineArray16<byte> _bytes;

    private DiskGuid(Guid value) => value.TryWriteBytes(_bytes, bigEndian: false, out _);

    public static implicit operator Guid(DiskGuid field) => new(field._bytes, bigEndian: false);
    public static implicit operator DiskGuid(Guid value) => new(value);
}

/// <summary>UEFI 2.10, table 5.3: the one record of a protective MBR.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct MbrPartitionRecord
{
    /// <summary>The type of a record that protects a GPT.</summary>
    public const byte GptProtective = 0xEE;

    public byte BootIndicator;
    public byte StartingHead;
    public byte StartingSector;
    public byte StartingTrack;
    public byte OsType;
    public byte EndingHead;
    public byte EndingSector;
    public byte EndingTrack;
    public Le<uint> StartingLba;
    public Le<uint> SizeInLba;
}

/// <summary>UEFI 2.10, table 5.5: the header, at LBA 1 and at the last LBA.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct GptHeader
{
    /// <summary>"EFI PART".</summary>
    public const ulong SignatureValue = 0x5452415020494645;

    public const uint RevisionValue = 0x00010000;

    public Le<ulong> Signature;
    public Le<uint> Revision;
    public Le<uint> HeaderSize;
    public Le<uint> HeaderCrc32;
    public Le<uint> Reserved;
    public Le<ulong> MyLba;
    public Le<ulong> AlternateLba;
    public Le<ulong> FirstUsableLba;
    public Le<ulong> LastUsableLba;
    public DiskGuid DiskGuid;
    public Le<ulong> PartitionEntryLba;
    public Le<uint> NumberOfPartitionEntries;
    public Le<uint> SizeOfPartitionEntry;
    public Le<uint> PartitionEntryArrayCrc32;
}

/// <summary>UEFI 2.10, table 5.6.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct GptEntry
{
    public DiskGuid PartitionTypeGuid;
    public DiskGuid UniquePartitionGuid;
    public Le<ulong> StartingLba;
    public Le<ulong> EndingLba;
    public Le<ulong> Attributes;
    public GptEntryName PartitionName;
}

/// <summary>36 UTF-16 code units, ended by a zero where there are fewer.</summary>
[InlineArray(Length)]
internal struct GptEntryName
{
    public const int Length = 36;

    private Le<ushort> _first;

    public static GptEntryName From(string name)
    {
        var units = new GptEntryName();
        for (int i = 0; i < name.Length; i++)
        {
            units[i] = name[i];
        }
        return units;
    }

    public override readonly string ToString()
    {
        Span<char> units = stackalloc char[Length];
        int length = 0;
        while (length < Length && this[length] != 0)
        {
            units[length] = (char)(ushort)this[length];
            length++;
        }
        return new string(units[..length]);
    }
}
