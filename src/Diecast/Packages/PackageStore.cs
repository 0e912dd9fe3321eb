using System.Diagnostics;
using System.Security.Cryptography;
using Diecast.Images;
using Diecast.Trees;
using Microsoft.Win32.SafeHandles;

namespace Diecast.Packages;

/// <summary>
/// A directory of files named by their SHA-256. A file gets its name when it is whole, by a rename, so that builds at the
/// same time share the store without waiting for each other; what an interrupted download leaves is continued by the next.
/// </summary>
public sealed class PackageStore
{
    private const string PartialSuffix = ".part";

    /// <exception cref="IOException">The directory cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory cannot be made.</exception>
    public PackageStore(string directory)
    {
        Directory = Path.GetFullPath(directory);
        System.IO.Directory.CreateDirectory(Directory);
    }

    public string Directory { get; }

    /// <summary>The user's store: <c>$XDG_CACHE_HOME/diecast/store</c>, else <c>~/.cache/diecast/store</c>.</summary>
    /// <param name="environment">The value of a variable; null where it is not set.</param>
    /// <returns>Null where neither variable is set.</returns>
    public static string? DefaultDirectory(Func<string, string?> environment)
    {
        // The base directory specification: a relative path is to be ignored.
        string? cache = environment("XDG_CACHE_HOME") is { } set && Path.IsPathRooted(set) ? set
            : environment("HOME") is { Length: > 0 } home ? Path.Join(home, ".cache")
            : null;
        return cache is null ? null : Path.Join(cache, "diecast", "store");
    }

    /// <summary>
    /// The file of that digest and size in bytes; null where there is none. One whose size or contents do not fit is
    /// removed. What is returned stays readable when another build replaces the entry.
    /// </summary>
    public StoredFile? Open(string sha256, long size)
    {
        string path = PathOf(sha256);
        StoredFile file;
        try
        {
            file = new StoredFile(path, path);
        }
        catch (PosixException e) when (e.Error == Posix.ENOENT)
        {
            return null;
        }
        if (file.Length == size && Sha256.Of(file) == sha256)
        {
            return file;
        }
        file.Dispose();
        File.Delete(path);
        return null;
    }

    /// <summary>Adds a file whose digest is known.</summary>
    /// <exception cref="InvalidDataException">The content has another digest or size.</exception>
    public StoredFile Add(string sha256, long size, Stream content)
    {
        if (Open(sha256, size) is { } present)
        {
            return present;
        }
        using var partial = OpenPartial(sha256, size);
        partial.Restart();
        var buffer = new byte[128 << 10];
        for (int count; (count = content.Read(buffer)) > 0;)
        {
            partial.Append(buffer.AsSpan(0, count));
        }
        return partial.Commit();
    }

    /// <summary>A file that is being added, with what an interrupted run has left of it.</summary>
    internal PartialFile OpenPartial(string sha256, long size)
    {
        // Whoever holds the lock on a partial file writes it. A second build does not wait for the first, which may be
        // stopped: it takes the next name.
        for (int i = 0; ; i++)
        {
            string path = PathOf(sha256) + (i == 0 ? "" : $".{i}") + PartialSuffix;
            if (TryLock(path) is { } file)
            {
                return new PartialFile(this, path, file, sha256, size);
            }
        }
    }

    private static SafeFileHandle? TryLock(string path)
    {
        SafeFileHandle? file = null;
        try
        {
            file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            // Between the opening and the locking, its former owner may have renamed it into place.
            var locked = Posix.Stat(Posix.Fd(file), default);
            if (Posix.TryStat(Posix.AT_FDCWD, Posix.Bytes(path), followLinks: true) is { } named && (named.Device, named.Inode) == (locked.Device, locked.Inode))
            {
                return file;
            }
            file.Dispose();
            return TryLock(path);
        }
        catch (IOException e) when (file is null && IsLocked(e))
        {
            return null;
        }
    }

    /// <summary>EWOULDBLOCK, which is how the runtime reports that another holds the lock.</summary>
    private static bool IsLocked(IOException e) => e.HResult == 11;

    internal string PathOf(string sha256) => Sha256.IsValid(sha256)
        ? Path.Join(Directory, sha256)
        : throw new UnreachableException($"{sha256} is not a SHA-256");
}

/// <summary>The store cannot be written: a full disk, say. No other server would help.</summary>
public sealed class StoreException(string message, Exception inner) : IOException(message, inner);

