using System.Collections.Immutable;
using Diecast.Formats.Tar;
using Diecast.Trees;

namespace Diecast.Packages.Pacman;

/// <summary>A package file that is to be installed.</summary>
/// <param name="Open">Opens the file, whose digest or signature has been checked; it is called twice.</param>
public sealed record PackageToInstall(PackageIdentity Identity, InstallReason Reason, PackageValidation Validation, Func<Stream> Open);

/// <summary>
/// Installs packages into a staged root as pacman commits a transaction (add.c and hook.c in libalpm): hooks, then each
/// package between its scripts with its entry in the local database, then ldconfig and hooks again.
/// </summary>
/// <param name="report">Gets a line for each step, and each warning.</param>
public sealed class PacmanInstaller(StagedRoot root, ScriptRunner run, PacmanInstaller.Options options, Action<string> report)
{
    private readonly PacmanScripts _scripts = new(root, run, options.HookDirectories, report);

    // What is in the root already, for the hooks that depend on something.
    private readonly List<PackageInfo> _installed = [];

    public sealed record Options
    {
        /// <summary>Stands in the local database, in seconds since 1970.</summary>
        public required long InstallDate { get; init; }

        /// <summary>Those that packages may have, besides "any"; null for all.</summary>
        public IReadOnlyCollection<string>? Architectures { get; init; }

        /// <summary>Patterns of paths that are not extracted.</summary>
        public IReadOnlyList<byte[]> NoExtract { get; init; } = [];

        /// <summary>Patterns of paths that, where they exist, are extracted beside.</summary>
        public IReadOnlyList<byte[]> NoUpgrade { get; init; } = [];

        /// <summary>In the root, besides the system's, each with more precedence than those before it.</summary>
        public ImmutableArray<string> HookDirectories { get; init; } = [PacmanConfiguration.DefaultHookDirectory];
    }

    private sealed record Prepared(PackageToInstall Package, PackageInfo Info, IReadOnlyList<PackagePath> Paths)
    {
        public List<byte[]> Listed { get; } = [.. Paths.Select(static path => path.IsDirectory ? [.. path.Path, (byte)'/'] : path.Path)];
    }

    /// <summary>Installs packages in their order, in one transaction. A script or a late hook that fails is a warning, as in pacman.</summary>
    /// <exception cref="PackageException">Files are in conflict, or an early hook ends the transaction.</exception>
    /// <exception cref="InvalidDataException">A package or a hook is damaged; the message names it.</exception>
    public void Install(IReadOnlyList<PackageToInstall> packages)
    {
        if (packages.Count == 0)
        {
            return;
        }
        MakeDatabase();
        var prepared = packages.Select(Prepare).ToList();
        CheckConflicts(prepared);
        var transaction = new HookTransaction(
            [.. prepared.Select(static package => new HookPackage(package.Info.Identity.Name, package.Listed))], []) { NoExtract = options.NoExtract };
        _scripts.RunHooks(HookTime.PreTransaction, transaction, _installed);
        foreach (var package in prepared)
        {
            try
            {
                Commit(package);
            }
            catch (InvalidDataException e)
            {
                throw PackageArchive.Named(package.Info.Identity, e);
            }
        }
        _scripts.RunLdconfig();
        _scripts.RunHooks(HookTime.PostTransaction, transaction, _installed);
    }

    private void MakeDatabase()
    {
        root.MakeDirectory("/var/lib/pacman");
        root.MakeDirectory("/" + LocalDatabase.Path);
        string version = $"{LocalDatabase.Path}/{LocalDatabase.VersionFile}";
        if (!root.Exists(Posix.Bytes(version)))
        {
            AddOwn(version, LocalDatabase.VersionContent);
            root.EndPackage();
        }
    }

    private Prepared Prepare(PackageToInstall package)
    {
        using var archive = PackageArchive.Open(package.Open(), package.Identity, options.Architectures);
        return new Prepared(package, archive.Info, archive.ReadPaths());
    }

    private void CheckConflicts(List<Prepared> packages)
    {
        var conflicts = FileConflicts.Check(packages.Select(static package => (package.Info.Identity.Name, package.Paths))).ToList();
        foreach (var package in packages)
        {
            var backup = package.Info.Backup.ToHashSet(ByteString.Comparer);
            foreach (var path in package.Paths)
            {
                if (root.Status(path.Path) is { } existing && !(path.IsDirectory && existing.Type == FileType.Directory) && !backup.Contains(path.Path))
                {
                    conflicts.Add($"/{FileName.Display(path.Path)} of {package.Info.Identity.Name} is in the root already");
                }
            }
        }
        if (conflicts.Count > 0)
        {
            throw new PackageException(conflicts);
        }
    }

