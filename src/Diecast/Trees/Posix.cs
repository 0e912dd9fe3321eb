using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Diecast.Trees;

/// <summary>
/// The one layer of system calls: paths are bytes, links are not followed unless said, errors are
/// <see cref="PosixException"/>. System.IO decodes names as text and so never touches a tree.
/// </summary>
public static unsafe partial class Posix
{
    public const int ENOENT = 2, EIO = 5, EEXIST = 17, EXDEV = 18, ENOTDIR = 20, EISDIR = 21, EINVAL = 22, ENOSPC = 28,
        ERANGE = 34, ELOOP = 40, ENODATA = 61, EOPNOTSUPP = 95, EPERM = 1, EINTR = 4, EACCES = 13, EPIPE = 32, ENOTEMPTY = 39;

    public const int O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0x40, O_EXCL = 0x80, O_TRUNC = 0x200,
        O_NOFOLLOW = 0x20000, O_DIRECTORY = 0x10000, O_CLOEXEC = 0x80000, O_PATH = 0x200000, O_TMPFILE = 0x410000;

    public const int AT_FDCWD = -100, AT_SYMLINK_NOFOLLOW = 0x100, AT_REMOVEDIR = 0x200, AT_EMPTY_PATH = 0x1000;

    public const int S_IFMT = 0xF000, S_IFIFO = 0x1000, S_IFCHR = 0x2000, S_IFDIR = 0x4000, S_IFBLK = 0x6000,
        S_IFREG = 0x8000, S_IFLNK = 0xA000, S_IFSOCK = 0xC000;

    /// <summary>Resolve every link as if the directory were the root (openat2, kernel 5.6).</summary>
    public const ulong RESOLVE_IN_ROOT = 0x10, RESOLVE_BENEATH = 0x08, RESOLVE_NO_SYMLINKS = 0x04;

    private const int NrOpenat2 = 437;

    [StructLayout(LayoutKind.Sequential)]
    internal struct OpenHow
    {
        public ulong Flags, Mode, Resolve;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct StatxTimestamp
    {
        public long Seconds;
        public uint Nanoseconds;
        public int Reserved;
    }

    [StructLayout(LayoutKind.Sequential, Size = 256)]
    internal struct Statx
    {
        public uint Mask, BlockSize;
        public ulong Attributes;
        public uint Nlink, Uid, Gid;
        public ushort Mode, Spare0;
        public ulong Ino, Size, Blocks, AttributesMask;
        public StatxTimestamp Atime, Btime, Ctime, Mtime;
        public uint RdevMajor, RdevMinor, DevMajor, DevMinor;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Timespec
    {
        public long Seconds, Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    private static partial int OpenAtNative(int directory, byte* path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Syscall4(nint number, nint a, byte* path, OpenHow* how, nint size);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static partial int StatxNative(int directory, byte* path, int flags, uint mask, Statx* result);

    [LibraryImport("libc", EntryPoint = "getdents64", SetLastError = true)]
    private static partial nint GetDents64(int fd, byte* buffer, nint size);

    [LibraryImport("libc", EntryPoint = "readlinkat", SetLastError = true)]
    private static partial nint ReadLinkAtNative(int directory, byte* path, byte* buffer, nint size);

    [LibraryImport("libc", EntryPoint = "llistxattr", SetLastError = true)]
    private static partial nint ListXattrNative(byte* path, byte* list, nint size);

    [LibraryImport("libc", EntryPoint = "lgetxattr", SetLastError = true)]
    private static partial nint GetXattrNative(byte* path, byte* name, byte* value, nint size);

    [LibraryImport("libc", EntryPoint = "lsetxattr", SetLastError = true)]
    private static partial int SetXattrNative(byte* path, byte* name, byte* value, nint size, int flags);

    [LibraryImport("libc", EntryPoint = "lremovexattr", SetLastError = true)]
    private static partial int RemoveXattrNative(byte* path, byte* name);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int IoctlNative(int fd, nuint request, int* flags);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true)]
    private static partial int MkdirAtNative(int directory, byte* path, uint mode);

    [LibraryImport("libc", EntryPoint = "symlinkat", SetLastError = true)]
    private static partial int SymlinkAtNative(byte* target, int directory, byte* path);

