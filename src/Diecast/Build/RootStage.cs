using System.Diagnostics;
using Diecast.Boot;
using Diecast.Build.Distributions;
using Diecast.Config;
using Diecast.Packages;
using Diecast.Trees;

namespace Diecast.Build;

/// <summary>
/// Install and Freeze: from packages and the user's trees to a root, in mkosi's order. The default initrd is made by the
/// same steps from a configuration of its own.
/// </summary>
internal sealed class RootStage
{
    // systemd-machine-id-setup would make a random one, which scripts may copy elsewhere; this one is gone at the end.
    private const string BuildMachineId = "d1eca57d1eca57d1eca57d1eca57d1ec\n";
    private const string Uninitialized = "uninitialized\n";

    private readonly BuildConfig _config;
    private readonly DistributionInstaller _distribution;
    private readonly BuildReport _report;
    private readonly StagedRoot _root;
    private readonly ScriptRunner _run;
    private readonly bool _isInitrd;
    private readonly CancellationToken _cancellation;

    private RootStage(BuildConfig config, StagedRoot root, string workDirectory, bool isInitrd, BuildRequest request, Stopwatch inScripts)
    {
        (_config, _root, _report, _isInitrd, _cancellation) = (config, root, request.Report, isInitrd, request.Cancellation);
        _distribution = DistributionInstaller.For(config);
        var environment = new Dictionary<string, string>(Sandbox.FixedEnvironment(root.Epoch.Seconds), StringComparer.Ordinal);
        foreach (var (name, value) in config.Environment)
        {
            environment[name] = value;
        }
        var sandbox = new Sandbox(root.HostPath, workDirectory, environment) { Clock = request.Clock, DebugShell = request.DebugShell };
        _run = script =>
        {
            inScripts.Start();
            try
            {
                return sandbox.Run(script, request.Cancellation);
            }
            finally
            {
                inScripts.Stop();
            }
        };
    }

    /// <summary>Makes the root in a staged one and freezes it.</summary>
    /// <param name="scripts">The user's; null for an initrd.</param>
    /// <param name="inScripts">Runs as long as programs of the packages do.</param>
    public static FileTree Make(
        BuildConfig config, IReadOnlyList<FetchedPackage> packages, StagedRoot root, string workDirectory, ImageScripts? scripts,
        BuildRequest request, Stopwatch inScripts)
    {
        bool isInitrd = scripts is null;
        var stage = new RootStage(config, root, workDirectory, isInitrd, request, inScripts);
        stage.AddTrees(config.SkeletonTrees);
        stage._distribution.Install(stage.Context, packages, stage.PrepareBase);
        stage.PlaceKernels();
        if (request.Clock is not null && !isInitrd)
        {
            stage.TryClock();
        }
        stage.AddTrees(config.ExtraTrees);
        scripts?.PostInstall();
        stage.Configure();
        stage.Clean(packages);
        scripts?.Finish();
        var tree = root.Freeze();
        return isInitrd ? InitrdTree.Finish(tree, root.Epoch) : tree;
    }

    private void AddTrees(IEnumerable<SourceTree> sources)
    {
        foreach (var source in sources)
        {
            try
            {
                _root.AddTree(TreeSources.Read(source, _root.Epoch));
            }
            catch (InvalidDataException e)
            {
                throw new ConfigException(new Location(source.Source), e.Message);
            }
        }
    }

    private InstallContext Context => new(_root, _run, Say);

    /// <summary>What packages are to find, and are not to make by themselves.</summary>
    private void PrepareBase()
    {
        _root.MakeDirectory("etc");
        _root.Write("etc/machine-id", BuildMachineId, 0x124);
        _root.MakeDirectory("efi", 0x140);
        _root.MakeDirectory("boot", 0x140);
        _root.MakeDirectory("boot/loader", 0x1C0);
        _root.Write("boot/loader/entries.srel", "type1\n", 0x180);
    }

    /// <summary>Where a distribution installs kernels into /boot, a copy goes where the modules are, as mkosi does it.</summary>
    private void PlaceKernels()
    {
        foreach (var name in _root.List("boot"u8).Where(static name => name.Bytes.StartsWith("vmlinuz-"u8)))
        {
            byte[] source = [.. "boot/"u8, .. name.Bytes];
            byte[] modules = [.. "usr/lib/modules/"u8, .. name.Bytes["vmlinuz-".Length..]];
            byte[] place = [.. modules, .. "/vmlinuz"u8];
            if (_root.Exists(modules) && !_root.Exists(place) && _root.ReadFile(source) is { } kernel)
            {
                _root.AddFile(place, new Metadata(0x1A4, 0, 0, _root.Epoch), kernel);
                _root.EndPackage();
            }
        }
    }

    private void TryClock()
    {
        string[] command = ["/bin/sh", "-c", "date +%s 2> /dev/null || printf '%(%s)T' -1"];
        _report.ClockTrial(_root.Exists(_root.Resolve("bin/sh"u8)) ? _run(new Script { Name = "clock", Command = command }).Output : "the image has no shell");
    }

    private void Say(string line)
    {
        // Each package and each hook says what it is: often enough to end soon after Ctrl-C.
        _cancellation.ThrowIfCancellationRequested();
        (line.StartsWith("warning: ", StringComparison.Ordinal) ? _report.Warning : _report.Detail)(
            line.StartsWith("warning: ", StringComparison.Ordinal) ? line["warning: ".Length..] : line);
    }

    private void Configure()
    {
        if (_isInitrd)
        {
            foreach (var (path, content) in InitrdTree.Skeleton)
            {
                _root.Write(path, content);
            }
        }
        if (_config.Autologin)
        {
            ImageSettings.WriteAutologin(_root);
        }
        ImageSettings.WriteOsRelease(_root, _config);
        if (!_root.Exists("init"u8) && _root.Exists("usr/lib/systemd/systemd"u8))
        {
            _root.Link("init", "/usr/lib/systemd/systemd");
        }
        _root.Write("usr/lib/clock-epoch", "");
        new SystemSetup(_root, _run).Run();
        FirstBootOf(_config).Apply(_root, credentials: !_isInitrd);
    }

    private static FirstBoot FirstBootOf(BuildConfig config) => new()
    {
        Locale = config.Locale,
        LocaleMessages = config.LocaleMessages,
        Keymap = config.Keymap,
        Timezone = config.Timezone,
        Hostname = config.Hostname,
        RootPasswordHash = config.RootPassword,
        RootShell = config.RootShell,
    };

    private void Clean(IReadOnlyList<FetchedPackage> packages)
    {
        _distribution.Remove(Context, packages, _config.RemovePackages);
        CleanUp.Run(_root);
        if (WantsNoPackageMetadata())
        {
            _distribution.RemoveMetadata(_root);
        }
        foreach (string pattern in _config.RemoveFiles)
        {
            CleanUp.RemoveMatching(_root, pattern);
        }
        if (_root.Exists("etc/machine-id"u8))
        {
            _root.Write("etc/machine-id", _config.MachineId is { } id ? $"{id:N}\n" : Uninitialized, 0x124);
        }
    }

    private bool WantsNoPackageMetadata() => _config.CleanPackageMetadata switch
    {
        Feature.Yes => true,
        Feature.No => false,
        _ => _config.Format is not (OutputFormat.Directory or OutputFormat.Tar) && !_distribution.HasPackageManager(_root),
    };
}
