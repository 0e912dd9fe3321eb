using System.Net;
using System.Net.Http.Headers;

namespace Diecast.Packages;

/// <summary>A file whose digest is known before it is fetched.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Addresses">Of the file on each server, the preferred one first: http, https or file.</param>
/// <param name="Sha256">In lower-case hexadecimal.</param>
/// <param name="Size">In bytes.</param>
public sealed record Download(string Name, IReadOnlyList<Uri> Addresses, string Sha256, long Size);

/// <summary>How far a set of downloads has come. Files that were in the store already do not count.</summary>
/// <param name="Name">The file that has come further.</param>
public readonly record struct DownloadProgress(string Name, int FilesDone, int Files, long BytesDone, long Bytes);

/// <summary>A file cannot be had: one line that names it and says what each server answered.</summary>
public sealed class DownloadException(string message) : IOException(message)
{
    /// <summary>All servers say that they do not have it.</summary>
    public bool IsMissing { get; init; }

    /// <summary>No server answers as it should, so that other files will fare no better.</summary>
    internal bool IsUnreachable { get; init; }
}

/// <summary>Fetches files from the first server that has them. Safe for use by several threads.</summary>
public sealed class Downloader(DownloadOptions options) : IDisposable
{
    private readonly HttpClient _client = options.CreateClient();

    /// <summary>A file that is small or whose digest is not known, in memory.</summary>
    /// <param name="maximum">In bytes; more is an error.</param>
    /// <exception cref="DownloadException">No server has it.</exception>
    public byte[] Read(string name, IReadOnlyList<Uri> addresses, long maximum, CancellationToken cancellation = default) =>
        ReadAsync(name, addresses, maximum, cancellation).GetAwaiter().GetResult();

    /// <inheritdoc cref="Read"/>
    public async Task<byte[]> ReadAsync(string name, IReadOnlyList<Uri> addresses, long maximum, CancellationToken cancellation)
    {
        using var memory = new MemoryStream();
        await TryServers(name, addresses, async (address, token) =>
        {
            memory.SetLength(0);
            using var body = await OpenAsync(address, 0, token).ConfigureAwait(false);
            await CopyAsync(body, chunk =>
            {
                if (memory.Length + chunk.Length > maximum)
                {
                    throw new InvalidDataException($"has more than {maximum} bytes");
                }
                memory.Write(chunk);
            }, token).ConfigureAwait(false);
        }, cancellation).ConfigureAwait(false);
        return memory.ToArray();
    }

    /// <summary>Makes the store hold all files: those that it lacks are fetched, several at a time.</summary>
    /// <param name="progress">Called by one thread at a time.</param>
    /// <returns>The files in the order of the downloads, checked; the caller disposes of them.</returns>
    /// <exception cref="DownloadException">
    /// Files cannot be had: a line for each, or where the servers do not answer, for the first.
    /// </exception>
    public IReadOnlyList<StoredFile> Fetch(
        PackageStore store, IReadOnlyList<Download> downloads, Action<DownloadProgress>? progress = null,
        CancellationToken cancellation = default) =>
        FetchAsync(store, downloads, progress, cancellation).GetAwaiter().GetResult();

