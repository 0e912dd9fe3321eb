using CsCheck;
using Diecast.Images;

namespace Diecast.Tests.Images;

public sealed class ReadAheadStreamTests
{
    private sealed class Failing(byte[] data) : ReadOnlyStream
    {
        private readonly MemoryStream _data = new(data);

        public override int Read(Span<byte> buffer) => _data.Read(buffer) is > 0 and var count ? count : throw new InvalidDataException("the end is missing");
    }

    [Fact]
    public void GivesWhatTheSourceGives() => Gen.Select(Gen.Byte.Array[0, 2_000_000], Gen.Int[1, 700_000], Gen.Int[1, 3 << 20]).Sample((data, step, capacity) =>
    {
        using var stream = new ReadAheadStream(() => new MemoryStream(data), capacity);
        var read = new MemoryStream();
        var buffer = new byte[step];
        for (int count; (count = stream.Read(buffer)) > 0;)
        {
            read.Write(buffer, 0, count);
        }
        Assert.Equal(0, stream.Read(buffer));
        Assert.True(read.ToArray().AsSpan().SequenceEqual(data));
    }, iter: 30);

    [Fact]
    public void AnErrorComesAfterTheDataBeforeIt()
    {
        var data = new byte[300_000];
        using var stream = new ReadAheadStream(() => new Failing(data), 1 << 20);
        // The block that could not be filled is lost with what came before in it.
        Assert.Throws<InvalidDataException>(() => stream.CopyTo(Stream.Null));
        using var unopened = new ReadAheadStream(static () => throw new IOException("no such file"), 1);
        Assert.Throws<IOException>(() => unopened.ReadByte());
    }

    [Fact]
    public void EndsWhenNobodyReads()
    {
        var closed = new ManualResetEventSlim();
        using (new ReadAheadStream(() => new Closing(closed), 1 << 20))
        {
        }
        Assert.True(closed.IsSet);
    }

    private sealed class Closing(ManualResetEventSlim closed) : ReadOnlyStream
    {
        public override int Read(Span<byte> buffer) => buffer.Length;

        protected override void Dispose(bool disposing)
        {
            closed.Set();
            base.Dispose(disposing);
        }
    }
}
