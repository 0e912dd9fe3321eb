using Diecast.Trees;

namespace Diecast.Build;

/// <summary>
/// A directory for one build, below TMPDIR or /var/tmp, gone at the end. Its name is never written into an image.
/// </summary>
public sealed class WorkDirectory : IDisposable
{
    public WorkDirectory()
    {
        string parent = Environment.GetEnvironmentVariable("TMPDIR") is { Length: > 0 } given ? given : "/var/tmp";
        for (int attempt = 0; ; attempt++)
        {
            Path = System.IO.Path.Join(System.IO.Path.GetFullPath(parent), $"diecast-{Environment.ProcessId}-{attempt}");
            try
            {
                Posix.MkdirAt(Posix.AT_FDCWD, Posix.Bytes(Path), 0x1C0);
                return;
            }
            catch (PosixException e) when (e.Error == Posix.EEXIST)
            {
                // Left by an interrupted run of the same process id.
            }
        }
    }

    public string Path { get; }

    public string this[string name] => System.IO.Path.Join(Path, name);

    /// <summary>Makes a directory in it and returns its path.</summary>
    public string Subdirectory(string name) => Directory.CreateDirectory(this[name]).FullName;

    public void Dispose() => HostTree.Delete(Posix.AT_FDCWD, Posix.Bytes(Path));
}
