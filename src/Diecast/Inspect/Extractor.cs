using System.Globalization;
using Diecast.Images;
using Diecast.Trees;
using Microsoft.Win32.SafeHandles;

namespace Diecast.Inspect;

/// <summary>
/// Writes a tree into an empty directory of the host. Every name is a single one below an open directory, links are never
/// followed and nothing that exists is touched, so that no tree leads out of it.
/// </summary>
public sealed class Extractor : IDisposable
{
    private const int SetIds = 0xC00;

    private readonly SafeFileHandle _root;
    private readonly string _path;
    private readonly bool _keepsOwners;
    private readonly Dictionary<Node, byte[]> _first = new(ReferenceEqualityComparer.Instance);
    private (TreePath? Path, SafeFileHandle Handle)? _parent;
    private long _owners;
    private long _setIds;
    private long _xattrs;
    private long _devices;

    /// <summary>Makes the directory where it does not exist.</summary>
    /// <param name="path">On the host; a directory there must be empty.</param>
    /// <param name="keepsOwners">Gives files the owners of the tree, as far as the host lets.</param>
    /// <exception cref="IOException">It cannot be made, or is not empty.</exception>
    public Extractor(string path, bool keepsOwners)
    {
        (_path, _keepsOwners) = (path, keepsOwners);
        byte[] bytes = Posix.Bytes(path);
        if (Posix.TryStat(Posix.AT_FDCWD, bytes, followLinks: true) is null)
        {
            Posix.MkdirAt(Posix.AT_FDCWD, bytes, 0x1C0);
        }
        _root = Posix.OpenAt(Posix.AT_FDCWD, bytes, Posix.O_RDONLY | Posix.O_DIRECTORY);
        if (Posix.ReadDirectory(_root, bytes).Count > 0)
        {
            _root.Dispose();
            throw new IOException($"{path}: is not empty");
        }
    }

    /// <summary>What the host did not let be set, a line each; empty where everything is as in the tree.</summary>
    public IReadOnlyList<string> Warnings =>
    [
        .. Warning(_owners, "has another owner than in the image", "have other owners than in the image"),
        .. Warning(_setIds, "is not set-user-ID or set-group-ID, since its owner is another", "are not set-user-ID or set-group-ID, since their owners are others"),
        .. Warning(_xattrs, "lacks extended attributes", "lack extended attributes"),
        .. Warning(_devices, "is a device node and was left out", "are device nodes and were left out"),
    ];

    /// <summary>Writes the tree.</summary>
    /// <exception cref="IOException">The host cannot hold it.</exception>
    /// <exception cref="InvalidDataException">The image is damaged; what came before is there.</exception>
    /// <exception cref="OperationCanceledException">Between two files.</exception>
    public void Write(FileTree tree, CancellationToken cancellation = default)
    {
        var directories = new List<TreeEntry>();
        foreach (var entry in tree.Walk())
        {
            cancellation.ThrowIfCancellationRequested();
            if (entry.Node is DirectoryNode)
            {
                directories.Add(entry);
            }
            if (entry.Path is { } path)
            {
                Add(path, entry.Node, cancellation);
            }
        }
        // Backwards, so that a directory comes after what is in it: names change its time, and its mode may forbid them.
        directories.Reverse();
        foreach (var (path, node) in directories)
        {
            if (path is null)
            {
                SetMetadata(Posix.Fd(_root), "."u8, node);
            }
            else
            {
                SetMetadata(OpenParent(path.Parent), path.Name.Bytes, node);
            }
        }
    }

    public void Dispose()
    {
        _parent?.Handle.Dispose();
        _root.Dispose();
    }

    private IEnumerable<string> Warning(long count, string one, string many)
    {
        if (count > 0)
        {
            yield return $"{_path}: {count.ToString(CultureInfo.InvariantCulture)} {(count == 1 ? "file " + one : "files " + many)}";
        }
    }

