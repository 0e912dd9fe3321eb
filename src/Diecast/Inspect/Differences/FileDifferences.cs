namespace Diecast.Inspect.Differences;

/// <summary>What differs in the files of one tree, by path: found in the trees, and in the bytes that belong to a file.</summary>
internal sealed class FileDifferences
{
    private readonly SortedDictionary<string, DifferenceBuilder> _files = new(StringComparer.Ordinal);

    /// <summary>
    /// Whether both trees have the same names, types, sizes, links and attributes, so that a writer that puts files in the same
    /// order puts them at the same places. To be asked before what differs in the bytes is added.
    /// </summary>
    public bool TakeSameSpace => _files.Values.All(static file => file.Change == Change.Changed && file.Fields.All(static change =>
        change.Name is not ("size" or "type" or "target") && !change.Name.StartsWith("xattr ", StringComparison.Ordinal)));

    public DifferenceBuilder? Find(string path) => _files.GetValueOrDefault(path);

    /// <summary>The entry for a file, made where there is none.</summary>
    public DifferenceBuilder Of(string path, string kind = "path")
    {
        if (!_files.TryGetValue(path, out var file))
        {
            _files.Add(path, file = new DifferenceBuilder(kind, path));
        }
        return file;
    }

    public void Add(string path, DifferenceBuilder file) => _files.Add(path, file);

    public void AddTo(DifferenceBuilder container)
    {
        foreach (var file in _files.Values.Where(static file => !file.IsEmpty))
        {
            container.Add(file.Build());
        }
    }
}
