using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Diecast.Packages;
using Diecast.Packages.Apt;
using Diecast.Tests.Support;

namespace Diecast.Tests.Packages.Apt;

/// <summary>
/// The resolver beside <c>apt-get install --simulate</c> on an empty root, with the packages of the machine's own release: those
/// that a sample of targets can reach, so that apt is quick. How many lines of targets: DIECAST_APT_LINES, 40 where it is not set.
/// </summary>
public sealed class AptDifferentialTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private static readonly string[] s_base = ["?essential", "base-files"];

    /// <param name="IsOnBase">Whether the base is installed, as mkosi does before all else.</param>
    private sealed record Line(string[] Targets, bool Recommends, bool IsOnBase);

    [Fact]
    public void TheSameSetsAsAptAreChosen()
    {
        Tool.Require("apt-get");
        var all = FetchIndexes();
        var pool = new PackagePool(all, "amd64");
        var lines = Sample(pool, int.Parse(Environment.GetEnvironmentVariable("DIECAST_APT_LINES") ?? "40", CultureInfo.InvariantCulture));
        var indexes = Reduce(all, pool, lines);
        WriteArchives(indexes);
        var reduced = new PackagePool(indexes, "amd64");
        WriteStatus(indexes, [.. AptResolver.Resolve(reduced, [s_base]).Select(static resolved => resolved.Package)]);
        var differences = new List<string>();
        int packages = 0;
        foreach (var line in lines)
        {
            string[]? expected = RunApt(line);
            string[]? actual = Resolve(reduced, line);
            packages += expected?.Length ?? 0;
            if ((expected is null) != (actual is null) || (expected is not null && !expected.SequenceEqual(actual!)))
            {
                differences.Add($"{string.Join(' ', line.Targets)}: apt {Only(expected, actual)}, Diecast {Only(actual, expected)}");
            }
        }
        Assert.True(differences.Count == 0, string.Join("\n", differences));
        // That the comparison would notice another version of one package.
        var changed = indexes.Select(static index => index with { Packages = Encoding.UTF8.GetBytes(
            Encoding.UTF8.GetString(index.Packages.Span).Replace("\nVersion: 2.", "\nVersion: 2.0.", StringComparison.Ordinal)) });
        Assert.NotEqual(RunApt(lines[0]), Resolve(new PackagePool(changed, "amd64"), lines[0]));
        Assert.True(packages > 10 * lines.Count, $"only {packages} packages in {lines.Count} lines");
    }

    private static string Only(string[]? these, string[]? others) => these is null ? "fails" : $"+{string.Join(" +", these.Except(others ?? []).Take(10))}";

    private List<AptIndex> FetchIndexes()
    {
        string codename = File.Exists("/etc/os-release")
            ? File.ReadLines("/etc/os-release").Where(static line => line.StartsWith("VERSION_CODENAME=", StringComparison.Ordinal)).Select(static line => line.Split('=')[1]).FirstOrDefault("")
            : "";
        try
        {
            var configuration = AptConfiguration.Read(new AptSettings { Distribution = "debian", Release = codename });
            using var downloader = new Downloader(new DownloadOptions());
            var store = new PackageStore(_directory["store"]);
            // As of their own dates: that the machine's clock is right is not what is tested.
            return [.. configuration.Repositories.SelectMany(repository =>
                AptSuite.Fetch(repository, downloader, null, CancellationToken.None).FetchIndexes("amd64", downloader, store, CancellationToken.None))];
        }
        catch (Exception e) when (e is PackageException or DownloadException)
        {
            Tool.Missing($"apt's repositories cannot be read: {e.Message}");
            throw;
        }
    }

    /// <summary>Names at equal distances, by ones, twos and threes; each second line on the base, of the others each second with recommended packages. First the base.</summary>
    private static List<Line> Sample(PackagePool pool, int count)
    {
        string[] names = [.. pool.Names.Where(static name => name.Versions.Count > 0).Select(static name => name.Name).Order(StringComparer.Ordinal)];
        var lines = new List<Line>
        {
            new(s_base, false, false),
            new(["systemd", "linux-image-cloud-amd64", "openssh-server", "default-mta"], true, false),
            new(["systemd", "linux-image-cloud-amd64", "openssh-server", "default-mta"], false, true),
        };
        for (int i = 0; i < count; i++)
        {
            lines.Add(new Line([.. Enumerable.Range(0, i % 3 + 1).Select(k => names[(int)((i * 3L + k) * 7919 % names.Length)])], i % 4 == 2, i % 2 == 1));
        }
        return lines;
    }

    /// <summary>The paragraphs of all packages that could be chosen for one of the lines.</summary>
    private static List<AptIndex> Reduce(List<AptIndex> indexes, PackagePool pool, List<Line> lines)
    {
        var pending = new Stack<PackageName>(pool.Names.Where(name => lines.Exists(line => line.Targets.Contains(name.Name))
            || name.Versions.Exists(static version => version.IsEssential)));
        var reached = new HashSet<PackageName>(pending);
        while (pending.TryPop(out var name))
        {
            foreach (var next in name.Versions.SelectMany(static version => version.Dependencies)
                .Where(static dependency => !dependency.IsNegative && dependency.Kind != DependencyKind.Suggests)
                .SelectMany(static dependency => dependency.Alternatives).Select(relation => pool.Find(relation.Name)).OfType<PackageName>()
                .SelectMany(static target => target.Providers.Select(static provision => provision.OwnerName).Prepend(target)).Where(reached.Add))
            {
                pending.Push(next);
            }
        }
        var names = reached.Select(static name => name.Name).ToHashSet(StringComparer.Ordinal);
        return [.. indexes.Select(index =>
        {
            var text = new MemoryStream();
            foreach (var paragraph in ControlFile.Parse(index.Packages, index.File).Where(paragraph => names.Contains(paragraph["Package"]!)))
            {
                text.Write(paragraph.Bytes.Span);
                text.Write("\n"u8);
            }
            return index with { Packages = text.ToArray() };
        })];
    }

    private void WriteArchives(List<AptIndex> indexes)
    {
        foreach (string path in (string[])["apt/state/lists/partial", "apt/cache/archives/partial", "apt/etc/apt.conf.d", "apt/etc/preferences.d", "apt/etc/trusted.gpg.d"])
        {
            Directory.CreateDirectory(_directory[path]);
        }
        var sources = new StringBuilder();
        for (int i = 0; i < indexes.Count; i++)
        {
            string directory = _directory[string.Create(CultureInfo.InvariantCulture, $"archive{i}")];
            Directory.CreateDirectory(directory);
            byte[] packages = indexes[i].Packages.ToArray();
            File.WriteAllBytes(Path.Join(directory, "Packages"), packages);
            File.WriteAllText(Path.Join(directory, "Release"),
                $"Suite: s{i}\nDate: Wed, 30 Apr 2025 20:11:00 UTC\nSHA256:\n {Convert.ToHexStringLower(SHA256.HashData(packages))} {packages.Length} Packages\n");
            sources.Append(CultureInfo.InvariantCulture, $"deb [trusted=yes allow-insecure=yes] file://{directory} ./\n");
        }
        File.WriteAllText(_directory["apt/etc/sources.list"], sources.ToString());
        // Nothing of the machine's own configuration, and no package that is there.
        File.WriteAllText(_directory["apt.conf"], $$"""
            Dir "{{_directory["apt"]}}";
            Dir::State "state";
            Dir::State::status "/dev/null";
            Dir::Cache "cache";
            Dir::Etc "etc";
            APT::Architecture "amd64";
            APT::Architectures { "amd64"; };
            APT::Get::AutomaticRemove "true";
            APT::Sandbox::User "root";
            pkgCacheGen::ForceEssential ",";
            Debug::NoLocking "true";
            Acquire::Languages "none";

            """);
        var update = Apt("update");
        Assert.True(update.ExitCode == 0, update.All);
    }

    /// <summary>dpkg's, with the base installed.</summary>
    private void WriteStatus(List<AptIndex> indexes, AptPackage[] installed)
    {
        Directory.CreateDirectory(_directory["apt/cache-base/archives/partial"]);
        var text = new StringBuilder();
        foreach (var paragraph in indexes.SelectMany(index => ControlFile.Parse(index.Packages, index.File))
            .Where(paragraph => installed.Any(package => package.Name == paragraph["Package"] && package.Version == paragraph["Version"])))
        {
            text.Append("Status: install ok installed\n").Append(Encoding.UTF8.GetString(paragraph.Bytes.Span)).Append('\n');
        }
        File.WriteAllText(_directory["status"], text.ToString());
    }

    private Tool.Result Apt(params string[] arguments) =>
        Tool.Run("apt-get", arguments, new Dictionary<string, string> { ["APT_CONFIG"] = _directory["apt.conf"], ["LC_ALL"] = "C" }, null);

    /// <summary>"name=version" in byte order; null where apt finds no solution.</summary>
    private string[]? RunApt(Line line)
    {
        string[] state = line.IsOnBase ? [$"-oDir::State::status={_directory["status"]}", $"-oDir::Cache={_directory["apt/cache-base"]}"] : [];
        var result = Apt(["install", "--simulate", "-q=2", $"-oAPT::Install-Recommends={(line.Recommends ? "true" : "false")}", .. state, .. line.Targets]);
        // That it would remove what is there is no solution here.
        if (result.Output.Contains("\nRemv ", StringComparison.Ordinal) || result.Output.StartsWith("Remv ", StringComparison.Ordinal))
        {
            return null;
        }
        if (result.ExitCode != 0)
        {
            Assert.True(result.All.Contains("E: ", StringComparison.Ordinal), result.All);
            return null;
        }
        // "Inst libc6 (2.36-9 s0 [amd64])"
        return [.. result.Output.Split('\n').Where(static row => row.StartsWith("Inst ", StringComparison.Ordinal)).Select(static row => row.Split(' '))
            .Select(static words => $"{words[1]}={words[2].TrimStart('(')}").Order(StringComparer.Ordinal)];
    }

    private static string[]? Resolve(PackagePool pool, Line line)
    {
        try
        {
            var resolved = AptResolver.Resolve(pool, line.IsOnBase ? [s_base, line.Targets] : [line.Targets], line.Recommends);
            int first = line.IsOnBase ? AptResolver.Resolve(pool, [s_base]).Length : 0;
            return [.. resolved.Skip(first).Select(static resolved => $"{resolved.Package.Name}={resolved.Package.Version}").Order(StringComparer.Ordinal)];
        }
        catch (PackageException)
        {
            return null;
        }
    }
}
