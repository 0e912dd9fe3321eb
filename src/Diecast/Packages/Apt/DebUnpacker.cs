using System.Security.Cryptography;
using System.Text;
using Diecast.Formats.Tar;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Packages.Apt;

/// <summary>
/// Puts the files of packages into a root by the rules of dpkg (tarobject in its archives.c): diversions, statoverrides,
/// configuration files beside their place, files taken over from other packages. A path may lead through links, but never
/// out of the root.
/// </summary>
internal sealed class DebUnpacker(StagedRoot root, InstalledFiles files, DpkgTriggers triggers, DpkgDatabase database, PathFilter filter)
{
    /// <summary>What a configuration file is called until its package is configured.</summary>
    public const string NewSuffix = ".dpkg-new";

    private const int MaximumLinks = 1 << 20;

    private readonly Dictionary<FileName, byte[]> _directories = [];
    private readonly List<(byte[] From, byte[] To)> _waiting = [];
    private DpkgOverrides _overrides = new(root);

    private sealed class Run(DebPackage package, bool isFirst)
    {
        public readonly DebPackage Package = package;

        /// <summary>Before any script has run: nothing can configure, and configuration files are needed in their place.</summary>
        public readonly bool IsFirst = isFirst;

        public readonly HashSet<FileName> Conffiles = [.. package.Conffiles.Where(static file => !file.RemoveOnUpgrade).Select(static file => new FileName(file.Path))];
        public readonly HashSet<FileName> Removed = [.. package.Conffiles.Where(static file => file.RemoveOnUpgrade).Select(static file => new FileName(file.Path))];
        public readonly Dictionary<FileName, byte[]> Places = [];
        public readonly Dictionary<string, string> ConffileDigests = new(StringComparer.Ordinal);
        public readonly List<byte> Digests = [];
        public readonly HashSet<DebPackage> Losers = [];
    }

    /// <summary>To be called when a program of the image has run, which can have changed anything.</summary>
    public void Refresh()
    {
        _directories.Clear();
        _overrides = new DpkgOverrides(root);
    }

    /// <summary>To be called when packages have been configured, which moves configuration files to their places.</summary>
    public void FollowConffiles()
    {
        foreach (var (from, to) in _waiting)
        {
            root.FollowRename(from, to);
        }
        _waiting.RemoveAll(file => !root.Exists(file.From));
    }

    /// <summary>What the overrides now in force are.</summary>
    public DpkgOverrides Overrides => _overrides;

    /// <summary>Extracts a package and enters it as unpacked.</summary>
    /// <param name="data">Its data archive.</param>
    /// <param name="isFirst">Before any program of the image can run.</param>
    /// <exception cref="InvalidDataException">It is damaged or malicious, or something of another kind is in its way.</exception>
    /// <exception cref="PackageException">It has a file of another package.</exception>
    public void Unpack(DebPackage package, Stream data, bool isFirst)
    {
        var run = new Run(package, isFirst);
        files.Begin(package);
        triggers.Activate(package);
        var reader = new TarReader(data);
        // As in dpkg, so that no file of the package comes through a link of its own.
        var links = new List<TarEntry>();
        while (reader.Next() is { } entry)
        {
            if (entry.Type != TarEntryType.Symlink)
            {
                Add(run, entry);
            }
            else if (links.Count < MaximumLinks)
            {
                links.Add(entry);
            }
            else
            {
                throw new InvalidDataException($"more than {MaximumLinks} symbolic links");
            }
        }
        links.ForEach(entry => Add(run, entry));
        triggers.AddInterests(package);
        database.WriteInfo(package, [.. run.Digests]);
        foreach (var loser in run.Losers)
        {
            database.WriteList(loser);
        }
        database.Set(package, PackageState.Unpacked, run.ConffileDigests);
        root.EndPackage();
    }

