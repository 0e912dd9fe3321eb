using Diecast.Images;

namespace Diecast.Packages.Apt;

/// <summary>
/// Installs Debian packages into an empty root. What needs no program of the image is done here: packages are decompressed
/// beside each other and extracted one after the other, and dpkg's database is written as dpkg would have left it. First come
/// the essential packages with all that they need, which are extracted before any script runs; the image's own dpkg then
/// configures them, and in the end all others.
/// </summary>
/// <param name="report">Gets a line for each step.</param>
public sealed class DebInstaller(StagedRoot root, ScriptRunner run, DebInstaller.Options options, Action<string> report)
{
    // What is decompressed ahead: enough that small packages do not hold up large ones.
    private const int PackagesAhead = 6;
    private const int BytesAhead = 16 << 20;

    public sealed record Options
    {
        /// <summary>Debian's name of the image's architecture: <c>amd64</c>.</summary>
        public required string Architecture { get; init; }

        /// <summary>What is not extracted.</summary>
        public IReadOnlyList<PathFilter.Rule> PathRules { get; init; } = [];
    }

    private readonly InstalledFiles _files = new();
    private readonly DpkgTriggers _triggers = new();

    /// <summary>Installs packages, whose set must be complete: nothing is resolved here. Their order does not matter.</summary>
    /// <param name="packages">Those to install.</param>
    /// <param name="afterEssential">To be called when the essential packages are configured and before the others are unpacked.</param>
    /// <exception cref="PackageException">A script fails, or files are in conflict.</exception>
    /// <exception cref="InvalidDataException">A package is damaged, malicious or another one; the message names it.</exception>
    public void Install(IReadOnlyList<DebToInstall> packages, Action? afterEssential = null)
    {
        if (packages.Count == 0)
        {
            return;
        }
        var all = ReadControl(packages);
        var order = new InstallOrder(all);
        var database = new DpkgDatabase(root, _files, _triggers);
        database.Create(options.Architecture);
        var unpacker = new DebUnpacker(root, _files, _triggers, database, new PathFilter(options.PathRules));
        var scripts = new MaintainerScripts(root, run, database, report);
        var shadow = new ShadowDates(root);
        var essential = order.Essential();
        MergedUsr.Prepare(root, essential, options.Architecture);
        Unpack(essential, (package, data) => unpacker.Unpack(package, data, isFirst: true));
        scripts.ForbidServices();
        RunFirstPreinsts(essential, scripts, unpacker);
        Configure(null, scripts, unpacker);
        afterEssential?.Invoke();
        unpacker.Refresh();
        UnpackOthers(order, essential, database, unpacker, scripts);
        Configure(null, scripts, unpacker);
        scripts.AllowServices();
        shadow.Settle();
        WriteAutomatic(all);
    }

    private static void Configure(IReadOnlyList<DebPackage>? packages, MaintainerScripts scripts, DebUnpacker unpacker)
    {
        scripts.Configure(packages);
        unpacker.FollowConffiles();
        unpacker.Refresh();
    }

    private List<DebPackage> ReadControl(IReadOnlyList<DebToInstall> packages)
    {
        var read = new DebPackage[packages.Count];
        try
        {
            Parallel.For(0, packages.Count, i => read[i] = DebPackage.Read(packages[i], options.Architecture));
        }
        catch (AggregateException e)
        {
            // The first by name, whichever thread was first.
            throw e.Flatten().InnerExceptions.OrderBy(static inner => inner.Message, StringComparer.Ordinal).First();
        }
        if (read.GroupBy(static package => package.Name, StringComparer.Ordinal).FirstOrDefault(static group => group.Count() > 1) is { } twice)
        {
            throw new InvalidDataException($"package {twice.Key} is to be installed twice");
        }
        return [.. read];
    }

    /// <summary>Has packages decompressed ahead, and handles them in their order.</summary>
    private void Unpack(IReadOnlyList<DebPackage> packages, Action<DebPackage, Stream> unpack)
    {
        var ahead = new Queue<ReadAheadStream>();
        int started = 0;
        try
        {
            foreach (var package in packages)
            {
                for (; started < packages.Count && ahead.Count < PackagesAhead; started++)
                {
                    var source = packages[started].Source;
                    ahead.Enqueue(new ReadAheadStream(() => DebArchive.OpenData(source.Open()), BytesAhead));
                }
                report($"unpacking {package}");
                using var data = ahead.Dequeue();
                try
                {
                    unpack(package, data);
                }
                catch (InvalidDataException e)
                {
                    throw DebPackage.Named(package.Source, e);
                }
            }
        }
        finally
        {
            foreach (var stream in ahead)
            {
                stream.Dispose();
            }
        }
    }

    /// <summary>
    /// The preinsts of the first packages come after their files, as they need programs; where one diverts a file, the packages
    /// that have it are extracted once more to where it belongs.
    /// </summary>
    private void RunFirstPreinsts(IReadOnlyList<DebPackage> packages, MaintainerScripts scripts, DebUnpacker unpacker)
    {
        foreach (var package in packages)
        {
            scripts.RunPreinst(package);
        }
        unpacker.Refresh();
        var diverted = unpacker.Overrides.Diversions.Select(static pair => pair.Key).ToHashSet();
        Unpack([.. packages.Where(package => _files.ListOf(package).Any(diverted.Contains))],
            (package, data) => unpacker.Replace(package, data, diverted));
    }

    /// <summary>All others. One whose preinst needs other packages waits until they are configured.</summary>
    private void UnpackOthers(
        InstallOrder order, IReadOnlyList<DebPackage> essential, DpkgDatabase database, DebUnpacker unpacker, MaintainerScripts scripts)
    {
        var configured = essential.ToHashSet();
        var unpacked = essential.ToHashSet();
        var left = order.Others(essential);
        while (left.Count > 0)
        {
            var waiting = left.Where(package => package["preinst"] is not null && order.Before(package, configured).Count > 0).ToHashSet();
            var ready = left.Where(package => !waiting.Contains(package)).ToList();
            if (ready.Count == 0)
            {
                // They wait for each other.
                ready.Add(left[0]);
            }
            Unpack(ready, (package, data) =>
            {
                if (package["preinst"] is not null)
                {
                    scripts.RunPreinst(package);
                    unpacker.Refresh();
                }
                unpacker.Unpack(package, data, isFirst: false);
            });
            unpacked.UnionWith(ready);
            left = [.. left.Where(package => !unpacked.Contains(package))];
            var needed = left.SelectMany(package => order.Before(package, configured)).Distinct()
                .Where(unpacked.Contains).ToList();
            var possible = needed.Where(package => order.Closure(package).All(unpacked.Contains)).ToList();
            if (possible.Count > 0)
            {
                Configure(possible, scripts, unpacker);
                configured = [.. configured.Concat(unpacked.Where(database.IsConfigured))];
            }
        }
    }

    /// <summary>Where there is an apt, it is told which packages came along as dependencies only.</summary>
    private void WriteAutomatic(List<DebPackage> packages)
    {
        if (root.IsDirectory("var/lib/apt"u8))
        {
            DebRemover.WriteAutomatic(root, options.Architecture, packages.Where(static package => package.Source.IsAutomatic).Select(static package => package.Name));
        }
    }
}
