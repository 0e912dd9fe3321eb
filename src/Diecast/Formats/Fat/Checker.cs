using System.Buffers.Binary;
using Diecast.Binary;
using Diecast.Images;

namespace Diecast.Formats.Fat;

/// <summary>Says what is wrong with a file system and did not keep it from being read, as fsck.fat(8) would.</summary>
internal sealed class Checker
{
    private const int CompareSize = 1 << 16;

    private readonly ProblemList _problems = new();
    private readonly Blob _blob;
    private readonly BootRecord _boot;

    private Checker(Blob blob)
    {
        _blob = blob;
        _boot = new BootRecord(blob);
    }

    /// <inheritdoc cref="FileSystemView.Check"/>
    public static IReadOnlyList<string> Check(Blob blob)
    {
        try
        {
            var checker = new Checker(blob);
            checker.CheckBootSectors();
            checker.CheckTables();
            checker.CheckFiles();
            return checker._problems.Lines;
        }
        catch (InvalidDataException error)
        {
            return [error.Message];
        }
    }

    private void CheckBootSectors()
    {
        _problems.Require(!_boot.IsDirty, "boot sector: the volume was not unmounted cleanly (BS_Reserved1)");
        byte[] boot = _blob.ReadBytes(0, BootRecord.Length);
        foreach (var (range, label) in _boot.Parts())
        {
            if (label.Kind == BootRecord.BackupLabel)
            {
                // The flag of a volume in use stands in the first one alone.
                byte[] backup = _blob.ReadBytes(range.Offset, BootRecord.Length);
                var different = _boot.Table.Places
                    .Where(place => place.Name != "BS_Reserved1" && !Same(boot, backup, place.Offset, place.Length))
                    .Select(static place => place.Name).ToList();
                _problems.Require(different.Count == 0, $"backup boot sector: differs in {string.Join(' ', different)}");
            }
        }
        if (_boot.Info is { } info)
        {
            _problems.Require(
                info.LeadSig == FsInfoSector.LeadSignature && info.StrucSig == FsInfoSector.StructureSignature
                && info.TrailSig == FsInfoSector.TrailSignature, "FSInfo sector: wrong signatures");
        }
    }

    private static bool Same(byte[] a, byte[] b, int offset, int length) =>
        a.AsSpan(offset, length).SequenceEqual(b.AsSpan(offset, length));

    private void CheckTables()
    {
        for (int table = 0; table < _boot.FatCount; table++)
        {
            if (table != _boot.ActiveFat && FirstDifference(_boot.ActiveFat, table) is { } at)
            {
                _problems.Add($"FAT {table + 1}: differs from FAT {_boot.ActiveFat + 1} at entry {at * 8 / _boot.Bits}");
            }
        }
        if (_boot.Bits == 12)
        {
            return;
        }
        // The two highest bits of the second entry: "unmounted cleanly" and "no disk error".
        uint flags = new Chains.Window(_blob, _boot, _boot.ActiveFat).Entry(1);
        uint clean = _boot.Bits == 16 ? 0x8000u : 0x0800_0000;
        _problems.Require((flags & clean) != 0, "FAT 1: the volume was not unmounted cleanly (entry 1)");
        _problems.Require((flags & clean >> 1) != 0, "FAT 1: the disk had errors (entry 1)");
    }

    /// <summary>The first byte in which two tables differ, as far as they stand for clusters.</summary>
    private long? FirstDifference(int first, int second)
    {
        long length = Math.Min(_boot.FatLength, ((_boot.Clusters + 2) * _boot.Bits).DivideUp(8));
        for (long at = 0; at < length; at += CompareSize)
        {
            int part = (int)Math.Min(CompareSize, length - at);
            byte[] a = _blob.ReadBytes(_boot.FatOffset(first) + at, part);
            byte[] b = _blob.ReadBytes(_boot.FatOffset(second) + at, part);
            int same = a.AsSpan().CommonPrefixLength(b);
            if (same < part)
            {
                return at + same;
            }
        }
        return null;
    }

    private void CheckFiles()
    {
        var scan = new TreeScan(_blob, _boot);
        foreach (var file in scan.Walk())
        {
            string path = file.Path?.ToString() ?? "/";
            _problems.Require(file.Damage is null, file.Damage ?? "");
            _problems.Require(file.Shared == 0, $"{path}: cluster {file.Shared} belongs to something else too");
            if (file is { Entry: { IsDirectory: false } entry, Damage: null })
            {
                long clusters = file.Runs.Sum(static run => (long)run.Count);
                long needed = ((long)entry.Short.FileSize.Value).DivideUp(_boot.ClusterSize);
                _problems.Require(clusters == needed, $"{path}: {clusters} clusters, and its {entry.Short.FileSize.Value} bytes take {needed}");
            }
            else if (file is { Entry.IsDirectory: true, Shared: 0, Damage: null })
            {
                CheckDots(file, scan.ReadRanges(scan.RangesOf(file)), path);
            }
        }
        CheckClusters(scan.Claimed);
    }

    private void CheckDots(ScannedFile directory, ReadOnlySpan<byte> bytes, string path)
    {
        bool isSound = bytes.Length >= 2 * ShortEntry.Size && bytes[..11].SequenceEqual(".          "u8)
            && bytes.Slice(ShortEntry.Size, 11).SequenceEqual("..         "u8)
            && BinaryPrimitives.ReadUInt16LittleEndian(bytes[26..]) == (ushort)directory.Runs[0].First;
        _problems.Require(isSound, $"directory {path}: does not begin with \".\" and \"..\" of its own");
    }

    private void CheckClusters(ClaimedClusters claimed)
    {
        var table = new Chains.Window(_blob, _boot, _boot.ActiveFat);
        long free = 0;
        long lost = 0;
        uint firstLost = 0;
        for (uint cluster = 2; cluster < _boot.Clusters + 2; cluster++)
        {
            uint value = table.Entry(cluster);
            free += value == 0 ? 1 : 0;
            if (value != 0 && value != _boot.BadCluster && !claimed[cluster])
            {
                firstLost = lost++ == 0 ? cluster : firstLost;
            }
        }
        _problems.Require(lost == 0, $"FAT {_boot.ActiveFat + 1}: {lost} clusters from {firstLost} on are in use, and no file has them");
        // All ones: not known.
        if (_boot.Info is { } info && info.FreeCount != uint.MaxValue)
        {
            _problems.Require(info.FreeCount == free, $"FSInfo sector: {info.FreeCount.Value} free clusters, and there are {free}");
        }
    }
}
