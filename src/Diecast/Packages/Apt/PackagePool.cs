using System.Buffers;
using System.Text;

namespace Diecast.Packages.Apt;

/// <summary>A name that packages have, provide or refer to.</summary>
internal sealed class PackageName(string name, int order)
{
    public string Name => name;

    /// <summary>
    /// The position at which the name is first mentioned in the indexes. Where APT has no reason to prefer one package to
    /// another it goes by this order, which is that of its cache.
    /// </summary>
    public int Order => order;

    /// <summary>In the order of the indexes.</summary>
    public List<AptPackage> Versions { get; } = [];

    public List<Provision> Providers { get; } = [];

    public override string ToString() => name;
}

/// <summary>That a package provides a name, with a version or none.</summary>
internal readonly record struct Provision(PackageName OwnerName, AptPackage Owner, string? Version);

/// <summary>All packages of several indexes, by name.</summary>
public sealed class PackagePool
{
    // Debian has 70,000 packages, 100,000 with all its components.
    private const int MaximumNames = 5_000_000;

    private static readonly SearchValues<byte> s_separators = SearchValues.Create(" \t\r\n,|"u8);
    private static readonly SearchValues<byte> s_nameEnds = SearchValues.Create(" \t\r\n()[]<>,|"u8);

    private readonly Dictionary<string, PackageName> _names = new(100_000, StringComparer.Ordinal);
    private readonly Dictionary<string, PackageName>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly List<PackageName> _byOrder = new(100_000);
    private readonly string _architecture;

