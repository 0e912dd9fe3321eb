namespace Diecast.Trees;

/// <summary>What a type of file is called.</summary>
public static class FileTypes
{
    /// <summary>For people: "file", "character device".</summary>
    public static string ToName(this FileType type) => type switch
    {
        FileType.Regular => "file",
        FileType.Directory => "directory",
        FileType.Symlink => "symlink",
        FileType.CharacterDevice => "character device",
        FileType.BlockDevice => "block device",
        FileType.Fifo => "fifo",
        _ => "socket",
    };

    /// <summary>S_IFMT of a mode, as stat(2) and the file systems have it.</summary>
    public static FileType FromMode(int mode) => (mode & Posix.S_IFMT) switch
    {
        Posix.S_IFREG => FileType.Regular,
        Posix.S_IFDIR => FileType.Directory,
        Posix.S_IFLNK => FileType.Symlink,
        Posix.S_IFCHR => FileType.CharacterDevice,
        Posix.S_IFBLK => FileType.BlockDevice,
        Posix.S_IFIFO => FileType.Fifo,
        _ => FileType.Socket,
    };

    /// <summary>S_IF*, to be joined with the twelve mode bits.</summary>
    public static int ToModeBits(this FileType type) => type switch
    {
        FileType.Regular => Posix.S_IFREG,
        FileType.Directory => Posix.S_IFDIR,
        FileType.Symlink => Posix.S_IFLNK,
        FileType.CharacterDevice => Posix.S_IFCHR,
        FileType.BlockDevice => Posix.S_IFBLK,
        FileType.Fifo => Posix.S_IFIFO,
        _ => Posix.S_IFSOCK,
    };

    /// <summary>FT_* of the kernel's fs_types.h, which directory entries of ext4, btrfs and other file systems hold.</summary>
    public static byte ToEntryType(this FileType type) => type switch
    {
        FileType.Regular => 1,
        FileType.Directory => 2,
        FileType.CharacterDevice => 3,
        FileType.BlockDevice => 4,
        FileType.Fifo => 5,
        FileType.Socket => 6,
        _ => 7,
    };
}
