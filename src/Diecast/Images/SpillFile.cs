using Microsoft.Win32.SafeHandles;

namespace Diecast.Images;

/// <summary>
/// Data that had to be encoded, in a file without a name in the directory for temporary files: it is gone when nobody
/// refers to it any more, however the process ends.
/// </summary>
public sealed class SpillFile : Blob
{
    private readonly SafeFileHandle _file;

    private SpillFile(SafeFileHandle file, long length)
    {
        _file = file;
        Length = length;
    }

    public override long Length { get; }

    /// <summary>TMPDIR, else /var/tmp: what is put there may be as large as a disk, and /tmp is often in memory.</summary>
    public static string TemporaryDirectory =>
        Path.GetFullPath(Environment.GetEnvironmentVariable("TMPDIR") is { Length: > 0 } given ? given : "/var/tmp");

    /// <summary>A blob of what <paramref name="produce"/> writes.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static Blob Create(Action<Stream> produce)
    {
        string path = Path.Join(TemporaryDirectory, $"diecast-{Path.GetRandomFileName()}");
        var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite);
        File.Delete(path);
        try
        {
            using var output = new BufferedStream(new Output(file), 1 << 20);
            produce(output);
            output.Flush();
        }
        catch
        {
            file.Dispose();
            throw;
        }
        return new SpillFile(file, RandomAccess.GetLength(file));
    }

    public override long NextData(long offset) => FileHoles.NextData(_file, offset, Length);

    public override string Describe() => "the temporary file";

    protected override void ReadCore(long offset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            int got = RandomAccess.Read(_file, destination, offset);
            if (got == 0)
            {
                throw new IOException("A temporary file was cut off");
            }
            offset += got;
            destination = destination[got..];
        }
    }

    private sealed class Output(SafeFileHandle file) : WriteOnlyStream
    {
        private long _position;

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            RandomAccess.Write(file, buffer, _position);
            _position += buffer.Length;
        }
    }
}
