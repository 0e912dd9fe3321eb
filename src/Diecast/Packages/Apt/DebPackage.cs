using System.Buffers;
using System.Collections.Immutable;
using Diecast.Formats.Tar;
using Diecast.Trees;

namespace Diecast.Packages.Apt;

/// <summary>A package file that is to be installed.</summary>
/// <param name="Name">The package's.</param>
/// <param name="Version">In full, with epoch.</param>
/// <param name="IsAutomatic">It came along as a dependency: apt will offer to remove it when nothing needs it any more.</param>
/// <param name="Open">Opens the file, whose digest has been checked; it is called more than once, on several threads.</param>
public sealed record DebToInstall(string Name, string Version, bool IsAutomatic, Func<Stream> Open)
{
    /// <summary>Opens what it installs, as <see cref="DebArchive.OpenData"/> does, where that is at hand decompressed; else null.</summary>
    public Func<Stream>? Data { get; init; }

    /// <summary>Opens what it installs as an uncompressed tar archive.</summary>
    /// <inheritdoc cref="DebArchive.OpenData" path="/exception"/>
    public Stream OpenData() => Data?.Invoke() ?? DebArchive.OpenData(Open());
}

/// <summary>What the control archive of a package says.</summary>
internal sealed class DebPackage
{
    private static readonly SearchValues<char> s_nameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789+-.");

    private readonly Dictionary<string, DebControlFile> _files;

    private DebPackage(DebToInstall source, IReadOnlyList<DebControlFile> files, string architecture)
    {
        Source = source;
        _files = files.ToDictionary(static file => file.Name, StringComparer.Ordinal);
        Control = ControlFile.ParseSingle(_files.GetValueOrDefault("control")?.Content ?? throw new InvalidDataException("has no control file"), "control");
        Name = Control.Required("Package");
        Version = Control.Required("Version");
        Architecture = Control.Required("Architecture");
        IsMultiArchSame = Control["Multi-Arch"] == "same";
        IsEssential = IsYes("Essential");
        Depends = Relations("Depends", architecture);
        PreDepends = Relations("Pre-Depends", architecture);
        Provides = Relations("Provides", architecture);
        Replaces = Relations("Replaces", architecture);
        Conffiles = ReadConffiles();
        Triggers = TriggerDirective.Parse(this["triggers"]?.Content ?? []);
    }

    public DebToInstall Source { get; }

    public ControlParagraph Control { get; }

    public string Name { get; }

    public string Version { get; }

    public string Architecture { get; }

    public bool IsEssential { get; }

    public bool IsMultiArchSame { get; }

    public ImmutableArray<ImmutableArray<PackageRelation>> Depends { get; }

    public ImmutableArray<ImmutableArray<PackageRelation>> PreDepends { get; }

    public ImmutableArray<ImmutableArray<PackageRelation>> Provides { get; }

    public ImmutableArray<ImmutableArray<PackageRelation>> Replaces { get; }

    public IReadOnlyList<Conffile> Conffiles { get; }

    public IReadOnlyList<TriggerDirective> Triggers { get; }

    /// <summary>How dpkg's database names it: <c>libc6:amd64</c> where it can be there for several architectures.</summary>
    public string InfoName => IsMultiArchSame ? $"{Name}:{Architecture}" : Name;

    /// <summary>The control files that the database keeps, in the order of their names.</summary>
    public IEnumerable<DebControlFile> InfoFiles => _files.Values.Where(static file =>
        file.Name is not ("control" or "list") && !file.Name.Contains('.', StringComparison.Ordinal)).OrderBy(static file => file.Name, StringComparer.Ordinal);

    /// <summary>All control files in the order of their names.</summary>
    public IEnumerable<DebControlFile> ControlFiles => _files.Values.OrderBy(static file => file.Name, StringComparer.Ordinal);

    /// <summary>A control file, or null.</summary>
    public DebControlFile? this[string name] => _files.GetValueOrDefault(name);

