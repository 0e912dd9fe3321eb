using Diecast.Binary;

namespace Diecast.Formats.Ext4;

/// <summary>The journal: its superblock, and its blocks by the type that they say they have.</summary>
internal sealed partial class FieldFinder
{
    private const uint DescriptorType = 1, CommitType = 2, RevokeType = 5;
    private const uint Bits64 = 0x2, ChecksumV2 = 0x8, ChecksumV3 = 0x10;
    private const uint SameUuid = 2, LastTag = 8;
    private const int UuidLength = 16;

    private uint? _journalFeatures;

    private FieldSpan? InJournal(long logical, long block, int at)
    {
        byte[] bytes = Block(block);
        long place = block * _volume.BlockSize;
        if (logical == 0)
        {
            _journalFeatures = OnDisk.Read<JournalSuperblock>(bytes).Incompatible;
            return FieldTableOfSuperblock(bytes, at)?.At(place, "journal superblock");
        }
        if (OnDisk.Read<Be<uint>>(bytes) != JournalSuperblock.MagicValue)
        {
            return null;
        }
        uint type = OnDisk.Read<Be<uint>>(bytes.AsSpan(sizeof(uint)));
        string kind = type switch
        {
            DescriptorType => "descriptor block",
            CommitType => "commit block",
            RevokeType => "revocation block",
            _ => "block",
        };
        string structure = $"journal block {logical} ({kind})";
        if (type == CommitType)
        {
            return JournalTables.Commit.Find(bytes, at)?.At(place, structure);
        }
        bool hasTail = (JournalFeatures() & (ChecksumV2 | ChecksumV3)) != 0 && type is DescriptorType or RevokeType;
        int tail = bytes.Length - sizeof(uint);
        if (hasTail && at >= tail)
        {
            return JournalTables.Tail.Find(bytes.AsSpan(tail), at - tail)?.At(place + tail, structure);
        }
        int header = JournalTables.Header.Length;
        return at < header ? JournalTables.Header.Find(bytes, at)?.At(place, structure)
            : type == DescriptorType ? InTags(bytes, place, at, structure)
            : type == RevokeType ? InRevocation(bytes, place, at, structure) : null;
    }

    private static FoundField? FieldTableOfSuperblock(ReadOnlySpan<byte> bytes, int at) =>
        at < JournalTables.Superblock.Length ? JournalTables.Superblock.Find(bytes, at) : null;

    /// <summary>They say how the other blocks are laid out.</summary>
    private uint JournalFeatures() => _journalFeatures ??=
        OnDisk.Read<JournalSuperblock>(new StoredFile(_volume, _volume.Inode(_volume.Superblock.JournalInode), isRemembered: false)
            .ReadBytes(0, _volume.BlockSize)).Incompatible;

    private FieldSpan? InTags(ReadOnlySpan<byte> block, long place, int at, string structure)
    {
        uint features = JournalFeatures();
        bool isLong = (features & ChecksumV3) != 0;
        var table = isLong ? JournalTables.Tag3 : JournalTables.Tag;
        int length = table.Length - (isLong || (features & Bits64) != 0 ? 0 : sizeof(uint));
        uint flags = 0;
        int index = 0;
        for (int tag = JournalTables.Header.Length; tag + length <= block.Length && (flags & LastTag) == 0; index++)
        {
            flags = isLong ? OnDisk.Read<Be<uint>>(block[(tag + 4)..]).Value : OnDisk.Read<Be<ushort>>(block[(tag + 6)..]).Value;
            string prefix = $"tag {index}: ";
            if (at < tag + length)
            {
                return table.Find(block.Slice(tag, length), at - tag)?.At(place + tag, structure, null, prefix);
            }
            tag += length;
            if ((flags & SameUuid) == 0 && tag + UuidLength <= block.Length)
            {
                if (at < tag + UuidLength)
                {
                    return Raw(block, place, tag, UuidLength, structure, prefix + "uuid");
                }
                tag += UuidLength;
            }
        }
        return null;
    }

    private FieldSpan? InRevocation(ReadOnlySpan<byte> block, long place, int at, string structure)
    {
        int start = JournalTables.RevokeCount.Length;
        if (at < start)
        {
            return JournalTables.RevokeCount.Find(block, at)?.At(place, structure);
        }
        int size = (JournalFeatures() & Bits64) != 0 ? sizeof(ulong) : sizeof(uint);
        uint end = OnDisk.Read<Be<uint>>(block[JournalTables.Header.Length..]);
        int index = (at - start) / size;
        int entry = start + index * size;
        return entry + size > Math.Min(end, block.Length) ? null
            : new FieldSpan(place + entry, size, structure, $"block {index}",
                $"{FieldTable.UnsignedBigEndian(block.Slice(entry, size))}");
    }
}
