using System.Runtime.InteropServices;
using Diecast.Trees;
using Microsoft.Win32.SafeHandles;

namespace Diecast.Packages;

/// <summary>
/// The directory on the host in which an image is put together, so that the image's own scripts can run in it, and beside
/// it what the directory cannot hold: device nodes, trusted attributes, owners outside of the namespace, exact times.
/// A package's path never leads through a symbolic link and never out of the root.
/// </summary>
public sealed partial class StagedRoot : IDisposable
{
    /// <summary>What was put at a path, and how the host shows it.</summary>
    private sealed class Record(Metadata metadata, DeviceNode? device, FileStatus status, IReadOnlyList<Xattr> hostXattrs)
    {
        public readonly Metadata Metadata = metadata;
        public readonly DeviceNode? Device = device;
        public FileStatus Status = status;
        public readonly IReadOnlyList<Xattr> HostXattrs = hostXattrs;

        /// <summary>A script added or removed names in this directory.</summary>
        public bool Changed;
    }

    private readonly SafeFileHandle _root;
    private readonly byte[] _hostPath;
    private readonly Dictionary<FileName, Record> _records = [];
    private readonly HashSet<FileName> _touched = [];
    private readonly byte[] _copyBuffer = new byte[128 * 1024];
    private (FileName Path, SafeFileHandle Handle)? _parent;

    /// <summary>Makes the directory, which must not exist; its parent must.</summary>
    /// <param name="path">On the host.</param>
    /// <param name="epoch">The time of what comes from no package; later times are clamped to it.</param>
    public StagedRoot(string path, Timestamp epoch)
    {
        HostPath = path;
        Epoch = epoch;
        byte[] bytes = Posix.Bytes(path);
        Posix.MkdirAt(Posix.AT_FDCWD, bytes, 0x1ED);
        // What the parent directory passes on (setgid, group, default ACL) must not reach the image.
        Posix.ChownAt(Posix.AT_FDCWD, bytes, 0, 0);
        Posix.RemoveXattr(bytes, "system.posix_acl_access"u8);
        Posix.RemoveXattr(bytes, "system.posix_acl_default"u8);
        Posix.ChmodAt(Posix.AT_FDCWD, bytes, 0x1ED);
        _root = Posix.OpenAt(Posix.AT_FDCWD, bytes, Posix.O_RDONLY | Posix.O_DIRECTORY);
        _hostPath = HostPathOf(_root);
    }

    public string HostPath { get; }

    public Timestamp Epoch { get; }

    /// <summary>Whether anything is at the path; links are not followed.</summary>
    public bool Exists(ReadOnlySpan<byte> path) => Status(path) is not null;

    public FileStatus? Status(ReadOnlySpan<byte> path)
    {
        path = Normalize(path);
        return path.IsEmpty ? Posix.Stat(Posix.Fd(_root), []) : TryParent(path) is { } parent ? Posix.TryStat(parent, NameOf(path)) : null;
    }

    /// <summary>A file's content, links followed within the root; null where there is none.</summary>
    public byte[]? ReadFile(ReadOnlySpan<byte> path)
    {
        try
        {
            using var file = Posix.OpenAt2(Posix.Fd(_root), Normalize(path), Posix.O_RDONLY, 0, Posix.RESOLVE_IN_ROOT);
            var bytes = new byte[RandomAccess.GetLength(file)];
            int got = RandomAccess.Read(file, bytes, 0);
            return bytes[..got];
        }
        catch (PosixException e) when (e.Error is Posix.ENOENT or Posix.ENOTDIR)
        {
            return null;
        }
    }

    /// <summary>The names in a directory in byte order, links followed within the root; empty where there is none.</summary>
    public IReadOnlyList<FileName> List(ReadOnlySpan<byte> path)
    {
        try
        {
            path = Normalize(path);
            using var directory = Posix.OpenAt2(
                Posix.Fd(_root), path.IsEmpty ? "."u8 : path, Posix.O_RDONLY | Posix.O_DIRECTORY, 0, Posix.RESOLVE_IN_ROOT);
            var names = Posix.ReadDirectory(directory, path);
            names.Sort();
            return names;
        }
        catch (PosixException e) when (e.Error is Posix.ENOENT or Posix.ENOTDIR)
        {
            return [];
        }
    }