    private void Add(TreePath path, Node node, CancellationToken cancellation)
    {
        int parent = OpenParent(path.Parent);
        var name = path.Name.Bytes;
        if (node is not DirectoryNode && !_first.TryAdd(node, path.ToBytes()[1..]))
        {
            // A device that could not be made has no other names either.
            if (Posix.TryStat(Posix.Fd(_root), _first[node]) is not null)
            {
                Posix.LinkAt(Posix.Fd(_root), _first[node], parent, name);
            }
            return;
        }
        switch (node)
        {
            case DirectoryNode:
                Posix.MkdirAt(parent, name, 0x1C0);
                return;
            case FileNode file:
                using (var handle = Posix.OpenAt(parent, name, Posix.O_WRONLY | Posix.O_CREAT | Posix.O_EXCL | Posix.O_NOFOLLOW, 0x180))
                {
                    var output = new SparseOutput(handle);
                    BlobCopy.CopyTo(file.Content, output, cancellation);
                    output.Finish();
                }
                break;
            case SymlinkNode link:
                Posix.SymlinkAt(link.Target.AsSpan(), parent, name);
                break;
            case DeviceNode device:
                if (!TryMakeDevice(parent, name, device))
                {
                    return;
                }
                break;
            default:
                Posix.MknodAt(parent, name, (uint)(node.Type == FileType.Fifo ? Posix.S_IFIFO : Posix.S_IFSOCK) | 0x180, 0, 0);
                break;
        }
        SetMetadata(parent, name, node);
    }

    private bool TryMakeDevice(int parent, ReadOnlySpan<byte> name, DeviceNode device)
    {
        try
        {
            uint type = device.Type == FileType.BlockDevice ? (uint)Posix.S_IFBLK : Posix.S_IFCHR;
            Posix.MknodAt(parent, name, type | 0x180, device.Major, device.Minor);
            return true;
        }
        catch (PosixException error) when (error.Error is Posix.EPERM or Posix.EINVAL)
        {
            _devices++;
            return false;
        }
    }

    /// <summary>The owner first, since changing it takes set-user-ID and capabilities away; the time last.</summary>
    private void SetMetadata(int parent, ReadOnlySpan<byte> name, Node node)
    {
        var metadata = node.Metadata;
        bool isOwned = SetOwner(parent, name, metadata);
        if (node is not SymlinkNode)
        {
            int mode = metadata.Mode;
            if (!isOwned && node is not DirectoryNode && (mode & SetIds) != 0)
            {
                mode &= ~SetIds;
                _setIds++;
            }
            Posix.ChmodAt(parent, name, (uint)mode);
        }
        SetXattrs(parent, name, metadata);
        Posix.SetTimes(parent, name, metadata.Mtime);
    }

    private bool SetOwner(int parent, ReadOnlySpan<byte> name, Metadata metadata)
    {
        var now = Posix.Stat(parent, name);
        if (now.Uid == metadata.Uid && now.Gid == metadata.Gid)
        {
            return true;
        }
        if (!_keepsOwners)
        {
            return false;
        }
        try
        {
            Posix.ChownAt(parent, name, metadata.Uid, metadata.Gid);
            return true;
        }
        catch (PosixException error) when (error.Error is Posix.EPERM or Posix.EINVAL)
        {
            _owners++;
            return false;
        }
    }

    private void SetXattrs(int parent, ReadOnlySpan<byte> name, Metadata metadata)
    {
        bool lacks = false;
        foreach (var xattr in metadata.Xattrs)
        {
            try
            {
                // There is no such call below a directory.
                Posix.SetXattr([.. "/proc/self/fd/"u8, .. Posix.Bytes(parent.ToString(CultureInfo.InvariantCulture)), (byte)'/', .. name],
                    xattr.Name.AsSpan(), xattr.Value.AsSpan());
            }
            catch (PosixException error) when (error.Error is Posix.EPERM or Posix.EACCES or Posix.EOPNOTSUPP or Posix.EINVAL or Posix.ENOSPC or Posix.ERANGE)
            {
                lacks = true;
            }
        }
        _xattrs += lacks ? 1 : 0;
    }

    private int OpenParent(TreePath? path)
    {
        if (path is null)
        {
            return Posix.Fd(_root);
        }
        if (_parent is { } open && ReferenceEquals(open.Path, path))
        {
            return Posix.Fd(open.Handle);
        }
        _parent?.Handle.Dispose();
        _parent = null;
        var handle = Posix.OpenAt2(
            Posix.Fd(_root), path.ToBytes().AsSpan(1), Posix.O_RDONLY | Posix.O_DIRECTORY, 0, Posix.RESOLVE_BENEATH | Posix.RESOLVE_NO_SYMLINKS);
        _parent = (path, handle);
        return Posix.Fd(handle);
    }
}
