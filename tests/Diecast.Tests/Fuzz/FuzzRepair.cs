using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Diecast.Formats.Btrfs;
using Diecast.Images;

namespace Diecast.Tests.Fuzz;

/// <summary>Makes checksums right in damaged images: else they would be all that is ever tried.</summary>
internal static class FuzzRepair
{
    /// <summary>Those of both headers of a partition table and of the entries, where these are at their usual places.</summary>
    public static void Gpt(SparseImage image)
    {
        foreach (long header in new[] { 512, image.Length - 512 })
        {
            if (header < 512)
            {
                continue;
            }
            byte[] bytes = image.Peek(header, 512);
            long entries = (long)BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(72)) * 512;
            long length = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(80)) * (long)BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(84));
            if (entries >= 0 && length is >= 0 and < 1 << 20)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(88), Crc32.HashToUInt32(image.Peek(entries, (int)length)));
            }
            int size = (int)Math.Min(512, BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(12)));
            bytes.AsSpan(16, 4).Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(16), Crc32.HashToUInt32(bytes.AsSpan(0, size)));
            image.Write(header, bytes);
        }
    }

    /// <summary>Those of all blocks of an archive that look like headers.</summary>
    public static void Tar(SparseImage image)
    {
        for (long at = 0; at + 512 <= image.Length; at += 512)
        {
            byte[] block = image.Peek(at, 512);
            if (!block.AsSpan(257, 5).SequenceEqual("ustar"u8))
            {
                continue;
            }
            block.AsSpan(148, 8).Fill((byte)' ');
            int sum = block.Sum(static b => b);
            Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(block.AsSpan(148));
            image.Write(at + 148, block.AsSpan(148, 8));
        }
    }

    /// <summary>Those of the superblocks and of all blocks of trees, where they were in the sound image.</summary>
    public static Action<SparseImage> Btrfs(Blob sound)
    {
        var volume = new Volume(sound);
        var blocks = Volume.SuperblockOffsets.Where(offset => offset + Superblock.Size <= sound.Length)
            .Select(static offset => (Offset: offset, Length: Superblock.Size)).ToList();
        foreach (var (block, _) in new TreeIndex(volume).Blocks())
        {
            var chunk = volume.ChunkMap.Find(block.Bytenr, volume.NodeSize)!;
            blocks.AddRange(chunk.Stripes.Select(stripe => (stripe + ((long)block.Bytenr - chunk.Logical), volume.NodeSize)));
        }
        var type = volume.ChecksumType;
        return image =>
        {
            foreach (var (offset, length) in blocks)
            {
                byte[] bytes = image.Peek(offset, length);
                if (!Checksums.IsRight(type, bytes))
                {
                    var checksum = Checksums.Compute(type, bytes.AsSpan(ChecksumBytes.Size));
                    image.Write(offset, checksum[..Checksums.Size(type)]);
                }
            }
        };
    }
}
