using Diecast.Formats;
using Diecast.Formats.Btrfs;
using Diecast.Images;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Formats.Btrfs;

/// <summary>Images that mkfs.btrfs and the kernel make.</summary>
internal static class BtrfsSamples
{
    /// <summary>A source directory with small, large, sparse and linked files.</summary>
    public static string Source(TempDirectory directory)
    {
        Tool.RunOk("bash", "-ec", """
            mkdir -p "$1/etc/deep/er" "$1/many" "$1/data"
            echo hello > "$1/etc/hello"; ln -s ../hello "$1/etc/deep/link"; ln "$1/etc/hello" "$1/etc/deep/er/hard"
            seq 1 60000 > "$1/data/text"; head -c 300000 /dev/urandom > "$1/data/random"; truncate -s 1M "$1/data/sparse"
            for i in $(seq 300); do echo $i > "$1/many/file-$i"; done
            mkfifo "$1/fifo"; chmod 4755 "$1/data/text"; setfattr -n user.x -v "$(head -c 900 /dev/zero | tr '\0' x)" "$1/etc/hello"
            touch -d '2001-02-03 04:05:06' "$1/etc"
            """, "-", directory["source"]);
        return directory["source"];
    }

    /// <summary>Makes an image with mkfs.btrfs, populated from a directory where one is given.</summary>
    public static string Make(TempDirectory directory, string name, string? source, long size, params string[] options)
    {
        string path = directory[name];
        using (var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.SetLength(file, size);
        }
        Tool.RunOk("mkfs.btrfs", ["-q", "-f", .. options, .. source is null ? [] : (string[])["--rootdir", source], path]);
        return path;
    }

    public static Blob Open(string path) => new HostFileBlob(Posix.Bytes(path), Posix.Stat(Posix.AT_FDCWD, Posix.Bytes(path)));

    public static FileSystemView Read(string path) => BtrfsReader.Read(Open(path));
}

/// <summary>A btrfs image mounted by loop device until disposal. Without the right to mount: a skip, in CI a failure.</summary>
internal sealed class BtrfsMount : IDisposable
{
    public BtrfsMount(TempDirectory directory, string image, string options)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Tool.Missing("mounting needs root");
        }
        Path = directory["mount"];
        Directory.CreateDirectory(Path);
        Tool.RunOk("mount", "-t", "btrfs", "-o", $"loop,{options}", image, Path);
    }

    public string Path { get; }

    public void Run(string script) => Tool.RunOk("bash", "-ec", $"cd \"$1\"\n{script}", "-", Path);

    public void Dispose()
    {
        Tool.RunOk("sync", "-f", Path);
        Tool.RunOk("umount", "--lazy", Path);
    }
}
