using System.Runtime.CompilerServices;
using Diecast.Formats.Ext4;

namespace Diecast.Tests.Formats.Ext4;

/// <summary>Sizes and offsets of the on-disk structures, from the specification.</summary>
public sealed class Ext4StructureTests
{
    [Fact]
    public void SizesAreThoseOfTheSpecification()
    {
        Assert.Equal(1024, Unsafe.SizeOf<Superblock>());
        Assert.Equal(64, Unsafe.SizeOf<GroupDescriptor>());
        Assert.Equal(160, Unsafe.SizeOf<InodeRecord>());
        Assert.Equal(12, Unsafe.SizeOf<ExtentHeader>());
        Assert.Equal(12, Unsafe.SizeOf<ExtentLeafEntry>());
        Assert.Equal(12, Unsafe.SizeOf<ExtentIndexEntry>());
        Assert.Equal(8, Unsafe.SizeOf<DirectoryEntryHeader>());
        Assert.Equal(12, Unsafe.SizeOf<DirectoryTail>());
        Assert.Equal(8, Unsafe.SizeOf<IndexRootInfo>());
        Assert.Equal(8, Unsafe.SizeOf<IndexEntry>());
        Assert.Equal(8, Unsafe.SizeOf<IndexTail>());
        Assert.Equal(32, Unsafe.SizeOf<XattrHeader>());
        Assert.Equal(16, Unsafe.SizeOf<XattrEntry>());
        Assert.Equal(0x44, Unsafe.SizeOf<JournalSuperblock>());
    }

    [Fact]
    public void SuperblockOffsets()
    {
        var s = new Superblock();
        Assert.Equal(0x18, Offset(ref s, ref s.LogBlockSize));
        Assert.Equal(0x20, Offset(ref s, ref s.BlocksPerGroup));
        Assert.Equal(0x2C, Offset(ref s, ref s.MountTime));
        Assert.Equal(0x38, Offset(ref s, ref s.Magic));
        Assert.Equal(0x40, Offset(ref s, ref s.LastCheck));
        Assert.Equal(0x4C, Offset(ref s, ref s.Revision));
        Assert.Equal(0x54, Offset(ref s, ref s.FirstInode));
        Assert.Equal(0x58, Offset(ref s, ref s.InodeSize));
        Assert.Equal(0x5A, Offset(ref s, ref s.BlockGroup));
        Assert.Equal(0x5C, Offset(ref s, ref s.Compatible));
        Assert.Equal(0x68, Offset(ref s, ref s.Uuid));
        Assert.Equal(0x78, Offset(ref s, ref s.VolumeName));
        Assert.Equal(0x88, Offset(ref s, ref s.LastMounted));
        Assert.Equal(0xCE, Offset(ref s, ref s.ReservedDescriptorBlocks));
        Assert.Equal(0xE0, Offset(ref s, ref s.JournalInode));
        Assert.Equal(0xEC, Offset(ref s, ref s.HashSeed));
        Assert.Equal(0xFC, Offset(ref s, ref s.DefaultHashVersion));
        Assert.Equal(0xFE, Offset(ref s, ref s.DescriptorSize));
        Assert.Equal(0x108, Offset(ref s, ref s.MakeTime));
        Assert.Equal(0x10C, Offset(ref s, ref s.JournalBlocks));
        Assert.Equal(0x148, Offset(ref s, ref s.JournalSizeHigh));
        Assert.Equal(0x150, Offset(ref s, ref s.BlocksCountHigh));
        Assert.Equal(0x15C, Offset(ref s, ref s.MinimumExtraInodeSize));
        Assert.Equal(0x160, Offset(ref s, ref s.Flags));
        Assert.Equal(0x174, Offset(ref s, ref s.LogGroupsPerFlex));
        Assert.Equal(0x178, Offset(ref s, ref s.KibibytesWritten));
        Assert.Equal(0x194, Offset(ref s, ref s.ErrorCount));
        Assert.Equal(0x1CC, Offset(ref s, ref s.LastErrorTime));
        Assert.Equal(0x200, Offset(ref s, ref s.MountOptions));
        Assert.Equal(0x240, Offset(ref s, ref s.UserQuotaInode));
        Assert.Equal(0x248, Offset(ref s, ref s.OverheadClusters));
        Assert.Equal(0x24C, Offset(ref s, ref s.BackupGroup0));
        Assert.Equal(0x254, Offset(ref s, ref s.EncryptionAlgorithms));
        Assert.Equal(0x268, Offset(ref s, ref s.LostAndFoundInode));
        Assert.Equal(0x270, Offset(ref s, ref s.ChecksumSeed));
        Assert.Equal(0x274, Offset(ref s, ref s.WriteTimeHigh));
        Assert.Equal(0x27C, Offset(ref s, ref s.Encoding));
        Assert.Equal(0x280, Offset(ref s, ref s.OrphanFileInode));
        Assert.Equal(0x3FC, Offset(ref s, ref s.Checksum));
    }

