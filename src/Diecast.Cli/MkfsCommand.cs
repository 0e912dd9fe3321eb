using System.CommandLine;
using Diecast.Build.Partitioning;
using Diecast.Formats;
using Diecast.Formats.Tar;
using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Cli;

/// <summary><c>mkfs</c>: a file system of a directory or a tar archive. Where no ids and times are given, the tree gives them.</summary>
internal sealed class MkfsCommand
{
    private const string EpochVariable = "SOURCE_DATE_EPOCH";

    private static readonly string FormatNames = string.Join(", ", FormatTable.All.Select(static format => format.Name));

    private readonly Terminal _terminal;

    private readonly Argument<IFileSystemFormat> _format = new("FORMAT")
    {
        Description = FormatNames,
        CustomParser = static result => ParsedOption.Parse<IFileSystemFormat>(result, "mkfs", $"is no file system; there are {FormatNames}", FormatTable.Find),
    };

    private readonly Argument<string> _source = new("SOURCE") { Description = "a directory, or a tar archive (gz, xz and zst too), which keeps owners without root" };
    private readonly Argument<string> _image = new("IMAGE") { Description = "the file to write" };

    private readonly Option<Guid?> _seed = ParsedOption.Uuid("--seed", "derive the file system's id from this");
    private readonly Option<Guid?> _uuid = ParsedOption.Uuid("--uuid", "the file system's id (default: derived from the tree)");
    private readonly Option<Guid?> _hashSeed = ParsedOption.Uuid("--hash-seed", "ext4's directory hash seed (default: the file system's id)");
    private readonly Option<long?> _epoch = ParsedOption.Create("--source-date-epoch", "SECONDS", "is not a number of seconds since 1970",
        $"the latest time in the image (default: {EpochVariable}, else the newest time of the tree)", ParsedOption.ParseSeconds);

    private readonly Option<SizeOption?> _size = ParsedOption.Create("--size", "BYTES", "is neither auto nor a number of bytes with K, M, G or T",
        "the size with K, M, G or T, or auto for the least (default)", SizeOption.Parse);

    private readonly Option<int?> _sectorSize = ParsedOption.Create("--sector-size", "BYTES", "is neither 512 nor 4096", "512 (default) or 4096",
        static text => text switch { "512" => 512, "4096" => 4096, _ => (int?)null });

    private readonly Option<CompressOption?> _compress = ParsedOption.Create("--compress", "ALGORITHM", "is not zstd or zlib, with :LEVEL or without, lzo or none",
        "compress contents of btrfs with zstd or zlib (with :LEVEL or without), lzo or none (default)", CompressOption.Parse);

    private readonly Option<FileSystemChecksum?> _checksum = ParsedOption.Create("--csum", "ALGORITHM", "is not crc32c, xxhash, sha256 or blake2",
        "btrfs's checksum: crc32c (default), xxhash, sha256 or blake2", static text => text switch
        {
            "crc32c" => FileSystemChecksum.Crc32C,
            "xxhash" => FileSystemChecksum.XxHash64,
            "sha256" => FileSystemChecksum.Sha256,
            "blake2" => FileSystemChecksum.Blake2b,
            _ => (FileSystemChecksum?)null,
        });

    private readonly Option<string> _label = new("--label") { HelpName = "LABEL", Description = "the volume label" };


    public MkfsCommand(Terminal terminal) => _terminal = terminal;

