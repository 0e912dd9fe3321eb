using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Text.Json.Nodes;

namespace Diecast.Tests.Support;

/// <summary>A headless Chromium with one page, driven by the DevTools protocol over the loopback interface.</summary>
/// <remarks>https://chromedevtools.github.io/devtools-protocol/</remarks>
internal sealed class Chromium : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly TempDirectory _profile = new();
    private readonly CancellationTokenSource _timeout = new(s_patience);
    private readonly ClientWebSocket _socket = new();
    private readonly Process _process;
    private string? _session;
    private int _lastId;

    private Chromium()
    {
        string path = Tool.Require("chromium");
        string[] arguments =
        [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
            "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-port=0", $"--user-data-dir={_profile["profile"]}", "about:blank",
        ];
        var start = new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["HOME"] = _profile.Path;
        start.Environment["LC_ALL"] = "C.UTF-8";
        _process = Process.Start(start)!;
        _process.OutputDataReceived += static (_, _) => { };
        _process.ErrorDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Console messages that are errors or warnings, and exceptions that nothing caught.</summary>
    public List<string> Complaints { get; } = [];

    /// <summary>The addresses that the page asked for.</summary>
    public List<string> Requests { get; } = [];

    public static async Task<Chromium> Start()
    {
        var browser = new Chromium();
        try
        {
            await browser.Connect();
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }
        return browser;
    }

    public async Task Open(string address)
    {
        Requests.Clear();
        await Send("Page.navigate", new JsonObject { ["url"] = address });
        await Until($"location.href === {JsonValue.Create(address).ToJsonString()} && document.readyState === 'complete'");
    }

    /// <summary>The value of an expression in the page.</summary>
    public async Task<JsonNode?> Evaluate(string expression)
    {
        var result = await Send("Runtime.evaluate", new JsonObject { ["expression"] = expression, ["returnByValue"] = true, ["awaitPromise"] = true });
        Assert.True(result["exceptionDetails"] is null, $"{expression}: {result["exceptionDetails"]?.ToJsonString()}");
        return result["result"]!["value"];
    }

    public async Task<string> Text(string expression) => (string)(await Evaluate(expression))!;

    public async Task<bool> Is(string expression) => (bool)(await Evaluate(expression))!;

    /// <summary>Waits until a condition holds, such as what a timer of the page does.</summary>
    public async Task Until(string condition)
    {
        var waited = Stopwatch.StartNew();
        while (!await Is(condition))
        {
            if (waited.Elapsed > s_patience / 2)
            {
                Assert.Fail($"never: {condition}; the page says {await Evaluate("document.body?.innerText")}");
            }
            await Task.Delay(20);
        }
    }

    /// <summary>Clicks on the middle of an element with the mouse.</summary>
    public async Task Click(string selector)
    {
        string element = $"document.querySelector({JsonValue.Create(selector).ToJsonString()})";
        var place = (await Evaluate($"{element}.scrollIntoView({{ block: 'center' }}), (r => [r.x + r.width / 2, r.y + r.height / 2])({element}.getBoundingClientRect())"))!;
        foreach (string type in (string[])["mousePressed", "mouseReleased"])
        {
            await Send("Input.dispatchMouseEvent", new JsonObject
            {
                ["type"] = type, ["x"] = (double)place[0]!, ["y"] = (double)place[1]!, ["button"] = "left", ["clickCount"] = 1,
            });
        }
    }

    /// <summary>Types a text into what has the focus.</summary>
    public Task Type(string text) => Send("Input.insertText", new JsonObject { ["text"] = text });

    /// <summary>Presses a key: "ArrowDown", "/".</summary>
    public async Task Press(string key)
    {
        var stroke = new JsonObject { ["type"] = "keyDown", ["key"] = key, ["code"] = key };
        if (key.Length == 1)
        {
            stroke["text"] = key;
        }
        await Send("Input.dispatchKeyEvent", stroke);
        await Send("Input.dispatchKeyEvent", new JsonObject { ["type"] = "keyUp", ["key"] = key, ["code"] = key });
    }

    /// <summary>The roles and names of what can be acted on, as the accessibility tree has them.</summary>
    public async Task<List<(string Role, string Name)>> Controls()
    {
        var tree = (JsonArray)(await Send("Accessibility.getFullAXTree", []))["nodes"]!;
        return [.. tree.Where(static node => !(bool)node!["ignored"]!)
            .Select(static node => ((string)node!["role"]!["value"]!, (string?)node["name"]?["value"] ?? ""))
            .Where(static control => control.Item1 is "button" or "link" or "searchbox" or "DisclosureTriangle")];
    }

    public Task Resize(int width, int height) => Send("Emulation.setDeviceMetricsOverride", new JsonObject
    {
        ["width"] = width, ["height"] = height, ["deviceScaleFactor"] = 1, ["mobile"] = false,
    });

    /// <summary>What the page is told of its reader: a medium ("print", "screen") and a colour scheme ("dark", "light").</summary>
    public Task Emulate(string medium, string scheme) => Send("Emulation.setEmulatedMedia", new JsonObject
    {
        ["media"] = medium, ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = scheme }),
    });

    /// <summary>A PNG of what is in sight.</summary>
    public async Task<byte[]> Screenshot() => Convert.FromBase64String((string)(await Send("Page.captureScreenshot", []))["data"]!);

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }
        await _process.WaitForExitAsync();
        _process.Dispose();
        _timeout.Dispose();
        _profile.Dispose();
    }

    private async Task Connect()
    {
        // Two lines: the port, and the path of the browser's own socket.
        string file = System.IO.Path.Join(_profile["profile"], "DevToolsActivePort");
        string[] lines = [];
        while (lines.Length < 2)
        {
            Assert.False(_process.HasExited, "chromium ended");
            await Task.Delay(20, _timeout.Token);
            lines = File.Exists(file) ? await File.ReadAllLinesAsync(file, _timeout.Token) : [];
        }
        await _socket.ConnectAsync(new Uri($"ws://127.0.0.1:{int.Parse(lines[0], CultureInfo.InvariantCulture)}{lines[1]}"), _timeout.Token);
        var target = await Send("Target.createTarget", new JsonObject { ["url"] = "about:blank" });
        var attached = await Send("Target.attachToTarget", new JsonObject { ["targetId"] = (string)target["targetId"]!, ["flatten"] = true });
        _session = (string)attached["sessionId"]!;
        foreach (string domain in (string[])["Page", "Runtime", "Log", "Network"])
        {
            await Send($"{domain}.enable", []);
        }
    }

    private async Task<JsonObject> Send(string method, JsonObject parameters)
    {
        int id = ++_lastId;
        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters };
        if (_session is not null)
        {
            message["sessionId"] = _session;
        }
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(message.ToJsonString());
        await _socket.SendAsync(bytes, WebSocketMessageType.Text, endOfMessage: true, _timeout.Token);
        while (true)
        {
            var received = await Receive();
            if ((int?)received["id"] == id)
            {
                Assert.True(received["error"] is null, $"{method}: {received["error"]?.ToJsonString()}");
                return (JsonObject)received["result"]!;
            }
            Note(received);
        }
    }

    private async Task<JsonNode> Receive()
    {
        using var message = new MemoryStream();
        byte[] buffer = new byte[64 << 10];
        WebSocketReceiveResult part;
        do
        {
            part = await _socket.ReceiveAsync(buffer, _timeout.Token);
            message.Write(buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        return JsonNode.Parse(message.ToArray())!;
    }

    private void Note(JsonNode message)
    {
        var parameters = message["params"];
        switch ((string?)message["method"])
        {
            case "Network.requestWillBeSent":
                Requests.Add((string)parameters!["request"]!["url"]!);
                break;
            case "Runtime.consoleAPICalled":
                Complaints.Add($"console.{parameters!["type"]}: {parameters["args"]?.ToJsonString()}");
                break;
            case "Runtime.exceptionThrown":
                Complaints.Add(parameters!["exceptionDetails"]!.ToJsonString());
                break;
            case "Log.entryAdded":
                Complaints.Add(parameters!["entry"]!.ToJsonString());
                break;
        }
    }
}