    /// <summary>Adds a directory; one that exists is left untouched, as pacman does.</summary>
    public void AddDirectory(ReadOnlySpan<byte> path, Metadata metadata)
    {
        path = Normalize(path);
        if (path.IsEmpty)
        {
            return;
        }
        int parent = Parent(path);
        if (Posix.TryStat(parent, NameOf(path)) is { } existing)
        {
            if (existing.Type == FileType.Directory)
            {
                return;
            }
            throw new InvalidDataException($"/{FileName.Display(path)}: a directory where a {existing.Type} is already");
        }
        Touch(path);
        Posix.MkdirAt(parent, NameOf(path), 0x1C0);
        Finish(path, parent, metadata, null);
    }

    /// <summary>Adds a file, in place of one that is there.</summary>
    public void AddFile(ReadOnlySpan<byte> path, Metadata metadata, Stream content)
    {
        path = Normalize(path);
        int parent = Prepare(path);
        using (var file = Posix.OpenAt(parent, NameOf(path), Posix.O_WRONLY | Posix.O_CREAT | Posix.O_EXCL | Posix.O_NOFOLLOW, 0x180))
        {
            Copy(content, file, path);
        }
        Finish(path, parent, metadata, null);
    }

    public void AddFile(ReadOnlySpan<byte> path, Metadata metadata, ReadOnlySpan<byte> content)
    {
        using var stream = new MemoryStream(content.ToArray(), writable: false);
        AddFile(path, metadata, stream);
    }

    public void AddSymlink(ReadOnlySpan<byte> path, Metadata metadata, ReadOnlySpan<byte> target)
    {
        path = Normalize(path);
        int parent = Prepare(path);
        Posix.SymlinkAt(target, parent, NameOf(path));
        Finish(path, parent, metadata, null);
    }

    /// <summary>Adds another name for a file that is in the root already.</summary>
    public void AddHardLink(ReadOnlySpan<byte> path, ReadOnlySpan<byte> existing)
    {
        path = Normalize(path);
        existing = Normalize(existing);
        int parent = Prepare(path);
        // Prepare's parent stays open while the other one is looked up.
        using var target = Posix.OpenAt2(
            Posix.Fd(_root), ParentOf(existing) is { IsEmpty: false } directory ? directory : "."u8,
            Posix.O_PATH | Posix.O_DIRECTORY, 0, Posix.RESOLVE_BENEATH | Posix.RESOLVE_NO_SYMLINKS);
        Posix.LinkAt(Posix.Fd(target), NameOf(existing), parent, NameOf(path));
        if (_records.TryGetValue(new FileName(existing), out var record))
        {
            record.Status = Posix.Stat(parent, NameOf(path));
            _records[new FileName(path)] = record;
        }
    }

    /// <summary>Adds a device node, fifo or socket. What the namespace cannot make is kept beside, an empty file in its place.</summary>
    public void AddSpecial(ReadOnlySpan<byte> path, Metadata metadata, FileType type, uint major, uint minor)
    {
        path = Normalize(path);
        int parent = Prepare(path);
        if (type is FileType.CharacterDevice or FileType.BlockDevice)
        {
            Posix.OpenAt(parent, NameOf(path), Posix.O_WRONLY | Posix.O_CREAT | Posix.O_EXCL | Posix.O_NOFOLLOW, 0x180).Dispose();
            Finish(path, parent, metadata, new DeviceNode(metadata, type, major, minor));
        }
        else
        {
            Posix.MknodAt(parent, NameOf(path), (uint)(type == FileType.Fifo ? Posix.S_IFIFO : Posix.S_IFSOCK) | 0x180, 0, 0);
            Finish(path, parent, metadata, null);
        }
    }