/// <summary>A file in a <see cref="PackageStore"/>, open.</summary>
public sealed class StoredFile : Blob, IDisposable
{
    private readonly SafeFileHandle _file;

    /// <param name="name">What the file is opened by.</param>
    /// <param name="path">What it is called afterwards.</param>
    internal StoredFile(string name, string path)
    {
        Path = path;
        // File.OpenHandle would take a lock, which fails while the build that added the file still holds its own.
        _file = Posix.OpenAt(Posix.AT_FDCWD, Posix.Bytes(name), Posix.O_RDONLY);
        Length = RandomAccess.GetLength(_file);
    }

    public string Path { get; }

    public override long Length { get; }

    public override string Describe() => Path;

    protected override void ReadCore(long offset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            int count = RandomAccess.Read(_file, destination, offset);
            if (count == 0)
            {
                throw new InvalidDataException($"{Path}: ends at {offset}, it was changed while it was used");
            }
            offset += count;
            destination = destination[count..];
        }
    }

    public void Dispose() => _file.Dispose();
}

/// <summary>A file on its way into a store: locked, and kept when it is disposed of before it is whole.</summary>
internal sealed class PartialFile : IDisposable
{
    private readonly PackageStore _store;
    private readonly string _path;
    private readonly SafeFileHandle _file;
    private readonly string _sha256;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private bool _isCommitted;

    public PartialFile(PackageStore store, string path, SafeFileHandle file, string sha256, long size)
    {
        (_store, _path, _file, _sha256, Size) = (store, path, file, sha256, size);
        try
        {
            HashWhatIsThere();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>In bytes, of the whole file.</summary>
    public long Size { get; }

    /// <summary>In bytes, of what is there.</summary>
    public long Length { get; private set; }

    /// <summary>Whether what is there is the whole file.</summary>
    public bool IsWhole => Length == Size && Convert.ToHexStringLower(_hash.GetCurrentHash()) == _sha256;

    private void HashWhatIsThere()
    {
        if (RandomAccess.GetLength(_file) > Size)
        {
            Restart();
            return;
        }
        var buffer = new byte[1 << 20];
        int count;
        while (Length < Size
            && (count = RandomAccess.Read(_file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, Size - Length)), Length)) > 0)
        {
            _hash.AppendData(buffer, 0, count);
            Length += count;
        }
        if (Length == Size && !IsWhole)
        {
            Restart();
        }
    }

    /// <summary>Drops what is there.</summary>
    public void Restart()
    {
        RandomAccess.SetLength(_file, 0);
        _hash.GetHashAndReset();
        Length = 0;
    }

    /// <exception cref="InvalidDataException">The file gets larger than it is to be.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > Size - Length)
        {
            Restart();
            throw new InvalidDataException($"has more than the {Size} bytes expected");
        }
        try
        {
            RandomAccess.Write(_file, bytes, Length);
        }
        catch (IOException e)
        {
            throw new StoreException($"{_path}: {e.Message}", e);
        }
        _hash.AppendData(bytes);
        Length += bytes.Length;
    }

    /// <summary>Gives the whole file its name and opens it.</summary>
    /// <exception cref="InvalidDataException">It has another digest or size; then nothing is left of it.</exception>
    public StoredFile Commit()
    {
        if (!IsWhole)
        {
            throw Reject();
        }
        RandomAccess.FlushToDisk(_file);
        string path = _store.PathOf(_sha256);
        // Before it is renamed: then another build may replace or remove it at any time.
        var file = new StoredFile(_path, path);
        try
        {
            File.Move(_path, path, overwrite: true);
        }
        catch
        {
            file.Dispose();
            throw;
        }
        _isCommitted = true;
        return file;
    }

    /// <summary>Drops what is there, and says what is wrong with it.</summary>
    public InvalidDataException Reject()
    {
        string message = Length == Size
            ? $"has SHA-256 {Convert.ToHexStringLower(_hash.GetCurrentHash())} instead of {_sha256}"
            : $"has {Length} bytes instead of {Size}";
        Restart();
        return new InvalidDataException(message);
    }

    public void Dispose()
    {
        // While the lock is held: an empty file has nothing to continue.
        if (!_isCommitted && Length == 0)
        {
            File.Delete(_path);
        }
        _file.Dispose();
        _hash.Dispose();
    }
}
