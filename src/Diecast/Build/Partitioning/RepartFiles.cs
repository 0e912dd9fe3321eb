using System.Globalization;
using Diecast.Config;
using Diecast.Images;

namespace Diecast.Build.Partitioning;

/// <summary>The files that a disk is written to: the whole, and where it is asked for, one for each partition.</summary>
public sealed class RepartFiles
{
    private readonly RepartDisk _disk;
    private readonly Dictionary<PlannedPartition, string> _splitPaths = new(ReferenceEqualityComparer.Instance);

    /// <param name="output">Where the disk goes. The partitions' files stand beside it: NAME.SPLIT.raw for NAME.raw.</param>
    /// <param name="disk">What is written.</param>
    /// <param name="specifiers">For the split names.</param>
    /// <param name="split">Whether partitions get files of their own.</param>
    /// <exception cref="ConfigException">Two partitions have the same split name, or a file exists already.</exception>
    public RepartFiles(string output, RepartDisk disk, RepartSpecifiers specifiers, bool split)
    {
        (Output, _disk) = (output, disk);
        var errors = new List<Diagnostic>();
        foreach (var partition in disk.Plan.Partitions.Where(partition => split && partition.Definition.SplitName is not null))
        {
            string path = SplitPath(output, ExpandSplitName(partition, specifiers));
            if (_splitPaths.ContainsValue(path) || path == output)
            {
                errors.Add(new Diagnostic(
                    partition.Definition.Place("SplitName"), $"another partition's file is called {path} too; say SplitName="));
            }
            _splitPaths.Add(partition, path);
        }
        errors.AddRange(_splitPaths.Values.Append(output).Where(Path.Exists)
            .Select(static path => new Diagnostic(new Location(path), "exists already")));
        if (errors.Count > 0)
        {
            throw new ConfigException(errors);
        }
    }

    public string Output { get; }

    /// <summary>The file of a partition of its own, or null.</summary>
    public string? SplitPathOf(PlannedPartition partition) => _splitPaths.GetValueOrDefault(partition);

    /// <summary>The files of partitions of their own.</summary>
    public IEnumerable<string> SplitPaths => _splitPaths.Values;

    /// <summary>Writes all files, or none, and returns the SHA-256 of the disk.</summary>
    /// <exception cref="IOException">Something cannot be written.</exception>
    public byte[] Write(CancellationToken cancellation = default)
    {
        var written = new List<string>();
        try
        {
            for (int i = 0; i < _disk.Plan.Partitions.Count; i++)
            {
                var partition = _disk.Plan.Partitions[i];
                if (_splitPaths.TryGetValue(partition, out string? path))
                {
                    ImageFile.Write(Padded(_disk.Contents[i], partition.Length), path, cancellation);
                    written.Add(path);
                }
            }
            return ImageFile.WriteHashed(_disk.Image, Output, cancellation);
        }
        catch
        {
            written.ForEach(File.Delete);
            throw;
        }
    }

    private static Image Padded(Blob? content, long length)
    {
        var image = new ImageBuilder();
        image.Place(0, content ?? Blob.Empty, "partition");
        return image.Build(length);
    }

    private static string ExpandSplitName(PlannedPartition partition, RepartSpecifiers specifiers) =>
        specifiers.Expand(partition.Definition.SplitName!, specifier => specifier switch
        {
            't' => partition.Definition.KnownType?.Name ?? partition.Definition.Type.ToString(),
            'T' => partition.Definition.Type.ToString("N"),
            'U' => partition.Identity.Id.ToString("N"),
            // Counted from 0, unlike the partitions of the disk.
            'n' => (partition.Number - 1).ToString(CultureInfo.InvariantCulture),
            _ => null,
        });

    private static string SplitPath(string output, string name)
    {
        const string extension = ".raw";
        return output.EndsWith(extension, StringComparison.Ordinal)
            ? $"{output[..^extension.Length]}.{name}{extension}"
            : $"{output}.{name}";
    }
}
