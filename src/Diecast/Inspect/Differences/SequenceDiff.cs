namespace Diecast.Inspect.Differences;

/// <summary>A run of one sequence in whose place the other one has another run; either may be empty.</summary>
internal readonly record struct Edit(int Before, int BeforeCount, int After, int AfterCount);

/// <summary>
/// The difference of two sequences of numbers (Myers, "An O(ND) difference algorithm and its variations", 1986). Sequences
/// that differ too much for it are first cut at the elements that each has once, in the longest order that both have; pieces
/// that still differ too much count as replaced.
/// </summary>
internal static class SequenceDiff
{
    private const int EditLimit = 600, PieceEditLimit = 100;

    // Comparisons, in all: half a second or so.
    private const long WorkLimit = 200_000_000;

    /// <summary>What differs, ascending; between two edits there is something that is the same.</summary>
    public static List<Edit> Compare(int[] before, int[] after)
    {
        var marks = new Marks(before, after);
        var all = marks.Trim(new Piece(0, before.Length, 0, after.Length));
        if (!marks.TryMark(all, EditLimit))
        {
            foreach (var piece in Cut(before, after, all))
            {
                var trimmed = marks.Trim(piece);
                if (!marks.TryMark(trimmed, PieceEditLimit))
                {
                    marks.MarkAll(trimmed);
                }
            }
        }
        return marks.Edits();
    }

    /// <summary>A run of each sequence; the ends are not in it.</summary>
    private readonly record struct Piece(int Before, int BeforeEnd, int After, int AfterEnd);

    /// <summary>Which elements the other sequence does not have.</summary>
    private sealed class Marks(int[] before, int[] after)
    {
        private readonly bool[] _before = new bool[before.Length], _after = new bool[after.Length];
        private long _work;

        public Piece Trim(Piece piece)
        {
            var (a, aEnd, b, bEnd) = piece;
            int prefix = before.AsSpan(a..aEnd).CommonPrefixLength(after.AsSpan(b..bEnd));
            (a, b) = (a + prefix, b + prefix);
            while (aEnd > a && bEnd > b && before[aEnd - 1] == after[bEnd - 1])
            {
                (aEnd, bEnd) = (aEnd - 1, bEnd - 1);
            }
            return new Piece(a, aEnd, b, bEnd);
        }

        public void MarkAll(Piece piece)
        {
            _before.AsSpan(piece.Before..piece.BeforeEnd).Fill(true);
            _after.AsSpan(piece.After..piece.AfterEnd).Fill(true);
        }

        /// <summary>Marks what differs, or nothing where that takes more edits than the limit.</summary>
        public bool TryMark(Piece piece, int limit)
        {
            var left = before.AsSpan(piece.Before..piece.BeforeEnd);
            var right = after.AsSpan(piece.After..piece.AfterEnd);
            if (left.IsEmpty || right.IsEmpty)
            {
                MarkAll(piece);
                return true;
            }
            int most = Math.Min(left.Length + right.Length, limit);
            // The furthest place in the first sequence on each diagonal, from -most - 1 to most + 1.
            var furthest = new int[2 * most + 3];
            int origin = most + 1;
            var trace = new List<int[]>();
            for (int edits = 0; edits <= most && _work < WorkLimit; edits++)
            {
                for (int diagonal = -edits; diagonal <= edits; diagonal += 2)
                {
                    int x = IsInsertion(furthest, origin, diagonal, edits)
                        ? furthest[origin + diagonal + 1]
                        : furthest[origin + diagonal - 1] + 1;
                    int y = x - diagonal;
                    int start = x;
                    if (x < left.Length && y < right.Length)
                    {
                        x += left[x..].CommonPrefixLength(right[y..]);
                    }
                    _work += x - start + 1;
                    furthest[origin + diagonal] = x;
                    if (x >= left.Length && diagonal == left.Length - right.Length)
                    {
                        Mark(trace, piece, edits);
                        return true;
                    }
                }
                trace.Add(furthest[(origin - edits - 1)..(origin + edits + 2)]);
            }
            return false;
        }