    /// <summary>Removes a path with all below it; one that is not there is no error. Links are not followed.</summary>
    public void Remove(ReadOnlySpan<byte> path)
    {
        path = Normalize(path);
        if (path.IsEmpty || TryParent(path) is not { } parent || Posix.TryStat(parent, NameOf(path)) is null)
        {
            return;
        }
        byte[] copy = path.ToArray();
        CloseParent();
        using var directory = OpenDirectory(ParentOf(copy));
        HostTree.Delete(Posix.Fd(directory), NameOf(copy));
    }

    /// <summary>
    /// Follows a file that a program has renamed: under its new name it is still what was put into the root. Where something
    /// else is there now, that is the program's.
    /// </summary>
    public void FollowRename(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        if (!Exists(from) && _records.Remove(new FileName(Normalize(from)), out var record)
            && Status(to) is { } status && status.Inode == record.Status.Inode && status.Type == record.Status.Type)
        {
            _records[new FileName(Normalize(to))] = record;
        }
    }

    /// <summary>Has a directory be one that a script changed, whether or not one did.</summary>
    public void MarkChanged(ReadOnlySpan<byte> path)
    {
        if (_records.TryGetValue(new FileName(Normalize(path)), out var record))
        {
            record.Changed = true;
        }
    }

    /// <summary>Ends a package: directories get their own times back, which adding names to them changed.</summary>
    public void EndPackage()
    {
        foreach (var path in _touched)
        {
            if (_records.TryGetValue(path, out var record) && record.Status.Type == FileType.Directory && TryParent(path.Bytes) is { } parent)
            {
                Posix.SetTimes(parent, NameOf(path.Bytes), record.Metadata.Mtime);
                record.Status = Posix.Stat(parent, NameOf(path.Bytes));
            }
        }
        _touched.Clear();
        CloseParent();
    }

    public void Dispose()
    {
        CloseParent();
        _root.Dispose();
    }

    private int Prepare(ReadOnlySpan<byte> path)
    {
        if (path.IsEmpty)
        {
            throw new InvalidDataException("The root must be a directory");
        }
        int parent = Parent(path);
        Touch(path);
        if (Posix.TryStat(parent, NameOf(path)) is { } existing)
        {
            if (existing.Type == FileType.Directory)
            {
                throw new InvalidDataException($"/{FileName.Display(path)}: a file where a directory is already");
            }
            Posix.UnlinkAt(parent, NameOf(path));
            _records.Remove(new FileName(path));
        }
        return parent;
    }

    private void Finish(ReadOnlySpan<byte> path, int parent, Metadata metadata, DeviceNode? device)
    {
        var name = NameOf(path);
        byte[] hostPath = [.. Posix.Bytes(HostPath), (byte)'/', .. path];
        try
        {
            Posix.ChownAt(parent, name, metadata.Uid, metadata.Gid);
        }
        catch (PosixException e) when (e.Error is Posix.EINVAL or Posix.EPERM)
        {
            // The namespace has no such id: kept beside.
        }
        bool isLink = Posix.Stat(parent, name).Type == FileType.Symlink;
        if (!isLink)
        {
            Posix.ChmodAt(parent, name, metadata.Mode);
        }
        var held = new List<Xattr>();
        foreach (var xattr in metadata.Xattrs)
        {
            try
            {
                Posix.SetXattr(hostPath, xattr.Name.AsSpan(), xattr.Value.AsSpan());
                held.Add(xattr);
            }
            catch (PosixException e) when (e.Error is Posix.EPERM or Posix.EOPNOTSUPP or Posix.EINVAL or Posix.ENOSPC or Posix.ERANGE)
            {
                // The host's file system or the namespace cannot hold it: kept beside.
            }
        }
        Posix.SetTimes(parent, name, metadata.Mtime);
        _records[new FileName(path)] = new Record(metadata, device, Posix.Stat(parent, name), held);
    }

    /// <summary>Before a name is added: remembers the parent directory and whether a script has changed it.</summary>
    private void Touch(ReadOnlySpan<byte> path)
    {
        var parentPath = new FileName(ParentOf(path));
        if (parentPath.Length > 0 && _touched.Add(parentPath) && _records.TryGetValue(parentPath, out var record))
        {
            record.Changed |= Posix.Stat(_parent is { } p && p.Path == parentPath ? Posix.Fd(p.Handle) : throw new System.Diagnostics.UnreachableException(), []).Mtime != record.Status.Mtime;
        }
        _touched.Add(new FileName(path));
    }

