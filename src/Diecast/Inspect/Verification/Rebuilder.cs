using System.Globalization;
using Diecast.Build;
using Diecast.Packages;
using Diecast.Trees;

namespace Diecast.Inspect.Verification;

/// <summary>A rebuild that is done: the image, and which of the variations turned out not to have been in force.</summary>
internal sealed record Rebuilt(string Path, string Sha256, IReadOnlyList<NotVaried> Lost);

/// <summary>
/// Rebuilds an image under given conditions, each time in a process and a namespace of its own. All that it writes is in a
/// directory below TMPDIR or /var/tmp that is gone at the end.
/// </summary>
internal sealed class Rebuilder : IDisposable
{
    private readonly VerifyRequest _request;
    private readonly WorkDirectory _work = new();
    private readonly string _store;
    private int _count;

    /// <exception cref="IOException">No namespace can be made.</exception>
    public Rebuilder(VerifyRequest request, Lockfile lockfile)
    {
        _request = request;
        try
        {
            // Another user must find the way to what is below.
            Posix.ChmodAt(Posix.AT_FDCWD, Posix.Bytes(_work.Path), 0x1C9);
            _store = Path.Join(_work.Path, "store");
            FillStore(lockfile);
            Ordinary = TryOut([], out _);
        }
        catch
        {
            _work.Dispose();
            throw;
        }
    }

    /// <summary>What a shell says without any variation.</summary>
    public Probe Ordinary { get; }

    /// <summary>Where all of it is.</summary>
    public string Directory => _work.Path;

    private CancellationToken Cancellation => _request.Build.Cancellation;

    private string SourceDirectory => _request.Build.Config.SourceDirectory;

    public void Dispose() => _work.Dispose();

    /// <summary>Those of the variations that can be had here, each tried alone, and why the others cannot.</summary>
    public (IReadOnlyList<Variation> Possible, IReadOnlyList<NotVaried> Impossible) Choose(IEnumerable<string> names, int run)
    {
        var possible = new List<Variation>();
        var impossible = new List<NotVaried>();
        foreach (string name in names)
        {
            var (variation, reason) = VariationTable.Create(name, run, _work.Path);
            if (variation is not null)
            {
                string? fault = variation.Judge(TryOut([variation], out string errors), Ordinary);
                if (fault is null)
                {
                    possible.Add(variation);
                    continue;
                }
                reason = errors.Length > 0 ? $"{fault} ({errors})" : fault;
            }
            impossible.Add(new NotVaried(name, reason));
        }
        return (possible, impossible);
    }

    /// <summary>Builds under the variations.</summary>
    /// <exception cref="IOException">The build failed, and what it said.</exception>
    public Rebuilt Build(IReadOnlyList<Variation> variations)
    {
        Cancellation.ThrowIfCancellationRequested();
        string directory = MakeDirectory(variations, out string output);
        string trial = Path.Join(directory, "trial");
        string? time = variations.Select(static variation => variation.Clock).FirstOrDefault(static clock => clock is not null);
        var order = new RebuildOrder
        {
            OutputDirectory = output,
            Store = _store,
            ClockTrial = trial,
            Clock = time is null ? null : new FakedClock(VariationTable.FindFakeTime()!, time),
        };
        var lines = new List<string>();
        var errors = new List<string>();
        int exitCode = Run(variations, directory, _request.Program, _request.Arguments, order, lines, errors);
        Cancellation.ThrowIfCancellationRequested();
        if (exitCode != 0 || lines.Count == 0)
        {
            string under = variations.Count > 0 ? $" under {string.Join(", ", variations.Select(static v => v.Name))}" : "";
            var said = errors.Where(static line => line.StartsWith("error: ", StringComparison.Ordinal)).Select(static line => line["error: ".Length..]).ToList();
            throw new IOException($"the rebuild{under} failed: {string.Join("; ", said.Count > 0 ? said : errors.TakeLast(3))}");
        }
        var probe = Probe.Parse(File.ReadAllText(Path.Join(directory, "report")));
        var lost = variations.Select(variation => new NotVaried(variation.Name, variation.Judge(probe, Ordinary) ?? JudgeTrial(variation, trial) ?? ""))
            .Where(static lost => lost.Reason.Length > 0).ToList();
        return new Rebuilt(Path.Join(output, Path.GetFileName(_request.Build.Config.OutputPath)), lines[0].Split(' ')[0], lost);
    }

    /// <summary>Frees the space of a rebuild that is not needed any more.</summary>
    public static void Discard(Rebuilt rebuilt) => HostTree.Delete(Posix.AT_FDCWD, Posix.Bytes(Path.GetDirectoryName(rebuilt.Path)!));

