using System.Collections.Immutable;
using Diecast.Config;
using Diecast.Formats;
using Diecast.Formats.Gpt;

namespace Diecast.Build.Partitioning;

/// <summary>How the size of a file system follows from its content.</summary>
public enum MinimizeMode
{
    /// <summary>It does not.</summary>
    Off,

    /// <summary>What the content takes and half as much again.</summary>
    Guess,

    /// <summary>What the content takes: for file systems that are never written to, and for btrfs, which grows.</summary>
    Best,
}

/// <summary>Copies a path of the source tree to a path of the file system; both absolute, without "..".</summary>
public sealed record CopyFiles(string Source, string Target, Location Location);

/// <summary>A symbolic link to make; the target is not resolved.</summary>
public sealed record MakeSymlink(string Path, string Target, Location Location);

/// <summary>
/// One partition to make: a repart.d file after its drop-ins, with all defaults that do not depend on other partitions.
/// Sizes are in bytes.
/// </summary>
public sealed record PartitionDefinition
{
    /// <summary>The file, as it is named in messages.</summary>
    public required string Source { get; init; }

    public Guid Type { get; init; }

    /// <summary>Null for a type that the Discoverable Partitions Specification does not have.</summary>
    public PartitionType? KnownType => PartitionType.Find(Type);

    /// <summary>Null for the type's name; may be empty.</summary>
    public string? Label { get; init; }

    /// <summary>Null for the id that the seed gives; Guid.Empty for an id of zeros.</summary>
    public Guid? Uuid { get; init; }

    /// <summary>Where a disk is too small, partitions with the greatest priority above 0 are left out first.</summary>
    public int Priority { get; init; }

    public int Weight { get; init; } = 1000;

    public int PaddingWeight { get; init; }

    public long? SizeMin { get; init; }

    public long? SizeMax { get; init; }

    public long? PaddingMin { get; init; }

    public long? PaddingMax { get; init; }

    /// <summary>The file system's name, or null for none.</summary>
    public string? Format { get; init; }

    public ImmutableArray<CopyFiles> CopyFiles { get; init; } = [];

    /// <summary>Source paths that are not copied; with a slash at the end, only what is below them.</summary>
    public ImmutableArray<string> ExcludeFiles { get; init; } = [];

    /// <summary>Like <see cref="ExcludeFiles"/>, as paths of the file system.</summary>
    public ImmutableArray<string> ExcludeFilesTarget { get; init; } = [];

    public ImmutableArray<string> MakeDirectories { get; init; } = [];

    public ImmutableArray<MakeSymlink> MakeSymlinks { get; init; } = [];

    /// <summary>A file of the source tree whose bytes the partition holds, or null.</summary>
    public string? CopyBlocks { get; init; }

    public MinimizeMode Minimize { get; init; }

    /// <summary>What contents of files are compressed with.</summary>
    public FileCompression Compression { get; init; }

    /// <summary>Null for the compression's own default.</summary>
    public int? CompressionLevel { get; init; }

    /// <summary>Directories that are subvolumes; they are made by other settings.</summary>
    public ImmutableArray<Subvolume> Subvolumes { get; init; } = [];

    /// <summary>The subvolume that is mounted where none is asked for; null for the top level.</summary>
    public string? DefaultSubvolume { get; init; }

    /// <summary>The attributes apart from those that the three settings below decide.</summary>
    public PartitionAttributes Flags { get; init; }

    public bool? NoAuto { get; init; }

    public bool? ReadOnly { get; init; }

    public bool? GrowFileSystem { get; init; }

    /// <summary>The part of a split file's name that stands for the partition, with specifiers; null for no such file.</summary>
    public string? SplitName { get; init; } = "%t";

    /// <summary>The file system's logical sector size in bytes; null for the disk's default.</summary>
    public int? FileSystemSectorSize { get; init; }

    /// <summary>Whether the file system's root says which partition it belongs to; null for yes where it can.</summary>
    public bool? AddValidateFs { get; init; }

    /// <summary>The assignments as they were written, in their order.</summary>
    public ImmutableArray<string> Text { get; init; } = [];

    /// <summary>Where each setting was assigned last.</summary>
    public ImmutableDictionary<string, Location> Places { get; init; } = ImmutableDictionary.Create<string, Location>(StringComparer.Ordinal);

    /// <summary>Whether the file system has content beside its own structures.</summary>
    public bool IsPopulated => !CopyFiles.IsEmpty || !MakeDirectories.IsEmpty || !MakeSymlinks.IsEmpty || MarksFileSystem;

    /// <summary>Whether the root of the file system gets the attributes of systemd-validatefs.</summary>
    public bool MarksFileSystem => AddValidateFs ?? Format is not (null or "vfat" or "swap");

    /// <summary>The attributes as they stand in the table.</summary>
    public PartitionAttributes Attributes =>
        With(With(With(Flags, PartitionAttributes.NoAuto, NoAuto), PartitionAttributes.ReadOnly, ReadOnly),
            PartitionAttributes.GrowFileSystem, GrowFileSystem);

    /// <summary>Where a setting was assigned, or the file where it was not.</summary>
    public Location Place(string setting) => Places.GetValueOrDefault(setting, new Location(Source));

    private static PartitionAttributes With(PartitionAttributes all, PartitionAttributes one, bool? set) =>
        set switch { true => all | one, false => all & ~one, null => all };
}
