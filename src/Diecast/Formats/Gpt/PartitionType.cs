using System.Collections.Frozen;

namespace Diecast.Formats.Gpt;

/// <summary>A partition type of the Discoverable Partitions Specification.</summary>
/// <param name="Id">The type GUID.</param>
/// <param name="Designator">What it is for: "esp", "root", "usr-verity".</param>
/// <param name="Architecture">For the root and usr types: "x86-64", "arm64"; else null.</param>
public sealed partial record PartitionType(Guid Id, string Designator, string? Architecture)
{
    private static readonly PartitionType[] s_all = [.. Table
        .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => line.Split(' '))
        .Select(static row => new PartitionType(Guid.Parse(row[0]), row[1], row[2] == "-" ? null : row[2]))];

    private static readonly FrozenDictionary<Guid, PartitionType> s_byId = s_all.ToFrozenDictionary(static type => type.Id);

    private static readonly FrozenDictionary<string, PartitionType> s_byName =
        s_all.ToFrozenDictionary(static type => type.Name, StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, string> s_aliases = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["armv7l"] = "arm",
        ["aarch64"] = "arm64",
        ["loong64"] = "loongarch64",
        ["mipsel"] = "mips-le",
        ["mips64el"] = "mips64-le",
        ["hppa"] = "parisc",
        ["ppc64le"] = "ppc64-le",
        ["ppc64el"] = "ppc64-le",
        ["i386"] = "x86",
        ["i486"] = "x86",
        ["i586"] = "x86",
        ["i686"] = "x86",
        ["x86_64"] = "x86-64",
        ["amd64"] = "x86-64",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static IReadOnlyList<PartitionType> All => s_all;

    /// <summary>"esp", "root-x86-64", "usr-arm64-verity-sig".</summary>
    public string Name { get; } = Architecture is null ? Designator : WithArchitecture(Designator, Architecture);

    /// <summary>Where such a partition is mounted, the first being preferred; empty where it is not.</summary>
    public IReadOnlyList<string> MountPoints => Designator switch
    {
        "root" => ["/"],
        "usr" => ["/usr"],
        "home" => ["/home"],
        "srv" => ["/srv"],
        "esp" => ["/efi", "/boot"],
        "xbootldr" => ["/boot"],
        "tmp" => ["/var/tmp"],
        "var" => ["/var"],
        _ => [],
    };

    /// <summary>The attributes that mean something for the type.</summary>
    public PartitionAttributes KnownAttributes => Designator switch
    {
        "root" or "usr" or "home" or "srv" or "var" or "tmp" or "xbootldr" =>
            PartitionAttributes.NoAuto | PartitionAttributes.ReadOnly | PartitionAttributes.GrowFileSystem,
        "root-verity" or "usr-verity" => PartitionAttributes.NoAuto | PartitionAttributes.ReadOnly,
        "root-verity-sig" or "usr-verity-sig" => PartitionAttributes.ReadOnly,
        "swap" => PartitionAttributes.NoAuto,
        _ => PartitionAttributes.None,
    };

    /// <summary>The type of that GUID, or null.</summary>
    public static PartitionType? Find(Guid id) => s_byId.GetValueOrDefault(id);

    /// <summary>
    /// The type of that name, or null: "esp", "root-amd64", or "root", which takes the architecture of the second
    /// argument.
    /// </summary>
    public static PartitionType? Find(string name, string architecture)
    {
        if (s_byName.TryGetValue(name, out var exact))
        {
            return exact;
        }
        if (name is "root" or "root-verity" or "root-verity-sig" or "usr" or "usr-verity" or "usr-verity-sig")
        {
            return s_byName.GetValueOrDefault(WithArchitecture(name, architecture));
        }
        string system = name[..Math.Min(3, name.Length)] is "usr" ? "usr" : "root";
        string suffix = name.EndsWith("-verity-sig", StringComparison.Ordinal) ? "-verity-sig"
            : name.EndsWith("-verity", StringComparison.Ordinal) ? "-verity" : "";
        return s_aliases.Keys.FirstOrDefault(alias => name == $"{system}-{alias}{suffix}") is { } found
            ? s_byName.GetValueOrDefault($"{system}-{s_aliases[found]}{suffix}")
            : null;
    }

    /// <summary>"x86-64" for "amd64" and "x86_64"; null for what no type is known for.</summary>
    public static string? CanonicalArchitecture(string name)
    {
        string canonical = s_aliases.GetValueOrDefault(name, name);
        return s_byName.ContainsKey($"root-{canonical}") ? canonical : null;
    }

    /// <summary>The same kind of partition for another architecture; itself where there is none.</summary>
    public PartitionType ForArchitecture(string architecture) =>
        Architecture is not null && s_byName.TryGetValue(WithArchitecture(Designator, architecture), out var other) ? other : this;

    private static string WithArchitecture(string designator, string architecture)
    {
        int dash = designator.IndexOf('-', StringComparison.Ordinal);
        return dash < 0 ? $"{designator}-{architecture}" : $"{designator[..dash]}-{architecture}{designator[dash..]}";
    }
}