    [LibraryImport("libc", EntryPoint = "linkat", SetLastError = true)]
    private static partial int LinkAtNative(int oldDirectory, byte* oldPath, int newDirectory, byte* newPath, int flags);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true)]
    private static partial int UnlinkAtNative(int directory, byte* path, int flags);

    [LibraryImport("libc", EntryPoint = "renameat", SetLastError = true)]
    private static partial int RenameAtNative(int oldDirectory, byte* oldPath, int newDirectory, byte* newPath);

    [LibraryImport("libc", EntryPoint = "mknodat", SetLastError = true)]
    private static partial int MknodAtNative(int directory, byte* path, uint mode, ulong device);

    [LibraryImport("libc", EntryPoint = "fchmodat", SetLastError = true)]
    private static partial int FchmodAtNative(int directory, byte* path, uint mode, int flags);

    [LibraryImport("libc", EntryPoint = "fchownat", SetLastError = true)]
    private static partial int FchownAtNative(int directory, byte* path, uint uid, uint gid, int flags);

    [LibraryImport("libc", EntryPoint = "utimensat", SetLastError = true)]
    private static partial int UtimensAtNative(int directory, byte* path, Timespec* times, int flags);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteNative(int fd, byte* buffer, nint size);

    [LibraryImport("libc", EntryPoint = "lseek64", SetLastError = true)]
    private static partial long SeekNative(int fd, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial uint UmaskNative(uint mask);

    /// <summary>Opens a file or directory below a directory (or <see cref="AT_FDCWD"/>).</summary>
    public static SafeFileHandle OpenAt(int directory, ReadOnlySpan<byte> path, int flags, uint mode = 0)
    {
        fixed (byte* p = Terminated(path))
        {
            int fd = OpenAtNative(directory, p, flags | O_CLOEXEC, mode);
            return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw Error("open", path);
        }
    }

    /// <summary>openat2(2): the way to walk an untrusted tree, with a <c>RESOLVE_</c> flag.</summary>
    public static SafeFileHandle OpenAt2(int directory, ReadOnlySpan<byte> path, int flags, uint mode, ulong resolve)
    {
        var how = new OpenHow { Flags = (uint)(flags | O_CLOEXEC), Mode = mode, Resolve = resolve };
        fixed (byte* p = Terminated(path))
        {
            nint fd = Syscall4(NrOpenat2, directory, p, &how, sizeof(OpenHow));
            return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw Error("open", path);
        }
    }

    /// <summary>The status of a path below a directory; an empty path means the directory itself.</summary>
    public static FileStatus Stat(int directory, ReadOnlySpan<byte> path, bool followLinks = false) =>
        TryStat(directory, path, followLinks) ?? throw Error("stat", path);

    /// <summary>Like <see cref="Stat"/>, but null where there is no such file.</summary>
    public static FileStatus? TryStat(int directory, ReadOnlySpan<byte> path, bool followLinks = false)
    {
        Statx raw;
        const uint basicStats = 0x7ff;
        int flags = (followLinks ? 0 : AT_SYMLINK_NOFOLLOW) | (path.IsEmpty ? AT_EMPTY_PATH : 0);
        fixed (byte* p = Terminated(path))
        {
            if (StatxNative(directory, p, flags, basicStats, &raw) == 0)
            {
                return FileStatus.From(raw);
            }
        }
        return Marshal.GetLastPInvokeError() is ENOENT or ENOTDIR ? null : throw Error("stat", path);
    }

    /// <summary>The names in an open directory without "." and "..", in the host's order: sort them.</summary>
    public static List<FileName> ReadDirectory(SafeFileHandle directory, ReadOnlySpan<byte> pathForErrors)
    {
        var names = new List<FileName>();
        var buffer = new byte[64 * 1024];
        fixed (byte* p = buffer)
        {
            nint got;
            while ((got = GetDents64(Fd(directory), p, buffer.Length)) > 0)
            {
                for (int at = 0; at < got; at += BitConverter.ToUInt16(buffer, at + 16))
                {
                    var name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(p + at + 19);
                    if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                    {
                        names.Add(new FileName(name));
                    }
                }
            }
            return got == 0 ? names : throw Error("readdir", pathForErrors);
        }
    }

    /// <summary>The target of a symbolic link.</summary>
    public static byte[] ReadLink(int directory, ReadOnlySpan<byte> path)
    {
        var buffer = new byte[4096];
        fixed (byte* p = Terminated(path), b = buffer)
        {
            nint length = ReadLinkAtNative(directory, p, b, buffer.Length);
            return length >= 0 ? buffer[..(int)length] : throw Error("readlink", path);
        }
    }

    /// <summary>The names of a path's extended attributes, in the host's order: sort them.</summary>
    public static List<byte[]> ListXattrs(ReadOnlySpan<byte> path)
    {
        fixed (byte* p = Terminated(path))
        {
            nint size = ListXattrNative(p, null, 0);
            if (size == 0 || (size < 0 && Marshal.GetLastPInvokeError() == EOPNOTSUPP))
            {
                return [];
            }
            var list = new byte[Math.Max(size, 0) + 1024];
            fixed (byte* l = list)
            {
                size = size < 0 ? size : ListXattrNative(p, l, list.Length);
            }
            if (size < 0)
            {
                throw Error("listxattr", path);
            }
            var names = new List<byte[]>();
            for (int at = 0; at < size;)
            {
                int length = list.AsSpan(at).IndexOf((byte)0);
                names.Add(list[at..(at + length)]);
                at += length + 1;
            }
            return names;
        }
    }

    /// <summary>An extended attribute's value, or null where the path has none of that name.</summary>
    public static byte[]? GetXattr(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name)
    {
        var value = new byte[64 * 1024];
        fixed (byte* p = Terminated(path), n = Terminated(name), v = value)
        {
            nint size = GetXattrNative(p, n, v, value.Length);
            return size >= 0 ? value[..(int)size]
                : Marshal.GetLastPInvokeError() is ENODATA or EOPNOTSUPP ? null
                : throw Error("getxattr", path);
        }
    }

    public static void SetXattr(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        fixed (byte* p = Terminated(path), n = Terminated(name), v = value)
        {
            Check(SetXattrNative(p, n, v, value.Length, 0), "setxattr", path);
        }
    }

    /// <summary>Removes an extended attribute; one that is not there is no error.</summary>
    public static void RemoveXattr(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name)
    {
        fixed (byte* p = Terminated(path), n = Terminated(name))
        {
            if (RemoveXattrNative(p, n) != 0 && Marshal.GetLastPInvokeError() is not (ENODATA or EOPNOTSUPP))
            {
                throw Error("removexattr", path);
            }
        }
    }

    /// <summary>
    /// Tells the file system that the directories in this one have nothing to do with each other ("T" of chattr(1)), so
    /// that ext4 puts them far apart. One that has no such hint is none the worse.
    /// </summary>
    public static void HintTopDirectory(SafeFileHandle directory)
    {
        const nuint getFlags = 0x80086601;
        const nuint setFlags = 0x40086602;
        const int topDirectory = 0x20000;
        int flags;
        if (IoctlNative(Fd(directory), getFlags, &flags) == 0)
        {
            flags |= topDirectory;
            _ = IoctlNative(Fd(directory), setFlags, &flags);
        }
    }

    public static void MkdirAt(int directory, ReadOnlySpan<byte> path, uint mode)
    {
        fixed (byte* p = Terminated(path))
        {
            Check(MkdirAtNative(directory, p, mode), "mkdir", path);
        }
    }

    public static void SymlinkAt(ReadOnlySpan<byte> target, int directory, ReadOnlySpan<byte> path)
    {
        fixed (byte* t = Terminated(target), p = Terminated(path))
        {
            Check(SymlinkAtNative(t, directory, p), "symlink", path);
        }
    }

    public static void LinkAt(int oldDirectory, ReadOnlySpan<byte> oldPath, int newDirectory, ReadOnlySpan<byte> newPath)
    {
        fixed (byte* o = Terminated(oldPath), n = Terminated(newPath))
        {
            Check(LinkAtNative(oldDirectory, o, newDirectory, n, 0), "link", newPath);
        }
    }

    /// <summary>Removes a name; <paramref name="isDirectory"/> for an empty directory.</summary>
    public static void UnlinkAt(int directory, ReadOnlySpan<byte> path, bool isDirectory = false)
    {
        fixed (byte* p = Terminated(path))
        {
            Check(UnlinkAtNative(directory, p, isDirectory ? AT_REMOVEDIR : 0), "unlink", path);
        }
    }

    public static void RenameAt(int oldDirectory, ReadOnlySpan<byte> oldPath, int newDirectory, ReadOnlySpan<byte> newPath)
    {
        fixed (byte* o = Terminated(oldPath), n = Terminated(newPath))
        {
            Check(RenameAtNative(oldDirectory, o, newDirectory, n), "rename", newPath);
        }
    }

    /// <summary>Makes a fifo, socket or device node; <paramref name="mode"/> holds the type too.</summary>
    public static void MknodAt(int directory, ReadOnlySpan<byte> path, uint mode, uint major, uint minor)
    {
        ulong device = (minor & 0xff) | ((ulong)(major & 0xfff) << 8) | ((ulong)(minor & ~0xffu) << 12) | ((ulong)(major & ~0xfffu) << 32);
        fixed (byte* p = Terminated(path))
        {
            Check(MknodAtNative(directory, p, mode, device), "mknod", path);
        }
    }

    /// <summary>Sets the twelve mode bits. Follows a symbolic link (Linux has no other way): not for links.</summary>
    public static void ChmodAt(int directory, ReadOnlySpan<byte> path, uint mode)
    {
        fixed (byte* p = Terminated(path))
        {
            Check(FchmodAtNative(directory, p, mode, 0), "chmod", path);
        }
    }

    public static void ChownAt(int directory, ReadOnlySpan<byte> path, uint uid, uint gid)
    {
        fixed (byte* p = Terminated(path))
        {
            Check(FchownAtNative(directory, p, uid, gid, AT_SYMLINK_NOFOLLOW), "chown", path);
        }
    }

    /// <summary>Sets access and modification time of a path, of a link itself where it is one.</summary>
    public static void SetTimes(int directory, ReadOnlySpan<byte> path, Timestamp time)
    {
        var times = stackalloc Timespec[2];
        times[0] = times[1] = new Timespec { Seconds = time.Seconds, Nanoseconds = time.Nanoseconds };
        fixed (byte* p = Terminated(path))
        {
            Check(UtimensAtNative(directory, p, times, AT_SYMLINK_NOFOLLOW), "utimensat", path);
        }
    }

    /// <summary>Sets the process's file mode creation mask and returns the old one.</summary>
    public static uint Umask(uint mask) => UmaskNative(mask);

    /// <summary>Writes all the bytes where the descriptor stands.</summary>
    public static void Write(int fd, ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> nameForErrors)
    {
        while (!bytes.IsEmpty)
        {
            fixed (byte* b = bytes)
            {
                nint written = WriteNative(fd, b, bytes.Length);
                if (written < 0 && Marshal.GetLastPInvokeError() != EINTR)
                {
                    throw Error("write", nameForErrors);
                }
                bytes = bytes[(int)Math.Max(written, 0)..];
            }
        }
    }

    /// <summary>The length in bytes of an open file or block device.</summary>
    public static long Length(SafeFileHandle file)
    {
        const int seekEnd = 2;
        long length = SeekNative(Fd(file), 0, seekEnd);
        return length >= 0 ? length : throw Error("lseek", "the device"u8);
    }

    /// <summary>The descriptor number, for the calls above.</summary>
    public static int Fd(SafeFileHandle handle) => (int)handle.DangerousGetHandle();

    /// <summary>The bytes of a path given as text by the user.</summary>
    public static byte[] Bytes(string path) => System.Text.Encoding.UTF8.GetBytes(path);

    private static byte[] Terminated(ReadOnlySpan<byte> text)
    {
        var bytes = new byte[text.Length + 1];
        text.CopyTo(bytes);
        return bytes;
    }

    private static void Check(int result, string call, ReadOnlySpan<byte> path)
    {
        if (result != 0)
        {
            throw Error(call, path);
        }
    }

    private static PosixException Error(string call, ReadOnlySpan<byte> path) =>
        new(call, FileName.Display(path), Marshal.GetLastPInvokeError());
}

/// <summary>A system call failed.</summary>
public sealed class PosixException(string call, string path, int error)
    : IOException($"{path}: {call}: {Marshal.GetPInvokeErrorMessage(error)}")
{
    /// <summary>errno.</summary>
    public int Error { get; } = error;
}
