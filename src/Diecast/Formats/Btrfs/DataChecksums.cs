using Diecast.Binary;
using Diecast.Images;

namespace Diecast.Formats.Btrfs;

/// <summary>
/// The checksums of all sectors of the data. An image is read in ascending order and the checksum tree stands behind the data,
/// so they are computed while the data goes by; whoever reads in another order has the data read for it.
/// </summary>
internal sealed class DataChecksums
{
    private const int ReadSize = 1 << 20;

    private readonly IReadOnlyList<DataExtent> _extents;
    private readonly ChecksumType _type;
    private readonly int _size;

    // The number of the first sector of each extent, and that of all.
    private readonly int[] _first;
    private readonly byte[] _values;

    // A bit for each sector whose checksum is there.
    private readonly uint[] _known;

    public DataChecksums(IReadOnlyList<DataExtent> extents, ChecksumType type)
    {
        (_extents, _type, _size) = (extents, type, Checksums.Size(type));
        _first = new int[extents.Count + 1];
        for (int i = 0; i < extents.Count; i++)
        {
            _first[i + 1] = _first[i] + (int)(extents[i].Length / Layout.SectorSize);
        }
        _values = new byte[(long)_first[^1] * _size];
        _known = new uint[(_first[^1] + 31) / 32];
        Values = new ComputedBlob(_values.Length, Read);
        if (type is ChecksumType.Sha256 or ChecksumType.Blake2b)
        {
            // So slow that it is worth to read everything twice, by all processors.
            AllProcessors.For(extents.Count, i => Compute(i, 0, _first[i + 1] - _first[i]));
        }
    }

    /// <summary>In the order of the addresses, one after the other.</summary>
    public Blob Values { get; }

    /// <summary>The content of an extent; to read it is to compute its checksums.</summary>
    public Blob ContentOf(int extent) => new WatchedBlob(this, extent);

    private void Read(long offset, Span<byte> destination)
    {
        int end = (int)((offset + destination.Length - 1) / _size) + 1;
        for (int sector = (int)(offset / _size); sector < end;)
        {
            int extent = Array.BinarySearch(_first, sector);
            // Extents are never empty, so that no two begin at the same sector.
            extent = extent < 0 ? ~extent - 1 : extent;
            int extentEnd = Math.Min(end, _first[extent + 1]);
            Compute(extent, sector - _first[extent], extentEnd - _first[extent]);
            sector = extentEnd;
        }
        _values.AsSpan((int)offset, destination.Length).CopyTo(destination);
    }

    /// <summary>Reads what is not known of a range of an extent's sectors.</summary>
    private void Compute(int extent, int sector, int end)
    {
        byte[]? buffer = null;
        while (sector < end)
        {
            if (IsKnown(_first[extent] + sector))
            {
                sector++;
                continue;
            }
            buffer ??= new byte[ReadSize];
            var content = _extents[extent].Data.Content;
            long offset = (long)sector * Layout.SectorSize;
            int sectors = Math.Min(end - sector, ReadSize / Layout.SectorSize);
            int length = (int)Math.Min((long)sectors * Layout.SectorSize, content.Length - offset);
            content.Read(offset, buffer.AsSpan(0, length));
            Note(extent, offset, buffer.AsSpan(0, length));
            sector += sectors;
        }
    }

    /// <summary>Computes the checksums of the whole sectors in what has been read of an extent, and of the part of one at its end.</summary>
    private void Note(int extent, long offset, ReadOnlySpan<byte> bytes)
    {
        long end = offset + bytes.Length;
        long sectors = end == _extents[extent].Data.Content.Length ? end.AlignUp(Layout.SectorSize) : end.AlignDown(Layout.SectorSize);
        Span<byte> last = stackalloc byte[Layout.SectorSize];
        for (long at = offset.AlignUp(Layout.SectorSize); at < sectors; at += Layout.SectorSize)
        {
            int sector = _first[extent] + (int)(at / Layout.SectorSize);
            if (IsKnown(sector))
            {
                continue;
            }
            scoped var data = bytes[(int)(at - offset)..];
            if (data.Length < Layout.SectorSize)
            {
                last.Clear();
                data.CopyTo(last);
                data = last;
            }
            var checksum = Checksums.Compute(_type, data[..Layout.SectorSize]);
            checksum[.._size].CopyTo(_values.AsSpan(sector * _size, _size));
            Interlocked.Or(ref _known[sector / 32], 1u << sector);
        }
    }

    private bool IsKnown(int sector) => (Volatile.Read(ref _known[sector / 32]) & (1u << sector)) != 0;

    private sealed class WatchedBlob(DataChecksums checksums, int extent) : Blob
    {
        private readonly Blob _content = checksums._extents[extent].Data.Content;

        public override long Length => _content.Length;

        public override long NextData(long offset) => _content.NextData(offset);

        public override string Describe() => _content.Describe();

        protected override void ReadCore(long offset, Span<byte> destination)
        {
            ReadCore(_content, offset, destination);
            checksums.Note(extent, offset, destination);
        }
    }
}
