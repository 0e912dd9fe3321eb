using System.Collections.Immutable;
using Diecast.Trees;

namespace Diecast.Packages.Apt;

/// <summary>How much a package matters; section 2.5 of the Debian Policy Manual. The lower, the more.</summary>
public enum PackagePriority
{
    Unknown,
    Required,
    Important,
    Standard,
    Optional,
    Extra,
}

/// <summary>A version of a package in the index of a repository. Its relationships are read when they are asked for.</summary>
public sealed class AptPackage
{
    private static readonly (DependencyKind, string)[] s_fields =
    [
        (DependencyKind.PreDepends, "Pre-Depends"), (DependencyKind.Depends, "Depends"), (DependencyKind.Conflicts, "Conflicts"),
        (DependencyKind.Breaks, "Breaks"), (DependencyKind.Recommends, "Recommends"), (DependencyKind.Suggests, "Suggests"),
    ];

    private readonly ControlParagraph _paragraph;
    private readonly string _architecture;
    private ImmutableArray<AptDependency> _dependencies;

    internal AptPackage(
        AptIndex index, ControlParagraph paragraph, string name, string version, string architecture,
        bool isEssential, bool isProtected, string? multiArch, PackagePriority priority)
    {
        (Index, _paragraph, Name, Version, _architecture) = (index, paragraph, name, version, architecture);
        (IsEssential, IsProtected, MultiArch, Priority) = (isEssential, isProtected, multiArch, priority);
    }

    public AptIndex Index { get; }

    public string Name { get; }

    public string Version { get; }

    /// <summary>Whether it must be there in every system, and may be used without a dependency on it.</summary>
    public bool IsEssential { get; }

    /// <summary>Whether it is not to be removed.</summary>
    public bool IsProtected { get; }

    /// <summary>"same", "foreign" or "allowed"; null where it has no such field.</summary>
    public string? MultiArch { get; }

    public PackagePriority Priority { get; }

    /// <summary>By their kinds, and each in the order of its field.</summary>
    /// <exception cref="InvalidDataException">A field is malformed.</exception>
    public ImmutableArray<AptDependency> Dependencies => _dependencies.IsDefault ? _dependencies = ReadDependencies() : _dependencies;

    /// <summary>The path of the file, from the repository's address on.</summary>
    /// <exception cref="InvalidDataException">It has none, or it leads out of the repository.</exception>
    public string FileName
    {
        get
        {
            string path = _paragraph.Required("Filename");
            path = path.StartsWith("./", StringComparison.Ordinal) ? path[2..] : path;
            return IsRelativePath(path) ? path : throw _paragraph.Error("Filename", "is no path in the repository");
        }
    }

    /// <summary>Of the file in bytes.</summary>
    /// <exception cref="InvalidDataException">It has none.</exception>
    public long Size => _paragraph.Number("Size") ?? throw _paragraph.Error($"package {Name} has no Size");

    /// <summary>Of the file.</summary>
    /// <exception cref="InvalidDataException">It has none: it could not be checked.</exception>
    public string Sha256 => _paragraph["SHA256"]?.ToLowerInvariant() is var digest && Packages.Sha256.IsValid(digest)
        ? digest!
        : throw _paragraph.Error($"package {Name} has no valid SHA256");

    private ImmutableArray<AptDependency> ReadDependencies()
    {
        var dependencies = ImmutableArray.CreateBuilder<AptDependency>();
        foreach (var (kind, field) in s_fields)
        {
            try
            {
                foreach (var alternatives in PackageRelation.ParseField(_paragraph.BytesOf(field).Span, _architecture))
                {
                    dependencies.Add(new AptDependency(kind, alternatives));
                }
            }
            catch (InvalidDataException e)
            {
                throw _paragraph.Error(field, $"of {Name} {e.Message}");
            }
        }
        return dependencies.ToImmutable();
    }

    /// <summary>Whether every component is a plain file name.</summary>
    internal static bool IsRelativePath(string path) => path.Split('/')
        .All(static component => new FileName(component).IsValid && component[0] != '.' && !component.Any(char.IsControl));

    /// <summary>"bookworm/bash-5.2-1".</summary>
    public override string ToString() => $"{Index.Name}/{Name}-{Version}";
}

public enum DependencyKind
{
    PreDepends,
    Depends,
    Conflicts,
    Breaks,
    Recommends,
    Suggests,
}

/// <summary>A relationship of a package to others, of which one alternative will do.</summary>
public sealed record AptDependency(DependencyKind Kind, ImmutableArray<PackageRelation> Alternatives)
{
    /// <summary>Whether what it names must not be there.</summary>
    public bool IsNegative => Kind is DependencyKind.Conflicts or DependencyKind.Breaks;

    /// <summary>Whether the package cannot do without.</summary>
    public bool IsCritical => Kind <= DependencyKind.Breaks;

    public override string ToString() => string.Join(" | ", Alternatives);
}

/// <summary>Where the packages of a Packages file come from.</summary>
/// <param name="Name">Of the repository, as it stands in a lock file.</param>
/// <param name="Priority">Which version is the candidate: 500, 100 (backports) or 1 (experimental); apt_preferences(5).</param>
/// <param name="Suites">By what <c>package/suite</c> calls it: its suite and its code name.</param>
public sealed record AptIndex(string Name, int Priority, ImmutableArray<string> Suites)
{
    /// <summary>The text of the Packages file.</summary>
    public required ReadOnlyMemory<byte> Packages { get; init; }

    /// <summary>Its name for messages.</summary>
    public required string File { get; init; }
}
