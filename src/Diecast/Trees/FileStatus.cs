namespace Diecast.Trees;

/// <summary>What statx(2) says of a file on the host.</summary>
public readonly record struct FileStatus(
    int Mode, uint Uid, uint Gid, long Size, ulong Device, ulong Inode, uint Nlink, uint RdevMajor, uint RdevMinor,
    Timestamp Mtime, Timestamp Ctime)
{
    public FileType Type => FileTypes.FromMode(Mode);

    /// <summary>The twelve mode bits.</summary>
    public ushort Permissions => (ushort)(Mode & 0xFFF);

    internal static FileStatus From(in Posix.Statx raw) => new(
        raw.Mode, raw.Uid, raw.Gid, (long)raw.Size, ((ulong)raw.DevMajor << 32) | raw.DevMinor, raw.Ino, raw.Nlink,
        raw.RdevMajor, raw.RdevMinor,
        new Timestamp(raw.Mtime.Seconds, raw.Mtime.Nanoseconds), new Timestamp(raw.Ctime.Seconds, raw.Ctime.Nanoseconds));
}
