using System.Globalization;
using Diecast.Config;

namespace Diecast.Build.Partitioning;

/// <summary>
/// What is known of a partition before its content and size are: enough for a kernel command line, say, that names the
/// root partition from within the boot partition.
/// </summary>
/// <param name="Definition">What the identity was derived for.</param>
/// <param name="Id">The partition's id (PARTUUID), zeros where the definition says so.</param>
/// <param name="FileSystemId">The id of the file system in it.</param>
/// <param name="Label">The partition's name.</param>
public sealed record PartitionIdentity(PartitionDefinition Definition, Guid Id, Guid FileSystemId, string Label)
{
    /// <summary>
    /// The identities for all definitions of a disk, in their order: systemd-repart's ids and labels for the same
    /// definitions and seed.
    /// </summary>
    /// <exception cref="ConfigException">Two partitions would have the same id.</exception>
    public static IReadOnlyList<PartitionIdentity> Derive(IReadOnlyList<PartitionDefinition> definitions, RepartIds ids)
    {
        var identities = new List<PartitionIdentity>();
        var ofType = new Dictionary<Guid, long>();
        foreach (var definition in definitions)
        {
            long earlier = ofType.GetValueOrDefault(definition.Type);
            ofType[definition.Type] = earlier + 1;
            var id = definition.Uuid ?? ids.Partition(definition.Type, earlier);
            string label = definition.Label ?? UniqueLabel(definition.KnownType?.Name ?? "linux", identities);
            identities.Add(new PartitionIdentity(definition, id, RepartIds.FileSystem(id), label));
        }
        var errors = identities
            .Where((identity, i) => identity.Id != Guid.Empty && identities.Take(i).Any(other => other.Id == identity.Id))
            .Select(static identity => new Diagnostic(identity.Definition.Place("UUID"), $"another partition has the UUID {identity.Id} too"))
            .ToList();
        return errors.Count == 0 ? identities : throw new ConfigException(errors);
    }

    // Only the labels of earlier partitions are avoided: a later one may still be given the same.
    private static string UniqueLabel(string name, List<PartitionIdentity> earlier)
    {
        string label = name;
        for (int n = 2; earlier.Any(other => other.Label == label); n++)
        {
            label = string.Create(CultureInfo.InvariantCulture, $"{name}-{n}");
        }
        return label;
    }
}
