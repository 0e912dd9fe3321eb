using Diecast.Trees;

namespace Diecast.Packages;

/// <content>From the directory to the frozen tree.</content>
public sealed partial class StagedRoot
{
    /// <summary>
    /// The tree: packages' entries with the metadata they came with, but for what a script changed since, which is as
    /// the script left it; what a script made or changed the content of carries the epoch. Times later than the epoch
    /// are clamped.
    /// </summary>
    public FileTree Freeze()
    {
        CloseParent();
        return HostTree.Read(Posix.Bytes(HostPath), new HostTree.Options
        {
            Metadata = (path, status, readXattrs) => MetadataOf(Key(path), status, readXattrs),
            Replace = (path, status) => _records.GetValueOrDefault(Key(path)) is { Device: { } device } record && record.Status.Inode == status.Inode
                ? new DeviceNode(MetadataOf(Key(path), status, static () => []), device.Type, device.Major, device.Minor) : null,
        });
    }

    private Metadata MetadataOf(FileName path, FileStatus status, Func<IReadOnlyList<Xattr>> readXattrs)
    {
        if (!_records.TryGetValue(path, out var record) || record.Status.Type != status.Type)
        {
            return new Metadata(status.Permissions, status.Uid, status.Gid, Epoch) { Xattrs = [.. readXattrs()] };
        }
        var was = record.Status;
        var own = record.Metadata;
        bool sameContent = status.Mtime == was.Mtime && status.Size == was.Size && !record.Changed;
        if (status.Type == FileType.Directory)
        {
            // A directory's size is the host file system's affair.
            sameContent = status.Mtime == was.Mtime && !record.Changed;
        }
        var xattrs = status.Ctime == was.Ctime && status.Inode == was.Inode
            ? own.Xattrs : [.. Changes(own.Xattrs, record.HostXattrs, readXattrs())];
        return new Metadata(
            status.Permissions == was.Permissions ? own.Mode : status.Permissions,
            status.Uid == was.Uid ? own.Uid : status.Uid,
            status.Gid == was.Gid ? own.Gid : status.Gid,
            sameContent ? own.Mtime.ClampTo(Epoch) : Epoch)
        { Xattrs = xattrs };
    }

    /// <summary>What the host shows now, and what it could never hold unless a script has set it since.</summary>
    private static IEnumerable<Xattr> Changes(
        IReadOnlyList<Xattr> own, IReadOnlyList<Xattr> held, IReadOnlyList<Xattr> now) =>
        own.Where(x => !held.Contains(x) && !now.Any(n => n.CompareTo(x) == 0)).Concat(now);

    private static FileName Key(TreePath? path) => path is null ? new FileName([]) : new FileName(path.ToBytes().AsSpan(1));
}
