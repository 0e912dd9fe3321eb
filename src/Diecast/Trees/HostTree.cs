using Diecast.Images;
using Microsoft.Win32.SafeHandles;

namespace Diecast.Trees;

/// <summary>Reads a directory of the host as a <see cref="FileTree"/>.</summary>
public sealed class HostTree
{
    private readonly Dictionary<(ulong Device, ulong Inode), Node> _links = [];
    private readonly Options _options;

    private HostTree(Options options) => _options = options;

    /// <summary>How the host's metadata becomes the tree's.</summary>
    public sealed record Options
    {
        /// <summary>Whether extended attributes are taken, but for those that only describe the host.</summary>
        public bool Xattrs { get; init; } = true;

        /// <summary>
        /// The metadata that a file gets; its attributes are read only when they are asked for. As on the host by default.
        /// </summary>
        public Func<TreePath?, FileStatus, Func<IReadOnlyList<Xattr>>, Metadata> Metadata { get; init; } = AsOnHost;

        /// <summary>Another node for a path that is no directory on the host; null for the host's own.</summary>
        public Func<TreePath, FileStatus, Node?> Replace { get; init; } = static (_, _) => null;

        /// <summary>Whether a path is taken at all; a directory that is not has no content either.</summary>
        public Func<TreePath, bool> Include { get; init; } = static _ => true;

        private static Metadata AsOnHost(TreePath? path, FileStatus status, Func<IReadOnlyList<Xattr>> readXattrs) =>
            new(status.Permissions, status.Uid, status.Gid, status.Mtime) { Xattrs = [.. readXattrs()] };
    }

    /// <summary>The tree at and below a directory. The host's links are not followed; other file systems are entered.</summary>
    /// <exception cref="PosixException">Something cannot be read.</exception>
    public static FileTree Read(ReadOnlySpan<byte> path, Options? options = null)
    {
        byte[] root = path.ToArray();
        using var directory = Posix.OpenAt(Posix.AT_FDCWD, root, Posix.O_RDONLY | Posix.O_DIRECTORY);
        var status = Posix.Stat(Posix.Fd(directory), []);
        return new FileTree(new HostTree(options ?? new Options()).ReadDirectory(directory, root, null, status));
    }

    private DirectoryNode ReadDirectory(SafeFileHandle directory, byte[] hostPath, TreePath? path, FileStatus status)
    {
        var names = Posix.ReadDirectory(directory, hostPath);
        // The first name in byte order makes the node that hard links share.
        names.Sort();
        var entries = new List<DirectoryEntry>(names.Count);
        foreach (var name in names)
        {
            var childPath = new TreePath(path, name);
            if (_options.Include(childPath))
            {
                entries.Add(new DirectoryEntry(name, ReadNode(directory, Join(hostPath, name), childPath)));
            }
        }
        return new DirectoryNode(MetadataOf(hostPath, path, status), entries);
    }

    private Node ReadNode(SafeFileHandle parent, byte[] hostPath, TreePath path)
    {
        int fd = Posix.Fd(parent);
        var status = Posix.Stat(fd, path.Name.Bytes);
        if (status.Type == FileType.Directory)
        {
            using var directory = Posix.OpenAt(fd, path.Name.Bytes, Posix.O_RDONLY | Posix.O_DIRECTORY | Posix.O_NOFOLLOW);
            return ReadDirectory(directory, hostPath, path, status);
        }
        if (status.Nlink > 1 && _links.TryGetValue((status.Device, status.Inode), out var known))
        {
            return known;
        }
        var metadata = MetadataOf(hostPath, path, status);
        Node node = _options.Replace(path, status) ?? status.Type switch
        {
            FileType.Regular => new FileNode(metadata, new HostFileBlob(hostPath, status)),
            FileType.Symlink => new SymlinkNode(metadata, [.. Posix.ReadLink(fd, path.Name.Bytes)]),
            FileType.CharacterDevice or FileType.BlockDevice =>
                new DeviceNode(metadata, status.Type, status.RdevMajor, status.RdevMinor),
            _ => new SpecialNode(metadata, status.Type),
        };
        if (status.Nlink > 1)
        {
            _links.Add((status.Device, status.Inode), node);
        }
        return node;
    }

    private Metadata MetadataOf(byte[] hostPath, TreePath? path, FileStatus status) =>
        _options.Metadata(path, status, () => _options.Xattrs ? XattrsOf(hostPath) : []);