    private void Commit(Prepared package)
    {
        var identity = package.Info.Identity;
        report($"installing {identity}");
        using var archive = PackageArchive.Open(package.Package.Open(), identity, options.Architectures);
        _scripts.RunFunction(identity, archive.InstallScript, "pre_install");
        string directory = $"{LocalDatabase.Path}/{identity}";
        if (root.Exists(Posix.Bytes(directory)))
        {
            throw new InvalidDataException("is installed already");
        }
        root.AddDirectory(Posix.Bytes(directory), OwnMetadata(0x1ED));
        foreach (var (name, file) in archive.DotFiles.OrderBy(static file => file.Key, StringComparer.Ordinal))
        {
            if (LocalDatabase.NameOf(Posix.Bytes(name)) is { } kept)
            {
                root.AddFile(Posix.Bytes($"{directory}/{kept}"), file.Metadata with { Mode = 0x1A4 }, file.Content);
            }
        }
        var backup = Extract(archive, package);
        AddOwn($"{directory}/desc", LocalDatabase.Desc(package.Info, package.Package.Reason, package.Package.Validation, options.InstallDate));
        AddOwn($"{directory}/files", LocalDatabase.Files(package.Listed, backup));
        root.EndPackage();
        _installed.Add(package.Info);
        _scripts.RunFunction(identity, archive.InstallScript, "post_install");
    }

    private List<(byte[] Path, byte[]? Md5)> Extract(PackageArchive archive, Prepared package)
    {
        var listed = package.Paths.Select(static path => path.Path).ToHashSet(ByteString.Comparer);
        var digests = package.Info.Backup.Distinct(ByteString.Comparer).ToDictionary(static path => path, static _ => (byte[]?)null, ByteString.Comparer);
        var extracted = new HashSet<byte[]>(ByteString.Comparer);
        while (archive.Next() is { } entry)
        {
            byte[] path = TarPath.Normalize(entry.Path.AsSpan());
            if (!listed.Contains(path))
            {
                throw new InvalidDataException($"/{FileName.Display(path)} is not in .MTREE");
            }
            if (AlpmGlob.MatchesLast(options.NoExtract, entry.Type == TarEntryType.Directory ? [.. path, (byte)'/'] : path))
            {
                continue;
            }
            if (entry.Type == TarEntryType.HardLink && !extracted.Contains(TarPath.Normalize(entry.LinkTarget.AsSpan())))
            {
                throw new InvalidDataException($"/{FileName.Display(path)} is a hard link to what the package has not installed before");
            }
            extracted.Add(path);
            bool isBackup = digests.ContainsKey(path);
            byte[] place = AddEntry(entry, path, isBackup);
            if (isBackup && root.ReadFile(place) is { } content)
            {
                using var stream = new MemoryStream(content, writable: false);
                digests[path] = LocalDatabase.BackupDigest(stream);
                SettleBackup(path, place, entry.Metadata, content);
            }
        }
        return [.. package.Info.Backup.Select(path => (path, digests[path]))];
    }

    /// <summary>Adds an entry where it belongs, or beside a file that must not be lost; returns where.</summary>
    private byte[] AddEntry(TarEntry entry, byte[] path, bool isBackup)
    {
        byte[] place = path;
        if (entry.Type != TarEntryType.Directory && root.Exists(path) && (isBackup || AlpmGlob.MatchesLast(options.NoUpgrade, path)))
        {
            place = [.. path, .. ".pacnew"u8];
            if (!isBackup || AlpmGlob.MatchesLast(options.NoUpgrade, path))
            {
                report($"warning: /{FileName.Display(path)} is installed as /{FileName.Display(place)}");
            }
        }
        switch (entry.Type)
        {
            case TarEntryType.Directory:
                root.AddDirectory(path, entry.Metadata);
                break;
            case TarEntryType.File:
                root.AddFile(place, entry.Metadata, entry.Content);
                break;
            case TarEntryType.HardLink:
                root.AddHardLink(place, TarPath.Normalize(entry.LinkTarget.AsSpan()));
                break;
            case TarEntryType.Symlink:
                root.AddSymlink(place, entry.Metadata, entry.LinkTarget.AsSpan());
                break;
            case TarEntryType.CharacterDevice:
                root.AddSpecial(place, entry.Metadata, FileType.CharacterDevice, entry.Major, entry.Minor);
                break;
            case TarEntryType.BlockDevice:
                root.AddSpecial(place, entry.Metadata, FileType.BlockDevice, entry.Major, entry.Minor);
                break;
            default:
                root.AddSpecial(place, entry.Metadata, FileType.Fifo, 0, 0);
                break;
        }
        return place;
    }

    /// <summary>A configuration file that was there and is the same gives way to the package's; another one stays, with the package's beside it.</summary>
    private void SettleBackup(byte[] path, byte[] place, Metadata metadata, byte[] content)
    {
        if (place.AsSpan().SequenceEqual(path) || AlpmGlob.MatchesLast(options.NoUpgrade, path))
        {
            return;
        }
        if (root.ReadFile(path) is { } existing && existing.AsSpan().SequenceEqual(content))
        {
            root.Remove(place);
            root.AddFile(path, metadata, content);
        }
        else
        {
            report($"warning: /{FileName.Display(path)} is installed as /{FileName.Display(place)}");
        }
    }

    private void AddOwn(string path, ReadOnlySpan<byte> content) => root.AddFile(Posix.Bytes(path), OwnMetadata(0x1A4), content);

    private Metadata OwnMetadata(ushort mode) => new(mode, 0, 0, root.Epoch);
}
