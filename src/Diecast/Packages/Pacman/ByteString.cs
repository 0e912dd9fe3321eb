namespace Diecast.Packages.Pacman;

/// <summary>The order and equality of paths as bytes; strcmp's.</summary>
internal sealed class ByteString : IComparer<byte[]>, IEqualityComparer<byte[]>
{
    public static ByteString Comparer { get; } = new();

    public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);

    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    public int GetHashCode(byte[] obj)
    {
        var hash = new HashCode();
        hash.AddBytes(obj);
        return hash.ToHashCode();
    }

    /// <summary>A copy in order, each path once.</summary>
    public static byte[][] SortedSet(IEnumerable<byte[]> paths) => [.. paths.Distinct(Comparer).Order(Comparer)];
}