    /// <summary>A configuration file of the package.</summary>
    /// <param name="Path">Without a leading slash.</param>
    /// <param name="RemoveOnUpgrade">It is not in the package any more.</param>
    public sealed record Conffile(byte[] Path, bool RemoveOnUpgrade);

    /// <summary>Reads a package's control archive.</summary>
    /// <param name="architecture">Debian's name of the image's.</param>
    /// <exception cref="InvalidDataException">It is damaged, or another package than is expected; the message names the expected one.</exception>
    public static DebPackage Read(DebToInstall source, string architecture)
    {
        try
        {
            using var stream = source.Open();
            var package = new DebPackage(source, DebArchive.ReadControl(stream), architecture);
            package.Check(architecture);
            return package;
        }
        catch (InvalidDataException e)
        {
            throw Named(source, e);
        }
    }

    public static InvalidDataException Named(DebToInstall package, InvalidDataException e) =>
        e.Message.StartsWith($"package {package.Name} ", StringComparison.Ordinal) ? e : new InvalidDataException($"package {package.Name} {package.Version}: {e.Message}", e);

    /// <summary>Whether this one may take over files of another.</summary>
    public bool MayReplace(DebPackage other) => Replaces.Any(group => group.Any(relation => other.Satisfies(relation, virtually: false)));

    /// <param name="virtually">Also by what it provides.</param>
    public bool Satisfies(PackageRelation relation, bool virtually)
    {
        if (NameOf(relation) == Name)
        {
            return relation.Accepts(Version);
        }
        return virtually && Provides.Any(group => group.Any(provided => provided.Name == NameOf(relation) && relation.Accepts(provided.Version)));
    }

    public override string ToString() => $"{Name} {Version}";

    /// <summary>Whom a relation means: libfoo:any is libfoo where there is one architecture.</summary>
    public static string NameOf(PackageRelation relation)
    {
        int colon = relation.Name.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? relation.Name : relation.Name[..colon];
    }

    private bool IsYes(string field) => string.Equals(Control[field], "yes", StringComparison.OrdinalIgnoreCase);

    private ImmutableArray<ImmutableArray<PackageRelation>> Relations(string field, string architecture)
    {
        try
        {
            return PackageRelation.ParseField(Control.BytesOf(field).Span, architecture);
        }
        catch (InvalidDataException e)
        {
            throw Control.Error(field, e.Message);
        }
    }

    private void Check(string architecture)
    {
        // The names become names of files.
        if (Name.Length is < 1 or > 200 || Name.AsSpan().ContainsAnyExcept(s_nameCharacters) || !char.IsAsciiLetterOrDigit(Name[0]))
        {
            throw new InvalidDataException($"{FileName.Display(Posix.Bytes(Name))} is no name of a package");
        }
        if (Name != Source.Name || Version != Source.Version)
        {
            throw new InvalidDataException($"the file is of {Name} {Version}");
        }
        if (Architecture != "all" && Architecture != architecture)
        {
            throw new InvalidDataException($"is for \"{Architecture}\", not for {architecture}");
        }
    }

    private List<Conffile> ReadConffiles()
    {
        const string flag = "remove-on-upgrade ";
        var conffiles = new List<Conffile>();
        byte[] content = this["conffiles"]?.Content ?? [];
        foreach (var range in content.AsSpan().Split((byte)'\n'))
        {
            var line = content.AsSpan()[range].TrimEnd(" \t\r"u8);
            if (line.IsEmpty)
            {
                continue;
            }
            bool removed = line.StartsWith(Posix.Bytes(flag));
            var path = removed ? line[flag.Length..] : line;
            if (path.IsEmpty || path[0] != '/')
            {
                throw new InvalidDataException($"conffiles: {FileName.Display(line)} is no absolute path");
            }
            conffiles.Add(new Conffile(TarPath.Normalize(path), removed));
        }
        return conffiles;
    }
}
