using System.Net;

namespace Diecast.Packages;

/// <summary>How files are fetched. Nothing of it has any effect on what is in them.</summary>
public sealed record DownloadOptions
{
    /// <summary>For all requests; null: what http_proxy, https_proxy, all_proxy and no_proxy say.</summary>
    public Uri? Proxy { get; init; }

    /// <summary>Hosts that are asked without the proxy: a name stands for itself and all below it, "*" for all.</summary>
    public IReadOnlyList<string> ProxyExclude { get; init; } = [];

    /// <summary>Files at the same time.</summary>
    public int Parallel { get; init; } = 5;

    /// <summary>How often all servers are tried before a file is given up.</summary>
    public int Attempts { get; init; } = 4;

    /// <summary>Before the second attempt; doubled before each further one.</summary>
    public TimeSpan BackOff { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a server may send nothing.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    internal HttpClient CreateClient()
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = ConnectTimeout,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
        };
        if (Proxy is not null)
        {
            handler.Proxy = new ExcludingProxy(Proxy, ProxyExclude);
        }
        var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("diecast");
        return client;
    }

    private sealed class ExcludingProxy(Uri proxy, IReadOnlyList<string> exclude) : IWebProxy
    {
        public ICredentials? Credentials { get; set; } = proxy.UserInfo.Split(':', 2) is [{ Length: > 0 } user, var password]
            ? new NetworkCredential(Uri.UnescapeDataString(user), Uri.UnescapeDataString(password))
            : null;

        public Uri GetProxy(Uri destination) => proxy;

        public bool IsBypassed(Uri host) => exclude.Any(pattern => pattern == "*" || Covers(pattern.TrimStart('*').TrimStart('.'), host.Host));

        private static bool Covers(string domain, string host) =>
            host.Equals(domain, StringComparison.OrdinalIgnoreCase)
            || (domain.Length > 0 && host.EndsWith("." + domain, StringComparison.OrdinalIgnoreCase));
    }
}
