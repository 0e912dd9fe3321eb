using System.Globalization;
using System.Security.Cryptography;

namespace Diecast.Tests.Support;

/// <summary>The test mirror holds what it says, and the real pacman thinks so too.</summary>
public sealed class MirrorTests
{
    [Fact]
    public void TheSamePackagesGiveTheSameMirror()
    {
        using var directory = new TempDirectory();
        string cache = Path.Join(Path.GetDirectoryName(Fixture.SmallMirror), "cache");
        Tool.RunOk(Repository.File("tests", "mirror", "make-mirror.sh"), directory["again"], "small", cache);
        Assert.Equal(Digests(Fixture.SmallMirror), Digests(directory["again"]));
    }

    [Fact]
    public void PacmanInstallsEveryKindOfFile()
    {
        using var pacman = new PacmanRoot(Fixture.SmallMirror, "core", "extra");
        pacman.RunOk("-S", "base", "grp", "kinds", "odd-names", "new-name", "cycle-a", "big-version");

        Assert.Contains("No database errors", pacman.RunOk("-Dk"), StringComparison.Ordinal);
        Assert.Contains(" 0 altered files", pacman.RunOk("-Qkk", "kinds"), StringComparison.Ordinal);
        string kinds = pacman.Path + "/usr/share/kinds";
        Assert.Equal("4711 3 0 42 1747699200.123456789", Stat($"{kinds}/a-original", "%a %h %u %g %.9Y"));
        Assert.Equal(Stat($"{kinds}/a-original", "%i"), Stat($"{kinds}/sub/c-link", "%i"));
        Assert.Equal("block special file 103 12c", Stat($"{kinds}/disk", "%F %t %T"));
        Assert.Equal("security.capability=0x0100000200200000000000000000000000000000",
            Tool.RunOk("getfattr", "--absolute-names", "-d", "-m", "security", "-e", "hex", $"{kinds}/capability").Split('\n')[1]);
        Assert.Contains("caf\\351-\\377\\376\n", Tool.RunOk("ls", "-1", "--quoting-style=escape", kinds), StringComparison.Ordinal);
    }

    /// <summary>Whom pacman refuses, and why.</summary>
    [Fact]
    public void PacmanRefusesWhatIsBad()
    {
        using var pacman = new PacmanRoot(Fixture.SmallMirror, "core", "extra", "bad");
        pacman.RunOk("-S", "filesystem", "tool-a");
        (string Package, string Reason)[] cases =
        [
            ("weak-signed", "marginal trust"), ("gone-signed", "is disabled"), ("revoked-signed", "is invalid"),
            ("expired-signed", "unknown trust"), ("unknown-signed", "key missing"),
            ("unsigned", "failed to retrieve"), ("tampered", "is invalid"), ("corrupt", "is invalid"), ("truncated", "is invalid"),
            ("not-a-package", "Unrecognized archive format"), ("other-name", "invalid or corrupted package"),
            ("unsatisfiable", "no-such-package>=1"), ("file-conflict", "conflicting files"),
        ];
        foreach (var (package, reason) in cases)
        {
            var result = pacman.Run("-S", package);
            // An answer of "no" to a question is no failure to pacman, so what is installed counts.
            Assert.NotEqual(0, pacman.Run("-Q", package).ExitCode);
            Assert.True(result.All.Contains(reason, StringComparison.Ordinal), $"{package}: no \"{reason}\" in\n{result.All}");
        }
    }

    private static string Stat(string path, string format) => Tool.RunOk("stat", "-c", format, path).Trim();

    private static string[] Digests(string root) =>
        [.. Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(file =>
            string.Create(CultureInfo.InvariantCulture, $"{Path.GetRelativePath(root, file)} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)))}"))];
}
