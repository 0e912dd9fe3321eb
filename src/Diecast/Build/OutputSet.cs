using Diecast.Trees;

namespace Diecast.Build;

/// <summary>
/// The files of one build, written into a hidden directory beside their final place and moved there together at the
/// end, so that a build that fails or is interrupted leaves what was there before.
/// </summary>
public sealed class OutputSet : IDisposable
{
    private readonly string _directory;
    private readonly string _staging;
    private readonly FileStream _lock;
    private readonly SortedSet<string> _names = new(StringComparer.Ordinal);

    /// <param name="directory">Where the outputs go; it is made where it does not exist.</param>
    /// <param name="name">Of the main output: two builds of the same one refuse each other.</param>
    /// <exception cref="IOException">The directory cannot be written, or another build is writing this output.</exception>
    public OutputSet(string directory, string name)
    {
        _directory = directory;
        Directory.CreateDirectory(directory);
        _staging = Path.Join(directory, $".{name}.diecast");
        Directory.CreateDirectory(_staging);
        try
        {
            _lock = new FileStream(Path.Join(_staging, "lock"), FileMode.OpenOrCreate, FileAccess.Write, FileShare.None);
        }
        catch (IOException e) when (e is not (FileNotFoundException or DirectoryNotFoundException))
        {
            throw new IOException($"{Path.Join(directory, name)}: another build is writing it", e);
        }
        foreach (var left in HostTree.Names(Posix.Bytes(_staging)).Where(static left => left != new FileName("lock")))
        {
            Delete(_staging, left.ToString());
        }
    }

    /// <summary>The names so far, in byte order of ASCII.</summary>
    public IReadOnlyCollection<string> Names => _names;

    /// <summary>The place to write an output of that name to.</summary>
    public string Add(string name)
    {
        _names.Add(name);
        return Path.Join(_staging, name);
    }

    /// <summary>Makes a directory on the outputs' file system that is not one of them, and is gone at the end.</summary>
    public string MakeScratch(string name) => Directory.CreateDirectory(Path.Join(_staging, name)).FullName;

    /// <summary>Where an output that has been added is now.</summary>
    public string PathOf(string name) => Path.Join(_staging, name);

    /// <summary>Moves everything to its place; of <paramref name="known"/> names what this build did not make is removed.</summary>
    public void Commit(IEnumerable<string> known)
    {
        foreach (string stale in known.Where(name => !_names.Contains(name)))
        {
            Delete(_directory, stale);
        }
        foreach (string name in _names)
        {
            // A rename replaces a file at once, but never a directory, nor a link by a directory.
            if (Directory.Exists(Path.Join(_staging, name)) || Directory.Exists(Path.Join(_directory, name)))
            {
                Delete(_directory, name);
            }
            Posix.RenameAt(Posix.AT_FDCWD, Posix.Bytes(Path.Join(_staging, name)), Posix.AT_FDCWD, Posix.Bytes(Path.Join(_directory, name)));
        }
    }

    public void Dispose()
    {
        Delete(_directory, Path.GetFileName(_staging));
        _lock.Dispose();
    }

    private static void Delete(string directory, string name)
    {
        byte[] path = Posix.Bytes(Path.Join(directory, name));
        if (Posix.TryStat(Posix.AT_FDCWD, path) is not null)
        {
            HostTree.Delete(Posix.AT_FDCWD, path);
        }
    }
}
