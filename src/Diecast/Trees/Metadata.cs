using System.Collections.Immutable;

namespace Diecast.Trees;

public enum FileType
{
    Regular,
    Directory,
    Symlink,
    CharacterDevice,
    BlockDevice,
    Fifo,
    Socket,
}

/// <summary>Seconds since 1970 in UTC, and 0 to 999,999,999 nanoseconds after them.</summary>
public readonly record struct Timestamp(long Seconds, uint Nanoseconds = 0) : IComparable<Timestamp>
{
    public static bool operator <(Timestamp left, Timestamp right) => left.CompareTo(right) < 0;
    public static bool operator >(Timestamp left, Timestamp right) => left.CompareTo(right) > 0;
    public static bool operator <=(Timestamp left, Timestamp right) => left.CompareTo(right) <= 0;
    public static bool operator >=(Timestamp left, Timestamp right) => left.CompareTo(right) >= 0;

    public int CompareTo(Timestamp other) => (Seconds, Nanoseconds).CompareTo((other.Seconds, other.Nanoseconds));

    /// <summary>The earlier of the two.</summary>
    public Timestamp ClampTo(Timestamp latest) => this > latest ? latest : this;

    public override string ToString() => $"{Seconds}.{Nanoseconds:D9}";
}

/// <summary>
/// An extended attribute with its full name, such as <c>user.x</c> or <c>security.capability</c>; the value of an ACL
/// is in the form of the system call (acl(5), version 2).
/// </summary>
public sealed record Xattr(ImmutableArray<byte> Name, ImmutableArray<byte> Value) : IComparable<Xattr>
{
    public static Xattr Create(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        new(ImmutableArray.Create(name), ImmutableArray.Create(value));

    public int CompareTo(Xattr? other) => other is null ? 1 : Name.AsSpan().SequenceCompareTo(other.Name.AsSpan());

    public bool Equals(Xattr? other) => other is not null && Name.AsSpan().SequenceEqual(other.Name.AsSpan())
        && Value.AsSpan().SequenceEqual(other.Value.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Name.Length, Value.Length);
}

/// <summary>
/// Everything of a file but its name, type and content. <paramref name="Mode"/> has the twelve permission bits only.
/// </summary>
public sealed record Metadata(ushort Mode, uint Uid, uint Gid, Timestamp Mtime)
{
    private readonly ImmutableArray<Xattr> _xattrs = [];

    /// <summary>Sorted by the bytes of the full name; names are unique.</summary>
    public ImmutableArray<Xattr> Xattrs
    {
        get => _xattrs;
        init => _xattrs = value.Sort(Comparer<Xattr>.Default);
    }

    public bool Equals(Metadata? other) => other is not null && Mode == other.Mode && Uid == other.Uid && Gid == other.Gid
        && Mtime == other.Mtime && Xattrs.AsSpan().SequenceEqual(other.Xattrs.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Mode, Uid, Gid, Mtime, Xattrs.Length);
}