    /// <summary>Extracts once more those files of a package whose paths are in a set, where they now belong.</summary>
    public void Replace(DebPackage package, Stream data, IReadOnlySet<FileName> paths)
    {
        var run = new Run(package, isFirst: true);
        var reader = new TarReader(data);
        while (reader.Next() is { } entry)
        {
            var path = new FileName(TarPath.Normalize(entry.Path.AsSpan()));
            if (paths.Contains(path) && files.ListOf(package).Contains(path) && entry.Type != TarEntryType.Directory)
            {
                Put(run, entry, path, Resolve(_overrides.PlaceOf(path, package)), isConffile: false);
            }
            else
            {
                run.Places[path] = Resolve(_overrides.PlaceOf(path, package));
            }
        }
        root.EndPackage();
    }

    private void Add(Run run, TarEntry entry)
    {
        var path = new FileName(TarPath.Normalize(entry.Path.AsSpan()));
        if (path.Bytes.Contains((byte)'\n'))
        {
            throw new InvalidDataException($"/{path}: a line feed in a name, which dpkg's lists cannot hold");
        }
        if (run.Removed.Contains(path))
        {
            throw new InvalidDataException($"/{path} is in the package, whose conffiles say that it is to be removed");
        }
        bool isDirectory = entry.Type == TarEntryType.Directory;
        if (_overrides.IsDivertedTo(path))
        {
            throw new InvalidDataException($"/{path} is where the file of another package has been diverted to");
        }
        var place = _overrides.PlaceOf(path, run.Package);
        triggers.Touch(place, run.Package);
        byte[] target = Resolve(place);
        var existing = root.Status(target);
        bool isThere = IsDirectoryThere(entry, target, existing);
        if (!isThere && KeepsExisting(run, path, existing is null, isDirectory))
        {
            return;
        }
        files.Add(run.Package, path, isDirectory || isThere);
        run.Places[path] = target;
        if (isThere || filter.Excludes(path.Bytes, isDirectory || entry.Type == TarEntryType.Symlink))
        {
            return;
        }
        Put(run, entry, path, target, run.Conffiles.Contains(path));
    }

    private void Put(Run run, TarEntry entry, FileName path, byte[] target, bool isConffile)
    {
        // The user's own stays; dpkg settles it.
        bool isInPlace = !isConffile || (run.IsFirst && root.Status(target) is null);
        byte[] place = isInPlace ? target : AddWaiting(Follow(target));
        run.Places[path] = place;
        var metadata = _overrides.Apply(path, entry.Metadata, entry.UserName.AsSpan(), entry.GroupName.AsSpan());
        switch (entry.Type)
        {
            case TarEntryType.Directory:
                root.AddDirectory(place, metadata);
                break;
            case TarEntryType.File:
                PutFile(run, entry, path, place, metadata, isConffile && isInPlace);
                break;
            case TarEntryType.HardLink:
                var other = new FileName(TarPath.Normalize(entry.LinkTarget.AsSpan()));
                root.AddHardLink(place, run.Places.GetValueOrDefault(other) is { } source && root.Status(source) is { Type: not FileType.Directory } ? source
                    : throw new InvalidDataException($"/{path} is a hard link to what the package has not installed before"));
                break;
            case TarEntryType.Symlink:
                if (entry.LinkTarget.IsEmpty)
                {
                    throw new InvalidDataException($"/{path} is a symbolic link to nothing");
                }
                root.AddSymlink(place, metadata, entry.LinkTarget.AsSpan());
                _directories.Clear();
                break;
            case TarEntryType.CharacterDevice:
                root.AddSpecial(place, metadata, FileType.CharacterDevice, entry.Major, entry.Minor);
                break;
            case TarEntryType.BlockDevice:
                root.AddSpecial(place, metadata, FileType.BlockDevice, entry.Major, entry.Minor);
                break;
            default:
                root.AddSpecial(place, metadata, FileType.Fifo, 0, 0);
                break;
        }
    }

    private byte[] AddWaiting(byte[] target)
    {
        byte[] place = [.. target, .. Posix.Bytes(NewSuffix)];
        _waiting.Add((place, target));
        return place;
    }

    private void PutFile(Run run, TarEntry entry, FileName path, byte[] place, Metadata metadata, bool isConffileInPlace)
    {
        if (!isConffileInPlace && run.Package["md5sums"] is not null)
        {
            root.AddFile(place, metadata, entry.Content);
            return;
        }
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        root.AddFile(place, metadata, new HashedStream(entry.Content, hash));
        string digest = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (isConffileInPlace)
        {
            run.ConffileDigests[Encoding.Latin1.GetString(path.Bytes)] = digest;
        }
        run.Digests.AddRange([.. Encoding.ASCII.GetBytes(digest), .. "  "u8, .. path.Bytes, (byte)'\n']);
    }