    private async Task<IReadOnlyList<StoredFile>> FetchAsync(
        PackageStore store, IReadOnlyList<Download> downloads, Action<DownloadProgress>? progress, CancellationToken cancellation)
    {
        var files = new StoredFile?[downloads.Count];
        var failures = new DownloadException?[downloads.Count];
        try
        {
            await System.Threading.Tasks.Parallel.ForAsync(0, files.Length, cancellation, (i, _) =>
            {
                files[i] = store.Open(downloads[i].Sha256, downloads[i].Size);
                return ValueTask.CompletedTask;
            }).ConfigureAwait(false);
            int[] missing = [.. Enumerable.Range(0, files.Length).Where(i => files[i] is null)];
            var meter = new ProgressMeter(progress, missing.Length, missing.Sum(i => downloads[i].Size));
            var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Parallel, CancellationToken = cancellation };
            bool isUnreachable = false;
            await System.Threading.Tasks.Parallel.ForEachAsync(missing, parallel, async (i, token) =>
            {
                if (Volatile.Read(ref isUnreachable))
                {
                    return;
                }
                try
                {
                    files[i] = await FetchOneAsync(store, downloads[i], meter, token).ConfigureAwait(false);
                }
                catch (DownloadException e)
                {
                    failures[i] = e;
                    if (e.IsUnreachable)
                    {
                        Volatile.Write(ref isUnreachable, true);
                    }
                }
            }).ConfigureAwait(false);
            ThrowOnFailures([.. failures.OfType<DownloadException>()]);
            return [.. files.Select(static file => file!)];
        }
        catch
        {
            foreach (var file in files)
            {
                file?.Dispose();
            }
            throw;
        }
    }

    private static void ThrowOnFailures(List<DownloadException> failures)
    {
        if ((failures.Find(static e => e.IsUnreachable) ?? (failures.Count == 1 ? failures[0] : null)) is { } one)
        {
            throw one;
        }
        if (failures.Count > 0)
        {
            throw new DownloadException(string.Join('\n', failures.Select(static e => e.Message)))
            {
                IsMissing = failures.TrueForAll(static e => e.IsMissing),
            };
        }
    }

    private async Task<StoredFile> FetchOneAsync(PackageStore store, Download download, ProgressMeter meter, CancellationToken cancellation)
    {
        using var partial = store.OpenPartial(download.Sha256, download.Size);
        // Another build may have added it since.
        if (store.Open(download.Sha256, download.Size) is { } present)
        {
            partial.Restart();
            meter.Finish(download.Name, download.Size);
            return present;
        }
        long shown = 0;
        if (!partial.IsWhole)
        {
            await TryServers(download.Name, download.Addresses, (address, token) => FetchFromAsync(address, partial, () =>
            {
                meter.Advance(download.Name, partial.Length - shown);
                shown = partial.Length;
            }, token), cancellation).ConfigureAwait(false);
        }
        var file = partial.Commit();
        meter.Finish(download.Name, download.Size - shown);
        return file;
    }

    /// <summary>Continues a partial file. Where the contents turn out wrong and were partly there before, it starts again.</summary>
    private async Task FetchFromAsync(Uri address, PartialFile partial, Action advanced, CancellationToken cancellation)
    {
        while (true)
        {
            long start = partial.Length;
            using (var body = await OpenAsync(address, start, cancellation).ConfigureAwait(false))
            {
                if (body.Start != start)
                {
                    partial.Restart();
                    start = 0;
                }
                if (body.Total is { } total && total != partial.Size)
                {
                    throw new InvalidDataException($"has {total} bytes instead of {partial.Size}");
                }
                advanced();
                await CopyAsync(body, chunk =>
                {
                    partial.Append(chunk);
                    advanced();
                }, cancellation).ConfigureAwait(false);
            }
            if (partial.Length < partial.Size)
            {
                throw new HttpRequestException($"sent {partial.Length} of {partial.Size} bytes");
            }
            if (partial.IsWhole)
            {
                return;
            }
            var mismatch = partial.Reject();
            if (start == 0)
            {
                throw mismatch;
            }
        }
    }

    /// <summary>The content of a file from some place on, which is 0 where the server cannot do otherwise.</summary>
    private sealed record Body(Stream Stream, long Start, long? Total, IDisposable? Owner) : IDisposable
    {
        public void Dispose()
        {
            Stream.Dispose();
            Owner?.Dispose();
        }
    }

    private async Task<Body> OpenAsync(Uri address, long start, CancellationToken cancellation)
    {
        if (address.IsFile)
        {
            var file = new FileStream(address.LocalPath, FileMode.Open, FileAccess.Read);
            return new Body(file, 0, file.Length, null);
        }
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (start > 0)
        {
            request.Headers.Range = new RangeHeaderValue(start, null);
        }
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        stall.CancelAfter(options.ConnectTimeout + options.StallTimeout);
        var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stall.Token).ConfigureAwait(false);
        try
        {
            if (start > 0 && response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
            {
                response.Dispose();
                return await OpenAsync(address, 0, cancellation).ConfigureAwait(false);
            }
            if (!response.IsSuccessStatusCode)
            {
                throw new HttpRequestException(
                    $"answers {(int)response.StatusCode} {response.ReasonPhrase}", null, response.StatusCode);
            }
            var range = response.StatusCode == HttpStatusCode.PartialContent ? response.Content.Headers.ContentRange : null;
            var stream = await response.Content.ReadAsStreamAsync(stall.Token).ConfigureAwait(false);
            return new Body(stream, range?.From ?? 0, range is null ? response.Content.Headers.ContentLength : range.Length, response);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private delegate void Sink(ReadOnlySpan<byte> chunk);

    private async Task CopyAsync(Body body, Sink sink, CancellationToken cancellation)
    {
        var buffer = new byte[128 << 10];
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        while (true)
        {
            stall.CancelAfter(options.StallTimeout);
            int count = await body.Stream.ReadAsync(buffer, stall.Token).ConfigureAwait(false);
            if (count == 0)
            {
                return;
            }
            sink(buffer.AsSpan(0, count));
        }
    }

    /// <summary>Tries one server after the other, and those that may do better later again after a pause.</summary>
    private async Task TryServers(
        string name, IReadOnlyList<Uri> addresses, Func<Uri, CancellationToken, Task> fetch, CancellationToken cancellation)
    {
        var left = addresses.ToList();
        var answers = new Dictionary<Uri, string>();
        bool isMissing = true;
        var pause = options.BackOff;
        for (int attempt = 0; attempt < options.Attempts && left.Count > 0; attempt++)
        {
            if (attempt > 0)
            {
                await Task.Delay(pause, cancellation).ConfigureAwait(false);
                pause *= 2;
            }
            foreach (var address in left.ToArray())
            {
                try
                {
                    await fetch(address, cancellation).ConfigureAwait(false);
                    return;
                }
                catch (Exception e) when (!cancellation.IsCancellationRequested && e is not StoreException
                    && e is IOException or HttpRequestException or InvalidDataException or UnauthorizedAccessException or OperationCanceledException)
                {
                    var (answer, isFinal, isAbsent) = Describe(address, e);
                    answers[address] = answer;
                    isMissing &= isAbsent;
                    if (isFinal)
                    {
                        left.Remove(address);
                    }
                }
            }
        }
        string all = answers.Count == 0 ? "there is no server" : string.Join("; ", addresses.Distinct().Select(address => answers[address]));
        throw new DownloadException($"{name}: {all}")
        {
            IsMissing = isMissing && answers.Count > 0,
            IsUnreachable = left.Count == addresses.Count && answers.Count > 0,
        };
    }

    /// <summary>What went wrong, whether trying again is of no use, and whether the server does not have the file.</summary>
    private (string Answer, bool IsFinal, bool IsAbsent) Describe(Uri address, Exception e)
    {
        string where = address.IsFile ? address.LocalPath : address.Authority;
        return e switch
        {
            FileNotFoundException or DirectoryNotFoundException => ($"{where} does not exist", true, true),
            UnauthorizedAccessException => ($"{where} cannot be read", true, false),
            InvalidDataException => ($"{where}: {e.Message}", true, false),
            OperationCanceledException => ($"{where} sent nothing for {options.StallTimeout.TotalSeconds:0.###} s", false, false),
            HttpRequestException { StatusCode: { } status } => ($"{where} {e.Message}", !IsTransient(status), status is HttpStatusCode.NotFound or HttpStatusCode.Gone),
            _ => ($"{where}: {Innermost(e).Message}", false, false),
        };
    }

    private static bool IsTransient(HttpStatusCode status) =>
        status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;

    private static Exception Innermost(Exception e) => e.InnerException is { } inner ? Innermost(inner) : e;

    public void Dispose() => _client.Dispose();

    private sealed class ProgressMeter(Action<DownloadProgress>? progress, int files, long bytes)
    {
        private readonly Lock _lock = new();
        private int _filesDone;
        private long _bytesDone;

        public void Advance(string name, long count) => Report(name, count, 0);

        public void Finish(string name, long count) => Report(name, count, 1);

        private void Report(string name, long count, int done)
        {
            lock (_lock)
            {
                _filesDone += done;
                _bytesDone += count;
                progress?.Invoke(new DownloadProgress(name, _filesDone, files, _bytesDone, bytes));
            }
        }
    }
}
