using System.Security.Cryptography;
using Diecast.Packages;
using Diecast.Tests.Support;

namespace Diecast.Tests.Packages;

public sealed class DownloaderTests : IDisposable
{
    private static readonly DownloadOptions s_options = new()
    {
        Attempts = 3,
        BackOff = TimeSpan.FromMilliseconds(5),
        StallTimeout = TimeSpan.FromMilliseconds(400),
        ConnectTimeout = TimeSpan.FromMilliseconds(400),
    };

    private readonly TempDirectory _directory = new();
    private readonly PackageStore _store;
    private readonly byte[] _content = new byte[500_000];

    public DownloaderTests()
    {
        _store = new PackageStore(_directory["store"]);
        for (int i = 0; i < _content.Length; i++)
        {
            _content[i] = (byte)(i * 11 % 253);
        }
    }

    public void Dispose() => _directory.Dispose();

    private static string Sha256(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private Download Download(params Uri[] addresses) => new("core/a-1-1", addresses, Sha256(_content), _content.Length);

    private void AssertFetched(params Uri[] addresses)
    {
        using var downloader = new Downloader(s_options);
        using var file = Assert.Single(downloader.Fetch(_store, [Download(addresses)]));
        Assert.Equal(_content, file.ReadBytes(0, _content.Length));
        Assert.Equal([file.Path], Directory.GetFiles(_store.Directory));
    }

    private DownloadException AssertFails(params Uri[] addresses)
    {
        using var downloader = new Downloader(s_options);
        var exception = Assert.Throws<DownloadException>(() => downloader.Fetch(_store, [Download(addresses)]));
        Assert.StartsWith("core/a-1-1: ", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
        return exception;
    }

    private void LeavePartial(byte[] content)
    {
        Directory.CreateDirectory(_store.Directory);
        File.WriteAllBytes(Path.Join(_store.Directory, Sha256(_content) + ".part"), content);
    }

    [Fact]
    public void AFileIsFetchedOnceAndThenFromTheStore()
    {
        using var server = new LoopbackServer(request => LoopbackServer.Serve(_content, request));
        AssertFetched(server.Address("a%3A1"));
        AssertFetched(server.Address("a%3A1"));
        Assert.Equal("/a%3A1", Assert.Single(server.Requests).Target);
    }

    [Fact]
    public void FileAddressesWork()
    {
        File.WriteAllBytes(_directory["a:1+2 ü"], _content);
        AssertFetched(new Uri("file://" + _directory.Path + "/a%3A1%2B2%20%C3%BC"));
        using var downloader = new Downloader(s_options);
        Assert.Equal(_content, downloader.Read("a", [new Uri("file://" + _directory.Path + "/a%3A1%2B2%20%C3%BC")], 1 << 20));
    }

    [Fact]
    public void AMissingFileIsNamedWithItsPath()
    {
        var exception = AssertFails(new Uri("file:///nonexistent/a"));
        Assert.Equal("core/a-1-1: /nonexistent/a does not exist", exception.Message);
        Assert.True(exception.IsMissing);
    }

    [Fact]
    public void WhatAnInterruptedRunLeftIsContinued()
    {
        using var server = new LoopbackServer(request => LoopbackServer.Serve(_content, request));
        LeavePartial(_content[..200_000]);
        AssertFetched(server.Address("a"));
        Assert.Equal(200_000, Assert.Single(server.Requests).Start);
    }

    [Fact]
    public void AWholePartialFileNeedsNoServer()
    {
        LeavePartial(_content);
        AssertFetched();
    }

    [Fact]
    public void AServerWithoutRangesSendsAllAgain()
    {
        using var server = new LoopbackServer(request => LoopbackServer.Serve(_content, request, ranges: false));
        LeavePartial(_content[..200_000]);
        AssertFetched(server.Address("a"));
        Assert.Single(server.Requests);
    }

    [Fact]
    public void WrongLeftoversAreDropped()
    {
        using var server = new LoopbackServer(request => LoopbackServer.Serve(_content, request));
        LeavePartial(new byte[200_000]);
        AssertFetched(server.Address("a"));
        Assert.Equal([200_000, null], server.Requests.Select(request => request.Start));
    }

    [Fact]
    public void ATruncatedAnswerIsContinued()
    {
        using var server = new LoopbackServer(request => request.Number == 0
            ? new LoopbackServer.Response(200, _content[..100_000]) { Length = _content.Length }
            : LoopbackServer.Serve(_content, request));
        AssertFetched(server.Address("a"));
        Assert.Equal([null, 100_000], server.Requests.Select(request => request.Start));
    }

    [Fact]
    public void WhatCameBeforeAFailureIsKept()
    {
        using var server = new LoopbackServer(request => request.Number == 0
            ? new LoopbackServer.Response(200, _content[..100_000]) { Length = _content.Length }
            : new LoopbackServer.Response(503, []));
        Assert.Contains("503 ", AssertFails(server.Address("a")).Message, StringComparison.Ordinal);
        Assert.Equal(_content[..100_000], File.ReadAllBytes(Path.Join(_store.Directory, Sha256(_content) + ".part")));
    }

    [Fact]
    public void WrongContentIsRefusedAndTheNextServerTried()
    {
        byte[] wrong = [.. _content[..^1], (byte)(_content[^1] ^ 1)];
        using var bad = new LoopbackServer(request => LoopbackServer.Serve(wrong, request));
        using var good = new LoopbackServer(request => LoopbackServer.Serve(_content, request));
        Assert.Equal($"core/a-1-1: 127.0.0.1:{bad.Port}: has SHA-256 {Sha256(wrong)} instead of {Sha256(_content)}",
            AssertFails(bad.Address("a")).Message);
        Assert.Empty(Directory.GetFiles(_store.Directory));
        AssertFetched(bad.Address("a"), good.Address("a"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void AFileOfAnotherSizeIsRefused(int difference)
    {
        byte[] wrong = new byte[_content.Length + difference];
        using var server = new LoopbackServer(request => LoopbackServer.Serve(wrong, request));
        Assert.EndsWith($": has {wrong.Length} bytes instead of 500000", AssertFails(server.Address("a")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AMissingFileIsNotAskedForTwice()
    {
        using var server = new LoopbackServer(_ => new LoopbackServer.Response(404, []));
        var exception = AssertFails(server.Address("a"));
        Assert.Equal($"core/a-1-1: 127.0.0.1:{server.Port} answers 404 NotFound", exception.Message);
        Assert.True(exception.IsMissing);
        Assert.Single(server.Requests);
    }

    [Fact]
    public void ABusyServerIsAskedAgain()
    {
        using var server = new LoopbackServer(request => request.Number < 2
            ? new LoopbackServer.Response(request.Number == 0 ? 503 : 429, [])
            : LoopbackServer.Serve(_content, request));
        AssertFetched(server.Address("a"));
        Assert.Equal(3, server.Requests.Count);
    }

    [Fact]
    public void AttemptsEnd()
    {
        using var server = new LoopbackServer(_ => new LoopbackServer.Response(500, []));
        Assert.False(AssertFails(server.Address("a")).IsMissing);
        Assert.Equal(s_options.Attempts, server.Requests.Count);
    }

    [Fact]
    public void ASilentServerTimesOut()
    {
        using var slow = new LoopbackServer(_ => new LoopbackServer.Response(200, _content) { Pause = TimeSpan.FromSeconds(3) });
        using var good = new LoopbackServer(request => LoopbackServer.Serve(_content, request));
        Assert.Equal($"core/a-1-1: 127.0.0.1:{slow.Port} sent nothing for 0.4 s", AssertFails(slow.Address("a")).Message);
        AssertFetched(slow.Address("a"), good.Address("a"));
    }

    [Fact]
    public void AClosedPortIsALine()
    {
        int port;
        using (var server = new LoopbackServer(_ => new LoopbackServer.Response(404, [])))
        {
            port = server.Port;
        }
        Assert.Equal($"core/a-1-1: 127.0.0.1:{port}: Connection refused", AssertFails(new Uri($"http://127.0.0.1:{port}/a")).Message);
    }

    [Fact]
    public void AServerThatIsGoneIsNotTriedForEveryFile()
    {
        using var server = new LoopbackServer(_ => new LoopbackServer.Response(503, []));
        Download[] downloads = [.. Enumerable.Range(0, 100).Select(i =>
            new Download($"file{i}", [server.Address($"{i}")], Sha256([(byte)i]), 1))];
        using var downloader = new Downloader(s_options);
        Assert.Matches("^file[0-9]+: 127.0.0.1:[0-9]+ answers 503 ServiceUnavailable$",
            Assert.Throws<DownloadException>(() => downloader.Fetch(_store, downloads)).Message);
        Assert.InRange(server.Requests.Count, s_options.Attempts, s_options.Attempts * s_options.Parallel);
        Assert.Empty(Directory.GetFiles(_store.Directory));
    }

    [Fact]
    public void ManyFilesComeAtOnceAndAllFailuresAreTold()
    {
        using var server = new LoopbackServer(request =>
            request.Target.EndsWith('7') ? new LoopbackServer.Response(404, []) : LoopbackServer.Serve([(byte)request.Target[^1]], request));
        Download[] downloads = [.. Enumerable.Range(0, 10).Select(i =>
            new Download($"file{i}", [server.Address($"{i}")], Sha256([(byte)('0' + i)]), 1))];
        using var downloader = new Downloader(s_options);
        var seen = new List<DownloadProgress>();
        var files = downloader.Fetch(_store, [.. downloads.Where((_, i) => i != 7)], seen.Add);
        Assert.Equal("012345689", string.Concat(files.Select(file => (char)file.ReadBytes(0, 1)[0])));
        Assert.Equal((9, 9, 9L, 9L), (seen[^1].FilesDone, seen[^1].Files, seen[^1].BytesDone, seen[^1].Bytes));
        downloads[2] = new Download("file2", [server.Address("77")], Sha256([9]), 1);
        Assert.Matches("^file2: .* 404 NotFound\nfile7: .* 404 NotFound$", Assert.Throws<DownloadException>(() => downloader.Fetch(_store, downloads)).Message);
    }

    [Fact]
    public void CancellingKeepsWhatIsThere()
    {
        using var server = new LoopbackServer(_ => new LoopbackServer.Response(200, _content[..300_000]) { Length = _content.Length });
        using var cancellation = new CancellationTokenSource();
        using var downloader = new Downloader(s_options with { BackOff = TimeSpan.FromMinutes(1) });
        Assert.ThrowsAny<OperationCanceledException>(() => downloader.Fetch(_store, [Download(server.Address("a"))], progress =>
        {
            if (progress.BytesDone == 300_000)
            {
                cancellation.Cancel();
            }
        }, cancellation.Token));
        Assert.Equal(300_000, new FileInfo(Assert.Single(Directory.GetFiles(_store.Directory))).Length);
    }

    [Fact]
    public void ASmallFileIsBounded()
    {
        using var server = new LoopbackServer(request => LoopbackServer.Serve(_content, request));
        using var downloader = new Downloader(s_options);
        Assert.Equal(_content, downloader.Read("a.db", [server.Address("a")], _content.Length));
        Assert.Equal($"a.db: 127.0.0.1:{server.Port}: has more than 499999 bytes",
            Assert.Throws<DownloadException>(() => downloader.Read("a.db", [server.Address("a")], _content.Length - 1)).Message);
    }

    [Fact]
    public void AProxyIsUsedButForExcludedHosts()
    {
        using var proxy = new LoopbackServer(request => LoopbackServer.Serve("proxy"u8.ToArray(), request));
        using var server = new LoopbackServer(request => LoopbackServer.Serve("server"u8.ToArray(), request));
        var options = s_options with { Proxy = proxy.Address("") };
        using (var downloader = new Downloader(options))
        {
            Assert.Equal("proxy"u8.ToArray(), downloader.Read("a", [new Uri("http://mirror.example.org/a")], 100));
            Assert.Equal("http://mirror.example.org/a", proxy.Requests.Last().Target);
        }
        using (var downloader = new Downloader(options with { ProxyExclude = ["example.com", "127.0.0.1"] }))
        {
            Assert.Equal("server"u8.ToArray(), downloader.Read("a", [server.Address("a")], 100));
        }
    }

    [Fact]
    public void AFullStoreIsNotTheServersFault()
    {
        using var server = new LoopbackServer(request => LoopbackServer.Serve(_content, request));
        if (Tool.Run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", _store.Directory).ExitCode != 0)
        {
            Tool.Missing("tmpfs cannot be mounted");
        }
        try
        {
            using var downloader = new Downloader(s_options);
            var exception = Assert.Throws<StoreException>(() => downloader.Fetch(_store, [Download(server.Address("a"))]));
            Assert.Contains("No space left", exception.Message, StringComparison.Ordinal);
            Assert.Contains(_store.Directory, exception.Message, StringComparison.Ordinal);
            Assert.Single(server.Requests);
        }
        finally
        {
            Tool.Run("umount", _store.Directory);
        }
    }
}
