using System.Buffers.Binary;
using Diecast.Build.Partitioning;
using Diecast.Config;
using Diecast.Formats;
using Diecast.Trees;

namespace Diecast.Build;

/// <summary>Plan, Format and Partition: from a root to a disk.</summary>
internal sealed class DiskStage
{
    private const string Esp = """
        [Partition]
        Type=esp
        Format=vfat
        CopyFiles=/boot:/
        CopyFiles=/efi:/
        SizeMinBytes=512M
        SizeMaxBytes=512M
        """;

    private const string Root = """
        [Partition]
        Type=root
        Format=ext4
        CopyFiles=/
        Minimize=guess
        """;

    private readonly BuildConfig _config;
    private readonly Timestamp _epoch;
    private readonly Guid _seed;
    private readonly RepartIds _ids;

    /// <param name="hasBootLoader">Whether the default definitions have an EFI system partition.</param>
    /// <exception cref="ConfigException">A definition is wrong.</exception>
    public DiskStage(BuildConfig config, FileTree root, bool hasBootLoader, Guid seed, Timestamp epoch)
    {
        (_config, _epoch, _seed, _ids) = (config, epoch, seed, new RepartIds(seed));
        Specifiers = RepartSpecifiers.ForTree(Names.Of(config.Architecture), root);
        var definitions = config.RepartDirectories.IsEmpty
            ? Default(hasBootLoader)
            : DefinitionReader.Read(config.RepartDirectories, Specifiers, options: config.MkfsOptions);
        Partitions = PartitionIdentity.Derive(definitions, _ids);
    }

    public RepartSpecifiers Specifiers { get; }

    /// <summary>Known before there is any content.</summary>
    public IReadOnlyList<PartitionIdentity> Partitions { get; }

    /// <summary>The disk with its file systems.</summary>
    /// <param name="source">The root with /efi and /boot filled.</param>
    /// <exception cref="ConfigException">The content does not fit the definitions.</exception>
    public RepartDisk Make(FileTree source, Action<string> notice)
    {
        var geometry = new DiskGeometry();
        var formatter = new PartitionFormatter(Partitions, geometry, _epoch, FormatTable.Find) { Adjust = Adjust, Notice = notice };
        var plan = DiskPlan.Create(Partitions, _ids.Disk, geometry, identity => formatter.ContentSize(identity, source));
        var contents = plan.Partitions.Select(partition => formatter.Format(partition, source)).ToList();
        return new RepartDisk(_seed, plan, contents, plan.Assemble(partition => contents[partition.Number - 1]));
    }

    private List<PartitionDefinition> Default(bool hasBootLoader)
    {
        var definitions = new List<PartitionDefinition>();
        if (hasBootLoader)
        {
            definitions.Add(DefinitionReader.Parse(Esp, "00-esp.conf", Specifiers, options: _config.MkfsOptions));
        }
        definitions.Add(DefinitionReader.Parse(Root, "10-root.conf", Specifiers, options: _config.MkfsOptions));
        return definitions;
    }

    /// <summary>What the user told mkfs in the environment.</summary>
    private FileSystemOptions Adjust(PartitionIdentity partition, FileSystemOptions options)
    {
        var wanted = _config.MkfsOptions;
        return partition.Definition.Format switch
        {
            "ext4" => options with { Uuid = wanted.Ext4Uuid ?? options.Uuid, HashSeed = wanted.Ext4HashSeed ?? options.HashSeed },
            "btrfs" => options with { Uuid = wanted.BtrfsUuid ?? options.Uuid, Checksum = ChecksumOf(wanted.BtrfsChecksum) },
            "vfat" when wanted.VfatVolumeId is { } serial => options with { Uuid = WithSerial(options.Uuid, serial) },
            _ => options,
        };
    }

    private static FileSystemChecksum ChecksumOf(string? name) => name switch
    {
        "xxhash" => FileSystemChecksum.XxHash64,
        "sha256" => FileSystemChecksum.Sha256,
        "blake2" => FileSystemChecksum.Blake2b,
        _ => FileSystemChecksum.Crc32C,
    };

    private static Guid WithSerial(Guid uuid, uint serial)
    {
        Span<byte> bytes = stackalloc byte[16];
        uuid.TryWriteBytes(bytes, bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32BigEndian(bytes, serial);
        return new Guid(bytes, bigEndian: true);
    }
}
