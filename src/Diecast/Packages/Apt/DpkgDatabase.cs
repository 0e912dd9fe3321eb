using System.Text;
using Diecast.Trees;

namespace Diecast.Packages.Apt;

/// <summary>
/// dpkg's database in a root, in dpkg's own form, so that the image's dpkg goes on from there. What changes often is kept
/// here and written before a program of the image runs.
/// </summary>
internal sealed class DpkgDatabase(StagedRoot root, InstalledFiles files, DpkgTriggers triggers)
{
    public const string Path = "var/lib/dpkg";
    public const string StatusPath = Path + "/status";
    private const string Info = Path + "/info";
    private const string Incoming = Path + "/tmp.ci";

    private readonly SortedDictionary<string, byte[]> _new = new(StringComparer.Ordinal);
    private byte[] _status = [];
    private HashSet<string> _configured = new(StringComparer.Ordinal);
    private bool _changed = true;

    /// <summary>Where a package's control files are while its preinst runs.</summary>
    public static string PathOfIncoming(string file) => $"/{Incoming}/{file}";

    /// <summary>Makes the database of a root that has none.</summary>
    /// <exception cref="InvalidDataException">There is one.</exception>
    public void Create(string architecture)
    {
        if (root.Exists(Posix.Bytes(StatusPath)))
        {
            throw new InvalidDataException($"/{StatusPath} is there already: packages can be installed into an empty root only");
        }
        foreach (string directory in (string[])[Path, Info, Path + "/updates", Path + "/triggers", Path + "/alternatives", Path + "/parts"])
        {
            root.MakeDirectory(directory);
        }
        Write(Info + "/format", "1\n"u8.ToArray());
        Write(Path + "/arch", Encoding.ASCII.GetBytes(architecture + "\n"));
        Flush();
    }

    public bool IsConfigured(DebPackage package) => _configured.Contains(package.Name);

    /// <summary>Sets what a package's paragraph says.</summary>
    /// <inheritdoc cref="DpkgStatus.Format"/>
    public void Set(DebPackage package, PackageState state, IReadOnlyDictionary<string, string> digests)
    {
        _new[package.InfoName] = DpkgStatus.Format(package, state, digests);
        _changed = true;
    }

    /// <summary>Notes that a package's configuration file is another package's now.</summary>
    public void MarkObsolete(DebPackage package, FileName conffile)
    {
        byte[] line = [.. "\n /"u8, .. conffile.Bytes, (byte)' '];
        if (_new.TryGetValue(package.InfoName, out byte[]? paragraph))
        {
            _new[package.InfoName] = DpkgStatus.AppendToLine(paragraph, 0, line, " obsolete"u8);
        }
        else
        {
            byte[] start = Encoding.UTF8.GetBytes($"Package: {package.Name}\n");
            int at = _status.AsSpan().StartsWith(start) ? 0 : _status.AsSpan().IndexOf([.. "\n\n"u8, .. start]);
            _status = at < 0 ? _status : DpkgStatus.AppendToLine(_status, at, line, " obsolete"u8);
        }
        _changed = true;
    }

    /// <summary>Has a package's paragraph say, as long as its preinst runs, that it is being installed.</summary>
    /// <returns>What is to be done when that has ended.</returns>
    public Action BeginInstallation(DebPackage package)
    {
        _new.Remove(package.InfoName, out byte[]? before);
        Set(package, PackageState.HalfInstalled, new Dictionary<string, string>());
        return () =>
        {
            _new.Remove(package.InfoName);
            if (before is not null)
            {
                _new.Add(package.InfoName, before);
            }
            _changed = true;
        };
    }

    /// <summary>Writes a package's list of files and its control files.</summary>
    /// <param name="digests">MD5 sums of its files, for a package that brings none of its own.</param>
    public void WriteInfo(DebPackage package, byte[] digests)
    {
        WriteList(package);
        foreach (var file in package.InfoFiles)
        {
            root.AddFile(InfoPath(package, file.Name), OwnedByRoot(file.Metadata), file.Content);
        }
        if (package["md5sums"] is null)
        {
            Write($"{Info}/{package.InfoName}.md5sums", digests);
        }
    }

    public void WriteList(DebPackage package) => Write($"{Info}/{package.InfoName}.list", files.Format(package));

    /// <summary>Lays a package's control files out for its preinst, which may look for the others beside it.</summary>
    public void AddIncoming(DebPackage package)
    {
        root.AddDirectory(Posix.Bytes(Incoming), new Metadata(0x1ED, 0, 0, root.Epoch));
        foreach (var file in package.ControlFiles)
        {
            root.AddFile(Posix.Bytes($"{Incoming}/{file.Name}"), OwnedByRoot(file.Metadata), file.Content);
        }
    }

    public void RemoveIncoming() => root.Remove(Posix.Bytes(Incoming));

    /// <summary>Writes all that has changed; to be called before a program of the image runs.</summary>
    public void Flush()
    {
        triggers.Write(root, Write);
        if (_changed)
        {
            var text = new MemoryStream();
            text.Write(_status);
            foreach (byte[] paragraph in _new.Values)
            {
                text.Write(paragraph);
                text.WriteByte((byte)'\n');
            }
            Write(StatusPath, text.ToArray());
            _changed = false;
        }
        root.EndPackage();
    }

    /// <summary>Takes over what the image's dpkg has written.</summary>
    public void Reload()
    {
        _status = root.ReadFile(Posix.Bytes(StatusPath)) ?? throw new InvalidDataException($"/{StatusPath} is gone");
        if (_status is [.., not (byte)'\n'])
        {
            throw new InvalidDataException($"/{StatusPath} is cut off");
        }
        _new.Clear();
        _configured = DpkgStatus.Configured(_status);
    }

    private static byte[] InfoPath(DebPackage package, string file) => Posix.Bytes($"{Info}/{package.InfoName}.{file}");

    private static Metadata OwnedByRoot(Metadata metadata) => metadata with { Uid = 0, Gid = 0, Xattrs = [] };

    private void Write(string path, byte[] content) => root.AddFile(Posix.Bytes(path), new Metadata(0x1A4, 0, 0, root.Epoch), content);
}