    public Command Create()
    {
        var command = new Command("mkfs", "make a file system of a directory or a tar archive")
        {
            _format, _source, _image, _seed, _uuid, _hashSeed, _epoch, _size, _label, _sectorSize, _compress, _checksum,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(_seed) is not null && result.GetResult(_uuid) is not null)
            {
                result.AddError("--seed and --uuid exclude each other: the id is derived from the seed");
            }
            if (result.GetResult(_hashSeed) is not null && result.GetValue(_format) is { Name: not "ext4" } format)
            {
                result.AddError($"--hash-seed: {format.Name} has no hash seed");
            }
            if (result.GetResult(_compress) is not null && result.GetValue(_format) is { Name: not "btrfs" } uncompressed)
            {
                result.AddError($"--compress: {uncompressed.Name} does not compress");
            }
            if (result.GetResult(_checksum) is not null && result.GetValue(_format) is { Name: not "btrfs" } other)
            {
                result.AddError($"--csum: {other.Name} has no choice of checksums");
            }
        });
        command.SetAction(result => Verbs.Run(_terminal, cancellation => Make(result, cancellation)));
        return command;
    }

    private int Make(ParseResult arguments, CancellationToken cancellation)
    {
        var format = arguments.GetRequiredValue(_format);
        string source = arguments.GetRequiredValue(_source);
        string target = arguments.GetRequiredValue(_image);
        RequireTarget(source, target);
        // A wrong variable is an error before a large tree has been read.
        var given = (arguments.GetValue(_epoch) ?? EpochOfEnvironment()) is { } seconds ? new Timestamp(seconds) : (Timestamp?)null;

        var tree = ReadTree(source, cancellation);
        var epoch = given ?? TreeTimes.Newest(tree);
        tree = TreeTimes.Clamp(tree, epoch);
        var options = new FileSystemOptions
        {
            Uuid = arguments.GetValue(_uuid) ?? DeriveUuid(arguments.GetValue(_seed), tree, cancellation),
            Epoch = epoch,
            Label = arguments.GetValue(_label) ?? "",
            Size = arguments.GetValue(_size)?.Bytes,
            SectorSize = arguments.GetValue(_sectorSize) ?? 512,
            HashSeed = arguments.GetValue(_hashSeed),
            Compression = arguments.GetValue(_compress)?.Compression ?? FileCompression.None,
            Checksum = arguments.GetValue(_checksum) ?? FileSystemChecksum.Crc32C,
            CompressionLevel = arguments.GetValue(_compress)?.Level,
        };
        var errors = format.Check(tree, options);
        if (errors.Count > 0)
        {
            foreach (string error in errors)
            {
                _terminal.Error(error);
            }
            return 1;
        }
        ImageFile.Write(format.Write(tree, options), target, cancellation);
        return 0;
    }

    /// <summary>
    /// As systemd-repart derives the id of a file system, with the seed in place of the partition's id: there is no
    /// partition. Without a seed, the digest of the tree is the key.
    /// </summary>
    /// <summary>As the file system of a partition with that id would get it.</summary>
    private static Guid DeriveUuid(Guid? seed, FileTree tree, CancellationToken cancellation) =>
        RepartIds.FileSystem(seed?.ToByteArray(bigEndian: true) ?? TreeText.Digest(tree, cancellation));

    private static FileTree ReadTree(string source, CancellationToken cancellation)
    {
        if (Directory.Exists(source))
        {
            return HostTree.Read(Posix.Bytes(source), new HostTree.Options
            {
                Include = _ =>
                {
                    cancellation.ThrowIfCancellationRequested();
                    return true;
                },
            });
        }
        byte[] path = Posix.Bytes(new FileInfo(source).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? source);
        var status = Posix.Stat(Posix.AT_FDCWD, path);
        if (status.Type != FileType.Regular)
        {
            throw new IOException($"{source}: neither a directory nor a file");
        }
        try
        {
            return TarTree.Read(new HostFileBlob(path, status));
        }
        catch (InvalidDataException error)
        {
            throw new InvalidDataException($"{source}: {error.Message}", error);
        }
    }

    /// <summary>The image is renamed into place, and must not take the place of a device or be in its own tree.</summary>
    private static void RequireTarget(string source, string target)
    {
        if (Posix.TryStat(Posix.AT_FDCWD, Posix.Bytes(target), followLinks: true) is { Type: not FileType.Regular })
        {
            throw new IOException($"{target}: exists and is no file");
        }
        string directory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(source)) + Path.DirectorySeparatorChar;
        if (Path.GetFullPath(target).StartsWith(directory, StringComparison.Ordinal))
        {
            throw new IOException($"{target}: lies in {source}, and would be in the next image of it");
        }
    }

    internal static long? EpochOfEnvironment() => Environment.GetEnvironmentVariable(EpochVariable) switch
    {
        null or "" => null,
        var text => ParsedOption.ParseSeconds(text) ?? throw new InvalidDataException($"{EpochVariable}={text}: not a number of seconds"),
    };

}
