using System.Globalization;
using Diecast.Inspect.Differences;
using Diecast.Inspect.Reports;
using Diecast.Tests.Support;

namespace Diecast.Tests.Inspect.Reports;

/// <summary>
/// The page in a real browser. With DIECAST_SCREENSHOTS=DIRECTORY the pictures are kept there, for people to look at.
/// </summary>
public sealed class HtmlReportBrowserTests
{
    /// <summary>The names of the things that are in sight, in order.</summary>
    private const string Visible =
        "[...document.querySelectorAll('#tree .head')].filter(h => h.checkVisibility()).map(h => h.querySelector('.name').textContent).join('|')";

    /// <summary>The elements whose text has a contrast under 4.5, the least of WCAG 2 (https://www.w3.org/TR/WCAG22/#contrast-minimum).</summary>
    private const string Pale = """
        (() => {
          const numbers = color => color.match(/[\d.]+/g).map(Number);
          const behind = e => { const c = numbers(getComputedStyle(e).backgroundColor); return c.length === 4 && c[3] === 0 && e.parentElement ? behind(e.parentElement) : c; };
          const light = c => [0.2126, 0.7152, 0.0722].reduce((sum, part, i) => sum + part * (c[i] / 255 <= 0.04045 ? c[i] / 255 / 12.92 : ((c[i] / 255 + 0.055) / 1.055) ** 2.4), 0);
          const contrast = e => { const [a, b] = [light(numbers(getComputedStyle(e).color)), light(behind(e))].sort((a, b) => b - a); return (a + 0.05) / (b + 0.05); };
          const pale = [...document.body.querySelectorAll('*')].filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.checkVisibility() && !e.disabled && contrast(e) < 4.5);
          return pale.map(e => `${e.className} ${contrast(e).toFixed(1)} ${e.textContent.slice(0, 20)}`).join('|');
        })()
        """;

    [Fact]
    public async Task ReadersFilterSearchAndWalk()
    {
        using var directory = new TempDirectory();
        await using var browser = await Chromium.Start();
        string address = Write(directory, SampleDifferences.Image());
        await browser.Resize(1200, 1100);
        await browser.Emulate("screen", "light");
        await browser.Open(address);
        await Keep(browser, "diff-light.png");
        await ReadAloud(browser);
        await FilterByCause(browser);
        await FilterByChangeAndKind(browser);
        await Search(browser);
        await OpenAndClose(browser);
        await Walk(browser);
        await FollowLinks(browser, address);
        await ChangeColours(browser);
        await ReadOnPhoneAndPaper(browser);
        Assert.Empty(browser.Complaints);
        Assert.All(browser.Requests, request => Assert.Equal(address, request.Split('#')[0]));
    }

    [Fact]
    public async Task HostileNamesStayText()
    {
        using var directory = new TempDirectory();
        await using var browser = await Chromium.Start();
        await browser.Open(Write(directory, SampleDifferences.OfHostileText(SampleDifferences.Hostile)));
        Assert.Equal(1, (int)(await browser.Evaluate("document.scripts.length"))!);
        Assert.Equal(0, (int)(await browser.Evaluate("document.querySelectorAll('[onload], script[src], img, iframe').length"))!);
        string name = await browser.Text("document.querySelector('#tree .name').textContent");
        Assert.Equal("/<script>alert('x')</script>\" onload=\"alert(1)<U+202E>gpj<U+200B><U+00A0>&amp;<U+D800>'`>.exe", name);
        await browser.Click("#search");
        await browser.Type("onload=\"alert");
        await browser.Until("document.querySelector('#status').textContent.includes('3 of 3')");
        Assert.Empty(browser.Complaints);
    }

