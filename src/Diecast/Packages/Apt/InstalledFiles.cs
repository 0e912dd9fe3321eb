using Diecast.Trees;

namespace Diecast.Packages.Apt;

/// <summary>Which package a path belongs to: what dpkg has in its lists. Directories may belong to many.</summary>
internal sealed class InstalledFiles
{
    private readonly Dictionary<FileName, DebPackage> _owners = [];
    private readonly Dictionary<DebPackage, List<FileName>> _lists = [];

    /// <summary>The package with a file, link or the like of that name.</summary>
    public DebPackage? OwnerOf(FileName path) => _owners.GetValueOrDefault(path);

    /// <summary>The paths of a package in the order of its archive.</summary>
    public IReadOnlyList<FileName> ListOf(DebPackage package) => _lists[package];

    public void Begin(DebPackage package) => _lists.Add(package, []);

    public void Add(DebPackage package, FileName path, bool isDirectory)
    {
        _lists[package].Add(path);
        if (!isDirectory)
        {
            _owners[path] = package;
        }
    }

    /// <summary>Takes a path from a package that has it no longer.</summary>
    public void Take(DebPackage package, FileName path) => _lists[package].Remove(path);

    /// <summary>In dpkg's form: <c>info/*.list</c>.</summary>
    public byte[] Format(DebPackage package)
    {
        var text = new MemoryStream();
        foreach (var path in _lists[package])
        {
            text.WriteByte((byte)'/');
            text.Write(path.Length == 0 ? "."u8 : path.Bytes);
            text.WriteByte((byte)'\n');
        }
        return text.ToArray();
    }

    /// <summary>What is wrong where two packages have a file and neither may replace the other's.</summary>
    public static PackageException Conflict(FileName path, DebPackage package, DebPackage owner) =>
        new([$"/{path} is in both {owner} and {package}, and neither replaces the other"]);
}
