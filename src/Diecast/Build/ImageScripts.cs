using Diecast.Build.Distributions;
using Diecast.Config;
using Diecast.Packages;
using Diecast.Trees;

namespace Diecast.Build;

/// <summary>
/// The user's own scripts, <c>PostInstallationScripts=</c> and <c>FinalizeScripts=</c>, as mkosi runs them: one whose name ends
/// in <c>.chroot</c> in the image, any other beside it with the host's programs. Both see the same under <c>/work</c>.
/// Other than in mkosi there is never a network, the sources are read-only, and packages are the lock's affair alone.
/// </summary>
internal sealed class ImageScripts
{
    private const string MountPoint = "work";
    private const string Buildroot = "/buildroot";
    private const int LinesOfFailure = 10;

    // Artifacts by which scripts would change what is put together later.
    private static readonly string[] s_artifactsNotYet = ["io.mkosi.initrd", "io.mkosi.microcode"];

    private readonly BuildRequest _request;
    private readonly StagedRoot _root;
    private readonly string _work;
    private readonly OutputSet _outputs;

    public ImageScripts(BuildRequest request, StagedRoot root, OutputSet outputs, WorkDirectory work)
    {
        (_request, _root, _outputs) = (request, root, outputs);
        _work = work.Subdirectory("user-scripts");
    }

    /// <summary>Where scripts write what is to stand beside the image.</summary>
    public string OutputDirectory => field ??= _outputs.MakeScratch(".scripts");

    /// <summary>The names in that directory, in byte order.</summary>
    public IEnumerable<string> Outputs => IsWanted ? HostTree.Names(Posix.Bytes(OutputDirectory)).Select(static name => name.ToString()) : [];

    private BuildConfig Config => _request.Config;

    private bool IsWanted => Config.PostInstallationScripts.Length + Config.FinalizeScripts.Length > 0;

    /// <summary>After packages and extra trees.</summary>
    /// <exception cref="ConfigException">A script failed.</exception>
    public void PostInstall() => Run(Config.PostInstallationScripts, "postinst", "final");

    /// <summary>After clean-up, last of all.</summary>
    /// <inheritdoc cref="PostInstall" path="/exception"/>
    public void Finish() => Run(Config.FinalizeScripts, "finalize");

    private void Run(IEnumerable<string> scripts, string kind, params string[] arguments)
    {
        foreach (string script in scripts)
        {
            _request.Cancellation.ThrowIfCancellationRequested();
            Run(script, kind, arguments);
        }
    }

    private void Run(string script, string kind, string[] arguments)
    {
        string shown = Config.Relative(script);
        _request.Report.Detail($"running {shown}");
        bool isInside = script.EndsWith(".chroot", StringComparison.Ordinal);
        bool makesMountPoint = isInside && !HasMountPoint(shown);
        var sandbox = MakeSandbox(script, kind, isInside);
        var result = sandbox.Run(new Script { Name = shown, Command = [$"/work/{kind}", .. arguments] }, _request.Cancellation);
        if (makesMountPoint)
        {
            _root.Remove(Posix.Bytes(MountPoint));
        }
        if (result.Output.Length > 0)
        {
            _request.Report.Detail(result.Output);
        }
        if (result.ExitCode != 0)
        {
            string end = string.Join('\n', result.Output.Split('\n').TakeLast(LinesOfFailure));
            throw new ConfigException(new Location(shown), $"failed with exit code {result.ExitCode}{(end.Length > 0 ? ": " : "")}{end}");
        }
        if (s_artifactsNotYet.FirstOrDefault(name => Path.Exists(Path.Join(Place("artifacts"), name))) is { } artifact)
        {
            throw new ConfigException(new Location(shown), $"wrote {artifact} into $ARTIFACTDIR, which is not supported yet");
        }
    }

    /// <summary>Whether the image has a directory where a script inside sees its own files; it does not see the image's meanwhile.</summary>
    private bool HasMountPoint(string shown) => _root.Status(Posix.Bytes(MountPoint)) switch
    {
        null => false,
        { Type: FileType.Directory } => true,
        _ => throw new ConfigException(new Location(shown), "cannot run: the image's /work, where a script sees the sources, is no directory"),
    };

