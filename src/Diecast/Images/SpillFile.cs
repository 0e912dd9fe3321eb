namespace Diecast.Images;

/// <summary>
/// Data that had to be encoded or decoded, in a file without a name in the directory for temporary files: it is gone when
/// nobody refers to it any more, however the process ends.
/// </summary>
public static class SpillFile
{
    /// <summary>TMPDIR, else /var/tmp: what is put there may be as large as a disk, and /tmp is often in memory.</summary>
    public static string TemporaryDirectory =>
        Path.GetFullPath(Environment.GetEnvironmentVariable("TMPDIR") is { Length: > 0 } given ? given : "/var/tmp");

    /// <summary>A blob of what <paramref name="produce"/> writes; blocks of zeros take no space.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static Blob Create(Action<Stream> produce)
    {
        string path = Path.Join(TemporaryDirectory, $"diecast-{Path.GetRandomFileName()}");
        var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite);
        File.Delete(path);
        try
        {
            var sparse = new SparseOutput(file);
            using (var output = new BufferedStream(sparse, 1 << 20))
            {
                produce(output);
            }
            return new FileBlob(file, sparse.Finish(), "the temporary file");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
