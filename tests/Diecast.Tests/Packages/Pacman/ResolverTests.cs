using CsCheck;
using Diecast.Packages;
using Diecast.Packages.Pacman;
using Diecast.Tests.Support;
using static Diecast.Tests.Packages.Pacman.Choices;

namespace Diecast.Tests.Packages.Pacman;

public sealed class ResolverTests
{
    private static readonly Lazy<SyncDatabase[]> s_arch = new(static () => [Arch("core"), Arch("extra")]);

    private static readonly string[] s_initrdPackages =
    [
        "systemd", "bash", "less", "gzip", "btrfs-progs", "e2fsprogs", "xfsprogs", "dosfstools", "libfido2", "libseccomp",
        "tpm2-tss", "util-linux-libs", "procps-ng", "util-linux",
    ];

    [Theory]
    [InlineData(114, "base")]
    [InlineData(120, "base", "linux")]
    public void KnownCounts(int count, params string[] targets)
    {
        var resolution = Resolver.Resolve(s_arch.Value, targets, []);
        Assert.Equal(count, resolution.Packages.Length);
        Assert.Equal(targets.Order(StringComparer.Ordinal), resolution.Packages.Where(static item => item.Reason == InstallReason.Explicit)
            .Select(static item => item.Package.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void DefaultListsOfArchResolve()
    {
        Compare(["base", "linux", "systemd"], ["initramfs"]);
        Compare(s_initrdPackages, ["initramfs"]);
        var linux = Resolver.Resolve(s_arch.Value, ["linux"], ["initramfs"]);
        Assert.DoesNotContain(linux.Packages, static item => item.Package.Name == "mkinitcpio");
        Assert.Contains(Resolver.Resolve(s_arch.Value, ["linux"], []).Packages, static item => item.Package.Name == "mkinitcpio");
    }

    [Fact]
    public void ResolvesAsPacman()
    {
        int iterations = int.Parse(Environment.GetEnvironmentVariable("DIECAST_PACMAN_SETS") ?? "100", System.Globalization.CultureInfo.InvariantCulture);
        var packages = s_arch.Value.SelectMany(static database => database.Packages).ToArray();
        var complete = packages.Where(static item => Closes(item.Name)).ToArray();
        string[] groups = [.. packages.SelectMany(static package => package.Groups).Distinct().Where(Closes).Order(StringComparer.Ordinal)];
        string[] provisions = [.. packages.SelectMany(static package => package.Provides).Select(static item => item.Name).Distinct().Where(Closes).Order(StringComparer.Ordinal)];
        var package = OneOf(complete);
        var target = Gen.Frequency(
            (40, package.Select(static item => item.Name)),
            (10, package.Select(static item => $"{item.Repository}/{item.Name}")),
            (5, package.Select(static item => $"{item.Name}>={item.Version}")),
            (3, OneOf(groups)),
            (3, OneOf(provisions)));
        int failures = 0;
        int multiple = 0;
        Gen.Select(target.Array[1, 8], OneOf("initramfs", "bash", "libgl")).Sample(input =>
        {
            int count = Compare(input.Item1, [input.Item2]);
            Interlocked.Add(ref failures, count < 0 ? 1 : 0);
            Interlocked.Add(ref multiple, count > 20 ? 1 : 0);
        }, iter: iterations, threads: 2);
        Assert.True(multiple > iterations / 2, $"only {multiple} of {iterations} sets are of some size");
        Assert.True(failures < iterations / 2, $"{failures} of {iterations} sets do not resolve");
    }

    // The community repository, which the others need, is not in the data; and where something is missing, pacman tries
    // again and again, which can take it minutes.
    private static bool Closes(string name)
    {
        try
        {
            return Resolver.Resolve(s_arch.Value, [name], [], null, checkConflicts: false).Packages.Length > 0;
        }
        catch (PackageException)
        {
            return false;
        }
    }

    /// <summary>Our list equals pacman's, or neither has one. Returns its length, or -1.</summary>
    private static int Compare(string[] targets, string[] assumed)
    {
        var (expected, messages) = Pacman(targets, assumed);
        string[]? actual = null;
        string errors = "";
        try
        {
            actual = [.. Resolver.Resolve(s_arch.Value, targets, assumed, ["x86_64"], checkConflicts: false).Packages.Select(static item => item.Package.ToString())];
        }
        catch (PackageException e)
        {
            errors = e.Message;
        }
        string input = $"targets {string.Join(' ', targets)}, assumed {string.Join(' ', assumed)}";
        Assert.True((expected is null) == (actual is null), $"{input}\npacman: {messages}\nhere: {errors}");
        if (expected is not null)
        {
            Assert.True(expected.SequenceEqual(actual!), $"{input}\npacman: {string.Join(' ', expected)}\nhere:   {string.Join(' ', actual!)}");
        }
        return expected?.Length ?? -1;
    }

    private static (string[]? Packages, string Messages) Pacman(string[] targets, string[] assumed)
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory["db/sync"]);
        Directory.CreateDirectory(directory["root"]);
        foreach (string name in (string[])["core", "extra"])
        {
            File.CreateSymbolicLink(directory[$"db/sync/{name}.db"], DataFile(name));
        }
        File.WriteAllText(directory["pacman.conf"],
            "[options]\nArchitecture = x86_64\nSigLevel = Never\n[core]\nServer = file:///nowhere\n[extra]\nServer = file:///nowhere\n");
        var result = Tool.Run("pacman",
        [
            "--config", directory["pacman.conf"], "--dbpath", directory["db"], "--root", directory["root"], "--noconfirm",
            "--print", "--print-format", "%r/%n-%v", .. assumed.SelectMany(static item => (string[])["--assume-installed", item]),
            "-S", .. targets,
        ]);
        string[] lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return (result.ExitCode == 0 ? [.. lines.Where(static line => line.Contains('/', StringComparison.Ordinal) && !line.StartsWith(':'))] : null, result.All);
    }

    private static SyncDatabase Arch(string name)
    {
        using var stream = File.OpenRead(DataFile(name));
        return SyncDatabase.Read(name, stream);
    }

    private static string DataFile(string name) =>
        Repository.File("tests", "Diecast.Tests", "Packages", "Pacman", "Data", name + ".db");
}
