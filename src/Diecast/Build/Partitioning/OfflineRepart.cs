using System.Security.Cryptography;
using System.Text;
using Diecast.Config;
using Diecast.Formats;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Build.Partitioning;

/// <summary>A disk that was made of definitions and one source tree.</summary>
public sealed record RepartDisk(Guid Seed, DiskPlan Plan, IReadOnlyList<Blob?> Contents, Image Image);

/// <summary>
/// Makes a whole disk of definitions and one tree, as <c>systemd-repart --empty=create --offline=yes</c> does. Where
/// content depends on the ids of other partitions, call the steps one by one: <see cref="PartitionIdentity.Derive"/>,
/// <see cref="DiskPlan.Create"/>, <see cref="PartitionFormatter.Format"/>, <see cref="DiskPlan.Assemble"/>.
/// </summary>
public sealed record OfflineRepart
{
    // Later than any time of a file, so that nothing is clamped to it.
    private static readonly Timestamp s_never = new(long.MaxValue);

    public required IReadOnlyList<PartitionDefinition> Definitions { get; init; }

    /// <summary>What CopyFiles and CopyBlocks copy from.</summary>
    public required FileTree Source { get; init; }

    public required Func<string, IFileSystemFormat?> Formats { get; init; }

    public DiskGeometry Geometry { get; init; } = new();

    /// <summary>What all ids are derived from; null to derive it from the definitions and what is copied.</summary>
    public Guid? Seed { get; init; }

    /// <summary>The time of what is made, and the latest of what is copied; null for the newest time that is copied.</summary>
    public Timestamp? Epoch { get; init; }

    /// <summary>Told of what is left out.</summary>
    public Action<string> Notice { get; init; } = static _ => { };

    /// <summary>Makes the disk. The bytes are read from their sources when the image is.</summary>
    /// <exception cref="ConfigException">The definitions cannot be followed.</exception>
    public RepartDisk Run()
    {
        var seed = Seed ?? DeriveSeed();
        var ids = new RepartIds(seed);
        var identities = PartitionIdentity.Derive(Definitions, ids);
        var formatter = new PartitionFormatter(identities, Geometry, Epoch ?? NewestTime(), Formats) { Notice = Notice };
        var sizes = Collect(identities, identity => formatter.ContentSize(identity, Source));
        var plan = DiskPlan.Create(identities, ids.Disk, Geometry, identity => sizes[identity]);
        var contents = Collect(plan.Partitions, partition => formatter.Format(partition, Source));
        return new RepartDisk(seed, plan, [.. plan.Partitions.Select(partition => contents[partition])],
            plan.Assemble(partition => contents[partition]));
    }

    /// <summary>The results for all items; the errors of all of them at once.</summary>
    private static Dictionary<TItem, TResult> Collect<TItem, TResult>(IReadOnlyList<TItem> items, Func<TItem, TResult> make)
        where TItem : class
    {
        var results = new Dictionary<TItem, TResult>(ReferenceEqualityComparer.Instance);
        var errors = new List<Diagnostic>();
        foreach (var item in items)
        {
            try
            {
                results.Add(item, make(item));
            }
            catch (ConfigException error)
            {
                errors.AddRange(error.Diagnostics);
            }
        }
        return errors.Count == 0 ? results : throw new ConfigException(errors);
    }

    private Timestamp NewestTime()
    {
        var newest = new Timestamp(0);
        foreach (var tree in CopiedTrees())
        {
            foreach (var entry in tree.Walk())
            {
                var time = entry.Node.Metadata.Mtime;
                newest = time > newest && time != s_never ? time : newest;
            }
        }
        return newest;
    }

    private Guid DeriveSeed()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append($"diecast seed {Geometry.SectorSize} {Geometry.Size} {Epoch}");
        foreach (var definition in Definitions)
        {
            Append(Path.GetFileName(definition.Source));
            foreach (string line in definition.Text)
            {
                Append(line);
            }
            if (definition.CopyBlocks is { } path && TreeLookup.Resolve(Source, path)?.Node is FileNode file)
            {
                hash.AppendData(ImageFile.Hash(file.Content));
            }
        }
        foreach (var tree in CopiedTrees())
        {
            hash.AppendData(TreeText.Digest(tree));
        }
        return RepartIds.Version4(hash.GetHashAndReset());

        void Append(string line) => hash.AppendData(Encoding.UTF8.GetBytes(line + "\n"));
    }

    /// <summary>What the partitions copy, with the times that it has.</summary>
    private IEnumerable<FileTree> CopiedTrees()
    {
        var all = PartitionIdentity.Derive(Definitions, new RepartIds(Guid.Empty));
        var copying = all.Where(static identity => !identity.Definition.CopyFiles.IsEmpty).ToList();
        var trees = Collect(copying, identity => PartitionContents.Build(identity, all, Source, s_never, static _ => { }));
        return copying.Select(identity => trees[identity]);
    }
}
