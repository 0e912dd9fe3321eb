using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Inspect;

/// <summary>What stands at a path of the host: an image, unpacked where it is compressed, or a directory as a tree.</summary>
public sealed record ImageSource
{
    /// <summary>64 GiB.</summary>
    public const long DefaultUnpackLimit = Unpacker.DefaultLimit;

    /// <summary>As it was given.</summary>
    public required string Path { get; init; }

    /// <summary>The image's bytes; null for a directory.</summary>
    public Blob? Content { get; init; }

    /// <summary>The directory; null for an image.</summary>
    public FileTree? Tree { get; init; }

    /// <summary>What the file was packed with; its data is in an unnamed sparse file then.</summary>
    public Compression Compression { get; init; }

    /// <summary>The file's own length in bytes; 0 for a directory.</summary>
    public long StoredLength { get; init; }

    /// <summary>Opens a file, a block device or a directory. Links are followed.</summary>
    /// <param name="path">On the host.</param>
    /// <param name="unpackLimit">The most bytes that it may unpack to.</param>
    /// <param name="cancellation">Ends the unpacking.</param>
    /// <exception cref="IOException">There is nothing that can be read.</exception>
    /// <exception cref="InvalidDataException">
    /// The compressed data is damaged or too long, or it is an image in a virtual machine's own format.
    /// </exception>
    public static ImageSource Open(string path, long unpackLimit = DefaultUnpackLimit, CancellationToken cancellation = default)
    {
        byte[] bytes = Posix.Bytes(path);
        var status = Posix.Stat(Posix.AT_FDCWD, bytes, followLinks: true);
        switch (status.Type)
        {
            case FileType.Directory:
                return new ImageSource { Path = path, Tree = ReadDirectory(bytes, cancellation) };
            case FileType.Regular or FileType.BlockDevice:
                break;
            default:
                throw new IOException($"{path}: neither a file nor a block device nor a directory");
        }
        var file = Posix.OpenAt(Posix.AT_FDCWD, bytes, Posix.O_RDONLY);
        var stored = new FileBlob(file, status.Type == FileType.Regular ? status.Size : Posix.Length(file), path);
        if (Signatures.DiskImage(stored) is { } format)
        {
            throw new InvalidDataException($"{path}: a {format} image; only raw ones are read (qemu-img convert -O raw makes one)");
        }
        var compression = Unpacker.Detect(stored);
        return new ImageSource
        {
            Path = path,
            StoredLength = stored.Length,
            Compression = compression,
            Content = compression == Compression.None ? stored : Unpack(stored, path, unpackLimit, cancellation),
        };
    }

    private static Blob Unpack(Blob stored, string path, long limit, CancellationToken cancellation)
    {
        try
        {
            return Unpacker.Unpack(stored, limit, cancellation);
        }
        catch (InvalidDataException error)
        {
            throw new InvalidDataException($"{path}: {error.Message}", error);
        }
    }

    private static FileTree ReadDirectory(byte[] path, CancellationToken cancellation) => HostTree.Read(path, new HostTree.Options
    {
        Include = _ =>
        {
            cancellation.ThrowIfCancellationRequested();
            return true;
        },
    });
}
