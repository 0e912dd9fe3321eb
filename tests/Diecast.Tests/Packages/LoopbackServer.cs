using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Diecast.Tests.Packages;

/// <summary>An HTTP server on loopback that answers as a test says, one request per connection.</summary>
internal sealed class LoopbackServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<Request, Response> _answer;

    /// <param name="Target">As in the request line.</param>
    /// <param name="Start">Of the range that is asked for; null for the whole.</param>
    internal sealed record Request(string Target, long? Start, int Number);

    /// <param name="Body">What is sent; the header may say another length.</param>
    internal sealed record Response(int Status, byte[] Body)
    {
        public long? Length { get; init; }

        public string Headers { get; init; } = "";

        public TimeSpan Pause { get; init; }
    }

    public LoopbackServer(Func<Request, Response> answer)
    {
        _answer = answer;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _ = AcceptAsync();
    }

    public int Port { get; }

    public ConcurrentQueue<Request> Requests { get; } = [];

    public Uri Address(string path) => new($"http://127.0.0.1:{Port}/{path}");

    /// <summary>The files of a directory, with ranges or without.</summary>
    public static Response Serve(byte[] content, Request request, bool ranges = true)
    {
        if (!ranges || request.Start is not { } start)
        {
            return new Response(200, content);
        }
        return start >= content.Length
            ? new Response(416, [])
            : new Response(206, content[(int)start..])
            {
                Headers = string.Create(CultureInfo.InvariantCulture, $"Content-Range: bytes {start}-{content.Length - 1}/{content.Length}\r\n"),
            };
    }

    private async Task AcceptAsync()
    {
        int number = 0;
        while (true)
        {
            TcpClient client;
            try
            {
                client = await _listener.AcceptTcpClientAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
            int mine = number++;
            _ = Task.Run(() => AnswerAsync(client, mine));
        }
    }

    private async Task AnswerAsync(TcpClient client, int number)
    {
        using (client)
        {
            var stream = client.GetStream();
            using var reader = new StreamReader(stream, Encoding.ASCII, false, 1024, leaveOpen: true);
            string target = (await reader.ReadLineAsync())!.Split(' ')[1];
            long? start = null;
            while (await reader.ReadLineAsync() is { Length: > 0 } line)
            {
                if (line.StartsWith("Range: bytes=", StringComparison.OrdinalIgnoreCase))
                {
                    start = long.Parse(line["Range: bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture);
                }
            }
            var request = new Request(target, start, number);
            Requests.Enqueue(request);
            var response = _answer(request);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
                $"HTTP/1.1 {response.Status} {(HttpStatusCode)response.Status}\r\nConnection: close\r\n{response.Headers}Content-Length: {response.Length ?? response.Body.Length}\r\n\r\n")));
            await Task.Delay(response.Pause);
            try
            {
                await stream.WriteAsync(response.Body);
                client.Client.Shutdown(SocketShutdown.Send);
            }
            catch (IOException)
            {
                // The client has given up, which some tests want.
            }
        }
    }

    public void Dispose() => _listener.Dispose();
}