    [Fact]
    public void DescriptorOffsets()
    {
        var d = new GroupDescriptor();
        Assert.Equal(0x8, Offset(ref d, ref d.InodeTableLow));
        Assert.Equal(0x12, Offset(ref d, ref d.Flags));
        Assert.Equal(0x18, Offset(ref d, ref d.BlockBitmapChecksumLow));
        Assert.Equal(0x1C, Offset(ref d, ref d.UnusedInodesCountLow));
        Assert.Equal(0x1E, Offset(ref d, ref d.Checksum));
        Assert.Equal(0x20, Offset(ref d, ref d.BlockBitmapHigh));
        Assert.Equal(0x2C, Offset(ref d, ref d.FreeBlocksCountHigh));
        Assert.Equal(0x38, Offset(ref d, ref d.BlockBitmapChecksumHigh));
    }

    [Fact]
    public void InodeOffsets()
    {
        var i = new InodeRecord();
        Assert.Equal(0x10, Offset(ref i, ref i.ModificationTime));
        Assert.Equal(0x1A, Offset(ref i, ref i.LinksCount));
        Assert.Equal(0x20, Offset(ref i, ref i.Flags));
        Assert.Equal(0x28, Offset(ref i, ref i.Block));
        Assert.Equal(0x64, Offset(ref i, ref i.Generation));
        Assert.Equal(0x68, Offset(ref i, ref i.FileAclLow));
        Assert.Equal(0x6C, Offset(ref i, ref i.SizeHigh));
        Assert.Equal(0x74, Offset(ref i, ref i.BlocksHigh));
        Assert.Equal(0x7C, Offset(ref i, ref i.ChecksumLow));
        Assert.Equal(0x80, Offset(ref i, ref i.ExtraSize));
        Assert.Equal(0x82, Offset(ref i, ref i.ChecksumHigh));
        Assert.Equal(0x88, Offset(ref i, ref i.ModificationTimeExtra));
        Assert.Equal(0x90, Offset(ref i, ref i.CreationTime));
        Assert.Equal(0x9C, Offset(ref i, ref i.ProjectId));
    }

    [Fact]
    public void OtherOffsets()
    {
        var leaf = new ExtentLeafEntry();
        Assert.Equal(6, Offset(ref leaf, ref leaf.StartHigh));
        var index = new ExtentIndexEntry();
        Assert.Equal(8, Offset(ref index, ref index.LeafHigh));
        var header = new XattrHeader();
        Assert.Equal(0x10, Offset(ref header, ref header.Checksum));
        var entry = new XattrEntry();
        Assert.Equal(12, Offset(ref entry, ref entry.Hash));
        var journal = new JournalSuperblock();
        Assert.Equal(0x18, Offset(ref journal, ref journal.Sequence));
        Assert.Equal(0x30, Offset(ref journal, ref journal.Uuid));
        Assert.Equal(0x40, Offset(ref journal, ref journal.Users));
    }

    private static int Offset<TStructure, TField>(ref TStructure structure, ref TField field) =>
        (int)Unsafe.ByteOffset(ref Unsafe.As<TStructure, byte>(ref structure), ref Unsafe.As<TField, byte>(ref field));
}
