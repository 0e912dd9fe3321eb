using Diecast.Images;

namespace Diecast.Inspect;

/// <summary>Writes blobs out in large pieces.</summary>
public static class BlobCopy
{
    private const int PieceSize = 1 << 20;

    /// <summary>Writes all the bytes; what is known to be zeros is not read.</summary>
    /// <exception cref="OperationCanceledException">Between two pieces.</exception>
    public static void CopyTo(Blob blob, Stream output, CancellationToken cancellation = default)
    {
        var buffer = new byte[(int)Math.Min(PieceSize, blob.Length)];
        for (long offset = 0; offset < blob.Length; offset += buffer.Length)
        {
            cancellation.ThrowIfCancellationRequested();
            var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, blob.Length - offset));
            if (blob.NextData(offset) >= offset + piece.Length)
            {
                piece.Clear();
            }
            else
            {
                blob.Read(offset, piece);
            }
            output.Write(piece);
        }
    }
}
