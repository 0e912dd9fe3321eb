using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Diecast.Images;

/// <summary>
/// Reads a stream on a thread of its own, so far ahead of the reader as there is room, so that what is decompressed is done so
/// beside what is done with it. The first error comes where the data would have come.
/// </summary>
public sealed class ReadAheadStream : ReadOnlyStream
{
    private const int BlockSize = 256 << 10;

    private readonly record struct Block(byte[] Data, int Length, ExceptionDispatchInfo? Error);

    private readonly BlockingCollection<Block> _filled;
    private readonly ConcurrentBag<byte[]> _free = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _thread;
    private Block _current;
    private int _used;
    private bool _ended;

    /// <param name="open">Called on the other thread, which closes what it gets.</param>
    /// <param name="capacity">How many bytes are kept, about.</param>
    public ReadAheadStream(Func<Stream> open, int capacity)
    {
        _filled = new BlockingCollection<Block>(Math.Max(1, capacity / BlockSize));
        _thread = new Thread(() => Fill(open)) { IsBackground = true, Name = "read ahead" };
        _thread.Start();
    }

    public override int Read(Span<byte> buffer)
    {
        if (_ended || buffer.IsEmpty)
        {
            return 0;
        }
        if (_used == _current.Length)
        {
            if (_current.Data is { } used)
            {
                _free.Add(used);
            }
            (_current, _used) = (_filled.Take(), 0);
            if (_current.Length == 0)
            {
                _ended = true;
                _current.Error?.Throw();
                return 0;
            }
        }
        int count = Math.Min(buffer.Length, _current.Length - _used);
        _current.Data.AsSpan(_used, count).CopyTo(buffer);
        _used += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _stop.Cancel();
            _thread.Join();
            _filled.Dispose();
            _stop.Dispose();
        }
        base.Dispose(disposing);
    }

    private void Fill(Func<Stream> open)
    {
        ExceptionDispatchInfo? error = null;
        try
        {
            using var source = open();
            int length;
            do
            {
                byte[] data = _free.TryTake(out byte[]? free) ? free : new byte[BlockSize];
                length = source.ReadAtLeast(data, data.Length, throwOnEndOfStream: false);
                if (length > 0)
                {
                    _filled.Add(new Block(data, length, null), _stop.Token);
                }
            }
            while (length > 0);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The reader wants no more.
        }
        catch (Exception exception)
        {
            // Whatever it is, it is the reader's: a thread has nobody to tell.
            error = ExceptionDispatchInfo.Capture(exception);
        }
        try
        {
            _filled.Add(new Block([], 0, error), _stop.Token);
        }
        catch (OperationCanceledException)
        {
            // As above.
        }
    }
}
