namespace Diecast.Inspect.Differences;

/// <summary>Lines as slices of a text, each with its end of line.</summary>
internal static class TextLines
{
    /// <summary>The lines, or null where there are more than so many.</summary>
    public static ReadOnlyMemory<byte>[]? Split(ReadOnlyMemory<byte> text, int maximum)
    {
        var lines = new List<ReadOnlyMemory<byte>>();
        while (!text.IsEmpty)
        {
            if (lines.Count == maximum)
            {
                return null;
            }
            int newline = text.Span.IndexOf((byte)'\n');
            int length = newline < 0 ? text.Length : newline + 1;
            lines.Add(text[..length]);
            text = text[length..];
        }
        return [.. lines];
    }

    /// <summary>A number for each element, the same for those that are equal and only for them.</summary>
    public static (int[] Before, int[] After) Number(ReadOnlyMemory<byte>[] before, ReadOnlyMemory<byte>[] after) =>
        Number(before, after, ContentComparer.Instance);

    /// <inheritdoc cref="Number(ReadOnlyMemory{byte}[], ReadOnlyMemory{byte}[])"/>
    public static (int[] Before, int[] After) Number<T>(T[] before, T[] after, IEqualityComparer<T> comparer) where T : notnull
    {
        var numbers = new Dictionary<T, int>(comparer);
        return (Array.ConvertAll(before, NumberOf), Array.ConvertAll(after, NumberOf));

        int NumberOf(T element)
        {
            if (!numbers.TryGetValue(element, out int number))
            {
                numbers.Add(element, number = numbers.Count);
            }
            return number;
        }
    }

    private sealed class ContentComparer : IEqualityComparer<ReadOnlyMemory<byte>>
    {
        public static ContentComparer Instance { get; } = new();

        public bool Equals(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceEqual(y.Span);

        public int GetHashCode(ReadOnlyMemory<byte> line)
        {
            var hash = new HashCode();
            hash.AddBytes(line.Span);
            return hash.ToHashCode();
        }
    }
}
