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
    /// <exception cref="PackageException">A script fails, or files are in conflict.</exception>
    /// <exception cref="InvalidDataException">A package is damaged, malicious or another one; the message names it.</exception>
    public void Install(IReadOnlyList<DebToInstall> packages)
    {
        if (packages.Count == 0)
        {
            return;
        }
        var all = ReadControl(packages);
        var order = new InstallOrder(all);
        var database = new DpkgDatabase(root, _files, _triggers);
        database.Create(options.Architecture);
        using var data = new PackageData();
        var tools = new Tools(order, database, new DebUnpacker(root, _files, _triggers, database, new PathFilter(options.PathRules)),
            new MaintainerScripts(root, run, database, report), data);
        var shadow = new ShadowDates(root);
        var essential = order.Essential();
        data.Expect(essential);
        // They are decompressed while the essential ones are configured.
        var next = tools.Ready(order.Others(essential), essential.ToHashSet());
        data.Expect(next);
        MergedUsr.Prepare(root, essential, options.Architecture);
        Unpack(essential, data, (package, stream) => tools.Unpacker.Unpack(package, stream, isFirst: true));
        tools.Scripts.ForbidServices();
        RunFirstPreinsts(essential, tools);
        tools.Configure(null);
        tools.Unpacker.Refresh();
        UnpackOthers(essential, next, tools);
        tools.Configure(null);
        tools.Scripts.AllowServices();
        shadow.Settle();
        WriteAutomatic(all);
    }

    private sealed record Tools(InstallOrder Order, DpkgDatabase Database, DebUnpacker Unpacker, MaintainerScripts Scripts, PackageData Data)
    {
        /// <summary>Those packages that may be unpacked now: what their preinsts need is configured. One at least.</summary>
        public DebPackage[] Ready(IReadOnlyList<DebPackage> packages, IReadOnlySet<DebPackage> configured)
        {
            DebPackage[] ready = [.. packages.Where(package => package["preinst"] is null || Order.Before(package, configured).Count == 0)];
            // Where there is none, they wait for each other.
            return ready.Length > 0 ? ready : [.. packages.Take(1)];
        }

        public void Configure(IReadOnlyList<DebPackage>? packages)
        {
            Scripts.Configure(packages);
            Unpacker.FollowConffiles();
            Unpacker.Refresh();
        }
    }

    private List<DebPackage> ReadControl(IReadOnlyList<DebToInstall> packages)
    {
        var read = new DebPackage[packages.Count];
        AllProcessors.For(packages.Count, i => read[i] = DebPackage.Read(packages[i], options.Architecture));
        if (read.GroupBy(static package => package.Name, StringComparer.Ordinal).FirstOrDefault(static group => group.Count() > 1) is { } twice)
        {
            throw new InvalidDataException($"package {twice.Key} is to be installed twice");
        }
        return [.. read];
    }

    /// <summary>Handles packages, which are expected, in their order.</summary>
    private void Unpack(IReadOnlyList<DebPackage> packages, PackageData data, Action<DebPackage, Stream> unpack)
    {
        foreach (var package in packages)
        {
            report($"unpacking {package}");
            using var stream = data.Open(package);
            try
            {
                unpack(package, stream);
            }
            catch (InvalidDataException e)
            {
                throw DebPackage.Named(package.Source, e);
            }
        }
    }

    /// <summary>
    /// The preinsts of the first packages come after their files, as they need programs; where one diverts a file, the packages
    /// that have it are extracted once more to where it belongs.
    /// </summary>
    private void RunFirstPreinsts(IReadOnlyList<DebPackage> packages, Tools tools)
    {
        foreach (var package in packages)
        {
            tools.Scripts.RunPreinst(package);
        }
        tools.Unpacker.Refresh();
        var diverted = tools.Unpacker.Overrides.Diversions.Select(static pair => pair.Key).ToHashSet();
        DebPackage[] again = [.. packages.Where(package => _files.ListOf(package).Any(diverted.Contains))];
        using var data = new PackageData();
        data.Expect(again);
        Unpack(again, data, (package, stream) => tools.Unpacker.Replace(package, stream, diverted));
    }

    /// <summary>All others. One whose preinst needs other packages waits until they are configured.</summary>
    private void UnpackOthers(IReadOnlyList<DebPackage> essential, DebPackage[] ready, Tools tools)
    {
        var configured = essential.ToHashSet();
        var unpacked = essential.ToHashSet();
        var left = tools.Order.Others(essential);
        while (left.Count > 0)
        {
            Unpack(ready, tools.Data, (package, stream) =>
            {
                if (package["preinst"] is not null)
                {
                    tools.Scripts.RunPreinst(package);
                    tools.Unpacker.Refresh();
                }
                tools.Unpacker.Unpack(package, stream, isFirst: false);
            });
            unpacked.UnionWith(ready);
            left = [.. left.Where(package => !unpacked.Contains(package))];
            var needed = left.SelectMany(package => tools.Order.Before(package, configured)).Distinct()
                .Where(unpacked.Contains).ToList();
            var possible = needed.Where(package => tools.Order.Closure(package).All(unpacked.Contains)).ToList();
            if (possible.Count > 0)
            {
                tools.Configure(possible);
                configured = [.. configured.Concat(unpacked.Where(tools.Database.IsConfigured))];
            }
            ready = tools.Ready(left, configured);
            tools.Data.Expect(ready);
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