        public List<Edit> Edits()
        {
            var edits = new List<Edit>();
            int x = 0, y = 0;
            while (x < before.Length || y < after.Length)
            {
                int startX = x, startY = y;
                while (x < before.Length && _before[x])
                {
                    x++;
                }
                while (y < after.Length && _after[y])
                {
                    y++;
                }
                if (x > startX || y > startY)
                {
                    edits.Add(new Edit(startX, x - startX, startY, y - startY));
                }
                else
                {
                    (x, y) = (x + 1, y + 1);
                }
            }
            return edits;
        }

        private static bool IsInsertion(int[] furthest, int origin, int diagonal, int edits) =>
            diagonal == -edits || (diagonal != edits && furthest[origin + diagonal - 1] < furthest[origin + diagonal + 1]);

        /// <summary>Goes back from the end of both to their start.</summary>
        private void Mark(List<int[]> trace, Piece piece, int edits)
        {
            int x = piece.BeforeEnd - piece.Before, y = piece.AfterEnd - piece.After;
            for (; edits > 0; edits--)
            {
                int[] furthest = trace[edits - 1];
                int origin = edits;
                int diagonal = x - y;
                if (IsInsertion(furthest, origin, diagonal, edits))
                {
                    x = furthest[origin + diagonal + 1];
                    y = x - diagonal - 1;
                    _after[piece.After + y] = true;
                }
                else
                {
                    x = furthest[origin + diagonal - 1];
                    y = x - diagonal + 1;
                    _before[piece.Before + x] = true;
                }
            }
        }
    }

    /// <summary>The pieces between the elements that each sequence has once, where those come in the same order.</summary>
    private static IEnumerable<Piece> Cut(int[] before, int[] after, Piece piece)
    {
        var (a, b) = (piece.Before, piece.After);
        foreach (var (x, y) in LongestAscending(CommonOnce(before, after, piece)))
        {
            yield return new Piece(a, x, b, y);
            (a, b) = (x + 1, y + 1);
        }
        yield return new Piece(a, piece.BeforeEnd, b, piece.AfterEnd);
    }

    private static List<(int Before, int After)> CommonOnce(int[] before, int[] after, Piece piece)
    {
        var placesAfter = PlacesOfSingles(after, piece.After, piece.AfterEnd);
        return [.. PlacesOfSingles(before, piece.Before, piece.BeforeEnd)
            .Where(single => single.Value >= 0 && placesAfter.GetValueOrDefault(single.Key, -1) >= 0)
            .Select(single => (single.Value, placesAfter[single.Key]))
            .OrderBy(static pair => pair.Value, Comparer<int>.Default)];
    }

    /// <summary>Where each element is, or -1 where it is more than once.</summary>
    private static Dictionary<int, int> PlacesOfSingles(int[] sequence, int start, int end)
    {
        var places = new Dictionary<int, int>();
        for (int i = start; i < end; i++)
        {
            if (!places.TryAdd(sequence[i], i))
            {
                places[sequence[i]] = -1;
            }
        }
        return places;
    }

    /// <summary>The longest of the lists of pairs, ascending in the first, that ascend in the second too.</summary>
    private static List<(int Before, int After)> LongestAscending(List<(int Before, int After)> pairs)
    {
        // The pair with which the shortest-ending list of each length ends, and the pair before each.
        var ends = new List<int>();
        var previous = new int[pairs.Count];
        for (int i = 0; i < pairs.Count; i++)
        {
            int low = 0, high = ends.Count;
            while (low < high)
            {
                int middle = (low + high) / 2;
                (low, high) = pairs[ends[middle]].After < pairs[i].After ? (middle + 1, high) : (low, middle);
            }
            previous[i] = low == 0 ? -1 : ends[low - 1];
            if (low == ends.Count)
            {
                ends.Add(i);
            }
            else
            {
                ends[low] = i;
            }
        }
        var longest = new List<(int, int)>();
        for (int i = ends.Count == 0 ? -1 : ends[^1]; i >= 0; i = previous[i])
        {
            longest.Add(pairs[i]);
        }
        longest.Reverse();
        return longest;
    }
}
