namespace Diecast.Packages.Pacman;

/// <summary>A growing list of packages, searched by what they satisfy; answers come in the order of the list.</summary>
internal sealed class PackageIndex
{
    private readonly Dictionary<string, List<(int Position, SyncPackage Package)>> _byName = new(StringComparer.Ordinal);
    private int _count;

    public PackageIndex(IEnumerable<SyncPackage> packages)
    {
        foreach (var package in packages)
        {
            Add(package);
        }
    }

    public void Add(SyncPackage package)
    {
        int position = _count++;
        foreach (string name in package.Provides.Select(static provision => provision.Name).Append(package.Name).Distinct(StringComparer.Ordinal))
        {
            if (!_byName.TryGetValue(name, out var list))
            {
                _byName.Add(name, list = []);
            }
            list.Add((position, package));
        }
    }

    /// <summary>With their positions in the list, ascending.</summary>
    public IEnumerable<(int Position, SyncPackage Package)> Find(Dependency dependency) =>
        (_byName.GetValueOrDefault(dependency.Name) ?? []).Where(item => item.Package.Satisfies(dependency));

    public IEnumerable<SyncPackage> Satisfiers(Dependency dependency) => Find(dependency).Select(static item => item.Package);

    public SyncPackage? FirstSatisfier(Dependency dependency) => Satisfiers(dependency).FirstOrDefault();
}
