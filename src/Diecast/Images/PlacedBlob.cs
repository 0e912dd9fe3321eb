namespace Diecast.Images;

/// <summary>Bytes of a file that stand in a file system; all three in bytes.</summary>
/// <param name="Offset">In the file.</param>
/// <param name="Place">In the file system.</param>
/// <param name="Length">Of the run.</param>
public readonly record struct Placement(long Offset, long Place, long Length);

/// <summary>
/// A stored file that tells where its bytes are. Two of them with the same placements need not be read where it is known
/// that the file systems are the same there.
/// </summary>
public abstract class PlacedBlob : Blob
{
    /// <summary>Ascending by offset, without overlap; what is between them is zeros.</summary>
    /// <exception cref="InvalidDataException">The structures that say so are damaged.</exception>
    public abstract IEnumerable<Placement> Placements { get; }
}