    private string? JudgeTrial(Variation variation, string trial) =>
        variation.Clock is null ? null
        : VariationTable.JudgeClock(File.Exists(trial) ? File.ReadAllText(trial).Trim() : "", Ordinary) is { } fault ? $"in the image {fault}" : null;

    private Probe TryOut(IReadOnlyList<Variation> variations, out string errors)
    {
        Cancellation.ThrowIfCancellationRequested();
        string directory = MakeDirectory(variations, out _);
        var said = new List<string>();
        Run(variations, directory, "/bin/true", [], null, [], said);
        Cancellation.ThrowIfCancellationRequested();
        errors = string.Join("; ", said.TakeLast(2));
        string report = Path.Join(directory, "report");
        return Probe.Parse(File.Exists(report) ? File.ReadAllText(report) : "");
    }

    private int Run(
        IReadOnlyList<Variation> variations, string directory, string program, IReadOnlyList<string> arguments, RebuildOrder? order,
        List<string> lines, List<string> errors)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal) { ["TMPDIR"] = Path.Join(directory, "temporary") };
        foreach (var (name, value) in variations.SelectMany(static variation => variation.Variables))
        {
            variables[name] = value;
        }
        bool anotherUser = variations.Any(static variation => variation.IdShift != 0);
        string[] needed = [_work.Path, .. anotherUser ? [SourceDirectory, _request.Program] : (string[])["/dev/null"]];
        return UserNamespace.Run(new InnerProcess
        {
            Program = program,
            Arguments = arguments,
            HasOwnHostName = true,
            IdShift = variations.Select(static variation => variation.IdShift).DefaultIfEmpty().Max(),
            Variables = order?.ToVariables(variables, _request.Environment) ?? variables,
            // The last one: programs that set up the others need no other clock.
            Prologue = $"cd {VariationTable.Quote(SourceDirectory)}\n{string.Concat(variations.OrderBy(static variation => variation.Clock is null ? 0 : 1, Comparer<int>.Default).Select(static variation => variation.Setup))}{Probe.Script}"
                + $"probe {string.Join(' ', needed.Select(VariationTable.Quote))} > {VariationTable.Quote(Path.Join(directory, "report"))}\n",
            Output = (line, isError) =>
            {
                if (line is null)
                {
                    return;
                }
                lock (errors)
                {
                    (isError ? errors : lines).Add(line);
                }
                if (isError)
                {
                    _request.Build.Report.Detail(line);
                }
            },
        });
    }

    /// <summary>A directory that belongs to whoever the process will be.</summary>
    private string MakeDirectory(IReadOnlyList<Variation> variations, out string output)
    {
        uint owner = UserNamespace.ShiftsRoot ? variations.Select(static variation => variation.IdShift).DefaultIfEmpty().Max() : 0;
        string directory = _work[(_count++).ToString(CultureInfo.InvariantCulture)];
        output = Path.Join(directory, "output");
        foreach (string path in (string[])[directory, output, Path.Join(directory, "temporary")])
        {
            System.IO.Directory.CreateDirectory(path);
            Posix.ChmodAt(Posix.AT_FDCWD, Posix.Bytes(path), 0x1C0);
            if (owner != 0)
            {
                Posix.ChownAt(Posix.AT_FDCWD, Posix.Bytes(path), owner, owner);
            }
        }
        return directory;
    }

    /// <summary>A store of the verification's own, which another user can read: links where that is so already, else copies.</summary>
    private void FillStore(Lockfile lockfile)
    {
        const uint readableByAll = 0x124;
        System.IO.Directory.CreateDirectory(_store);
        Posix.ChmodAt(Posix.AT_FDCWD, Posix.Bytes(_store), 0x1ED);
        foreach (string digest in lockfile.Packages.Concat(lockfile.Initrd).Select(static package => package.Sha256).Distinct(StringComparer.Ordinal))
        {
            string source = Path.Join(_request.Build.Store, digest);
            byte[] from = Posix.Bytes(source);
            byte[] to = Posix.Bytes(Path.Join(_store, digest));
            if ((Posix.Stat(Posix.AT_FDCWD, from).Permissions & readableByAll) == readableByAll && TryLink(from, to))
            {
                continue;
            }
            File.Copy(source, Path.Join(_store, digest));
            Posix.ChmodAt(Posix.AT_FDCWD, to, 0x1A4);
        }
    }

    private static bool TryLink(byte[] from, byte[] to)
    {
        try
        {
            Posix.LinkAt(Posix.AT_FDCWD, from, Posix.AT_FDCWD, to);
            return true;
        }
        catch (PosixException)
        {
            // Another file system, or one without hard links: a copy does.
            return false;
        }
    }
}
