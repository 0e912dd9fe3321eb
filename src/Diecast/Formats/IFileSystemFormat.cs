using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Formats;

/// <summary>What a file system is made with. Ids and times have no default: they never come from the clock.</summary>
public sealed record FileSystemOptions
{
    /// <summary>The file system's id; FAT takes its serial number from the first four bytes (text order).</summary>
    public required Guid Uuid { get; init; }

    /// <summary>The time that the file system's own fields carry (made, written, checked).</summary>
    public required Timestamp Epoch { get; init; }

    /// <summary>The volume label, empty for none.</summary>
    public string Label { get; init; } = "";

    /// <summary>The size in bytes; null for the least that <see cref="IFileSystemFormat.Measure"/> gives.</summary>
    public long? Size { get; init; }

    /// <summary>The logical sector size in bytes: 512 or 4096.</summary>
    public int SectorSize { get; init; } = 512;

    /// <summary>FAT's type: 12, 16 or 32; null for what the size suggests. An ESP on a fixed disk is to be 32.</summary>
    public int? FatBits { get; init; }

    /// <summary>Where the partition starts on its disk, in bytes; for the formats that record it.</summary>
    public long PartitionOffset { get; init; }

    /// <summary>What contents of files are compressed with, by the formats that can.</summary>
    public FileCompression Compression { get; init; }

    /// <summary>The compression's own default where it is null.</summary>
    public int? CompressionLevel { get; init; }

    /// <summary>Of metadata and data; for btrfs.</summary>
    public FileSystemChecksum Checksum { get; init; }

    /// <summary>The directories that are subvolumes; for btrfs. Each must be in the tree.</summary>
    public IReadOnlyList<Subvolume> Subvolumes { get; init; } = [];

    /// <summary>The path of the subvolume that is mounted where none is asked for; "/" or one of the subvolumes.</summary>
    public string DefaultSubvolume { get; init; } = "/";

    /// <summary>ext4's directory hash seed; the file system's id where it is null.</summary>
    public Guid? HashSeed { get; init; }
}

/// <summary>The checksums that a user can choose between.</summary>
public enum FileSystemChecksum
{
    Crc32C,
    XxHash64,
    Sha256,
    Blake2b,
}

/// <summary>A directory that is a subvolume.</summary>
/// <param name="Path">As in "/home".</param>
/// <param name="IsReadOnly">Whether nothing can be changed in it.</param>
/// <param name="IsNoDataCow">Whether its files are changed in place: they have neither checksums nor compression.</param>
public sealed record Subvolume(string Path, bool IsReadOnly = false, bool IsNoDataCow = false);

/// <summary>What a file system may compress the contents of files with.</summary>
public enum FileCompression
{
    None,
    Zlib,
    Zstd,
    Lzo,
}

/// <summary>A field of an on-disk structure, for people and for comparison.</summary>
public sealed record NamedField(string Name, string Value);

/// <summary>
/// A field at its place: what the bytes there mean, so that a byte that differs can be named. Offset and length are in
/// bytes, within the file system.
/// </summary>
/// <param name="Offset">The first byte.</param>
/// <param name="Length">Of the field.</param>
/// <param name="Structure">Which of the structures: "superblock", "group 3 descriptor", "inode 12".</param>
/// <param name="Name">As in the specification: "i_ctime", "DIR_WrtTime".</param>
/// <param name="Value">For people; times in the form of <see cref="Trees.Timestamp"/>.</param>
public sealed record FieldSpan(long Offset, long Length, string Structure, string Name, string Value)
{
    /// <summary>The file that the structure belongs to, as in "/etc/passwd"; null where it is none's.</summary>
    public string? Path { get; init; }
}

/// <summary>A file system that a reader understood.</summary>
public sealed record FileSystemView
{
    /// <summary>Directories are loaded on demand; times are as stored, never clamped.</summary>
    public required FileTree Tree { get; init; }

    /// <summary>The superblock's (or boot sector's) fields under the names of the specification.</summary>
    public required IReadOnlyList<NamedField> Fields { get; init; }

    /// <summary>All the bytes, labelled: the same labels as the writer's.</summary>
    public required Func<Image> Layout { get; init; }

    /// <summary>
    /// Makes what finds the innermost field that covers a byte. Null where none does (contents, padding, free space): the
    /// layout's label says what is there. Must stand up to any offset, and read no more than a structure at a time.
    /// </summary>
    public Func<Func<long, FieldSpan?>> FieldFinder { get; init; } = static () => static _ => null;

    /// <summary>
    /// What is wrong with the file system and did not keep it from being read, a line each: counts that are not true, copies
    /// that differ, blocks that two files claim.
    /// </summary>
    public Func<IReadOnlyList<string>> Check { get; init; } = static () => [];
}

/// <summary>A file system that Diecast writes and reads.</summary>
public interface IFileSystemFormat
{
    /// <summary>As in <c>Format=</c> of a repart definition: "ext4", "vfat".</summary>
    string Name { get; }

    /// <summary>Everything that keeps the tree from being written with these options; empty where it can be.</summary>
    IReadOnlyList<string> Check(FileTree tree, FileSystemOptions options);

    /// <summary>The least size in bytes that holds the tree.</summary>
    long Measure(FileTree tree, FileSystemOptions options);

    /// <summary>
    /// A size in bytes that leaves room to write, as systemd-repart's <c>Minimize=guess</c> gives it: what the tree and
    /// the structures take and half as much again, computed from the tree alone.
    /// </summary>
    long MeasureGuess(FileTree tree, FileSystemOptions options) => checked(Measure(tree, options) / 2 * 3);

    /// <summary>The file system as an image. Cannot refuse a tree that <see cref="Check"/> let pass.</summary>
    Image Write(FileTree tree, FileSystemOptions options);

    /// <summary>Whether the blob claims to be of this format, by its magic.</summary>
    bool Recognizes(Blob blob);

    /// <summary>Reads a file system of any origin.</summary>
    /// <exception cref="InvalidDataException">It is damaged: the structure and the offset are named.</exception>
    FileSystemView Read(Blob blob);
}
