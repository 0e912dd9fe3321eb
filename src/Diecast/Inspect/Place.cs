using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Inspect;

/// <summary>Where an address leads: bytes, a node of a tree, or both.</summary>
public sealed record Place
{
    /// <summary>The address as far as it leads here, for people.</summary>
    public required string Address { get; init; }

    /// <summary>The image, or the directory of the host, that the address starts with.</summary>
    public required ImageSource Source { get; init; }

    /// <summary>The bytes of an image, a partition, a section or a file; null where there are none.</summary>
    public Blob? Content { get; init; }

    /// <summary>The part of a container that this is; null for an image and for what stands in a tree.</summary>
    public Part? Part { get; init; }

    /// <summary>What stands at a path in a tree; null elsewhere.</summary>
    public Node? Node { get; init; }

    /// <summary>The path of the node in its tree, behind links; null for the root, and where there is no node.</summary>
    public TreePath? TreePath { get; init; }

    /// <summary>The tree that the node is in; null where there is no node.</summary>
    public FileTree? Tree { get; init; }

    /// <summary>The address ends with a colon: what is in it is meant, not it.</summary>
    public bool IsInside { get; init; }

    /// <summary>In a file system that has no case.</summary>
    internal bool IgnoresCase { get; init; }

    /// <summary>The most bytes that anything compressed may unpack to on the way.</summary>
    internal long UnpackLimit { get; init; } = Unpacker.DefaultLimit;

    /// <summary>The bytes, unpacked where they are compressed, as often as they are.</summary>
    /// <exception cref="InvalidDataException">They are damaged, or too many; the message begins with the address.</exception>
    /// <exception cref="InvalidOperationException">There are no bytes.</exception>
    public Blob Unpacked(CancellationToken cancellation = default)
    {
        // Some data unpacks to itself.
        const int mostLayers = 8;
        var content = Content ?? throw new InvalidOperationException($"{Address} has no bytes");
        return Named(() =>
        {
            for (int i = 0; Unpacker.Detect(content) != Compression.None; i++)
            {
                if (i == mostLayers)
                {
                    throw new InvalidDataException($"compressed more than {mostLayers} times");
                }
                content = Unpacker.Unpack(content, UnpackLimit, cancellation);
            }
            return content;
        });
    }

    /// <summary>
    /// The container that the bytes are, compressions being looked through; null where they are none that is known, and for
    /// what has no bytes.
    /// </summary>
    /// <exception cref="InvalidDataException">It is damaged; the message begins with the address.</exception>
    public Container? Open(CancellationToken cancellation = default) =>
        Content is null ? null : Named(() =>
        {
            var content = Unpacked(cancellation);
            var kind = ContainerTable.Recognize(content, TreePath?.ToString() ?? "");
            // Archives in it may be compressed themselves.
            return kind?.Name == ImageKinds.Cpio ? ImageKinds.ReadCpio(content, UnpackLimit) : kind?.Read(content);
        });

    /// <summary>
    /// The files that are meant: those of the directory that this is, or of the file system or archive that it holds; null
    /// for a file that is neither, and for one in a tree, unless the address ends with a colon.
    /// </summary>
    /// <exception cref="InvalidDataException">What it holds is damaged, or nothing that has files; the message begins with the address.</exception>
    public FileTree? ToTree(CancellationToken cancellation = default)
    {
        if (Node is DirectoryNode directory)
        {
            return new FileTree(directory);
        }
        if (Node is FileNode && !IsInside)
        {
            return null;
        }
        var container = Open(cancellation);
        if (container?.Tree is null && (IsInside || Content is null))
        {
            throw new InvalidDataException($"{Address}: has no files");
        }
        return container?.Tree;
    }

    private T Named<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException error) when (!error.Message.StartsWith(Address, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"{Address}: {error.Message}", error);
        }
    }
}
