using System.Collections.Immutable;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats.Tar;

public enum TarEntryType
{
    File,
    HardLink,
    Symlink,
    CharacterDevice,
    BlockDevice,
    Directory,
    Fifo,
}

/// <summary>A member of an archive, in the order of the archive.</summary>
public sealed class TarEntry
{
    /// <summary>Where the member's header starts in the archive, in bytes; for messages.</summary>
    public required long Offset { get; init; }

    /// <summary>As it is stored, in whatever encoding; <see cref="TarPath.Normalize"/> makes a safe one of it.</summary>
    public required ImmutableArray<byte> Path { get; init; }

    public required TarEntryType Type { get; init; }

    public required Metadata Metadata { get; init; }

    /// <summary>The owner's name; empty where the archive has none.</summary>
    public ImmutableArray<byte> UserName { get; init; } = [];

    /// <summary>The group's name; empty where the archive has none.</summary>
    public ImmutableArray<byte> GroupName { get; init; } = [];

    /// <summary>The target of a symbolic link as it is stored, or the path of an earlier member for a hard link.</summary>
    public required ImmutableArray<byte> LinkTarget { get; init; }

    /// <summary>Of a device node.</summary>
    public uint Major { get; init; }

    /// <summary>Of a device node.</summary>
    public uint Minor { get; init; }

    /// <summary>Of the content, holes included; in bytes.</summary>
    public required long Length { get; init; }

    /// <summary>The content, with zeros for holes. Readable until the reader goes on.</summary>
    public required Stream Content { get; init; }

    /// <summary>Where the stored content starts in the archive, in bytes.</summary>
    public required long DataOffset { get; init; }

    /// <summary>The ranges of the content that are stored, one after the other; null where that is all of it.</summary>
    public required IReadOnlyList<ByteRange>? Segments { get; init; }

    /// <summary>"tar member usr/bin/bash".</summary>
    public override string ToString() => $"tar member {FileName.Display(Path.AsSpan())}";
}

/// <summary>What the path of a member means inside of a tree.</summary>
public static class TarPath
{
    // Linux's own limit; also what keeps a tree from being too deep for the stack.
    private const int MaximumLength = 4096;

    /// <summary>
    /// The path relative to the root, without leading, trailing or doubled slashes and without "." components; empty
    /// for the root itself. A leading slash is dropped, as other archivers do.
    /// </summary>
    /// <exception cref="InvalidDataException">
    /// It has a ".." component, a NUL, a name of more than 255 bytes, or more than 4096 bytes in all.
    /// </exception>
    public static byte[] Normalize(ReadOnlySpan<byte> path)
    {
        if (path.Length > MaximumLength)
        {
            throw new InvalidDataException($"tar: a path of {path.Length} bytes is longer than {MaximumLength}");
        }
        var normal = new List<byte>(path.Length);
        foreach (var range in path.Split((byte)'/'))
        {
            var name = path[range];
            if (name.IsEmpty || name.SequenceEqual("."u8))
            {
                continue;
            }
            if (!new FileName(name).IsValid)
            {
                throw new InvalidDataException($"tar: the path {FileName.Display(path)} is not safe");
            }
            if (normal.Count > 0)
            {
                normal.Add((byte)'/');
            }
            normal.AddRange(name);
        }
        return [.. normal];
    }
}
