namespace Diecast.Inspect.Differences;

/// <summary>A <see cref="Difference"/> that is still being found.</summary>
internal sealed class DifferenceBuilder(string kind, string name)
{
    private readonly List<FieldChange> _fields = [];
    private readonly List<Difference> _children = [];
    private readonly List<string> _notes = [];

    public string Kind { get; } = kind;

    public string Name { get; } = name;

    public Change Change { get; init; }

    /// <inheritdoc cref="Difference.Format"/>
    public string? Format { get; set; }

    public Cause? Cause { get; set; }

    /// <summary>The content was compared, so that what differs in its bytes has been told.</summary>
    public bool HasContent { get; set; }

    public IReadOnlyList<string> Lines { get; set; } = [];

    public long DifferingBytes { get; set; }

    /// <summary>Whether nothing was found that is worth a line.</summary>
    public bool IsEmpty => Change == Change.Changed && _fields.Count == 0 && _children.Count == 0 && _notes.Count == 0
        && Lines.Count == 0 && DifferingBytes == 0;

    public IReadOnlyList<FieldChange> Fields => _fields;

    /// <summary>Nothing but lengths was told of the content so far.</summary>
    public bool SaysNothing => _fields.All(static change => change.Name == "size") && _children.Count == 0 && _notes.Count == 0;

    public void Add(FieldChange change) => _fields.Add(change);

    /// <summary>Gives the fields that have no cause yet the one of what the content turned out to be.</summary>
    public void Explain(string format)
    {
        for (int i = 0; i < _fields.Count; i++)
        {
            _fields[i] = _fields[i] with { Cause = _fields[i].Cause ?? Causes.OfField(format, null, null, _fields[i].Name, _fields[i].Before, _fields[i].After) };
        }
    }

    public void Add(Difference? child)
    {
        if (child is not null)
        {
            _children.Add(child);
        }
    }

    public void Note(string note) => _notes.Add(note);

    public Difference Build() => new()
    {
        Kind = Kind,
        Name = Name,
        Format = Format,
        Change = Change,
        Cause = Cause,
        Fields = _fields,
        Children = _children,
        Notes = _notes,
        Lines = Lines,
        DifferingBytes = DifferingBytes,
    };
}

/// <summary>
/// Keeps the memory of a comparison bounded: so many differences are told one by one, the others are only counted.
/// </summary>
internal sealed class DetailBudget(int most)
{
    private int _left = most;

    /// <summary>How many were not told.</summary>
    public long Refused { get; private set; }

    public bool Take()
    {
        if (_left > 0)
        {
            _left--;
            return true;
        }
        Refused++;
        return false;
    }
}
