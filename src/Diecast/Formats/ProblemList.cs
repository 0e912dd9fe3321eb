namespace Diecast.Formats;

/// <summary>What a check found: the first fifty, and how many more there are.</summary>
internal sealed class ProblemList
{
    private const int Most = 50;

    private readonly List<string> _lines = [];
    private long _more;

    public void Add(string problem)
    {
        if (_lines.Count < Most)
        {
            _lines.Add(problem);
        }
        else
        {
            _more++;
        }
    }

    public void Require(bool condition, string problem)
    {
        if (!condition)
        {
            Add(problem);
        }
    }

    public IReadOnlyList<string> Lines => _more == 0 ? _lines : [.. _lines, $"and {_more} more"];
}
