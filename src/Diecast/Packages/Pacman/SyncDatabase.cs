using System.Collections.Immutable;
using Diecast.Formats.Tar;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Packages.Pacman;

/// <summary>The packages of a repository: the content of its <c>name.db</c>.</summary>
public sealed class SyncDatabase
{
    // Arch's extra has 15,000 packages in 60 MB; the largest desc has 30 kB.
    private const int MaximumPackages = 500_000;
    private const int MaximumMember = 4 << 20;
    private const long MaximumSize = 1L << 30;

    private readonly Dictionary<string, SyncPackage> _byName;
    private readonly ILookup<string, SyncPackage> _byProvision;
    private readonly ILookup<string, SyncPackage> _byGroup;

    /// <exception cref="InvalidDataException">Two packages have the same name.</exception>
    public SyncDatabase(string repository, IEnumerable<SyncPackage> packages)
    {
        Repository = repository;
        // By code points, which for the characters of names is strcmp's order.
        Packages = [.. packages.OrderBy(static package => package.Name, StringComparer.Ordinal)];
        for (int i = 1; i < Packages.Length; i++)
        {
            if (Packages[i].Name == Packages[i - 1].Name)
            {
                throw new InvalidDataException($"{Packages[i].Name} stands in it twice");
            }
        }
        _byName = Packages.ToDictionary(static package => package.Name, StringComparer.Ordinal);
        _byProvision = Packages.SelectMany(static package => package.Provides
                .Select(static provision => provision.Name).Distinct(StringComparer.Ordinal), static (package, name) => (package, name))
            .ToLookup(static pair => pair.name, static pair => pair.package, StringComparer.Ordinal);
        _byGroup = Packages.SelectMany(static package => package.Groups.Distinct(StringComparer.Ordinal), static (package, group) => (package, group))
            .ToLookup(static pair => pair.group, static pair => pair.package, StringComparer.Ordinal);
    }

    public string Repository { get; }

    /// <summary>Sorted by name, which is the order in which pacman offers providers and the members of groups.</summary>
    public ImmutableArray<SyncPackage> Packages { get; }

    public SyncPackage? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Those with a provision of this name, whatever its version.</summary>
    public IEnumerable<SyncPackage> Providers(string name) => _byProvision[name];

    public IEnumerable<SyncPackage> Group(string name) => _byGroup[name];

    /// <summary>The newest build date of its packages in seconds since 1970: the time that a snapshot was taken, or a little before it.</summary>
    public long NewestBuildDate => Packages.Select(static package => package.BuildDate).DefaultIfEmpty().Max();

    /// <summary>Reads a database: a tar, compressed or not, of <c>name-version/desc</c> and, in old ones, <c>depends</c>.</summary>
    /// <exception cref="InvalidDataException">It is damaged; the message names the database and the member.</exception>
    public static SyncDatabase Read(string repository, Stream stream)
    {
        try
        {
            using var tar = Decompressor.Open(stream, MaximumSize);
            var files = ReadFiles(new TarReader(tar));
            return new SyncDatabase(repository, files.Select(pair => MakePackage(repository, pair.Key, pair.Value)));
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"database {repository}: {e.Message}", e);
        }
    }

    private static Dictionary<PackageIdentity, DescFile> ReadFiles(TarReader reader)
    {
        var files = new Dictionary<PackageIdentity, DescFile>();
        while (reader.Next() is { } entry)
        {
            if (entry.Type != TarEntryType.Directory)
            {
                AddMember(files, entry);
            }
        }
        return files;
    }

    private static void AddMember(Dictionary<PackageIdentity, DescFile> files, TarEntry entry)
    {
        string path = FileName.Display(TarPath.Normalize(entry.Path.AsSpan()));
        string[] parts = path.Split('/');
        if (parts is not [var directory, "desc" or "depends"])
        {
            return;
        }
        var identity = PackageIdentity.TryParse(directory)
            ?? throw new InvalidDataException($"member {path}: {directory} is no name-version-release");
        if (!files.TryGetValue(identity, out var file))
        {
            if (files.Count == MaximumPackages)
            {
                throw new InvalidDataException($"it has more than {MaximumPackages} packages");
            }
            files.Add(identity, file = new DescFile($"member {directory}"));
        }
        if (entry.Type != TarEntryType.File || entry.Length > MaximumMember)
        {
            throw new InvalidDataException($"member {path} is no file of at most {MaximumMember} bytes");
        }
        var content = new byte[entry.Length];
        entry.Content.ReadExactly(content);
        file.Add(content);
    }

    private static SyncPackage MakePackage(string repository, PackageIdentity identity, DescFile file)
    {
        if (file.Required("%NAME%") != identity.Name || file.Required("%VERSION%") != identity.Version)
        {
            throw file.Error($"is of {file.Required("%NAME%")}-{file.Required("%VERSION%")}");
        }
        return new SyncPackage
        {
            Repository = repository,
            Name = identity.Name,
            Version = identity.Version,
            FileName = CheckFileName(file, file.Required("%FILENAME%")),
            CompressedSize = file.Number("%CSIZE%"),
            Sha256 = CheckSha256(file, file.First("%SHA256SUM%")),
            Signature = file.First("%PGPSIG%"),
            InstalledSize = file.Number("%ISIZE%"),
            BuildDate = file.Number("%BUILDDATE%"),
            Base = file.First("%BASE%"),
            Description = file.First("%DESC%"),
            Url = file.First("%URL%"),
            Architecture = file.First("%ARCH%"),
            Packager = file.First("%PACKAGER%"),
            Groups = [.. file.All("%GROUPS%")],
            Licenses = [.. file.All("%LICENSE%")],
            Depends = Dependencies(file, "%DEPENDS%"),
            OptionalDepends = Dependencies(file, "%OPTDEPENDS%"),
            Conflicts = Dependencies(file, "%CONFLICTS%"),
            Provides = Dependencies(file, "%PROVIDES%"),
            Replaces = Dependencies(file, "%REPLACES%"),
        };
    }

    private static ImmutableArray<Dependency> Dependencies(DescFile file, string key) =>
        [.. file.All(key).Select(Dependency.Parse)];

    private static string CheckFileName(DescFile file, string name) =>
        new FileName(name).IsValid && name[0] != '.' && !name.Any(char.IsControl)
            ? name
            : throw file.Error($"%FILENAME% is no file name: {FileName.Display(new FileName(name).Bytes)}");

    private static string? CheckSha256(DescFile file, string? digest) =>
        digest is null || (digest.Length == 64 && digest.All(char.IsAsciiHexDigitLower))
            ? digest
            : throw file.Error($"%SHA256SUM% is no SHA-256: {FileName.Display(new FileName(digest).Bytes)}");
}