    /// <summary>Whether a directory is there already, or a link that leads to where the one in the package would.</summary>
    private bool IsDirectoryThere(TarEntry entry, byte[] target, FileStatus? existing)
    {
        if (existing is null)
        {
            return false;
        }
        return entry.Type switch
        {
            TarEntryType.Directory => root.IsDirectory(target),
            TarEntryType.Symlink when existing.Value.Type == FileType.Directory => true,
            TarEntryType.Symlink => existing.Value.Type == FileType.Symlink && root.IsDirectory(target)
                && root.ResolveDirectory(target) is { } now && root.ResolveDirectory(LinkedFrom(target, entry.LinkTarget.AsSpan())) is { } then
                && now.AsSpan().SequenceEqual(then),
            _ => false,
        };
    }

    private static byte[] LinkedFrom(byte[] link, ReadOnlySpan<byte> target) =>
        target is [(byte)'/', ..] ? target.ToArray() : [.. link.AsSpan(0, link.LastIndexOf((byte)'/') + 1), .. target];

    /// <summary>Whether the file of another package stays, which may replace this one's; where it is this one's, it is taken over.</summary>
    private bool KeepsExisting(Run run, FileName path, bool isNothingThere, bool isDirectory)
    {
        if (files.OwnerOf(path) is not { } owner || owner == run.Package || (isNothingThere && isDirectory))
        {
            return false;
        }
        if (_overrides.DiversionOf(path) is { } diversion && (diversion.Package == owner.Name || diversion.Package == run.Package.Name))
        {
            return false;
        }
        if (run.Package.MayReplace(owner))
        {
            files.Take(owner, path);
            run.Losers.Add(owner);
            if (run.Conffiles.Contains(path))
            {
                database.MarkObsolete(owner, path);
            }
            return false;
        }
        if (!owner.MayReplace(run.Package))
        {
            throw InstalledFiles.Conflict(path, run.Package, owner);
        }
        if (run.Conffiles.Contains(path))
        {
            run.ConffileDigests[Encoding.Latin1.GetString(path.Bytes)] = DpkgStatus.Obsolete;
        }
        return true;
    }

    /// <summary>The path within the root with links in its directories followed.</summary>
    private byte[] Resolve(FileName path)
    {
        int slash = path.Bytes.LastIndexOf((byte)'/');
        if (slash < 0)
        {
            return path.Bytes.ToArray();
        }
        var parent = new FileName(path.Bytes[..slash]);
        if (!_directories.TryGetValue(parent, out byte[]? directory))
        {
            directory = root.Resolve(path.Bytes);
            directory = directory[..Math.Max(0, directory.LastIndexOf((byte)'/'))];
            _directories.Add(parent, directory);
        }
        return directory.Length == 0 ? path.Bytes[(slash + 1)..].ToArray() : [.. directory, .. path.Bytes[slash..]];
    }

    /// <summary>Where a configuration file is that has been made a link: dpkg replaces what it leads to.</summary>
    private byte[] Follow(byte[] path)
    {
        const int maximumLinks = 25;
        for (int links = 0; links < maximumLinks && root.Status(path)?.Type == FileType.Symlink; links++)
        {
            byte[] linked = LinkedFrom(path, root.ReadLink(path));
            int slash = linked.AsSpan().LastIndexOf((byte)'/');
            var name = new FileName(linked.AsSpan(slash + 1));
            if (!name.IsValid || root.ResolveDirectory(slash <= 0 ? "/"u8 : linked.AsSpan(0, slash)) is not { } directory)
            {
                return path;
            }
            path = [.. directory, (byte)'/', .. name.Bytes];
        }
        return path;
    }

    private sealed class HashedStream(Stream source, IncrementalHash hash) : ReadOnlyStream
    {
        public override int Read(Span<byte> buffer)
        {
            int count = source.Read(buffer);
            hash.AppendData(buffer[..count]);
            return count;
        }
    }
}
