using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Diecast.Images;

/// <summary>
/// Writes an image to a file: in ascending order, large writes, gaps left as holes, through a temporary name that is
/// synced once and renamed, so that a half-written file never stands under the name that was asked for.
/// </summary>
public static class ImageFile
{
    // Small enough that the chunks in flight stay in the cache between the read, the hash and the write.
    private const int ChunkSize = 1 << 17;
    private const int ChunksInFlight = 8;

    /// <summary>The least gap in bytes that is left out of the file.</summary>
    private const int HoleSize = 4096;

    private readonly record struct Chunk(long Offset, byte[] Buffer, int Length);

    /// <summary>Writes the blob and returns the SHA-256 of all its bytes, holes included.</summary>
    /// <exception cref="IOException">The file cannot be written; nothing is left of it.</exception>
    public static byte[] WriteHashed(Blob blob, string path, CancellationToken cancellation = default) =>
        Write(blob, path, hashed: true, cancellation);

    /// <summary>Writes the blob.</summary>
    /// <inheritdoc cref="WriteHashed"/>
    public static void Write(Blob blob, string path, CancellationToken cancellation = default) =>
        Write(blob, path, hashed: false, cancellation);

    /// <summary>The SHA-256 of all the blob's bytes.</summary>
    public static byte[] Hash(Blob blob)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long position = 0;
        foreach (var chunk in Chunks(blob, static () => new byte[ChunkSize]))
        {
            position = AppendHashed(hash, position, chunk);
        }
        AppendZeros(hash, blob.Length - position);
        return hash.GetHashAndReset();
    }

    private static byte[] Write(Blob blob, string path, bool hashed, CancellationToken cancellation)
    {
        string temporary = TemporaryName(path);
        try
        {
            byte[] digest;
            using (var file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                digest = WriteTo(blob, file, hashed, cancellation);
                RandomAccess.FlushToDisk(file);
            }
            File.Move(temporary, path, overwrite: true);
            return digest;
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>A hidden name beside the file; not random, so that what an interrupted run left is found and replaced.</summary>
    private static string TemporaryName(string path)
    {
        string full = Path.GetFullPath(path);
        string name = Path.Join(Path.GetDirectoryName(full), $".{Path.GetFileName(full)}.tmp");
        File.Delete(name);
        return name;
    }

    private static byte[] WriteTo(Blob blob, SafeFileHandle file, bool hashed, CancellationToken cancellation)
    {
        RandomAccess.SetLength(file, blob.Length);
        using var free = new BlockingCollection<byte[]>();
        for (int i = 0; i < ChunksInFlight; i++)
        {
            free.Add(new byte[ChunkSize], CancellationToken.None);
        }
        using var filled = new BlockingCollection<Chunk>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        byte[] digest = [];
        var writer = Task.Factory.StartNew(
            () =>
            {
                try
                {
                    digest = Drain(blob.Length, file, hashed, filled, free, stop.Token);
                }
                catch
                {
                    stop.Cancel();
                    throw;
                }
            }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            foreach (var chunk in Chunks(blob, () => free.Take(stop.Token)))
            {
                filled.Add(chunk, stop.Token);
            }
            filled.CompleteAdding();
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // The writer failed; its exception follows.
        }
        catch
        {
            stop.Cancel();
            try { writer.Wait(CancellationToken.None); } catch (AggregateException) { /* the first failure is the cause */ }
            throw;
        }
        writer.GetAwaiter().GetResult();
        return digest;
    }

    private static byte[] Drain(
        long length, SafeFileHandle file, bool hashed, BlockingCollection<Chunk> filled, BlockingCollection<byte[]> free,
        CancellationToken stop)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long position = 0;
        foreach (var chunk in filled.GetConsumingEnumerable(stop))
        {
            RandomAccess.Write(file, chunk.Buffer.AsSpan(0, chunk.Length), chunk.Offset);
            if (hashed)
            {
                position = AppendHashed(hash, position, chunk);
            }
            free.Add(chunk.Buffer, CancellationToken.None);
        }
        if (!hashed)
        {
            return [];
        }
        AppendZeros(hash, length - position);
        return hash.GetHashAndReset();
    }

    /// <summary>The parts of the blob that are not gaps of an image, ascending, joined up to the size of a chunk.</summary>
    private static IEnumerable<Chunk> Chunks(Blob blob, Func<byte[]> take)
    {
        IEnumerable<Extent> extents = blob is Image image ? image.Leaves() : [new Extent(0, blob, "blob")];
        byte[]? buffer = null;
        long start = 0;
        int length = 0;
        foreach (var extent in extents)
        {
            if (buffer is not null)
            {
                // A gap too small to be a hole is written with what is around it: most files do not fill their last block.
                long gap = extent.Offset - (start + length);
                if (gap < HoleSize && length + gap < ChunkSize)
                {
                    buffer.AsSpan(length, (int)gap).Clear();
                    length += (int)gap;
                }
                else
                {
                    yield return new Chunk(start, buffer, length);
                    buffer = null;
                }
            }
            long done = 0;
            while (done < extent.Length)
            {
                if (buffer is null)
                {
                    (buffer, start, length) = (take(), extent.Offset + done, 0);
                }
                int part = (int)Math.Min(extent.Length - done, ChunkSize - length);
                extent.Content.Read(done, buffer.AsSpan(length, part));
                done += part;
                length += part;
                if (length == ChunkSize)
                {
                    yield return new Chunk(start, buffer, length);
                    buffer = null;
                }
            }
        }
        if (buffer is not null)
        {
            yield return new Chunk(start, buffer, length);
        }
    }

    private static long AppendHashed(IncrementalHash hash, long position, Chunk chunk)
    {
        AppendZeros(hash, chunk.Offset - position);
        hash.AppendData(chunk.Buffer, 0, chunk.Length);
        return chunk.Offset + chunk.Length;
    }

    private static readonly byte[] s_zeros = new byte[ChunkSize];

    private static void AppendZeros(IncrementalHash hash, long count)
    {
        for (; count > 0; count -= s_zeros.Length)
        {
            hash.AppendData(s_zeros, 0, (int)Math.Min(count, s_zeros.Length));
        }
    }
}
