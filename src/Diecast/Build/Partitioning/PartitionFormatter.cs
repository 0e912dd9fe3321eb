using System.Collections.Concurrent;
using Diecast.Config;
using Diecast.Formats;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Build.Partitioning;

/// <summary>Makes what the partitions of one disk hold.</summary>
public sealed class PartitionFormatter
{
    private const int Ext4LabelLength = 16;

    private readonly IReadOnlyList<PartitionIdentity> _all;
    private readonly DiskGeometry _geometry;
    private readonly Timestamp _epoch;
    private readonly Func<string, IFileSystemFormat?> _formats;

    // A partition whose size follows from its content is asked for twice.
    private readonly ConcurrentDictionary<PartitionIdentity, (FileTree Source, FileTree Contents)> _contents =
        new(ReferenceEqualityComparer.Instance);

    /// <param name="all">All partitions of the disk.</param>
    /// <param name="geometry">The disk's.</param>
    /// <param name="epoch">The time of what is made, and the latest of what is copied.</param>
    /// <param name="formats">The file systems by name; null for those there are not.</param>
    /// <exception cref="ConfigException">A definition asks for a file system that there is not.</exception>
    public PartitionFormatter(
        IReadOnlyList<PartitionIdentity> all, DiskGeometry geometry, Timestamp epoch, Func<string, IFileSystemFormat?> formats)
    {
        (_all, _geometry, _epoch, _formats) = (all, geometry, epoch, formats);
        var errors = all
            .Where(identity => identity.Definition.Format is { } format && formats(format) is null)
            .Select(static identity => new Diagnostic(
                identity.Definition.Place("Format"), $"Format={identity.Definition.Format} is not supported yet"))
            .ToList();
        if (errors.Count > 0)
        {
            throw new ConfigException(errors);
        }
    }

    /// <summary>Told of what a partition leaves out of its source.</summary>
    public Action<string> Notice { get; init; } = static _ => { };

    /// <summary>Changes what a file system is made with, for the options that a user gives to mkfs.</summary>
    public Func<PartitionIdentity, FileSystemOptions, FileSystemOptions> Adjust { get; init; } = static (_, options) => options;

    /// <summary>
    /// The bytes that a partition must hold beside what its definition says: those of CopyBlocks, or those that Minimize
    /// finds. Null where there are none, and where the content may come later therefore.
    /// </summary>
    /// <exception cref="ConfigException">The content cannot be made, or is larger than SizeMaxBytes.</exception>
    public long? ContentSize(PartitionIdentity identity, FileTree source)
    {
        var definition = identity.Definition;
        if (definition.CopyBlocks is not null)
        {
            return Blocks(definition, source).Length;
        }
        if (definition.Format is not { } name || definition.Minimize == MinimizeMode.Off || !definition.IsPopulated)
        {
            return null;
        }
        var tree = Contents(identity, source);
        var options = Options(identity, null);
        Require(definition, _formats(name)!.Check(tree, options));
        var limits = SizeLimits.Of(definition, null, _geometry.FileSystemSectorSize(definition), _geometry.Grain);
        long least = definition.Minimize == MinimizeMode.Best
            ? _formats(name)!.Measure(tree, options) : _formats(name)!.MeasureGuess(tree, options);
        long size = Math.Max(limits.Min, least);
        return limits.Max is null || size <= limits.Max
            ? size
            : throw new ConfigException(definition.Place("SizeMaxBytes"), $"the content takes {size} bytes, more than SizeMaxBytes");
    }

    /// <summary>The content of a partition, or null for one that stays empty.</summary>
    /// <exception cref="ConfigException">The content cannot be made, or does not fit.</exception>
    public Blob? Format(PlannedPartition partition, FileTree source)
    {
        var definition = partition.Definition;
        if (definition.CopyBlocks is not null)
        {
            return Blocks(definition, source);
        }
        if (definition.Format is not { } name)
        {
            return null;
        }
        var tree = Contents(partition.Identity, source);
        var options = Options(partition.Identity, partition.Length);
        Require(definition, _formats(name)!.Check(tree, options));
        return _formats(name)!.Write(tree, options);
    }

    /// <summary>The tree of a partition's file system; the same object for the same source.</summary>
    /// <exception cref="ConfigException">The definition cannot be followed with this source.</exception>
    public FileTree Contents(PartitionIdentity identity, FileTree source)
    {
        if (_contents.TryGetValue(identity, out var known) && known.Source == source)
        {
            return known.Contents;
        }
        var contents = PartitionContents.Build(identity, _all, source, _epoch, Notice);
        _contents[identity] = (source, contents);
        return contents;
    }

    private FileSystemOptions Options(PartitionIdentity identity, long? size) => Adjust(identity, new FileSystemOptions
    {
        Uuid = identity.FileSystemId,
        Epoch = _epoch,
        Label = identity.Definition.Format == "ext4" ? Shorten(identity.Label, Ext4LabelLength) : identity.Label,
        Size = size,
        Compression = identity.Definition.Compression,
        CompressionLevel = identity.Definition.CompressionLevel,
        Subvolumes = identity.Definition.Subvolumes,
        DefaultSubvolume = identity.Definition.DefaultSubvolume ?? "/",
        SectorSize = _geometry.FileSystemSectorSize(identity.Definition),
        FatBits = identity.Definition.Format == "vfat" ? 32 : null,
        // As in systemd-repart: the file system does not know where on the disk it is.
        PartitionOffset = 0,
    });

    private static Blob Blocks(PartitionDefinition definition, FileTree source)
    {
        const int unit = 512;
        var place = definition.Place("CopyBlocks");
        return TreeLookup.Resolve(source, definition.CopyBlocks!)?.Node switch
        {
            null => throw new ConfigException(place, $"there is no {definition.CopyBlocks} to copy"),
            FileNode { Content: { Length: > 0 } content } when content.Length % unit == 0 => content,
            FileNode file => throw new ConfigException(
                place, $"{definition.CopyBlocks} has {file.Content.Length} bytes, which is no number of sectors"),
            _ => throw new ConfigException(place, $"{definition.CopyBlocks} is no file"),
        };
    }

    private static void Require(PartitionDefinition definition, IReadOnlyList<string> errors)
    {
        if (errors.Count > 0)
        {
            throw new ConfigException([.. errors.Select(error => new Diagnostic(definition.Place("Format"), error))]);
        }
    }

    /// <summary>The longest beginning that has at most so many bytes of UTF-8.</summary>
    private static string Shorten(string label, int length)
    {
        int bytes = 0;
        int chars = 0;
        foreach (var rune in label.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > length)
            {
                break;
            }
            chars += rune.Utf16SequenceLength;
        }
        return label[..chars];
    }
}