    private Sandbox MakeSandbox(string script, string kind, bool isInside)
    {
        File.WriteAllText(Path.Join(_work, "config.json"), Summary.ForScripts(Config));
        string[] mounts = [
            "--tmpfs", "/work", "--ro-bind", Config.SourceDirectory, "/work/src", "--ro-bind", script, $"/work/{kind}",
            "--ro-bind", Path.Join(_work, "config.json"), "/work/config.json", "--bind", OutputDirectory, "/work/out",
            "--bind", Place("artifacts"), "/work/artifacts", "--bind", Place("packages"), "/work/packages"];
        var environment = Environment(kind, isInside);
        return isInside
            ? new Sandbox(_root.HostPath, _work, environment) { Mounts = mounts, WorkingDirectory = "/work/src", Clock = _request.Clock, DebugShell = _request.DebugShell }
            : new Sandbox(_root.HostPath, _work, environment)
            {
                HasHostPrograms = true,
                Mounts = ["--bind", _root.HostPath, Buildroot, "--ro-bind", ScriptHelpers.Write(Place("helpers")), "/scripts", "--dir", "/var/log", .. mounts],
                WorkingDirectory = "/work/src",
                Clock = _request.Clock,
                DebugShell = _request.DebugShell,
            };
    }

    private string Place(string name) => Directory.CreateDirectory(Path.Join(_work, name)).FullName;

    /// <summary>mkosi's, with nothing in it of the host or of who calls: a script inside of the namespace is root for anybody.</summary>
    private SortedDictionary<string, string> Environment(string kind, bool isInside)
    {
        var all = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var fixedOnes = Sandbox.FixedEnvironment(_root.Epoch.Seconds);
        foreach (string name in (string[])["HOME", "LANG", "LC_ALL", "SOURCE_DATE_EPOCH", "TERM", "TZ"])
        {
            all[name] = fixedOnes[name];
        }
        foreach (var (name, value) in Variables(kind, isInside))
        {
            all[name] = value;
        }
        foreach (var (name, value) in Config.Environment)
        {
            all[name] = value;
        }
        return all;
    }

    private IEnumerable<(string Name, string Value)> Variables(string kind, bool isInside)
    {
        yield return ("ARCHITECTURE", Names.Of(Config.Architecture));
        yield return ("ARTIFACTDIR", "/work/artifacts");
        yield return ("BUILDROOT", isInside ? "/" : Buildroot);
        yield return ("CHROOT_OUTPUTDIR", "/work/out");
        yield return ("CHROOT_SCRIPT", $"/work/{kind}");
        yield return ("CHROOT_SRCDIR", "/work/src");
        yield return ("DISTRIBUTION", Names.Of(Config.Distribution));
        yield return ("DISTRIBUTION_ARCHITECTURE", DistributionInstaller.For(Config).Architecture);
        // git refuses what belongs to others, and the sources may.
        yield return ("GIT_CONFIG_COUNT", "1");
        yield return ("GIT_CONFIG_KEY_0", "safe.directory");
        yield return ("GIT_CONFIG_VALUE_0", "*");
        yield return ("MKOSI_CONFIG", "/work/config.json");
        yield return ("MKOSI_GID", "0");
        yield return ("MKOSI_UID", "0");
        yield return ("OUTPUTDIR", "/work/out");
        yield return ("PACKAGEDIR", "/work/packages");
        yield return ("PATH", isInside ? "/usr/bin:/usr/sbin" : "/scripts:/usr/bin:/usr/sbin");
        yield return ("RELEASE", Config.Release);
        yield return ("SCRIPT", $"/work/{kind}");
        yield return ("SRCDIR", "/work/src");
        yield return ("SYSTEMD_ASK_PASSWORD_KEYRING_TIMEOUT_SEC", "infinity");
        yield return ("SYSTEMD_ASK_PASSWORD_KEYRING_TYPE", "session");
        yield return ("SYSTEMD_TMPFILES_FORCE_SUBVOL", "0");
        yield return ("WITH_NETWORK", "0");
        if (isInside)
        {
            yield return ("container", "mkosi");
        }
        if (Config.ImageId is { } id)
        {
            yield return ("IMAGE_ID", id);
        }
        if (Config.ImageVersion is { } version)
        {
            yield return ("IMAGE_VERSION", version);
        }
    }
}
