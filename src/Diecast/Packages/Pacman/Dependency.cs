namespace Diecast.Packages.Pacman;

public enum VersionOperator
{
    /// <summary>No version is named.</summary>
    Any,
    Equal,
    GreaterOrEqual,
    LessOrEqual,
    Greater,
    Less,
}

/// <summary>
/// What pacman calls a dependency string: <c>name[&lt;op&gt;version][: description]</c>. Conflicts, provisions (where the
/// operator is <c>=</c>) and sonames (<c>libreadline.so=8-64</c>, <c>lib:libfoo.so.1</c>) have the same form.
/// </summary>
public sealed record Dependency(string Name, VersionOperator Operator, string Version, string? Description = null)
{
    /// <summary>Every string is a dependency; one without an operator names no version.</summary>
    public static Dependency Parse(string text)
    {
        // With the blank, or the epoch of a version would be taken for a description.
        int colon = text.IndexOf(": ", StringComparison.Ordinal);
        string? description = colon < 0 ? null : text[(colon + 2)..];
        string constraint = colon < 0 ? text : text[..colon];
        int at = constraint.IndexOf('<', StringComparison.Ordinal);
        if (at < 0)
        {
            at = constraint.IndexOf('>', StringComparison.Ordinal);
        }
        if (at < 0)
        {
            at = constraint.IndexOf('=', StringComparison.Ordinal);
            return at < 0
                ? new Dependency(constraint, VersionOperator.Any, "", description)
                : new Dependency(constraint[..at], VersionOperator.Equal, constraint[(at + 1)..], description);
        }
        bool less = constraint[at] == '<';
        bool orEqual = at + 1 < constraint.Length && constraint[at + 1] == '=';
        var comparison = (less, orEqual) switch
        {
            (true, true) => VersionOperator.LessOrEqual,
            (true, false) => VersionOperator.Less,
            (false, true) => VersionOperator.GreaterOrEqual,
            (false, false) => VersionOperator.Greater,
        };
        return new Dependency(constraint[..at], comparison, constraint[(at + (orEqual ? 2 : 1))..], description);
    }

    /// <summary>Whether a package of this name and version is what is asked for.</summary>
    public bool Accepts(string name, string version) => name == Name && AcceptsVersion(version);

    /// <summary>Whether a package that provides this is what is asked for. Only a provision with a version has one.</summary>
    public bool Accepts(Dependency provision) => provision.Name == Name
        && (Operator == VersionOperator.Any || (provision.Operator == VersionOperator.Equal && AcceptsVersion(provision.Version)));

    /// <summary>The string that it was parsed from.</summary>
    public override string ToString()
    {
        string comparison = Operator switch
        {
            VersionOperator.Equal => "=",
            VersionOperator.GreaterOrEqual => ">=",
            VersionOperator.LessOrEqual => "<=",
            VersionOperator.Greater => ">",
            VersionOperator.Less => "<",
            _ => "",
        };
        return Name + comparison + Version + (Description is null ? "" : ": " + Description);
    }

    private bool AcceptsVersion(string version) => Operator switch
    {
        VersionOperator.Equal => PacmanVersion.Compare(version, Version) == 0,
        VersionOperator.GreaterOrEqual => PacmanVersion.Compare(version, Version) >= 0,
        VersionOperator.LessOrEqual => PacmanVersion.Compare(version, Version) <= 0,
        VersionOperator.Greater => PacmanVersion.Compare(version, Version) > 0,
        VersionOperator.Less => PacmanVersion.Compare(version, Version) < 0,
        _ => true,
    };
}
