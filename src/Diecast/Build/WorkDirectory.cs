using Diecast.Images;
using Diecast.Trees;

namespace Diecast.Build;

/// <summary>
/// A directory for one build, below TMPDIR or /var/tmp, gone at the end. Its name is never written into an image.
/// What is in it has another name in every build: ext4 then puts it elsewhere. Where ext4 has no journal it takes no inode
/// that was freed in the last minutes, and where many were, it looks through all of them for every file that it makes.
/// </summary>
public sealed class WorkDirectory : IDisposable
{
    public WorkDirectory()
    {
        for (int attempt = 0; ; attempt++)
        {
            Path = System.IO.Path.Join(SpillFile.TemporaryDirectory, $"diecast-{Environment.ProcessId}-{attempt}");
            try
            {
                Posix.MkdirAt(Posix.AT_FDCWD, Posix.Bytes(Path), 0x1C0);
                using var directory = Posix.OpenAt(Posix.AT_FDCWD, Posix.Bytes(Path), Posix.O_RDONLY | Posix.O_DIRECTORY);
                Posix.HintTopDirectory(directory);
                return;
            }
            catch (PosixException e) when (e.Error == Posix.EEXIST)
            {
                // Left by an interrupted run of the same process id.
            }
        }
    }

    public string Path { get; }

    public string this[string name] => System.IO.Path.Join(Path, $"{name}-{Environment.ProcessId}");

    /// <summary>Makes a directory in it and returns its path.</summary>
    public string Subdirectory(string name) => Directory.CreateDirectory(this[name]).FullName;

    public void Dispose() => HostTree.Delete(Posix.AT_FDCWD, Posix.Bytes(Path));
}
