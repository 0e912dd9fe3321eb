namespace Diecast.Inspect.Differences;

/// <summary>A difference of contents for people.</summary>
/// <param name="Lines">
/// As in a unified diff: after ' ' what both have, after '-' and '+' what one has, after "@@" where the next lines are, after
/// '\' a remark on the line before. Control characters are escaped.
/// </param>
/// <param name="Omitted">How many more lines would start with '-' or '+'.</param>
public sealed record DiffLines(IReadOnlyList<string> Lines, long Omitted)
{
    /// <summary>Takes lines up to a number.</summary>
    internal sealed class Writer(int maximum)
    {
        private readonly List<string> _lines = [];
        private long _omitted;

        public bool IsFull => _lines.Count >= maximum;

        public void Add(string line)
        {
            if (!IsFull)
            {
                _lines.Add(line);
            }
            else if (line[0] is '-' or '+')
            {
                _omitted++;
            }
        }

        /// <summary>For lines that are not even made when there are enough.</summary>
        public void Omit(long count) => _omitted += count;

        public DiffLines Finish() => new(_lines, _omitted);
    }
}
