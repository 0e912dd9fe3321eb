using System.Buffers;
using System.Collections.Concurrent;
using Diecast.Binary;
using Diecast.Images;

namespace Diecast.Formats.Btrfs;

/// <summary>
/// Encodes data as compressed extents: each block starts afresh, so the bytes depend on the block and the level alone, and
/// not on how many are encoded at a time.
/// </summary>
internal sealed class ExtentEncoder(ExtentCompression compression, int level)
{
    /// <summary>How many blocks are in memory at a time.</summary>
    private const int BatchBlocks = 128;

    /// <summary>What btrfs(5) gives for each, 0 where there are none; zstd's above 15 would take a larger window.</summary>
    public static (int Default, int Highest) Levels(ExtentCompression compression) => compression switch
    {
        ExtentCompression.Zstd => (3, 15),
        ExtentCompression.Zlib => (3, 9),
        _ => (0, 0),
    };

    private sealed record Block(PlannedInode Inode, Blob Content, long FileOffset, int Length)
    {
        /// <summary>Where the encoded data stands in the file of all; empty where the data stays as it is.</summary>
        public ByteRange Encoded { get; set; }
    }

    /// <summary>Replaces the data of the inodes by what is smaller, of any number of threads in the same way.</summary>
    public void Encode(IEnumerable<PlannedInode> inodes)
    {
        var blocks = new List<Block>();
        var spill = SpillFile.Create(output =>
        {
            long end = 0;
            var encoders = new ConcurrentBag<BlockEncoder>();
            var written = Task.CompletedTask;
            foreach (var batch in Blocks(inodes).Chunk(BatchBlocks))
            {
                var encoded = new ArraySegment<byte>[batch.Length];
                AllProcessors.For(batch.Length, i =>
                {
                    var encoder = encoders.TryTake(out var free) ? free : new BlockEncoder(compression, level);
                    encoded[i] = Encode(encoder, batch[i]);
                    encoders.Add(encoder);
                });
                // While the next ones are encoded.
                written.GetAwaiter().GetResult();
                written = Task.Run(() => Write(batch, encoded));
            }
            written.GetAwaiter().GetResult();
            foreach (var encoder in encoders)
            {
                encoder.Dispose();
            }

            void Write(Block[] batch, ArraySegment<byte>[] encoded)
            {
                foreach (var (block, bytes) in batch.Zip(encoded))
                {
                    if (bytes.Array is { } array)
                    {
                        output.Write(bytes);
                        ArrayPool<byte>.Shared.Return(array);
                        block.Encoded = new ByteRange(end, bytes.Count);
                        blocks.Add(block);
                        end += bytes.Count;
                    }
                }
            }
        });
        foreach (var file in blocks.GroupBy(static block => block.Inode, ReferenceEqualityComparer.Instance))
        {
            Replace((PlannedInode)file.Key!, [.. file], spill);
        }
    }

    private static IEnumerable<Block> Blocks(IEnumerable<PlannedInode> inodes)
    {
        foreach (var inode in inodes.Where(static inode => !inode.Subvolume.IsNoDataCow))
        {
            foreach (var run in inode.Data)
            {
                for (long at = 0; at < run.Content.Length; at += ExtentDecoder.LargestExtent)
                {
                    int length = (int)Math.Min(ExtentDecoder.LargestExtent, run.Content.Length - at);
                    yield return new Block(inode, run.Content.Slice(at, length), run.FileOffset + at, length);
                }
            }
        }
    }

    /// <summary>The encoded data in an array of the pool; none where that does not save a sector.</summary>
    private static ArraySegment<byte> Encode(BlockEncoder encoder, Block block)
    {
        var encoded = encoder.Encode(block.Content);
        bool isSmaller = ((long)encoded.Length).AlignUp(Layout.SectorSize) < ((long)block.Length).AlignUp(Layout.SectorSize);
        if (encoded.IsEmpty || !(isSmaller || IsInline(block, encoded.Length)))
        {
            return default;
        }
        byte[] kept = ArrayPool<byte>.Shared.Rent(encoded.Length);
        encoded.CopyTo(kept);
        return new ArraySegment<byte>(kept, 0, encoded.Length);
    }

    /// <summary>Whether encoded data goes into a leaf: that of a file of one sector.</summary>
    private static bool IsInline(Block block, long length) =>
        length <= Plan.LongestInline && ((Trees.FileNode)block.Inode.Node).Content.Length <= Layout.SectorSize;

    /// <summary>Cuts the encoded blocks out of a file's runs of data.</summary>
    private void Replace(PlannedInode inode, Block[] blocks, Blob spill)
    {
        if (IsInline(blocks[0], blocks[0].Encoded.Length))
        {
            inode.Inline = new InlineData(spill.Slice(blocks[0].Encoded.Offset, blocks[0].Encoded.Length), compression);
            inode.Data = [];
            return;
        }
        var pieces = new List<FileData>();
        int next = 0;
        foreach (var run in inode.Data)
        {
            long end = run.FileOffset + run.Content.Length;
            for (long at = run.FileOffset; at < end;)
            {
                bool more = next < blocks.Length && blocks[next].FileOffset < end;
                if (more && blocks[next].FileOffset == at)
                {
                    var block = blocks[next++];
                    pieces.Add(new FileData(at, block.Length, spill.Slice(block.Encoded.Offset, block.Encoded.Length), compression));
                    at += block.Length;
                }
                else
                {
                    long to = more ? blocks[next].FileOffset : end;
                    pieces.Add(new FileData(at, to - at, run.Content.Slice(at - run.FileOffset, to - at), ExtentCompression.None));
                    at = to;
                }
            }
        }
        inode.Data = pieces;
    }
}