    [Fact]
    public async Task TheBrowserNoticesForeignScripts()
    {
        using var directory = new TempDirectory();
        await using var browser = await Chromium.Start();
        string page = File.ReadAllText(new Uri(Write(directory, SampleDifferences.Image())).LocalPath);
        File.WriteAllText(directory["foreign.html"], page.Replace("</main>", "<script>document.title = 'taken'</script><img src=\"http://127.0.0.1:9/x.png\"></main>", StringComparison.Ordinal));
        await browser.Open(new Uri(directory["foreign.html"]).AbsoluteUri);
        Assert.NotEqual("taken", await browser.Text("document.title"));
        Assert.Contains(browser.Complaints, static complaint => complaint.Contains("Content Security Policy", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ALargePageStaysUsable()
    {
        using var directory = new TempDirectory();
        await using var browser = await Chromium.Start();
        await browser.Open(Write(directory, SampleDifferences.Wide(40, 1000), maximum: 1000));
        await browser.Click("#search");
        await browser.Type("file-17 usr/lib/3/");
        await browser.Until("document.querySelector('#status').textContent.startsWith('11 of 20,000')");
        Assert.True(await browser.Is("document.querySelector('#tree > li > details').open"));
        Assert.Empty(browser.Complaints);
    }

    /// <summary>What a screen reader is told: all controls have names and states; and texts stand out from what is behind them.</summary>
    private static async Task ReadAloud(Chromium browser)
    {
        var controls = await browser.Controls();
        Assert.All(controls, static control => Assert.NotEmpty(control.Name));
        Assert.Contains(("searchbox", "Search names, fields and contents"), controls);
        Assert.Contains(("button", SampleDifferences.Shadow.Title), controls);
        Assert.Contains(controls, static control => control.Role == "DisclosureTriangle" && control.Name.StartsWith("2 (root-x86-64)", StringComparison.Ordinal));
        Assert.Contains(("link", "Link to /etc/shadow"), controls);
        foreach (string scheme in (string[])["light", "dark"])
        {
            await browser.Emulate("screen", scheme);
            Assert.Equal("", await browser.Text(Pale));
        }
        await browser.Emulate("screen", "light");
    }

    private static async Task FilterByCause(Chromium browser)
    {
        string all = await browser.Text(Visible);
        await browser.Click(".causes button.h1");
        string title = await browser.Text("document.querySelector('.causes button.h1').textContent");
        Assert.Equal("true", await browser.Text("document.querySelector('.causes button.h1').ariaPressed"));
        Assert.Equal(SampleDifferences.Shadow.Title, title);
        Assert.Equal("image|2 (root-x86-64)|/etc/shadow", await browser.Text(Visible));
        await Keep(browser, "diff-filtered.png");
        await browser.Click(".causes button.unknown");
        string both = await browser.Text(Visible);
        Assert.Contains("/etc/shadow", both, StringComparison.Ordinal);
        Assert.Contains(".cmdline", both, StringComparison.Ordinal);
        Assert.DoesNotContain("/etc/machine-id", both, StringComparison.Ordinal);
        // Of a thing with several causes only the fields with the wanted one.
        Assert.True(await browser.Is("[...document.querySelectorAll('#tree tr')].filter(r => r.checkVisibility()).every(r => !r.textContent.includes('1700000004'))"));
        await browser.Click("#clear");
        Assert.Equal(all, await browser.Text(Visible));
    }

    private static async Task FilterByChangeAndKind(Chromium browser)
    {
        await browser.Click("[data-filter=change][data-value=removed]");
        Assert.Equal("image|1 (esp)|/EFI/Linux/linux-6.12.efi|.initrd|/etc/hostname|2 (root-x86-64)|/var/log/alpm.log", await browser.Text(Visible));
        await browser.Click("[data-filter=kind][data-value=section]");
        Assert.Equal("", await browser.Text(Visible));
        await browser.Click("[data-filter=change][data-value=removed]");
        Assert.EndsWith("/usr/lib/libbuild.so.1|.rodata", await browser.Text(Visible), StringComparison.Ordinal);
        await browser.Click("#clear");
        Assert.False(await browser.Is("document.querySelectorAll('[aria-pressed=true]').length > 0"));
    }

    private static async Task Search(Chromium browser)
    {
        await browser.Evaluate("document.activeElement.blur()");
        await browser.Press("/");
        Assert.Equal("search", await browser.Text("document.activeElement.id"));
        await browser.Type("SP_LSTCHG root");
        await browser.Until("document.querySelector('#status').textContent.startsWith('1 of')");
        Assert.Equal("image|2 (root-x86-64)|/etc/shadow", await browser.Text(Visible));
        Assert.Equal("root,sp_lstchg,sp_lstchg", await browser.Text("[...CSS.highlights.get('found')].map(r => r.startContainer.data.slice(r.startOffset, r.endOffset)).join()"));
        await browser.Press("Escape");
        // What is folded away is found, too.
        await browser.Type("\"descriptor 4\" crc32");
        await browser.Until("document.querySelector('#status').textContent.startsWith('1 of')");
        Assert.Equal("image|2 (root-x86-64)|group descriptor 4", await browser.Text(Visible));
        await browser.Press("Escape");
        Assert.DoesNotContain("group descriptor", await browser.Text(Visible), StringComparison.Ordinal);
    }

    private static async Task OpenAndClose(Chromium browser)
    {
        await browser.Click("#collapse");
        Assert.Equal("image|1 (esp)|2 (root-x86-64)|3 (home)", await browser.Text(Visible));
        await browser.Click("#expand");
        Assert.Contains(".rodata", await browser.Text(Visible), StringComparison.Ordinal);
    }

    private static async Task Walk(Chromium browser)
    {
        const string focused = "document.activeElement.querySelector('.name').textContent";
        await browser.Evaluate("document.querySelector('#tree .head').focus()");
        await browser.Press("ArrowDown");
        Assert.Equal("1 (esp)", await browser.Text(focused));
        await browser.Press("ArrowLeft");
        await browser.Press("ArrowDown");
        Assert.Equal("2 (root-x86-64)", await browser.Text(focused));
        await browser.Press("End");
        Assert.Equal("3 (home)", await browser.Text(focused));
        await browser.Press("ArrowLeft");
        Assert.Equal("image", await browser.Text(focused));
    }

    private static async Task FollowLinks(Chromium browser, string address)
    {
        string id = await browser.Text("[...document.querySelectorAll('.node')].find(n => n.querySelector('.name').textContent === '.rodata').id");
        await browser.Click("#collapse");
        await browser.Click("[data-filter=change][data-value=added]");
        await browser.Evaluate($"location.hash = '#{id}'");
        await browser.Until($"document.getElementById('{id}').checkVisibility()");
        Assert.True(await browser.Is($"(r => r.top >= 0 && r.top < innerHeight)(document.getElementById('{id}').getBoundingClientRect())"));
        await browser.Open(address + "#" + id);
        Assert.True(await browser.Is($"document.querySelector(':target').id === '{id}' && document.querySelector(':target .lines').checkVisibility()"));
    }

    private static async Task ChangeColours(Chromium browser)
    {
        const string isDark = "getComputedStyle(document.body).backgroundColor === 'rgb(20, 23, 26)'";
        Assert.False(await browser.Is(isDark));
        await browser.Click("#theme");
        Assert.True(await browser.Is(isDark));
        await browser.Evaluate("scrollTo(0, 0)");
        await Keep(browser, "diff-dark.png");
        await browser.Click("#theme");
        Assert.False(await browser.Is(isDark));
        Assert.Equal(0, (int)(await browser.Evaluate("document.cookie.length"))!);
        await browser.Evaluate("delete document.documentElement.dataset.theme");
        await browser.Emulate("screen", "dark");
        Assert.True(await browser.Is(isDark));
    }

    private static async Task ReadOnPhoneAndPaper(Chromium browser)
    {
        await browser.Emulate("screen", "light");
        await browser.Resize(375, 1600);
        await browser.Evaluate("scrollTo(0, 0)");
        Assert.True(await browser.Is("document.documentElement.scrollWidth <= innerWidth"));
        await Keep(browser, "diff-narrow.png");
        await browser.Evaluate("document.querySelector('#differences').scrollIntoView()");
        await Keep(browser, "diff-narrow-tree.png");
        await browser.Resize(1000, 1400);
        await browser.Emulate("print", "dark");
        await browser.Click("#tree .head");
        Assert.True(await browser.Is("!document.querySelector('#search').checkVisibility() && document.querySelector('.lines').checkVisibility()"));
        Assert.Equal("rgb(255, 255, 255)", await browser.Text("getComputedStyle(document.body).backgroundColor"));
        await Keep(browser, "diff-print.png");
    }

    private static string Write(TempDirectory directory, Difference difference, int maximum = 50)
    {
        string path = directory[string.Create(CultureInfo.InvariantCulture, $"report-{maximum}.html")];
        using (var file = File.Create(path))
        {
            HtmlReport.Write(file, difference, "monday/image_0.1.raw", "tuesday/image_0.1.raw", maximum);
        }
        return new Uri(path).AbsoluteUri;
    }

    private static async Task Keep(Chromium browser, string name)
    {
        byte[] picture = await browser.Screenshot();
        Assert.True(picture.Length > 10_000, $"{name} shows nothing");
        if (Environment.GetEnvironmentVariable("DIECAST_SCREENSHOTS") is { Length: > 0 } directory)
        {
            Directory.CreateDirectory(directory);
            await File.WriteAllBytesAsync(Path.Join(directory, name), picture);
        }
    }
}
