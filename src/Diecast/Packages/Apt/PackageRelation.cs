using System.Collections.Immutable;

namespace Diecast.Packages.Apt;

public enum VersionOperator : byte
{
    Any,
    Earlier,
    EarlierOrEqual,
    Equal,
    LaterOrEqual,
    Later,
}

/// <summary>One alternative of a relationship field, such as <c>libc6 (&gt;= 2.36)</c>: section 7.1 of the Debian Policy Manual.</summary>
/// <param name="Name">Without an architecture behind it, but for <c>:any</c> and foreign architectures.</param>
/// <param name="Version">Null where the operator is <see cref="VersionOperator.Any"/>.</param>
public readonly record struct PackageRelation(string Name, VersionOperator Operator, string? Version)
{
    /// <summary>Whether a version of a package is meant; null for that of a provision that has none, which only fits where any will do.</summary>
    public bool Accepts(string? version)
    {
        if (Operator == VersionOperator.Any)
        {
            return true;
        }
        if (version is null)
        {
            return false;
        }
        int order = DebVersion.Compare(version, Version);
        return Operator switch
        {
            VersionOperator.Earlier => order < 0,
            VersionOperator.EarlierOrEqual => order <= 0,
            VersionOperator.Equal => order == 0,
            VersionOperator.LaterOrEqual => order >= 0,
            _ => order > 0,
        };
    }

    public override string ToString() => Operator == VersionOperator.Any ? Name : $"{Name} ({Symbol} {Version})";

    private string Symbol => Operator switch
    {
        VersionOperator.Earlier => "<<",
        VersionOperator.EarlierOrEqual => "<=",
        VersionOperator.Equal => "=",
        VersionOperator.LaterOrEqual => ">=",
        _ => ">>",
    };

    /// <summary>The alternatives of each relationship of a field's value.</summary>
    /// <param name="architecture">Debian's name of that which packages are for, as <c>amd64</c>.</param>
    /// <exception cref="InvalidDataException">It is malformed: what stands at its place.</exception>
    public static ImmutableArray<ImmutableArray<PackageRelation>> ParseField(ReadOnlySpan<byte> field, string architecture)
    {
        var groups = ImmutableArray.CreateBuilder<ImmutableArray<PackageRelation>>();
        var group = ImmutableArray.CreateBuilder<PackageRelation>();
        var reader = new RelationReader(field, architecture);
        while (reader.Next(out var relation, out bool applies, out bool hasAlternative))
        {
            if (applies)
            {
                group.Add(relation);
            }
            if (!hasAlternative && group.Count > 0)
            {
                groups.Add(group.ToImmutable());
                group.Clear();
            }
        }
        return groups.ToImmutable();
    }
}
