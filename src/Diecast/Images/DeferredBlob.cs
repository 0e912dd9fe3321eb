namespace Diecast.Images;

/// <summary>
/// A blob that is made when it is first needed, be it for its length. What making it throws is thrown by every use.
/// </summary>
public sealed class DeferredBlob(Func<Blob> make) : Blob
{
    private readonly Lazy<Blob> _blob = new(make);

    public override long Length => _blob.Value.Length;

    public override Blob Slice(long offset, long length) => _blob.Value.Slice(offset, length);

    public override long NextData(long offset) => _blob.Value.NextData(offset);

    public override string Describe() => _blob.Value.Describe();

    protected override void ReadCore(long offset, Span<byte> destination) => ReadCore(_blob.Value, offset, destination);
}