    private void Copy(Stream content, SafeFileHandle file, ReadOnlySpan<byte> path)
    {
        long offset = 0;
        int got;
        while ((got = content.ReadAtLeast(_copyBuffer, _copyBuffer.Length, throwOnEndOfStream: false)) > 0)
        {
            try
            {
                RandomAccess.Write(file, _copyBuffer.AsSpan(0, got), offset);
            }
            catch (IOException e)
            {
                // The runtime says only what is wrong, such as a full disk.
                throw new IOException($"{HostPath}/{FileName.Display(path)}: {e.Message}", e);
            }
            offset += got;
        }
    }

    private int Parent(ReadOnlySpan<byte> path)
    {
        try
        {
            return OpenParent(path);
        }
        catch (PosixException e) when (e.Error is Posix.ELOOP or Posix.EXDEV or Posix.ENOTDIR)
        {
            throw new InvalidDataException($"/{FileName.Display(path)}: leads through a symbolic link or a file");
        }
        catch (PosixException e) when (e.Error == Posix.ENOENT)
        {
            byte[] copy = path.ToArray();
            MakeImplied(ParentOf(copy));
            return OpenParent(copy);
        }
    }

    /// <summary>A directory that no package lists: root's, 0755, of the time of the image.</summary>
    private void MakeImplied(ReadOnlySpan<byte> path)
    {
        int parent = Parent(path);
        Touch(path);
        Posix.MkdirAt(parent, NameOf(path), 0x1C0);
        Posix.ChmodAt(parent, NameOf(path), 0x1ED);
    }

    private int? TryParent(ReadOnlySpan<byte> path)
    {
        try
        {
            return OpenParent(path);
        }
        catch (PosixException e) when (e.Error is Posix.ELOOP or Posix.EXDEV or Posix.ENOTDIR or Posix.ENOENT)
        {
            return null;
        }
    }

    private int OpenParent(ReadOnlySpan<byte> path)
    {
        var parent = ParentOf(path);
        if (parent.IsEmpty)
        {
            return Posix.Fd(_root);
        }
        if (_parent is { } open && open.Path.Bytes.SequenceEqual(parent))
        {
            return Posix.Fd(open.Handle);
        }
        CloseParent();
        var handle = OpenDirectory(parent);
        _parent = (new FileName(parent), handle);
        return Posix.Fd(handle);
    }

    private SafeFileHandle OpenDirectory(ReadOnlySpan<byte> path) => Posix.OpenAt2(
        Posix.Fd(_root), path.IsEmpty ? "."u8 : path, Posix.O_PATH | Posix.O_DIRECTORY, 0,
        Posix.RESOLVE_BENEATH | Posix.RESOLVE_NO_SYMLINKS);

    private void CloseParent()
    {
        _parent?.Handle.Dispose();
        _parent = null;
    }

    private static ReadOnlySpan<byte> ParentOf(ReadOnlySpan<byte> path) => path[..Math.Max(0, path.LastIndexOf((byte)'/'))];

    private static ReadOnlySpan<byte> NameOf(ReadOnlySpan<byte> path) => path[(path.LastIndexOf((byte)'/') + 1)..];

    /// <summary>Without slashes at the ends and "." components.</summary>
    /// <exception cref="InvalidDataException">A component is "..", too long, or holds a NUL.</exception>
    private static ReadOnlySpan<byte> Normalize(ReadOnlySpan<byte> path)
    {
        var clean = new List<byte>(path.Length);
        foreach (var range in path.Split((byte)'/'))
        {
            var part = path[range];
            if (part.IsEmpty || part.SequenceEqual("."u8))
            {
                continue;
            }
            if (!new FileName(part).IsValid)
            {
                throw new InvalidDataException($"{FileName.Display(path)}: not a path below the root");
            }
            if (clean.Count > 0)
            {
                clean.Add((byte)'/');
            }
            clean.AddRange(part);
        }
        return CollectionsMarshal.AsSpan(clean);
    }
}