    /// <param name="indexes">In the order of the configuration.</param>
    /// <param name="architecture">Debian's name of it, as <c>amd64</c>; packages of others but <c>all</c> are left out.</param>
    /// <exception cref="InvalidDataException">An index is malformed: <c>file:line: message</c>.</exception>
    public PackagePool(IEnumerable<AptIndex> indexes, string architecture)
    {
        _architecture = architecture;
        _lookup = _names.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var index in indexes)
        {
            foreach (var paragraph in ControlFile.Parse(index.Packages, index.File))
            {
                Add(index, paragraph);
            }
        }
    }

    public string Architecture => _architecture;

    internal int Count => _byOrder.Count;

    /// <summary>All names, in the order in which they are mentioned.</summary>
    internal IReadOnlyList<PackageName> Names => _byOrder;

    internal PackageName? Find(string name) => _names.GetValueOrDefault(name);

    /// <summary>
    /// The version that is installed unless another is asked for: of those with the highest priority the newest.
    /// </summary>
    internal static AptPackage? Candidate(PackageName name) => Best(name.Versions);

    internal static AptPackage? Best(IEnumerable<AptPackage> versions)
    {
        AptPackage? best = null;
        foreach (var version in versions)
        {
            if (best is null || version.Index.Priority > best.Index.Priority
                || (version.Index.Priority == best.Index.Priority && DebVersion.Compare(version.Version, best.Version) > 0))
            {
                best = version;
            }
        }
        return best;
    }

    /// <summary>What the loader wants of a paragraph, found in one pass over it.</summary>
    private ref struct Fields
    {
        public ReadOnlySpan<byte> Package, Version, Architecture, Essential, Important, Protected, MultiArch, Priority;
        public ReadOnlySpan<byte> PreDepends, Depends, Conflicts, Breaks, Recommends, Suggests, Replaces, Enhances, Provides;
    }

    private static Fields Read(ControlParagraph paragraph)
    {
        var fields = new Fields();
        int at = 0;
        while (paragraph.Next(ref at, out var name, out var memory))
        {
            var value = memory.Span;
            // The order of frequency does not matter: the length of the name decides nearly always.
            switch (name.Length)
            {
                case 6 when Is(name, "Breaks"u8): fields.Breaks = value; break;
                case 7 when Is(name, "Package"u8): fields.Package = value; break;
                case 7 when Is(name, "Version"u8): fields.Version = value; break;
                case 7 when Is(name, "Depends"u8): fields.Depends = value; break;
                case 8 when Is(name, "Priority"u8): fields.Priority = value; break;
                case 8 when Is(name, "Suggests"u8): fields.Suggests = value; break;
                case 8 when Is(name, "Replaces"u8): fields.Replaces = value; break;
                case 8 when Is(name, "Enhances"u8): fields.Enhances = value; break;
                case 8 when Is(name, "Provides"u8): fields.Provides = value; break;
                case 9 when Is(name, "Essential"u8): fields.Essential = value; break;
                case 9 when Is(name, "Important"u8): fields.Important = value; break;
                case 9 when Is(name, "Protected"u8): fields.Protected = value; break;
                case 9 when Is(name, "Conflicts"u8): fields.Conflicts = value; break;
                case 10 when Is(name, "Multi-Arch"u8): fields.MultiArch = value; break;
                case 10 when Is(name, "Recommends"u8): fields.Recommends = value; break;
                case 11 when Is(name, "Pre-Depends"u8): fields.PreDepends = value; break;
                case 12 when Is(name, "Architecture"u8): fields.Architecture = value; break;
            }
        }
        return fields;
    }

    private static bool Is(ReadOnlyMemory<byte> name, ReadOnlySpan<byte> expected) => Ascii.EqualsIgnoreCase(name.Span, expected);

    private void Add(AptIndex index, ControlParagraph paragraph)
    {
        var fields = Read(paragraph);
        if (!Ascii.Equals(fields.Architecture, "all") && !Ascii.Equals(fields.Architecture, _architecture))
        {
            return;
        }
        if (fields.Package.IsEmpty || fields.Version.IsEmpty)
        {
            throw paragraph.Error("the paragraph has no Package and Version");
        }
        var name = Mention(fields.Package, paragraph);
        string version = Encoding.UTF8.GetString(fields.Version);
        if (!DebianIdentity.IsName(name.Name) || !DebVersion.IsValid(version))
        {
            throw paragraph.Error("Package and Version are no package name and version");
        }
        var package = new AptPackage(index, paragraph, name.Name, version, _architecture, IsYes(fields.Essential),
            IsYes(fields.Protected) || IsYes(fields.Important), MultiArch(fields.MultiArch), Priority(fields.Priority));
        name.Versions.Add(package);
        MentionAll(fields.PreDepends, paragraph);
        MentionAll(fields.Depends, paragraph);
        MentionAll(fields.Conflicts, paragraph);
        MentionAll(fields.Breaks, paragraph);
        MentionAll(fields.Recommends, paragraph);
        MentionAll(fields.Suggests, paragraph);
        MentionAll(fields.Replaces, paragraph);
        MentionAll(fields.Enhances, paragraph);
        AddProvisions(name, package, fields.Provides, paragraph);
    }

    private void AddProvisions(PackageName name, AptPackage package, ReadOnlySpan<byte> field, ControlParagraph paragraph)
    {
        bool isAllowed = package.MultiArch == "allowed";
        if (!field.IsEmpty)
        {
            try
            {
                var reader = new RelationReader(field, _architecture);
                while (reader.Next(out var relation, out bool applies, out _))
                {
                    // A provision of the own name and version is nothing new; one with another operator than = has no meaning.
                    if (applies && relation.Operator is VersionOperator.Any or VersionOperator.Equal
                        && (relation.Name != package.Name || (relation.Version is { } other && other != package.Version)))
                    {
                        Mention(relation.Name, paragraph).Providers.Add(new Provision(name, package, relation.Version));
                        if (isAllowed)
                        {
                            Mention(relation.Name + ":any", paragraph).Providers.Add(new Provision(name, package, relation.Version));
                        }
                    }
                }
            }
            catch (InvalidDataException e)
            {
                throw paragraph.Error("Provides", $"of {package.Name} {e.Message}");
            }
        }
        if (isAllowed)
        {
            Mention(package.Name + ":any", paragraph).Providers.Add(new Provision(name, package, package.Version));
        }
    }

    /// <summary>Notes the names in a relationship field, which is read in full only where it matters.</summary>
    private void MentionAll(ReadOnlySpan<byte> field, ControlParagraph paragraph)
    {
        while (!field.IsEmpty)
        {
            int start = field.IndexOfAnyExcept(s_separators);
            if (start < 0)
            {
                return;
            }
            field = field[start..];
            int length = field.IndexOfAny(s_nameEnds);
            var name = length < 0 ? field : field[..length];
            int colon = name.LastIndexOf((byte)':');
            if (colon > 0 && (name[(colon + 1)..].SequenceEqual("native"u8) || Ascii.Equals(name[(colon + 1)..], _architecture)))
            {
                name = name[..colon];
            }
            Mention(name, paragraph);
            int end = field.IndexOfAny(",|"u8);
            field = end < 0 ? default : field[(end + 1)..];
        }
    }

    private PackageName Mention(ReadOnlySpan<byte> name, ControlParagraph paragraph)
    {
        Span<char> characters = stackalloc char[128];
        // All names are ASCII; what is not finds no package.
        return name.Length <= characters.Length && Ascii.ToUtf16(name, characters, out int length) == OperationStatus.Done
            ? Mention(characters[..length], paragraph)
            : Mention(Encoding.UTF8.GetString(name), paragraph);
    }

    private PackageName Mention(ReadOnlySpan<char> name, ControlParagraph paragraph)
    {
        if (!_lookup.TryGetValue(name, out var known))
        {
            if (_byOrder.Count == MaximumNames)
            {
                throw paragraph.Error($"more than {MaximumNames} names of packages");
            }
            string text = name.ToString();
            _names.Add(text, known = new PackageName(text, _byOrder.Count));
            _byOrder.Add(known);
        }
        return known;
    }

    private static bool IsYes(ReadOnlySpan<byte> value) => Ascii.EqualsIgnoreCase(value, "yes");

    private static string? MultiArch(ReadOnlySpan<byte> value) => value.IsEmpty ? null
        : Ascii.Equals(value, "same") ? "same"
        : Ascii.Equals(value, "foreign") ? "foreign"
        : Ascii.Equals(value, "allowed") ? "allowed"
        : null;

    private static PackagePriority Priority(ReadOnlySpan<byte> value) =>
        value.IsEmpty ? PackagePriority.Unknown
        : Ascii.Equals(value, "optional") ? PackagePriority.Optional
        : Ascii.Equals(value, "required") ? PackagePriority.Required
        : Ascii.Equals(value, "important") ? PackagePriority.Important
        : Ascii.Equals(value, "standard") ? PackagePriority.Standard
        : PackagePriority.Extra;
}
