using CsCheck;
using Diecast.Inspect.Differences;

namespace Diecast.Tests.Inspect.Differences;

public sealed class SequenceDiffTests
{
    private static readonly Gen<int[]> s_sequences = Gen.Int[0, 5].Array[0, 40];

    [Fact]
    public void EditsMakeTheOneOfTheOtherAndAreAsFewAsCanBe() =>
        Gen.Select(s_sequences, s_sequences).Sample((before, after) =>
        {
            var edits = SequenceDiff.Compare(before, after);
            AssertEdits(before, after, edits);
            int kept = before.Length - edits.Sum(static edit => edit.BeforeCount);
            Assert.Equal(LongestCommon(before, after), kept);
        });

    [Fact]
    public void SequencesThatDifferInManyPlacesAreCutAtWhatBothHaveOnce()
    {
        // 20,000 lines of which each second one is another: more edits than the limit.
        int[] before = [.. Enumerable.Range(0, 20_000)];
        int[] after = [.. before.Select(static i => i % 2 == 0 ? i : i + 100_000)];
        var edits = SequenceDiff.Compare(before, after);
        AssertEdits(before, after, edits);
        Assert.Equal(10_000, edits.Count);
    }

    [Fact]
    public void SequencesWithoutAnythingInCommonAreReplacedInBoundedTime()
    {
        int[] before = [.. Enumerable.Range(0, 400_000).Select(static i => i % 7)];
        int[] after = [.. Enumerable.Range(0, 400_000).Select(static i => i * 31 % 1013 % 5 + 2)];
        AssertEdits(before, after, SequenceDiff.Compare(before, after));
    }

    private static void AssertEdits(int[] before, int[] after, List<Edit> edits)
    {
        var made = new List<int>();
        int position = 0;
        foreach (var edit in edits)
        {
            Assert.True(edit.BeforeCount + edit.AfterCount > 0);
            Assert.True(position == 0 || edit.Before > position, "two edits touch");
            made.AddRange(before[position..edit.Before]);
            Assert.Equal(edit.After, made.Count);
            made.AddRange(after[edit.After..(edit.After + edit.AfterCount)]);
            position = edit.Before + edit.BeforeCount;
        }
        made.AddRange(before[position..]);
        Assert.Equal(after, made);
    }

    private static int LongestCommon(int[] before, int[] after)
    {
        var lengths = new int[before.Length + 1, after.Length + 1];
        for (int i = 1; i <= before.Length; i++)
        {
            for (int j = 1; j <= after.Length; j++)
            {
                lengths[i, j] = before[i - 1] == after[j - 1] ? lengths[i - 1, j - 1] + 1 : Math.Max(lengths[i - 1, j], lengths[i, j - 1]);
            }
        }
        return lengths[before.Length, after.Length];
    }
}