    /// <summary>
    /// The attributes of a path on the host that belong to the file. Labels and measurements that the host's
    /// security modules keep (SELinux, IMA, EVM, SMACK) and what its file system keeps for itself do not.
    /// </summary>
    public static List<Xattr> XattrsOf(ReadOnlySpan<byte> hostPath)
    {
        var xattrs = new List<Xattr>();
        foreach (byte[] name in Posix.ListXattrs(hostPath))
        {
            if (BelongsToFile(name) && Posix.GetXattr(hostPath, name) is { } value)
            {
                xattrs.Add(Xattr.Create(name, value));
            }
        }
        return xattrs;
    }

    private static bool BelongsToFile(ReadOnlySpan<byte> name) =>
        name.StartsWith("user."u8) || name.StartsWith("trusted."u8) || name.SequenceEqual("security.capability"u8)
        || name.SequenceEqual("system.posix_acl_access"u8) || name.SequenceEqual("system.posix_acl_default"u8);

    /// <summary>The names in a directory of the host, in byte order.</summary>
    public static IReadOnlyList<FileName> Names(ReadOnlySpan<byte> path)
    {
        using var directory = Posix.OpenAt(Posix.AT_FDCWD, path, Posix.O_RDONLY | Posix.O_DIRECTORY);
        var names = Posix.ReadDirectory(directory, path);
        names.Sort();
        return names;
    }

    /// <summary>Gives the files of a directory of the host the metadata of a tree that was read from it, as far as the host lets.</summary>
    public static void Apply(FileTree tree, ReadOnlySpan<byte> path)
    {
        // Backwards, so that a directory comes after what is in it.
        foreach (var entry in tree.Walk().Reverse())
        {
            byte[] host = [.. path, .. entry.Path?.ToBytes() ?? []];
            Posix.SetTimes(Posix.AT_FDCWD, host, entry.Node.Metadata.Mtime);
        }
    }

    /// <summary>Removes a name from an open directory with all below it. Links are not followed.</summary>
    public static void Delete(int directory, ReadOnlySpan<byte> name)
    {
        if (Posix.Stat(directory, name).Type != FileType.Directory)
        {
            Posix.UnlinkAt(directory, name);
            return;
        }
        // A script may have taken the owner's permissions away.
        Posix.ChmodAt(directory, name, 0x1C0);
        using (var inside = Posix.OpenAt(directory, name, Posix.O_RDONLY | Posix.O_DIRECTORY | Posix.O_NOFOLLOW))
        {
            foreach (var child in Posix.ReadDirectory(inside, name))
            {
                Delete(Posix.Fd(inside), child.Bytes);
            }
        }
        Posix.UnlinkAt(directory, name, isDirectory: true);
    }

    private static byte[] Join(byte[] directory, FileName name) => [.. directory, (byte)'/', .. name.Bytes];
}

/// <summary>
/// A file of the host. It is opened when it is read; that it has changed since the tree was made is an error.
/// </summary>
public sealed class HostFileBlob(byte[] path, FileStatus status) : Blob
{
    // The file that a thread read last stays open: large files are read in pieces.
    [ThreadStatic]
    private static (HostFileBlob Owner, SafeFileHandle Handle)? t_open;

    public override long Length => status.Size;

    public override long NextData(long offset) => FileHoles.NextData(Open(), offset, Length);

    public override string Describe() => FileName.Display(path);

    protected override void ReadCore(long offset, Span<byte> destination)
    {
        var handle = Open();
        while (!destination.IsEmpty)
        {
            int got = RandomAccess.Read(handle, destination, offset);
            if (got == 0)
            {
                throw Changed();
            }
            offset += got;
            destination = destination[got..];
        }
    }

    private SafeFileHandle Open()
    {
        if (t_open is { } open)
        {
            if (open.Owner == this)
            {
                return open.Handle;
            }
            open.Handle.Dispose();
            t_open = null;
        }
        var handle = Posix.OpenAt(Posix.AT_FDCWD, path, Posix.O_RDONLY | Posix.O_NOFOLLOW);
        var now = Posix.Stat(Posix.Fd(handle), []);
        if (now.Size != status.Size || now.Mtime != status.Mtime || now.Inode != status.Inode)
        {
            handle.Dispose();
            throw Changed();
        }
        t_open = (this, handle);
        return handle;
    }

    private IOException Changed() => new($"{Describe()}: changed while the image was being made");
}
