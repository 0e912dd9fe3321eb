using System.Text;
using Diecast.Build;
using Diecast.Packages;
using Diecast.Tests.Support;
using Diecast.Trees;

namespace Diecast.Tests.Build;

public sealed class FirstBootTests : IDisposable
{
    private readonly TempDirectory _directory = new("/var/tmp");
    private readonly StagedRoot _root;

    public FirstBootTests()
    {
        _root = new StagedRoot(_directory["root"], new Timestamp(1_700_000_000));
        _root.MakeDirectory("etc");
        _root.Write("etc/passwd", "root:*:0:0:root:/root:/bin/sh\nrooted:x:1:1::/:/bin/sh\n");
        _root.Write("etc/shadow", "root:!*:3::::::\nbin:!*:3::::::\n", 0x180);
    }

    public void Dispose()
    {
        _root.Dispose();
        _directory.Dispose();
    }

    private string Read(string path) => Encoding.UTF8.GetString(_root.ReadFile(Posix.Bytes(path)) ?? []);

    [Fact]
    public void WritesEtcAndCredentials()
    {
        new FirstBoot
        {
            Locale = "C.UTF-8", LocaleMessages = "de_DE.UTF-8", Keymap = "de", Timezone = "Europe/Berlin", Hostname = "box",
            RootPasswordHash = "$6$salt$hash", RootShell = "/bin/zsh",
        }.Apply(_root, credentials: true);
        Assert.Equal("LANG=C.UTF-8\nLC_MESSAGES=de_DE.UTF-8\n", Read("etc/locale.conf"));
        Assert.Equal("KEYMAP=de\n", Read("etc/vconsole.conf"));
        Assert.Equal("box\n", Read("etc/hostname"));
        Assert.Equal("root:x:0:0:root:/root:/bin/zsh\nrooted:x:1:1::/:/bin/sh\n", Read("etc/passwd"));
        // 1,700,000,000 seconds are 19,675 days.
        Assert.Equal("root:$6$salt$hash:19675::::::\nbin:!*:3::::::\n", Read("etc/shadow"));
        Assert.Equal("$6$salt$hash", Read("usr/lib/credstore/passwd.hashed-password.root"));
        var tree = _root.Freeze();
        Assert.Equal(0x180, tree.Find("usr/lib/credstore/passwd.hashed-password.root")!.Metadata.Mode);
        Assert.Equal(0x180, tree.Find("etc/shadow")!.Metadata.Mode);
        Assert.Equal("../usr/share/zoneinfo/Europe/Berlin"u8.ToArray(), ((SymlinkNode)tree.Find("etc/localtime")!).Target.AsSpan().ToArray());
    }

    [Fact]
    public void NothingSetChangesNothing()
    {
        string before = TreeText.Format(_root.Freeze());
        new FirstBoot().Apply(_root, credentials: true);
        Assert.Equal(before, TreeText.Format(_root.Freeze()));
    }

    [Theory]
    [InlineData("etc/sh*", "/etc /etc/passwd")]
    [InlineData("/etc/*", "/etc")]
    [InlineData("e[t]c", "")]
    [InlineData("**/passwd", "/etc /etc/shadow")]
    [InlineData("etc/**/passwd", "/etc /etc/shadow")]
    [InlineData("nothing/*", "/etc /etc/passwd /etc/shadow")]
    public void RemoveFilesTakesPatterns(string pattern, string left)
    {
        CleanUp.RemoveMatching(_root, pattern);
        Assert.Equal(left.Split(' ', StringSplitOptions.RemoveEmptyEntries), _root.Freeze().Walk().Skip(1).Select(static e => e.ToString()));
    }
}
