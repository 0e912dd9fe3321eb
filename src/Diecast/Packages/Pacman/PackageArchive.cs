using Diecast.Formats.Tar;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Packages.Pacman;

/// <summary>A file of a package's own, such as <c>.MTREE</c>.</summary>
public sealed record PackageDotFile(Metadata Metadata, byte[] Content);

/// <summary>
/// A package file, <c>name-version-arch.pkg.tar.*</c>: first its own files, whose names begin with a dot, then what it
/// installs. Read once, from front to back.
/// </summary>
public sealed class PackageArchive : IDisposable
{
    // The largest that Arch has, a .MTREE of kernel sources, has 5 MB.
    private const int MaximumDotFile = 64 << 20;

    private readonly Stream _source;
    private readonly Stream _tar;
    private readonly TarReader _reader;
    private readonly Dictionary<string, PackageDotFile> _dotFiles = new(StringComparer.Ordinal);
    private readonly PackageIdentity _expected;
    private TarEntry? _first;

    private PackageArchive(Stream source, PackageIdentity expected)
    {
        _source = source;
        _tar = Decompressor.Open(source);
        _reader = new TarReader(_tar);
        _expected = expected;
    }

    public PackageInfo Info { get; private set; } = null!;

    /// <summary>The package's own files by their names in the archive.</summary>
    public IReadOnlyDictionary<string, PackageDotFile> DotFiles => _dotFiles;

    /// <summary>The script with the functions that are called around the installation, or null.</summary>
    public byte[]? InstallScript => DotFiles.GetValueOrDefault(".INSTALL")?.Content;

    /// <summary>Reads up to the first entry that is installed.</summary>
    /// <param name="stream">The package file, which is closed with the archive.</param>
    /// <param name="architectures">Those that the package may have, besides "any"; null for all.</param>
    /// <exception cref="InvalidDataException">
    /// The file is damaged or another package than is expected; the message names the expected one.
    /// </exception>
    public static PackageArchive Open(Stream stream, PackageIdentity expected, IReadOnlyCollection<string>? architectures = null)
    {
        var archive = new PackageArchive(stream, expected);
        try
        {
            archive.ReadDotFiles();
            archive.Check(architectures);
            return archive;
        }
        catch (InvalidDataException e)
        {
            archive.Dispose();
            throw Named(expected, e);
        }
    }

    /// <summary>The next entry that is installed, or null at the end; its content is readable until the one after it is asked for.</summary>
    /// <exception cref="InvalidDataException">The file is damaged; the message names the package.</exception>
    public TarEntry? Next()
    {
        try
        {
            var entry = _first ?? _reader.Next();
            _first = null;
            if (entry is not null && entry.Path is [(byte)'.', ..])
            {
                throw new InvalidDataException($"{entry}: begins with a dot but stands behind what is installed");
            }
            return entry;
        }
        catch (InvalidDataException e)
        {
            throw Named(_expected, e);
        }
    }

    /// <summary>
    /// All that the package installs: from its <c>.MTREE</c>, else from the archive, of which nothing is left to read then.
    /// </summary>
    /// <exception cref="InvalidDataException">Either is damaged; the message names the package.</exception>
    public IReadOnlyList<PackagePath> ReadPaths()
    {
        try
        {
            if (DotFiles.GetValueOrDefault(".MTREE") is { } manifest)
            {
                return PackageManifest.Read(manifest.Content);
            }
            var paths = new List<PackagePath>();
            while (Next() is { } entry)
            {
                paths.Add(new PackagePath(TarPath.Normalize(entry.Path.AsSpan()), entry.Type == TarEntryType.Directory,
                    entry.Type == TarEntryType.Symlink ? [.. entry.LinkTarget] : null));
            }
            return paths;
        }
        catch (InvalidDataException e)
        {
            throw Named(_expected, e);
        }
    }

    public void Dispose()
    {
        _tar.Dispose();
        _source.Dispose();
    }

    internal static InvalidDataException Named(PackageIdentity package, InvalidDataException e) =>
        e.Message.StartsWith($"package {package}: ", StringComparison.Ordinal) ? e : new InvalidDataException($"package {package}: {e.Message}", e);

    private void ReadDotFiles()
    {
        while ((_first = _reader.Next()) is { Path: [(byte)'.', ..] } entry)
        {
            if (entry.Type == TarEntryType.Directory)
            {
                // The root itself, which a hand-made package may list: pacman passes it over too.
                continue;
            }
            string name = FileName.Display(entry.Path.AsSpan());
            if (entry.Type == TarEntryType.Directory && name is ("." or "./"))
            {
                // The root itself, which some archivers list; pacman passes over it too.
                continue;
            }
            if (entry.Type != TarEntryType.File || entry.Length > MaximumDotFile || name.Contains('/', StringComparison.Ordinal))
            {
                throw new InvalidDataException($"{name} is no file of at most {MaximumDotFile} bytes");
            }
            var content = new byte[entry.Length];
            entry.Content.ReadExactly(content);
            if (!_dotFiles.TryAdd(name, new PackageDotFile(entry.Metadata, content)))
            {
                throw new InvalidDataException($"{name} stands in it twice");
            }
        }
    }

    private void Check(IReadOnlyCollection<string>? architectures)
    {
        if (!_dotFiles.TryGetValue(".PKGINFO", out var file))
        {
            throw new InvalidDataException("has no .PKGINFO before what is installed");
        }
        Info = PackageInfo.Parse(file.Content);
        if (Info.Identity != _expected)
        {
            throw new InvalidDataException($".PKGINFO is of {Info.Identity}");
        }
        if (architectures is not null && Info.Architecture != "any" && !architectures.Contains(Info.Architecture))
        {
            throw new InvalidDataException($"is for \"{FileName.Display(Info.Last("arch"))}\", not for {string.Join(' ', architectures)}");
        }
    }
}
